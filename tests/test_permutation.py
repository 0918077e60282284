"""The permutation test: three ways to the same p-value."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from rlaudit.comparisons.moments import smallest_p
from rlaudit.comparisons.permutations import _method, permutation
from rlaudit.comparisons.ranks import mann_whitney
from rlaudit.types import Comparison


def run(a: np.ndarray, b: np.ndarray, n_resamples: int = 999, seed: int = 0) -> Comparison:
    return permutation(a, b, alpha=0.05, rng=np.random.default_rng(seed), n_resamples=n_resamples)


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Every arrangement, one at a time."""
    pool, n = np.concatenate([a, b]), len(a) + len(b)
    gaps = []
    for members in combinations(range(n), len(a)):
        inside = np.isin(np.arange(n), members)
        gaps.append(abs(pool[inside].mean() - pool[~inside].mean()))
    return float(np.mean(np.array(gaps) >= abs(a.mean() - b.mean()) - 1e-9))


def all_balanced_splits(pool: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(pool) // 2
    first = np.array([(0, *rest) for rest in combinations(range(1, 2 * n), n - 1)])
    inside = np.zeros((len(first), 2 * n), bool)
    np.put_along_axis(inside, first, True, axis=1)
    return pool[first], np.broadcast_to(pool, inside.shape)[~inside].reshape(-1, n)


# ---------------------------------------------------------------- exact


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 6), (2, 2), (2, 7), (4, 4), (5, 3), (7, 7), (8, 6)])
@pytest.mark.parametrize("tied", [False, True])
def test_p_is_the_share_of_arrangements_that_are_as_extreme(n_a: int, n_b: int, tied: bool) -> None:
    rng = np.random.default_rng(n_a)
    x = rng.integers(0, 4, n_a + n_b) / 10 if tied else rng.lognormal(0, 1, n_a + n_b)
    assert float(run(x[:n_a], x[n_a:]).p_value) == pytest.approx(by_hand(x[:n_a], x[n_a:]), rel=1e-12)


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
    monkeypatch.setattr("rlaudit.comparisons.permutations._SHARING", 2)
    a, b = np.random.default_rng(0).normal(0, 1, (2, 30))
    p = run(np.tile(a, (4, 1)), np.tile(b, (4, 1)), n_resamples=199).p_value
    assert p[0] == p[1]
    assert p[1] != p[2]
