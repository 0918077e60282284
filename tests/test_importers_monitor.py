"""stable-baselines3's monitor.csv: how the files of a run become one, and what each bad file is told."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sb3_logs import DATA, error, notes, read, write_monitor

from rlaudit.importers import fitting, monitor

SAMPLE = DATA / "monitor"


# ---------------------------------------------------------------- real files


def test_a_folder_of_monitor_files_is_known_by_its_content() -> None:
    assert "monitor" == fitting(SAMPLE / "logs")[0]
    assert ["monitor"] == fitting(SAMPLE / "logs" / "a2c-1")
    assert "monitor" == fitting(SAMPLE / "logs" / "a2c-1" / "seed_0" / "0.monitor.csv")[0]


def test_agents_tasks_and_seeds_come_from_folders_and_headers() -> None:
    records = read(SAMPLE / "logs").records
    expected = [(agent, "CartPole-v1", seed) for agent in ("a2c-1", "a2c-3") for seed in range(3)]
    assert expected == [(one.spec.agent, one.spec.task_label, one.spec.seed) for one in records]
    assert {"done"} == {one.status for one in records}


@pytest.mark.parametrize("seed", range(3))
def test_episodes_of_several_environments_end_at_the_steps_that_the_trainer_counted(seed: int) -> None:
    folder = SAMPLE / "logs" / "a2c-3" / f"seed_{seed}"
    with (folder / "counted.csv").open() as file:
        counted = [(int(row["step"]), float(row["return"])) for row in csv.DictReader(file)]
    training = monitor.merged(sorted(folder.glob("*.monitor.csv")))
    assert counted == list(zip(training.ends.tolist(), training.episodes.returns.tolist(), strict=True))
    assert 3 == training.n_envs


def test_seconds_count_from_the_start_of_the_run_and_ascend() -> None:
    training = monitor.merged(sorted((SAMPLE / "logs" / "a2c-3" / "seed_0").glob("*.monitor.csv")))
    assert (np.diff(training.episodes.seconds) >= 0).all()
    assert 0 < training.episodes.seconds[0] < 5


def test_the_one_file_of_vec_monitor_is_read_in_its_order() -> None:
    """It says no environment and no number of them."""
    records = read(SAMPLE / "vec_monitor").records
    assert [("a2c", "", 0), ("a2c", "", 1)] == [(one.spec.agent, one.spec.task_label, one.spec.seed) for one in records]
    assert [37, 28] == [len(one.episodes.returns) for one in records]
    assert ["Pole"] == list({one.spec.task_label for one in read(SAMPLE / "vec_monitor", task="Pole").records})


def test_it_is_said_how_episodes_became_a_score_and_files_a_run() -> None:
    rules = notes(read(SAMPLE / "logs"), "rule")
    assert "those that ended in the last 10% of a run's steps" in rules
    assert "the 3 Monitor files of a run are environments that step together" in rules


def test_rlaudits_own_runs_are_foreign_logs_too() -> None:
    """Agent and seed from the folder, the episodes as the store reads them."""
    folder = Path(__file__).parents[1] / "results" / "quickstart" / "runs"
    records = read(folder, "monitor").records
    assert {"a2c": 20, "a2c-norm": 20} == {
        agent: len({one.spec.seed for one in records if one.spec.agent == agent}) for agent in ("a2c", "a2c-norm")
    }
    one = records[3]
    meta = json.loads((Path(one.provenance["file"]) / "meta.json").read_text())
    assert (meta["spec"]["agent"], meta["spec"]["seed"]) == (one.spec.agent, one.spec.seed)


# ---------------------------------------------------------------- several files


def test_two_environments_in_step_end_their_episodes_at_twice_their_own_steps(tmp_path: Path) -> None:
    write_monitor(tmp_path / "0.monitor.csv", [10, 20])
    write_monitor(tmp_path / "1.monitor.csv", [15, 15], started=1000.001)
    training = monitor.merged(sorted(tmp_path.glob("*.csv")))
    assert [20, 30, 60, 60] == training.ends.tolist()
    assert [10, 15, 20, 15] == training.episodes.lengths.tolist()


def test_of_two_that_end_at_once_the_lower_environment_comes_first(tmp_path: Path) -> None:
    files = [
        write_monitor(tmp_path / f"{i}.monitor.csv", [10], [float(i)], started=1000.0 - i / 1e4) for i in range(12)
    ]
    assert list(range(12)) == monitor.merged(files).episodes.returns.tolist()


def test_an_environment_without_an_episode_has_taken_its_steps(tmp_path: Path) -> None:
    files = [
        write_monitor(tmp_path / "0.monitor.csv", [], started=999.9),
        write_monitor(tmp_path / "1.monitor.csv", [10]),
    ]
    assert [20] == monitor.merged(files).ends.tolist()


def test_a_file_that_starts_after_another_has_ended_follows_it(tmp_path: Path) -> None:
    write_monitor(tmp_path / "a_s1" / "monitor.csv", [10, 20])
    write_monitor(tmp_path / "a_s1" / "2.monitor.csv", [5], started=2000.0)
    found = read(tmp_path)
    assert [10, 20, 5] == found.records[0].episodes.lengths.tolist()
    assert 35 == found.records[0].spec.timesteps
    assert "1 of 1 runs were logged in more than one go" in notes(found, "warning")


def test_a_clock_that_starts_anew_within_a_file_is_a_resumed_run(tmp_path: Path) -> None:
    file = write_monitor(tmp_path / "a_s1.monitor.csv", [10, 20], end="7,7,0.005\n8,8,0.010\n")
    log = monitor.load(file)
    assert log.resumed
    assert [0.01, 0.03, 0.035, 0.04] == pytest.approx(log.seconds.tolist())
    assert "logged in more than one go" in notes(read(tmp_path), "warning")


def test_a_clock_that_is_put_right_is_no_resumed_run(tmp_path: Path) -> None:
    assert not monitor.load(write_monitor(tmp_path / "monitor.csv", [3000, 100], end="7,7,3.05\n")).resumed


def test_files_with_names_of_their_own_are_runs_of_their_own(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_monitor(tmp_path / f"ppo_seed{seed}.monitor.csv", [10])
    assert [("ppo", 1), ("ppo", 2)] == [(one.spec.agent, one.spec.seed) for one in read(tmp_path).records]


def test_numbered_files_are_environments_unless_a_pattern_says_that_they_are_seeds(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_monitor(tmp_path / "ppo" / f"{seed}.monitor.csv", [10])
    assert "nothing says the seed of 1 of 1 runs: 'ppo'" in error(tmp_path)
    records = read(tmp_path, names="{agent}/{seed}.monitor.csv").records
    assert [("ppo", 1), ("ppo", 2)] == [(one.spec.agent, one.spec.seed) for one in records]


def test_a_pattern_may_name_the_folder_with_the_file(tmp_path: Path) -> None:
    write_monitor(tmp_path / "ppo-x-7" / "monitor.csv")
    for pattern in ("{agent}-x-{seed}", "{agent}-x-{seed}/monitor.csv"):
        record = read(tmp_path, names=pattern).records[0]
        assert ("ppo", 7) == (record.spec.agent, record.spec.seed)


def test_episodes_of_evaluation_environments_are_left_out(tmp_path: Path) -> None:
    write_monitor(tmp_path / "ppo_s1" / "train" / "monitor.csv", [10])
    write_monitor(tmp_path / "ppo_s1" / "eval" / "monitor.csv", [500])
    found = read(tmp_path)
    assert [[10]] == [one.episodes.lengths.tolist() for one in found.records]
    assert "Monitor files of evaluation environments (1)" in notes(found, "left_out")


def test_what_the_header_says_stands_over_the_folder_and_what_the_user_says_over_both(tmp_path: Path) -> None:
    write_monitor(tmp_path / "Hopper-v4" / "ppo_s1" / "monitor.csv")
    assert "CartPole-v1" == read(tmp_path).records[0].spec.task_label
    assert "Pole" == read(tmp_path, task="Pole").records[0].spec.task_label
    assert "Hopper-v4" == read(tmp_path, names="{task}/{agent}_s{seed}").records[0].spec.task_label


@given(lengths=st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=6), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_merging_is_what_stepping_the_environments_together_gives(tmp_path: Path, lengths: list[list[int]]) -> None:
    files = [write_monitor(tmp_path / f"{i}.monitor.csv", one) for i, one in enumerate(lengths)]
    expected = []
    for step in range(1, max(map(sum, lengths)) + 1):
        for one in lengths:
            expected += [(step * len(lengths), one[i]) for i in range(len(one)) if sum(one[: i + 1]) == step]
    training = monitor.merged(files)
    assert expected == list(zip(training.ends.tolist(), training.episodes.lengths.tolist(), strict=True))


# ---------------------------------------------------------------- runs that went wrong


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    write_monitor(tmp_path / "a_s1.monitor.csv", [10, 20], end="30.0,3")
    found = read(tmp_path)
    assert [10, 20] == found.records[0].episodes.lengths.tolist()
    assert "the last line of a Monitor file of 1 of 1 runs, which is not complete" in notes(found, "left_out")


@pytest.mark.parametrize("end", ["30.0,3", "30.0,", "30.0,x,1", '30.0,30,0.1,"open', "\0\0\0\0", "-"])
def test_every_sort_of_torn_line_is_only_that_line(tmp_path: Path, end: str) -> None:
    log = monitor.load(write_monitor(tmp_path / "monitor.csv", [10], end=end))
    assert ([10], True) == (log.lengths.tolist(), log.torn)


def test_a_last_line_that_lacks_its_end_alone_is_an_episode(tmp_path: Path) -> None:
    log = monitor.load(write_monitor(tmp_path / "monitor.csv", [10], end="30.0,30,0.1"))
    assert ([10, 30], False) == (log.lengths.tolist(), log.torn)


@pytest.mark.parametrize("content", ["", "#", '#{"t_st', '#{"t_start": 1.0, "env_id": "X-v1"}\n', "r,l,t\n", "r,l"])
def test_a_run_in_which_no_episode_ended_has_failed(tmp_path: Path, content: str) -> None:
    write_monitor(tmp_path / "a_s1" / "monitor.csv")
    (tmp_path / "a_s2.monitor.csv").write_text(content)
    assert [("done", None), ("failed", "no episode ended")] == [
        (one.status, one.error) for one in read(tmp_path, "monitor").records
    ]


def test_a_run_that_was_torn_before_it_named_its_task_was_on_the_others_task(tmp_path: Path) -> None:
    write_monitor(tmp_path / "a_s1.monitor.csv")
    (tmp_path / "a_s2.monitor.csv").write_text("")
    assert ["CartPole-v1"] == [arm.task for arm in read(tmp_path).reading.arms]
    write_monitor(tmp_path / "a_s3.monitor.csv", env_id="Pendulum-v1")
    assert "nothing says the task of 1 of 3 runs" in error(tmp_path)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e200"])
def test_a_return_that_is_not_finite_fails_the_run_and_ends_its_curve(tmp_path: Path, bad: str) -> None:
    write_monitor(tmp_path / "a_s1.monitor.csv", [10, 20], end=f"{bad},5,1.0\n7,7,1.1\n")
    record = read(tmp_path).records[0]
    assert "failed" == record.status
    assert f"the return of training episode 3 of 4 is {float(bad):g}" == record.error
    assert [10, 20] == record.episodes.returns.tolist()


def test_until_leaves_a_run_without_an_episode_failed(tmp_path: Path) -> None:
    write_monitor(tmp_path / "a_s1.monitor.csv", [10, 20])
    write_monitor(tmp_path / "a_s2.monitor.csv", [])
    assert ["done", "failed"] == [one.status for one in read(tmp_path, until=30).records]


# ---------------------------------------------------------------- other columns and headers


def test_columns_beside_the_three_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "monitor.csv"
    path.write_text('#{"t_start": 1, "env_id": "X-v1"}\nr,l,t,is_success,note\n1.0,5,0.1,True,"a, b"\n')
    assert ([1.0], [5]) == (monitor.load(path).returns.tolist(), monitor.load(path).lengths.tolist())


@pytest.mark.parametrize("text", ["r,l,t\n1,5,0.1\n", "l,r\n5,1\n", "# {} \nr,l,t\n1,5,0.1\n", "r,l,t\r\n1,5,0.1\r\n"])
def test_a_header_may_be_missing_and_so_may_the_time(tmp_path: Path, text: str) -> None:
    path = tmp_path / "monitor.csv"
    path.write_bytes(text.encode() if not text.startswith("l") else b"#{}\n" + text.encode())
    log = monitor.load(path)
    assert ([1.0], [5], "") == (log.returns.tolist(), log.lengths.tolist(), log.env_id)


def test_openai_baselines_name_their_files_by_rank(tmp_path: Path) -> None:
    for name in ("0.0.monitor.csv", "0.1.monitor.csv"):
        write_monitor(tmp_path / "ppo2_s1" / name, [10])
    assert [20, 20] == monitor.merged(sorted((tmp_path / "ppo2_s1").iterdir())).ends.tolist()
    assert 1 == len(read(tmp_path).records)


# ---------------------------------------------------------------- bad files


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("agent,seed\n", ":1: found 'agent,seed', expected #{\"t_start\""),
        ("\x89PNG\n\0\0\n", ":1: found"),
        ("#{]\nr,l,t\n1,1,1\n", ":1: the header behind # is no JSON"),
        ("#[1]\nr,l,t\n1,1,1\n", ":1: the header behind # is no JSON"),
        ('#{"t_start": NaN}\nr,l,t\n', "t_start is not finite"),
        ("#" + "[" * 100_000 + "\nr,l,t\n", ":1: the header behind # is no JSON"),
        ("#{}\nr,t\n1,1\n", ":2: expected the columns r, l and t, each once; found 'r', 't'"),
        ("#{}\nr,l,t,r\n1,1,1,1\n", ":2: expected the columns r, l and t, each once"),
        ("#{}\nr,l,t\n1,1,1\n1,1\n1,1,1\n", ":4: found 2 cells, expected 3"),
        ("#{}\nr,l,t\n1,1,1\n12.0,31,0,5,1\n", ":4: found 5 cells, expected 3"),
        ("#{}\nr,l,t\n1,x,1\n", ":3: found '1', 'x', '1', expected a return, a whole number of steps, and seconds"),
        ("#{}\nr,l,t\n1,0,1\n", ":3: found '1', '0', '1'"),
        ("#{}\nr,l,t\n1,-5,1\n", ":3: found"),
        ("#{}\nr,l,t\n1,1.5,1\n", ":3: found"),
        ("#{}\nr,l,t\n1,1e300,1\n", ":3: found"),
        ("#{}\nr,l,t\n1,5,nan\n", ":3: found"),
        ("#{}\nr,l,t\n1_0,5,1\n", ":3: found"),
        ('#{}\nr,l,t,x\n1,5,1,"open\n2,5,2,a\n', "quotation mark left open"),
        ("#{}\nr,l,t\n1,5,1\n#{}\nr,l,t\n1,5,1\n", ":4: found 1 cells, expected 3"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_line(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "a_s1.monitor.csv").write_text(content)
    message = error(tmp_path, "monitor")
    assert f"a_s1.monitor.csv{complaint}" in message or complaint in message
    assert 400 > len(message)


def test_all_wrong_lines_are_in_one_error_and_ten_are_shown(tmp_path: Path) -> None:
    write_monitor(tmp_path / "a_s1.monitor.csv", [10], end="x,1,1\n" * 15)
    lines = error(tmp_path).splitlines()
    assert 11 == len(lines)
    assert "and 5 more" == lines[-1]


def test_a_folder_without_monitor_files_says_so(tmp_path: Path) -> None:
    assert "FOLDER: no file of training episodes below it ends in monitor.csv." == error(tmp_path, "monitor")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "MAX_BYTES", 100)
    write_monitor(tmp_path / "a_s1.monitor.csv", [10] * 20)
    assert "holds more than" in error(tmp_path)


def test_utf_16_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a_s1.monitor.csv"
    path.write_bytes("r,l,t\n1,1,1\n".encode("utf-16"))
    assert "a_s1.monitor.csv:1: found" in error(tmp_path, "monitor")
    path.write_bytes(b"#{}\nr,l,t\n1,\xff,1\n")
    assert "a_s1.monitor.csv:3: found" in error(tmp_path, "monitor")
