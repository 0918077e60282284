"""`compare`, the border of the shelf of tests; Welch on published numbers; corrections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shared_data import finals
from statsmodels.stats.multitest import multipletests

from rlaudit.comparisons import COMPARISONS, compare, holm
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import Comparison


def run(test: str, a: np.ndarray, b: np.ndarray, alpha: float = 0.05, n_resamples: int = 999) -> Comparison:
    return COMPARISONS[test](a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=n_resamples)


def groups(n_a: int, n_b: int, rows: int = 0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = (rows,) if rows else ()
    return rng.lognormal(1, 1, (*batch, n_a)), rng.lognormal(0, 1, (*batch, n_b))


# ---------------------------------------------------------------- Welch


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


# ---------------------------------------------------------------- corrections


@given(st.lists(st.integers(0, 1000).map(lambda x: x / 1000), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)


def test_a_comparison_that_could_not_be_made_still_counts_in_the_family() -> None:
    np.testing.assert_allclose(holm([0.01, float("nan"), 0.04]), [0.03, float("nan"), 0.08])


def test_no_comparisons_need_no_correction() -> None:
    assert holm([]).shape == (0,)
