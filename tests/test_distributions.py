"""Kolmogorov-Smirnov and the almost stochastic order."""

import warnings
from collections.abc import Callable
from itertools import combinations, product
from math import gcd

import numpy as np
import pytest
from scipy import stats
from shared_data import finals

from rlaudit.comparisons import distributions
from rlaudit.comparisons.distributions import _critical, _limit, _outside, almost_stochastic_order, kolmogorov_smirnov
from rlaudit.types import Alternative, Compare, Comparison

SIDES = pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
OPPOSITE: dict[Alternative, Alternative] = {"two-sided": "two-sided", "greater": "less", "less": "greater"}


def run(
    test: Compare,
    a: np.ndarray,
    b: np.ndarray,
    side: Alternative = "two-sided",
    alpha: float = 0.05,
    n_resamples: int = 199,
) -> Comparison:
    return test(a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=n_resamples, alternative=side)


def ks(a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided", alpha: float = 0.05) -> Comparison:
    return run(kolmogorov_smirnov, a, b, side, alpha)


def by_hand(a: np.ndarray, b: np.ndarray, side: Alternative, gain: Callable[[np.ndarray, np.ndarray], float]) -> float:
    """Every arrangement, one at a time; `gain` measures how far ahead its first argument is, at best."""
    pool, n_a = np.concatenate([a, b]), len(a)
    seen = []
    for members in (range(n_a), *combinations(range(len(pool)), n_a)):
        inside = np.isin(np.arange(len(pool)), members)
        here, there = gain(pool[inside], pool[~inside]), gain(pool[~inside], pool[inside])
        seen.append({"greater": here, "less": there, "two-sided": max(here, there)}[side])
    return float(np.mean(np.array(seen[1:]) >= seen[0] - 1e-9))


def ks_gain(a: np.ndarray, b: np.ndarray) -> float:
    values = np.append(np.concatenate([a, b]), np.inf)
    return float(((b[:, None] <= values).mean(0) - (a[:, None] <= values).mean(0)).max())


def quantile_gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """On a grid so fine that every step of both quantile functions is a whole number of cells."""
    cell = np.arange(len(a) * len(b))
    return np.sort(a)[cell // len(b)] - np.sort(b)[cell // len(a)]


def order_gain(a: np.ndarray, b: np.ndarray) -> float:
    gap = quantile_gaps(a, b)
    return float((gap * np.abs(gap)).mean())


# ---------------------------------------------------------------- Kolmogorov-Smirnov


@pytest.mark.parametrize(("d", "p"), [(0.4, 0.8730), (0.6, 0.3571), (0.8, 0.0794), (1.0, 0.0079)])
def test_the_p_of_five_seeds_a_side_is_exact_and_not_the_one_that_papers_printed(d: float, p: float) -> None:
    """.697 .209 .036 .004 (Henderson et al. 2018) are Stephens' approximation for one sample, at 5 v 5."""
    result = ks(np.arange(5.0) + 5 * d, np.arange(5.0) + 0.5 * (d < 1))
    assert float(result.statistic) == pytest.approx(d)
    assert float(result.p_value) == pytest.approx(p, abs=5e-5)


@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 4), (3, 3), (5, 5), (4, 7), (12, 9), (30, 20), (100, 100)])
def test_without_ties_p_is_that_of_scipy(n_a: int, n_b: int, side: Alternative) -> None:
    """scipy's alternatives are about the distribution functions, which lie lower where scores are higher.

    Where p is 1 the sum that scipy makes exceeds it by rounding; it then warns, and gives the asymptotic p.
    """
    x = np.random.default_rng(n_a).normal(0, 1, (12, n_a + n_b)) + np.repeat([0.5, 0], [n_a, n_b])
    ours = ks(x[:, :n_a], x[:, n_a:], side)
    for i, row in enumerate(x):
        if ours.p_value[i] == 1:
            continue
        oracle = stats.ks_2samp(row[:n_a], row[n_a:], alternative=OPPOSITE[side], method="exact")
        assert float(ours.p_value[i]) == pytest.approx(oracle.pvalue, rel=1e-9)
        if side == "two-sided":
            assert abs(ours.statistic[i]) == pytest.approx(oracle.statistic)


@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 3), (4, 4), (5, 3)])
def test_with_ties_p_counts_the_arrangements_of_the_tied_scores(n_a: int, n_b: int, side: Alternative) -> None:
    """scipy ignores ties, and is conservative: a path can only be far off where a group of ties ends."""
    x = np.random.default_rng(n_a).integers(0, 4, (10, n_a + n_b)).astype(float)
    expected = [by_hand(row[:n_a], row[n_a:], side, ks_gain) for row in x]
    np.testing.assert_allclose(ks(x[:, :n_a], x[:, n_a:], side).p_value, expected, rtol=1e-9)


def test_three_seeds_above_three_others_are_one_arrangement_in_twenty() -> None:
    """1 / 20 must not miss alpha = .05 by a rounding error."""
    assert float(ks(np.arange(3) + 9.0, np.arange(3) + 0.0, "greater").p_value) == 0.05


@pytest.mark.parametrize(("n_a", "n_b"), [(256, 256), (200, 300), (60, 1900)])
@pytest.mark.parametrize("side", ["two-sided", "greater"])
def test_the_limit_that_takes_over_is_near_the_exact_p_and_not_below(n_a: int, n_b: int, side: Alternative) -> None:
    reach = _critical(n_a, n_b, 0.05, side == "two-sided")
    exact = float(_outside(np.array([reach]), np.ones((1, n_a + n_b), bool), n_a, n_b, side)[0])
    limit = float(_limit(np.array([reach / (n_a * n_b)]), n_a, n_b, side)[0])
    assert exact <= 0.05
    assert exact <= limit <= 1.15 * exact


def test_the_critical_value_is_the_smallest_that_rejects() -> None:
    """.8 at 5 v 5 one-sided and 1 two-sided; 9 / 20 at 20 v 20 (Siegel 1956, table L)."""
    assert [_critical(5, 5, 0.05, two) for two in (False, True)] == [20, 25]
    assert _critical(20, 20, 0.05, True) == 180
    assert _critical(3, 3, 0.05, True) == 10
    for n_a, n_b in ((7, 7), (9, 6), (40, 45)):
        steps = np.arange(1, n_a * n_b + 1)
        p = _outside(steps, np.ones((len(steps), n_a + n_b), bool), n_a, n_b, "two-sided")
        reach = _critical(n_a, n_b, 0.05, True)
        assert p[reach - 1] <= 0.05 < p[reach - gcd(n_a, n_b) - 1]


def test_sac_scores_higher_than_td3_by_no_single_shift() -> None:
    """Moved by less than 1,492 SAC stays too high somewhere; moved by more than 1,000 it is too low elsewhere."""
    result = ks(finals("sac"), finals("td3"))
    oracle = stats.ks_2samp(finals("sac"), finals("td3"), method="exact")
    assert float(result.p_value) == pytest.approx(oracle.pvalue, rel=1e-9)
    assert float(result.statistic) == pytest.approx(oracle.statistic)
    assert (float(result.low), float(result.high)) == pytest.approx((1492.478, 999.615), abs=1e-3)


@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(5, 5), (9, 6), (20, 24)])
def test_untied_scores_moved_by_less_than_the_interval_are_not_told_apart(
    n_a: int, n_b: int, side: Alternative
) -> None:
    x = np.random.default_rng(n_a).normal(0, 1, (30, n_a + n_b))
    a, b = x[:, :n_a], x[:, n_a:]
    result = ks(a, b, side, alpha=0.2)
    for end, inwards in ((result.low, 1e-6), (result.high, -1e-6)):
        finite = np.isfinite(end)
        for step, rejected in ((inwards, False), (-inwards, True)):
            p = ks(a - np.where(finite, end + step, 0)[:, None], b, side).p_value
            np.testing.assert_array_equal((p <= 0.2)[finite], rejected)


@SIDES
@pytest.mark.parametrize("n_a", [1, 3, 4])
def test_with_any_ties_the_interval_excludes_0_exactly_where_p_is_at_most_alpha(n_a: int, side: Alternative) -> None:
    x = np.array(list(product(range(3), repeat=n_a + 4)), float)
    for alpha in (0.05, 0.3):
        result = ks(x[:, :n_a], x[:, n_a:], side, alpha)
        np.testing.assert_array_equal((result.low > 0) | (result.high < 0), result.p_value <= alpha)
        assert result.p_value.min() >= result.min_p * (1 - 1e-9)


def test_groups_that_differ_in_spread_alone_are_told_apart_by_no_shift() -> None:
    a, b = np.linspace(-9, 9, 30), np.linspace(-1, 1, 30)
    result = ks(a, b)
    assert result.p_value < 0.01
    assert result.direction == 0
    assert result.low > result.high


def test_the_larger_deviation_gives_the_direction_whatever_is_asked() -> None:
    a, b = np.array([1.0, 2.0, 3.0, 4.0, 9.0]), np.array([3.5, 3.6, 5.0, 6.0, 7.0])
    for side in OPPOSITE:
        assert float(ks(a, b, side).statistic) == pytest.approx(-0.6)


def test_of_two_equal_deviations_the_means_decide() -> None:
    b = np.array([1.0, 1.5])
    assert [float(ks(np.array([0.0, x]), b).statistic) for x in (3.0, 2.5, 2.0)] == [0.5, 0, -0.5]


# ---------------------------------------------------------------- almost stochastic order


def order(
    a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided", alpha: float = 0.05, n_resamples: int = 199
) -> Comparison:
    return run(almost_stochastic_order, a, b, side, alpha, n_resamples)


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (4, 4), (3, 5), (6, 4)])
def test_the_violation_ratio_is_the_share_of_squared_distances_where_a_is_lower(n_a: int, n_b: int) -> None:
    x = np.random.default_rng(n_a).normal(0, 1, (20, n_a + n_b))
    found = order(x[:, :n_a], x[:, n_a:])
    for i, row in enumerate(x):
        gap = quantile_gaps(row[:n_a], row[n_a:])
        assert float(found.effect[i]) == pytest.approx((gap[gap < 0] ** 2).sum() / (gap**2).sum(), abs=1e-12)
        assert found.direction[i] == np.sign(0.5 - found.effect[i])
        assert abs(found.statistic[i]) == pytest.approx(np.sqrt(np.abs((gap * np.abs(gap)).mean())))


def test_the_ratio_of_two_normal_agents_is_that_of_their_quantile_functions() -> None:
    """del Barrio et al. 2018: eps of N(1, 3) against N(0, 1) by the integral over their quantiles, .168."""
    u = (np.arange(4_000) + 0.5) / 4_000
    z = stats.norm.ppf(u)
    expected = (np.minimum(1 + 2 * z, 0) ** 2).sum() / ((1 + 2 * z) ** 2).sum()
    assert expected == pytest.approx(0.168, abs=5e-4)
    assert float(order(1 + 3 * z, z, n_resamples=9).effect) == pytest.approx(expected, abs=1e-9)


@SIDES
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 4), (2, 3), (4, 4), (5, 3)])
def test_its_p_is_the_share_of_arrangements_that_lead_as_far(n_a: int, n_b: int, tied: bool, side: Alternative) -> None:
    x = np.random.default_rng(n_a).normal(0, 1, (5, n_a + n_b))
    x = np.round(x) if tied else x
    expected = [by_hand(row[:n_a], row[n_a:], side, order_gain) for row in x]
    np.testing.assert_allclose(order(x[:, :n_a], x[:, n_a:], side).p_value, expected, rtol=1e-9)


@SIDES
def test_simulation_agrees_with_the_list_of_all_arrangements(side: Alternative) -> None:
    x = np.random.default_rng(0).normal(0, 1, (30, 16)) + np.repeat([0.7, 0], 8)
    exact = order(x[:, :8], x[:, 8:], side, n_resamples=6_435)
    simulated = order(x[:, :8], x[:, 8:], side, n_resamples=2_999)
    assert (exact.mc_error == 0).all()
    assert (np.abs(simulated.p_value - exact.p_value) <= 4 * simulated.mc_error + 1e-3).all()
    assert simulated.min_p == 1 / 3_000


def test_of_two_groups_of_one_agent_one_dominates_in_2_of_n_plus_1() -> None:
    """Why eps is not what is permuted: all of these have eps = 0 or 1, at n = 5 every third pair of groups."""
    x = np.random.default_rng(0).normal(0, 1, (20_000, 10))
    eps = order(x[:, :5], x[:, 5:]).effect
    assert ((eps == 0) | (eps == 1)).mean() == pytest.approx(1 / 3, abs=0.012)


@pytest.mark.parametrize(("n", "published"), [(5, 0.212), (10, 0.192), (30, 0.178)])
def test_the_published_rule_errs_about_four_times_too_often(n: int, published: float) -> None:
    """eps_min < 1/2 at alpha = .05, for two groups of one agent; the permutation beside it holds its level."""
    x = np.random.default_rng(n).normal(0, 1, (2_000, 2 * n))
    result = order(x[:, :n], x[:, n:], "greater")
    assert (result.high < 0.5).mean() == pytest.approx(published, abs=0.03)
    assert (result.p_value <= 0.05).mean() <= 0.065


def test_the_interval_is_z_bootstrap_errors_to_each_side(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.random.default_rng(3).normal([[1.0], [0.0]], [[2.0], [1.0]], (2, 12))
    rng = np.random.default_rng(1)
    again = [quantile_gaps(rng.choice(a, 12), rng.choice(b, 12)) for _ in range(4_000)]
    sd = np.std([(gap[gap < 0] ** 2).sum() / (gap**2).sum() for gap in again])
    both, above, below = (order(a, b, side, n_resamples=4_000) for side in OPPOSITE)
    eps = float(both.effect)
    assert float(above.high) == pytest.approx(min(1, eps + 1.645 * sd), abs=0.03)
    assert float(both.high) == pytest.approx(min(1, eps + 1.960 * sd), abs=0.03)
    assert (float(above.low), float(below.high)) == (0, 1)
    monkeypatch.setattr(distributions, "SHARING", 1)
    rows = order(np.tile(a, (2, 1)), np.tile(b, (2, 1)))
    assert rows.high[0] != rows.high[1]


def test_equal_scores_violate_nothing_and_prove_nothing() -> None:
    result = order(np.full(4, 0.1), np.full(5, 0.1))
    assert (float(result.effect), float(result.statistic), float(result.p_value)) == (0.5, 0, 1)


def test_one_seed_leaves_the_ratio_open() -> None:
    result = order(np.array([9.0]), np.arange(5.0))
    assert (float(result.effect), float(result.low), float(result.high)) == (0, 0, 1)


def test_differences_lost_in_rounding_are_no_differences() -> None:
    a = np.array([0.1, 0.2, 0.3])
    assert float(order(a, (a + 0.7) - 0.7).effect) == 0.5


@pytest.mark.parametrize("test", [kolmogorov_smirnov, almost_stochastic_order])
def test_scores_that_are_no_ordinary_numbers_raise_no_warning(test: Compare) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for unit in (1e150, 1e-300):
            x = unit * np.array([[1.0, 3.0, 4.0], [0.5, 2.0, 9.0]])
            assert 0 < run(test, x[0], x[1]).p_value <= 1
