"""The aggregates over tasks, each computed from the counts of resampled runs. A new one is a function and a line.

Tasks weigh the same, however many runs they have.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from rlaudit.aggregate.pools import Pool
from rlaudit.aggregate.resample import Counts, Draws
from rlaudit.types import Floats, Ints

Aggregate: TypeAlias = Callable[[Pool, Draws], Floats]  # one agent's runs, how often each is drawn -> (n_resamples,)


def mean(pool: Pool, draws: Draws) -> Floats:
    """Mean over tasks of the mean score on a task."""
    means: Floats = _task_means(pool.scores, draws).mean(axis=0)
    return means


def median(pool: Pool, draws: Draws) -> Floats:
    """Median over tasks of the mean score on a task (not of the scores), as Agarwal et al. 2021 and rliable have it."""
    medians: Floats = np.median(_task_means(pool.scores, draws), axis=0)
    return medians


def optimality_gap(pool: Pool, draws: Draws) -> Floats:
    """Mean over tasks of how far a run falls short of gamma; what it has beyond gamma does not count (Agarwal 2021)."""
    sign = 1 if pool.higher_is_better else -1
    return mean(Pool(tuple(np.maximum(sign * (pool.gamma - x), 0) for x in pool.scores)), draws)


def iqm(pool: Pool, draws: Draws) -> Floats:
    """Interquartile mean of the runs of all tasks together (Agarwal 2021), by weight where tasks differ in runs.

    A run weighs 1 / (runs of its task). The share floor(N / 4) / N of the weight is cut off at each end, N being the
    number of runs: with equal numbers of runs these are floor(N / 4) whole runs, as scipy's trim_mean(x, .25) and
    rliable cut; else the run at the cut counts with the part of its weight that lies inside.
    """
    scores, rows = np.concatenate(pool.scores), [row for counts in draws.run_counts() for row in counts]
    order, total, equal = np.argsort(scores, kind="stable"), len(scores), len(set(pool.sizes)) == 1
    cut, upper, weights = total // 4, total - total // 4, pool.weights
    reached = np.zeros(draws.width, np.min_scalar_type(total) if equal else np.float64)
    above, step, beyond = np.empty_like(reached), np.empty(draws.width), np.zeros(draws.width)
    # Upwards through the scores, no resample is ever sorted: the kept weight above each gap between neighbours, times
    # the gap, is the sum of weight x score, summed by parts.
    for run, gap in zip(order[:-1], np.diff(scores[order]), strict=True):
        reached += rows[run] if equal else rows[run] * weights[run]
        reached.clip(cut, upper, out=above)
        np.subtract(upper, above, out=above)
        np.multiply(above, gap, out=step)
        beyond += step
    trimmed: Floats = scores[order[0]] + beyond / (upper - cut)
    return trimmed


AGGREGATES: dict[str, Aggregate] = {
    "mean": mean,
    "median": median,
    "iqm": iqm,
    "optimality_gap": optimality_gap,
}


def limits_of(statistic: str) -> tuple[float, float]:
    """What the statistic cannot fall below or exceed."""
    return (0.0 if statistic == "optimality_gap" else -np.inf), np.inf


def share_better(a: Pool, b: Pool, draws_a: Draws, draws_b: Draws) -> Floats:
    """Mean over tasks of P(a run of a is better than one of b), ties counting half (Agarwal et al. 2021).

    The runs of a and b are drawn apart, so they may differ in number.
    """
    sign = 1 if a.higher_is_better else -1
    shares = np.empty((len(a.scores), draws_a.width))
    for x, y, of_a, of_b in zip(a.scores, b.scores, draws_a.tasks, draws_b.tasks, strict=True):
        shares[of_a.places, of_a.resamples] = _share_won(sign * x, sign * y, of_a.counts, of_b.counts)
    means: Floats = shares.mean(axis=0)
    return means


def _share_won(x: Floats, y: Floats, counts_x: Counts, counts_y: Counts) -> Floats:
    """Walks the distinct scores upwards; a run of x wins against every run of y below it."""
    below: Ints = np.zeros(counts_x.shape[1], np.int64)
    doubled: Ints = np.zeros(counts_x.shape[1], np.int64)
    for score in np.unique(np.concatenate([x, y])):
        tied = counts_y[y == score].sum(axis=0, dtype=np.int64)
        doubled += counts_x[x == score].sum(axis=0, dtype=np.int64) * (2 * below + tied)
        below += tied
    return doubled / (2 * len(x) * len(y))


def _task_means(scores: Sequence[Floats], draws: Draws) -> Floats:
    """(n_tasks, n_resamples) mean score in each place; measured from the first run, so that a far origin costs nothing.

    Summed run by run and not by a matrix product, whose order, and so whose last bit, depends on the number of threads.
    """
    means = np.empty((len(scores), draws.width))
    for x, draw in zip(scores, draws.tasks, strict=True):
        total, step = np.zeros(draw.counts.shape[1]), np.empty(draw.counts.shape[1])
        for count, score in zip(draw.counts, x - x[0], strict=True):
            np.multiply(count, score, out=step)
            total += step
        means[draw.places, draw.resamples] = x[0] + total / len(x)
    return means
