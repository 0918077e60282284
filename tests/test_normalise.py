"""Scores of different tasks on one scale."""

from typing import Any

import numpy as np
import pytest

from rlaudit.aggregate import normalise
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import ArmCurves, ArmScores, ScoreTable


def table(higher_is_better: bool = True, **tasks: Any) -> ScoreTable:
    arms = tuple(
        ArmScores(agent, task, tuple(range(len(x))), np.array(x, float), failed=(99,))
        for task, x in tasks.items()
        for agent in ("a", "b")
    )
    curves = (ArmCurves("a", next(iter(tasks)), (0,), np.array([1, 2, 3]), np.array([[0.0, np.nan, 20.0]])),)
    return ScoreTable("final", arms, higher_is_better, curves)


def test_the_first_reference_becomes_0_and_the_second_1() -> None:
    found = normalise(table(pong=[-21, 9.3, 15]), {"pong": (-20.7, 14.6)})
    np.testing.assert_allclose(found.arm("a", "pong").scores, [-0.3 / 35.3, 30 / 35.3, 35.7 / 35.3])
    assert found.metric == "normalised final"


def test_every_task_has_its_own_references_and_other_tasks_may_have_some_too() -> None:
    found = normalise(table(x=[5.0], y=[5.0]), {"x": (0, 10), "y": (0, 5), "z": (3, 3)})
    assert [arm.scores[0] for arm in found.arms] == [0.5, 0.5, 1, 1]


def test_curves_are_on_the_same_scale_and_their_gaps_stay() -> None:
    np.testing.assert_array_equal(normalise(table(x=[5.0]), {"x": (0, 10)}).curves[0].values, [[0, np.nan, 2]])


def test_failed_runs_stay_failed() -> None:
    assert normalise(table(x=[5.0]), {"x": (0, 10)}).arms[0].failed == (99,)


def test_lower_is_better_is_turned_round() -> None:
    """A lap of 90 s is the expert's, 120 s the beginner's: the beginner comes first in either direction."""
    found = normalise(table(higher_is_better=False, lap=[120, 105, 90, 80]), {"lap": (120, 90)})
    assert found.higher_is_better
    np.testing.assert_allclose(found.arms[0].scores, [0, 0.5, 1, 4 / 3])


@pytest.mark.parametrize(("higher", "pair"), [(True, (10, 0)), (False, (0, 10))])
def test_references_in_the_wrong_order_do_not_turn_the_scores_silently(higher: bool, pair: tuple[float, float]) -> None:
    with pytest.raises(RlauditError) as error:
        normalise(table(higher_is_better=higher, x=[5.0]), {"x": pair})
    assert f"give the worse one first, ({pair[1]}, {pair[0]})" in str(error.value)


def test_min_max_takes_the_ends_of_all_agents_together() -> None:
    arms = (
        ArmScores("a", "x", (0, 1), np.array([2.0, 4.0])),
        ArmScores("b", "x", (0, 1), np.array([0.0, 3.0])),
    )
    up, down = (normalise(ScoreTable("auc", arms, higher), "min-max") for higher in (True, False))
    np.testing.assert_array_equal([arm.scores for arm in up.arms], [[0.5, 1], [0, 0.75]])
    np.testing.assert_array_equal([arm.scores for arm in down.arms], [[0.5, 0], [1, 0.25]])


def test_a_task_without_references_is_named_with_the_nearest() -> None:
    with pytest.raises(RlauditError) as error:
        normalise(table(Pong=[5.0]), {"pong": (0, 1), "qbert": (0, 1)})
    assert "no reference scores for task 'Pong'. Did you mean 'pong'?" in str(error.value)


@pytest.mark.parametrize(
    ("pair", "words"),
    [((3, 3), "both reference scores of task 'x' are 3"), ((0, np.nan), "give two finite numbers")],
)
def test_references_that_make_no_scale_are_refused(pair: tuple[float, float], words: str) -> None:
    with pytest.raises(RlauditError) as error:
        normalise(table(x=[5.0]), {"x": pair})
    assert words in str(error.value)


def test_min_max_of_equal_scores_is_refused() -> None:
    with pytest.raises(RlauditError) as error:
        normalise(table(x=[5.0, 5.0]), "min-max")
    assert "all scores on task 'x' are 5" in str(error.value)


def test_min_max_without_a_score_is_refused() -> None:
    with pytest.raises(NotEnoughSeeds):
        normalise(table(x=[]), "min-max")


def test_other_words_are_no_references() -> None:
    with pytest.raises(RlauditError) as error:
        normalise(table(x=[5.0]), "human")
    assert "'min-max'" in str(error.value)
