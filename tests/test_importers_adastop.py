"""AdaStop's CSVs: a file per interim with new seeds, in which some agents are no longer there."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_data import FOLDER
from test_walker2d import walker2d

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import Hints, adastop, fitting
from rlaudit.scores import score_table

DATA = Path(__file__).parent / "data" / "adastop"


def write(folder: Path, text: str, name: str = "one.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def error(path: Path) -> str:
    with pytest.raises(ImportFormatError) as caught:
        importers.read(path, Hints(format="adastop"))
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_folder_is_one_experiment_whose_agents_leave() -> None:
    imported = importers.read(DATA)
    assert [("PPO", 5), ("SAC", 20), ("TD3", 20)] == [(arm.agent, arm.n_seeds) for arm in imported.reading.arms]
    warnings = [note.text for note in imported.reading.notes if note.kind == "warning"]
    assert any("files: PPO in 1, SAC in 4 and TD3 in 4" in text for text in warnings)


def test_the_files_together_are_the_folder() -> None:
    apart = importers.read(sorted(DATA.glob("*.csv"))).records
    assert {
        (record.spec.agent, record.spec.seed, record.final_returns[0]) for record in importers.read(DATA).records
    } == {(record.spec.agent, record.spec.seed, record.final_returns[0]) for record in apart}


def test_seeds_are_called_by_file_and_row() -> None:
    found = adastop.read(DATA / "interim2.csv", Hints(task="Walker2d"))
    assert ["interim2/0", "interim2/1"] == [run.seed for run in found.runs[:2]]
    assert {"Walker2d"} == {run.task for run in found.runs}


def test_files_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9):
        write(tmp_path, f",a,b\n0,{number},1\n1,2,3\n", f"interim{number}.csv")
    assert "interim9/0" == adastop.read(tmp_path, Hints()).runs[0].seed


def test_the_same_scores_in_two_files_are_doubted(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write(tmp_path, ",a,b\n0,1.5,7\n1,2,7\n", name)
    warnings = [note.text for note in adastop.read(tmp_path, Hints()).notes if note.kind == "warning"]
    assert ["one and two hold the same scores of 'a': the same seeds twice?"] == warnings  # b is constant


def test_an_empty_cell_is_a_failed_run(tmp_path: Path) -> None:
    runs = adastop.read(write(tmp_path, ",a,b\n0,1,2\n1,,nan\n"), Hints()).runs
    assert [None, False, None, False] == [None if run.error is None else bool(len(run.final)) for run in runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (",a,b\n0,1,2\n1,3,nan\n", True),
        ('"",a\n0,1\n', True),
        (",a,b\n", False),
        ("x,a,b\n0,1,2\n", False),
        (",a,b\n1,1,2\n", False),
        (",a,b\n0,1,oops\n", False),
        (",seed,ppo\n0,1,2\n", False),
        (",0,1\n0,1,2\n", False),
        (",agent,seed,score\n0,ppo,0,1\n", False),
        ("", False),
    ],
)
def test_a_file_fits_by_its_index_and_its_numbers(tmp_path: Path, text: str, expected: bool) -> None:
    assert expected is ("adastop" in fitting(write(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (",a,b\n0,1,x\n1,y,2\n", "one.csv:3: column 'a': found 'y', expected a score"),
        (",a,b\n0,1,2\n1,3\n", "one.csv:3: found 2 cells, expected 3"),
        (",a,a\n0,1,2\n", "one.csv:1: column 'a' stands there 2 times"),
        (",a,\n0,1,2\n", "one.csv:1: a column has no name"),
        (",a\n0,inf\n1,2\n", "found inf, expected a finite number"),
        ("", "one.csv is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in error(write(tmp_path, text))


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2), min_size=1, max_size=8))
def test_every_number_is_read_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]
) -> None:
    lines = [",a,b", *(f"{i},{a!r},{b!r}" for i, (a, b) in enumerate(rows))]
    runs = adastop.read(write(tmp_path_factory.mktemp("bits"), "\n".join(lines)), Hints()).runs
    assert [row[0] for row in rows] + [row[1] for row in rows] == [run.final[0] for run in runs]


def test_the_walker2d_results_come_from_folder_to_scores() -> None:
    expected = walker2d()
    table = score_table(importers.read(FOLDER / "walker2d", Hints(task="Walker2d")).records)
    for arm in expected.arms:
        found = table.arm(arm.agent, "Walker2d")
        assert dict(zip(arm.seeds, arm.scores, strict=True)) == dict(zip(found.seeds, found.scores, strict=True))
        assert np.isfinite(found.scores).all()
