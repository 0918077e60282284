"""Mann-Whitney and the probability of being better."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm
from shared_data import finals

from rlaudit.comparisons import mann_whitney, probability_better
from rlaudit.types import Comparison


def run(a: np.ndarray, b: np.ndarray) -> Comparison:
    return mann_whitney(a, b, alpha=0.05, rng=np.random.default_rng(0), n_resamples=1)


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Every way to deal the midranks."""
    ranks = stats.rankdata(np.concatenate([a, b]))
    sums = np.array([sum(draw) for draw in combinations(ranks, len(a))])
    away = np.abs(sums - len(a) * (len(ranks) + 1) / 2)
    return float((away >= abs(ranks[: len(a)].sum() - len(a) * (len(ranks) + 1) / 2) - 1e-9).mean())


# ---------------------------------------------------------------- Mann-Whitney


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 6), (8, 8), (15, 12), (30, 30)])
def test_without_ties_the_exact_p_is_that_of_scipy(n_a: int, n_b: int) -> None:
    rng = np.random.default_rng(n_a)
    a, b = rng.normal(0.5, 1, (20, n_a)), rng.normal(0, 1, (20, n_b))
    ours, oracle = run(a, b), stats.mannwhitneyu(a, b, axis=1, method="exact")
    np.testing.assert_array_equal(ours.statistic, oracle.statistic)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-9)


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 3), (5, 5), (4, 7), (7, 7)])
def test_with_ties_it_is_exact_too(n_a: int, n_b: int) -> None:
    """scipy's exact method ignores ties."""
    x = np.random.default_rng(n_a).integers(0, 4, (8, n_a + n_b)).astype(float)
    expected = [by_hand(row[:n_a], row[n_a:]) for row in x]
    np.testing.assert_allclose(run(x[:, :n_a], x[:, n_a:]).p_value, expected, rtol=1e-9)


@pytest.mark.parametrize("tied", [False, True])
def test_many_seeds_get_the_normal_approximation_of_scipy(tied: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.2, 1, (10, 50)), rng.normal(0, 1, (10, 40))
    if tied:
        a, b = np.round(a), np.round(b)
    oracle = stats.mannwhitneyu(a, b, axis=1, method="asymptotic")
    np.testing.assert_array_equal(run(a, b).statistic, oracle.statistic)
    np.testing.assert_allclose(run(a, b).p_value, oracle.pvalue, rtol=1e-9)


def test_sac_against_td3_is_as_published() -> None:
    result = run(finals("sac"), finals("td3"))
    assert float(result.statistic) == 30884
    assert float(result.p_value) == pytest.approx(1.082e-29, rel=1e-3)
    assert result.direction == 1


@pytest.mark.parametrize(("n", "size"), [(2, 0), (3, 0), (4, 2 / 70), (5, 8 / 252), (6, 38 / 924)])
def test_the_share_of_significant_splits_of_a_pool_is_a_constant(n: int, size: float) -> None:
    """8 of 252 is the .0317 of STATISTICS.md."""
    pool = np.random.default_rng(n).lognormal(0, 1, 2 * n)
    first = np.array(list(combinations(range(2 * n), n)))
    rest = np.array([np.setdiff1d(np.arange(2 * n), members) for members in first])
    assert (run(pool[first], pool[rest]).p_value <= 0.05).mean() == pytest.approx(size)


def test_exact_and_approximate_p_meet_where_one_takes_over() -> None:
    rng = np.random.default_rng(0)
    for n_a, n_b, tied in ((30, 30, False), (31, 30, False), (10, 10, True), (11, 10, True)):
        a, b = rng.normal(0.4, 1, (50, n_a)), rng.normal(0, 1, (50, n_b))
        if tied:
            a, b = np.round(2 * a), np.round(2 * b)
        approximate = stats.mannwhitneyu(a, b, axis=1, method="asymptotic").pvalue
        np.testing.assert_allclose(run(a, b).p_value, approximate, atol=0.03)


def test_the_direction_is_that_of_the_ranks_even_against_the_means() -> None:
    result = run(np.array([1.0, 2.0, 3.0, 100.0]), np.array([4.0, 5.0, 6.0, 7.0]))
    assert result.effect > 0
    assert result.direction == -1


# ---------------------------------------------------------------- P(A > B)


def test_p_a_better_is_the_share_of_pairs_that_a_wins() -> None:
    assert probability_better(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 9.0]), 0.05)[0] == (1 + 1.5 + 2) / 9


def test_sac_beats_td3_as_often_as_published() -> None:
    p, low, high = probability_better(finals("sac"), finals("td3"), 0.05)
    assert p == pytest.approx(0.8334413, rel=1e-6)
    assert 0.78 < low < p < high < 0.88


def test_swapping_the_agents_mirrors_the_interval() -> None:
    a, b = np.random.default_rng(0).normal(0, 1, (2, 7))
    there, back = probability_better(a, b, 0.1), probability_better(b, a, 0.1)
    assert there == pytest.approx((1 - back[0], 1 - back[2], 1 - back[1]))


def test_a_clean_sweep_keeps_an_interval() -> None:
    p, low, high = probability_better(np.arange(5) + 10.0, np.arange(5) + 0.0, 0.05)
    assert (p, high) == (1, 1)
    assert 0.4 < low < 0.8


def test_one_seed_leaves_every_probability_open() -> None:
    assert probability_better(np.array([3.0]), np.array([1.0, 2.0]), 0.05) == (1, 0, 1)


@pytest.mark.parametrize(
    ("n_a", "n_b", "sd", "least"), [(3, 3, 1, 0.95), (5, 5, 1, 0.95), (10, 10, 3, 0.93), (5, 15, 3, 0.86)]
)
@pytest.mark.parametrize("gain", [0.0, 1.0, 2.0])
def test_the_interval_covers_the_true_probability(n_a: int, n_b: int, sd: float, least: float, gain: float) -> None:
    """The last design is the worst known: the small group with three times the spread."""
    rng, truth, repeats = np.random.default_rng(0), norm.cdf(gain / np.hypot(1, sd)), 1_000
    covered = 0
    for _ in range(repeats):
        _, low, high = probability_better(rng.normal(gain, sd, n_a), rng.normal(0, 1, n_b), 0.05)
        covered += low <= truth <= high
    assert covered / repeats >= least - 0.015
