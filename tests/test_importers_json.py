"""Score files of rliable, marl-eval and Dopamine, and the JSON reader beneath them."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import IMPORTERS, Hints, dopamine, files, fitting, marl_eval, rliable
from rlaudit.importers.nouns import Found, Run

DATA = Path(__file__).parent / "data"
RLIABLE, MARL_EVAL, DOPAMINE = DATA / "rliable", DATA / "marl-eval", DATA / "dopamine"


def write(folder: Path, content: Any, name: str = "scores.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def error(path: Path, hints: Hints = Hints()) -> str:
    with pytest.raises(ImportFormatError) as caught:
        importers.read(path, hints)
    return str(caught.value).replace(f"{path.parent}/", "")


def texts(found: Found, kind: str) -> str:
    return "\n".join(note.text for note in found.notes if note.kind == kind)


def arms(runs: tuple[Run, ...]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for run in runs:
        found[run.agent, run.task] = found.get((run.agent, run.task), 0) + 1
    return found


# ---------------------------------------------------------------- JSON with bounds


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "scores.json:1:1: found no JSON here"),
        (b'{"a": [1, 2', "Is the file complete?"),
        (b'{"a": 1,\n "b": ,}', "scores.json:2:7"),
        (b'{"a": {"x": 1, "x": 2}}', "the key 'x' stands twice in one object"),
        (b"\xff\xfe[\0]\0", "found the byte 0xff, expected JSON as UTF-8"),
        (b"[" * 100_000, "cannot be read as JSON: RecursionError"),
        (b'{"a":' * 100_000, "cannot be read as JSON: RecursionError"),
        (b"[" + b"9" * 5000 + b"]", "cannot be read as JSON"),
        (gzip.compress(b"[" + b"1," * 9999, mtime=0)[:30], "cannot be read"),
    ],
)
def test_bad_json_is_told_with_its_place(tmp_path: Path, content: bytes, told: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ImportFormatError) as caught:
        files.load_json(path)
    assert told in str(caught.value)


def test_json_is_read_packed_with_a_mark_and_with_nan(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"\xef\xbb\xbf[1, NaN, -Infinity]"))
    np.testing.assert_array_equal([1, np.nan, -np.inf], files.load_json(path))


def test_json_beyond_the_bound_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_JSON", 1000)
    with pytest.raises(ImportFormatError, match="holds more than"):
        files.load_json(write(tmp_path, gzip.compress(b"[" + b" " * 100_000 + b"]")))


# ---------------------------------------------------------------- rliable


def test_the_samples_of_rliable_hold_the_same_scores() -> None:
    names = {"task 0": "Alien", "task 1": "Pong", "task 2": "Qbert"}

    def scores(name: str, hints: Hints = Hints()) -> dict[tuple[str, str, object], float]:
        runs = rliable.read(RLIABLE / name, hints).runs
        return {(run.agent, names.get(run.task, run.task), run.seed): run.final[0] for run in runs}

    matrix = scores("matrix.json")
    assert 3 * (6 + 5) == len(matrix)
    assert matrix == scores("games.json") == scores("scores.npz", Hints(format="rliable"))
    assert matrix == scores("CURL.json", Hints(agent="CURL")) | scores("SPR.json", Hints(names="{agent}"))


def test_frames_are_points_of_a_curve() -> None:
    found = rliable.read(RLIABLE / "frames.npz", Hints(every=100_000))
    assert [100_000, 200_000, 300_000] == found.runs[0].steps.tolist()
    assert ("CURL", "task 0", 0, "evaluations") == (
        found.runs[0].agent,
        found.runs[0].task,
        found.runs[0].seed,
        found.runs[0].sort,
    )


def test_an_npz_of_somebody_else_is_not_taken_for_rliables() -> None:
    assert ["matrix"] == fitting(RLIABLE / "scores.npz")
    assert "scores.npz --format rliable" in error(RLIABLE / "scores.npz")


def test_names_with_a_list_each_may_be_tasks_or_algorithms(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [1, 2], "b": [3, 4]})
    assert "whether the names are tasks or algorithms" in error(path)
    assert {("dqn", "a"): 2, ("dqn", "b"): 2} == arms(rliable.read(path, Hints(agent="dqn")).runs)
    assert {("a", "Pong"): 2, ("b", "Pong"): 2} == arms(rliable.read(path, Hints(task="Pong")).runs)
    assert {("a", ""): 2, ("b", ""): 2} == arms(rliable.read(path, Hints(axes=("seed",))).runs)


def test_null_and_nan_are_failed_runs(tmp_path: Path) -> None:
    found = rliable.read(write(tmp_path, b'{"a": {"Pong": [1, null, NaN, 2]}}'), Hints())
    assert [False, True, True, False] == [run.error is not None for run in found.runs]
    assert "2 of 4 runs hold no number" in texts(found, "rule")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": [[1, 2], [3]]}, "a, row 1: found 1 numbers, expected 2, as in the first row"),
        ({"a": [[1, 2], [3, "4"]]}, "a, row 1: found '4', expected a number; numbers in quotes are text"),
        ({"a": [[1, 2], [3, True]]}, "found True, expected a number"),
        ({"a": [[1, 2], [3, 10**400]]}, "found a whole number of 401 digits"),
        ({"a": [[1, 2], [3, 4]], "b": {"Pong": [1]}}, "some names hold tasks, and some hold numbers"),
        ({"a": [[1, 2], [3, 4]], "b": [[1, 2, 3], [4, 5, 6]]}, "the numbers of tasks differ: 2 for 'a', 3 for 'b'"),
        ({"a": [[1, 2]] * 3, "b": [[1, 2, 3]] * 3}, "are the axes swapped? Then --axes task,seed"),
        ({"a": [[[[[[1]]]]]]}, "expected a list of numbers"),
        ({"a": [[1, 2], [3, float("inf")]]}, "expected a finite number"),
    ],
)
def test_what_is_no_score_dictionary_is_refused(tmp_path: Path, content: object, told: str) -> None:
    assert told in error(write(tmp_path, content))


def test_axes_in_another_order_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [[1, 2, 3], [4, 5, 6]]})
    runs = rliable.read(path, Hints(axes=("task", "seed"))).runs
    assert {("a", "task 0"): 3, ("a", "task 1"): 3} == arms(runs)
    assert [1, 2, 3, 4, 5, 6] == [run.final[0] for run in runs]


def exported(folder: Path, **changes: np.ndarray) -> Path:
    """As `rlaudit export --to rliable.npz` lays it out: one agent, a run that failed, one without a curve."""
    arrays: dict[str, np.ndarray] = {
        "ppo": np.array([[1.0, 2.0], [np.nan, 4.0]]),
        "rlaudit/algorithms": np.array(["ppo"]),
        "rlaudit/tasks": np.array(["Hopper", ""]),
        "rlaudit/seeds/ppo": np.array([["12", "a"], ["-3", "b"]]),
        "rlaudit/errors/ppo": np.array([["", ""], ["diverged", ""]]),
        "rlaudit/steps": np.array([100, 200]),
        "rlaudit/curves/ppo": np.array([[[0.5, 1.0], [1.0, 2.0]], [[7.0, np.nan], [np.nan, np.nan]]]),
        **changes,
    }
    np.savez(folder / "rliable.npz", **arrays)
    return folder / "rliable.npz"


def test_what_rlaudit_exports_is_read_as_it_was(tmp_path: Path) -> None:
    path = exported(tmp_path)
    assert ["rliable"] == fitting(path)
    one, two, three, four = rliable.read(path, Hints()).runs
    assert ("ppo", "Hopper", 12, [100, 200], [0.5, 1.0], [1.0]) == (
        one.agent,
        one.task,
        one.seed,
        one.steps.tolist(),
        one.returns[:, 0].tolist(),
        one.final.tolist(),
    )
    assert ("", "a", [2.0]) == (two.task, two.seed, two.final.tolist())
    assert (-3, [100], [7.0], [], "diverged") == (
        three.seed,
        three.steps.tolist(),
        three.returns[:, 0].tolist(),
        three.final.tolist(),
        three.error,
    )
    assert ("score", [4.0], None) == (four.sort, four.final.tolist(), four.error)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rlaudit/algorithms": np.array(["sac"])}, "no array 'sac' as rlaudit writes it"),
        ({"rlaudit/tasks": np.array(["Hopper"])}, "'ppo': found 2 x 2, expected -1 x 1"),
        ({"rlaudit/seeds/ppo": np.array([["1"]])}, "'rlaudit/seeds/ppo': found 1 x 1, expected 2 x 2"),
        ({"rlaudit/steps": np.array([1.5, 2.5])}, "no array 'rlaudit/steps'"),
    ],
)
def test_an_export_that_was_changed_is_refused(tmp_path: Path, changes: dict[str, np.ndarray], told: str) -> None:
    assert told in error(exported(tmp_path, **changes))


def test_an_export_needs_no_axes(tmp_path: Path) -> None:
    assert "Leave --axes and --every out" in error(exported(tmp_path), Hints(axes=("seed", "task")))


# ---------------------------------------------------------------- marl-eval


def metrics(**run: Any) -> dict[str, Any]:
    """One environment, task and algorithm with two runs."""
    whole = {"step_0": {"step_count": 10, "return": [1.0]}, "absolute_metrics": {"return": [2.0]}}
    return {"smac": {"3m": {"ippo": {"seed_0": {**whole, **run}, "seed_1": whole}}}}


def test_what_jsonlogger_writes_is_read_by_the_metric() -> None:
    imported = importers.read(MARL_EVAL / "metrics.json", Hints(metric="mean_episode_return"))
    assert [(task, agent, 3) for task in ("3m", "8m") for agent in ("ippo", "mappo")] == [
        (arm.task, arm.agent, arm.n_seeds) for arm in imported.reading.arms
    ]
    assert [0, 1, 42] == [record.spec.seed for record in imported.records[:3]]
    assert [1000, 2000, 3000] == imported.records[0].eval_steps.tolist()


def test_a_run_without_absolute_metrics_has_not_finished() -> None:
    imported = importers.read(MARL_EVAL / "metrics.json", Hints(metric="win_rate"))
    failed = [record.spec for record in imported.records if record.status == "failed"]
    assert [("ippo", "8m", 42)] == [(spec.agent, spec.task_label, spec.seed) for spec in failed]
    assert any("1 of 12 runs has no absolute_metrics" in note.text for note in imported.reading.notes)


def test_the_metric_is_never_guessed() -> None:
    assert "found the metrics 'mean_episode_return' and 'win_rate'" in error(MARL_EVAL / "metrics.json")
    assert "Did you mean 'win_rate'?" in error(MARL_EVAL / "metrics.json", Hints(metric="winrate"))


def test_episodes_and_several_environments() -> None:
    runs = marl_eval.read(MARL_EVAL / "episodes.json", Hints()).runs
    assert {"rware/tiny-2ag", "lbf/8x8"} == {run.task for run in runs}
    assert ("run_1", (3, 4), 40) == (runs[0].seed, runs[0].returns.shape, len(runs[0].final))


def test_a_folder_of_files_is_read_as_one(tmp_path: Path) -> None:
    for seed in (3, 4):
        content = {"vmas": {"balance": {"mappo": {f"seed_{seed}": metrics()["smac"]["3m"]["ippo"]["seed_0"]}}}}
        (tmp_path / f"run{seed}").mkdir()
        write(tmp_path / f"run{seed}", content, "metrics.json")
    write(tmp_path, {"learning_rate": 1e-3}, "config.json")
    assert "marl-eval" == fitting(tmp_path)[0]
    assert [("balance", 3), ("balance", 4)] == [(run.task, run.seed) for run in marl_eval.read(tmp_path, Hints()).runs]


def test_steps_go_by_their_count_and_not_by_their_key(tmp_path: Path) -> None:
    steps = {f"step_{i}": {"step_count": count, "return": [count]} for i, count in enumerate((10, 30, 20))}
    run = marl_eval.read(write(tmp_path, metrics(**steps)), Hints()).runs[0]
    assert ([10, 20, 30], [10, 20, 30]) == (run.steps.tolist(), run.returns[:, 0].tolist())


def test_evaluations_of_unequal_length_count_by_their_means(tmp_path: Path) -> None:
    step = {"step_count": 20, "return": [1.0, 4.0]}
    found = marl_eval.read(write(tmp_path, metrics(step_1=step)), Hints())
    assert [[1.0], [2.5]] == found.runs[0].returns.tolist()
    assert "lacks episodes of 1 evaluations" in texts(found, "warning")


def test_without_absolute_metrics_anywhere_the_last_evaluation_is_the_score(tmp_path: Path) -> None:
    run = {"step_0": {"step_count": 10, "return": 1.0}, "step_1": {"step_count": 20, "return": 3.0}}
    path = write(tmp_path, {"e": {"t": {"a": {"1": run, "2": run}}}})
    imported = importers.read(path)
    assert [("done", [3.0])] * 2 == [(record.status, record.final_returns.tolist()) for record in imported.records]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ({"step_1": {"return": [1.0]}}, "smac/3m/ippo/seed_0/step_1: no step_count"),
        ({"step_1": {"step_count": 10, "return": [1.0]}}, "step_0 and step_1 have the same step_count, 10"),
        ({"step_1": {"step_count": 1.5, "return": [1.0]}}, "found 1.5, expected a whole number"),
        ({"step_1": {"step_count": -1, "return": [1.0]}}, "found -1, expected a whole number"),
        ({"step_1": {"step_count": 20, "return": ["1"]}}, "step_1/return: found '1', expected a number; numbers in"),
        ({"step_1": {"step_count": 20, "return": [[1.0]]}}, "found [1.0], expected a number"),
        ({"step_1": 3}, "found 3, expected an object"),
        ({"Absolute_metrics": {"return": [1.0]}}, "found 2 steps that are called absolute"),
    ],
)
def test_what_is_no_marl_eval_file_is_told_with_its_keys(tmp_path: Path, run: dict[str, Any], told: str) -> None:
    assert told in error(write(tmp_path, metrics(**run)))


@pytest.mark.parametrize("content", [[], {}, {"e": {}}, {"e": [1]}, {"e": {"t": {"a": {"1": {}}}}}])
def test_an_empty_marl_eval_file_is_refused(tmp_path: Path, content: object) -> None:
    error(write(tmp_path, content), Hints(format="marl-eval"))


# ---------------------------------------------------------------- Dopamine


def rows(*runs: tuple[int, ...], agent: str = "DQN") -> list[dict[str, Any]]:
    """A row for each iteration of each run, whose value tells both."""
    return [{"Iteration": i, "Value": 100.0 * run + i, "Agent": agent} for run, own in enumerate(runs) for i in own]


def test_the_baselines_of_dopamine_are_blocks_of_iterations() -> None:
    found = dopamine.read(DOPAMINE / "Asterix.json", Hints(every=1_000_000))
    assert {("DQN", "Asterix"): 4, ("Rainbow", "Asterix"): 4} == arms(found.runs)
    assert ["run 0", "run 1", "run 2", "run 3"] == [run.seed for run in found.runs[:4]]
    assert [1_000_000 * i for i in range(1, 9)] == found.runs[0].steps.tolist()


def test_iterations_are_steps_where_nobody_says_how_long_they_are() -> None:
    found = dopamine.read(DOPAMINE / "Asterix.json", Hints())
    assert [*range(8)] == found.runs[0].steps.tolist()
    assert "steps are Dopamine's iterations (--every" in texts(found, "rule")


def test_of_rows_by_iteration_only_the_last_one_is_used() -> None:
    found = dopamine.read(DOPAMINE / "Breakout.json", Hints())
    content = json.loads((DOPAMINE / "Breakout.json").read_text())
    last = [row["Value"] for row in content if row["Iteration"] == 7 and row["Agent"] == "DQN"]
    assert last == [run.final[0] for run in found.runs if run.agent == "DQN"]
    assert {"score"} == {run.sort for run in found.runs}
    assert "nothing says which value belongs to which run" in texts(found, "left_out")


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_blocks_of_any_lengths_are_taken_apart(tmp_path_factory: pytest.TempPathFactory, lengths: list[int]) -> None:
    runs = [tuple(range(length)) for length in lengths]
    path = write(tmp_path_factory.mktemp("blocks"), rows(*runs), "Pong.json")
    found = dopamine.read(path, Hints()).runs
    by_iteration = max(lengths) == 1  # then the two orders are one, and say the same
    assert lengths == [max(len(run.steps), int(by_iteration)) for run in found]
    assert [100.0 * i for i in range(len(runs))] == [run.returns[0, 0] for run in found]


def test_agents_whose_rows_mingle_are_still_told_apart(tmp_path: Path) -> None:
    content = [
        row for pair in zip(rows((0, 1), (0, 1)), rows((0, 1), (0, 1), agent="C51"), strict=True) for row in pair
    ]
    assert {("DQN", "Pong"): 2, ("C51", "Pong"): 2} == arms(
        dopamine.read(write(tmp_path, content, "Pong.json"), Hints()).runs
    )


def test_a_run_without_the_last_iteration_has_failed(tmp_path: Path) -> None:
    content = sorted(rows((0, 1), (0, 1), (0,)), key=lambda row: row["Iteration"])
    runs = dopamine.read(write(tmp_path, content), Hints()).runs
    assert [False, False, True] == [run.error is not None for run in runs]


def test_a_game_in_the_rows_is_the_task_and_else_the_file_or_what_the_user_says(tmp_path: Path) -> None:
    content = rows((0, 1), (0, 1))
    assert "asterix" == dopamine.read(write(tmp_path, content, "asterix.json"), Hints()).runs[0].task
    assert "Asterix" == dopamine.read(write(tmp_path, content, "x.json"), Hints(task="Asterix")).runs[0].task
    games = [{**row, "Game": "Pong"} for row in content]
    assert "Pong" == dopamine.read(write(tmp_path, games, "x.json"), Hints()).runs[0].task


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (rows((0, 1, 2), (1, 2)), "in no order that tells its runs apart"),
        ([*rows((0, 1)), {"Iteration": 2, "Agent": "DQN"}], "row 2: found {'Iteration': 2, 'Agent': 'DQN'}, expected"),
        ([*rows((0, 1)), 7], "row 2: found 7"),
        ([{**rows((0,))[0], "Value": "3"}], "row 0, Value: found '3', expected a number; numbers in quotes are text"),
        ([{**rows((0,))[0], "Iteration": 0.5}], "row 0, Iteration: found 0.5, expected a whole number"),
        ([{**rows((0,))[0], "Iteration": None}], "row 0, Iteration: found nan"),
        ([{**rows((0,))[0], "Agent": ""}], "row 0: found nothing and 'scores', expected names"),
    ],
)
def test_what_is_no_baseline_is_told_with_its_row(tmp_path: Path, content: object, told: str) -> None:
    assert told in error(write(tmp_path, content), Hints(format="dopamine"))


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", ["rliable", "marl-eval", "dopamine"])
@pytest.mark.parametrize(
    "content", [b"", b"7", b"null", b"[]", b"{}", b"[{}]", b'{"a": {}}', b'"a"', b"\0\0", b"PK\3\4"]
)
def test_what_is_none_of_these_formats_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path, content)
    assert name not in fitting(path)
    error(path, Hints(format=name))


@pytest.mark.parametrize("name", ["rliable", "marl-eval", "dopamine", "adastop", "matrix"])
def test_what_is_not_there_is_said_and_fits_nothing(tmp_path: Path, name: str) -> None:
    assert not IMPORTERS[name].fits(tmp_path / "absent.json")
    assert "no such file" in error(tmp_path / "absent.json", Hints(format=name, axes=("seed",) * (name == "matrix")))
