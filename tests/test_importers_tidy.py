"""Tidy tables beyond one number a row: episodes, what is missing, what is no seed; and JSON lines."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit import importers, rechecking
from rlaudit.errors import ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Imported, json_lines


def _read(folder: Path, content: str | bytes, name: str = "scores.csv") -> Imported:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return importers.read(path)


def _error(folder: Path, content: str | bytes, name: str = "scores.csv") -> str:
    with pytest.raises(ImportFormatError) as caught:
        _read(folder, content, name)
    return str(caught.value).replace(f"{folder}/", "")


def _notes(imported: Imported, kind: str) -> list[str]:
    return [note.text for note in imported.reading.notes if note.kind == kind]


# ---------------------------------------------------------------- episodes


def test_episodes_of_a_seed_are_one_run_and_never_seeds(tmp_path: Path) -> None:
    read = _read(tmp_path, "agent,seed,episode,score\na,0,1,3\na,0,0,1\na,1,0,5\na,1,1,7\n")
    assert [(0, [1, 3]), (1, [5, 7])] == [(one.spec.seed, one.final_returns.tolist()) for one in read.records]


def test_episodes_of_an_evaluation_stand_side_by_side_and_the_last_evaluation_is_final(tmp_path: Path) -> None:
    content = "agent,seed,step,episode,value\na,0,20,1,5\na,0,20,0,4\na,0,20,2,6\na,0,10,0,1\na,0,10,1,2\na,1,10,0,3\n"
    first, second = _read(tmp_path, content).records
    assert [10, 20] == first.eval_steps.tolist()
    np.testing.assert_array_equal([[1, 2, np.nan], [4, 5, 6]], first.eval_returns)
    assert ([4, 5, 6], [3]) == (first.final_returns.tolist(), second.final_returns.tolist())


def test_episodes_are_in_the_order_of_their_numbers_and_not_of_their_text(tmp_path: Path) -> None:
    rows = "".join(f"a,{seed},{episode},{episode}\n" for seed in (0, 1) for episode in (10, 9, 2, 0))
    assert [0, 2, 9, 10] == _read(tmp_path, f"agent,seed,episode,score\n{rows}").records[0].final_returns.tolist()


def test_rows_of_the_final_stage_are_no_points_of_the_curve(tmp_path: Path) -> None:
    content = "agent,seed,step,value,stage\na,0,10,1,curve\na,0,10,9,final\na,0,20,2,\na,1,10,3,curve\n"
    first, second = _read(tmp_path, content).records
    assert ([10, 20], [9]) == (first.eval_steps.tolist(), first.final_returns.tolist())
    assert [3] == second.final_returns.tolist()


def test_an_episode_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,step,episode,value\na,0,10,0,1\na,0,10,0,2\na,1,10,0,3\n")
    assert "scores.csv:3: seed 0 of agent 'a' at step 10, episode 0 is already in scores.csv:2" in message


def test_rows_of_a_seed_without_episode_are_told_the_columns_that_would_tell_them_apart(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,eval_episode,score\na,0,0,1\na,0,1,2\na,1,0,3\n")
    assert "Episodes are not seeds: average them, or say which is which: --episode-column eval_episode" in message


@st.composite
def _runs(draw: st.DrawFn) -> list[tuple[str, object, list[tuple[int, list[float]]], str]]:
    """(agent, seed, [(step, returns)], error) for several runs; failed ones may have no evaluation."""
    labels = st.one_of(st.integers(0, 10**12), st.sampled_from(["run_a", "b-1", "x y"]))
    seeds = draw(st.lists(labels, min_size=2, max_size=4, unique=True))
    runs = []
    for agent in ("ppo", "a,b"):
        for seed in seeds:
            error = draw(st.sampled_from(["", "", 'said "no"\nand stopped']))
            steps = sorted(draw(st.sets(st.integers(0, 10**9), min_size=0 if error else 1, max_size=4)))
            returns = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=3)
            runs.append((agent, seed, [(step, draw(returns)) for step in steps], error))
    return runs


def _rows(runs: Sequence[tuple[str, object, list[tuple[int, list[float]]], str]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for agent, seed, curve, error in runs:
        run = {"agent": agent, "seed": seed, "status": "failed" if error else "done", "error": error}
        points = [(step, k, value) for step, values in curve for k, value in enumerate(values)]
        rows += [{**run, "step": step, "episode": k, "value": value} for step, k, value in points or [(None,) * 3]]
    return rows


@settings(deadline=None, max_examples=50)  # four files each
@given(runs=_runs(), shuffle=st.randoms(use_true_random=False))
def test_curves_episodes_names_and_errors_survive_every_form_of_a_table(
    runs: list[tuple[str, object, list[tuple[int, list[float]]], str]],
    shuffle: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    rows = _rows(runs)
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    frame = pd.DataFrame(rows).astype({"seed": str, "step": "Int64", "episode": "Int64"})
    frame.to_csv(folder / "x.csv", index=False)
    frame.to_parquet(folder / "x.parquet")
    (folder / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "x.json.gz").write_bytes(gzip.compress(json.dumps(rows, indent=1).encode()))
    expected = {(agent, seed): (curve, error or None) for agent, seed, curve, error in runs}
    for name in ("x.csv", "x.parquet", "x.jsonl", "x.json.gz"):
        records = importers.read(folder / name).records
        read = {
            (one.spec.agent, one.spec.seed): (
                [
                    (step, values[~np.isnan(values)].tolist())
                    for step, values in zip(one.eval_steps.tolist(), one.eval_returns, strict=True)
                ],
                one.error,
            )
            for one in records
        }
        assert expected == read, name


# ---------------------------------------------------------------- what is missing


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "N/A", "null", "None", "-nan", " "])
def test_a_seed_without_a_score_is_a_failed_run_and_said_once(tmp_path: Path, cell: str) -> None:
    read = _read(tmp_path, f"agent,seed,score\na,0,1\na,1,{cell}\nb,0,{cell}\nb,1,2\n")
    assert ["done", "failed", "failed", "done"] == [one.status for one in read.records]
    assert f"in {tmp_path}/scores.csv:3" in str(read.records[1].error)
    assert ["2 of 4 runs without a number count as failed: 'a' seed 1, 'b' seed 0"] == _notes(read, "rule")


def test_a_value_that_is_missing_is_an_evaluation_that_did_not_happen(tmp_path: Path) -> None:
    content = "agent,seed,step,value\na,0,10,1\na,0,20,nan\na,0,30,3\na,1,10,1\na,1,20,2\na,1,30,\n"
    first, second = _read(tmp_path, content).records
    assert ([10, 30], [10, 20]) == (first.eval_steps.tolist(), second.eval_steps.tolist())
    assert ["2 values that are nan or empty, in 2 of 2 runs: 'a' seed 0, 'a' seed 1"] == _notes(
        _read(tmp_path, content), "left_out"
    )


def test_a_curve_without_any_value_is_a_failed_run(tmp_path: Path) -> None:
    read = _read(tmp_path, "agent,seed,step,value\na,0,10,1\na,1,10,nan\na,2,,\n")
    assert ["done", "failed", "failed"] == [one.status for one in read.records]
    assert f"no value (nothing) in {tmp_path}/scores.csv:4" == read.records[2].error


def test_what_a_failed_run_has_without_a_step_is_no_point(tmp_path: Path) -> None:
    read = _read(tmp_path, "agent,seed,step,value,status\na,0,10,1,\na,1,,2,failed\na,1,10,3,failed\n")
    assert ("failed", [10], [[3.0]]) == (
        read.records[1].status,
        read.records[1].eval_steps.tolist(),
        read.records[1].eval_returns.tolist(),
    )


def test_a_step_that_is_missing_beside_a_value_is_refused(tmp_path: Path) -> None:
    assert "scores.csv:3: column 'step': found nothing" in _error(tmp_path, "agent,seed,step,value\na,0,1,1\na,1,,2\n")


def test_padded_seeds_are_numbers_so_that_a_run_is_never_counted_twice(tmp_path: Path) -> None:
    assert [7, 8] == [one.spec.seed for one in _read(tmp_path, "agent,seed,score\na,007,1\na,008,2\n").records]
    assert "seed 7 of agent 'a' is already in" in _error(tmp_path, "agent,seed,score\na,007,1\na,7,1\na,8,2\n")


# ---------------------------------------------------------------- no seeds at all


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ("agent,score\nppo,231.2 ± 45\nsac,186 ± 120\n", '"231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"'),
        ("agent,score\nppo,231.2 +- 45\nsac,186 +/- 120\n", '"231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"'),
        ("agent,score\nppo,231.2 (45)\nsac,186 (120)\n", '"231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"'),
        ("agent,score\nppo,$231.2 \\pm 45$\nsac,$-186 \\pm 120$\n", '"231.2 ± 45 (n = N) vs -186 ± 120 (n = N)"'),
        ("algo,env,mean,std,n\nppo,A,231.2,45,5\nsac,A,186,120,6\n", '"231.2 ± 45 (n = 5) vs 186 ± 120 (n = 6)"'),
        ("agent,mean_return,std_return\nppo,231.2,45\nsac,186,120\n", '"231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"'),
        ("agent,mean,sem,n_seeds\nppo,231.2,45,5\nsac,186,12,6\n", '"231.2 ± 45 se (n = 5) vs 186 ± 12 se (n = 6)"'),
        (",PPO,SAC\nHopper,231.2 ± 45,186 ± 120\n", '"231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"'),
    ],
)
def test_means_and_spreads_are_pointed_to_a_recheck_that_can_be_run(tmp_path: Path, content: str, command: str) -> None:
    message = _error(tmp_path, content)
    assert "in which the single seeds are gone" in message
    assert f"rlaudit recheck {command}" in message
    assert 1 == len(rechecking.recheck(command.strip('"').replace("N", "5")).results)


def test_a_single_mean_and_spread_among_scores_is_told_too(tmp_path: Path) -> None:
    rows = "".join(f"a,{seed},{seed}\n" for seed in range(30))
    message = _error(tmp_path, f"agent,seed,score\n{rows}a,30,3 ± 1\n")
    assert "scores.csv:32: column 'score': found '3 ± 1', a mean and its spread, expected a finite number" in message


def test_a_mean_over_episodes_beside_a_seed_is_no_summary(tmp_path: Path) -> None:
    message = _error(tmp_path, "agent,seed,mean_reward\na,0,1\na,1,2\n")
    assert "no column 'score'. Did you mean 'mean_reward'?" in message


def test_thousands_of_seeds_are_doubted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = "".join(f"a,{seed},{score}\n" for seed, score in enumerate(rng.normal(size=1000)))
    assert ["1,000 seeds of one agent ('a'): are they runs, or the episodes of one run?"] == _notes(
        _read(tmp_path, f"agent,seed,score\n{rows}"), "warning"
    )


def test_scores_that_rise_with_the_numbers_of_the_seeds_are_doubted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = "".join(f"a,{i},{i / 50 + noise}\n" for i, noise in enumerate(rng.normal(size=200)))
    (note,) = _notes(_read(tmp_path, f"agent,seed,score\n{rows}"), "warning")
    assert note.startswith("the scores of 'a' follow the numbers of the seeds")


@pytest.mark.parametrize("draw", ["normal", "bimodal", "tied"])
def test_independent_seeds_are_not_doubted(tmp_path: Path, draw: str) -> None:
    """100 pools of 100 seeds of each kind; the note is for correlations that chance gives once in 500 million."""
    rng = np.random.default_rng(1)
    pools = {
        "normal": rng.normal(size=(100, 100)),
        "bimodal": rng.normal(size=(100, 100)) + 1e3 * rng.integers(2, size=(100, 100)),
        "tied": rng.integers(0, 2, size=(100, 100)) * 500.0,
    }[draw]
    rows = "".join(f"a{a},{seed},{score}\n" for a, pool in enumerate(pools) for seed, score in enumerate(pool))
    assert [] == _notes(_read(tmp_path, f"agent,seed,score\n{rows}"), "warning")


# ---------------------------------------------------------------- other forms


def test_lines_above_the_header_that_are_comments_are_skipped_and_counted(tmp_path: Path) -> None:
    assert "scores.csv:4: column 'score'" in _error(tmp_path, "# made by hand\n\nagent,seed,score\na,0,x\n")


@pytest.mark.parametrize(
    ("name", "content", "fragment"),
    [
        ("x.xlsx", b"PK\x03\x04" + b"." * 26 + b"[Content_Types].xml", "found an Excel workbook, expected a table"),
        ("x.xlsx", b"PK\x03\x04" + b"." * 26 + b"[Content_Types].xml", "Save the sheet as CSV UTF-8"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "found an old Excel workbook"),
        ("x.jsonl", b'{"agent": "a", "seed": 0, "score": 1}\n{"agent": "a", "se', "x.jsonl:2 is no JSON"),
        ("x.jsonl", b'{"agent": "a", "seed": 0, "score": 1}\n[1]', "x.jsonl:2: found [1], expected an object"),
        ("x.jsonl", b'{"agent": 1} {"agent": 2}', "x.jsonl:1: found '{\"agent\": 2}' after the object"),
        ("x.jsonl", b'{"agent": "a", "agent": "b"}', "x.jsonl:1 cannot be read: key 'agent' stands there twice"),
        ("x.jsonl", b'{"agent": "a", "seed": 0, "score": {"a": 1}}', "found {'a': 1}, expected a finite number"),
        ("x.jsonl", b'{"agent": "a", "score": ' + b"9" * 5000 + b"}", "x.jsonl:1 cannot be read"),
        ("x.jsonl", b'{"agent": ' + b"[" * 100_000, "x.jsonl:1 cannot be read"),
        ("x.json", b'[{"agent": "a", "seed": 0, "score": 1}, 3]', "x.json, item 2: found 3, expected an object"),
        ("x.json", b'[{"agent": "a", "seed": 0, "score": 1} 3]', "x.json, item 1: found '3]' after it"),
        ("x.json", b'[{"agent": "a", "seed": 0, "score": "x"}]', "x.json, item 1: column 'score': found 'x'"),
        ("x.json", b'[{"agent": "a", "seed": 0, "score": 1}] 3', "found '3' after the list"),
        ("x.json", b'[{"agent": "a", "seed": 0', "x.json, item 1 is no JSON"),
        ("x.json", b'[{"agent": "\xff"}]', "x.json: found the byte 0xff, expected UTF-8"),
        ("x.json", b'{\n "agent": "a"\n}', "A table is an object a line, or a list of objects"),
        ("x.json", b"[]", "x.json is empty"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, fragment: str) -> None:
    assert fragment in _error(tmp_path, content, name)


def test_a_key_that_comes_late_or_is_left_out_is_an_empty_cell(tmp_path: Path) -> None:
    lines = '{"agent": "a", "seed": 0, "score": 1}\n{"agent": "a", "seed": 1, "status": "failed", "error": "stopped"}\n'
    done, failed = _read(tmp_path, lines, "x.ndjson").records
    assert ("done", "failed", "stopped") == (done.status, failed.status, failed.error)


def test_a_list_that_is_too_long_is_told_to_become_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_LIST", 1000)
    assert "Write JSON lines" in _error(tmp_path, json.dumps([{"agent": "a", "seed": 0, "score": 1}] * 100), "x.json")


def test_keys_without_end_are_no_table(tmp_path: Path) -> None:
    assert "different keys" in _error(tmp_path, json.dumps({f"k{i}": 0 for i in range(10_001)}), "x.jsonl")


def test_categories_of_parquet_are_labels(tmp_path: Path) -> None:
    names = [f"agent {i}" for i in range(300)]
    frame = pd.DataFrame({"agent": names * 2, "seed": [0] * 300 + [1] * 300, "score": range(600)})
    frame.astype({"agent": "category"}).to_parquet(tmp_path / "x.parquet")
    assert [(name, 2) for name in names] == [
        (arm.agent, arm.n_seeds) for arm in importers.read(tmp_path / "x.parquet").reading.arms
    ]


def test_a_column_of_parquet_is_never_taken_for_one_below_it(tmp_path: Path) -> None:
    """Parquet calls the field `std` of a record `score` by the name "score.std", too."""
    frame = pd.DataFrame({"score.std": [9.0, 9.0], "score": [1.0, 2.0], "agent": "a", "seed": [0, 1]})
    frame.to_parquet(tmp_path / "x.parquet")
    assert [1, 2] == [float(one.final_returns[0]) for one in importers.read(tmp_path / "x.parquet").records]


@pytest.mark.parametrize("start", [b'{"agent": "a", "seed": 0, "score": 1}\n', b"[", b"PAR1", b"\x1f\x8b"])
@settings(deadline=None, max_examples=50)
@given(content=st.binary(max_size=200))
def test_any_bytes_after_any_start_give_records_or_one_error(
    start: bytes, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x"
    path.write_bytes(start + content)
    importers.fitting(path)
    with pytest.raises((ImportFormatError, NotEnoughSeeds)):
        importers.read(path)


@pytest.mark.parametrize(("end", "doubted"), [("\n", False), ("\r\n", False), ("", True)])
def test_a_last_line_without_an_end_is_told(end: str, doubted: bool, tmp_path: Path) -> None:
    """A number that was cut still is a number; nothing but the missing end of the line tells."""
    (tmp_path / "scores.csv").write_bytes(f"agent,seed,score{end or chr(10)}a,0,1\na,1,25{end}".encode())
    notes = importers.read(tmp_path / "scores.csv").reading.notes
    assert doubted == any("the last line has no end" in note.text for note in notes)
