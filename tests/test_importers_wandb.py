"""CSV exports of Weights & Biases: runs by their names, and what a chart no longer holds."""

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.cli import main
from rlaudit.errors import ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Hints, Imported, wandb

DATA = Path(__file__).parent / "data" / "wandb"
EVAL = "eval/mean_reward"


def _read(path: Path, **hints: object) -> Imported:
    return importers.read(path, Hints(**hints), single_seeds=True)  # type: ignore[arg-type]


def _names(path: Path, **hints: object) -> list[tuple[object, ...]]:
    return [(one.spec.agent, one.spec.task_label, one.spec.seed) for one in _read(path, **hints).records]


def _notes(path: Path, kind: str, **hints: object) -> str:
    return "\n".join(note.text for note in _read(path, **hints).reading.notes if note.kind == kind)


def _error(path: Path, **hints: object) -> str:
    with pytest.raises(ImportFormatError) as caught:
        _read(path, **hints)
    return str(caught.value).replace(f"{path.parent}/", "")


def _write(folder: Path, header: Sequence[str], *rows: Sequence[object]) -> Path:
    path = folder / "export.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    return path


def _chart(folder: Path, *runs: str, axis: str = "global_step", metric: str = EVAL) -> Path:
    """Two points for each run: 10 and 20 more than its position."""
    values = [[str(step * 10 + i) for i, _ in enumerate(runs)] for step in (1, 2)]
    return _write(folder, [axis, *(f"{run} - {metric}" for run in runs)], ["100", *values[0]], ["200", *values[1]])


# ---------------------------------------------------------------- charts


@pytest.mark.parametrize(("name", "code"), [("chart.csv", 0), ("runs.csv", 4)])  # 4: a run has failed
def test_an_export_goes_to_a_report_in_one_command(name: str, code: int, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["audit", str(DATA / name), "--out", str(tmp_path)])
    assert code == done.exit_code, done.output
    assert {"ppo", "sac"} == {arm["agent"] for arm in json.loads((tmp_path / "audit.json").read_text())["arms"]}


def test_runs_are_told_apart_by_their_names_and_empty_cells_are_no_points() -> None:
    expected = [(agent, "Walker2d-v4", seed) for agent in ("ppo", "sac") for seed in (1, 2, 3)]
    assert expected == _names(DATA / "chart.csv")
    first, second, *_ = _read(DATA / "chart.csv").records
    assert list(range(1000, 11_000, 1000)) == first.eval_steps.tolist()
    assert [2000, 4000, 6000, 8000, 10_000] == second.eval_steps.tolist()
    assert (10.629, 24.735) == (first.eval_returns[0, 0], second.eval_returns[0, 0])


def test_what_is_left_out_of_a_chart_and_what_it_never_held_is_said() -> None:
    assert "the columns __MIN and __MAX" == _notes(DATA / "chart.csv", "left_out")
    rules = _notes(DATA / "chart.csv", "rule")
    assert "timesteps are the x axis 'global_step'; of each run a chart holds a sample of its points" in rules
    assert f"'{EVAL}' was read, as evaluations during training" in rules
    assert "" == _notes(DATA / "chart.csv", "warning")


def test_the_steps_of_weights_and_biases_are_no_timesteps(tmp_path: Path) -> None:
    path = _chart(tmp_path, "a_seed1", axis="Step")
    assert "the x axis 'Step' counts calls of wandb.log, not timesteps" in _notes(path, "warning")


@pytest.mark.parametrize("axis", ["Relative Time (Wall)", "Relative Time (Process)", "Wall Time"])
def test_a_chart_over_time_is_refused(tmp_path: Path, axis: str) -> None:
    assert f"export.csv:1: the x axis '{axis}' is a time" in _error(_chart(tmp_path, "a_seed1", axis=axis))


def test_groups_of_runs_are_refused() -> None:
    message = _error(DATA / "grouped.csv")
    assert "grouped.csv:1: 'exp_name: ppo' and 'exp_name: sac' are groups of runs" in message
    assert "Switch grouping off" in message


def test_values_between_extremes_are_means_of_several_points_and_that_is_said(tmp_path: Path) -> None:
    header = ["global_step", *(f"a_seed{seed} - {EVAL}{end}" for seed in (1, 2) for end in ("", "__MIN", "__MAX"))]
    path = _write(tmp_path, header, [10, 2, 1, 3, 5, 5, 5])
    assert "__MIN and __MAX differ for 1 of 2 columns: their values are means" in _notes(path, "warning")


def test_columns_that_weights_and_biases_adds_are_no_metrics(tmp_path: Path) -> None:
    path = _write(tmp_path, ["global_step", "a_seed1 - _step", f"a_seed1 - {EVAL}"], [10, 1, 2])
    assert [2.0] == _read(path).records[0].final_returns.tolist()


def test_one_metric_of_several_is_taken_or_asked_for(tmp_path: Path) -> None:
    path = _write(tmp_path, ["global_step", "a_seed1 - loss", f"a_seed1 - {EVAL}"], [10, 1, 2])
    assert [2.0] == _read(path).records[0].final_returns.tolist()
    assert [1.0] == _read(path, metric="loss").records[0].final_returns.tolist()
    assert "no 'los' in it. Did you mean 'loss'?" in _error(path, metric="los")


def test_an_unknown_metric_has_to_be_named(tmp_path: Path) -> None:
    path = _chart(tmp_path, "a_seed1", metric="mine")
    assert "Found 'mine' (in 1 of 1 runs). Name one: --metric" in _error(path)
    assert [20.0] == _read(path, metric="mine").records[0].final_returns.tolist()


def test_training_episodes_of_a_chart_are_training_episodes(tmp_path: Path) -> None:
    path = _chart(tmp_path, "a_seed1", metric="charts/episodic_return")
    assert [10.0, 20.0] == _read(path).records[0].episodes.returns.tolist()


def test_headers_with_commas_and_hyphens_are_one_name(tmp_path: Path) -> None:
    path = _chart(tmp_path, "ppo, big - lr=1_seed3")
    assert [("ppo, big - lr=1", "", 3)] == _names(path)


def test_a_run_without_a_point_has_failed(tmp_path: Path) -> None:
    path = _write(tmp_path, ["global_step", f"a_seed1 - {EVAL}", f"a_seed2 - {EVAL}"], [10, 1, ""])
    assert ["done", "failed"] == [one.status for one in _read(path).records]


def test_a_run_that_ends_in_nan_has_failed(tmp_path: Path) -> None:
    path = _write(tmp_path, ["global_step", f"a_seed1 - {EVAL}"], [10, 1], [20, "NaN"])
    (record,) = _read(path).records
    assert ("failed", [[1.0]]) == (record.status, record.eval_returns.tolist())


def test_rows_are_put_in_the_order_of_the_steps(tmp_path: Path) -> None:
    path = _write(tmp_path, ["global_step", f"a_seed1 - {EVAL}"], [20, 2], [10, 1])
    assert [10, 20] == _read(path).records[0].eval_steps.tolist()


# ---------------------------------------------------------------- names


def test_a_pattern_is_proposed_that_fits_the_names(tmp_path: Path) -> None:
    path = _chart(tmp_path, "ppo-3", "ppo-4", "sac-3", "sac-4")
    message = _error(path)
    assert "export.csv: nothing says the seed of 4 of 4 runs: 'ppo-3', 'ppo-4', 'sac-3' and 'sac-4'" in message
    assert "Does '{agent}-{seed}' say how they are called? It finds the agents 'ppo' and 'sac' (--names)" in message
    assert [("ppo", "", 3), ("ppo", "", 4), ("sac", "", 3), ("sac", "", 4)] == _names(path, names="{agent}-{seed}")


def test_names_that_are_drawn_at_random_hold_no_seed_and_no_pattern_is_proposed(tmp_path: Path) -> None:
    message = _error(_chart(tmp_path, "fluffy-cloud-1", "silent-moon-2", "warm-sun-3"))
    assert "export the table of runs with the columns seed, env_id and exp_name" in message
    assert "It finds" not in message


def test_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    message = _error(_chart(tmp_path, "a_seed1", "a_seed1"))
    assert f"export.csv:1: 'a_seed1 - {EVAL}' stand there more than once" in message


@pytest.mark.parametrize("name", ["/etc/passwd_seed1", "../../up_seed1", "a//b_seed1", "/", "..", "\0_seed1"])
def test_names_that_look_like_paths_are_names(tmp_path: Path, name: str) -> None:
    path = _chart(tmp_path, "a_seed0", name)
    with suppress(ImportFormatError):
        assert 2 == len(_names(path))


def test_a_seed_alone_takes_the_agent_from_the_name_of_the_file_or_the_user(tmp_path: Path) -> None:
    path = _chart(tmp_path, "seed_1", "seed_2")
    assert [("export", "", 1), ("export", "", 2)] == _names(path)
    assert [("ppo", "A", 1), ("ppo", "A", 2)] == _names(path, agent="ppo", task="A")


# ---------------------------------------------------------------- bad charts


@pytest.mark.parametrize(
    ("rows", "fragments"),
    [
        ([["10.5", "1"]], ["export.csv:2: column 'global_step': found '10.5', expected a whole number from 0 up"]),
        ([["", "1"], ["-1", "1"]], ["export.csv:2: column 'global_step': found ''", "export.csv:3"]),
        ([["x", "1"]], ["export.csv:2: column 'global_step': found 'x', expected a number"]),
        ([["10", "1"], ["20", "abc"]], [f"export.csv:3: column 'a_seed1 - {EVAL}': found 'abc', expected a number"]),
        ([["10", "1_0"]], ["found '1_0', expected a number"]),
        ([["10"]], ["export.csv:2: found 1 cells, expected 2"]),
        ([], ["there are column names, but no row"]),
    ],
)
def test_a_bad_cell_is_told_its_place(tmp_path: Path, rows: list[list[str]], fragments: list[str]) -> None:
    message = _error(_write(tmp_path, ["global_step", f"a_seed1 - {EVAL}"], *rows), format="wandb")
    assert [] == [fragment for fragment in fragments if fragment not in message]


def test_a_table_of_something_else_is_told_what_was_expected(tmp_path: Path) -> None:
    path = _write(tmp_path, ["agent", "score"], ["a", "1"])
    assert "export.csv:1: found 'agent' and 'score'. The columns of a chart are" in _error(path, format="wandb")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'"Step","a - b"\n', True),
        (b"\xef\xbb\xbfStep,a - b,a - c\n", True),
        (b"\n\nName,x,State\n", True),
        (b"agent,seed,score\n", False),
        (b"Step\n", False),
        (b"a - b,c - d\n", False),
        (b"", False),
        (bytes(range(256)), False),
        (b'"' * 3000, False),
    ],
)
def test_exports_are_recognised_by_their_first_line(tmp_path: Path, content: bytes, expected: bool) -> None:
    (tmp_path / "x").write_bytes(content)
    assert expected == wandb.fits(tmp_path / "x")
    assert not wandb.fits(tmp_path)


# ---------------------------------------------------------------- tables of runs


def test_a_table_of_runs_has_a_score_for_each_and_crashed_runs_have_failed() -> None:
    records = _read(DATA / "runs.csv").records
    expected = [(agent, "Walker2d-v4", seed) for agent in ("ppo", "sac") for seed in (1, 2, 3)]
    assert expected == _names(DATA / "runs.csv")
    assert [100.943] == records[0].final_returns.tolist()
    assert ("failed", "its state in Weights & Biases is 'crashed'") == (records[2].status, records[2].error)


def test_runs_of_a_table_without_arguments_are_known_by_their_names(tmp_path: Path) -> None:
    path = _write(tmp_path, ["Name", "State", EVAL], ["ppo_seed1", "finished", "1"], ["ppo_seed2", "Finished", "2"])
    assert [("ppo", "", 1), ("ppo", "", 2)] == _names(path)


def test_the_last_training_episode_is_a_noisy_score(tmp_path: Path) -> None:
    path = _write(tmp_path, ["Name", "State", "charts/episodic_return"], ["ppo_seed1", "finished", "1"])
    assert "is one training episode, a noisy score" in _notes(path, "warning")


@given(
    cells=st.lists(st.text(max_size=8), min_size=6, max_size=6),
    table=st.booleans(),
)
def test_any_cells_give_runs_or_one_error(
    cells: list[str], table: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    header = ["Name", "State", EVAL] if table else ["global_step", f"a_seed1 - {EVAL}", f"{cells[0]} - {EVAL}"]
    path = tmp_path_factory.mktemp("fuzz") / "export.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows([header, cells[:3], cells[3:]])
    with suppress(ImportFormatError, NotEnoughSeeds):
        for record in _read(path, format="wandb").records:
            assert np.isfinite(record.final_returns).all()
