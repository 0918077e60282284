"""One agent against itself."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from shared_data import finals

from rlaudit.comparisons import COMPARISONS
from rlaudit.results import SplitAudit
from rlaudit.same_agent import (
    FIXED_BY_CONSTRUCTION,
    GAINS,
    any_significant,
    audit_splits,
    effective_experiments,
    expected_rate,
    rates_of_other_pools,
    resampled_pools,
)
from rlaudit.types import ArmScores

CLOSED = ("welch", "student")


def arm(scores: np.ndarray) -> ArmScores:
    return ArmScores("agent", "task", tuple(range(len(scores))), scores)


def audited(
    scores: np.ndarray, group_size: int, tests: tuple[str, ...] = ("welch",), n_splits: int = 2_000
) -> SplitAudit:
    return audit_splits(arm(scores), group_size, tests=tests, alpha=0.05, n_splits=n_splits, seed=0)


def normal_pool(n_seeds: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(300, 100, n_seeds)


# ---------------------------------------------------------------- calibration


def test_groups_of_normal_seeds_differ_as_the_theory_says() -> None:
    pools = [audited(normal_pool(40, seed), 5, n_splits=1_000) for seed in range(60)]
    mean_gap = np.mean([split.gap.median for split in pools]) / 100
    p95 = np.mean([split.gap.p95 for split in pools]) / 100
    assert 0.6745 * sqrt(2 / 5) == pytest.approx(mean_gap, abs=0.02)
    assert 1.24 == pytest.approx(p95, abs=0.04)


def test_the_worse_agent_wins_as_often_as_the_normal_formula_says() -> None:
    pools = [dict(audited(normal_pool(40, seed), 5, n_splits=1_000).wrong_winner) for seed in range(60)]
    for gain in GAINS:
        assert norm.cdf(-gain * sqrt(5 / 2)) == pytest.approx(np.mean([pool[gain] for pool in pools]), abs=0.012)


@pytest.mark.parametrize("name", ["normal", "log-normal", "bimodal"])
def test_the_interval_over_seeds_covers_the_true_rate(name: str) -> None:
    """Nominal 95 %; a method that treated splits as experiments would cover in about 20 %."""
    draw = {
        "normal": lambda rng, shape: rng.standard_normal(shape),
        "log-normal": lambda rng, shape: np.exp(rng.standard_normal(shape)),
        "bimodal": lambda rng, shape: 0.3 * rng.standard_normal(shape) + 3 * (rng.random(shape) < 0.3),
    }[name]
    rng = np.random.default_rng(5)
    fresh = draw(rng, (100_000, 2, 5))
    p_values = COMPARISONS["welch"](fresh[:, 0], fresh[:, 1], alpha=0.05, rng=rng, n_resamples=0).p_value
    truth = (p_values <= 0.05).mean()
    tests = [audited(draw(rng, 20), 5, n_splits=1_000).tests["welch"] for _ in range(100)]
    covered = sum(test.low <= truth <= test.high for test in tests)
    assert covered >= 89  # a coverage of 95 % falls below that with a chance of .004; measured 98 to 100


def test_ten_thousand_splits_are_not_ten_thousand_experiments() -> None:
    """The splits of one pool of 20 log-normal seeds say as much of the rate as a few hundred experiments."""
    split = audited(np.exp(normal_pool(20) / 100), 5, n_splits=10_000)
    assert split.n_effective is not None
    assert 10 < split.n_effective < 1_500


def test_effective_experiments_are_those_of_the_binomial() -> None:
    rates = np.random.default_rng(0).binomial(50, 0.1, 20_000) / 50
    assert 50 == pytest.approx(effective_experiments(0.1, rates), rel=0.05)


def test_no_number_of_experiments_is_claimed_where_no_split_is_significant() -> None:
    assert effective_experiments(0.0, np.zeros(50)) is None


def test_resampled_pools_keep_mean_and_variance() -> None:
    scores = normal_pool(30)
    pools = resampled_pools(scores, 4_000, np.random.default_rng(0))
    assert scores.mean() == pytest.approx(pools.mean(), abs=1.5)
    assert scores.var() == pytest.approx(pools.var(ddof=0, axis=1).mean() * 30 / 29, rel=0.03)


def test_resampled_pools_keep_the_ceiling_of_a_task_but_smooth_the_rest() -> None:
    scores = np.array([500.0, 500.0, 500.0, 120.0, 333.0, 78.0])
    pools = resampled_pools(scores, 200, np.random.default_rng(0))
    assert 0.5 == pytest.approx((pools == 500).mean(), abs=0.05)
    assert not np.isin(pools, [120.0, 333.0, 78.0]).any()


# ---------------------------------------------------------------- published numbers


@pytest.mark.parametrize(("group_size", "rate"), [(2, 0.0192), (3, 0.0234), (5, 0.0243), (10, 0.0253), (20, 0.0312)])
def test_welch_calls_sac_different_from_itself_as_often_as_measured(group_size: int, rate: float) -> None:
    split = audited(finals("sac"), group_size, n_splits=100_000)
    assert rate == pytest.approx(split.tests["welch"].rate, abs=0.003)


def test_welch_calls_td3_different_from_itself_as_often_as_measured() -> None:
    assert 0.0327 == pytest.approx(audited(finals("td3"), 5, n_splits=100_000).tests["welch"].rate, abs=0.003)


@pytest.mark.parametrize(("group_size", "rate"), [(2, 0.331), (3, 0.198), (5, 0.132), (10, 0.099), (20, 0.086)])
def test_the_percentile_bootstrap_believes_in_luck_as_often_as_measured(group_size: int, rate: float) -> None:
    split = audited(finals("sac"), group_size, ("bootstrap_percentile",), n_splits=20_000)
    assert rate == pytest.approx(split.tests["bootstrap_percentile"].rate, abs=0.008)  # 20,000 splits


@pytest.mark.parametrize(("group_size", "rate"), [(2, 0.0), (3, 0.0), (5, 0.0476), (10, 0.05)])
def test_the_permutation_test_rejects_a_constant_share_of_splits(group_size: int, rate: float) -> None:
    assert rate == pytest.approx(expected_rate("permutation", group_size, 0.05), abs=5e-5)


def test_exhaustive_splits_reject_exactly_the_constant_whatever_the_data() -> None:
    split = audited(np.exp(normal_pool(10) / 50), 5, ("permutation", "mann_whitney"))
    assert 12 / 252 == split.tests["permutation"].rate == split.tests["permutation"].expected
    assert 8 / 252 == split.tests["mann_whitney"].rate == split.tests["mann_whitney"].expected
    assert split.tests["permutation"].constant


@pytest.mark.parametrize("test", sorted(FIXED_BY_CONSTRUCTION))
@pytest.mark.parametrize("group_size", [3, 5])
def test_what_is_said_to_be_constant_is_so_for_any_scores(test: str, group_size: int) -> None:
    for scores in (normal_pool(2 * group_size), np.exp(normal_pool(2 * group_size) / 50)):
        found = audited(scores, group_size, (test,)).tests[test]
        assert (found.rate, found.constant) == (pytest.approx(found.expected), True)


def test_shared_scores_make_a_rate_a_finding_again() -> None:
    tied = np.array([500.0, 500.0, 500.0, 310.0, 120.0, 250.0, 90.0, 500.0])
    assert not audited(tied, 2, ("permutation",)).tests["permutation"].constant


def test_normal_pools_of_ten_hold_a_significant_split_nearly_always() -> None:
    assert 0.976 == pytest.approx(any_significant(10, 5, 0.05), abs=0.045)


def test_chance_alone_predicts_less_than_alpha_for_welch_with_five_seeds() -> None:
    assert 0.044 == pytest.approx(expected_rate("welch", 5, 0.05), abs=0.008)


# ---------------------------------------------------------------- laws


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(0.01, 100))
def test_shifting_and_scaling_the_scores_changes_no_rate(shift: float, scale: float) -> None:
    scores = normal_pool(8)
    before, after = audited(scores, 3, CLOSED), audited(shift + scale * scores, 3, CLOSED)
    assert [before.tests[test].rate for test in CLOSED] == [after.tests[test].rate for test in CLOSED]
    assert scale * before.gap.max == pytest.approx(after.gap.max, rel=1e-6, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(9)))
def test_the_order_of_the_seeds_changes_no_exhaustive_split(order: list[int]) -> None:
    scores = normal_pool(9)
    before, after = audited(scores, 4), audited(scores[order], 4)
    assert before.tests["welch"].rate == after.tests["welch"].rate
    assert before.gap.p95 == pytest.approx(after.gap.p95)
    assert set(before.worst_split.a) == {order[seed] for seed in after.worst_split.a}


def test_a_split_that_is_shown_carries_its_percentile_and_its_seeds() -> None:
    scores = normal_pool(10)
    split = audited(scores, 5)
    worst, median = split.worst_split, split.median_split
    assert 100 == worst.percentile
    assert split.gap.max == worst.gap == pytest.approx(worst.mean_a - worst.mean_b)
    assert scores[list(worst.a)].mean() == pytest.approx(worst.mean_a)
    assert 50 == pytest.approx(median.percentile, abs=1)
    assert not set(worst.a) & set(worst.b)


def test_equal_scores_differ_nowhere() -> None:
    split = audited(np.full(8, 500.0), 2, ("welch", "permutation", "mann_whitney"))
    assert 0 == split.gap.max
    assert all(0 == test.rate for test in split.tests.values())


def test_a_pool_around_zero_has_no_relative_gap() -> None:
    assert audited(np.array([-1.0, 1.0, -2.0, 2.0]), 2).relative_gap is None


def test_the_same_audit_seed_gives_the_same_numbers() -> None:
    scores = normal_pool(40)
    assert audited(scores, 5) == audited(scores, 5)


def test_no_pool_is_drawn_where_no_p_value_can_be_as_small_as_alpha() -> None:
    """Three against three: the expanded bootstrap says .134 or more, but of two constant groups the exact .1."""
    rng, pool = np.random.default_rng(0), np.repeat([0.0, 1.0], 10)
    assert not rates_of_other_pools("bootstrap_expanded", pool, 3, 0.05, rng).any()
    assert np.random.default_rng(0).random() == rng.random()
    assert rates_of_other_pools("bootstrap_expanded", pool, 3, 0.1, rng).any()


def test_rates_of_other_pools_are_shares() -> None:
    rates = rates_of_other_pools("mann_whitney", normal_pool(20), 5, 0.05, np.random.default_rng(0))
    assert (50,) == rates.shape
    assert 0 <= rates.min() <= rates.max() <= 1
