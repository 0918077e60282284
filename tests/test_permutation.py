"""The permutation test: three ways to the same p-value."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from rlaudit.comparisons import subset_sums
from rlaudit.comparisons.moments import smallest_p
from rlaudit.comparisons.permutations import _method, _most_beyond, permutation
from rlaudit.comparisons.ranks import mann_whitney
from rlaudit.types import Alternative, Comparison

SIDES: tuple[Alternative, ...] = ("two-sided", "greater", "less")


def run(
    a: np.ndarray,
    b: np.ndarray,
    n_resamples: int = 999,
    seed: int = 0,
    alpha: float = 0.05,
    side: Alternative = "two-sided",
) -> Comparison:
    rng = np.random.default_rng(seed)
    return permutation(a, b, alpha=alpha, rng=rng, n_resamples=n_resamples, alternative=side)


def by_hand(a: np.ndarray, b: np.ndarray, side: Alternative = "two-sided") -> float:
    """Every arrangement, one at a time."""
    pool, n = np.concatenate([a, b]), len(a) + len(b)
    gaps = []
    for members in combinations(range(n), len(a)):
        inside = np.isin(np.arange(n), members)
        gaps.append(pool[inside].mean() - pool[~inside].mean())
    turn = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[side]
    return float(np.mean(turn(np.array(gaps)) >= turn(a.mean() - b.mean()) - 1e-9))


def groups(n_a: int, n_b: int, tied: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_a)
    x = rng.integers(0, 4, n_a + n_b) / 10 if tied else rng.lognormal(0, 1, n_a + n_b)
    return x[:n_a], x[n_a:]


def all_balanced_splits(pool: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(pool) // 2
    first = np.array([(0, *rest) for rest in combinations(range(1, 2 * n), n - 1)])
    inside = np.zeros((len(first), 2 * n), bool)
    np.put_along_axis(inside, first, True, axis=1)
    return pool[first], np.broadcast_to(pool, inside.shape)[~inside].reshape(-1, n)


# ---------------------------------------------------------------- exact


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 6), (2, 2), (2, 7), (4, 4), (5, 3), (7, 7), (8, 6)])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_p_is_the_share_of_arrangements_that_are_as_extreme(n_a: int, n_b: int, tied: bool, side: Alternative) -> None:
    a, b = groups(n_a, n_b, tied)
    assert by_hand(a, b, side) == pytest.approx(float(run(a, b, side=side).p_value), rel=1e-12)


@pytest.mark.parametrize("n", [3, 5, 7])
def test_with_equal_groups_scipy_agrees(n: int) -> None:
    """With unequal groups it doubles the smaller tail; we count by the absolute difference."""
    a, b = np.random.default_rng(n).normal(0, 1, (2, n))
    oracle = stats.permutation_test((a, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=np.inf)
    assert float(run(a, b).p_value) == pytest.approx(oracle.pvalue, rel=1e-12)


@pytest.mark.parametrize(("n_a", "n_b"), [(10, 10), (20, 20), (12, 17)])
def test_on_ranks_it_is_the_exact_mann_whitney_test(n_a: int, n_b: int) -> None:
    """Their distribution is counted in a wholly different way: integer sums, one rank at a time."""
    ranks = np.random.default_rng(n_a).permutation(n_a + n_b).astype(float)
    options = {"alpha": 0.05, "rng": np.random.default_rng(0), "n_resamples": 9}
    counted = mann_whitney(ranks[:n_a], ranks[n_a:], **options)
    assert float(run(ranks[:n_a], ranks[n_a:]).p_value) == pytest.approx(float(counted.p_value), rel=1e-9)


def test_twenty_against_twenty_is_exact() -> None:
    a, b = np.random.default_rng(0).normal(0, 1, (2, 20))
    result = run(a, b)
    assert result.mc_error == 0
    assert float(result.p_value) * comb(40, 20) == pytest.approx(round(float(result.p_value) * comb(40, 20)), abs=0.01)
    assert result.min_p == 2 / comb(40, 20)


@pytest.mark.parametrize(("n", "size"), [(4, 0.0286), (5, 0.0476), (6, 0.0498), (7, 0.0495), (8, 0.0499)])
def test_the_share_of_significant_splits_of_a_pool_is_a_constant(n: int, size: float) -> None:
    pool = np.random.default_rng(n).lognormal(0, 1, 2 * n)
    assert (run(*all_balanced_splits(pool)).p_value <= 0.05).mean() == pytest.approx(size, abs=5e-5)


def test_arrangements_that_tie_up_to_rounding_count() -> None:
    """.1 + .2 is not .3 for a computer; the sums {.1, .2} and {.3, 0} are equal for everybody else."""
    assert float(run(np.array([0.1, 0.2]), np.array([0.3, 0.0])).p_value) == 1


@pytest.mark.parametrize(
    ("n_a", "n_b", "least"), [(2, 2, 1 / 3), (3, 3, 0.1), (4, 4, 0.0286), (5, 5, 0.00794), (2, 3, 0.1)]
)
def test_the_smallest_p_is_known_before_anything_is_trained(n_a: int, n_b: int, least: float) -> None:
    assert smallest_p(n_a, n_b) == pytest.approx(least, abs=5e-5)
    assert run(np.arange(n_a) + 9.0, np.sqrt(np.arange(n_b))).p_value >= smallest_p(n_a, n_b)


@pytest.mark.parametrize(("n", "strict"), [(2, 0.33), (3, 0.10), (5, 0.056)])
def test_the_observed_arrangement_counts(n: int, strict: float) -> None:
    """A p-value that counts only what is more extreme, without the observed one, errs by `strict`; ours never."""
    x = np.random.default_rng(n).normal(0, 1, (20_000, 2 * n))
    p = run(x[:, :n], x[:, n:]).p_value
    assert (p <= 0.05).mean() <= 0.05
    assert (p - 2 / comb(2 * n, n) <= 0.05).mean() == pytest.approx(strict, abs=0.008)


@pytest.mark.parametrize(("n", "size"), [(2, 0), (3, 0), (5, 12 / 252), (10, 4618 / 92378)])
def test_split_rates_are_the_constants_of_the_rulebook(n: int, size: float) -> None:
    """.0476 and .0500: 12 of 252 splits, and 4,618 of 92,378."""
    allowed = _most_beyond(0.05, comb(2 * n, n)) // 2 * 2
    assert size == pytest.approx(allowed / comb(2 * n, n), abs=1e-12)
    x = np.random.default_rng(n).normal(0, 1, (10_000, 2 * n))
    assert size == pytest.approx((run(x[:, :n], x[:, n:]).p_value <= 0.05).mean(), abs=0.009)


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 3), (4, 6)])
def test_one_sided_p_values_go_down_to_one_arrangement(n_a: int, n_b: int) -> None:
    a, b = np.arange(n_a) + 9.0, np.sqrt(np.arange(n_b))
    found = run(a, b, side="greater")
    assert 1 / comb(n_a + n_b, n_a) == found.min_p == pytest.approx(float(found.p_value))
    assert float(run(a, b, side="less").p_value) == 1


# ---------------------------------------------------------------- the interval


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 6), (2, 7), (4, 4), (5, 3), (7, 7), (6, 8), (8, 6)])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_the_interval_ends_where_the_shifted_test_stops_rejecting(
    n_a: int, n_b: int, tied: bool, side: Alternative
) -> None:
    a, b = groups(n_a, n_b, tied)
    found = run(a, b, alpha=0.2, side=side)
    for end, outwards in ((float(found.low), -1e-6), (float(found.high), 1e-6)):
        if np.isfinite(end):
            assert by_hand(a - end + outwards, b, side) > 0.2
            assert by_hand(a - end - outwards, b, side) <= 0.2


def test_without_a_rejection_in_reach_the_interval_has_no_ends() -> None:
    for n in (2, 3):
        a, b = np.random.default_rng(n).normal([[100.0], [0.0]], 1, (2, n))
        found = run(a, b)
        assert (-np.inf, np.inf) == (found.low, found.high)


@pytest.mark.parametrize(("n_a", "n_b"), [(15, 15), (20, 20), (12, 17)])
def test_the_ends_are_exact_where_nobody_can_list_the_arrangements(n_a: int, n_b: int) -> None:
    """A hair's breadth further in the shifted test no longer rejects; 20v20 has 1.4e11 arrangements."""
    a, b = groups(n_a, n_b, tied=False)
    found = run(a, b)
    for end, outwards in ((found.low, -1e-6), (found.high, 1e-6)):
        assert run(a - end + outwards, b).p_value > 0.05
        assert run(a - end - outwards, b).p_value <= 0.05


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("n_a", "n_b"), [(7, 7), (10, 10), (6, 9), (9, 6), (5, 12)])
@pytest.mark.parametrize("side", SIDES)
def test_closing_in_finds_the_same_ends_as_listing_all_shifts(
    n_a: int, n_b: int, tied: bool, side: Alternative, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = groups(n_a, n_b, tied)
    for alpha in (0.001, 0.05, 0.3):
        monkeypatch.setattr(subset_sums, "_LISTED", 10**9)
        listed = run(a, b, alpha=alpha, side=side)
        monkeypatch.setattr(subset_sums, "_LISTED", 1)
        searched = run(a, b, alpha=alpha, side=side)
        np.testing.assert_allclose([searched.low, searched.high], [listed.low, listed.high], rtol=1e-9, atol=1e-9)


def test_many_ties_do_not_stop_the_search() -> None:
    """Rounded log-normal scores at 10v10: thousands of arrangements have the very shift that is looked for."""
    x = np.round(np.random.default_rng(10).lognormal(0, 1, (150, 20)) + np.repeat([1.0, 0.0], 10))
    for side in SIDES:
        found = run(x[:, :10], x[:, 10:], side=side)
        np.testing.assert_array_equal((found.low > 0) | (found.high < 0), found.p_value <= 0.05)


@pytest.mark.parametrize("shape", [(5, 5), (10, 10), (5, 9), (40, 30)])
def test_the_interval_covers_the_true_difference(shape: tuple[int, int]) -> None:
    rng, (n_a, n_b) = np.random.default_rng(0), shape
    a, b = rng.normal(2, 1, (1_500, n_a)), rng.normal(0, 1, (1_500, n_b))
    found = run(a, b)
    assert 0.93 <= ((found.low <= 2) & (found.high >= 2)).mean() <= 0.97


def test_simulated_ends_agree_with_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """In units of the standard error of a mean difference (about .5 here)."""
    a, b = np.random.default_rng(0).normal(0, 1, (2, 40, 8))
    exact = run(a, b)
    monkeypatch.setattr("rlaudit.comparisons.permutations._method", lambda *_: "simulate")
    simulated = run(a, b, n_resamples=9_999)
    assert np.abs(simulated.low - exact.low).max() < 0.1
    assert np.abs(simulated.high - exact.high).max() < 0.1
    np.testing.assert_array_equal((simulated.low > 0) | (simulated.high < 0), simulated.p_value <= 0.05)


def test_two_constant_groups_give_their_difference() -> None:
    found = run(np.full(5, 0.3), np.full(5, 0.1))
    assert (0.2, 0.2) == pytest.approx((float(found.low), float(found.high)))
    assert found.low == found.high
    assert 2 / 252 == found.p_value


# ---------------------------------------------------------------- which way


@pytest.mark.parametrize(
    ("rows", "n_a", "n_b", "method"),
    [
        (10_000, 5, 5, "list"),
        (10_000, 6, 6, "list"),
        (1, 7, 7, "meet"),
        (10_000, 10, 10, "meet"),
        (1, 20, 20, "meet"),
        (100_000, 10, 10, "simulate"),
        (1, 30, 30, "simulate"),
    ],
)
def test_the_way_depends_on_the_numbers_of_seeds_and_rows_alone(rows: int, n_a: int, n_b: int, method: str) -> None:
    assert _method(rows, n_a, n_b) == method


def test_simulation_agrees_with_the_exact_p_within_its_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.random.default_rng(0).normal(0, 1, (2, 40, 8))
    exact = run(a, b)
    monkeypatch.setattr("rlaudit.comparisons.permutations._method", lambda *_: "simulate")
    simulated = run(a, b, n_resamples=9_999)
    assert (np.abs(simulated.p_value - exact.p_value) <= 4 * simulated.mc_error + 1e-4).all()


def test_a_simulated_p_is_never_below_one_in_a_thousand_resamples() -> None:
    rng = np.random.default_rng(0)
    result = run(rng.normal(9, 1, 50), rng.normal(0, 1, 50))
    assert float(result.p_value) == result.min_p == 1 / 1000
    assert result.mc_error > 0


def test_rows_of_one_batch_do_not_share_all_their_random_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlaudit.comparisons.permutations.SHARING", 2)
    a, b = np.random.default_rng(0).normal(0, 1, (2, 30))
    p = run(np.tile(a, (4, 1)), np.tile(b, (4, 1)), n_resamples=199).p_value
    assert p[0] == p[1]
    assert p[1] != p[2]


@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("n_a", [6, 8, 10])
@pytest.mark.parametrize("tied", [False, True])
def test_rows_that_deal_the_same_scores_share_one_list_of_sums(side: Alternative, n_a: int, tied: bool) -> None:
    rng = np.random.default_rng(n_a)
    pool = np.round(rng.normal(5, 2, 16)) if tied else rng.lognormal(0, 1, 16)
    dealt = rng.permuted(np.tile(pool, (200, 1)), axis=1)
    together = permutation(
        dealt[:, :n_a], dealt[:, n_a:], alpha=0.05, rng=rng, n_resamples=1, alternative=side, interval=False
    ).p_value
    one_by_one = [float(run(row[:n_a], row[n_a:], side=side).p_value) for row in dealt]
    np.testing.assert_array_equal(together, one_by_one)
