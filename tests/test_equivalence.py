"""Equivalence and non-inferiority, with a margin that somebody names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from rlaudit.comparisons import tost
from rlaudit.comparisons.equivalence import equivalence, non_inferiority


def groups(n_a: int, n_b: int, gap: float = 0.0, seed: int = 0, rows: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = (rows,) if rows else ()
    return rng.normal(gap, 2, (*batch, n_a)), rng.normal(0, 1, (*batch, n_b))


# ---------------------------------------------------------------- oracles


@pytest.mark.parametrize("margin", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("seed", range(4))
def test_two_one_sided_tests_agree_with_statsmodels(margin: float, seed: int) -> None:
    a, b = groups(8, 11, seed=seed)
    expected, *_ = ttost_ind(a, b, -margin, margin, usevar="unequal")
    found = equivalence(a, b, margin, alpha=0.05)
    assert float(found.p_value) == pytest.approx(expected, rel=1e-9)
    interval = CompareMeans(DescrStatsW(a), DescrStatsW(b)).tconfint_diff(alpha=0.1, usevar="unequal")
    assert [float(found.low), float(found.high)] == pytest.approx(interval, rel=1e-9)
    assert tost(a, b, margin) == float(found.p_value)


@pytest.mark.parametrize("seed", range(4))
def test_non_inferiority_is_a_one_sided_welch_test_moved_by_the_margin(seed: int) -> None:
    a, b = groups(8, 11, seed=seed)
    oracle = stats.ttest_ind(a + 1.5, b, equal_var=False, alternative="greater")
    found = non_inferiority(a, b, 1.5, alpha=0.05)
    assert float(found.p_value) == pytest.approx(oracle.pvalue, rel=1e-9)
    assert float(found.low) == pytest.approx(oracle.confidence_interval(0.95).low - 1.5, rel=1e-9)
    assert float(found.effect) == pytest.approx(a.mean() - b.mean())
    assert found.high == np.inf


@pytest.mark.parametrize("test", [equivalence, non_inferiority])
def test_a_batch_gives_what_its_rows_give_one_by_one(test: object) -> None:
    a, b = groups(5, 7, rows=30)
    batch = test(a, b, 1.0, alpha=0.05)  # type: ignore[operator]
    for name in ("effect", "low", "high", "statistic", "df", "p_value"):
        rows = [getattr(test(*pair, 1.0, alpha=0.05), name) for pair in zip(a, b, strict=True)]  # type: ignore[operator]
        np.testing.assert_array_equal(getattr(batch, name), rows)


# ---------------------------------------------------------------- laws

scores = arrays(np.float64, (2, 5), elements=st.integers(-20, 20).map(lambda x: x / 8))


@given(x=scores, margin=st.sampled_from([0.25, 1.0, 4.0]))
@settings(max_examples=60, deadline=None)
def test_equal_within_the_margin_is_said_exactly_where_the_interval_lies_within_it(
    x: np.ndarray, margin: float
) -> None:
    found = equivalence(x[0], x[1], margin, alpha=0.05)
    assert (found.p_value <= 0.05) == (-margin < found.low and found.high < margin)
    worse = non_inferiority(x[0], x[1], margin, alpha=0.05)
    assert (worse.p_value <= 0.05) == (worse.low > -margin)


@given(x=scores, margin=st.sampled_from([0.25, 1.0, 4.0]))
@settings(max_examples=30, deadline=None)
def test_equality_holds_both_ways_or_not_at_all(x: np.ndarray, margin: float) -> None:
    there, back = equivalence(x[0], x[1], margin, alpha=0.05), equivalence(x[1], x[0], margin, alpha=0.05)
    assert float(there.p_value) == pytest.approx(float(back.p_value), rel=1e-9)
    np.testing.assert_allclose([there.low, there.high], [-back.high, -back.low], atol=1e-9)
    assert there.direction == -back.direction


def test_a_wider_margin_is_easier_to_keep() -> None:
    a, b = groups(6, 6)
    p = [float(equivalence(a, b, margin, alpha=0.05).p_value) for margin in (0.1, 0.5, 1, 2, 4)]
    assert p == sorted(p, reverse=True)


# ---------------------------------------------------------------- degenerate input


def test_constants_prove_no_more_than_a_permutation_test_can() -> None:
    ones, nines = np.full(3, 1.0), np.full(3, 9.0)
    assert tost(ones, ones, 5.0) == pytest.approx(0.1)
    assert tost(ones, nines, 5.0) == 1
    assert float(non_inferiority(ones, ones, 5.0, alpha=0.05).p_value) == pytest.approx(0.05)
    assert float(non_inferiority(ones, nines, 5.0, alpha=0.05).p_value) == 1
    for n, reach in ((3, np.inf), (5, 0)):
        found = equivalence(np.full(n, 0.1), np.full(n, 0.1), 5.0, alpha=0.05)
        assert (float(found.low), float(found.high)) == (-reach, reach)


def test_one_seed_proves_nothing() -> None:
    for test in (equivalence, non_inferiority):
        found = test(np.array([1.0]), np.array([1.0, 1.0]), 5.0, alpha=0.05)
        assert (float(found.p_value), found.low, found.high, found.min_p) == (1, -np.inf, np.inf, 1)


def test_an_offset_of_1e12_changes_nothing() -> None:
    x = np.random.default_rng(0).integers(0, 100, (2, 10)) / 128.0
    near, far = (equivalence(x[0] + offset, x[1] + offset, 0.5, alpha=0.05) for offset in (0, 1e12))
    assert float(near.p_value) == pytest.approx(float(far.p_value), rel=1e-9)


# ---------------------------------------------------------------- calibration


@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (5, 5), (10, 10), (30, 30), (5, 15)])
def test_at_its_own_margin_each_errs_at_most_at_its_level(n_a: int, n_b: int) -> None:
    """The true difference is the margin, so every yes is wrong; 20,000 experiments, standard error .0015."""
    a, b = groups(n_a, n_b, gap=3.0, seed=n_a, rows=20_000)
    assert (equivalence(a, b, 3.0, alpha=0.05).p_value <= 0.05).mean() <= 0.057
    assert (non_inferiority(b, a, 3.0, alpha=0.05).p_value <= 0.05).mean() <= 0.057


def test_many_equal_seeds_are_found_equal() -> None:
    a, b = groups(60, 60, rows=500)
    assert (equivalence(a, b, 1.5, alpha=0.05).p_value <= 0.05).mean() > 0.9
