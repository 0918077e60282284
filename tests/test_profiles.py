"""Performance profiles and sample-efficiency curves."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from rlaudit.aggregate import EfficiencyCurve, Profile, aggregate_tasks, efficiency_curves, performance_profiles
from rlaudit.errors import RlauditError
from rlaudit.types import ArmCurves, ArmScores, ScoreTable


def table(*columns: Any, higher_is_better: bool = True) -> ScoreTable:
    arms = tuple(ArmScores("a", f"t{i}", tuple(range(len(x))), np.array(x, float)) for i, x in enumerate(columns))
    return ScoreTable("final", arms, higher_is_better)


def profile(of: ScoreTable, at: Any = None, seed: int = 0, **options: Any) -> Profile:
    return performance_profiles(of, at, **{"n_resamples": 2_000, "rng": np.random.default_rng(seed), **options})[0]


def scores(n: int, n_tasks: int) -> np.ndarray:
    """Those of test_aggregate_tasks."""
    i = np.arange(n * n_tasks).reshape(n, n_tasks)
    return np.exp(np.sin(1.7 * i * i) + 0.3 * np.cos(i % n_tasks))


def curves(*values: Any, steps: Any = None, agent: str = "a") -> ScoreTable:
    """A table with a task for each of the values (n_seeds, n_points)."""
    arms = []
    for i, x in enumerate(values):
        x = np.asarray(x, float)
        at = np.arange(x.shape[1]) if steps is None else steps[i]
        arms.append(ArmCurves(agent, f"t{i}", tuple(range(len(x))), at, x))
    return ScoreTable("final", (), True, tuple(arms))


def curve(of: ScoreTable, statistic: str = "iqm", seed: int = 0, **options: Any) -> EfficiencyCurve:
    options = {"n_resamples": 500, "rng": np.random.default_rng(seed), **options}
    return efficiency_curves(of, statistic, **options)[0]


# ---------------------------------------------------------------- profiles


# rliable 1.2.0, see test_aggregate_tasks; ends from 20,000 resamples
RLIABLE = {  # shares above .5, 1 and 2, and the ends of their 95 % intervals
    (5, 26): ([98 / 130, 63 / 130, 29 / 130], [[0.6846, 0.4077, 0.1615], [0.8154, 0.5615, 0.2846]]),
    (3, 5): ([10 / 15, 8 / 15, 2 / 15], [[0.4667, 0.3333, 0.0], [0.8667, 0.7333, 0.2667]]),
}


@pytest.mark.parametrize("shape", RLIABLE)
def test_the_profile_and_its_percentile_band_are_those_of_rliable(shape: tuple[int, int]) -> None:
    found = profile(table(*scores(*shape).T), [0.5, 1, 2], method="percentile", n_resamples=20_000)
    share, ends = RLIABLE[shape]
    np.testing.assert_allclose(found.share, share, atol=1e-12)
    one_run = 1 / (shape[0] * shape[1])  # a quantile of shares is a whole number of runs, and may fall on the next
    np.testing.assert_allclose([found.low, found.high], ends, atol=one_run + 1e-4)


def test_a_run_that_equals_the_threshold_is_not_better() -> None:
    np.testing.assert_array_equal(profile(table([1, 2, 3, 4]), [0, 1, 2.5, 4]).share, [1, 0.75, 0.5, 0])


def test_where_lower_is_better_lower_scores_are_counted() -> None:
    found = profile(table([1, 2, 3, 4], higher_is_better=False), [1, 2.5, 4, 5])
    np.testing.assert_array_equal(found.share, [0, 0.5, 0.75, 1])


def test_tasks_weigh_the_same_however_many_runs_they_have() -> None:
    found = profile(table([0.0] * 30, [2.0] * 3), [-1, 1, 3])
    np.testing.assert_array_equal(found.share, [1, 0.5, 0])


def test_without_thresholds_the_scores_of_all_agents_are_spanned() -> None:
    a, b = (ArmScores(agent, "t", (0, 1), np.array(x)) for agent, x in (("a", [0.0, 1.0]), ("b", [3.0, 9.0])))
    for found in performance_profiles(ScoreTable("final", (a, b)), n_resamples=9):
        assert (found.thresholds[0], found.thresholds[-1], len(found.thresholds)) == (0, 9, 101)


@pytest.mark.parametrize("over", ["runs", "tasks"])
@pytest.mark.parametrize("band", ["pointwise", "simultaneous"])
def test_the_band_holds_the_profile_and_stays_within_0_and_1(band: Any, over: Any) -> None:
    found = profile(table(*scores(5, 6).T), band=band, over=over)
    assert (0 <= found.low).all()
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert (found.high <= 1).all()
    assert (np.diff(found.share) <= 0).all()


def test_the_simultaneous_band_does_not_depend_on_the_thresholds() -> None:
    of = table(*scores(5, 6).T)
    few, many = (profile(of, at, band="simultaneous") for at in ([1.0], np.linspace(0, 4, 41)))
    assert (few.low[0], few.high[0]) == (many.low[10], many.high[10])


def test_the_simultaneous_band_is_the_wider_one() -> None:
    of = table(*scores(10, 6).T)
    each, whole = (profile(of, band=band) for band in ("pointwise", "simultaneous"))
    inside = (each.share > 0.1) & (each.share < 0.9)
    assert ((whole.high - whole.low) > (each.high - each.low))[inside].all()


def test_all_runs_on_one_side_are_not_certainty() -> None:
    """.025^(1/15): if each of 3 x 5 runs is above with that probability, all are in 2.5 % of cases."""
    found = profile(table([5, 6, 7, 8, 9], [5, 6, 7, 8, 9], [5, 6, 7, 8, 9]), [1, 20])
    assert (found.low[0], found.high[0]) == pytest.approx((0.025 ** (1 / 15), 1))
    assert (found.low[1], found.high[1]) == pytest.approx((0, 1 - 0.025 ** (1 / 15)))


def test_single_runs_leave_the_band_open() -> None:
    for band in ("pointwise", "simultaneous"):
        found = profile(table([1.0], [2.0]), [0, 1.5, 3], band=band)
        assert (found.low.tolist(), found.high.tolist()) == ([0, 0, 0], [1, 1, 1])


@pytest.mark.parametrize(("n", "n_tasks"), [(3, 5), (5, 5), (10, 1)])
def test_the_bands_cover_the_true_profile(n: int, n_tasks: int) -> None:
    """Normal scores around tasks of different difficulty; measured .93-1.00, without the stretch .68-.95."""
    rng, repeats, centres = np.random.default_rng(n), 150, np.linspace(0, 1, n_tasks)
    at = np.linspace(-2, 3, 51)
    truth = stats.norm.sf(at[:, None] - centres).mean(axis=1)
    whole = 0
    for _ in range(repeats):
        of = table(*(centres[:, None] + rng.normal(0, 1, (n_tasks, n))))
        found = profile(of, at, rng=rng, band="simultaneous", n_resamples=499)
        whole += bool(((found.low <= truth) & (truth <= found.high)).all())
    assert whole / repeats >= 0.95 - 0.06


@pytest.mark.parametrize("band", ["pointwise", "simultaneous"])
def test_the_same_generator_gives_the_same_band_and_another_gives_another(band: Any) -> None:
    of = table(*(np.arange(n) ** 1.5 for n in (3, 5, 7, 11, 13)))  # shares of many sizes: ends seldom coincide
    first, again, other = (profile(of, seed=seed, band=band, n_resamples=99) for seed in (1, 1, 2))
    np.testing.assert_array_equal([first.low, first.high], [again.low, again.high])
    assert (first.low != other.low).any()


def test_unknown_bands_and_thresholds_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(RlauditError) as error:
        profile(table([1, 2]), band="simultanous")
    assert "Did you mean 'simultaneous'?" in str(error.value)
    with pytest.raises(RlauditError) as error:
        profile(table([1, 2]), [0, np.nan])
    assert "thresholds" in str(error.value)


# ---------------------------------------------------------------- sample efficiency


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm", "optimality_gap"])
def test_each_point_is_the_aggregate_at_that_step(statistic: str) -> None:
    x = np.random.default_rng(0).lognormal(0, 1, (3, 5, 4))
    found = curve(curves(*x), statistic)
    for i in range(4):
        (alone,) = aggregate_tasks(table(*x[:, :, i]), statistics=(statistic,), n_resamples=1)
        assert found.value[i] == pytest.approx(alone.value, rel=1e-12)


def test_the_interval_of_a_point_is_that_of_its_scores() -> None:
    x = np.random.default_rng(0).lognormal(0, 1, (3, 5, 2))
    found = curve(curves(*x), "mean", n_resamples=20_000)
    (alone,) = aggregate_tasks(table(*x[:, :, 1]), statistics=("mean",))
    assert (found.low[1], found.high[1]) == pytest.approx((alone.low, alone.high), abs=0.02 * (alone.high - alone.low))


def test_whole_runs_are_resampled_and_not_points() -> None:
    """With points drawn one by one, equal points would have unequal intervals."""
    x = np.repeat(np.random.default_rng(0).normal(0, 1, (2, 5, 1)), 6, axis=2)
    found = curve(curves(*x), "mean")
    assert np.ptp(found.low) == np.ptp(found.high) == 0
    assert found.low[0] < found.value[0] < found.high[0]


def test_runs_keep_their_identity_across_steps() -> None:
    """Scores mirrored at 0 from one step to the next mirror the interval: only if the same runs were drawn."""
    x = np.random.default_rng(0).normal(0, 1, (2, 5, 1))
    found = curve(curves(*np.concatenate([x, -x], axis=2)), "mean")
    assert (found.low[1], found.high[1]) == pytest.approx((-found.high[0], -found.low[0]))


def test_the_steps_are_those_at_which_all_runs_of_all_tasks_were_evaluated() -> None:
    first = [[1, 2, 3, 4], [1, 2, 3, np.nan]]
    second = [[5, 6, 7], [5, 6, 7]]
    found = curve(curves(first, second, steps=[[0, 10, 20, 30], [10, 20, 40]]), "mean")
    assert found.steps.tolist() == [10, 20]
    assert found.value.tolist() == [(2 + 5) / 2, (3 + 6) / 2]
    assert "3 of 5 steps left out: some run has no evaluation there" in found.notes


def test_a_gap_in_one_run_never_becomes_nan() -> None:
    found = curve(curves([[1, np.nan, 3], [1, 2, 3]]))
    assert found.steps.tolist() == [0, 2]
    assert np.isfinite([found.value, found.low, found.high]).all()


def test_without_a_common_step_the_agent_and_its_tasks_are_named() -> None:
    with pytest.raises(RlauditError) as error:
        curve(curves([[1, 2]], [[1, 2]], steps=[[0, 1], [2, 3]]))
    assert "agent 'a' has no step at which all its runs on 't0', 't1' were evaluated" in str(error.value)


def test_agents_may_have_steps_of_their_own_but_not_tasks() -> None:
    one, two = curves([[1, 2]]), curves([[1, 2, 3]], agent="b")
    both = ScoreTable("final", (), True, one.curves + two.curves)
    assert [len(found.steps) for found in efficiency_curves(both, n_resamples=9)] == [2, 3]
    more = ScoreTable("final", (), True, (*both.curves, curves([[1]], [[1]], agent="b").curves[1]))
    with pytest.raises(RlauditError) as error:
        efficiency_curves(more, n_resamples=9)
    assert "agent 'a' has no scores on task 't1'" in str(error.value)


def test_failed_runs_are_counted() -> None:
    with_curves = curves([[1, 2], [2, 3]])
    arms = (ArmScores("a", "t0", (0, 1), np.array([2.0, 3.0]), failed=(5,)),)
    found = curve(ScoreTable("final", arms, True, with_curves.curves))
    assert (found.n_runs, found.n_failed) == (2, 1)
    assert "1 of 3 runs failed and are not in the value" in found.notes


def test_ragged_curves_over_tasks_are_answered() -> None:
    rng = np.random.default_rng(0)
    found = curve(curves(rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (7, 4))), over="tasks")
    assert (found.low < found.value).all()
    assert (found.value < found.high).all()


def test_the_same_generator_gives_the_same_curve_and_another_gives_another() -> None:
    of = curves(*np.random.default_rng(0).normal(0, 1, (2, 5, 3)))
    first, again, other = (curve(of, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal([first.low, first.high], [again.low, again.high])
    assert (first.low != other.low).any()


def test_a_table_without_curves_is_refused() -> None:
    with pytest.raises(RlauditError) as error:
        curve(table([1, 2]))
    assert "no learning curves" in str(error.value)


def test_an_unknown_statistic_suggests_the_nearest() -> None:
    with pytest.raises(RlauditError) as error:
        curve(curves([[1, 2]]), "medain")
    assert "Did you mean 'median'?" in str(error.value)
