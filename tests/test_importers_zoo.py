"""rl-baselines3-zoo's log trees: names from args.yml, and what the settings give away."""

import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sb3_logs import DATA, error, notes, read, write_evaluations, write_monitor

from rlaudit.errors import ImportFormatError
from rlaudit.importers import fitting, zoo_settings

SAMPLE = DATA / "zoo" / "logs"
ARGS = (SAMPLE / "ppo" / "CartPole-v1_1" / "CartPole-v1" / "args.yml").read_text()
CONFIG = (SAMPLE / "ppo" / "CartPole-v1_1" / "CartPole-v1" / "config.yml").read_text()


def write_run(
    folder: Path, seed: Any = 1, *, evaluations: Any = (100, 200), config: str = "n_envs: 1\n", **args: Any
) -> Path:
    """A folder of rl_zoo3: 200 steps, evaluated every 100; `args` change what args.yml says."""
    said = {"seed": seed, "n_timesteps": 200, "eval_freq": 100, **args}
    text = ARGS
    for key, value in said.items():
        text, n = re.subn(rf"(- - {key}\n    - ).*", rf"\g<1>{value}", text)
        assert 1 == n
    inner = folder / "CartPole-v1"
    inner.mkdir(parents=True)
    (inner / "args.yml").write_text(text)
    (inner / "config.yml").write_text(config)
    if evaluations is not None:
        write_evaluations(folder / "evaluations.npz", evaluations, [[float(step)] for step in evaluations])
    return folder


# ---------------------------------------------------------------- real files


def test_a_log_tree_is_known_by_its_content() -> None:
    assert ["zoo", "evaluations", "monitor"] == fitting(SAMPLE)
    assert "zoo" not in fitting(DATA / "evaluations" / "logs")


def test_one_spoilt_args_yml_does_not_make_the_tree_another_format(tmp_path: Path) -> None:
    """Read as evaluations, the folders' numbers would be the seeds."""
    shutil.copytree(SAMPLE, tmp_path / "logs")
    spoilt = tmp_path / "logs" / "a2c" / "CartPole-v1_1" / "CartPole-v1" / "args.yml"
    spoilt.write_text("- - algo\n")
    assert "zoo" == fitting(tmp_path / "logs")[0]
    assert "a2c/CartPole-v1_1/CartPole-v1/args.yml: not the settings of an rl_zoo3 run" in error(tmp_path / "logs")


def test_the_seed_stands_in_args_yml_and_the_folders_number_is_none() -> None:
    records = read(SAMPLE).records
    expected = [(algo, "CartPole-v1", seed) for algo in ("a2c", "ppo") for seed in (11, 12, 13)]
    assert expected == [(one.spec.agent, one.spec.task_label, one.spec.seed) for one in records]


def test_evaluations_are_the_curve_and_eight_environments_the_training_episodes() -> None:
    record = read(SAMPLE).records[3]
    with np.load(SAMPLE / "ppo" / "CartPole-v1_1" / "evaluations.npz") as stored:
        assert stored["timesteps"].tolist() == record.eval_steps.tolist()
        assert stored["results"].tolist() == record.eval_returns.tolist()
    n_rows = sum(len(file.read_text().splitlines()) - 2 for file in (SAMPLE / "ppo" / "CartPole-v1_1").glob("*.csv"))
    assert n_rows == len(record.episodes.returns)


def test_the_folder_of_one_algorithm_is_a_tree_too() -> None:
    assert [("ppo", 3)] == [(arm.agent, arm.n_seeds) for arm in read(SAMPLE / "ppo").reading.arms]


def test_complete_runs_with_one_set_of_settings_are_not_doubted() -> None:
    warnings = notes(read(SAMPLE), "warning")
    assert "differ in" not in warnings
    assert "end before" not in warnings


def test_seeds_that_evaluation_shares_with_training_and_runs_with_each_other_are_said() -> None:
    warnings = notes(read(SAMPLE), "warning")
    assert "evaluation environments have the seeds of the training environments" in warnings
    assert "runs with near seeds share environment seeds, in 2 of 2 arms" in warnings


def test_seeds_that_lie_further_apart_than_there_are_environments_share_none(tmp_path: Path) -> None:
    for seed in (0, 4, 8):
        write_run(tmp_path / "ppo" / f"CartPole-v1_{seed}", seed, config="n_envs: 4\n")
    assert "share environment seeds" not in notes(read(tmp_path), "warning")


# ---------------------------------------------------------------- names


def test_a_run_without_a_seed_is_called_by_its_folder(tmp_path: Path) -> None:
    """rl_zoo3 writes down the seed that it draws; -1 is somebody else's doing."""
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 7)
    write_run(tmp_path / "ppo" / "CartPole-v1_2", -1)
    imported = read(tmp_path)
    assert [7, "CartPole-v1_2"] == [one.spec.seed for one in imported.records]
    assert "1 of 2 runs say no seed" in notes(imported, "warning")


def test_the_same_algorithm_in_several_log_folders_is_several_agents(tmp_path: Path) -> None:
    for folder in ("baseline", "wider"):
        write_run(tmp_path / folder / "ppo" / "CartPole-v1_1")
    imported = read(tmp_path)
    assert ["baseline/ppo", "wider/ppo"] == [arm.agent for arm in imported.reading.arms]
    assert "agents are called by their log folder and algorithm" in notes(imported, "rule")


def test_a_log_folder_for_each_seed_is_no_agent(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_run(tmp_path / f"seed_{seed}" / "ppo" / "CartPole-v1_1", seed)
    assert [("ppo", 2)] == [(arm.agent, arm.n_seeds) for arm in read(tmp_path).reading.arms]


def test_a_pattern_says_otherwise_where_it_says_something(tmp_path: Path) -> None:
    write_run(tmp_path / "wide" / "CartPole-v1_1", 7)
    record = read(tmp_path, names="{agent}/{*}").records[0]
    assert ("wide", "CartPole-v1", 7) == (record.spec.agent, record.spec.task_label, record.spec.seed)
    assert 1 == read(tmp_path, names="CartPole-v1_{seed}").records[0].spec.seed


def test_a_pattern_that_puts_two_algorithms_under_one_name_is_doubted(tmp_path: Path) -> None:
    write_run(tmp_path / "wide" / "ppo" / "CartPole-v1_1", 1)
    write_run(tmp_path / "wide" / "a2c" / "CartPole-v1_1", 2, algo="a2c")
    imported = read(tmp_path, names="{agent}/{*}/{*}")
    assert [("wide", 2)] == [(arm.agent, arm.n_seeds) for arm in imported.reading.arms]
    assert "'wide' on 'CartPole-v1' differ in algo (" in notes(imported, "warning")


def test_the_user_cannot_overrule_what_args_yml_says(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1")
    assert "these results name their agents themselves: 'ppo'" in error(tmp_path, agent="mine")


def test_agents_are_told_apart_by_a_setting_that_the_user_names(tmp_path: Path) -> None:
    for i, rate in enumerate((0.001, 0.01)):
        write_run(tmp_path / "ppo" / f"CartPole-v1_{i}", config=f"learning_rate: {rate}\n")
    arms = read(tmp_path, columns={"agent": "learning_rate"}).reading.arms
    assert ["ppo learning_rate=0.001", "ppo learning_rate=0.01"] == [arm.agent for arm in arms]
    write_run(tmp_path / "ppo" / "CartPole-v1_9", config="gamma: 0.9\n")
    arms = read(tmp_path, columns={"agent": "learning_rate"}).reading.arms
    assert "ppo learning_rate=not set" == arms[-1].agent
    assert "Did you mean 'learning_rate'" in error(tmp_path, columns={"agent": "learning-rate"})
    assert "--score-column" in error(tmp_path, columns={"score": "x"})


# ---------------------------------------------------------------- what the settings give away


def test_runs_of_one_agent_with_different_settings_are_doubted(tmp_path: Path) -> None:
    for seed, rate in enumerate((0.001, 0.001, 0.01)):
        write_run(tmp_path / "ppo" / f"CartPole-v1_{seed}", seed, config=f"gamma: 0.9\nlearning_rate: {rate}\n")
    warnings = notes(read(tmp_path), "warning")
    assert "the runs of 'ppo' on 'CartPole-v1' differ in learning_rate (0.001 in 2, 0.01 in 1)" in warnings
    assert "--agent-column learning_rate tells them apart" in warnings


def test_a_start_from_a_trained_agent_and_other_steps_are_settings_too(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1, trained_agent="old.zip")
    write_run(tmp_path / "ppo" / "CartPole-v1_2", 2, n_timesteps=100)
    warnings = notes(read(tmp_path), "warning")
    assert "trained_agent" in warnings
    assert "n_timesteps (200 in 1, 100 in 1)" in warnings


def test_settings_that_make_no_other_agent_are_not_doubted(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1, device="cpu", verbose=0)
    write_run(
        tmp_path / "ppo" / "CartPole-v1_2", 2, device="cuda", n_timesteps=-1, config="n_envs: 1\nn_timesteps: 2e2\n"
    )
    assert "differ" not in notes(read(tmp_path), "warning")


def test_one_seed_with_two_settings_is_refused_with_what_tells_them_apart(tmp_path: Path) -> None:
    for i, rate in enumerate((0.001, 0.01)):
        write_run(tmp_path / "ppo" / f"CartPole-v1_{i}", 5, config=f"learning_rate: {rate}\n")
    message = error(tmp_path)
    assert "ppo/CartPole-v1_1: seed 5 of 'ppo' on 'CartPole-v1' is already in" in message
    assert "differ in learning_rate (0.001 there, 0.01 here)\nTwo agents? --agent-column learning_rate" in message


@pytest.mark.parametrize(("again", "said"), [((100, 200), "equal results"), ((100, 300), "other results")])
def test_a_rerun_of_a_seed_is_refused_and_compared(tmp_path: Path, again: tuple[int, int], said: str) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 5)
    write_run(tmp_path / "ppo" / "CartPole-v1_2", 5, evaluations=again)
    assert f"with the same settings and {said}\nA rerun? Move one of the two folders away." in error(tmp_path)


def test_a_run_that_ends_before_its_last_evaluation_is_kept_and_said(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1)
    write_run(tmp_path / "ppo" / "CartPole-v1_2", 2, evaluations=(100,))
    imported = read(tmp_path)
    assert ["done", "done"] == [one.status for one in imported.records]
    assert re.search(r"1 of 2 runs end before .*CartPole-v1_2 \(at 100 of 200\)", notes(imported, "warning"))
    assert ["done", "failed"] == [one.status for one in read(tmp_path, until=200).records]


def test_without_evaluations_training_episodes_are_the_score(tmp_path: Path) -> None:
    for seed, lengths in ((1, [50, 60, 80]), (2, [50])):
        run = write_run(tmp_path / "ppo" / f"CartPole-v1_{seed}", seed, evaluations=None, eval_freq=-1)
        write_monitor(run / "0.monitor.csv", lengths)
    imported = read(tmp_path)
    assert [80.0, 50.0] == [one.final_returns[0] for one in imported.records]
    assert re.search(r"1 of 2 runs end before .*CartPole-v1_2 \(at 50 of 200\)", notes(imported, "warning"))


def test_a_run_that_crashed_before_its_first_evaluation_has_failed(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1)
    write_monitor(write_run(tmp_path / "ppo" / "CartPole-v1_2", 2, evaluations=None) / "0.monitor.csv", [10])
    assert ["done", "failed"] == [one.status for one in read(tmp_path).records]


def test_a_folder_without_settings_is_left_out_and_said(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1)
    write_monitor(tmp_path / "ppo" / "CartPole-v1_2" / "0.monitor.csv", [])
    imported = read(tmp_path)
    assert 1 == len(imported.records)
    assert "folders without args.yml, so that nothing says their seed (1)" in notes(imported, "left_out")


# ---------------------------------------------------------------- args.yml


def test_settings_are_read_as_they_were_dumped() -> None:
    args = zoo_settings.read(SAMPLE / "ppo" / "CartPole-v1_2" / "CartPole-v1" / "args.yml")
    assert 43 == len(args)
    assert ("ppo", 12, None, False, ()) == tuple(
        args[key] for key in ("algo", "seed", "env_kwargs", "uuid", "wandb_tags")
    )
    config = zoo_settings.read(SAMPLE / "ppo" / "CartPole-v1_2" / "CartPole-v1" / "config.yml")
    assert (0.98, "lin_0.2", 100000.0) == tuple(config[key] for key in ("gamma", "clip_range", "n_timesteps"))


def _settings(folder: Path, text: str) -> dict[str, zoo_settings.Setting]:
    path = folder / "args.yml"
    path.write_text(text)
    return zoo_settings.read(path)


@pytest.mark.parametrize(
    "text",
    [
        "algo: ppo\nseed: 3\n",
        "!!python/object/apply:collections.OrderedDict\n- - [algo, ppo]\n  - [seed, 3]\n",  # of an older PyYAML
        "!!python/object/apply:collections.OrderedDict\n- - - algo\n    - ppo\n  - - seed\n    - 3\n",
        "!!python/object/apply:collections.OrderedDict\r\n- - - seed\r\n    - 3\r\n  - - algo\r\n    - ppo\r\n",
    ],
)
def test_every_way_of_dumping_says_the_same(tmp_path: Path, text: str) -> None:
    assert {"algo": "ppo", "seed": 3} == _settings(tmp_path, text)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    text = f"algo: !!python/object/apply:os.system ['touch {mark}']\nseed: !!python/name:os.system ''\n"
    assert {"algo": (f"touch {mark}",), "seed": ""} == _settings(tmp_path, text)
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1\n",
        "just text",
        "a: [1\n",
        "[" * 20_000,
        "- " * 20_000,
        "? " * 20_000,
        "a: &a [x, x]\n"
        + "".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 9)}]\n" for b, c in zip("abcdef", "bcdefg", strict=True)),
        "a: &a [*a]\n",
        "\0\0",
        "a: 1\n" * 20_000,
        "!!python/object/apply:collections.OrderedDict\n- - - 1\n  - - 2\n- 3\n",
    ],
    ids=range(12),
)
def test_a_file_that_holds_no_settings_is_refused_in_time(tmp_path: Path, text: str) -> None:
    started = time.process_time()
    with pytest.raises(ImportFormatError, match=r"args\.yml"):
        _settings(tmp_path, text)
    assert 2 > time.process_time() - started


def test_a_damaged_args_yml_is_refused_with_its_path(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE / "ppo", tmp_path / "ppo")
    (tmp_path / "ppo" / "CartPole-v1_2" / "CartPole-v1" / "args.yml").write_text("a: [1\n")
    assert "ppo/CartPole-v1_2/CartPole-v1/args.yml: not the settings of an rl_zoo3 run" in error(tmp_path)


def test_settings_without_results_say_so_and_among_others_are_a_failed_run(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", 1, evaluations=None)
    assert "no evaluations.npz and no Monitor files of its runs" in error(tmp_path, "zoo")
    write_monitor(write_run(tmp_path / "ppo" / "CartPole-v1_2", 2, evaluations=None) / "0.monitor.csv", [10])
    assert ["failed", "done"] == [one.status for one in read(tmp_path).records]


def test_numbers_of_any_size_are_no_trouble(tmp_path: Path) -> None:
    write_run(tmp_path / "ppo" / "CartPole-v1_1", "9" * 400, n_timesteps="1" + "0" * 400, eval_freq=-1)
    assert int("9" * 400) == read(tmp_path).records[0].spec.seed


def test_a_folder_without_settings_at_all_says_so(tmp_path: Path) -> None:
    assert "FOLDER: no args.yml of rl_zoo3 below it." == error(tmp_path, "zoo")
