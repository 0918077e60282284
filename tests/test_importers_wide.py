"""Wide tables: a column per agent or per seed, and what is refused because two readings fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import Hints, Imported
from rlaudit.scores import score_table

Scores = dict[tuple[str, str], dict[object, float]]


def _write(folder: Path, content: str) -> Path:
    path = folder / "wide.csv"
    path.write_text(content)
    return path


def _read(folder: Path, content: str, **hints: Any) -> Imported:
    return importers.read(_write(folder, content), Hints(**hints))


def _error(folder: Path, content: str, **hints: Any) -> str:
    with pytest.raises(ImportFormatError) as caught:
        importers.read(_write(folder, content), Hints(**hints))
    return str(caught.value).replace(f"{folder}/", "")


def _scores(imported: Imported) -> Scores:
    table = score_table(imported.records)
    return {(arm.agent, arm.task): dict(zip(arm.seeds, arm.scores.tolist(), strict=True)) for arm in table.arms}


# ---------------------------------------------------------------- one reading fits


def test_a_row_a_seed_and_a_column_an_agent(tmp_path: Path) -> None:
    read = _read(tmp_path, "seed,ppo,sac\n3,1,2\n4,5,6\n")
    assert {("ppo", ""): {3: 1, 4: 5}, ("sac", ""): {3: 2, 4: 6}} == _scores(read)
    assert "a column for each agent: 'ppo', 'sac'" in read.reading.notes[0].text


def test_tasks_may_stand_in_a_column(tmp_path: Path) -> None:
    read = _read(tmp_path, "task,seed,ppo,sac\nAnt,0,1,2\nAnt,1,5,6\nHopper,0,7,8\nHopper,1,9,0\n")
    assert {0: 8, 1: 0} == _scores(read)["sac", "Hopper"]


@pytest.mark.parametrize("names", ["seed_3,seed_4", "seed3,seed4", "Seed 3,Seed 4", "s3,s4", "run-3,run-4"])
def test_a_column_a_seed_and_a_row_an_agent(tmp_path: Path, names: str) -> None:
    read = _read(tmp_path, f"agent,{names}\nppo,1,2\nsac,5,6\n")
    assert {("ppo", ""): {3: 1, 4: 2}, ("sac", ""): {3: 5, 4: 6}} == _scores(read)


def test_a_column_a_seed_and_a_row_a_step_is_a_curve(tmp_path: Path) -> None:
    first, second = _read(tmp_path, "step,seed_0,seed_1\n10,1,2\n20,3,4\n", agent="ppo").records
    assert ([10, 20], [[1], [3]]) == (first.eval_steps.tolist(), first.eval_returns.tolist())
    assert ("ppo", 1, [4.0]) == (second.spec.agent, second.spec.seed, second.final_returns.tolist())


def test_columns_may_name_an_agent_and_a_seed(tmp_path: Path) -> None:
    read = _read(tmp_path, "step,ppo_seed_0,ppo_seed_1,my_sac_seed_0,my_sac_seed_1\n10,1,2,3,4\n")
    assert {("ppo", ""): {0: 1, 1: 2}, ("my_sac", ""): {0: 3, 1: 4}} == _scores(read)


def test_a_pattern_says_what_columns_are_called(tmp_path: Path) -> None:
    read = _read(tmp_path, "step,ppo/0,ppo/1\n10,1,2\n", names="{agent}/{seed}")
    assert {("ppo", ""): {0: 1, 1: 2}} == _scores(read)


def test_means_beside_the_seeds_are_no_seeds(tmp_path: Path) -> None:
    assert {("ppo", ""): {0: 1, 1: 2}} == _scores(_read(tmp_path, "agent,seed_0,seed_1,mean,std\nppo,1,2,1.5,0.7\n"))


@st.composite
def _pools(draw: st.DrawFn) -> dict[str, list[float]]:
    n_seeds = draw(st.integers(2, 5))
    scores = st.lists(st.floats(-1e6, 1e6), min_size=n_seeds, max_size=n_seeds)
    return draw(st.dictionaries(st.sampled_from(["ppo", "sac", "td3"]), scores, min_size=2))


@settings(deadline=None, max_examples=50)  # four files each
@given(pools=_pools())
def test_wide_tables_either_way_and_tidy_ones_hold_the_same(
    pools: dict[str, list[float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("wide")
    wide = pd.DataFrame(pools).rename_axis(index="seed")
    wide.to_csv(folder / "agents.csv")
    wide.T.add_prefix("seed_").rename_axis(index="agent").to_csv(folder / "seeds.csv")
    wide.T.rename(columns=str).rename_axis(index="agent").reset_index().to_parquet(folder / "numbers.parquet")
    wide.reset_index().melt("seed", var_name="agent", value_name="score").to_csv(folder / "tidy.csv", index=False)
    expected = {(agent, ""): dict(enumerate(scores)) for agent, scores in pools.items()}
    assert expected == _scores(importers.read(folder / "agents.csv"))
    assert expected == _scores(importers.read(folder / "seeds.csv"))
    assert expected == _scores(importers.read(folder / "numbers.parquet", Hints(axes=("agent", "seed"))))
    assert expected == _scores(importers.read(folder / "tidy.csv"))


# ---------------------------------------------------------------- two readings fit


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        ("seed,1,2\n0,1,3\n1,5,4\n", ["agents: --format wide --axes seed,agent", "steps: --format wide --axes seed,s"]),
        ("agent,1,2\na,1,3\nb,5,4\n", ["columns beside 'agent' are '1', '2'", "seeds: --format wide --axes agent,s"]),
        ("agent,seed,1,2\na,0,1,3\na,1,5,4\n", ["steps: --format wide --axes seed,step"]),
        ("step,ppo,sac\n1,1,3\n2,5,4\n", ["seeds: --format wide --axes step,seed --agent-name NAME"]),
        ("task,ppo,sac\nAnt,1,3\nHopper,5,4\n", ["agents: --format wide --axes seed,agent"]),
        ("agent,seed_0,total\na,1,3\nb,5,4\n", ["2 columns beside 'agent' are 'seed_0', 'total'"]),
        (",seed_0,seed_1\nppo,1,3\nsac,5,4\n", ["agents: --format wide --agent-column ''", "tasks: --format wide --t"]),
    ],
)  # fmt: skip
def test_where_two_readings_fit_the_user_is_asked(tmp_path: Path, content: str, fragments: list[str]) -> None:
    message = _error(tmp_path, content)
    assert [] == [fragment for fragment in fragments if fragment not in message]


@pytest.mark.parametrize(
    ("content", "hints", "expected"),
    [
        ("seed,1,2\n0,1,3\n1,5,4\n", {"axes": ("seed", "agent")}, {("1", ""): {0: 1, 1: 5}, ("2", ""): {0: 3, 1: 4}}),
        ("seed,1,2\n0,1,3\n1,5,4\n", {"axes": ("seed", "step"), "agent": "a"}, {("a", ""): {0: 3, 1: 4}}),
        ("agent,1,2\na,1,3\nb,5,4\n", {"axes": ("agent", "seed")}, {("a", ""): {1: 1, 2: 3}, ("b", ""): {1: 5, 2: 4}}),
        ("step,1,2\n9,1,3\n", {"axes": ("step", "seed"), "agent": "a"}, {("a", ""): {1: 1, 2: 3}}),
        ("ppo,sac\n1,3\n5,4\n", {"axes": ("seed", "agent")}, {("ppo", ""): {0: 1, 1: 5}, ("sac", ""): {0: 3, 1: 4}}),
        (",seed_0,seed_1\nppo,1,3\n", {"columns": {"agent": ""}}, {("ppo", ""): {0: 1, 1: 3}}),
        ("seed,Ant,Hopper\n0,1,3\n1,5,4\n", {"axes": ("seed", "task"), "agent": "a"},
         {("a", "Ant"): {0: 1, 1: 5}, ("a", "Hopper"): {0: 3, 1: 4}}),
    ],
)  # fmt: skip
def test_what_the_user_says_of_the_axes_holds(
    tmp_path: Path, content: str, hints: dict[str, Any], expected: Scores
) -> None:
    assert expected == _scores(_read(tmp_path, content, format="wide", **hints))


@pytest.mark.parametrize(
    ("content", "hints", "fragment"),
    [
        ("seed,a,b\n0,1,2\n", {"axes": ("seed",)}, "--axes seed: name what the rows and what the columns are"),
        ("seed,a,b\n0,1,2\n", {"axes": ("seed", "colour")}, "of agent, task, seed, step"),
        ("seed,a,b\n0,1,2\n", {"axes": ("agent", "seed")}, "column 'seed' is there, so that the other columns"),
        ("x,a,b\n0,1,2\n", {"axes": ("step", "seed")}, "no column 'step'"),
        ("step,a,b\n0,1,2\n", {"axes": ("step", "agent")}, "one number each, without any seeds"),
        ("Seed,a,b\n0,1,2\n", {"axes": ("seed", "agent")}, "is column 'Seed' the seed? --seed-column Seed"),
        ("seed\n0\n", {}, "and no column of results beside them"),
        ("seed,a_0,b\n0,1,2\n", {"names": "{agent}_{seed}"}, "does not fit the columns 'b'"),
        ("seed,a_s0,b_s1\n0,1,2\n", {"names": "{agent}_s{seed}"}, "column 'a_s0' does not say the seed as others do"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, content: str, hints: dict[str, Any], fragment: str) -> None:
    assert fragment in _error(tmp_path, content, format="wide", **hints)


def test_a_pattern_of_columns_is_never_matched_to_a_swapped_axis(tmp_path: Path) -> None:
    """Seeds 1 and 2 as columns are not read as agents 1 and 2, nor the other way round."""
    for content in ("agent,1,2\n1,1,3\n2,5,4\n", "seed,1,2\n1,1,3\n2,5,4\n"):
        assert "What are they?" in _error(tmp_path, content)


# ---------------------------------------------------------------- cells


def test_empty_cells_after_an_agents_last_score_are_seeds_that_were_not_run(tmp_path: Path) -> None:
    read = _read(tmp_path, "seed,ppo,sac\n0,1,2\n1,,3\n2,5,\n")
    assert [("ppo", "failed"), ("sac", "done")] == [
        (one.spec.agent, one.status) for one in read.records if one.spec.seed == 1
    ]
    assert [0, 1] == [one.spec.seed for one in read.records if one.spec.agent == "sac"]
    assert "1 empty cell after the last score of an agent: seeds that it was not run with" in [
        note.text for note in read.reading.notes
    ]


def test_a_table_without_a_single_score_is_refused(tmp_path: Path) -> None:
    assert "no run is left" in _error(tmp_path, "seed,ppo,sac\n0,,\n1,,\n", format="wide")


def test_nan_is_a_failed_run_wherever_it_stands(tmp_path: Path) -> None:
    read = _read(tmp_path, "seed,ppo,sac\n0,1,2\n1,2,3\n2,5,nan\n")
    assert f"no score (nan) in {tmp_path}/wide.csv:4 (sac)" == read.records[-1].error


def test_a_bad_cell_is_told_its_line_and_column(tmp_path: Path) -> None:
    message = _error(tmp_path, "seed,ppo,sac\n0,1,2\n1,2,3\n2,5,x\n")
    assert "wide.csv:4 (sac): column 'score': found 'x', expected a finite number" in message


def test_a_seed_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    message = _error(tmp_path, "seed,ppo,sac\n0,1,2\n0,2,3\n")
    assert "wide.csv:3 (ppo): seed 0 of agent 'ppo' is already in wide.csv:2 (ppo)" in message


def test_means_and_spreads_are_pointed_to_recheck(tmp_path: Path) -> None:
    message = _error(tmp_path, "task,ppo,sac\nAnt,231.2 ± 45,186 ± 120\nHopper,1 ± 2,3 ± 4\n")
    assert 'rlaudit recheck "231.2 ± 45 (n = N) vs 186 ± 120 (n = N)"' in message


def test_a_row_that_is_too_short_is_refused(tmp_path: Path) -> None:
    assert "wide.csv:3: found 2 cells, expected 3" in _error(tmp_path, "seed,ppo,sac\n0,1,2\n1,2\n")


def test_a_curve_that_ends_before_others_keeps_what_it_has(tmp_path: Path) -> None:
    first, second = _read(tmp_path, "step,s0,s1\n10,1,2\n20,3,\n", agent="ppo").records
    np.testing.assert_array_equal([[1], [3]], first.eval_returns)
    np.testing.assert_array_equal([[2]], second.eval_returns)
