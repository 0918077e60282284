"""Exports: each is read back by rlaudit's own importer, and says or refuses what it cannot hold."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import record, spec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlaudit import importers
from rlaudit.errors import ExportError, StoreError
from rlaudit.exporters import EXPORTERS, export, exporter_of
from rlaudit.results import ReadNote
from rlaudit.types import IMPORTED, RunRecord, RunSpec, SeedLabel, Seeds

TIDY = ("tidy.csv", "tidy.csv.gz", "tidy.parquet")
STEPS = (100, 200)


def run(
    agent: str = "ppo",
    seed: SeedLabel = 0,
    task: str = "Hopper",
    *,
    steps: Sequence[int] = STEPS,
    returns: Any = None,
    final: Any = None,
    error: str | None = None,
) -> RunRecord:
    """A run with a curve; its last evaluation is the final one unless another is given."""
    if returns is None:
        returns = [[len(agent) + step / 7] for step in steps]
    curve = np.array(returns, np.float64) if len(steps) else np.empty((0, 0))
    last = curve[-1][np.isfinite(curve[-1])] if len(curve) else np.empty(0)
    of = RunSpec(agent, task, agent, max(steps, default=0), seed, Seeds(0, 0, 0), backend=IMPORTED)
    status = "done" if error is None else "failed"
    return RunRecord(
        of, status, np.array(steps), curve, final_returns=last if final is None else np.array(final), error=error
    )


def score(agent: str = "ppo", seed: SeedLabel = 0, value: float | Sequence[float] = 1.5, **changes: Any) -> RunRecord:
    """A run of which only its final score is known."""
    return run(agent, seed, steps=(), final=np.atleast_1d(value), **changes)


def lost(agent: str = "ppo", seed: SeedLabel = 9, **changes: Any) -> RunRecord:
    return run(agent, seed, steps=(), final=[], error="out of memory", **changes)


def plain(records: Iterable[RunRecord]) -> dict[tuple[str, str, SeedLabel], Any]:
    """All that a format of results is about."""
    return {
        (one.spec.agent, one.spec.task_label, one.spec.seed): (
            one.status,
            one.eval_steps.tolist(),
            np.nan_to_num(one.eval_returns, nan=-9e9).tolist() if len(one.eval_steps) else [],
            one.final_returns.tolist(),
            one.error,
        )
        for one in records
    }


def back(path: Path) -> tuple[RunRecord, ...]:
    return importers.read(path, single_seeds=True).records


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def notes(records: Sequence[RunRecord], target: Path) -> list[ReadNote]:
    return list(export(records, target).notes)


def refusal(records: Sequence[RunRecord], target: Path) -> str:
    with pytest.raises(ExportError) as caught:
        export(records, target)
    assert not target.exists()
    return str(caught.value)


GRID = [run(agent, seed, task) for agent in ("ppo", "a2c") for task in ("Hopper", "Walker") for seed in range(3)]
EVERY = pytest.mark.parametrize("name", EXPORTERS)


# ---------------------------------------------------------------- all formats


@EVERY
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    export(GRID, tmp_path / name)
    assert plain(GRID) == plain(back(tmp_path / name))


@EVERY
def test_a_task_without_a_name_and_seeds_with_names_are_read_back(tmp_path: Path, name: str) -> None:
    runs = [run(agent, seed, "") for agent in ("PPO v2", "ALE/a b") for seed in (-3, 7, "run_b", "../x", "🤖 é")]
    export(runs, tmp_path / name)
    assert plain(runs) == plain(back(tmp_path / name))


@EVERY
def test_any_name_that_ends_so_is_in_that_format_and_recognised(tmp_path: Path, name: str) -> None:
    target = tmp_path / f"My.Results{EXPORTERS[name].ending.upper()}"
    written = export(GRID, target)
    assert ((str(target),), (name,)) == (written.sources, written.formats)
    assert name.split(".")[0] == importers.fitting(target)[0]


@EVERY
def test_the_same_runs_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    for folder in ("a", "b"):
        export(GRID, tmp_path / folder / name)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@EVERY
def test_what_is_left_behind_is_said(tmp_path: Path, name: str) -> None:
    trained = [record(spec(seed)) for seed in range(2)]
    left_out = [note.text for note in notes(trained, tmp_path / name) if note.kind == "left_out"]
    assert [
        "training episodes, the lengths of episodes and how the runs were trained, which are no results"
    ] == left_out
    assert [] == [note for note in notes(GRID, tmp_path / name) if note.kind != "rule"]


@EVERY
def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path, name: str) -> None:
    export(GRID[:6], tmp_path / name)
    export(GRID, tmp_path / name)
    assert plain(GRID) == plain(back(tmp_path / name))
    assert [name] == contents(tmp_path)


def test_what_was_written_is_counted(tmp_path: Path) -> None:
    written = export([*GRID, lost("a2c")], tmp_path / "tidy.csv")
    assert "2 agents x 2 tasks x 3 to 4 seeds x 0 to 2 points" == written.summary
    assert 1 == sum(arm.n_failed for arm in written.arms)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("tidy.cvs", "Did you mean 'tidy.csv'?"),
        ("rliable.npy", "Did you mean 'rliable.npz'?"),
        ("marl-eval", "Did you mean 'marl-eval.json'?"),
        ("out.xlsx", "Choose from: tidy.csv, tidy.csv.gz, tidy.parquet, rliable.npz, marl-eval.json."),
        ("", "the ending of a name says the format"),
    ],
)
def test_an_ending_without_a_format_is_told_the_nearest(target: str, words: str) -> None:
    with pytest.raises(ExportError, match="the ending of a name says the format") as caught:
        exporter_of(Path(target))
    assert words in str(caught.value)


def test_no_run_is_no_file(tmp_path: Path) -> None:
    assert "there is no run to write" in refusal([], tmp_path / "tidy.csv")


@pytest.mark.parametrize("where", ["file/tidy.csv", "folder.csv"])
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(StoreError, match=r"csv cannot be written: .*choose another folder"):
        export(GRID, tmp_path / where)
    assert ["file", "folder.csv"] == contents(tmp_path)


# ---------------------------------------------------------------- tidy tables


ALL_SORTS = [
    run("ppo", 0, returns=[[1.0, 0.1 + 0.2], [-1e-17, 1e99]]),
    run("ppo", 1, returns=[[1.0, np.nan], [2.0, 3.0]]),
    run("ppo", "b", steps=(50, 150, 300), returns=[[1.0], [2.0], [3.0]]),
    run("a,c", 0, final=[4.0, 5.0, 6.0]),
    run("a,c", 1, returns=[[1.0], [2.0]], error='Traceback:\n  line "1", in x\nValueError: no'),
    lost("a,c", 12345678901234567890),
    run('q"t;', 3, steps=(), final=[7.0]),
    run('q"t;', 4, "Walker", final=[8.0]),
]  # fmt: skip


@pytest.mark.parametrize("name", TIDY)
def test_a_table_holds_every_sort_of_run(tmp_path: Path, name: str) -> None:
    export(ALL_SORTS, tmp_path / name)
    assert plain(ALL_SORTS) == plain(back(tmp_path / name))


@pytest.mark.parametrize("name", TIDY)
def test_scores_alone_are_a_row_each(tmp_path: Path, name: str) -> None:
    runs = [score(seed=0), score(seed=1, value=-2.5), score("a2c", seed=0, value=1 / 3), lost("a2c")]
    export(runs, tmp_path / name)
    assert plain(runs) == plain(back(tmp_path / name))


def test_a_table_is_what_people_expect_of_one(tmp_path: Path) -> None:
    export([run("ppo", 0, ""), run("ppo", 1, "", returns=[[0.5], [1e17]])], tmp_path / "tidy.csv")
    lines = ["agent,seed,step,value", "ppo,0,100,17.285714285714285", "ppo,0,200,31.571428571428573"]
    assert [*lines, "ppo,1,100,0.5", "ppo,1,200,1e+17"] == (tmp_path / "tidy.csv").read_text().splitlines()


def test_columns_stand_there_where_they_say_something(tmp_path: Path) -> None:
    runs = [run(final=[1.0, 2.0]), run(seed=1, error="killed"), lost()]
    export(runs, tmp_path / "tidy.csv")
    assert [
        "agent,task,seed,step,episode,value,stage,status,error",
        "ppo,Hopper,0,100,0,17.285714285714285,curve,done,",
        "ppo,Hopper,0,200,0,31.571428571428573,curve,done,",
        "ppo,Hopper,0,200,0,1.0,final,done,",
        "ppo,Hopper,0,200,1,2.0,final,done,",
        "ppo,Hopper,1,100,0,17.285714285714285,curve,failed,killed",
        "ppo,Hopper,1,200,0,31.571428571428573,curve,failed,",
        "ppo,Hopper,9,,,,,failed,out of memory",
    ] == (tmp_path / "tidy.csv").read_text().splitlines()


def test_parquet_and_packed_csv_hold_what_csv_holds(tmp_path: Path) -> None:
    for name in TIDY:
        export(ALL_SORTS, tmp_path / name)
    assert gzip.decompress((tmp_path / "tidy.csv.gz").read_bytes()) == (tmp_path / "tidy.csv").read_bytes()
    typed, text = pd.read_parquet(tmp_path / "tidy.parquet"), pd.read_csv(tmp_path / "tidy.csv", dtype={"seed": str})
    assert list(text.columns) == list(typed.columns)
    assert text["seed"].tolist() == typed["seed"].tolist()
    np.testing.assert_array_equal(text["value"], typed["value"])


def test_whole_seeds_are_numbers_in_parquet_and_others_text(tmp_path: Path) -> None:
    export([run(seed=0), run(seed=1)], tmp_path / "a.parquet")
    export([run(seed=0), run(seed="b")], tmp_path / "b.parquet")
    assert "int64" == str(pd.read_parquet(tmp_path / "a.parquet")["seed"].dtype)
    assert {"0", "b"} == set(pd.read_parquet(tmp_path / "b.parquet")["seed"])


@pytest.mark.parametrize("seed", ["7", "1e3", "nan", "True", " x", "x\0", "", "\ud800"])
def test_a_seed_that_would_be_read_as_another_is_refused(tmp_path: Path, seed: str) -> None:
    assert f"seed {seed!r} would be read as another one" in refusal([run(seed=seed)], tmp_path / "tidy.csv")


@pytest.mark.parametrize("agent", ["", " ppo", "ppo\n", "a\0b"])
def test_an_agent_that_would_be_read_as_another_is_refused(tmp_path: Path, agent: str) -> None:
    assert f"{agent!r} would be read as another name" in refusal([run(agent)], tmp_path / "tidy.csv")


def test_a_task_without_a_name_beside_one_with_is_refused(tmp_path: Path) -> None:
    assert "'' would be read as another name" in refusal([run(task=""), run(task="Hopper")], tmp_path / "tidy.csv")


def test_an_evaluation_without_a_number_is_said(tmp_path: Path) -> None:
    runs = [run(returns=[[np.nan], [2.0]]), run(seed=1)]
    (note,) = notes(runs, tmp_path / "tidy.csv")
    assert "evaluations without a finite number are rows without a value: seed 0 of ppo on Hopper" == note.text
    assert [[200], [100, 200]] == [one.eval_steps.tolist() for one in back(tmp_path / "tidy.csv")]


def test_a_score_that_is_not_finite_does_not_become_one(tmp_path: Path) -> None:
    export([run(final=[np.nan, 1.0]), run(seed=1)], tmp_path / "tidy.csv")
    assert "its score is not finite" == back(tmp_path / "tidy.csv")[0].error


NUMBERS = st.floats(-1e90, 1e90)
LABELS = (
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)


@st.composite
def some_runs(draw: st.DrawFn) -> list[RunRecord]:
    """Of every shape, each once."""
    seeds = st.integers(-5, 2**70) | LABELS.map(lambda label: f"s{label}")
    keys = draw(st.lists(st.tuples(LABELS, seeds), min_size=1, max_size=5, unique=True))
    runs = []
    for agent, seed in keys:
        steps = draw(st.lists(st.integers(0, 2**40), max_size=4, unique=True).map(sorted))
        width = draw(st.integers(1, 3))
        row = st.lists(NUMBERS, min_size=width, max_size=width)
        returns = draw(st.lists(row, min_size=len(steps), max_size=len(steps)))
        final = draw(st.none() if steps else st.nothing() | st.lists(NUMBERS, min_size=1, max_size=3))
        error = draw(st.none() | st.just("killed"))
        runs.append(run(agent, seed, steps=steps, returns=returns, final=final, error=error))
    return runs


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(runs=some_runs(), name=st.sampled_from(TIDY))
def test_any_runs_are_read_back_from_a_table(tmp_path: Path, runs: list[RunRecord], name: str) -> None:
    export(runs, tmp_path / name)
    assert plain(runs) == plain(back(tmp_path / name))


def scores(records: Iterable[RunRecord]) -> dict[tuple[str, str, SeedLabel], tuple[float | None, str | None]]:
    """What a matrix holds of runs."""
    return {
        (one.spec.agent, one.spec.task_label, one.spec.seed): (
            one.final_returns.mean() if one.status == "done" else None,
            one.error,
        )
        for one in records
    }


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(runs=some_runs(), name=st.sampled_from(("rliable.npz", "marl-eval.json")))
def test_any_runs_are_refused_or_read_back_from_formats_of_others(
    tmp_path: Path, runs: list[RunRecord], name: str
) -> None:
    try:
        told = notes(runs, tmp_path / name)
    except ExportError:
        return
    if name == "rliable.npz":
        assert scores(runs) == scores(back(tmp_path / name))
    elif not told:
        assert plain(runs) == plain(back(tmp_path / name))


def test_a_seed_of_many_digits_is_a_number_for_marl_eval_too(tmp_path: Path) -> None:
    export([run(seed=10**18), run(seed=10**18 + 1)], tmp_path / "marl-eval.json")
    assert [10**18, 10**18 + 1] == [one.spec.seed for one in back(tmp_path / "marl-eval.json")]


# ---------------------------------------------------------------- rliable


def test_an_algorithms_name_leads_to_its_matrix(tmp_path: Path) -> None:
    export([run("ppo", seed, task, returns=[[0.0], [seed + len(task)]]) for task in ("A", "BC") for seed in (5, 3)],
           tmp_path / "rliable.npz")  # fmt: skip
    with np.load(tmp_path / "rliable.npz") as data:
        assert ["ppo"] == data["rlaudit/algorithms"].tolist()
        assert [[4.0, 5.0], [6.0, 7.0]] == data["ppo"].tolist()
        assert [[3, 3], [5, 5]] == data["rlaudit/seeds/ppo"].tolist()
        assert ["A", "BC"] == data["rlaudit/tasks"].tolist()
        assert [100, 200] == data["rlaudit/steps"].tolist()
        assert [[0.0, 4.0], [0.0, 5.0]] == data["rlaudit/curves/ppo"][0].tolist()


@pytest.mark.parametrize("agent", ["file", "allow_pickle", "arr_0", "../x", "a/b", "a.b", "é 🤖", "rlaudit"])
def test_any_name_may_be_a_key(tmp_path: Path, agent: str) -> None:
    runs = [score(agent, seed) for seed in range(2)]
    export(runs, tmp_path / "rliable.npz")
    with np.load(tmp_path / "rliable.npz") as data:
        assert [[1.5], [1.5]] == data[agent].tolist()
    assert plain(runs) == plain(back(tmp_path / "rliable.npz"))


@pytest.mark.parametrize("agent", ["", "rlaudit/tasks", "x.npy"])
def test_a_name_that_would_hide_another_array_is_refused(tmp_path: Path, agent: str) -> None:
    assert f"no array can be called {agent!r}" in refusal([score(agent)], tmp_path / "rliable.npz")


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_holds_is_refused(tmp_path: Path, name: str) -> None:
    assert f"{name!r} cannot be written" in refusal([score(name)], tmp_path / "rliable.npz")
    assert f"{name!r} would be read as another name" in refusal([score(name)], tmp_path / "tidy.parquet")


def test_algorithms_may_have_other_numbers_of_runs_and_other_seeds(tmp_path: Path) -> None:
    runs = [*(score("ppo", seed) for seed in range(3)), *(score("a2c", seed) for seed in "xy")]
    export(runs, tmp_path / "rliable.npz")
    assert plain(runs) == plain(back(tmp_path / "rliable.npz"))


def test_seeds_may_differ_between_tasks(tmp_path: Path) -> None:
    runs = [run("ppo", seed, task) for task, seed in (("A", 1), ("A", 2), ("B", "x"), ("B", 2**80))]
    export(runs, tmp_path / "rliable.npz")
    assert plain(runs) == plain(back(tmp_path / "rliable.npz"))


def test_a_matrix_with_holes_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    said = refusal([*GRID, run("ppo", 7), run("dqn", 0)], tmp_path / "rliable.npz")
    assert "ppo has 4 runs on Hopper and 3 runs on Walker" in said
    assert "dqn has 1 runs on Hopper and 0 runs on Walker" in said
    assert "--skip NAME" in said
    assert "--to tidy.csv" in said


def test_failed_runs_are_nan_and_are_read_back_with_their_errors(tmp_path: Path) -> None:
    runs = [run("ppo", 0), run("ppo", 1, steps=(100,), error="killed"), lost("ppo", 2), run("a2c", 0)]
    (note,) = notes(runs, tmp_path / "rliable.npz")
    assert "warning" == note.kind
    assert note.text.startswith("2 of 4 runs failed and are NaN (seed 1 of ppo on Hopper and seed 2 of ppo on Hopper)")
    with np.load(tmp_path / "rliable.npz") as data:
        assert [False, True, True] == np.isnan(data["ppo"][:, 0]).tolist()
        assert "rlaudit/errors/a2c" not in data
    read = {key: (status, error) for key, (status, *_, error) in plain(back(tmp_path / "rliable.npz")).items()}
    assert {key: (status, error) for key, (status, *_, error) in plain(runs).items()} == read


def test_curves_on_different_steps_are_left_out_and_the_scores_kept(tmp_path: Path) -> None:
    runs = [run(seed=0), run(seed=1, steps=(100, 300))]
    (note,) = notes(runs, tmp_path / "rliable.npz")
    assert note.text.startswith("learning curves: runs were evaluated at different steps")
    assert [one.final_returns.tolist() for one in runs] == [
        one.final_returns.tolist() for one in back(tmp_path / "rliable.npz")
    ]


def test_episodes_are_averaged_and_that_is_said(tmp_path: Path) -> None:
    runs = [run(seed=seed, returns=[[1.0, 2.0], [3.0, 5.0]]) for seed in range(2)]
    (note,) = notes(runs, tmp_path / "rliable.npz")
    assert note.text.startswith("the episodes of the final evaluation and those on the way are averaged")
    assert [[1.5], [4.0]] == back(tmp_path / "rliable.npz")[0].eval_returns.tolist()


# ---------------------------------------------------------------- marl-eval


def test_the_json_is_as_marl_eval_describes_it(tmp_path: Path) -> None:
    runs = [run(seed=seed, returns=[[1.0, 2.0], [3.0, 5.0]], final=[4.0, 4.5, 5.0]) for seed in (3, "b")]
    export(runs, tmp_path / "marl-eval.json")
    found = {
        "step_1": {"step_count": 100, "return": [1.0, 2.0]},
        "step_2": {"step_count": 200, "return": [3.0, 5.0]},
        "absolute_metrics": {"return": [4.0, 4.5, 5.0]},
    }
    expected = {"environment": {"Hopper": {"ppo": {"seed_3": found, "b": found}}}}
    assert expected == json.loads((tmp_path / "marl-eval.json").read_text())
    assert plain(runs) == plain(back(tmp_path / "marl-eval.json"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([lost()], "1 of 13 runs: failed (seed 9 of ppo on Hopper)"),
        ([score(seed=9)], "1 of 13 runs: no learning curve (seed 9 of ppo on Hopper)"),
        ([run(seed=9, returns=[[np.nan], [1.0]])], "an evaluation without a finite number (seed 9 of ppo on Hopper)"),
        ([run(seed=9)], "not as many runs everywhere: 4 of ppo on Hopper, 3 of ppo on Walker"),
        ([run(seed=9, steps=(1, 2, 3))], "not as many evaluations everywhere: 2 evaluations in 12 runs"),
        ([run("a,b")], "the comma in the name 'a,b'"),
        ([run("PPO")], "agents whose names differ in capitals only: ppo and PPO"),
        ([run(task="hopper")], "tasks whose names differ in capitals only: Hopper and hopper"),
        ([run(seed="seed_4")], "seed 'seed_4' would be read as another one"),
        ([run(seed="12")], "seed '12' would be read as another one"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_marl_eval_cannot_load_is_refused(tmp_path: Path, more: list[RunRecord], words: str) -> None:
    said = refusal([*GRID, *more], tmp_path / "marl-eval.json")
    assert words in said
    assert "--to tidy.csv" in said


def test_runs_are_numbered_where_seeds_differ_between_agents(tmp_path: Path) -> None:
    runs = [run("ppo", 0), run("ppo", 1), run("a2c", 7), run("a2c", 1)]
    (note,) = notes(runs, tmp_path / "marl-eval.json")
    assert note.text.startswith("the seeds: they differ between agents or tasks")
    assert {"run_1", "run_2"} == {one.spec.seed for one in back(tmp_path / "marl-eval.json")}


# ---------------------------------------------------------------- on the way from format to format


@pytest.mark.parametrize("first", EXPORTERS)
@pytest.mark.parametrize("second", EXPORTERS)
def test_an_export_of_an_export_is_the_same(tmp_path: Path, first: str, second: str) -> None:
    export(GRID, tmp_path / first)
    export(back(tmp_path / first), tmp_path / "again" / second)
    assert plain(GRID) == plain(back(tmp_path / "again" / second))


def test_trained_runs_are_the_same_apart_from_how_they_were_trained(tmp_path: Path) -> None:
    trained = [replace(record(spec(seed)), final_returns=np.array([seed + 0.1, 1 / 3, 7.0])) for seed in range(3)]
    export(trained, tmp_path / "tidy.parquet")
    assert plain(trained) == plain(back(tmp_path / "tidy.parquet"))
