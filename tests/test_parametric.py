"""One-sided t tests, and Yuen's on trimmed means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from rlaudit.comparisons import COMPARISONS
from rlaudit.comparisons.moments import smallest_p
from rlaudit.types import Alternative, Comparison

T_TESTS = pytest.mark.parametrize("test", ["welch", "student", "yuen"])
SIDES = pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
FIELDS = ("effect", "low", "high", "statistic", "df", "p_value")


def run(
    test: str, a: np.ndarray, b: np.ndarray, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> Comparison:
    rng = np.random.default_rng(0)
    return COMPARISONS[test](a, b, alpha=alpha, rng=rng, n_resamples=1, alternative=alternative)


def groups(n_a: int, n_b: int, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.lognormal(0.3, 1, (rows, n_a)), rng.lognormal(0, 1, (rows, n_b))


# ---------------------------------------------------------------- oracles


@SIDES
@pytest.mark.parametrize(("test", "options"), [("welch", {"equal_var": False}), ("student", {"equal_var": True})])
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 7), (30, 12)])
def test_t_tests_agree_with_scipy_on_every_side(
    test: str, options: dict[str, bool], n_a: int, n_b: int, alternative: Alternative
) -> None:
    a, b = groups(n_a, n_b, rows=50)
    oracle = stats.ttest_ind(a, b, axis=-1, alternative=alternative, **options)
    _assert_same(run(test, a, b, alternative, alpha=0.1), oracle)


@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(5, 5), (6, 14), (10, 10), (37, 15)])
def test_yuen_agrees_with_scipy(n_a: int, n_b: int, alternative: Alternative) -> None:
    a, b = groups(n_a, n_b, rows=50)
    oracle = stats.ttest_ind(a, b, axis=-1, equal_var=False, trim=0.2, alternative=alternative)
    ours = run("yuen", a, b, alternative, alpha=0.1)
    _assert_same(ours, oracle)
    trimmed = stats.trim_mean(a, 0.2, axis=-1) - stats.trim_mean(b, 0.2, axis=-1)
    np.testing.assert_allclose(ours.effect, trimmed, rtol=1e-12)
    assert ours.estimand == "trimmed mean difference"


def _assert_same(ours: Comparison, oracle: "stats._stats_py.TtestResult") -> None:
    interval = oracle.confidence_interval(0.9)
    np.testing.assert_allclose(ours.statistic, oracle.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-10)
    np.testing.assert_allclose(ours.df, oracle.df, rtol=1e-10)
    np.testing.assert_allclose([ours.low, ours.high], [interval.low, interval.high], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (4, 3), (4, 4)])
def test_below_five_seeds_nothing_is_trimmed(n_a: int, n_b: int) -> None:
    a, b = groups(n_a, n_b, rows=20)
    trimmed, plain = run("yuen", a, b), run("welch", a, b)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(trimmed, name), getattr(plain, name), rtol=1e-9, err_msg=name)


def test_one_crashed_seed_in_ten_hides_a_difference_from_welch_but_not_from_yuen() -> None:
    a, b = np.arange(10) + 20.0, np.arange(10) + 0.0
    a[0] = -500
    assert run("welch", a, b).p_value > 0.3
    assert run("yuen", a, b).p_value < 1e-4


# ---------------------------------------------------------------- laws of one-sided tests

scores = arrays(np.float64, (2, 6), elements=st.integers(-50, 50).map(lambda x: x / 8))


@T_TESTS
@given(x=scores)
@settings(max_examples=30, deadline=None)
def test_what_is_greater_from_here_is_less_from_there(test: str, x: np.ndarray) -> None:
    there, back = run(test, x[0], x[1], "greater"), run(test, x[1], x[0], "less")
    np.testing.assert_allclose(there.p_value, back.p_value, rtol=1e-9)
    np.testing.assert_allclose([there.effect, there.low, there.high], [-back.effect, -back.high, -back.low], atol=1e-9)
    np.testing.assert_array_equal(there.direction, -back.direction)


@T_TESTS
@given(x=scores)
@settings(max_examples=30, deadline=None)
def test_two_sides_need_more_evidence_than_the_nearer_one(test: str, x: np.ndarray) -> None:
    both, greater, less = (float(run(test, x[0], x[1], side).p_value) for side in ("two-sided", "greater", "less"))
    assert both >= min(greater, less)
    assert greater + less >= 1 - 1e-12


@T_TESTS
@SIDES
@given(x=scores)
@settings(max_examples=30, deadline=None)
def test_the_interval_excludes_zero_exactly_where_p_is_at_most_alpha(
    test: str, alternative: Alternative, x: np.ndarray
) -> None:
    result = run(test, x[0], x[1], alternative)
    assert ((result.low > 0) | (result.high < 0)) == (result.p_value <= 0.05)


@T_TESTS
@pytest.mark.parametrize(("alternative", "low", "high"), [("greater", 0.95, 1), ("less", 0, 0.95)])
def test_a_one_sided_interval_has_one_end_and_it_is_that_of_the_double_level(
    test: str, alternative: Alternative, low: float, high: float
) -> None:
    a, b = groups(7, 6, rows=9)
    one, both = run(test, a, b, alternative), run(test, a, b, alpha=0.1)
    np.testing.assert_allclose(one.low, both.low if low else np.full(9, -np.inf))
    np.testing.assert_allclose(one.high, both.high if high < 1 else np.full(9, np.inf))


# ---------------------------------------------------------------- degenerate input


@T_TESTS
@pytest.mark.parametrize(("n_a", "n_b", "least"), [(2, 2, 1 / 6), (3, 3, 0.05), (4, 4, 1 / 70), (3, 5, 1 / 56)])
def test_one_sided_two_constants_prove_what_one_arrangement_in_all_does(
    test: str, n_a: int, n_b: int, least: float
) -> None:
    above = run(test, np.full(n_a, 0.3), np.full(n_b, 0.1), "greater")
    below = run(test, np.full(n_a, 0.3), np.full(n_b, 0.1), "less")
    assert smallest_p(n_a, n_b, "greater") == pytest.approx(least)
    assert (float(above.p_value), float(below.p_value)) == (pytest.approx(least), 1)
    assert float(above.low) == (pytest.approx(0.2) if least <= 0.05 else -np.inf)
    assert (above.high, below.low) == (np.inf, -np.inf)


@T_TESTS
@SIDES
def test_equal_constants_and_single_seeds_give_p_1_on_every_side(test: str, alternative: Alternative) -> None:
    for a, b in ((np.full(5, 0.1), np.full(5, 0.1)), (np.array([9.0]), np.arange(5.0)), (np.arange(5.0), np.zeros(1))):
        result = run(test, a, b, alternative)
        assert (float(result.p_value), result.alternative) == (1, alternative)
        assert result.low <= 0 <= result.high


def test_where_only_the_middles_are_constant_yuen_claims_what_the_seeds_that_stayed_allow() -> None:
    """Three of five stay: 2 / C(6, 3). Six of ten: 2 / C(12, 6)."""
    for n, least in ((5, 0.1), (10, 2 / 924)):
        a, b = np.full(n, 2.0), np.full(n, 1.0)
        a[0], a[-1], b[-1] = -5, 9, 9
        result = run("yuen", a, b)
        assert (float(result.effect), float(result.p_value)) == (1, pytest.approx(least))
        assert (result.low > 0) == (least <= 0.05)


@T_TESTS
def test_ten_thousand_seeds_at_an_offset_of_1e12_are_no_problem(test: str) -> None:
    x = np.random.default_rng(0).integers(0, 1000, (2, 10_000)) / 128.0  # exact at 1e12, whose grid is 1/8192
    x[0] += 0.25
    near, far = run(test, x[0], x[1], "greater"), run(test, x[0] + 1e12, x[1] + 1e12, "greater")
    assert float(near.p_value) == pytest.approx(float(far.p_value), rel=1e-9)
    assert float(near.low) == pytest.approx(float(far.low), rel=1e-9, abs=1e-12)


# ---------------------------------------------------------------- calibration

NULLS = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "log-normal": lambda rng, shape: rng.lognormal(0, 1, shape),
    "bimodal": lambda rng, shape: rng.normal(0, 1, shape) + 6 * (rng.random(shape) < 0.3),
    "tied": lambda rng, shape: np.minimum(rng.integers(0, 6, shape), 3).astype(float),
}


@SIDES
@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("test", ["welch", "yuen"])
def test_a_difference_that_is_not_there_is_found_at_most_at_alpha(
    test: str, n: int, null: str, alternative: Alternative
) -> None:
    """20,000 experiments, standard error .0015; the largest measured is .052."""
    x = NULLS[null](np.random.default_rng(n), (20_000, 2 * n))
    assert (run(test, x[:, :n], x[:, n:], alternative).p_value <= 0.05).mean() <= 0.056


@pytest.mark.parametrize(("n_a", "n_b", "rate"), [(5, 5, 0.059), (5, 15, 0.082), (10, 30, 0.060)])
def test_yuen_stays_near_its_level_where_the_smaller_group_spreads_three_times_as_wide(
    n_a: int, n_b: int, rate: float
) -> None:
    rng = np.random.default_rng(0)
    found = run("yuen", rng.normal(0, 3, (40_000, n_a)), rng.normal(0, 1, (40_000, n_b))).p_value <= 0.05
    assert found.mean() == pytest.approx(rate, abs=0.004)
