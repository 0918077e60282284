"""One number for many seeds, and its interval."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from shared_data import finals

from rlaudit.aggregate import describe, iqm, iqm_interval, mean_interval
from rlaudit.results import Arm
from rlaudit.types import ArmScores


def described(scores: list[float] | np.ndarray, failed: tuple[int, ...] = ()) -> Arm:
    arm = ArmScores("ppo", "task", tuple(range(len(scores))), np.asarray(scores, dtype=float), failed)
    return describe(arm, alpha=0.05, rng=np.random.default_rng(0))


# ---------------------------------------------------------------- interquartile mean


@pytest.mark.parametrize("n", range(1, 30))
def test_iqm_is_the_trimmed_mean_of_scipy(n: int) -> None:
    x = np.random.default_rng(n).lognormal(0, 1, (4, n))
    np.testing.assert_allclose(iqm(x), stats.trim_mean(x, 0.25, axis=1), rtol=1e-12)
    np.testing.assert_allclose(iqm(x.T, axis=0), iqm(x))


@pytest.mark.parametrize(("agent", "target"), [("sac", 12181.678625), ("td3", 10953.844144)])
def test_iqm_of_real_runs_is_as_published(agent: str, target: float) -> None:
    assert float(iqm(finals(agent))) == pytest.approx(target, rel=1e-9)


def test_iqm_of_three_seeds_is_their_mean_and_of_five_that_of_the_middle_three() -> None:
    assert iqm(np.array([1.0, 2.0, 9.0])) == 4
    assert iqm(np.array([50.0, 1.0, 2.0, 3.0, -7.0])) == 2


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_interval_comes_near_that_of_all_resamples(n: int) -> None:
    x = np.random.default_rng(n).normal(0, 1, n)
    every = iqm(np.array(list(product(x, repeat=n))))
    ours = iqm_interval(x, np.random.default_rng(0), 0.9, n_resamples=50_000)
    assert ours == pytest.approx(np.quantile(every, [0.05, 0.95], method="nearest"), abs=0.02)


def test_the_interval_is_that_of_scipy_on_real_runs() -> None:
    x = finals("sac")
    oracle = stats.bootstrap(
        (x,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert iqm_interval(x, np.random.default_rng(0), 0.95) == pytest.approx((oracle.low, oracle.high), abs=6)


def test_a_far_origin_leaves_the_interval_where_it_is() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    near, far = (iqm_interval(x + origin, np.random.default_rng(0), 0.95) for origin in (0, 1e12))
    assert np.subtract(far, 1e12) == pytest.approx(near, abs=1e-3)


# ---------------------------------------------------------------- mean


@pytest.mark.parametrize("n", [2, 5, 40])
def test_the_interval_of_the_mean_is_that_of_student(n: int) -> None:
    x = np.random.default_rng(n).lognormal(0, 1, (6, n))
    oracle = stats.ttest_1samp(x, 0, axis=1).confidence_interval(0.9)
    np.testing.assert_allclose(mean_interval(x, 0.9), [oracle.low, oracle.high], rtol=1e-9, atol=1e-12)


def test_the_mean_of_one_seed_has_no_ends() -> None:
    assert mean_interval(np.array([3.0]), 0.95) == (-np.inf, np.inf)


# ---------------------------------------------------------------- describe


@pytest.mark.parametrize(("agent", "n", "mean", "sd"), [("sac", 192, 11919.8, 1316.9), ("td3", 193, 10603.0, 1512.0)])
def test_real_runs_are_described_as_published(agent: str, n: int, mean: float, sd: float) -> None:
    arm = described(finals(agent))
    assert arm.n_seeds == n
    assert (arm.mean, arm.sd) == pytest.approx((mean, sd), abs=0.06)
    assert arm.median == np.median(finals(agent))


def test_without_seeds_nothing_is_said() -> None:
    arm = described([], failed=(3, 4))
    assert (arm.n_seeds, arm.n_failed, arm.failed) == (0, 2, (3, 4))
    assert {arm.mean, arm.sd, arm.median, arm.iqm, arm.low, arm.high, arm.iqm_low, arm.iqm_high} == {None}


def test_one_seed_has_a_score_but_no_spread() -> None:
    arm = described([7.0])
    assert (arm.mean, arm.median, arm.iqm) == (7, 7, 7)
    assert {arm.sd, arm.low, arm.high, arm.iqm_low, arm.iqm_high} == {None}


@pytest.mark.parametrize("n", [2, 3])
def test_two_or_three_seeds_have_intervals(n: int) -> None:
    arm = described([1.0, 2.0, 6.0][:n])
    assert arm.iqm_low is not None
    assert arm.iqm_high is not None
    assert arm.low is not None
    assert arm.iqm_low < arm.iqm < arm.iqm_high  # type: ignore[operator]
    assert arm.low < arm.iqm_low


def test_equal_seeds_have_intervals_without_width() -> None:
    arm = described([0.1] * 7)
    assert (arm.mean, arm.sd, arm.low, arm.high, arm.iqm_low, arm.iqm_high) == (0.1, 0, 0.1, 0.1, 0.1, 0.1)


def test_seeds_and_scores_keep_their_order() -> None:
    arm = described([3.0, 1.0, 2.0])
    assert (arm.seeds, arm.scores) == ((0, 1, 2), (3.0, 1.0, 2.0))
