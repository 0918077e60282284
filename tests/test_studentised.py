"""The permutation test on Welch's t."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from rlaudit.comparisons import permutation, welch
from rlaudit.comparisons.studentised import permutation_studentised
from rlaudit.types import Alternative, Comparison

SIDES: tuple[Alternative, ...] = ("two-sided", "greater", "less")


def run(
    a: np.ndarray, b: np.ndarray, alpha: float = 0.05, side: Alternative = "two-sided", interval: bool = True
) -> Comparison:
    rng = np.random.default_rng(0)
    return permutation_studentised(a, b, alpha=alpha, rng=rng, n_resamples=999, alternative=side, interval=interval)


def t_of(x: np.ndarray, y: np.ndarray) -> float:
    """Welch's t; without any spread as good as infinite."""
    gap, error = x.mean() - y.mean(), x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y)
    if abs(gap) < 1e-12:
        return 0.0
    return float(gap / np.sqrt(error)) if error > 1e-20 else float(np.sign(gap)) * 1e9


def by_hand(a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided") -> float:
    """Every arrangement, one at a time."""
    pool, n = np.concatenate([a, b]), len(a) + len(b)
    inside = [np.isin(np.arange(n), members) for members in combinations(range(n), len(a))]
    turn = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[side]
    t, observed = turn(np.array([t_of(pool[i], pool[~i]) for i in inside])), turn(t_of(a, b))
    return float((t >= observed - 1e-9 * abs(observed) - 1e-12).mean())


def groups(n_a: int, n_b: int, tied: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_a)
    x = rng.integers(0, 4, n_a + n_b) / 10 if tied else rng.lognormal(0, 1, n_a + n_b)
    return x[:n_a], x[n_a:]


DESIGNS = pytest.mark.parametrize(("n_a", "n_b"), [(2, 3), (2, 7), (7, 2), (4, 4), (5, 3), (4, 8)])


@DESIGNS
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_p_is_the_share_of_arrangements_with_as_large_a_t(n_a: int, n_b: int, tied: bool, side: Alternative) -> None:
    a, b = groups(n_a, n_b, tied)
    for shift in (0.0, 1.3, -1.3, 50.0):
        found = float(run(a + shift, b, side=side, interval=False).p_value)
        assert by_hand(a + shift, b, side) == pytest.approx(found, rel=1e-12)


@DESIGNS
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_the_interval_ends_where_the_shifted_test_stops_rejecting(
    n_a: int, n_b: int, tied: bool, side: Alternative
) -> None:
    a, b = groups(n_a, n_b, tied)
    found = run(a, b, alpha=0.1, side=side)
    for end, outwards in ((float(found.low), -1e-6), (float(found.high), 1e-6)):
        if np.isfinite(end):
            assert by_hand(a - end + outwards, b, side) > 0.1
            assert by_hand(a - end - outwards, b, side) <= 0.1


def test_with_equal_groups_it_is_the_test_on_the_difference_of_means() -> None:
    """Sums of squares within and between add up to that of the pool, so t grows with the difference; 20v20 is exact."""
    for n in (3, 8, 20):
        a, b = np.random.default_rng(n).lognormal(0, 1, (2, n))
        plain = permutation(a, b, alpha=0.05, rng=np.random.default_rng(0), n_resamples=99)
        assert (plain.p_value, plain.low, plain.high) == (run(a, b).p_value, run(a, b).low, run(a, b).high)


def test_the_statistic_is_welchs() -> None:
    a, b = groups(4, 9, tied=False)
    expected = welch(a, b, alpha=0.05, rng=np.random.default_rng(0), n_resamples=1).statistic
    assert float(expected) == pytest.approx(float(run(a, b).statistic), rel=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_an_interval_excludes_zero_exactly_where_p_is_at_most_alpha(side: Alternative) -> None:
    x = np.random.default_rng(0).lognormal(0, 1, (400, 12))
    x[:200, :4] += 1
    x[200:, :4] -= 1
    x[::3] = np.round(x[::3])
    found = run(x[:, :4], x[:, 4:], side=side)
    np.testing.assert_array_equal((found.low > 0) | (found.high < 0), found.p_value <= 0.05)
    assert 0.05 < (found.p_value <= 0.05).mean() < 0.9


def test_simulation_agrees_with_the_exact_p_within_its_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (np.random.default_rng(n).normal(0, 1, (60, n)) for n in (5, 9))
    exact = run(a, b)
    monkeypatch.setattr("rlaudit.comparisons.studentised._LISTED", 1)
    simulated = run(a, b)
    assert (exact.mc_error == 0).all()
    assert (np.abs(simulated.p_value - exact.p_value) <= 4.5 * simulated.mc_error + 1e-3).all()
    np.testing.assert_array_equal((simulated.low > 0) | (simulated.high < 0), simulated.p_value <= 0.05)
    assert simulated.min_p == max(1 / 1000, 1 / comb(14, 5))


def test_two_constant_groups_prove_no_more_than_one_arrangement_can() -> None:
    found = run(np.full(3, 0.3), np.full(4, 0.1))
    assert (1 / 35, 0.2) == pytest.approx((float(found.p_value), float(found.low)))
    assert float(run(np.full(3, 0.1), np.full(4, 0.1)).p_value) == 1
    assert float(run(np.full(3, 0.3), np.full(4, 0.1), side="less").p_value) == 1


def test_one_seed_says_nothing_about_its_spread() -> None:
    found = run(np.array([100.0]), np.arange(30.0))
    assert (float(found.p_value), found.min_p, float(found.low), float(found.high)) == (1, 1, -np.inf, np.inf)


def test_a_gap_of_a_million_standard_deviations_is_the_most_extreme_arrangement() -> None:
    a, b = groups(4, 6, tied=False)
    found = run(a + 1e7, b)
    assert float(found.p_value) == pytest.approx(1 / comb(10, 4))
    assert float(found.low) == pytest.approx(float(run(a, b).low) + 1e7, abs=1e-3)


@pytest.mark.parametrize(("null", "n_a"), [("normal", 3), ("normal", 5), ("log-normal", 3), ("log-normal", 5)])
def test_exchangeable_seeds_are_never_rejected_more_often_than_alpha(null: str, n_a: int) -> None:
    """Against three times as many; Welch is at .053-.063 here (2.5 standard errors)."""
    rng = np.random.default_rng(n_a)
    x = rng.normal(0, 1, (6_000, 4 * n_a)) if null == "normal" else rng.lognormal(0, 1, (6_000, 4 * n_a))
    assert (run(x[:, :n_a], x[:, n_a:], interval=False).p_value <= 0.05).mean() <= 0.057


@pytest.mark.parametrize(("n_a", "n_b", "studentised", "plain"), [(5, 15, 0.080, 0.228), (10, 30, 0.057, 0.211)])
def test_unequal_variances_hurt_it_less_with_every_seed(n_a: int, n_b: int, studentised: float, plain: float) -> None:
    """sd 3 v 1, the small group the wide one. STATISTICS.md has .22 for the plain test and .056 for Welch's."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 3, (8_000, n_a)), rng.normal(0, 1, (8_000, n_b))
    assert studentised == pytest.approx((run(a, b, interval=False).p_value <= 0.05).mean(), abs=0.01)
    rate = permutation(a, b, alpha=0.05, rng=rng, n_resamples=199, interval=False).p_value <= 0.05
    assert plain == pytest.approx(rate.mean(), abs=0.015)


@pytest.mark.parametrize(("n_a", "n_b", "sd", "covers"), [(5, 15, 1, 0.95), (15, 5, 3, 0.97), (5, 15, 3, 0.92)])
def test_the_interval_covers_the_true_difference_or_as_little_as_is_known(
    n_a: int, n_b: int, sd: float, covers: float
) -> None:
    """The plain permutation interval covers .77 in the last design."""
    rng = np.random.default_rng(0)
    found = run(rng.normal(2, sd, (800, n_a)), rng.normal(0, 1, (800, n_b)))
    assert covers == pytest.approx(((found.low <= 2) & (found.high >= 2)).mean(), abs=0.03)
