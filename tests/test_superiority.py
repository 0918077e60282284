"""P(A > B) with its intervals, and the Brunner-Munzel test of it."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm
from shared_data import finals

from rlaudit.comparisons import brunner_munzel, probability_better
from rlaudit.types import Alternative, Comparison

SIDES = pytest.mark.parametrize("side", ["two-sided", "greater", "less"])


def run(a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided", alpha: float = 0.05) -> Comparison:
    return brunner_munzel(a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=1, alternative=side)


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
    ("n_a", "n_b", "sd", "least"),
    [(3, 3, 1, 0.97), (5, 5, 1, 0.97), (10, 10, 3, 0.96), (5, 15, 3, 0.94), (10, 30, 3, 0.94), (3, 30, 3, 0.90)],
)
@pytest.mark.parametrize("gain", [0.0, 1.0, 2.0])
def test_the_interval_covers_the_true_probability(n_a: int, n_b: int, sd: float, least: float, gain: float) -> None:
    """The last designs are the worst known: the small group with three times the spread."""
    rng, truth, repeats = np.random.default_rng(0), norm.cdf(gain / np.hypot(1, sd)), 1_000
    covered = 0
    for _ in range(repeats):
        _, low, high = probability_better(rng.normal(gain, sd, n_a), rng.normal(0, 1, n_b), 0.05)
        covered += low <= truth <= high
    assert covered / repeats >= least - 0.015


# ---------------------------------------------------------------- Brunner-Munzel


@SIDES
@pytest.mark.parametrize("decimals", [9, 0])
@pytest.mark.parametrize(("n_a", "n_b"), [(3, 4), (6, 6), (10, 25)])
def test_brunner_munzel_agrees_with_scipy(n_a: int, n_b: int, decimals: int, side: Alternative) -> None:
    """Its statistic has the opposite sign; its alternatives mean what ours mean."""
    x = np.round(np.random.default_rng(n_a).normal(0, 1, (20, n_a + n_b)), decimals)
    x[:, 0] = x[:, -1] = 0.5  # a tie, so that no row is without variance
    oracle = [stats.brunnermunzel(row[:n_a], row[n_a:], alternative=side) for row in x]
    ours = run(x[:, :n_a], x[:, n_a:], side)
    np.testing.assert_allclose(ours.statistic, [-one.statistic for one in oracle], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.p_value, [one.pvalue for one in oracle], rtol=1e-9)


def test_brunner_munzel_of_the_published_example_is_as_published() -> None:
    """Pain scores on the third day after surgery (Brunner & Munzel 2000, section 4): W = 3.1375, df = 17.68, p = .0058.

    Y scores higher, in 21 % of pairs plus ties the other way round: P(X > Y) = 1 - .7884.
    """
    x = np.array([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], float)
    y = np.array([3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4], float)
    result = run(x, y)
    assert float(result.statistic) == pytest.approx(-3.1375, abs=5e-5)
    assert float(result.df) == pytest.approx(17.683, abs=5e-4)
    assert float(result.p_value) == pytest.approx(0.0058, abs=5e-5)
    assert [float(1 - result.high), float(1 - result.low)] == pytest.approx([0.5952, 0.9827], abs=5e-5)


@SIDES
@pytest.mark.parametrize("n_a", [2, 3, 4])
def test_the_interval_excludes_one_half_exactly_where_p_is_at_most_alpha(n_a: int, side: Alternative) -> None:
    x = np.array(list(product(range(4), repeat=n_a + 3)), float)
    for alpha in (0.05, 0.2):
        result = run(x[:, :n_a], x[:, n_a:], side, alpha)
        np.testing.assert_array_equal((result.low > 0.5) | (result.high < 0.5), result.p_value <= alpha)
        assert ((result.low >= 0) & (result.low <= result.effect)).all()
        assert ((result.high >= result.effect) & (result.high <= 1)).all()
        assert float(result.p_value.min()) >= result.min_p * (1 - 1e-9)


@pytest.mark.parametrize(("n", "least"), [(2, 1 / 3), (3, 0.1), (5, 2 / 252)])
def test_groups_that_do_not_overlap_prove_no_more_than_a_permutation_test_can(n: int, least: float) -> None:
    """scipy has p = 0 or NaN, and warns."""
    result = run(np.arange(n) + 9.0, np.arange(n) + 0.0)
    assert float(result.p_value) == pytest.approx(least)
    assert (float(result.effect), float(result.high), float(result.statistic)) == (1, 1, np.inf)
    assert (result.low > 0.5) == (least <= 0.05)
    assert result.low < 0.8


def test_equal_scores_leave_the_probability_open() -> None:
    result = run(np.full(4, 7.0), np.full(5, 7.0))
    assert (float(result.effect), float(result.p_value), float(result.statistic)) == (0.5, 1, 0)
    assert 0 < result.low < 0.3
    assert 0.7 < result.high < 1


def test_one_seed_has_no_spread_of_its_own() -> None:
    result = run(np.array([9.0]), np.arange(30.0))
    assert (float(result.low), float(result.high), float(result.p_value), result.min_p) == (0, 1, 1, 1)


def test_brunner_munzel_errs_as_often_as_its_docstring_says() -> None:
    rng = np.random.default_rng(0)
    for n, size in ((2, 0.0), (3, 0.0), (5, 0.082), (10, 0.056), (30, 0.051)):
        x = rng.normal(0, 1, (20_000, 2 * n))
        assert (run(x[:, :n], x[:, n:]).p_value <= 0.05).mean() == pytest.approx(size, abs=0.006)


def test_unequal_spreads_do_not_disturb_brunner_munzel() -> None:
    """sd 3 against 1 with 10 seeds and 30; Mann-Whitney has .12."""
    rng = np.random.default_rng(0)
    result = run(rng.normal(0, 3, (20_000, 10)), rng.normal(0, 1, (20_000, 30)))
    assert (result.p_value <= 0.05).mean() == pytest.approx(0.055, abs=0.01)
