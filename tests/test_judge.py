"""What the runs say of stated claims."""

import numpy as np
import pytest

from rlaudit.judge import judge
from rlaudit.types import ArmScores, ScoreTable

RNG = np.random.default_rng


def table(a: np.ndarray, b: np.ndarray, higher: bool = True) -> ScoreTable:
    arms = [ArmScores(name, "task", tuple(range(len(x))), x) for name, x in (("a", a), ("b", b))]
    return ScoreTable("final", tuple(arms), higher)


APART = table(RNG(0).normal(110, 5, 20), RNG(1).normal(100, 5, 20))


@pytest.mark.parametrize(
    ("claim", "state"),
    [
        ("a > b", "supported"),
        ("b > a", "contradicted"),
        ("a >= b - 5", "supported"),
        ("b >= a - 30", "supported"),
        ("b >= a - 2", "contradicted"),
        ("a == b within 30", "supported"),
        ("a == b within 2", "contradicted"),
        ("b >= a - 9", "undecided"),
        ("a == b within 9", "undecided"),
    ],
)
def test_a_claim_is_judged_by_its_own_test(claim: str, state: str) -> None:
    (judged,) = judge([claim], APART, 0.05)
    assert state == judged.state
    assert "20 against 20 seeds" in judged.reason


def test_lower_is_better_turns_a_claim_round() -> None:
    (judged,) = judge(["b > a"], table(APART.arms[0].scores, APART.arms[1].scores, higher=False), 0.05)
    assert "supported" == judged.state


def test_a_claim_about_no_task_is_judged_on_each() -> None:
    arms = [ArmScores(agent, task, (0, 1, 2), np.arange(3.0)) for agent in "ab" for task in ("one", "two")]
    assert ["a > b on one", "a > b on two"] == [
        claim.text for claim in judge(["a > b"], ScoreTable("final", tuple(arms)), 0.05)
    ]


def test_a_task_that_one_agent_never_ran_is_left_out() -> None:
    arms = [ArmScores(*names, (0, 1, 2), np.arange(3.0)) for names in (("a", "one"), ("b", "one"), ("a", "two"))]
    table_ = ScoreTable("final", tuple(arms))
    assert ["a > b on one"] == [claim.text for claim in judge(["a > b"], table_, 0.05)]
    assert ["undecided"] == [claim.state for claim in judge(["a > b on two"], table_, 0.05)]


def test_one_seed_leaves_a_claim_undecided() -> None:
    (judged,) = judge(["a > b"], table(np.array([9.0]), np.array([1.0, 2.0])), 0.05)
    assert "undecided" == judged.state


@pytest.mark.parametrize("claims", [["a > b"], ["a > b", "b > a"]])
def test_claims_of_a_difference_that_is_not_there_are_supported_at_most_at_alpha(claims: list[str]) -> None:
    """2,000 null tables of log-normal scores: 50 of one direction expected, both share alpha; a doubled rate fails."""
    rng, supported = RNG(3), 0
    for _ in range(2_000):
        null = table(np.exp(rng.standard_normal(8)), np.exp(rng.standard_normal(8)))
        supported += any(claim.state == "supported" for claim in judge(claims, null, 0.05))
    assert supported <= 130


def test_non_inferiority_is_wrongly_supported_at_most_at_alpha() -> None:
    """A true difference of exactly the margin: 2,000 tables, 100 expected, 131 is the 99.9 % bound."""
    rng, supported = RNG(4), 0
    for _ in range(2_000):
        (judged,) = judge(["a >= b - 1"], table(rng.normal(-1, 1, 10), rng.normal(0, 1, 10)), 0.05)
        supported += judged.state == "supported"
    assert supported <= 131


def test_constant_seeds_support_no_more_than_a_permutation_test_could() -> None:
    """Three equal scores against two: one arrangement in ten, and no claim at alpha = .05."""
    for claim in ("a > b", "a >= b - 1", "a == b within 3"):
        (judged,) = judge([claim], table(np.full(3, 5.0), np.full(2, 3.0)), 0.05)
        assert judged.state == "undecided"
