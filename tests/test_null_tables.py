"""Copies of one agent: nothing is there to find, and no claim says that there is, more often than alpha allows."""

import numpy as np
import pytest
from scipy import stats

from rlaudit.judge import judge
from rlaudit.types import ArmScores, ScoreTable

SHAPES = {
    "normal": lambda rng, size: rng.normal(100, 15, size),
    "skewed": lambda rng, size: np.exp(rng.standard_normal(size)),
    "bimodal": lambda rng, size: np.where(rng.random(size) < 0.6, 480, 90) + rng.normal(0, 15, size),
    "ceiling": lambda rng, size: np.minimum(500, rng.normal(450, 90, size)),
}
SIZES = (3, 4, 5, 7, 10, 14, 20, 30)
REPEATS = 120  # of each of the 32 kinds of table


@pytest.fixture(autouse=True)
def _only_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecasts are no part of a state, and take most of the time."""
    monkeypatch.setattr("rlaudit.judge.states.repetition", lambda *_: None)
    monkeypatch.setattr("rlaudit.judge.states.seeds_to_decide", lambda *_: None)


def table(scores: np.ndarray) -> ScoreTable:
    arms = [ArmScores("abcd"[i], "task", tuple(range(len(x))), x) for i, x in enumerate(scores)]
    return ScoreTable("final", tuple(arms))


def allowed(n: int, rate: float) -> int:
    """So many are exceeded in one of a thousand runs; twice the rate exceeds it for sure."""
    most = int(stats.binom.ppf(0.999, n, rate))
    assert stats.binom.sf(most, n, 2 * rate) > 0.99, "too few repeats to notice a doubled rate"
    return most


def test_a_difference_of_copies_is_supported_at_most_at_alpha() -> None:
    """32 kinds of table, 3,840 of them; `a > b` is asked at alpha / 2 a side. Fragile ones count, too."""
    supported = {}
    for shape, draw in SHAPES.items():
        rng = np.random.default_rng([0, len(shape)])
        for n in SIZES:
            found = [judge(["a > b"], table(draw(rng, (2, n))), 0.05)[0] for _ in range(REPEATS)]
            supported[shape, n] = sum(claim.decision == "supported" for claim in found)
    assert sum(supported.values()) <= allowed(len(supported) * REPEATS, 0.025)
    assert max(supported.values()) <= stats.binom.ppf(0.9999, REPEATS, 0.025)
    assert sum(supported.values()) >= 40  # and the test does find something: 96 expected of an exact one


def test_of_six_claims_on_copies_any_is_supported_at_most_at_alpha() -> None:
    """Both directions of three pairs, 1,024 tables: alpha is for all of them together (Holm)."""
    claims = ["a > b", "b > a", "a > c", "c > a", "b > c", "c > b"]
    rng, wrong, n_tables = np.random.default_rng(1), 0, 1_024
    for i in range(n_tables):
        scores = [*SHAPES.values()][i % 4](rng, (3, SIZES[i // 4 % len(SIZES)]))
        wrong += any(claim.decision == "supported" for claim in judge(claims, table(scores), 0.05))
    assert wrong <= allowed(n_tables, 0.05)


def test_fewer_than_alpha_of_the_claims_on_copies_stand_without_a_caveat() -> None:
    """About half of the false ones are called fragile at 10 seeds an agent."""
    rng, n_tables = np.random.default_rng(2), 2_000
    found = [judge(["a > b"], table(rng.normal(0, 1, (2, 10))), 0.1)[0] for _ in range(n_tables)]
    decided = [claim for claim in found if claim.decision]
    assert len(decided) <= allowed(n_tables, 0.1)
    assert 0.3 <= sum(claim.state == "fragile" for claim in decided) / len(decided) <= 0.7


def test_non_inferiority_at_exactly_the_margin_is_supported_at_most_at_alpha() -> None:
    rng, n_tables = np.random.default_rng(3), 1_500
    gap = np.array([[-1.0], [0.0]])
    found = [judge(["a >= b - 1"], table(gap + rng.normal(0, 1, (2, 10))), 0.05)[0] for _ in range(n_tables)]
    assert sum(claim.decision == "supported" for claim in found) <= allowed(n_tables, 0.05)


def test_equality_at_exactly_the_margin_is_supported_or_contradicted_at_most_at_alpha() -> None:
    rng, n_tables = np.random.default_rng(4), 1_500
    gap = np.array([[1.0], [0.0]])
    found = [judge(["a == b within 1"], table(gap + rng.normal(0, 0.8, (2, 10))), 0.05)[0] for _ in range(n_tables)]
    for wrong in ("supported", "contradicted"):
        assert sum(claim.decision == wrong for claim in found) <= allowed(n_tables, 0.05)
