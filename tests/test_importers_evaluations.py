"""EvalCallback's evaluations.npz, with Monitor files beside it or not."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sb3_logs import DATA, error, notes, read, write_evaluations, write_monitor

from rlaudit.cli import main
from rlaudit.importers import fitting
from rlaudit.store import Store

SAMPLE = DATA / "evaluations" / "logs"
QUICKSTART = Path(__file__).parents[1] / "results" / "quickstart"


# ---------------------------------------------------------------- real files


def test_a_folder_with_evaluations_is_known_by_its_content() -> None:
    assert ["evaluations", "monitor"] == fitting(SAMPLE)
    assert "evaluations" == fitting(SAMPLE / "CartPole-v1" / "a2c_s0" / "evaluations.npz")[0]
    assert "evaluations" not in fitting(DATA / "monitor" / "logs")


def test_evaluations_are_the_curve_and_the_last_one_is_the_score() -> None:
    record = read(SAMPLE).records[0]
    assert ("a2c", "CartPole-v1", 0) == (record.spec.agent, record.spec.task_label, record.spec.seed)
    with np.load(SAMPLE / "CartPole-v1" / "a2c_s0" / "evaluations.npz") as stored:
        assert stored["timesteps"].tolist() == record.eval_steps.tolist()
        assert stored["results"].tolist() == record.eval_returns.tolist()
        assert stored["results"][-1].tolist() == record.final_returns.tolist()


def test_monitor_files_beside_evaluations_are_the_training_episodes_of_the_same_run() -> None:
    imported = read(SAMPLE)
    assert [("a2c", 3), ("ppo", 3)] == [(arm.agent, arm.n_seeds) for arm in imported.reading.arms]
    n_episodes = [len(one.episodes.returns) for one in imported.records]
    assert [0, 0, 0] == n_episodes[:3]
    assert min(n_episodes[3:]) > 20


def test_the_episodes_of_an_evaluation_are_said_to_be_averaged() -> None:
    assert "an evaluation is the mean of 4 episodes" in notes(read(SAMPLE), "rule")


def test_rlaudits_own_runs_are_foreign_logs_with_the_numbers_of_the_store() -> None:
    ours = {(one.spec.agent, one.spec.seed): one for one in Store(QUICKSTART).records()}
    theirs = read(QUICKSTART / "runs", "evaluations").records
    assert ours.keys() == {(one.spec.agent, one.spec.seed) for one in theirs}
    for one in theirs:
        same = ours[one.spec.agent, one.spec.seed]
        np.testing.assert_array_equal(same.eval_returns, one.eval_returns)
        np.testing.assert_array_equal(same.final_returns, one.final_returns)
        np.testing.assert_array_equal(same.episodes.returns, one.episodes.returns)


@pytest.mark.parametrize("source", [SAMPLE, DATA / "monitor" / "logs", DATA / "zoo" / "logs"])
def test_a_folder_of_logs_goes_to_a_report_in_one_command(tmp_path: Path, source: Path) -> None:
    few = ["-s", "audit.splits=100", "-s", "audit.tests=[welch]", "-s", "audit.procedures=[]"]
    result = CliRunner().invoke(main, ["audit", str(source), "--out", str(tmp_path / "out"), *few])
    assert (0, True) == (result.exit_code, (tmp_path / "out" / "report.html").exists()), result.output


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize(
    ("evaluated", "monitored"),
    [("ppo_s1", "ppo_s1"), ("ppo_s1/eval", "ppo_s1"), ("ppo_s1/eval", "ppo_s1/train"), ("ppo_s1", "ppo_s1/monitor")],
)
def test_evaluations_and_episodes_of_one_run_may_lie_in_folders_of_their_own(
    tmp_path: Path, evaluated: str, monitored: str
) -> None:
    write_evaluations(tmp_path / evaluated / "evaluations.npz")
    write_monitor(tmp_path / monitored / "0.monitor.csv")
    (record,) = read(tmp_path).records
    assert ([100, 200], [10, 20, 30]) == (record.eval_steps.tolist(), record.episodes.lengths.tolist())


def test_a_file_with_a_name_of_its_own_is_a_run(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_evaluations(tmp_path / f"ppo_seed{seed}.npz")
    assert [("ppo", 1), ("ppo", 2)] == [(one.spec.agent, one.spec.seed) for one in read(tmp_path).records]


def test_another_npz_is_no_evaluation(tmp_path: Path) -> None:
    np.savez(tmp_path / "other_s1.npz", weights=np.zeros(3))
    assert [] == fitting(tmp_path)
    assert "no evaluations.npz below it" in error(tmp_path, "evaluations")


def test_two_files_of_evaluations_in_one_run_are_refused(tmp_path: Path) -> None:
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz")
    write_evaluations(tmp_path / "ppo_s1" / "eval" / "evaluations.npz")
    assert "has evaluations in ppo_s1/evaluations.npz already" in error(tmp_path)


def test_a_run_without_evaluations_beside_others_has_failed(tmp_path: Path) -> None:
    """It crashed before the first one; its training episodes are no score that compares."""
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz")
    write_monitor(tmp_path / "ppo_s2" / "monitor.csv", [10])
    imported = read(tmp_path)
    assert ["done", "failed"] == [one.status for one in imported.records]
    assert "1 of 2 runs count as failed" in notes(imported, "warning")
    assert "--format monitor takes training episodes as the score of all" in notes(imported, "warning")
    assert [10] == imported.records[1].episodes.lengths.tolist()


def test_a_training_return_that_is_not_finite_fails_a_run_whatever_its_evaluations_say(tmp_path: Path) -> None:
    """DQN and TD3 go on with weights that are not numbers."""
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz")
    write_monitor(tmp_path / "ppo_s1" / "monitor.csv", [10, 20], [1.0, float("nan")])
    assert "the return of training episode 2 of 2 is nan" == read(tmp_path).records[0].error


def test_monitor_files_without_an_episode_fail_no_run_that_was_evaluated(tmp_path: Path) -> None:
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz")
    write_monitor(tmp_path / "ppo_s1" / "monitor.csv", [])
    assert read(tmp_path).records[0].error is None


def test_two_runs_of_one_seed_are_refused_with_both_folders(tmp_path: Path) -> None:
    for folder in ("ppo_s1", "again/ppo_s1"):
        write_evaluations(tmp_path / folder / "evaluations.npz")
    message = error(tmp_path)
    assert "seed 1 of agent 'ppo' is already in" in message
    assert "again/ppo_s1" in message


def test_another_array_than_the_returns_may_be_the_metric(tmp_path: Path) -> None:
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz", successes=np.array([[False, True], [True, True]]))
    assert [[0, 1], [1, 1]] == read(tmp_path, metric="successes").records[0].eval_returns.tolist()
    assert "there is no array 'sucesses'. Did you mean 'successes'?" in error(tmp_path, metric="sucesses")


# ---------------------------------------------------------------- what the arrays may be


def _one(folder: Path, *arrays: Any) -> Any:
    write_evaluations(folder / "ppo_s1" / "evaluations.npz", *arrays)
    return read(folder).records[0]


def test_a_last_axis_of_one_is_dropped_and_one_episode_needs_no_axis(tmp_path: Path) -> None:
    assert [[1, 2], [3, 4]] == _one(tmp_path, [1, 2], [[[1], [2]], [[3], [4]]]).eval_returns.tolist()
    assert [[1], [3]] == _one(tmp_path, [1, 2], [1, 3]).eval_returns.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_a_return_that_is_not_finite_fails_the_run_and_ends_its_curve(tmp_path: Path, bad: float) -> None:
    record = _one(tmp_path, [10, 20, 30], [[1, 2], [bad, 3], [4, 5]])
    assert ("failed", [10]) == (record.status, record.eval_steps.tolist())
    assert "the evaluation at step 20 is" in record.error


def test_no_evaluation_at_all_is_a_failed_run(tmp_path: Path) -> None:
    assert "no evaluation" == _one(tmp_path, np.empty(0), np.empty((0, 5))).error
    assert "no evaluation" == _one(tmp_path, [1, 2], np.empty((2, 0))).error


def test_of_two_evaluations_at_one_step_the_later_is_taken_and_said(tmp_path: Path) -> None:
    assert [[1], [9]] == _one(tmp_path, [10, 20, 20], [1, 2, 9]).eval_returns.tolist()
    assert "1 of 1 runs were evaluated twice at one step" in notes(read(tmp_path), "warning")


@pytest.mark.parametrize(
    ("steps", "results", "complaint"),
    [
        ([100, 200, 100, 200], [1, 2, 3, 4], "the steps go back from 200 to 100 at evaluation 3 of 4"),
        ([1, 2, 3], [[1, 2], [3, 4]], "have the shapes (3,) and (2, 2), expected (n,) and (n, n_eval_episodes)"),
        ([[1, 2]], [[1, 2]], "have the shapes"),
        ([1, 2], [[[1, 2]], [[3, 4]]], "have the shapes"),
        ([1.5, 2], [1, 2], "'timesteps' are not all whole numbers from 0 up"),
        ([np.nan, 2], [1, 2], "'timesteps' are not all whole numbers"),
        ([-1, 2], [1, 2], "'timesteps' are not all whole numbers"),
        ([1, 1e300], [1, 2], "'timesteps' are not all whole numbers"),
        (["a", "b"], [1, 2], "expected numbers, found <U1 and int64"),
        ([1, 2], ["a", "b"], "expected numbers, found int64 and <U1"),
    ],
)
def test_arrays_that_are_no_evaluations_are_refused(tmp_path: Path, steps: Any, results: Any, complaint: str) -> None:
    write_evaluations(tmp_path / "ppo_s1" / "evaluations.npz", steps, results)
    assert complaint in error(tmp_path)


def test_every_file_that_is_wrong_is_in_one_error(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        write_evaluations(tmp_path / f"ppo_s{seed}" / "evaluations.npz", [2, 1] if seed > 1 else [1, 2], [1, 2])
    assert ["ppo_s2/evaluations.npz", "ppo_s3/evaluations.npz"] == [
        line.partition(":")[0] for line in error(tmp_path).splitlines()
    ]


def test_no_timesteps_is_said(tmp_path: Path) -> None:
    (tmp_path / "ppo_s1").mkdir()
    np.savez(tmp_path / "ppo_s1" / "evaluations.npz", results=np.zeros((2, 2)))
    assert "ppo_s1/evaluations.npz: there is no array 'timesteps'" in error(tmp_path, "evaluations")


# ---------------------------------------------------------------- damaged files


def _damaged(kind: str) -> bytes:
    whole = io.BytesIO()
    np.savez(whole, timesteps=np.array([1, 2]), results=np.array([[1.0], [2.0]]))
    if kind == "pickled":
        whole = io.BytesIO()
        np.savez(whole, timesteps=np.array([1, 2]), results=np.array([[1.0], [2.0, 3.0]], dtype=object))
    if kind == "lying":
        whole = io.BytesIO()
        header = b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("timesteps.npy", header.ljust(127) + b"\n")
            archive.writestr("results.npy", header.ljust(127) + b"\n")
    content = whole.getvalue()
    return {"torn": content[: len(content) // 2], "empty": b"", "text": b"no archive"}.get(kind, content)


@pytest.mark.parametrize("kind", ["torn", "empty", "text", "pickled", "lying"])
def test_a_file_that_cannot_be_opened_is_refused_alone_and_a_failed_run_among_others(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ppo_s1" / "evaluations.npz"
    path.parent.mkdir()
    path.write_bytes(_damaged(kind))
    assert "ppo_s1/evaluations.npz" in error(tmp_path)
    write_evaluations(tmp_path / "ppo_s2" / "evaluations.npz")
    imported = read(tmp_path)
    assert ["failed", "done"] == [one.status for one in imported.records]
    assert "evaluations.npz" in str(imported.records[0].error)
    assert "1 of 2 runs count as failed" in notes(imported, "warning")
