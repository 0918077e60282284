"""The bootstrap of the difference of means: enumerated, simulated, and read at two levels."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from rlaudit.comparisons import bootstrap, bootstrap_expanded, bootstrap_percentile, resampling
from rlaudit.types import Comparison

ALPHA = 0.05


def run(
    test: str, a: np.ndarray, b: np.ndarray, n_resamples: int = 999, alpha: float = ALPHA, interval: bool = True
) -> Comparison:
    function = {"percentile": bootstrap_percentile, "expanded": bootstrap_expanded}[test]
    return function(a, b, alpha=alpha, rng=np.random.default_rng(0), n_resamples=n_resamples, interval=interval)


def all_differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Every one of the n_a^n_a n_b^n_b equally likely resamples."""
    means = [np.array([np.mean(draw) for draw in product(x, repeat=len(x))]) for x in (a, b)]
    return np.subtract.outer(*means).ravel()


def groups(n_a: int, n_b: int, gap: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(gap, 1, n_a), rng.normal(0, 1, n_b)


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_BUDGET", 0)


# ---------------------------------------------------------------- percentile


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 2), (3, 4), (4, 4)])
@pytest.mark.parametrize("tied", [False, True])
def test_enumeration_finds_p_and_interval_of_all_resamples(n_a: int, n_b: int, tied: bool) -> None:
    a, b = groups(n_a, n_b, gap=0.5)
    if tied:
        a, b = np.round(a), np.round(b)
    d, result = np.sort(all_differences(a, b)), run("percentile", a, b, alpha=0.2)
    assert float(result.p_value) == pytest.approx(min(1, 2 * min((d <= 1e-9).mean(), (d >= -1e-9).mean())), abs=1e-12)
    left_out = int(0.1 * len(d) + 1e-9)
    assert [float(result.low), float(result.high)] == pytest.approx([d[left_out], d[-1 - left_out]], abs=1e-9)
    assert result.mc_error == 0


def test_the_interval_is_that_of_scipy(simulated: None) -> None:
    a, b = groups(15, 12)
    oracle = stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    ours = run("percentile", a, b, n_resamples=20_000)
    assert [float(ours.low), float(ours.high)] == pytest.approx([oracle.low, oracle.high], abs=0.03)


def test_simulation_agrees_with_enumeration_within_its_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.5, 1, (30, 6)), rng.normal(0, 1, (30, 6))
    exact = {test: run(test, a, b) for test in ("percentile", "expanded")}
    monkeypatch.setattr(bootstrap, "_BUDGET", 0)
    for test, known in exact.items():
        ours = run(test, a, b, n_resamples=20_000)
        assert (np.abs(ours.p_value - known.p_value) <= 4 * ours.mc_error + 3e-4).all(), test
        np.testing.assert_allclose(ours.low, known.low, atol=0.25)


def test_a_repeated_call_says_what_its_standard_error_promises(simulated: None) -> None:
    a, b = groups(8, 8, seed=3)
    for function in (bootstrap_percentile, bootstrap_expanded):
        results = [function(a, b, alpha=ALPHA, rng=np.random.default_rng(i), n_resamples=999) for i in range(200)]
        spread = np.std([float(result.p_value) for result in results])
        assert float(np.mean([result.mc_error for result in results])) == pytest.approx(spread, rel=0.2)


def test_groups_that_do_not_overlap_are_always_significant_for_the_percentile_interval() -> None:
    """At n = 2 that happens to one agent in 1 of 3 experiments."""
    assert run("percentile", np.array([1.0, 2.0]), np.array([0.0, 0.5])).p_value == 0


# ---------------------------------------------------------------- expanded


@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (2, 3), (3, 3)])
def test_two_or_three_seeds_are_never_significant_for_the_expanded_interval(n_a: int, n_b: int) -> None:
    result = run("expanded", np.arange(n_a) + 1e6, np.arange(n_b) + 0.0)
    assert result.p_value > ALPHA
    assert result.p_value == pytest.approx(result.min_p)
    assert (result.low, result.high) == (-np.inf, np.inf)


def test_with_many_normal_seeds_it_comes_near_the_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.4, 1, (200, 40)), rng.normal(0, 1, (200, 40))
    p = run("expanded", a, b, n_resamples=4_999).p_value
    welch = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue
    assert np.median(np.abs(p - welch)) < 0.01


def test_it_is_wider_than_the_percentile_interval_by_the_factor_of_its_source() -> None:
    """For normal data the level makes it +-t_{n-1} sqrt(n / (n-1)) bootstrap standard errors instead of +-1.96."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (400, 10)), rng.normal(0, 1, (400, 10))
    wide, narrow = (run(test, a, b, n_resamples=9_999) for test in ("expanded", "percentile"))
    ratio = np.median((wide.high - wide.low) / (narrow.high - narrow.low))
    assert ratio == pytest.approx(2.262 * np.sqrt(10 / 9) / 1.96, abs=0.02)


def test_too_few_resamples_leave_the_ends_open(simulated: None) -> None:
    """At n = 5 the ends are read at a tail of .0010: 999 resamples have none to leave out, 499 cannot say."""
    a, b = groups(5, 5)
    assert np.isfinite(run("expanded", a, b, n_resamples=1_999).low)
    assert run("expanded", a, b, n_resamples=499).low == -np.inf


# ---------------------------------------------------------------- ways and means


def test_up_to_eight_seeds_are_enumerated() -> None:
    assert run("percentile", *groups(8, 8)).mc_error == 0
    assert run("percentile", *groups(9, 8)).mc_error > 0


def test_multisets_come_about_in_a_multinomial_number_of_ways() -> None:
    counts, ways = resampling.multisets(5)
    assert counts.shape == (5, 126)
    assert ways.sum() == 5**5
    assert ways.min() == 1
    np.testing.assert_array_equal(counts @ ways, np.full(5, 5**5))


def test_simulated_counts_are_multinomial() -> None:
    of_a, of_b = next(resampling._counts(np.random.default_rng(0), 4, 6, 50_000))
    np.testing.assert_array_equal(of_a.sum(axis=0), 4)
    np.testing.assert_array_equal(of_b.sum(axis=0), 6)
    np.testing.assert_allclose(of_a.var(axis=1), 1 - 1 / 4, rtol=0.03)


def test_p_values_are_the_same_without_the_interval() -> None:
    x = np.random.default_rng(0).normal(0, 1, (20, 10))
    for test in ("percentile", "expanded"):
        quick, whole = (run(test, x[:, :5], x[:, 5:], interval=wanted) for wanted in (False, True))
        assert np.isnan(quick.low).all()
        np.testing.assert_array_equal(whole.p_value, quick.p_value)


def test_more_counts_than_memory_come_in_chunks(simulated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = groups(12, 12)
    whole = run("percentile", a, b).p_value
    monkeypatch.setattr(resampling, "_COUNTS", 24 * 100)
    assert float(run("percentile", a, b).p_value) == pytest.approx(float(whole), abs=0.03)
