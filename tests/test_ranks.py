"""Rank tests of a shift, and their intervals."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats
from shared_data import finals

from rlaudit.comparisons import mann_whitney, rank_t
from rlaudit.comparisons.ranks import _critical, _u_p
from rlaudit.types import Alternative, Compare, Comparison

BOTH = pytest.mark.parametrize("test", [mann_whitney, rank_t])
SIDES = pytest.mark.parametrize("side", ["two-sided", "greater", "less"])


def run(
    a: np.ndarray, b: np.ndarray, test: Compare = mann_whitney, side: Alternative = "two-sided", alpha: float = 0.05
) -> Comparison:
    return test(a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=1, alternative=side)


def by_hand(a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided") -> float:
    """Every way to deal the midranks."""
    ranks = stats.rankdata(np.concatenate([a, b]))
    away = np.array([sum(draw) for draw in combinations(ranks, len(a))]) - len(a) * (len(ranks) + 1) / 2
    seen = ranks[: len(a)].sum() - len(a) * (len(ranks) + 1) / 2
    if side == "two-sided":
        return float((np.abs(away) >= abs(seen) - 1e-9).mean())
    return float((away >= seen - 1e-9).mean() if side == "greater" else (away <= seen + 1e-9).mean())


# ---------------------------------------------------------------- Mann-Whitney


@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 6), (8, 8), (15, 12), (30, 30)])
def test_without_ties_the_exact_p_is_that_of_scipy(n_a: int, n_b: int, side: Alternative) -> None:
    rng = np.random.default_rng(n_a)
    a, b = rng.normal(0.5, 1, (20, n_a)), rng.normal(0, 1, (20, n_b))
    ours, oracle = run(a, b, side=side), stats.mannwhitneyu(a, b, axis=1, method="exact", alternative=side)
    np.testing.assert_array_equal(ours.statistic, oracle.statistic)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-9)


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 3), (5, 5), (4, 7), (7, 7)])
@SIDES
def test_with_ties_it_is_exact_too(n_a: int, n_b: int, side: Alternative) -> None:
    """scipy's exact method ignores ties."""
    x = np.random.default_rng(n_a).integers(0, 4, (8, n_a + n_b)).astype(float)
    expected = [by_hand(row[:n_a], row[n_a:], side) for row in x]
    np.testing.assert_allclose(run(x[:, :n_a], x[:, n_a:], side=side).p_value, expected, rtol=1e-9)


@pytest.mark.parametrize("tied", [False, True])
@SIDES
def test_many_seeds_get_the_normal_approximation_of_scipy(tied: bool, side: Alternative) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.2, 1, (10, 50)), rng.normal(0, 1, (10, 40))
    if tied:
        a, b = np.round(a), np.round(b)
    oracle = stats.mannwhitneyu(a, b, axis=1, method="asymptotic", alternative=side)
    np.testing.assert_array_equal(run(a, b, side=side).statistic, oracle.statistic)
    np.testing.assert_allclose(run(a, b, side=side).p_value, oracle.pvalue, rtol=1e-9)


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
    assert result.direction == -1
    assert float(result.effect) == -3


def test_three_seeds_above_three_others_are_one_arrangement_in_twenty() -> None:
    """1 / 20 must not miss alpha = .05 by a rounding error."""
    result = run(np.arange(3) + 9.0, np.arange(3) + 0.0, side="greater")
    assert result.p_value == 0.05
    assert result.low > 0


def test_one_seed_above_many_equal_ones_proves_no_more_than_a_permutation_test_can() -> None:
    """The normal approximation has 5e-7 here."""
    assert float(run(np.array([2.0]), np.zeros(25)).p_value) == pytest.approx(1 / 26)


# ---------------------------------------------------------------- t on ranks


@SIDES
@pytest.mark.parametrize("decimals", [9, 0])
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 3), (5, 5), (12, 30)])
def test_rank_t_is_student_on_midranks(n_a: int, n_b: int, decimals: int, side: Alternative) -> None:
    x = np.round(np.random.default_rng(n_a).normal(0, 1, (20, n_a + n_b)), decimals)
    x[:, 0], x[:, -1] = 0.25, 0.75  # so that no group is constant
    ranks, ours = stats.rankdata(x, axis=1), run(x[:, :n_a], x[:, n_a:], rank_t, side)
    oracle = stats.ttest_ind(ranks[:, :n_a], ranks[:, n_a:], axis=1, alternative=side)
    np.testing.assert_allclose(ours.statistic, oracle.statistic, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-9)
    np.testing.assert_array_equal(ours.df, oracle.df)


def test_rank_t_of_groups_that_do_not_overlap_is_as_its_docstring_says() -> None:
    p = [float(run(np.arange(n) + 9.0, np.arange(n) + 0.0, rank_t).p_value) for n in (2, 3, 4, 5)]
    np.testing.assert_allclose(p, [0.106, 0.021, 0.005, 0.001], atol=6e-4)


# ---------------------------------------------------------------- intervals


def test_the_effect_is_the_median_of_all_differences() -> None:
    x = np.random.default_rng(0).lognormal(0, 1, (6, 11))
    expected = [np.median(np.subtract.outer(row[:5], row[5:])) for row in x]
    np.testing.assert_allclose(run(x[:, :5], x[:, 5:]).effect, expected, rtol=1e-12)


def test_the_interval_of_5_v_5_lies_between_the_third_differences() -> None:
    """U >= 23 has p <= .05: the critical value 2 of the published tables (Mann & Whitney 1947)."""
    a, b = np.random.default_rng(0).normal(0, 1, (2, 5))
    differences, result = np.sort(np.subtract.outer(a, b).ravel()), run(a, b)
    assert _critical(_u_p, 5, 5, 0.05, "two-sided") == 23
    assert (float(result.low), float(result.high)) == (differences[2], differences[-3])


@BOTH
@SIDES
@pytest.mark.parametrize("n", [4, 9, 35])
def test_untied_scores_moved_by_less_than_the_interval_are_not_told_apart(
    test: Compare, side: Alternative, n: int
) -> None:
    x = np.random.default_rng(n).normal(0, 1, (30, 2 * n))
    a, b = x[:, :n], x[:, n:]
    result = run(a, b, test, side, alpha=0.1)
    for end, inwards in ((result.low, 1e-6), (result.high, -1e-6)):
        for step, rejected in ((inwards, False), (-inwards, True)):
            moved = a - np.where(np.isfinite(end), end + step, 0)[:, None]
            p = run(moved, b, test, side).p_value
            np.testing.assert_array_equal((p <= 0.1)[np.isfinite(end)], rejected)


@BOTH
@SIDES
@pytest.mark.parametrize("n_a", [1, 2, 3, 4])
def test_with_any_ties_the_interval_excludes_0_exactly_where_p_is_at_most_alpha(
    test: Compare, side: Alternative, n_a: int
) -> None:
    x = np.array(list(product(range(3), repeat=n_a + 4)), float)
    for alpha in (0.05, 0.3):
        result = run(x[:, :n_a], x[:, n_a:], test, side, alpha)
        np.testing.assert_array_equal((result.low > 0) | (result.high < 0), result.p_value <= alpha)
        assert (result.low <= result.high).all()


@BOTH
def test_no_pattern_of_ties_has_a_p_below_the_smallest(test: Compare) -> None:
    x = np.array(list(product(range(5), repeat=6)), float)
    for n_a in (2, 3):
        result = run(x[:, :n_a], x[:, n_a:], test)
        assert float(result.p_value.min()) == pytest.approx(result.min_p, rel=1e-9)


@BOTH
def test_a_batch_of_unlike_ties_gives_what_its_rows_give(test: Compare) -> None:
    x = np.round(np.random.default_rng(0).normal(0, 1, (40, 12)), 1)
    batch, rows = run(x[:, :5], x[:, 5:], test), [run(row[:5], row[5:], test) for row in x]
    for name in ("effect", "low", "high", "statistic", "p_value"):
        np.testing.assert_array_equal(getattr(batch, name), [getattr(row, name) for row in rows])
