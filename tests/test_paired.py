"""Paired tests: t, sign flips (three ways to the same p-value), bootstrap."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from rlaudit.comparisons import paired
from rlaudit.comparisons.paired import paired_bootstrap, paired_t, sign_flip
from rlaudit.types import Alternative, Compare, Comparison

EVERY = pytest.mark.parametrize("test", [paired_t, sign_flip, paired_bootstrap])
SIDES = pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])


def run(
    test: Compare,
    a: np.ndarray,
    b: np.ndarray,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    n_resamples: int = 999,
    seed: int = 0,
) -> Comparison:
    rng = np.random.default_rng(seed)
    return test(a, b, alpha=alpha, rng=rng, n_resamples=n_resamples, alternative=alternative)


def pairs(n: int, rows: int = 0, gap: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two agents whose runs share something."""
    rng, shape = np.random.default_rng([n, seed]), (rows, n) if rows else (n,)
    shared = rng.normal(0, 1, shape)
    return shared + rng.normal(gap, 1, shape), shared + rng.normal(0, 1, shape)


# ---------------------------------------------------------------- t


@SIDES
@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_paired_t_agrees_with_scipy(n: int, alternative: Alternative) -> None:
    a, b = pairs(n, rows=20)
    ours, oracle = run(paired_t, a, b, alternative, alpha=0.1), stats.ttest_rel(a, b, axis=1, alternative=alternative)
    interval = oracle.confidence_interval(0.9)
    np.testing.assert_allclose(ours.statistic, oracle.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-10)
    np.testing.assert_allclose(ours.df, oracle.df)
    np.testing.assert_allclose([ours.low, ours.high], [interval.low, interval.high], rtol=1e-8)


# ---------------------------------------------------------------- sign flips


@SIDES
@pytest.mark.parametrize("n", [3, 5, 9])
def test_sign_flips_agree_with_scipy(n: int, alternative: Alternative) -> None:
    a, b = pairs(n)
    oracle = stats.permutation_test(
        (a, b),
        lambda x, y, axis: (x - y).mean(axis),
        permutation_type="samples",
        alternative=alternative,
        n_resamples=np.inf,
    )
    assert float(run(sign_flip, a, b, alternative).p_value) == pytest.approx(oracle.pvalue, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_with_ties_p_is_the_share_of_sign_patterns_that_are_as_extreme(n: int) -> None:
    """scipy counts ties too, but not those that rounding has split: .1 + .2 against .3."""
    d = np.random.default_rng(n).integers(-3, 4, (20, n)) / 10
    signs = np.array(list(product([-1, 1], repeat=n)))
    flipped = np.round(d @ signs.T, 6)
    seen = np.round(d.sum(axis=1, keepdims=True), 6)
    zeros = np.zeros_like(d)
    np.testing.assert_allclose(run(sign_flip, d, zeros, "greater").p_value, (flipped >= seen).mean(axis=1))
    np.testing.assert_allclose(run(sign_flip, d, zeros, "less").p_value, (flipped <= seen).mean(axis=1))
    both = (np.abs(flipped) >= np.abs(seen)).mean(axis=1)
    np.testing.assert_allclose(run(sign_flip, d, zeros).p_value, both)


@SIDES
def test_the_interval_holds_the_shifts_that_are_not_rejected(alternative: Alternative) -> None:
    a, b = pairs(9, rows=10)
    found = run(sign_flip, a, b, alternative)
    finite = [(end, sign) for end, sign in ((found.low, 1), (found.high, -1)) if np.isfinite(end).all()]
    assert len(finite) == (2 if alternative == "two-sided" else 1)
    for end, sign in finite:
        inside = run(sign_flip, a - (end + sign * 1e-6)[:, None], b, alternative).p_value
        outside = run(sign_flip, a - (end - sign * 1e-6)[:, None], b, alternative).p_value
        assert (inside > 0.05).all()
        assert (outside <= 0.05).all()


@SIDES
@pytest.mark.parametrize("n", [7, 12])
def test_meeting_in_the_middle_gives_what_listing_gives(
    n: int, alternative: Alternative, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (np.round(x, 1) for x in pairs(n, rows=30))
    listed = run(sign_flip, a, b, alternative)
    monkeypatch.setattr(paired, "_LISTED", 0)
    met = run(sign_flip, a, b, alternative)
    np.testing.assert_array_equal(listed.p_value, met.p_value)
    np.testing.assert_allclose([listed.low, listed.high], [met.low, met.high], atol=1e-9)


def test_thirty_pairs_are_exact() -> None:
    """Integer differences have another exact way: the distribution of their signed sum, one pair at a time."""
    d = np.random.default_rng(0).integers(-9, 14, 30)
    ways = np.zeros(2 * np.abs(d).sum() + 1)
    ways[np.abs(d).sum()] = 1
    for x in np.abs(d):
        ways = np.roll(ways, x) + np.roll(ways, -x)
    expected = 2 * ways[np.abs(d).sum() + abs(d.sum()) :].sum() / 2.0**30
    result = run(sign_flip, d.astype(float), np.zeros(30))
    assert float(result.p_value) == pytest.approx(expected, rel=1e-9)
    assert (float(result.mc_error), result.min_p) == (0, 2 / 2**30)


def test_drawn_subsets_agree_with_all_of_them_within_the_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pairs(9, rows=40)
    exact = run(sign_flip, a, b)
    monkeypatch.setattr(paired, "_LISTED", 0)
    monkeypatch.setattr(paired, "_BUDGET", 0)
    drawn = run(sign_flip, a, b, n_resamples=9_999)
    assert (np.abs(drawn.p_value - exact.p_value) <= 4 * drawn.mc_error + 1e-4).all()
    np.testing.assert_allclose([drawn.low, drawn.high], [exact.low, exact.high], atol=0.2)
    assert drawn.min_p == 2 / 2**9


def test_a_simulated_p_is_never_below_what_its_resamples_can_show() -> None:
    rng = np.random.default_rng(0)
    result = run(sign_flip, rng.normal(9, 1, 50), rng.normal(0, 1, 50))
    assert float(result.p_value) == result.min_p == 2 / 1000
    assert result.mc_error > 0


@pytest.mark.parametrize(("n", "two", "one"), [(1, 1, 0.5), (3, 0.25, 0.125), (5, 0.0625, 0.03125)])
def test_the_smallest_p_is_known_before_anything_is_trained(n: int, two: float, one: float) -> None:
    a, b = np.arange(n) + 9.0, np.sqrt(np.arange(n))
    for alternative, least in (("two-sided", two), ("greater", one)):
        result = run(sign_flip, a, b, alternative)  # type: ignore[arg-type]
        assert (float(result.p_value), result.min_p) == (least, least)


# ---------------------------------------------------------------- bootstrap


def test_the_bootstrap_lists_all_resamples_of_few_pairs() -> None:
    """n^n of them, by hand: Hesterberg's p is 2 T_{n-1}(sqrt((n-1)/n) Phi^-1(share of means <= 0))."""
    a, b = pairs(6, gap=0.8, seed=3)
    draws = np.array(list(product(range(6), repeat=6)))
    means = (a - b)[draws].mean(axis=1)
    tail = min((means <= 0).mean(), (means >= 0).mean())
    expected = 2 * stats.t.cdf(np.sqrt(5 / 6) * stats.norm.ppf(tail), 5)
    found = run(paired_bootstrap, a, b)
    assert float(found.p_value) == pytest.approx(expected, rel=1e-9)
    level = stats.norm.cdf(stats.t.ppf(0.025, 5) / np.sqrt(5 / 6))
    assert float(found.low) == pytest.approx(np.quantile(means, level, method="inverted_cdf"), abs=1e-9)
    assert float(found.high) == pytest.approx(np.quantile(means, 1 - level, method="inverted_cdf"), abs=1e-9)


def test_simulated_resamples_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pairs(7, rows=40)
    exact = run(paired_bootstrap, a, b)
    monkeypatch.setattr(paired, "_MULTISETS", 0)
    simulated = run(paired_bootstrap, a, b, n_resamples=9_999)
    assert (np.abs(simulated.p_value - exact.p_value) <= 4 * simulated.mc_error + 1e-3).all()


def test_with_many_normal_pairs_all_three_agree() -> None:
    a, b = pairs(200, gap=0.3)
    p = [float(run(test, a, b, n_resamples=99_999).p_value) for test in (paired_t, sign_flip, paired_bootstrap)]
    assert p == pytest.approx([p[0]] * 3, rel=0.2)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_bootstrap_claims_no_more_than_sign_flips_allow(n: int) -> None:
    result = run(paired_bootstrap, np.arange(n) + 9.0, np.sqrt(np.arange(n)))
    assert float(result.p_value) >= result.min_p >= 2 / 2**n
    assert (result.low, result.high) == (-np.inf, np.inf)


# ---------------------------------------------------------------- one contract for all three

whole = arrays(np.float64, (2, 6), elements=st.integers(-50, 50).map(lambda x: x / 8))


@EVERY
@SIDES
@given(x=whole)
@settings(max_examples=25, deadline=None)
def test_the_interval_excludes_zero_exactly_where_p_is_at_most_alpha(
    test: Compare, alternative: Alternative, x: np.ndarray
) -> None:
    result = run(test, x[0], x[1], alternative)
    assert ((result.low > 0) | (result.high < 0)) == (result.p_value <= 0.05)


@EVERY
@SIDES
@pytest.mark.parametrize("n", [5, 9, 14])
def test_simulated_or_not_interval_and_p_say_the_same(
    test: Compare, alternative: Alternative, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_LISTED", "_BUDGET", "_MULTISETS"):
        monkeypatch.setattr(paired, name, 0)
    a, b = pairs(n, rows=200, gap=1.0)
    result = run(test, a, b, alternative)
    np.testing.assert_array_equal((result.low > 0) | (result.high < 0), result.p_value <= 0.05)


@EVERY
def test_swapping_mirrors_also_what_is_simulated(test: Compare) -> None:
    a, b = pairs(40, rows=5)
    there, back = run(test, a, b, "greater"), run(test, b, a, "less")
    np.testing.assert_allclose(there.p_value, back.p_value, rtol=1e-9)
    np.testing.assert_allclose(there.low, -back.high, rtol=1e-9)
    np.testing.assert_array_equal(there.direction, -back.direction)


@EVERY
def test_the_correlation_of_the_pairs_is_told(test: Compare) -> None:
    a, b = pairs(12, rows=4)
    expected = [stats.pearsonr(*pair).statistic for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(run(test, a, b).correlation, expected, rtol=1e-10)
    np.testing.assert_allclose(run(test, 1e-150 * a, 1e9 + b).correlation, expected, rtol=1e-5)
    assert np.isnan(run(test, np.full(5, 0.1), np.arange(5.0)).correlation)
    assert np.isnan(run(test, np.ones(1), np.ones(1)).correlation)


@EVERY
def test_pairing_finds_what_correlated_agents_hide(test: Compare) -> None:
    shared = np.random.default_rng(0).normal(0, 100, 10)
    a, b = shared + np.random.default_rng(1).normal(3, 1, 10), shared
    assert run(test, a, b).p_value < 0.02
    assert run(test, a, b[::-1]).p_value > 0.3


@EVERY
@pytest.mark.parametrize("n", [2, 3, 6, 8])
def test_equal_differences_prove_what_their_signs_do_even_where_rounding_splits_them(test: Compare, n: int) -> None:
    b = np.random.default_rng(n).normal(0, 1, n)
    assert np.ptp((b + 0.1) - b) > 0
    for alternative, least in (("two-sided", 2 / 2**n), ("greater", 1 / 2**n), ("less", 1)):
        result = run(test, b + 0.1, b, alternative)  # type: ignore[arg-type]
        assert float(result.p_value) == pytest.approx(least)
        assert result.direction == 1
    assert float(run(test, b + 0.1, b).low) == pytest.approx(0.1 if 2 / 2**n <= 0.05 else -np.inf)


@EVERY
@SIDES
def test_differences_that_are_zero_but_for_rounding_are_no_differences(test: Compare, alternative: Alternative) -> None:
    for n in (1, 2, 6, 20):
        result = run(test, np.full(n, 0.1) + 0.2, np.full(n, 0.3), alternative)
        assert float(result.p_value) == 1
        assert result.low <= 0 <= result.high


@EVERY
def test_an_offset_of_1e12_and_ten_thousand_pairs_are_no_problem(test: Compare) -> None:
    x = np.random.default_rng(0).integers(0, 1000, (2, 10_000)) / 128.0  # exact at 1e12, whose grid is 1/8192
    near, far = (run(test, x[0] + 0.25 + offset, x[1] + offset, n_resamples=199) for offset in (0, 1e12))
    assert float(near.p_value) == pytest.approx(float(far.p_value), rel=1e-6)
    assert float(near.low) == pytest.approx(float(far.low), rel=1e-6)


# ---------------------------------------------------------------- calibration

NULLS = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "log-normal": lambda rng, shape: rng.lognormal(0, 1, shape),
    "bimodal": lambda rng, shape: rng.normal(0, 1, shape) + 6 * (rng.random(shape) < 0.3),
    "tied": lambda rng, shape: np.minimum(rng.integers(0, 6, shape), 3).astype(float),
}


@EVERY
@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_a_difference_that_is_not_there_is_found_at_most_at_alpha(test: Compare, n: int, null: str) -> None:
    """5,000 experiments, standard error .003. The bootstrap has .064 on log-normal and bimodal pairs at n = 10."""
    rng = np.random.default_rng(n)
    a, b = NULLS[null](rng, (2, 5_000, n))
    rate = (test(a, b, alpha=0.05, rng=rng, n_resamples=999, interval=False).p_value <= 0.05).mean()
    assert rate <= (0.077 if test is paired_bootstrap else 0.061)


@pytest.mark.parametrize(("n", "size"), [(5, 0), (6, 2 / 64), (7, 6 / 128), (8, 12 / 256)])
def test_on_normal_pairs_the_size_of_sign_flips_is_a_constant(n: int, size: float) -> None:
    rng = np.random.default_rng(n)
    p = sign_flip(*rng.normal(0, 1, (2, 20_000, n)), alpha=0.05, rng=rng, n_resamples=9, interval=False).p_value
    assert (p <= 0.05).mean() == pytest.approx(size, abs=0.006)


@pytest.mark.parametrize("n", [6, 10, 30])
@EVERY
def test_intervals_cover_the_true_difference(test: Compare, n: int) -> None:
    a, b = pairs(n, rows=1_000, gap=2.0)
    result = run(test, a, b)
    covered = ((result.low <= 2) & (result.high >= 2)).mean()
    assert covered >= 0.93
