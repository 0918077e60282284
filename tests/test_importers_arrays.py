"""Vectors and matrices: what named axes mean, what a bare one is told, and when names look swapped."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from shared_data import FOLDER, curves, finals

from rlaudit import importers
from rlaudit.errors import ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Hints, files, swapped
from rlaudit.importers.arrays import fits, read
from rlaudit.importers.nouns import Found
from rlaudit.scores import score_table

DATA = Path(__file__).parent / "data" / "matrix"
SEEDS = Hints(axes=("seed",))
CURVES = Hints(axes=("step", "seed"), every=500)


def write(folder: Path, content: str | bytes | NDArray[np.float64], name: str = "ppo.txt") -> Path:
    path = folder / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def scores(found: Found) -> list[float]:
    return [run.final.tolist()[0] for run in found.runs]


def texts(found: Found, kind: str) -> str:
    return "\n".join(note.text for note in found.notes if note.kind == kind)


def error(path: Path, hints: Hints) -> str:
    with pytest.raises(ImportFormatError) as caught:
        importers.read(path, hints)
    return str(caught.value).replace(f"{path.parent}/", "")


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines", "1\n2.5\n-3e2\n"),
        ("a comment, blank lines, windows", "# finals\r\n1 # first\r\n\r\n2.5\r\n-300\r\n"),
        ("one line", "1 2.5 -300"),
        ("commas", "1, 2.5,-300\n"),
        ("semicolons", "1;2.5;-300\n"),
        ("tabs", "1\t2.5\t-300\n"),
    ],
)
def test_numbers_with_any_usual_separator_are_a_vector(tmp_path: Path, name: str, content: str) -> None:
    assert [1, 2.5, -300] == scores(read(write(tmp_path, content), SEEDS))


def test_a_vector_is_a_score_for_each_seed_called_by_its_position(tmp_path: Path) -> None:
    found = read(write(tmp_path, "5\n7\n"), SEEDS)
    assert [("ppo", "", 0, "score"), ("ppo", "", 1, "score")] == [
        (run.agent, run.task, run.seed, run.sort) for run in found.runs
    ]
    assert "called by their positions" in texts(found, "rule")


def test_samples_of_two_agents_are_read_together() -> None:
    imported = importers.read([DATA / "ppo_curves.txt.gz", DATA / "sac_curves.txt.gz"], CURVES)
    assert [("ppo_curves", 6, (20, 20), (10_000, 10_000)), ("sac_curves", 6, (17, 20), (8_500, 10_000))] == [
        (arm.agent, arm.n_seeds, arm.points, arm.last_steps) for arm in imported.reading.arms
    ]
    stops = [note.text for note in imported.reading.notes if "stops early" in note.text]
    assert ["1 of 6 runs stops early (nan at the end), kept as far as it goes: seed 5 of sac_curves"] == stops


def test_the_axes_say_what_the_same_numbers_are() -> None:
    by_text = read(DATA / "ppo_curves.txt.gz", CURVES).runs
    by_array = read(DATA / "ppo.npy", Hints(axes=("seed", "step"), every=500)).runs
    for one, other in zip(by_text, by_array, strict=True):
        np.testing.assert_array_equal(one.returns, other.returns)
        np.testing.assert_array_equal(500 * np.arange(1, 21), one.steps)


def test_each_array_of_an_npz_is_an_agent() -> None:
    found = read(DATA / "both.npz", Hints(axes=("seed", "step")))
    assert ["ppo"] * 6 + ["sac"] * 6 == [run.agent for run in found.runs]


def test_the_metric_takes_one_array_of_an_npz_whose_agent_is_the_file() -> None:
    found = read(DATA / "both.npz", Hints(axes=("seed", "step"), metric="sac"))
    assert {"both"} == {run.agent for run in found.runs}
    assert "Did you mean 'ppo'?" in error(DATA / "both.npz", Hints(axes=("seed", "step"), metric="ppa"))


@given(st.permutations(["seed", "task", "step", "episode"]))
def test_any_order_of_the_axes_gives_the_same_runs(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    values = np.arange(2 * 3 * 4 * 5, dtype=float).reshape(2, 3, 4, 5)
    at = [("seed", "task", "step", "episode").index(axis) for axis in order]
    path = write(tmp_path_factory.mktemp("axes"), values.transpose(at), "ppo.npy")
    runs = read(path, Hints(axes=tuple(order))).runs
    assert [(f"task {task}", seed) for task in range(3) for seed in range(2)] == [(run.task, run.seed) for run in runs]
    for run in runs:
        np.testing.assert_array_equal(values[run.seed, int(run.task[-1])], run.returns)


def test_episodes_of_a_seed_are_its_final_evaluation(tmp_path: Path) -> None:
    found = read(write(tmp_path, "1 2 3\n4 5 6\n"), Hints(axes=("seed", "episode")))
    assert [[1, 2, 3], [4, 5, 6]] == [run.final.tolist() for run in found.runs]


def test_points_without_timesteps_are_numbered_and_that_is_said(tmp_path: Path) -> None:
    found = read(write(tmp_path, "1 2 3\n4 5 6\n"), Hints(axes=("seed", "step")))
    assert [1, 2, 3] == found.runs[0].steps.tolist()
    assert "numbered 1 to 3 (--every" in texts(found, "rule")


def test_steps_beyond_all_counting_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "1 2 3\n4 5 6\n")
    assert "beyond all counting" in error(path, Hints(axes=("seed", "step"), every=2**61))


def test_a_text_that_is_wrong_throughout_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, "1\n" + "x\n" * 5000)
    assert "and 991 more" in error(path, SEEDS)


def test_names_of_files_say_the_agent_the_task_and_the_seed(tmp_path: Path) -> None:
    paths = [write(tmp_path, "1\n2\n3\n", f"ppo_Hopper-v4_seed{seed}.txt") for seed in (3, 7)]
    by_pattern = [read(path, Hints(axes=("step",), names="{agent}_{task}_seed{seed}")).runs[0] for path in paths]
    assert [("ppo", "Hopper-v4", 3), ("ppo", "Hopper-v4", 7)] == [(run.agent, run.task, run.seed) for run in by_pattern]
    by_custom = [read(path, Hints(axes=("step",), agent="ppo")).runs[0] for path in paths]
    assert [("ppo", 3), ("ppo", 7)] == [(run.agent, run.seed) for run in by_custom]


def test_a_seed_is_an_axis_or_in_the_name_and_not_both(tmp_path: Path) -> None:
    path = write(tmp_path, "1\n2\n3\n", "ppo.txt")
    assert "nor does the name say one" in error(path, Hints(axes=("step",)))
    both = write(tmp_path, "1\n2\n", "ppo_3.txt")
    assert "Which one is it?" in error(both, Hints(axes=("seed",), names="{agent}_{seed}"))


# ---------------------------------------------------------------- what is not there


def test_a_column_of_nan_has_failed_and_nan_between_is_left_out(tmp_path: Path) -> None:
    found = read(write(tmp_path, "1 nan 3\nnan nan 4\n2 nan NaN\n"), Hints(axes=("step", "seed")))
    whole, failed, short = found.runs
    assert ([1, 3], [1, 2]) == (whole.steps.tolist(), whole.returns[:, 0].tolist())
    assert (None, [1, 2]) == (short.error, short.steps.tolist())
    assert "no evaluation (nan)" in str(failed.error)
    assert "1 of 3 runs lacks 1 evaluations (nan): seed 0 of ppo" == texts(found, "left_out")
    assert "1 of 3 runs holds no number (nan): failed, seed 1 of ppo" in texts(found, "rule")


def test_a_score_of_nan_is_a_failed_seed(tmp_path: Path) -> None:
    records = importers.read(write(tmp_path, "1\nnan\n3\n"), SEEDS).records
    assert ["done", "failed", "done"] == [record.status for record in records]


def test_an_evaluation_that_lacks_episodes_counts_by_the_others(tmp_path: Path) -> None:
    values = np.array([[[1.0, 3.0], [2.0, np.nan]], [[1.0, 1.0], [2.0, 2.0]]])
    path = write(tmp_path, values, "ppo.npy")
    found = read(path, Hints(axes=("seed", "step", "episode")))
    assert ([2, 2], [2]) == (found.runs[0].returns[:, 0].tolist(), found.runs[0].final.tolist())
    assert "lacks episodes of 1 evaluations" in texts(found, "warning")
    assert [2.0, 1.5] == score_table(importers.read(path, Hints(axes=("seed", "step", "episode"))).records, "auc").arms[
        0
    ].scores.tolist()


@pytest.mark.parametrize("number", ["inf", "-Infinity", "1e200"])
def test_infinite_numbers_are_refused(tmp_path: Path, number: str) -> None:
    assert "expected a finite number" in error(write(tmp_path, f"1\n{number}\n"), SEEDS)


# ---------------------------------------------------------------- bare arrays and wrong axes


def test_a_bare_matrix_is_shown_both_commands_with_its_shape(tmp_path: Path) -> None:
    told = error(write(tmp_path, np.zeros((193, 400)), "sac.npy"), Hints())
    assert "sac.npy --axes seed,step  (193 seeds, 400 points)" in told
    assert "sac.npy --axes step,seed  (193 points, 400 seeds)" in told


def test_a_bare_vector_is_asked_what_it_is(tmp_path: Path) -> None:
    told = error(write(tmp_path, "1\n2\n3\n"), Hints())
    assert "3 numbers, and nothing says what they are" in told
    assert "--axes seed  (3 seeds)" in told


def test_a_bare_npz_may_be_rliables() -> None:
    assert "both.npz --format rliable" in error(DATA / "both.npz", Hints())


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        (("seeds", "step"), "'seeds' is no axis. Did you mean 'seed'?"),
        (("seed", "seed"), "'seed' stands there twice"),
        (("seed",), "names 1, and the array has 2 (2 x 3)"),
        (("seed", "step", "episode"), "names 3, and the array has 2 (2 x 3)"),
    ],
)
def test_axes_that_are_not_the_arrays_are_refused(tmp_path: Path, axes: tuple[str, ...], told: str) -> None:
    assert told in error(write(tmp_path, "1 2 3\n4 5 6\n"), Hints(axes=axes))


def test_one_seed_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughSeeds):
        importers.read(write(tmp_path, "1 2 3\n"), Hints(axes=("seed", "step")))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("1 2\n3\n", "ppo.txt:2: found 1 numbers, expected 2, as in ppo.txt:1"),
        ("1 2\n3 oops\n", "ppo.txt:2, column 2: found 'oops', expected a number or nan"),
        ("1_000\n2\n", "ppo.txt:1, column 1: found '1_000'"),
        ("", "no number in it"),
        ("# only a comment\n", "no number in it"),
        (b"1\n\xff\n", "ppo.txt:2: found the byte 0xff"),
        (gzip.compress(b"1\n2\n3\n" * 99, mtime=0)[:20], "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_with_its_place(tmp_path: Path, content: str | bytes, told: str) -> None:
    path = write(tmp_path, content)
    assert told in error(path, Hints(format="matrix", axes=("seed",))).replace(f"{tmp_path}/", "")


def test_a_text_of_too_many_numbers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlaudit.importers.arrays.MAX_BYTES", 800)
    assert "more than 100 numbers" in error(write(tmp_path, "1\n" * 101), SEEDS)


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ppo.npy"
    np.save(path, np.array({"a": 1}), allow_pickle=True)
    assert "pickles are not read" in error(path, SEEDS)


def test_a_damaged_header_is_an_error_in_words(tmp_path: Path) -> None:
    content = (DATA / "ppo.npy").read_bytes()
    for broken in (
        b"'shape': (, 20)",
        b"'shape': (6, 2000",
        b"'shape': (-6, -2",
        b"'shape': [6, 20]",
        b"'shap\xff': (6, 20",
    ):
        path = tmp_path / "ppo.npy"
        path.write_bytes(content.replace(b"'shape': (6, 20)"[: len(broken)], broken))
        assert "ppo.npy" in error(path, Hints(axes=("seed", "step")))


def test_an_array_that_python_2_wrote_is_read_without_a_word(tmp_path: Path) -> None:
    content = (DATA / "ppo.npy").read_bytes().replace(b"'shape': (6, 20), }  ", b"'shape': (6L, 20L), }")
    path = tmp_path / "ppo.npy"
    path.write_bytes(content)
    assert 6 == len(read(path, Hints(axes=("seed", "step"))).runs)


def test_an_array_of_text_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    assert "expected numbers" in error(tmp_path / "text.npy", SEEDS)
    assert "nothing in it" in error(write(tmp_path, np.zeros((0, 3)), "none.npy"), SEEDS)


def test_an_array_of_more_numbers_than_its_header_says_is_refused(tmp_path: Path) -> None:
    """A flipped bit makes 10 x 2 of 10 x 3, and other numbers of every seed."""
    np.save(tmp_path / "flipped.npy", np.arange(30.0).reshape(10, 3))
    content = (tmp_path / "flipped.npy").read_bytes().replace(b"(10, 3)", b"(10, 2)")
    (tmp_path / "flipped.npy").write_bytes(content)
    assert "its header promises (10, 2) numbers, and it holds others" in error(tmp_path / "flipped.npy", SEEDS)


def test_an_open_bracket_in_the_header_of_an_array_is_an_error_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "open.npy", np.arange(3.0))
    (tmp_path / "open.npy").write_bytes((tmp_path / "open.npy").read_bytes().replace(b"(3,)", b"((3,"))
    assert "cannot be read as a NumPy array: TokenError" in error(tmp_path / "open.npy", SEEDS)


def test_an_archive_of_spoilt_names_or_another_compression_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "runs.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("ppo.npy", (DATA / "ppo.npy").read_bytes())
    assert "packed in another way than NumPy's" in error(path, CURVES)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pp\u00f6.npy", (DATA / "ppo.npy").read_bytes())
    path.write_bytes(path.read_bytes().replace("\u00f6".encode(), b"\xc3x"))
    with pytest.raises(ImportFormatError, match=r"runs.npz: found .*, expected an .npz of NumPy"):
        files.load_arrays(path)


def test_more_than_fits_into_the_memory_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, hints: Hints) -> Found:
        raise MemoryError

    monkeypatch.setitem(importers.IMPORTERS, "matrix", importers.IMPORTERS["matrix"]._replace(read=full))
    assert "holds more than fits into the memory" in error(write(tmp_path, "1\n2\n"), SEEDS)


def test_an_array_that_stands_twice_in_an_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.npz"
    content = (DATA / "ppo.npy").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ppo.npy", content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ppo.npy", content)
    assert "'ppo' is there twice" in error(path, Hints(axes=("seed", "step")))


@pytest.mark.parametrize(
    ("content", "expected"),
    [("1\n2\n", True), ("# c\n1,nan\n", True), ("a,b\n1,2\n", False), ("", False), (b"\0\0", False), ("1 a\n", False)],
)
def test_a_text_is_a_matrix_where_its_first_line_is_numbers(
    tmp_path: Path, content: str | bytes, expected: bool
) -> None:
    assert expected is fits(write(tmp_path, content))


def test_evaluations_of_stable_baselines3_are_no_matrix(tmp_path: Path) -> None:
    np.savez(tmp_path / "evaluations.npz", timesteps=np.arange(3), results=np.zeros((3, 5)))
    assert not fits(tmp_path / "evaluations.npz")
    assert not fits(tmp_path)
    assert not fits(tmp_path / "absent")


# ---------------------------------------------------------------- swapped axes


def honest(rng: np.random.Generator, n_seeds: int, n_points: int, kind: str) -> NDArray[np.float64]:
    """(n_seeds, n_points): learning curves, or noise of many kinds without a trend."""
    noise = rng.normal(size=(n_seeds, n_points))
    return {
        "rising": noise + 4 * (1 - np.exp(-3 * np.arange(n_points) / n_points)),
        "flat": noise,
        "levels": noise + rng.normal(0, 2, (n_seeds, 1)),
        "walks": noise.cumsum(axis=1),
        "heavy tails": rng.standard_cauchy((n_seeds, n_points)) + 5 * rng.standard_cauchy((n_seeds, 1)),
        "a ceiling": np.minimum(500, (520 + 30 * noise).round()),
        "one wild seed": noise - 1000 * (np.arange(n_seeds) == 0)[:, None],
        "constant": np.full((n_seeds, n_points), 3.0),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["rising", "flat", "levels", "walks", "heavy tails", "a ceiling", "one wild seed", "constant"]
)
@pytest.mark.parametrize("shape", [(5, 5), (5, 100), (20, 10), (100, 5)])
def test_honest_axes_are_not_suspected(kind: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    assert 1 >= sum(swapped.curves(honest(rng, *shape, kind)) for _ in range(100))  # of 100


@pytest.mark.parametrize("kind", ["rising", "walks"])
@pytest.mark.parametrize("shape", [(5, 100), (20, 50)])
def test_swapped_axes_are_suspected(kind: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    assert 18 <= sum(swapped.curves(honest(rng, *shape, kind).T) for _ in range(20))


def test_the_warning_names_the_other_command(tmp_path: Path) -> None:
    values = honest(np.random.default_rng(0), 5, 100, "rising")
    right = read(write(tmp_path, values, "ppo.npy"), Hints(axes=("seed", "step")))
    wrong = read(write(tmp_path, values, "ppo.npy"), Hints(axes=("step", "seed")))
    assert "" == texts(right, "warning")
    assert texts(wrong, "warning").endswith("If so: --axes seed,step")


def test_tasks_are_suspected_to_be_seeds_by_their_levels() -> None:
    rng = np.random.default_rng(0)
    tables = [np.exp(rng.normal(3, 2, 26)) * (1 + rng.normal(0, 0.3, (5, 26))) for _ in range(50)]
    assert 0 == sum(map(swapped.tasks, tables))
    assert 45 <= sum(swapped.tasks(table.T) for table in tables)
    equal = [rng.normal(size=(5, 26)) for _ in range(100)]
    assert 1 >= sum(map(swapped.tasks, equal))


# ---------------------------------------------------------------- real results


def test_the_finals_of_sac_and_td3_come_from_file_to_scores() -> None:
    assert 192 == len(finals("sac"))
    paths = [FOLDER / f"{agent}_hc_final_perfs.txt" for agent in ("sac", "td3")]
    table = score_table(importers.read(paths, SEEDS).records)
    for arm, agent in zip(table.arms, ("sac", "td3"), strict=True):
        np.testing.assert_array_equal(finals(agent), arm.scores)


def test_the_curves_of_sac_and_td3_are_read_and_the_short_run_is_noticed() -> None:
    expected = curves("sac")
    paths = [FOLDER / f"{agent}_hc_curves.txt.gz" for agent in ("sac", "td3")]
    imported = importers.read(paths, Hints(axes=("step", "seed"), every=5000, names="{agent}_hc_curves"))
    assert [("sac", 193, (1_985_000, 2_000_000)), ("td3", 193, (2_000_000, 2_000_000))] == [
        (arm.agent, arm.n_seeds, arm.last_steps) for arm in imported.reading.arms
    ]
    notes = imported.reading.notes
    assert any("1 of 193 runs stops early" in note.text and "seed 0 of sac" in note.text for note in notes)
    assert not any(note.kind == "warning" for note in notes)
    np.testing.assert_array_equal(expected[7], imported.records[7].eval_returns[:, 0])


@pytest.mark.parametrize("agent", ["sac", "td3"])
def test_real_curves_named_the_wrong_way_round_are_suspected(agent: str) -> None:
    values = curves(agent)
    assert (False, True) == (swapped.curves(values), swapped.curves(values.T))


def test_a_bomb_among_the_arrays_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    np.savez_compressed(tmp_path / "bomb.npz", ppo=np.zeros(10_000))
    assert "unpacks to more than" in error(tmp_path / "bomb.npz", SEEDS)
