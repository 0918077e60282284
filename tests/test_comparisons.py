"""The shelf of tests: one contract for all of them, and what the t tests and the corrections compute."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from shared_data import finals
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

from rlaudit.comparisons import COMPARISONS, compare, holm, tost
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import Comparison

EVERY = pytest.mark.parametrize("test", COMPARISONS)


def run(test: str, a: np.ndarray, b: np.ndarray, alpha: float = 0.05, n_resamples: int = 999) -> Comparison:
    return COMPARISONS[test](a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=n_resamples)


def groups(n_a: int, n_b: int, rows: int = 0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = (rows,) if rows else ()
    return rng.lognormal(1, 1, (*batch, n_a)), rng.lognormal(0, 1, (*batch, n_b))


# ---------------------------------------------------------------- one contract for all


@EVERY
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3)])
def test_results_have_the_shape_of_the_batch(test: str, shape: tuple[int, ...]) -> None:
    a, b = (np.random.default_rng(i).normal(0, 1, (*shape, 4 + i)) for i in range(2))
    result = run(test, a, b)
    for name in ("effect", "low", "high", "statistic", "df", "p_value", "mc_error"):
        assert getattr(result, name).shape == shape, name
    assert result.test == test


@EVERY
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 5), (5, 5), (8, 9)])
def test_a_batch_gives_what_its_rows_give_one_by_one(test: str, n_a: int, n_b: int) -> None:
    a, b = groups(n_a, n_b, rows=20)
    batch, rows = run(test, a, b), [run(test, *pair) for pair in zip(a, b, strict=True)]
    for name in ("effect", "low", "high", "statistic", "df", "p_value"):
        one_by_one = [getattr(row, name) for row in rows]
        np.testing.assert_allclose(getattr(batch, name), one_by_one, rtol=1e-9, atol=1e-12, err_msg=name)


@EVERY
def test_a_tied_batch_gives_what_its_rows_give_one_by_one(test: str) -> None:
    x = np.random.default_rng(0).integers(0, 3, (30, 9)).astype(float)
    batch = run(test, x[:, :4], x[:, 4:]).p_value
    np.testing.assert_allclose(batch, [run(test, row[:4], row[4:]).p_value for row in x], rtol=1e-9)


scores = arrays(np.float64, (2, 4), elements=st.integers(-50, 50).map(lambda x: x / 8))


@EVERY
@given(x=scores)
@settings(max_examples=40, deadline=None)
def test_swapping_the_agents_swaps_the_result(test: str, x: np.ndarray) -> None:
    there, back = run(test, x[0], x[1]), run(test, x[1], x[0])
    np.testing.assert_allclose(there.p_value, back.p_value, rtol=1e-9)
    np.testing.assert_allclose([there.effect, there.low, there.high], [-back.effect, -back.high, -back.low], atol=1e-9)
    np.testing.assert_array_equal(there.direction, -back.direction)


@EVERY
@given(x=scores, shift=st.sampled_from([-1e6, 3.5, 1e9]), exponent=st.integers(-30, 30))
@settings(max_examples=40, deadline=None)
def test_neither_unit_nor_origin_of_the_scores_matters(test: str, x: np.ndarray, shift: float, exponent: int) -> None:
    plain = run(test, x[0], x[1])
    scale = 2.0**exponent
    scaled, shifted = run(test, *(x * scale)), run(test, *(x + shift))
    np.testing.assert_allclose([scaled.p_value, shifted.p_value], plain.p_value, rtol=1e-9)
    np.testing.assert_allclose([scaled.low / scale, shifted.low], plain.low, atol=1e-6)


@EVERY
@given(x=scores, order=st.permutations(range(4)))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_seeds_does_not_matter(test: str, x: np.ndarray, order: list[int]) -> None:
    np.testing.assert_allclose(run(test, x[0][order], x[1]).p_value, run(test, x[0], x[1]).p_value, rtol=1e-9)


@EVERY
def test_an_offset_of_1e12_changes_nothing_that_the_data_still_hold(test: str) -> None:
    x = np.random.default_rng(0).integers(0, 1000, (2, 6)) / 128.0  # exact at 1e12, whose grid is 1/8192
    plain, far = run(test, x[0], x[1]), run(test, x[0] + 1e12, x[1] + 1e12)
    assert far.p_value == pytest.approx(float(plain.p_value), rel=1e-9)
    assert far.effect == pytest.approx(float(plain.effect), rel=1e-9)


@EVERY
def test_ten_thousand_seeds_are_no_problem(test: str) -> None:
    rng = np.random.default_rng(0)
    result = run(test, rng.normal(1, 1, 10_000), rng.normal(0, 1, 10_000), n_resamples=199)
    assert result.p_value < 0.05
    assert result.direction == 1


@EVERY
def test_the_same_stream_gives_the_same_answer(test: str) -> None:
    a, b = groups(25, 25)
    assert run(test, a, b).p_value == run(test, a, b).p_value


# ---------------------------------------------------------------- degenerate input


@EVERY
def test_two_groups_of_the_same_constant_do_not_differ(test: str) -> None:
    result = run(test, np.full(5, 0.1), np.full(5, 0.1))
    assert (float(result.p_value), float(result.effect)) == (1, 0)
    assert (np.isnan(result.low) and np.isnan(result.high)) or (result.low == result.high == 0)


@EVERY
@pytest.mark.parametrize("n", [2, 3, 5])
def test_two_different_constants_prove_no_more_than_a_permutation_test_can(test: str, n: int) -> None:
    result = run(test, np.full(n, 0.3), np.full(n, 0.1))
    assert float(result.p_value) == pytest.approx({2: 1 / 3, 3: 0.1, 5: 2 / 252}[n])
    assert float(result.effect) == pytest.approx(0.2)
    if not np.isnan(result.low):
        assert (result.low > 0) == (result.p_value <= 0.05)


@EVERY
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 5), (5, 1)])
def test_one_seed_decides_nothing(test: str, n_a: int, n_b: int) -> None:
    result = run(test, *(np.arange(n) + offset for n, offset in ((n_a, 100.0), (n_b, 0.0))))
    assert result.p_value > 0.05
    assert np.isnan(result.low) or (result.low, result.high) == (-np.inf, np.inf)
    assert result.min_p > 0.05


@EVERY
def test_one_constant_group_is_tested_like_any_other(test: str) -> None:
    result = run(test, np.full(6, 500.0), np.array([100.0, 130.0, 90.0, 140.0, 110.0, 120.0]))
    assert 0 <= result.p_value < 0.05
    assert result.direction == 1


# ---------------------------------------------------------------- Welch and Student


@pytest.mark.parametrize(("test", "equal_var"), [("welch", False), ("student", True)])
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 7), (30, 12)])
def test_t_tests_agree_with_scipy(test: str, equal_var: bool, n_a: int, n_b: int) -> None:
    a, b = groups(n_a, n_b, rows=200)
    ours, oracle = run(test, a, b, alpha=0.1), stats.ttest_ind(a, b, axis=-1, equal_var=equal_var)
    interval = oracle.confidence_interval(0.9)
    np.testing.assert_allclose(ours.statistic, oracle.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.p_value, oracle.pvalue, rtol=1e-10)
    np.testing.assert_allclose(ours.df, oracle.df, rtol=1e-10)
    np.testing.assert_allclose([ours.low, ours.high], [interval.low, interval.high], rtol=1e-8, atol=1e-9)


def test_welch_of_sac_against_td3_is_as_published() -> None:
    result = compare(finals("sac"), finals("td3"))
    assert float(result.statistic) == pytest.approx(9.112843603500535, rel=1e-12)
    assert float(result.df) == pytest.approx(376.42834, rel=1e-7)
    assert float(result.p_value) == pytest.approx(4.844e-18, rel=1e-3)
    assert [float(result.low), float(result.high)] == pytest.approx([1032.6, 1600.8], abs=0.05)


def test_welch_survives_spreads_whose_squares_are_no_numbers() -> None:
    result = run("welch", np.array([1.0, 2.0, 3.0]) * 1e-100, np.array([7.0, 8.0, 9.5]) * 1e-100)
    assert float(result.p_value) == pytest.approx(stats.ttest_ind([1, 2, 3], [7, 8, 9.5], equal_var=False).pvalue)


# ---------------------------------------------------------------- compare


def test_compare_is_welch_unless_told_otherwise() -> None:
    a, b = groups(5, 6)
    assert compare(a, b).test == "welch"
    assert compare(a.tolist(), b.tolist(), "permutation").p_value == run("permutation", a, b).p_value


def test_compare_broadcasts_one_group_over_a_batch() -> None:
    a, b = groups(5, 5, rows=3)
    np.testing.assert_array_equal(compare(a, b[0]).p_value, [compare(row, b[0]).p_value for row in a])


def test_compare_without_a_stream_answers_the_same_every_time() -> None:
    a, b = groups(30, 30)
    assert compare(a, b, "permutation", n_resamples=99).p_value == compare(a, b, "permutation", n_resamples=99).p_value


def test_an_unknown_test_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(RlauditError, match=r"'welsh' is not a test\. Did you mean 'welch'\?"):
        compare([1, 2], [3, 4], "welsh")


@pytest.mark.parametrize(
    ("a", "error", "sentence"),
    [
        ([1.0, float("nan")], RlauditError, r"a\[1\] is nan: every seed needs a finite score"),
        ([[1.0, 2.0], [float("inf"), 0.0]], RlauditError, r"a\[1, 0\] is inf"),
        ([], NotEnoughSeeds, "a has no scores"),
        (3.0, NotEnoughSeeds, "a has no scores"),
        (["x", "y"], RlauditError, "a is no array of numbers"),
        ([1e200, 2.0], RlauditError, "a has scores beyond 1e\\+150"),
        ([[1.0, 2.0]] * 2, RlauditError, r"a \(2, 2\) and b \(3, 2\): all axes but the last must agree"),
    ],
)
def test_compare_says_what_is_wrong_with_the_samples(a: object, error: type[Exception], sentence: str) -> None:
    b = [[1.0, 2.0]] * 3 if "agree" in sentence else [1.0, 2.0]
    with pytest.raises(error, match=sentence):
        compare(a, b)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"alpha": 5}, {"n_resamples": 0}])
def test_compare_refuses_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(RlauditError, match=next(iter(options))):
        compare([1, 2], [3, 4], **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------- corrections and equivalence


@given(st.lists(st.integers(0, 1000).map(lambda x: x / 1000), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)


def test_a_comparison_that_could_not_be_made_still_counts_in_the_family() -> None:
    np.testing.assert_allclose(holm([0.01, float("nan"), 0.04]), [0.03, float("nan"), 0.08])


def test_no_comparisons_need_no_correction() -> None:
    assert holm([]).shape == (0,)


@pytest.mark.parametrize("margin", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("seed", range(4))
def test_tost_agrees_with_statsmodels(margin: float, seed: int) -> None:
    a, b = groups(8, 11, seed=seed)
    assert tost(a, b, margin) == pytest.approx(ttost_ind(a, b, -margin, margin, usevar="unequal")[0], rel=1e-9)


def test_tost_at_its_own_margin_errs_at_most_at_its_level() -> None:
    """True difference = margin: "equivalent" is then wrong, and said in at most 5 % of experiments."""
    rng = np.random.default_rng(0)
    wrong = [tost(rng.normal(2, 1, 8), rng.normal(0, 1, 8), 2.0) <= 0.05 for _ in range(3_000)]
    assert np.mean(wrong) <= 0.062


def test_tost_needs_two_seeds_and_some_spread_for_a_small_p() -> None:
    assert tost(np.array([1.0]), np.array([1.0, 1.0]), 5.0) == 1
    assert tost(np.full(3, 1.0), np.full(3, 1.0), 5.0) == pytest.approx(0.1)
    assert tost(np.full(3, 1.0), np.full(3, 9.0), 5.0) == 1
