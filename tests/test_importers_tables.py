"""Tables of scores: what is read, and what each bad table is told."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.errors import ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Hints, files
from rlaudit.scores import from_frame, score_table
from rlaudit.types import RunRecord, ScoreTable

GOOD = "agent,seed,score\nppo,0,1\nppo,1,2.5\na2c,0,-3\na2c,1,4e2\n"
CURVES = "agent,task,seed,step,value\nppo,Hopper,0,200,2\nppo,Hopper,0,100,1\nppo,Hopper,1,100,3\nppo,Hopper,1,200,5\n"


def _write(folder: Path, content: str | bytes, name: str = "scores.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _read(folder: Path, content: str | bytes, name: str = "scores.csv") -> list[RunRecord]:
    return list(importers.read(_write(folder, content, name)).records)


def _error(folder: Path, content: str | bytes, name: str = "scores.csv") -> str:
    path = _write(folder, content, name)
    with pytest.raises(ImportFormatError) as caught:
        importers.read(path)
    return str(caught.value).replace(f"{folder}/", "")


def _plain(table: ScoreTable) -> dict[tuple[str, str], dict[object, float]]:
    return {(arm.agent, arm.task): dict(zip(arm.seeds, arm.scores.tolist(), strict=True)) for arm in table.arms}


# ---------------------------------------------------------------- what is read


def test_a_row_is_a_run(tmp_path: Path) -> None:
    records = _read(tmp_path, GOOD)
    assert [(record.spec.agent, record.spec.seed, record.final_returns.tolist()) for record in records] == [
        ("ppo", 0, [1.0]),
        ("ppo", 1, [2.5]),
        ("a2c", 0, [-3.0]),
        ("a2c", 1, [400.0]),
    ]
    assert {"table"} == {record.spec.backend for record in records}
    assert {""} == {record.spec.task_label for record in records}


def test_runs_of_different_agents_have_different_ids(tmp_path: Path) -> None:
    assert 4 == len({record.spec.run_id for record in _read(tmp_path, GOOD)})


def test_rows_with_steps_are_a_curve_in_the_order_of_the_steps(tmp_path: Path) -> None:
    first, second = _read(tmp_path, CURVES)
    assert [100, 200] == first.eval_steps.tolist()
    assert [[1.0], [2.0]] == first.eval_returns.tolist()
    assert [5.0] == second.final_returns.tolist()
    assert (200, "Hopper") == (second.spec.timesteps, second.spec.task_label)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_separate_too(tmp_path: Path, separator: str) -> None:
    assert 4 == len(_read(tmp_path, GOOD.replace(",", separator)))


def test_a_gzipped_table_is_known_by_its_content(tmp_path: Path) -> None:
    assert 4 == len(_read(tmp_path, gzip.compress(GOOD.encode()), "scores.csv.gz"))
    assert 4 == len(_read(tmp_path, gzip.compress(GOOD.encode()), "no suffix"))


@pytest.mark.parametrize("mark", ["", "Unnamed: 0"])
def test_a_leading_index_without_a_name_is_left_out(tmp_path: Path, mark: str) -> None:
    lines = GOOD.splitlines()
    numbered = [f"{mark},{lines[0]}", *(f"{i},{line}" for i, line in enumerate(lines[1:]))]
    assert 4 == len(_read(tmp_path, "\n".join(numbered)))


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    assert 4 == len(_read(tmp_path, b"\xef\xbb\xbf\r\n" + GOOD.replace("\n", "\r\n\r\n").encode()))


def test_whole_numbers_are_seeds_and_other_text_is_a_seeds_name(tmp_path: Path) -> None:
    records = _read(tmp_path, "agent,seed,score\na,7,1\na,8.0,1\na,run_9,1\na,12345678901234567890,1\n")
    assert [7, 8, "run_9", 12345678901234567890] == [record.spec.seed for record in records]


def test_a_task_column_without_a_single_name_is_no_task(tmp_path: Path) -> None:
    assert {""} == {record.spec.task_label for record in _read(tmp_path, "agent,task,seed,score\na,,0,1\na,,1,2\n")}


@pytest.mark.parametrize("n_seeds", [2, 100])
def test_other_columns_are_left_alone(tmp_path: Path, n_seeds: int) -> None:
    rows = "".join(f",a,{seed},2\n" for seed in range(n_seeds))
    assert n_seeds == len(_read(tmp_path, f"host,agent,seed,score\n{rows}"))


def test_a_row_marked_failed_is_a_failed_run_with_its_error(tmp_path: Path) -> None:
    content = "agent,seed,score,status,error\na,0,1,done,\na,1,,failed,out of memory\na,2,nan,failed,\na,3,4,,\n"
    records = _read(tmp_path, content)
    assert ["done", "failed", "failed", "done"] == [record.status for record in records]
    assert "out of memory" == records[1].error
    assert str(records[2].error).endswith("scores.csv:4")


def test_a_failed_run_keeps_the_curve_it_had(tmp_path: Path) -> None:
    content = "agent,seed,step,value,status\na,0,10,1,done\na,1,10,2,done\na,1,20,nan,failed\na,2,,,failed\na,3,5,1,\n"
    records = _read(tmp_path, content)
    assert [10] == records[1].eval_steps.tolist()
    assert ["done", "failed", "failed", "done"] == [record.status for record in records]


def test_no_record_comes_before_everything_is_checked(tmp_path: Path) -> None:
    path = _write(tmp_path, GOOD + "ppo,2,oops\n")
    with pytest.raises(ImportFormatError):
        importers.read(path)


# ---------------------------------------------------------------- laws


@st.composite
def _frames(draw: st.DrawFn) -> pd.DataFrame:
    arms = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), min_size=1, unique=True))
    scores = st.floats(-1e6, 1e6)
    rows = [
        (agent, task, seed, draw(scores))
        for agent, task in arms
        for seed in draw(st.lists(st.integers(0, 99), min_size=2, max_size=5, unique=True))
    ]
    return pd.DataFrame(rows, columns=["agent", "task", "seed", "score"])


@given(frame=_frames(), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(frame: pd.DataFrame, shuffle: object) -> None:
    order = list(range(len(frame)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    tables_read = [from_frame(f) for f in (frame, frame.iloc[order])]
    assert _plain(tables_read[0]) == _plain(tables_read[1])
    assert all(list(arm.seeds) == sorted(arm.seeds) for arm in tables_read[1].arms)  # type: ignore[type-var]


@given(frame=_frames())
def test_csv_and_parquet_hold_the_same_scores(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tables")
    frame.to_csv(folder / "scores.csv")
    frame.to_parquet(folder / "scores.parquet")
    from_csv, from_parquet = (
        score_table(importers.read(folder / f"scores.{kind}").records) for kind in ("csv", "parquet")
    )
    assert _plain(from_csv) == _plain(from_parquet)
    expected = {(row.agent, row.task, row.seed): row.score for row in frame.itertuples()}
    assert expected == {
        (*arm, seed): score for arm, scores in _plain(from_csv).items() for seed, score in scores.items()
    }


def test_a_million_rows_are_read_in_a_few_seconds(tmp_path: Path) -> None:
    """2.7 s of CPU measured; a loop over rows in Python objects would take a minute."""
    import time

    n_runs, n_points = 2_000, 500
    run, step = np.divmod(np.arange(n_runs * n_points), n_points)
    lines = (f"a{r % 4},{r},{s}00,{r * s % 977 / 7}\n" for r, s in zip(run.tolist(), step.tolist(), strict=True))
    path = _write(tmp_path, "agent,seed,step,value\n" + "".join(lines))
    start = time.process_time()
    assert n_runs == len(importers.read(path).records)
    assert time.process_time() - start < 15


# ---------------------------------------------------------------- formats


def test_an_unknown_format_is_told_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"'tidyy' is not a format of results. Did you mean 'tidy'"):
        importers.read(tmp_path, Hints(format="tidyy"))


# ---------------------------------------------------------------- bad files


def test_a_missing_file_is_told_its_neighbour(tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    with pytest.raises(ImportFormatError, match=r"score.csv: no such file. Did you mean 'scores.csv'"):
        importers.read(tmp_path / "score.csv")


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"not a results folder of rlaudit, and nothing in it is known"):
        importers.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "fragment"),
    [
        ("empty.csv", b"", "empty.csv is empty. A tidy table has the columns agent,seed,score"),
        ("blank.csv", b"\n \n", "blank.csv is empty"),
        ("header.csv", b"agent,seed,score\n", "header.csv:1: there are column names, but no row"),
        ("binary.csv", bytes(range(256)), "binary.csv: found binary data, expected a table: CSV as UTF-8 text"),
        ("runs.npz", b"PK\x03\x04...", "found a zip archive"),
        ("wide.csv", "\ufeffagent,seed".encode("utf-16"), "found UTF-16 text"),
        ("latin.csv", GOOD.encode() + b"t\xe9,0,1\n", "latin.csv:6: found the byte 0xe9 at column 2, expected UTF-8"),
        (
            "torn.csv.gz",
            gzip.compress(GOOD.encode(), mtime=0)[:-9],
            "torn.csv.gz cannot be read",
        ),  # no clock in its name
        ("torn.parquet", b"PAR1 and then nothing", "torn.parquet cannot be read as Parquet"),
        ("line.csv", b"agent,seed,score\n" + b"a" * 2**21, "line.csv:2: the line is longer than 1,048,576 bytes"),
        ("quote.csv", b'agent,seed,score\na,0,"1\na,1,2\n', "Is a quotation mark left open"),
    ],
)
def test_a_file_that_is_no_table_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, fragment: str) -> None:
    assert fragment in _error(tmp_path, content, name)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10_000)
    content = gzip.compress(b"agent,seed,score\n" + b"a,0,1\n" * 100_000)
    assert "holds more than" in _error(tmp_path, content, "scores.csv.gz")


# ---------------------------------------------------------------- bad headers


@pytest.mark.parametrize(
    ("header", "fragments"),
    [
        (
            "Algo,seed,score",
            ["scores.csv:1: no column 'agent'. Did you mean 'Algo'?", "--agent-column Algo"],
        ),
        ("agent,seed,scroe", ["no column 'score'. Did you mean 'scroe'?"]),
        ("agent,seed,Return", ["no column 'score'. Did you mean 'Return'?"]),
        ("agent,seed,value", ["no column 'step'.", "agent,seed,step,value for learning curves"]),
        ("agent,seed,step", ["no column 'value'."]),
        ("ppo,a2c", ["found 'ppo', 'a2c', and neither agents nor results", "A wide table", "--axes seed,agent"]),
        ("seed,score", ["no column 'agent'. Found 'seed', 'score'.", "--agent-name NAME", "--names '{agent}'"]),
        ("agent,score", ["no column 'seed'. Found 'agent', 'score'.", "--names '{agent}_seed{seed}'"]),
        (
            "agent,score,mean",
            ["this is a summary (column 'mean'), in which the single seeds are gone", "a row per seed"],
        ),
        ("agent,mean_return,std_return", ["summary (column 'mean_return', 'std_return')"]),
        ("agent,seed,score,score", ["column 'score' stands there 2 times", "Keep one of them"]),
        ("agent,seed,step,score,value", ["both 'score' and 'value' are there", "--score-column score"]),
        ("env_id,agent,seed,score", ["no column 'task'. Did you mean 'env_id'?", "--task-column env_id"]),
        ("agent,seed,step,score", ["column 'score' stands beside 'step'", "A learning curve? --value-column score"]),
    ],
)
def test_a_bad_header_is_told_its_place_and_the_way_out(tmp_path: Path, header: str, fragments: list[str]) -> None:
    message = _error(tmp_path, f"{header}\n{','.join('1' * len(header.split(',')))}\n")
    assert [] == [fragment for fragment in fragments if fragment not in message]


# ---------------------------------------------------------------- bad cells


@pytest.mark.parametrize(
    ("row", "fragments"),
    [
        ("ppo,2,abc", ["scores.csv:6: column 'score': found 'abc', expected a finite number"]),
        ("ppo,2,-inf", ["found '-inf', expected a finite number", "leave the cell empty"]),
        ("ppo,2,1e999", ["found '1e999', expected a finite number"]),
        ("ppo,2,-1e300", ["found -1e+300, expected a number below 1e+100, whose square is one, too"]),
        ("ppo,2,True", ["found 'True', expected a finite number"]),
        ("ppo,2,1_000", ["found '1_000', expected a finite number"]),
        ('ppo,2,"1,5"', ["found '1,5'", "Write a decimal point, not a comma"]),
        ('ppo,2,"1,500"', ["found '1,500'", "Write numbers without thousands separators"]),
        ("ppo,2,1 500", ["found '1 500'", "Write numbers without thousands separators"]),
        (f"ppo,2,{'x' * 99}", ["found 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., expected"]),
        (",2,1", ["column 'agent': found nothing, expected a name"]),
        ("ppo,,1", ["column 'seed': found nothing, expected a whole number or a name"]),
        ("ppo,1.5,1", ["column 'seed': found '1.5', expected a whole number or a name"]),
        ("ppo,nan,1", ["column 'seed': found 'nan'"]),
        ("ppo,true,1", ["column 'seed': found 'true'"]),
        ("ppo,2", ["scores.csv:6: found 2 cells, expected 3"]),
        ("ppo,2,1,5", ["scores.csv:6: found 4 cells, expected 3", "in quotes"]),
        ("ppo,1,9", ["scores.csv:6: seed 1 of agent 'ppo' is already in scores.csv:3", "Episodes are not seeds"]),
        ("ppo,01,9", ["seed 1 of agent 'ppo' is already in scores.csv:3"]),
    ],
)
def test_a_bad_cell_is_told_its_line_what_was_found_and_what_was_expected(
    tmp_path: Path, row: str, fragments: list[str]
) -> None:
    message = _error(tmp_path, f"{GOOD}{row}\n")
    assert [] == [fragment for fragment in fragments if fragment not in message]


@pytest.mark.parametrize("step", ["10.5", "-1", "ten", "1e30"])
def test_a_step_is_a_whole_number(tmp_path: Path, step: str) -> None:
    assert f"scores.csv:6: column 'step': found '{step}'" in _error(tmp_path, f"{CURVES}ppo,Hopper,1,{step},3\n")


def test_two_values_of_a_seed_at_one_step_are_refused(tmp_path: Path) -> None:
    message = _error(tmp_path, f"{CURVES}ppo,Hopper,1,2e2,3\n")
    assert "scores.csv:6: seed 1 of agent 'ppo' on 'Hopper' at step 200 is already in scores.csv:5" in message


def test_a_status_is_done_or_failed(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,score,status\na,0,1,crashed\na,1,1,done\n")
    assert "column 'status': found 'crashed', expected 'done' or 'failed'" in message


def test_the_line_is_right_below_cells_with_line_breaks(tmp_path: Path) -> None:
    assert "scores.csv:5: column 'score'" in _error(tmp_path, 'agent,seed,score\n"a\nb",0,1\n\n"a\nb",1,x\n')


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,score\na,1.5,1\n,0,1\na,1,x\na,2,1\na,2,1\n")
    assert [f"scores.csv:{line}" for line in (2, 3, 4, 6)] == [line.split(": ")[0] for line in message.splitlines()[:4]]


def test_of_many_problems_ten_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,score\n" + "".join(f"a,{i},x\n" for i in range(1000)))
    assert 10 == message.count("expected a finite number")
    assert "\nand 990 more\n" in message


def test_one_seed_an_agent_is_not_enough(tmp_path: Path) -> None:
    path = _write(tmp_path, "agent,seed,score\nppo,0,1\na2c,0,1\na2c,1,1\n")
    with pytest.raises(NotEnoughSeeds, match=r"one seed only for 'ppo'. One seed says nothing about the spread"):
        importers.read(path)


def test_parquet_cells_are_checked_like_text_and_counted_by_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"agent": ["a"] * 4, "seed": [0, 1, 2, 3], "score": [1.0, 2.0, np.inf, 1.0]})
    frame.to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(ImportFormatError, match=r"scores.parquet, row 2: column 'score': found inf"):
        importers.read(tmp_path / "scores.parquet")


@pytest.mark.parametrize("column", ["seed", "score"])
def test_booleans_are_neither_seeds_nor_scores(tmp_path: Path, column: str) -> None:
    frame = pd.DataFrame({"agent": ["a", "a"], "seed": [0, 1], "score": [1.0, 2.0]} | {column: [True, False]})
    frame.to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(ImportFormatError, match=rf"column '{column}': found True"):
        importers.read(tmp_path / "scores.parquet")


def test_a_parquet_file_of_lists_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    pd.DataFrame({"agent": [["a"], ["b"]], "seed": [[0], [1]], "score": [[1.0], [2.0]]}).to_parquet(
        tmp_path / "x.parquet"
    )
    with pytest.raises(ImportFormatError, match=r"column 'score': found \[1.0\]"):
        importers.read(tmp_path / "x.parquet")


@given(content=st.binary(max_size=300))
def test_any_bytes_give_records_or_one_error(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = _write(tmp_path_factory.mktemp("fuzz"), b"agent,seed,score\n" + content)
    with suppress(ImportFormatError, NotEnoughSeeds):
        assert {"done", "failed"} >= {record.status for record in importers.read(path).records}
