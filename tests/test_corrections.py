"""Many comparisons at one level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from statsmodels.stats.multitest import multipletests

from rlaudit.comparisons.corrections import CORRECTIONS, benjamini_hochberg, holm

ORACLES = {"holm": "holm", "benjamini_hochberg": "fdr_bh"}
EVERY = pytest.mark.parametrize("name", CORRECTIONS)
families = st.lists(st.integers(0, 1000).map(lambda x: x / 1000), min_size=1, max_size=12)


@EVERY
@given(p_values=families)
@settings(max_examples=25, deadline=None)
def test_statsmodels_agrees(name: str, p_values: list[float]) -> None:
    expected = multipletests(p_values, method=ORACLES[name])[1]
    np.testing.assert_allclose(CORRECTIONS[name](p_values), expected, rtol=1e-12)


@EVERY
@given(p_values=families, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_family_does_not_matter(name: str, p_values: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(p_values))
    p = np.array(p_values)
    np.testing.assert_allclose(CORRECTIONS[name](p[order]), CORRECTIONS[name](p)[order], rtol=1e-12)


@EVERY
def test_a_comparison_that_could_not_be_made_still_counts_in_the_family(name: str) -> None:
    with_one = CORRECTIONS[name]([0.01, float("nan"), 0.04])
    assert np.isnan(with_one).tolist() == [False, True, False]
    np.testing.assert_allclose(with_one[[0, 2]], CORRECTIONS[name]([0.01, 1.0, 0.04])[[0, 2]])


@EVERY
def test_no_comparisons_need_no_correction(name: str) -> None:
    assert CORRECTIONS[name]([]).shape == (0,)


@EVERY
def test_one_comparison_stays_as_it_is(name: str) -> None:
    assert CORRECTIONS[name]([0.03]).tolist() == [0.03]


def test_the_published_example_of_benjamini_and_hochberg() -> None:
    """Their section 3.2, 15 p-values at .05: four rejections, where Bonferroni and Holm find three."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert (benjamini_hochberg(p) <= 0.05).sum() == 4
    assert (holm(p) <= 0.05).sum() == 3


def test_holm_keeps_the_familys_error_and_benjamini_hochberg_the_share_of_false_calls() -> None:
    """20 comparisons, 10 of them real (3 standard errors). Benjamini-Hochberg stays at alpha times the share of true
    nulls, .025, but lets a false one into .23 of the families."""
    rng, n = np.random.default_rng(0), 4_000
    z = rng.normal(0, 1, (n, 20)) + np.repeat([3.0, 0.0], 10)
    calls = {name: np.array([CORRECTIONS[name](row) for row in ndtr(-z)]) <= 0.05 for name in CORRECTIONS}
    wrong = {name: found[:, 10:].sum(axis=1) for name, found in calls.items()}
    share = (wrong["benjamini_hochberg"] / np.maximum(calls["benjamini_hochberg"].sum(axis=1), 1)).mean()
    assert (wrong["holm"] > 0).mean() <= 0.05
    assert share == pytest.approx(0.025, abs=0.004)
    assert (wrong["benjamini_hochberg"] > 0).mean() == pytest.approx(0.23, abs=0.03)
    assert calls["benjamini_hochberg"][:, :10].mean() > calls["holm"][:, :10].mean() + 0.1
