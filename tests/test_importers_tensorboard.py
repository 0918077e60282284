"""TensorBoard logs: whose runs they are, which quantity is read, and what is said about it."""

import json
import shutil
import struct
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from event_builder import field, parameters, scalar, varint, write
from hypothesis import given
from hypothesis import strategies as st

from rlaudit import importers, load_scores
from rlaudit.cli import main
from rlaudit.errors import ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Hints, Imported, tensorboard
from rlaudit.importers.event_files import masked_crcs
from rlaudit.types import RunRecord

DATA = Path(__file__).parent / "data" / "tensorboard"
ORACLE = json.loads((DATA / "oracle.json").read_text())
RETURNS, EVAL, ROLLOUT = "charts/episodic_return", "eval/mean_reward", "rollout/ep_rew_mean"


def _read(path: Path, **hints: object) -> Imported:
    return importers.read(path, Hints(**hints), single_seeds=True)  # type: ignore[arg-type]


def _runs(path: Path, **hints: object) -> list[tuple[object, ...]]:
    return [(one.spec.agent, one.spec.task_label, one.spec.seed, one.status) for one in _read(path, **hints).records]


def _notes(path: Path, kind: str, **hints: object) -> str:
    text = "\n".join(note.text for note in _read(path, **hints).reading.notes if note.kind == kind)
    return text.replace(f"{path}/", "").replace(str(path), ".")


def _one(path: Path, **hints: object) -> RunRecord:
    (record,) = _read(path, **hints).records
    return record


def _log(folder: Path, *points: tuple[int, float], tag: str = RETURNS, number: int = 0, start: float = 0) -> Path:
    write(folder, [scalar(tag, step, value, start + i) for i, (step, value) in enumerate(points)], number)
    return folder


# ---------------------------------------------------------------- the samples


def test_a_folder_of_cleanrl_goes_to_a_report_in_one_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["audit", str(DATA / "cleanrl"), "--out", str(tmp_path)])
    assert 0 == done.exit_code, done.output
    assert (tmp_path / "report.html").exists()
    audit = json.loads((tmp_path / "audit.json").read_text())
    assert ["ppo", "dqn"] == sorted((arm["agent"] for arm in audit["arms"]), reverse=True)


def test_cleanrl_says_agent_task_and_seed_and_every_episode_counts() -> None:
    records = {(one.spec.agent, one.spec.seed): one for one in _read(DATA / "cleanrl").records}
    assert {(agent, seed) for agent in ("ppo", "dqn") for seed in (1, 2, 3)} == records.keys()
    assert {"CartPole-v1"} == {one.spec.task_label for one in records.values()}
    of_first = np.array(ORACLE["cleanrl/CartPole-v1__ppo__1__1700000001"][RETURNS])
    first = records["ppo", 1]
    np.testing.assert_array_equal(of_first[:, 1], first.episodes.returns)
    late = of_first[:, 0] > 0.9 * of_first[-1, 0]
    assert of_first[late, 1].mean() == pytest.approx(first.final_returns[0])


def test_imported_runs_have_the_scores_of_their_logs(tmp_path: Path) -> None:
    assert 0 == CliRunner().invoke(main, ["import", str(DATA / "cleanrl"), "--out", str(tmp_path)]).exit_code
    found, stored = (load_scores(path) for path in (DATA / "cleanrl", tmp_path))
    expected = {(arm.agent, arm.task, arm.seeds): arm.scores.tolist() for arm in found.arms}
    assert expected == {(arm.agent, arm.task, arm.seeds): arm.scores.tolist() for arm in stored.arms}


def test_several_episodes_that_end_at_one_step_are_all_kept() -> None:
    of_first = np.array(ORACLE["cleanrl/CartPole-v1__ppo__1__1700000001"][RETURNS])
    assert len(np.unique(of_first[:, 0])) < len(of_first) == len(_read(DATA / "cleanrl").records[3].episodes.returns)


def test_the_samples_of_stable_baselines3_are_told_apart_by_numbers_and_that_is_said() -> None:
    assert [("PPO", "", 1, "done"), ("PPO", "", 2, "done")] == _runs(DATA / "sb3")
    assert "whose names mark no seed" in _notes(DATA / "sb3", "rule")


def test_evaluations_are_read_before_smoothed_training_returns() -> None:
    points = ORACLE["sb3/PPO_1"][EVAL]
    record = _read(DATA / "sb3").records[0]
    assert [step for step, _, _ in points] == record.eval_steps.tolist()
    assert [points[-1][1]] == record.final_returns.tolist()
    note = _notes(DATA / "sb3", "rule")
    assert f"'{EVAL}' was read, as evaluations during training" in note
    assert f"Also there: '{ROLLOUT}' (in 2 of 2 runs) (--metric)" in note


def test_another_quantity_is_read_when_it_is_asked_for() -> None:
    record = _read(DATA / "sb3", metric=ROLLOUT).records[0]
    assert [point[1] for point in ORACLE["sb3/PPO_1"][ROLLOUT]] == record.eval_returns[:, 0].tolist()
    assert "means of the last 100 training episodes, smoothed by the trainer" in _notes(
        DATA / "sb3", "rule", metric=ROLLOUT
    )


def test_one_event_file_is_a_source_too() -> None:
    (file,) = (DATA / "cleanrl" / "CartPole-v1__ppo__1__1700000001").glob("events.*")
    assert [("ppo", "CartPole-v1", 1, "done")] == _runs(file)


def test_150_000_scalars_of_ten_runs_are_read_in_a_few_seconds(tmp_path: Path) -> None:
    """1.6 s of CPU measured; 5 s are allowed."""
    summary = field(1, field(1, RETURNS.encode()) + struct.pack("<Bf", 21, 1.0))
    data = [struct.pack("<Bd", 9, i) + b"\x10" + varint(20 * i) + field(5, summary) for i in range(1, 15_001)]
    lengths = [struct.pack("<Q", len(one)) for one in data]
    sums = [crcs.astype("<u4").tobytes() for crcs in (masked_crcs(lengths), masked_crcs(data))]
    records = [
        length + sums[0][4 * i : 4 * i + 4] + one + sums[1][4 * i : 4 * i + 4]
        for i, (length, one) in enumerate(zip(lengths, data, strict=True))
    ]
    for seed in range(10):
        write(tmp_path / f"CartPole-v1__ppo__{seed}__1700000000", records)
    start = time.process_time()
    assert 150_000 == sum(len(one.episodes.returns) for one in _read(tmp_path).records)
    assert time.process_time() - start < 5


# ---------------------------------------------------------------- recognised


def test_event_files_are_recognised_by_their_names(tmp_path: Path) -> None:
    assert all(map(tensorboard.fits, (DATA, DATA / "sb3" / "PPO_1", next((DATA / "styles").glob("events.*")))))
    write(tmp_path, [])
    (tmp_path / "other").mkdir()
    assert tensorboard.fits(tmp_path)
    assert not any(map(tensorboard.fits, (tmp_path / "other", tmp_path / "missing", DATA / "make.py")))


def test_a_folder_without_event_files_is_told_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"no event file in it \(events.out.tfevents"):
        _read(tmp_path, format="tensorboard")


# ---------------------------------------------------------------- agents, tasks and seeds


def test_hyper_parameters_stand_over_the_name_of_the_folder_and_a_contradiction_is_told(tmp_path: Path) -> None:
    run = tmp_path / "CartPole-v1__ppo__1__1700000001"
    write(run, [parameters(seed=7, env_id="Acrobot-v1", exp_name="ppo"), scalar(RETURNS, 5, 1.0)])
    assert [("ppo", "Acrobot-v1", 7, "done")] == _runs(tmp_path)
    warning = "logged parameters of 1 of 1 runs differ in task or seed; what the parameters say counts: 'CartPole"
    assert warning in _notes(tmp_path, "warning")


def test_a_pattern_of_the_user_stands_over_the_hyper_parameters(tmp_path: Path) -> None:
    write(tmp_path / "b-3", [parameters(seed=7, env_id="A-v1", exp_name="ppo"), scalar(RETURNS, 5, 1.0)])
    assert [("b", "A-v1", 3, "done")] == _runs(tmp_path, names="{agent}-{seed}")
    assert "what --names finds counts" in _notes(tmp_path, "warning", names="{agent}-{seed}")
    assert [("c", "A-v1", 7, "done")] == _runs(tmp_path, agent="c")


def test_parameters_without_a_seed_leave_it_to_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "x_seed3", [parameters(seed="none", exp_name="ppo"), scalar(RETURNS, 5, 1.0)])
    assert [("ppo", "", 3, "done")] == _runs(tmp_path)


def test_old_names_of_parameters_are_known(tmp_path: Path) -> None:
    write(tmp_path / "x", [parameters(seed=3, gym_id="A-v1", exp_name="ppo"), scalar(RETURNS, 5, 1.0)])
    assert [("ppo", "A-v1", 3, "done")] == _runs(tmp_path)


def test_runs_without_a_seed_are_refused(tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        _log(tmp_path / name, (5, 1.0))
    with pytest.raises(ImportFormatError, match=r"nothing says the seed of 2 of 2 runs.*--names '{agent}/{seed}'"):
        _read(tmp_path)


def test_runs_of_one_name_that_differ_in_a_parameter_are_called_in_question(tmp_path: Path) -> None:
    for seed, rate in enumerate((0.1, 0.1, 0.2)):
        given = {"seed": seed, "exp_name": "ppo", "lr": rate, "run_name": seed, "wandb_entity": seed}
        write(tmp_path / f"{seed}", [parameters(**given), scalar(RETURNS, 5, 1.0)])
    assert "the runs of 'ppo' differ in lr (0.1 and 0.2): are they one agent?" == _notes(tmp_path, "warning")


# ---------------------------------------------------------------- which quantity


def test_the_quantity_is_one_that_every_agent_has(tmp_path: Path) -> None:
    for agent in ("ppo", "sac"):
        for seed in (0, 1):
            tags = [EVAL, ROLLOUT] if agent == "ppo" else [ROLLOUT]
            write(tmp_path / f"{agent}_seed{seed}", [scalar(tag, 5, 1.0) for tag in tags])
    assert f"'{ROLLOUT}' was read" in _notes(tmp_path, "rule")


def test_a_run_that_ends_before_its_first_point_has_failed(tmp_path: Path) -> None:
    _log(tmp_path / "ppo_seed0", (5, 1.0), tag=EVAL)
    _log(tmp_path / "ppo_seed1", (5, 1.0), tag=ROLLOUT)
    write(tmp_path / "ppo_seed2", [])
    assert ["done", "failed", "failed"] == [run[-1] for run in _runs(tmp_path)]
    assert f"no point of '{EVAL}'" == _read(tmp_path).records[1].error


def test_quantities_of_other_trainers_have_to_be_named(tmp_path: Path) -> None:
    write(tmp_path / "ppo_seed0", [scalar(tag, 5, 1.0) for tag in ("loss", "ray/episode_reward_mean")])
    with pytest.raises(ImportFormatError) as caught:
        _read(tmp_path)
    assert "Found 'ray/episode_reward_mean' (in 1 of 1 runs) and 'loss' (in 1 of 1 runs). Name one: --metric" in str(
        caught.value
    )
    assert [1.0] == _one(tmp_path, metric="ray/episode_reward_mean").final_returns.tolist()


def test_a_quantity_that_is_not_there_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"no 'rollout/ep_rew_men' in it. Did you mean 'rollout/ep_rew_mean'"):
        _read(DATA / "sb3", metric="rollout/ep_rew_men")


def test_logs_without_a_number_are_told_so(tmp_path: Path) -> None:
    write(tmp_path / "ppo_seed0", [parameters(seed=1)])
    with pytest.raises(ImportFormatError, match="no number in it"):
        _read(tmp_path)


def test_unknown_quantities_with_several_numbers_at_a_step_are_training_episodes(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (10, 3.0), (20, 5.0), tag="mine")
    assert [1.0, 3.0, 5.0] == _one(run, metric="mine").episodes.returns.tolist()
    assert "since several of them stand at one step" in _notes(run, "rule", metric="mine")


def test_episodes_after_training_are_one_score(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (0, 1.0), (1, 3.0), tag="eval/episodic_return")
    record = _one(run)
    assert ([1.0, 3.0], []) == (record.final_returns.tolist(), record.eval_steps.tolist())


def test_folders_beside_and_above_a_run_are_no_runs(tmp_path: Path) -> None:
    """As add_hparams makes them."""
    write(tmp_path, [parameters(note="all of them")])
    run = _log(tmp_path / "ppo_seed1", (10, 1.0))
    shutil.copytree(DATA / "styles" / "hparams", run / "hparams")
    assert [("ppo", "", 1, "done")] == _runs(tmp_path)
    left_out = "2 folders of event files that are no runs"
    assert left_out in _notes(tmp_path, "left_out")


# ---------------------------------------------------------------- several files, damage


def test_after_a_restart_the_later_file_stands_from_its_first_step_on(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (20, 2.0), (30, 3.0))
    _log(run, (20, 9.0), (20, 8.0), (40, 7.0), number=1, start=100)
    assert [1.0, 9.0, 8.0, 7.0] == _one(run).episodes.returns.tolist()
    assert [0.0, 100.0, 101.0, 102.0] == _one(run).episodes.seconds.tolist()
    assert "2 points whose steps come again later in the same run" in _notes(run, "left_out")
    assert "the event files of 1 runs that began again are joined" in _notes(run, "rule")


def test_steps_that_go_back_within_a_file_are_a_restart(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (20, 2.0), (20, 3.0), (15, 4.0), (25, 5.0))
    assert [1.0, 4.0, 5.0] == _one(run).episodes.returns.tolist()


def test_two_programs_that_wrote_at_once_cannot_be_told_apart(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (20, 2.0), (30, 3.0))
    _log(run, (10, 9.0), (20, 8.0), number=1, start=0.5)
    with pytest.raises(ImportFormatError, match="two programs wrote to this folder at the same time"):
        _read(run)


def test_of_two_evaluations_at_one_step_the_last_is_kept(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (10, float("nan")), (10, 2.0), (20, 3.0), tag=EVAL)
    assert [[2.0], [3.0]] == _one(run).eval_returns.tolist()


def test_a_run_that_ends_in_nan_has_failed(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (20, float("nan")), tag=EVAL)
    record = _one(run)
    assert ("failed", f"{EVAL} is nan at step 20, its last") == (record.status, record.error)
    assert [[1.0]] == record.eval_returns.tolist()


def test_points_that_are_no_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (-5, 3.0), (10, float("inf")), (10, 2.0), (20, 4.0), tag=EVAL)
    assert [[2.0], [4.0]] == _one(run).eval_returns.tolist()
    assert "2 points that are no numbers (NaN or infinite), or below step 0" in _notes(run, "left_out")


def test_numbers_without_steps_are_refused(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (0, 1.0), (0, 2.0))
    with pytest.raises(ImportFormatError, match=f"every point of '{RETURNS}' stands at step 0"):
        _read(run)


def test_clocks_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    run = _log(tmp_path / "a_seed1", (10, 1.0), (20, 2.0), start=float("inf"))
    assert ([1.0, 2.0], [0.0, 0.0]) == ((episodes := _one(run).episodes).returns.tolist(), episodes.seconds.tolist())


def test_a_torn_record_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    shutil.copytree(DATA / "cleanrl", tmp_path, dirs_exist_ok=True)
    torn = next((tmp_path / "CartPole-v1__ppo__2__1700000002").glob("events.*"))
    torn.write_bytes(torn.read_bytes()[:-70])
    assert "the last record of 1 event files, which is torn: those runs were killed, or still run" in _notes(
        tmp_path, "left_out"
    )
    assert ["done"] * 6 == [run[-1] for run in _runs(tmp_path)]


def test_damaged_records_are_told(tmp_path: Path) -> None:
    broken, lost = bytearray(scalar(RETURNS, 20, 2.0)), bytearray(scalar(RETURNS, 30, 2.0))
    broken[-6] ^= 1
    lost[0] ^= 1
    write(tmp_path / "a_seed1", [scalar(RETURNS, 10, 1.0), bytes(broken), bytes(lost)])
    text = _notes(tmp_path, "warning")
    assert "1 records with a wrong checksum were left out, in 'a_seed1/events" in text
    assert f"{len(lost)} bytes cannot be read, behind a damaged record of 'a_seed1/events" in text


@given(start=st.integers(0, 5000), width=st.integers(0, 50), fill=st.binary(max_size=50))
def test_a_mutated_log_gives_runs_or_one_error(
    start: int, width: int, fill: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    source = next((DATA / "cleanrl" / "CartPole-v1__ppo__1__1700000001").glob("events.*")).read_bytes()
    write(folder / "CartPole-v1__ppo__1__1700000001", [source[:start] + fill + source[start + width :]])
    true = {(step, value) for step, value, _ in ORACLE["cleanrl/CartPole-v1__ppo__1__1700000001"][RETURNS]}
    with suppress(ImportFormatError, NotEnoughSeeds):
        assert set(_one(folder).episodes.returns.tolist()) <= {value for _, value in true}
