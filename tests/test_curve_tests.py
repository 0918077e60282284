"""Tests of two agents over a whole learning curve."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from null_curves import arm, autoregressive, skewed, walks
from scipy import stats
from shared_data import curves

from rlaudit.comparisons import COMPARISONS
from rlaudit.curves import band, cluster_test, curve_max_t

ALPHA = 0.05


def with_gaps(x: np.ndarray) -> np.ndarray:
    """One run stops early, another has a hole, and the first steps were seen by three runs alone."""
    x = x.copy()
    x[0, -3:], x[-1, 4:6], x[3:, 0] = np.nan, np.nan, np.nan
    return x


# ---------------------------------------------------------------- max-T and clusters: the numbers


def welch_t(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Step by step, from what each step has; 0 with fewer than two runs."""
    t = np.zeros(a.shape[1])
    for step in range(len(t)):
        x, y = (group[:, step][~np.isnan(group[:, step])] for group in (a, b))
        if min(len(x), len(y)) > 1:
            t[step] = stats.ttest_ind(x, y, equal_var=False).statistic
    return t


def masses(t: np.ndarray, threshold: float) -> list[float]:
    found, last = [0.0], 0.0
    for value in t:
        sign = np.sign(value) * (abs(value) > threshold)
        if sign and sign == last:
            found[-1] += abs(value)
        elif sign:
            found.append(abs(value))
        last = sign
    return found


def arrangements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Welch's t in every arrangement of the runs, one at a time."""
    pool, everyone = np.concatenate([a, b]), range(len(a) + len(b))
    return np.array(
        [welch_t(pool[list(group)], np.delete(pool, group, axis=0)) for group in combinations(everyone, len(a))]
    )


def step_down(t: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Westfall & Young 1993, algorithm 4.1, in its own words."""
    order = np.argsort(-np.abs(observed), kind="stable")
    adjusted, so_far = np.empty(len(order)), 0.0
    for rank, step in enumerate(order):
        largest = np.abs(t[:, order[rank:]]).max(axis=1)
        so_far = max(so_far, float((largest >= abs(observed[step]) - 1e-9).mean()))
        adjusted[step] = so_far
    return adjusted


@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (4, 3), (2, 4)])
@pytest.mark.parametrize("gaps", [False, True])
def test_both_tests_are_what_listing_all_arrangements_by_hand_gives(n_a: int, n_b: int, gaps: bool) -> None:
    a, b = walks(1, n_a, 8)[0] + np.linspace(0, 2, 8), walks(1, n_b, 8, seed=1)[0]
    if gaps:
        a, b = with_gaps(a), with_gaps(b)
    observed, t, threshold = welch_t(a, b), arrangements(a, b), 1.2
    found = curve_max_t(a, b)
    np.testing.assert_allclose(observed, found.statistic, atol=1e-9)
    np.testing.assert_allclose(step_down(t, observed), found.adjusted)
    clusters = cluster_test(a, b, threshold=threshold)
    largest = np.array([max(masses(row, threshold)) for row in t])
    expected = [mass for mass in masses(observed, threshold) if mass]
    np.testing.assert_allclose(expected, [one.mass for one in clusters.clusters])
    np.testing.assert_allclose(
        [(largest >= mass - 1e-9).mean() for mass in expected], [one.p_value for one in clusters.clusters]
    )


def test_a_single_step_is_the_permutation_test_on_welchs_t() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 5, 1))
    t = np.abs(arrangements(a, b))
    assert (t >= np.abs(welch_t(a, b)) - 1e-9).mean() == pytest.approx(curve_max_t(a, b).p_value)


def test_the_global_p_is_that_of_the_largest_t() -> None:
    a, b = walks(2, 5, 30) + np.array([[[1.0]], [[0.0]]])
    found = curve_max_t(a, b)
    assert found.p_value == found.adjusted[np.abs(found.statistic).argmax()] == found.adjusted.min()
    np.testing.assert_allclose(a.mean(0) - b.mean(0), found.effect)


def test_clusters_are_named_by_their_steps_and_who_is_ahead() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((10, 12))
    gap = np.array([0, 0, 1, 1, 1, 0, 0, -1, -1, 1, 0, 0.0])
    a = arm(list(range(0, 120, 10)), (noise[:5] + gap).tolist())
    b = arm(list(range(0, 120, 10)), noise[5:].tolist(), "b")
    found = cluster_test(a, b, threshold=4.0)
    assert [(20, 40, 1), (70, 80, -1), (90, 90, 1)] == [(one.first, one.last, one.direction) for one in found.clusters]
    assert found.clusters[0].mass == pytest.approx(np.abs(found.statistic[2:5]).sum())
    assert found.p_value == found.clusters[0].p_value == found.min_p == pytest.approx(2 / 252)
    assert found.meaning == "a significant cluster says that the curves differ somewhere, not at which steps"


def test_without_a_threshold_it_is_the_critical_value_of_student() -> None:
    assert cluster_test(*walks(2, 5, 10)).threshold == pytest.approx(stats.t.ppf(0.975, 8))


def test_without_a_cluster_p_is_one() -> None:
    found = cluster_test(*walks(2, 5, 10), threshold=1e3)
    assert ((), 1.0) == (found.clusters, found.p_value)


@pytest.mark.parametrize("test", [curve_max_t, cluster_test])
def test_a_simulated_p_agrees_with_the_exact_one(test: Callable[..., object]) -> None:
    """7v7 has 1,716 mirrored patterns: listed for 1,716 resamples, drawn for one less."""
    a, b = walks(2, 7, 20, seed=3) + np.array([np.linspace(0, 8, 20), np.zeros(20)])[:, None]
    exact, drawn = (test(a, b, n_resamples=n) for n in (1716, 1715))
    assert exact.mc_error == 0 < drawn.mc_error
    assert 0.001 < exact.p_value < 0.9
    assert exact.p_value == pytest.approx(drawn.p_value, abs=4 * drawn.mc_error + 1e-3)


def test_the_smallest_p_is_known() -> None:
    a, b = np.arange(10)[:, None] + np.zeros((10, 3)), np.arange(10)[:, None] + np.full((10, 3), 99.0)
    assert curve_max_t(a[:5], b[:5]).p_value == curve_max_t(a[:5], b[:5]).min_p == pytest.approx(2 / 252)
    assert curve_max_t(a, b, n_resamples=999).p_value == curve_max_t(a, b, n_resamples=999).min_p == 1 / 1000


# ---------------------------------------------------------------- max-T and clusters: the level


TESTS = {"max t": curve_max_t, "cluster": cluster_test}


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize(("draw", "n"), [(walks, 4), (autoregressive, 5), (skewed, 5), (autoregressive, 9)])
def test_curves_of_one_agent_are_called_different_in_at_most_alpha(
    name: str, draw: Callable[..., np.ndarray], n: int
) -> None:
    """1,500 pairs: a rate of .05 exceeds .067 with a chance of .002, one of .10 is never below; n = 9 is drawn."""
    hits = [TESTS[name](x[:n], x[n:], n_resamples=199).p_value <= ALPHA for x in draw(1_500, 2 * n, 50, seed=n)]
    assert np.mean(hits) <= 0.067


def test_runs_that_stop_early_in_one_draw_or_another_keep_the_level() -> None:
    """Bad runs are stopped, so that what is missing depends on the score; it travels with the run."""
    hits = 0
    for x in walks(1_500, 10, 40, seed=5):
        x[x[:, 20] < -3, 21:] = np.nan
        hits += curve_max_t(x[:5], x[5:]).p_value <= ALPHA
    assert hits / 1_500 <= 0.067


def test_no_step_without_a_difference_is_named_in_more_than_alpha() -> None:
    """The agents differ in the second half alone, by far; the first half may be named in .05 of the experiments."""
    hits = power = 0
    for x in autoregressive(1_500, 10, 40, seed=6):
        x[:5, 20:] += 4
        adjusted = curve_max_t(x[:5], x[5:]).adjusted
        hits += bool((adjusted[:20] <= ALPHA).any())
        power += bool((adjusted[20:] <= ALPHA).any())
    assert hits / 1_500 <= 0.067
    assert power / 1_500 >= 0.9


@pytest.mark.parametrize(("agent", "student", "welch"), [("sac", 0.92, 0.885), ("td3", 0.66, 0.615)])
def test_real_runs_of_one_agent_differ_at_some_step_but_not_as_curves(agent: str, student: float, welch: float) -> None:
    """93 % and 68 % were noted beforehand for tests at each step; how is not known, and Student's come closest.

    Over 4,000 splits we measured .923 and .662 (Student; standard errors .004, .007), .882 and .620 (Welch). 1,000
    splits have standard errors of .009 to .015; .045 is three of the larger one.
    """
    pool, rng = curves(agent)[1:], np.random.default_rng(0)
    hits = np.zeros(4)
    for _ in range(1_000):
        picked = pool[rng.permutation(len(pool))[:10]]
        a, b = picked[:5], picked[5:]
        pointwise = [
            COMPARISONS[test](a.T, b.T, alpha=ALPHA, rng=rng, n_resamples=1).p_value.min()
            for test in ("student", "welch")
        ]
        p_values = *pointwise, curve_max_t(a, b).p_value, cluster_test(a, b).p_value
        hits += np.array(p_values) <= ALPHA
    found = hits / 1_000
    assert (student, welch) == pytest.approx(found[:2], abs=0.045)
    assert (found[2:] <= 0.05 + 3 * 0.007).all()


def test_sac_is_found_ahead_of_td3() -> None:
    found = cluster_test(curves("sac")[1:16], curves("td3")[:15], n_resamples=999)
    assert found.p_value <= 0.01
    assert {1} == {cluster.direction for cluster in found.clusters if cluster.p_value <= ALPHA}


# ---------------------------------------------------------------- laws and degenerate input


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_shifting_scaling_swapping_and_reordering_change_no_p_value(seed: int, shift: float, scale: float) -> None:
    a, b = walks(2, 4, 12, seed=seed)
    order = np.random.default_rng(seed).permutation(4)
    for other in ((shift + scale * a, shift + scale * b), (b, a), (a[order], b)):
        np.testing.assert_allclose(curve_max_t(a, b).adjusted, curve_max_t(*other).adjusted)
        assert cluster_test(a, b).p_value == pytest.approx(cluster_test(*other).p_value)
    np.testing.assert_allclose(curve_max_t(a, b).statistic, -curve_max_t(b, a).statistic, rtol=1e-9)


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 5)])
def test_one_run_is_never_told_apart(n_a: int, n_b: int) -> None:
    a, b = walks(1, n_a, 6)[0] + 99, walks(1, n_b, 6)[0]
    assert curve_max_t(a, b).p_value == curve_max_t(a, b).min_p == cluster_test(a, b).p_value == 1


def test_equal_curves_are_never_told_apart() -> None:
    assert curve_max_t(np.full((5, 4), 7.0), np.full((5, 4), 7.0)).p_value == 1
    assert cluster_test(np.full((5, 4), 7.0), np.full((5, 4), 7.0)).p_value == 1


def test_different_constants_claim_no_more_than_the_arrangements_allow() -> None:
    a, b = np.zeros((5, 4)), np.ones((5, 4))
    assert curve_max_t(a, b).p_value == cluster_test(a, b).p_value == pytest.approx(2 / 252)
    assert np.isfinite(curve_max_t(a, b).statistic).all()


def test_a_step_that_nobody_reached_says_nothing() -> None:
    a, b = walks(2, 5, 6)
    short = curve_max_t(a, b)
    a, b = (np.concatenate([x, np.full((5, 1), np.nan)], axis=1) for x in (a, b))
    longer = curve_max_t(a, b)
    assert (0, 1) == (longer.statistic[-1], longer.adjusted[-1])
    np.testing.assert_array_equal(short.adjusted, longer.adjusted[:-1])


def test_a_huge_offset_changes_nothing() -> None:
    a, b = np.round(walks(2, 5, 20), 2)
    np.testing.assert_array_equal(curve_max_t(a, b).adjusted, curve_max_t(a + 2.0**40, b + 2.0**40).adjusted)


def test_ten_thousand_runs_are_no_problem() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 10_000, 5))
    assert 0 < curve_max_t(a, b, n_resamples=99).p_value <= 1
    assert (band(a, n_resamples=99).high - band(a, n_resamples=99).low < 0.1).all()
