"""One agent over many tasks."""

import os
import subprocess
import sys
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlaudit.aggregate import (
    AGGREGATES,
    TaskAggregate,
    aggregate_tasks,
    probability_of_improvement,
    resample,
    statistics,
)
from rlaudit.aggregate.intervals import Sampling
from rlaudit.aggregate.pools import Pool
from rlaudit.aggregate.resample import observed, resamples
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import ArmScores, ScoreTable

STATISTICS = tuple(AGGREGATES)


def arm(agent: str, task: str, scores: Any, failed: tuple[int, ...] = ()) -> ArmScores:
    scores = np.asarray(scores, float)
    return ArmScores(agent, task, tuple(range(len(scores))), scores, failed)


def table(higher_is_better: bool = True, **agents: Any) -> ScoreTable:
    """Each agent has the scores of its tasks: a matrix (n_runs, n_tasks), or a list of lists."""
    arms = []
    for agent, scores in agents.items():
        columns = scores.T if isinstance(scores, np.ndarray) else scores
        arms += [arm(agent, f"t{i}", column) for i, column in enumerate(columns)]
    return ScoreTable("final", tuple(arms), higher_is_better)


def run(of: ScoreTable, statistic: str, seed: int = 0, **options: Any) -> TaskAggregate:
    options = {"n_resamples": 2_000, "rng": np.random.default_rng(seed), **options}
    return aggregate_tasks(of, statistics=(statistic,), **options)[0]


def better(of: ScoreTable, a: str = "a", b: str = "b", seed: int = 0, **options: Any) -> TaskAggregate:
    options = {"n_resamples": 2_000, "rng": np.random.default_rng(seed), **options}
    return probability_of_improvement(of, a, b, **options)


def scores(n: int, n_tasks: int, shift: float = 0.0) -> np.ndarray:
    """The same numbers for us and for rliable, whatever their versions of numpy."""
    i = np.arange(n * n_tasks).reshape(n, n_tasks)
    return np.exp(np.sin(1.7 * i * i + shift) + 0.3 * np.cos(i % n_tasks))


# ---------------------------------------------------------------- rliable

# rliable 1.2.0 with arch 5.6.0, numpy 1.26.4, pandas 2.2.3, scipy 1.13.1. Its ends are those of 500,000 resamples under
# numpy.random.seed(0): it accepts a random_state and ignores it.
RLIABLE = {  # (n_runs, n_tasks): mean, median, iqm, optimality_gap, P(x > y) with y of one run more
    (5, 26): (1.2235523397843546, 1.2048706408931227, 0.9947824751751478, 0.232304996490455, 0.46666666666666673),
    (10, 60): (1.322646075530307, 1.3102335990942335, 1.1287737670516924, 0.2189358569896478, 0.5092424242424242),
    (3, 5): (1.2691922055269893, 1.252508256126437, 1.149691281991562, 0.21165456990374165, 0.41666666666666663),
    (7, 9): (1.2948244872131784, 1.1813737612777397, 1.0466770018123834, 0.2204894208458722, 0.45238095238095233),
}
RLIABLE_ENDS = {  # 95 % percentile intervals in the order of STATISTICS
    ((5, 26), "runs"): [[1.0947, 0.9734, 0.8380, 0.1927], [1.3558, 1.3369, 1.1767, 0.2728]],
    ((5, 26), "tasks"): [[1.0293, 0.9079, 0.7769, 0.1747], [1.4302, 1.4235, 1.2868, 0.2929]],
    ((3, 5), "runs"): [[0.8791, 0.8029, 0.7101, 0.0879], [1.6933, 1.7227, 1.6709, 0.3440]],
    ((3, 5), "tasks"): [[0.8586, 0.7823, 0.6492, 0.0691], [1.7246, 1.7633, 1.7297, 0.3729]],
}


@pytest.mark.parametrize("shape", RLIABLE)
def test_the_values_are_those_of_rliable(shape: tuple[int, int]) -> None:
    n, n_tasks = shape
    of = table(a=scores(n, n_tasks), b=scores(n + 1, n_tasks, 1.0))
    found = aggregate_tasks(of, n_resamples=1)
    values = [one.value for one in found[:4]] + [better(of).value]
    np.testing.assert_allclose(values, RLIABLE[shape], rtol=1e-12)


@pytest.mark.parametrize(("shape", "over"), RLIABLE_ENDS)
def test_the_percentile_intervals_are_those_of_rliable(shape: tuple[int, int], over: resample.Over) -> None:
    """Its ends lie between ours at .954 and .946: three standard errors of a tail of .025 in 50,000 resamples.

    Compared by level, since few runs make few values: in 3 x 5 the median jumps from .7823 to .8029 at .0249.
    """
    wide, narrow = (
        aggregate_tasks(
            table(a=scores(*shape)), level=level, over=over, method="percentile", rng=np.random.default_rng(0)
        )
        for level in (0.954, 0.946)
    )
    low, high = np.array(RLIABLE_ENDS[shape, over])
    assert (np.array([one.low for one in wide]) <= low + 5e-5).all()
    assert (np.array([one.low for one in narrow]) >= low - 5e-5).all()
    assert (np.array([one.high for one in wide]) >= high - 5e-5).all()
    assert (np.array([one.high for one in narrow]) <= high + 5e-5).all()


def test_the_median_has_the_quantiles_of_its_exact_distribution() -> None:
    """3 x 5: each task mean takes its 27 values apart from the others, and the median is below v if three of five are.

    Levels between the jumps: P(median <= .7823) = .0249, .8029 .0361, 1.6052 .957, 1.6514 .9745 (also in rliable's).
    """
    means = [np.mean(list(product(column, repeat=3)), axis=1) for column in scores(3, 5).T]
    values = np.unique(np.concatenate(means))
    below = np.array([[(m <= v + 1e-12).mean() for m in means] for v in values])
    exact = sum(
        np.where([i in inside for i in range(5)], below, 1 - below).prod(axis=1)
        for k in (3, 4, 5)
        for inside in combinations(range(5), k)
    )
    found = run(table(a=scores(3, 5)), "median", level=0.94, method="percentile", n_resamples=50_000)
    ends = [values[np.searchsorted(exact, tail)] for tail in (0.03, 0.97)]
    assert (found.low, found.high) == pytest.approx(ends)


def test_the_interval_of_p_improvement_is_that_of_rliable() -> None:
    found = better(table(a=scores(5, 26), b=scores(6, 26, 1.0)), method="percentile", n_resamples=50_000)
    assert (found.low, found.high) == pytest.approx((0.39615, 0.53718), abs=0.004)


# ---------------------------------------------------------------- the engine against the plain way


def plain(name: str, columns: list[np.ndarray], n_runs: int) -> float:
    """What the statistic is of the drawn scores themselves, for as many runs on every task."""
    means = [column.mean() for column in columns]
    pooled = np.sort(np.concatenate(columns))
    return {
        "mean": np.mean(means),
        "median": np.median(means),
        "iqm": stats.trim_mean(pooled, 0.25),
        "optimality_gap": 1 - np.minimum(pooled, 1).mean(),
    }[name]


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(("n", "n_tasks"), [(1, 4), (3, 1), (5, 7), (10, 30), (20, 2), (300, 2)])
def test_of_the_same_resample_counts_and_scores_give_the_same_value(name: str, n: int, n_tasks: int) -> None:
    x = np.random.default_rng(n).lognormal(0, 1, (n_tasks, n))
    ((draws,),) = resamples([[n] * n_tasks], 40, np.random.default_rng(0))
    expected = [
        plain(name, [np.repeat(row, task.counts[:, i]) for row, task in zip(x, draws.tasks, strict=True)], n)
        for i in range(40)
    ]
    np.testing.assert_allclose(AGGREGATES[name](Pool(tuple(x)), draws), expected, rtol=1e-12)


@pytest.mark.parametrize("name", STATISTICS)
def test_over_tasks_a_task_drawn_twice_counts_twice(name: str) -> None:
    x = np.random.default_rng(0).lognormal(0, 1, (6, 5))
    ((draws,),) = resamples([[5] * 6], 40, np.random.default_rng(0), "tasks")
    for i in range(40):
        columns = [
            np.repeat(row, counts)
            for row, task in zip(x, draws.tasks, strict=True)
            for counts in task.counts[:, task.resamples == i].T
        ]
        assert len(columns) == 6
        assert AGGREGATES[name](Pool(tuple(x)), draws)[i] == pytest.approx(plain(name, columns, 5), rel=1e-12)


@pytest.mark.parametrize("over", ["runs", "tasks"])
def test_of_the_same_resample_p_improvement_is_the_share_of_pairs(over: resample.Over) -> None:
    rng = np.random.default_rng(0)
    a, b = [rng.integers(0, 5, n).astype(float) for n in (3, 6)], [rng.integers(0, 5, n).astype(float) for n in (4, 2)]
    ((of_a, of_b),) = resamples([[3, 6], [4, 2]], 40, rng, over)
    found = statistics.share_better(Pool(tuple(a)), Pool(tuple(b)), of_a, of_b)
    for i in range(40):
        shares = []
        for x, y, dx, dy in zip(a, b, of_a.tasks, of_b.tasks, strict=True):
            here = np.flatnonzero(np.arange(40)[dx.resamples] == i)
            for column in here:
                xs, ys = np.repeat(x, dx.counts[:, column]), np.repeat(y, dy.counts[:, column])
                shares.append((np.sign(xs[:, None] - ys) / 2 + 0.5).mean())
        assert found[i] == pytest.approx(np.mean(shares), rel=1e-12)


def test_the_median_is_that_of_task_means_and_not_of_scores() -> None:
    assert run(table(a=[[0, 0, 9], [1, 1, 1], [2, 2, 2]]), "median").value == 2


def test_the_optimality_gap_does_not_count_what_lies_beyond_gamma() -> None:
    of = table(a=[[0.5, 4.0], [1.0, 0.0]])
    assert run(of, "optimality_gap").value == (0.25 + 0.5) / 2
    assert run(of, "optimality_gap", gamma=2.0).value == (0.75 + 1.5) / 2


def test_where_lower_is_better_the_optimality_gap_is_what_lies_above_gamma() -> None:
    assert run(table(higher_is_better=False, a=[[0.5, 4.0], [1.0, 2.0]]), "optimality_gap").value == (1.5 + 0.5) / 2


# ---------------------------------------------------------------- ragged


def test_tasks_weigh_the_same_however_many_runs_they_have() -> None:
    of = table(a=[[0.0] * 30, [1.0] * 10])
    assert [run(of, name).value for name in ("mean", "median")] == [0.5, 0.5]
    assert run(of, "iqm").value == pytest.approx(0.5)


@pytest.mark.parametrize("name", STATISTICS)
def test_every_run_three_times_over_is_the_same_task(name: str) -> None:
    """For the IQM where the share that is cut stays the same: 4 of 16 runs, and 8 of 32."""
    x = np.random.default_rng(0).lognormal(0, 1, (4, 4))
    ragged = [np.repeat(row, times) for row, times in zip(x, (3, 3, 1, 1), strict=True)]
    assert run(table(a=ragged), name).value == pytest.approx(run(table(a=x.T), name).value, rel=1e-12)


def test_the_iqm_cuts_weight_and_takes_part_of_a_run() -> None:
    """5 runs; cut 1/5 of the weight 2 at each end: .4. The runs of the first task weigh 1/3, those of the second 1/2.

    Of the lowest run (1/3) nothing is left and of the next (1/3) 4/15; of the highest (1/2) 1/10.
    """
    expected = (4 / 15 * 2 + 1 / 3 * 3 + 1 / 2 * 4 + 1 / 10 * 5) / 1.2
    assert run(table(a=[[1.0, 2.0, 3.0], [4.0, 5.0]]), "iqm").value == pytest.approx(expected)


@pytest.mark.parametrize("over", ["runs", "tasks"])
def test_the_ragged_iqm_of_resamples_is_the_weighted_one(over: resample.Over) -> None:
    x = [np.random.default_rng(n).normal(0, 1, n) for n in (3, 8, 17)]
    ((draws,),) = resamples([[3, 8, 17]], 30, np.random.default_rng(0), over)
    every, weights = np.concatenate(x), np.repeat([1 / 3, 1 / 8, 1 / 17], [3, 8, 17])
    found, order, share = AGGREGATES["iqm"](Pool(tuple(x)), draws), np.argsort(every), 7 / 28
    for i, counts in enumerate(np.concatenate(draws.run_counts()).T):
        reached = np.cumsum((counts * weights)[order])
        kept = np.diff(np.clip(reached, 3 * share, 3 * (1 - share)), prepend=3 * share)
        assert found[i] == pytest.approx(kept @ every[order] / (3 * (1 - 2 * share)), rel=1e-9)


# ---------------------------------------------------------------- intervals


def test_the_stretched_interval_of_one_normal_task_is_about_that_of_student() -> None:
    x = stats.norm.ppf((np.arange(20) + 0.5) / 20)
    found = run(table(a=[x]), "mean", n_resamples=50_000)
    oracle = stats.ttest_1samp(x, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=0.03)


def test_the_stretch_is_that_of_hesterberg() -> None:
    """One task: t / z sqrt(n / (n - 1)). T equal tasks have T (n - 1) degrees of freedom."""
    z = stats.norm.ppf(0.975)
    runs, tasks = Sampling(0.95, "stretched", "runs", 9), Sampling(0.95, "stretched", "tasks", 9)
    assert runs.stretch([5], 1) == pytest.approx(stats.t.ppf(0.975, 4) / z * np.sqrt(5 / 4))
    assert runs.stretch([3] * 26, 26) == pytest.approx(stats.t.ppf(0.975, 52) / z * np.sqrt(3 / 2))
    assert tasks.stretch([3] * 26, 26) == pytest.approx(stats.t.ppf(0.975, 25) / z * np.sqrt(26 / 25))
    assert Sampling(0.95, "percentile", "runs", 9).stretch([2], 1) == 1


def test_more_runs_on_a_task_stretch_less_and_single_runs_stretch_more() -> None:
    sampling = Sampling(0.95, "stretched", "runs", 9)
    assert sampling.stretch([10, 10], 2) < sampling.stretch([10, 3], 2) < sampling.stretch([10, 1], 2) < np.inf


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("over", ["runs", "tasks"])
def test_the_stretched_interval_holds_the_percentile_interval(name: str, over: resample.Over) -> None:
    of = table(a=np.random.default_rng(0).lognormal(0, 1, (3, 8)))
    wide, narrow = (run(of, name, method=method, over=over) for method in ("stretched", "percentile"))
    assert wide.low <= narrow.low < narrow.high <= wide.high
    assert wide.low < narrow.low or wide.high > narrow.high


@pytest.mark.parametrize(("n", "n_tasks"), [(3, 1), (3, 5), (5, 5), (10, 5)])
def test_the_stretched_interval_covers_where_the_percentile_interval_does_not(n: int, n_tasks: int) -> None:
    """Measured over 4,000 tables: .74 / .86 / .90 / .93 against .95; a doubled error must fail."""
    rng, repeats = np.random.default_rng(n), 400
    narrow, wide = (Sampling(0.95, method, "runs", 999) for method in ("percentile", "stretched"))
    covered = np.zeros(2)
    for _ in range(repeats):
        pool = Pool(tuple(rng.normal(0, 1, (n_tasks, n))))
        ((draws,),) = resamples([pool.sizes], 999, rng)
        values, value = AGGREGATES["mean"](pool, draws)[None], AGGREGATES["mean"](pool, observed(pool.sizes))
        for i, sampling in enumerate((narrow, wide)):
            low, high = sampling.interval(values, value, sampling.stretch(pool.sizes, n_tasks))
            covered[i] += low[0] <= 0 <= high[0]
    measured = {(3, 1): 0.745, (3, 5): 0.86, (5, 5): 0.903, (10, 5): 0.934}[n, n_tasks]
    assert covered / repeats == pytest.approx([measured, 0.948], abs=0.045)


def test_over_tasks_is_another_and_a_wider_question() -> None:
    """Tasks that differ much and runs that differ little."""
    x = np.random.default_rng(0).normal(0, 1, 9) + np.random.default_rng(1).normal(0, 0.01, (5, 9))
    runs, tasks = (run(table(a=x), "mean", over=over) for over in ("runs", "tasks"))
    assert runs.value == tasks.value
    assert (tasks.high - tasks.low) > 30 * (runs.high - runs.low)


# ---------------------------------------------------------------- laws


tables = st.lists(st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=6), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(tables, st.sampled_from(STATISTICS), st.sampled_from(["runs", "tasks"]), st.randoms(use_true_random=False))
def test_the_order_of_seeds_changes_nothing(columns: list[list[float]], name: str, over: Any, random: Any) -> None:
    shuffled = [random.sample(column, len(column)) for column in columns]
    assert run(table(a=columns), name, over=over) == run(table(a=shuffled), name, over=over)


@settings(max_examples=25, deadline=None)
@given(tables, st.sampled_from(["mean", "median", "iqm"]), st.integers(-1000, 1000), st.sampled_from([0.25, 1.0, 64.0]))
def test_shift_and_scale_go_through(columns: list[list[float]], name: str, shift: int, scale: float) -> None:
    plain = run(table(a=columns), name, n_resamples=200)
    moved = run(table(a=[[scale * x + shift for x in column] for column in columns]), name, n_resamples=200)
    expected = scale * np.array([plain.value, plain.low, plain.high]) + shift
    np.testing.assert_allclose([moved.value, moved.low, moved.high], expected, rtol=1e-9, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(tables, st.sampled_from(STATISTICS), st.sampled_from(["stretched", "percentile"]))
def test_the_value_lies_within_the_scores_and_the_ends_are_in_order(
    columns: list[list[float]], name: str, method: Any
) -> None:
    found = run(table(a=columns), name, n_resamples=200, method=method)
    assert found.low <= found.high
    if name != "optimality_gap":
        assert min(map(min, columns)) - 1e-9 <= found.value <= max(map(max, columns)) + 1e-9


def test_swapping_the_agents_mirrors_p_improvement() -> None:
    of = table(a=scores(4, 6), b=scores(5, 6, 0.5))
    there, back = better(of, n_resamples=50_000), better(of, "b", "a", n_resamples=50_000)
    assert there.value == pytest.approx(1 - back.value)
    assert (there.low, there.high) == pytest.approx((1 - back.high, 1 - back.low), abs=0.01)


def test_where_lower_is_better_the_lower_agent_improves() -> None:
    low, high = np.zeros((4, 3)), np.ones((4, 3))
    assert better(table(a=high, b=low)).value == 1
    assert better(table(higher_is_better=False, a=high, b=low)).value == 0


@pytest.mark.parametrize("name", ["mean", "median", "iqm"])
def test_a_far_origin_leaves_the_interval_where_it_is(name: str) -> None:
    x = np.random.default_rng(0).normal(0, 1, (5, 6))
    near, far = (run(table(a=x + origin), name) for origin in (0, 1e12))
    np.testing.assert_allclose(
        [far.value - 1e12, far.low - 1e12, far.high - 1e12], [near.value, near.low, near.high], atol=2e-3
    )


# ---------------------------------------------------------------- degenerate tables


@pytest.mark.parametrize("name", STATISTICS)
def test_equal_scores_give_an_interval_without_width_and_say_so(name: str) -> None:
    found = run(table(a=np.full((5, 4), 0.25)), name)
    assert found.low == found.value == found.high
    assert any("says nothing of the spread" in note for note in found.notes)


@pytest.mark.parametrize("name", ["mean", "median", "iqm"])
def test_single_runs_leave_the_interval_endless(name: str) -> None:
    found = run(table(a=[[1.0], [2.0]]), name)
    assert (found.value, found.low, found.high) == (1.5, -np.inf, np.inf)
    assert any("single run" in note for note in found.notes)


def test_one_task_says_nothing_of_other_tasks() -> None:
    found = run(table(a=[[1.0, 2.0, 3.0]]), "mean", over="tasks")
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert "one task says nothing of other tasks" in found.notes


def test_a_clean_sweep_is_not_certainty() -> None:
    """Five pairs all won are what a probability of .025^(1/5) = .478 gives in 2.5 % of cases."""
    of = table(a=[[5.0, 6.0, 7.0, 8.0, 9.0]], b=[[0.0, 1.0, 2.0, 3.0, 4.0]])
    found, back = better(of), better(of, "b", "a")
    assert (found.value, found.low, found.high) == pytest.approx((1, 0.025**0.2, 1))
    assert (back.value, back.low, back.high) == pytest.approx((0, 0, 1 - 0.025**0.2))
    assert better(of, method="percentile").low == 1  # as rliable has it


@pytest.mark.parametrize(("n", "notes"), [(3, "their mean"), (5, "the mean of the middle 3"), (12, "middle 6")])
def test_the_iqm_of_few_runs_says_what_it_is(n: int, notes: str) -> None:
    x = np.arange(n) ** 2.0
    found = run(table(a=[x]), "iqm")
    assert any(notes in note for note in found.notes)
    assert found.value == pytest.approx(np.sort(x)[n // 4 : n - n // 4].mean())


def test_the_iqm_of_many_runs_needs_no_note() -> None:
    assert run(table(a=scores(5, 26)), "iqm").notes == ()


def test_failed_runs_are_counted_and_said() -> None:
    of = ScoreTable("final", (arm("a", "t0", [1.0, 2.0], failed=(7, 8)), arm("a", "t1", [1.0, 3.0], failed=(9,))))
    found = run(of, "mean")
    assert (found.n_tasks, found.n_runs, found.n_failed) == (2, 4, 3)
    assert "3 of 7 runs failed and are not in the value" in found.notes


def test_ten_thousand_runs_are_answered() -> None:
    x = np.random.default_rng(0).normal(0, 1, (10_000, 2))
    found = run(table(a=x), "iqm", n_resamples=100)
    assert 0.01 < found.high - found.low < 0.05


# ---------------------------------------------------------------- tables that cannot be aggregated


def test_agents_on_different_tasks_are_refused_by_name() -> None:
    of = ScoreTable("final", (arm("ppo", "pong", [1, 2]), arm("ppo", "qbert", [1, 2]), arm("sac", "pong", [1, 2])))
    with pytest.raises(RlauditError) as error:
        run(of, "mean")
    assert "agent 'sac' has no scores on task 'qbert'" in str(error.value)
    assert "shared=True" in str(error.value)


def test_shared_tasks_are_taken_when_asked_for_and_said() -> None:
    of = ScoreTable("final", (arm("ppo", "qbert", [5, 6]), arm("ppo", "pong", [1, 2]), arm("sac", "pong", [1, 4])))
    found = aggregate_tasks(of, statistics=("mean",), n_resamples=9, shared=True)
    assert [(one.agent, one.value, one.n_tasks) for one in found] == [("ppo", 1.5, 1), ("sac", 2.5, 1)]
    assert "on the 1 of 2 tasks that all agents have" in found[0].notes


def test_a_task_on_which_all_runs_failed_is_missing() -> None:
    of = ScoreTable("final", (arm("ppo", "pong", [1, 2]), arm("ppo", "qbert", [], failed=(0, 1))))
    with pytest.raises(RlauditError) as error:
        run(of, "mean")
    assert "agent 'ppo' has no scores on task 'qbert'" in str(error.value)


def test_without_a_shared_task_there_is_nothing_to_aggregate() -> None:
    of = ScoreTable("final", (arm("ppo", "pong", [1, 2]), arm("sac", "qbert", [1, 2])))
    with pytest.raises(RlauditError) as error:
        run(of, "mean", shared=True)
    assert "no task on which all of the agents 'ppo', 'sac' have scores" in str(error.value)


def test_p_improvement_asks_for_the_tasks_of_the_two_alone() -> None:
    of = ScoreTable("final", (*table(a=scores(3, 2), b=scores(3, 2)).arms, arm("c", "t9", [1.0])))
    found = better(of)
    assert (found.n_tasks, found.notes) == (2, ())


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_a_score_that_is_no_number_is_refused_and_not_passed_on(bad: float) -> None:
    with pytest.raises(RlauditError) as error:
        run(table(a=[[1.0, 2.0], [3.0, bad]]), "iqm")
    assert "seed 1 of agent 'a' on task 't1'" in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 95}, "level = 95"),
        ({"n_resamples": 0}, "n_resamples = 0"),
        ({"method": "streched"}, "Did you mean 'stretched'?"),
        ({"over": "seeds"}, "give one of ('runs', 'tasks')"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(RlauditError) as error:
        run(table(a=scores(3, 2)), "iqm", **options)
    assert words in str(error.value)


def test_unknown_statistics_and_agents_suggest_the_nearest() -> None:
    with pytest.raises(RlauditError) as error:
        run(table(a=scores(3, 2)), "igm")
    assert "Did you mean 'iqm'?" in str(error.value)
    with pytest.raises(RlauditError) as error:
        better(table(ppo=scores(3, 2), sac=scores(3, 2)), "ppo", "sca")
    assert "Did you mean 'sac'?" in str(error.value)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(NotEnoughSeeds):
        run(ScoreTable("final", ()), "mean")


# ---------------------------------------------------------------- random numbers


def test_the_same_generator_gives_the_same_interval_and_another_gives_another() -> None:
    """rliable accepts a random_state and ignores it: its intervals cannot be reproduced."""
    of = table(a=scores(5, 6), b=scores(5, 6, 1.0))
    first, again, other = (run(of, "iqm", seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    first, again, other = (better(of, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_without_a_generator_the_answer_is_the_same_every_time() -> None:
    of = table(a=scores(5, 6))
    assert aggregate_tasks(of, n_resamples=99) == aggregate_tasks(of, n_resamples=99)


def test_other_statistics_and_further_agents_shift_no_numbers() -> None:
    one, two = table(a=scores(5, 6)), table(a=scores(5, 6), b=scores(5, 6, 1.0))
    alone = run(one, "iqm")
    beside = aggregate_tasks(two, n_resamples=2_000, rng=np.random.default_rng(0))
    assert alone == next(found for found in beside if found.statistic == "iqm")


def test_agents_do_not_share_their_resamples() -> None:
    a, b = aggregate_tasks(table(a=scores(5, 6), b=scores(5, 6)), statistics=("mean",), n_resamples=99)
    assert a.value == b.value
    assert a.low != b.low


def test_the_number_of_blas_threads_cannot_change_a_bit() -> None:
    code = (
        "import numpy as np; from rlaudit.aggregate import aggregate_tasks; from rlaudit.types import *\n"
        "x = np.random.default_rng(0).normal(0, 1, (40, 300))\n"
        "arms = tuple(ArmScores('a', str(i), tuple(range(300)), row) for i, row in enumerate(x))\n"
        "print(repr(aggregate_tasks(ScoreTable('s', arms), n_resamples=300)))"
    )
    one, four = (
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "4")
    )
    assert "statistic='iqm'" in one
    assert one == four
