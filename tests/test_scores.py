"""Records to one number per seed, and tables from arrays and data frames."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaudit import scores
from rlaudit.errors import ConfigError, ImportFormatError, NotEnoughSeeds
from rlaudit.importers import Hints
from rlaudit.scores import from_frame, from_mapping, score_table, twins
from rlaudit.types import RunRecord, RunSpec, ScoreTable, SeedLabel, Seeds


def _record(
    seed: SeedLabel = 0,
    *,
    agent: str = "ppo",
    task: str = "Hopper",
    steps: Sequence[int] = (0, 100, 300),
    returns: Sequence[Sequence[float]] = ((0, 2), (3, 5), (1, 3)),  # means 1, 4, 2
    final: Sequence[float] = (6, 8),
    failed: bool = False,
    backend: str = "sb3",
) -> RunRecord:
    spec = RunSpec(agent, task, "PPO", 300, seed, Seeds(0, 0, 0), backend)
    return RunRecord(
        spec,
        "failed" if failed else "done",
        eval_steps=np.array(steps, np.int64),
        eval_returns=np.array(returns, float).reshape(len(steps), -1 if steps else 0),
        final_returns=np.array(final, float),
    )


def _score(metric: str, higher_is_better: bool = True) -> float:
    return float(score_table([_record()], metric, higher_is_better).arms[0].scores[0])


# ---------------------------------------------------------------- two seeds, one run


def test_seeds_with_the_same_weights_are_twins() -> None:
    records = [replace(_record(seed), weights_sha256="ab"[seed % 2] * 64) for seed in range(4)]
    assert [(0, 2), (1, 3)] == [one.seeds for one in twins(records)]


def test_without_weights_the_same_returns_to_the_bit_make_twins() -> None:
    other = _record(2, final=(6, np.nextafter(8, 9)))
    assert [(0, 1)] == [one.seeds for one in twins([_record(0), _record(1), other])]


def test_agents_that_always_reach_the_maximum_are_no_twins() -> None:
    full = [_record(seed, returns=((0, 0), (500, 500), (500, 500)), final=(500, 500)) for seed in range(2)]
    assert () == twins(full)


def test_failed_runs_other_agents_and_runs_of_others_are_no_twins() -> None:
    runs = [_record(0), _record(1, failed=True), _record(1, agent="a2c"), _record(1, task="Walker2d")]
    assert () == twins([*runs, _record(2, backend="table"), _record(3, backend="table")])


# ---------------------------------------------------------------- the scores


def test_final_is_the_mean_of_the_episodes_after_training() -> None:
    assert 7 == _score("final")


def test_auc_is_the_mean_height_of_the_curve() -> None:
    assert (100 * (1 + 4) / 2 + 200 * (4 + 2) / 2) / 300 == pytest.approx(_score("auc"))


@given(value=st.floats(-1e6, 1e6), steps=st.lists(st.integers(0, 10**9), min_size=2, max_size=20, unique=True))
def test_the_auc_of_a_constant_curve_is_the_constant(value: float, steps: list[int]) -> None:
    record = _record(steps=sorted(steps), returns=[[value]] * len(steps))
    assert value == pytest.approx(float(score_table([record], "auc").arms[0].scores[0]), rel=1e-12)


def test_best_is_the_highest_evaluation() -> None:
    assert 4 == _score("best")


def test_best_is_the_lowest_evaluation_where_lower_is_better() -> None:
    assert 1 == _score("best", higher_is_better=False)


def test_an_unknown_score_is_told_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"'finale' is not a score. Did you mean 'final'"):
        score_table([_record()], "finale")


@pytest.mark.parametrize("metric", ["auc", "best"])
def test_a_score_that_the_records_do_not_hold_is_refused(metric: str) -> None:
    with pytest.raises(ImportFormatError, match=r"seed 0 of agent 'ppo' on 'Hopper' has 0 .* a learning curve"):
        score_table([_record(steps=(), returns=())], metric)


def test_one_evaluation_spans_no_area() -> None:
    with pytest.raises(ImportFormatError, match="has 1 of what this score needs, a learning curve of two evaluations"):
        score_table([_record(steps=(100,), returns=((1, 2),))], "auc")


# ---------------------------------------------------------------- the table


def test_agents_and_tasks_stay_in_order_and_seeds_are_sorted_naturally() -> None:
    labels: list[SeedLabel] = ["run_10", 11, "run_2", 2, "other"]
    records = [_record(seed, agent=agent, task=task) for task in "yx" for agent in "ba" for seed in labels]
    table = score_table(records)
    assert [("b", "y"), ("a", "y"), ("b", "x"), ("a", "x")] == [(arm.agent, arm.task) for arm in table.arms]
    assert (2, 11, "other", "run_2", "run_10") == table.arms[0].seeds


def test_seeds_of_thousands_of_digits_are_sorted_by_size_too() -> None:
    labels: list[SeedLabel] = ["9" * 5000, "x2", "1" + "0" * 5000, "x010"]
    table = score_table([_record(seed) for seed in labels])
    assert ("9" * 5000, "1" + "0" * 5000, "x2", "x010") == table.arms[0].seeds


@pytest.mark.parametrize("lost", [_record(1, failed=True), _record(1, final=(float("nan"),))])
def test_a_run_that_failed_or_has_no_finite_score_is_listed_as_failed(lost: RunRecord) -> None:
    table = score_table([_record(0), lost, _record(2)])
    assert (0, 2) == table.arms[0].seeds
    assert (1,) == table.arms[0].failed
    assert (0, 2) == table.curves[0].seeds


def test_the_same_seed_twice_is_refused() -> None:
    with pytest.raises(ImportFormatError, match="seed 0 of agent 'ppo' on 'Hopper' is there twice"):
        score_table([_record(), _record()])


def test_bare_numbers_of_a_table_are_called_score_and_not_final() -> None:
    assert "score" == score_table([_record(steps=(), returns=(), backend="table")]).metric
    assert "final" == score_table([_record(backend="table")]).metric
    assert "final" == score_table([_record(steps=(), returns=())]).metric


def test_every_run_failed_gives_an_arm_without_scores() -> None:
    (arm,) = score_table([_record(0, failed=True, final=())]).arms
    assert ((), (0,)) == (arm.seeds, arm.failed)


# ---------------------------------------------------------------- curves


def test_curves_on_the_same_steps_are_taken_as_they_are() -> None:
    (curves,) = score_table([_record(0), _record(1)]).curves
    assert [0, 100, 300] == curves.steps.tolist()
    assert [[1, 4, 2], [1, 4, 2]] == curves.values.tolist()


def test_curves_lie_on_the_steps_of_the_longest_run() -> None:
    short = _record(1, steps=(50, 150, 250), returns=((0,), (10,), (20,)))
    (curves,) = score_table([short, _record(0)]).curves
    assert [0, 100, 300] == curves.steps.tolist()
    np.testing.assert_array_equal([[1, 4, 2], [np.nan, 5, np.nan]], curves.values)


def test_scores_without_learning_curves_have_none() -> None:
    assert () == score_table([_record(steps=(), returns=())]).curves


# ---------------------------------------------------------------- arrays


def test_a_mapping_of_agents_to_scores_numbers_the_seeds() -> None:
    table = from_mapping({"ppo": [1, 2.5], "a2c": np.array([3, 4, 5])}, higher_is_better=False)
    assert ("score", False, ("ppo", "a2c"), ("",)) == (
        table.metric,
        table.higher_is_better,
        table.agents,
        table.tasks,
    )
    assert (0, 1, 2) == table.arm("a2c", "").seeds
    assert [1.0, 2.5] == table.arm("ppo", "").scores.tolist()


def test_a_mapping_may_name_the_tasks() -> None:
    table = from_mapping({("ppo", "Hopper"): pd.Series([1, 2]), ("ppo", "Ant"): (3, 4)})
    assert ("Hopper", "Ant") == table.tasks


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ({}, "nothing in it"),
        ({"ppo": []}, r"scores\['ppo'\] is empty"),
        ({"ppo": [1, float("inf")]}, r"scores\['ppo'\]\[1\]: column 'score': found inf, expected a finite number"),
        ({"ppo": [1, "2x"]}, r"scores\['ppo'\]\[1\]: column 'score': found '2x'"),
        ({"ppo": [True, False]}, "found True"),
        ({"ppo": np.ones((5, 10))}, "more than one axis, and nothing says which one is the seeds"),
        ({"ppo": [[1, 2], [3]]}, "more than one axis"),
        ({"ppo": "1, 2"}, "expected a list or array with a number per seed"),
        ({"ppo": 3.0}, "expected a list or array"),
        ({1: [1, 2], "1": [1, 2]}, "is already in"),
    ],
)
def test_a_bad_mapping_is_told_its_place(given: dict[object, object], fragment: str) -> None:
    with pytest.raises(ImportFormatError, match=fragment):
        from_mapping(given)


def test_one_number_an_agent_is_not_enough() -> None:
    with pytest.raises(NotEnoughSeeds, match="scores: one seed only for 'ppo'"):
        from_mapping({"ppo": [1]})


# ---------------------------------------------------------------- data frames


def _frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"agent": ["a", "a", "b", "b"], "seed": [0, 1, 0, 1], "score": [1, 2, 3, 4]} | columns)


def _plain(table: ScoreTable) -> list[object]:
    return [(arm.agent, arm.task, arm.seeds, arm.scores.tolist(), arm.failed) for arm in table.arms]


def test_a_data_frame_is_read_like_a_table() -> None:
    assert [("a", "", (0, 1), [1, 2], ()), ("b", "", (0, 1), [3, 4], ())] == _plain(from_frame(_frame()))


def test_an_index_with_names_holds_columns() -> None:
    frame = _frame()
    assert _plain(from_frame(frame)) == _plain(from_frame(frame.set_index(["agent", "seed"])))


def test_categories_and_nullable_columns_are_read_too() -> None:
    frame = _frame().astype({"agent": "category", "seed": "Int64", "score": "Float64"})
    assert _plain(from_frame(_frame())) == _plain(from_frame(frame))


def test_a_data_frame_may_hold_curves() -> None:
    frame = _frame(step=[100, 100, 100, 100]).rename(columns={"score": "value"})
    assert ("final", 2) == (from_frame(frame).metric, len(from_frame(frame).curves))


def test_a_score_that_is_not_there_is_a_failed_seed() -> None:
    arm = from_frame(_frame(score=[1, None, 3, 4])).arms[0]
    assert ((0,), (1,)) == (arm.seeds, arm.failed)
    assert (1,) == from_mapping({"ppo": [1, float("nan"), 2]}).arms[0].failed


def test_the_columns_of_a_data_frame_may_be_named() -> None:
    frame = _frame().rename(columns={"agent": "algo", "score": "return"})
    with pytest.raises(ImportFormatError, match=r"hints=rlaudit.Hints\(columns={'agent': 'algo', 'score': 'return'}\)"):
        from_frame(frame)
    hints = Hints(columns={"agent": "algo", "score": "return"})
    assert _plain(from_frame(_frame())) == _plain(from_frame(frame, hints=hints))


@pytest.mark.parametrize(
    ("frame", "fragment"),
    [
        (_frame(score=[1, 2, "three", 4]), "DataFrame, row 2: column 'score': found 'three'"),
        (_frame(score=[1, np.inf, 3, 4]), "DataFrame, row 1: column 'score': found inf"),
        (_frame(seed=[0, 0, 0, 1]), "DataFrame, row 1: seed 0 of agent 'a' is already in DataFrame, row 0"),
        (_frame(seed=[0, 1.5, 0, 1]), "DataFrame, row 1: column 'seed': found 1.5"),
        (_frame(agent=["a", "a", None, "b"]), "DataFrame, row 2: column 'agent'"),
        (_frame()[:0], "there are column names, but no row"),
        (_frame().rename(columns={"agent": "Agent"}), "no column 'agent'. Did you mean 'Agent'"),
        (pd.DataFrame(np.ones((5, 3))), "does not say which axis is the seeds"),
        (_frame().set_index(pd.Index(["w", "x", "y", "z"])).assign(score="?"), "DataFrame, row 'w'"),
    ],
)
def test_a_bad_data_frame_is_told_its_row(frame: pd.DataFrame, fragment: str) -> None:
    with pytest.raises(ImportFormatError, match=fragment):
        from_frame(frame)


# ---------------------------------------------------------------- the registry


@pytest.mark.parametrize("metric", scores.SCORES)
def test_a_score_moves_with_the_returns(metric: str) -> None:
    """Adding 10 to every return adds 10 to the score."""
    lifted = _record(returns=((10, 12), (13, 15), (11, 13)), final=(16, 18))
    (low,), (high,) = (score_table([record], metric).arms[0].scores for record in (_record(), lifted))
    assert 10 == pytest.approx(high - low)
