"""One agent over many tasks: mean, median, IQM, optimality gap, and how often it beats another agent.

What rliable offers (Agarwal et al. 2021, NeurIPS), from labelled tables: nothing can be transposed by mistake, tasks
may differ in their number of runs, and failed runs are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlaudit.aggregate.intervals import Method, Sampling
from rlaudit.aggregate.notes import counted, notes_on
from rlaudit.aggregate.pools import arms_by_agent, pool_of
from rlaudit.aggregate.resample import Over, observed, resamples
from rlaudit.aggregate.statistics import AGGREGATES, limits_of, share_better
from rlaudit.errors import RlauditError, did_you_mean
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Floats, ScoreTable

_RESAMPLES = 50_000  # as rliable; 5 runs on 26 tasks take 10 ms


@dataclass(frozen=True)
class TaskAggregate:
    """One number for an agent over tasks; for "probability_of_improvement" for `agent` against `other`."""

    agent: str
    statistic: str
    value: float
    low: float  # infinite, or the end of the range, where the runs show no spread at all
    high: float
    level: float
    method: Method
    over: Over  # what would be drawn anew: the runs, or the tasks and their runs
    n_tasks: int
    n_runs: int  # with a score, of all tasks; of both agents where there are two
    n_failed: int  # without one, and not in the value
    notes: tuple[str, ...] = ()
    other: str | None = None


def aggregate_tasks(
    table: ScoreTable,
    *,
    statistics: Sequence[str] = ("mean", "median", "iqm", "optimality_gap"),
    level: float = 0.95,
    method: Method = "stretched",
    over: Over = "runs",
    n_resamples: int = _RESAMPLES,
    rng: np.random.Generator | None = None,
    gamma: float = 1.0,
    shared: bool = False,
) -> tuple[TaskAggregate, ...]:
    """Each statistic of each agent; all statistics of an agent are read from the same resamples.

    The scores of the tasks should have one scale: see `normalise`. `over="runs"` says what other seeds would give on
    these tasks; `over="tasks"` what other tasks of this kind would give, which is another and a wider question.
    `shared` leaves out the tasks that not all agents have. `gamma` is where the optimality gap ends. Without `rng`
    the random numbers are those of a fixed stream.
    """
    for name in statistics:
        if name not in AGGREGATES:
            raise RlauditError(f"{name!r} is no aggregate over tasks.{did_you_mean(name, AGGREGATES)}")
    sampling = Sampling(level, method, over, n_resamples)
    agents = arms_by_agent(table.arms, shared)
    streams = (rng or generator(0, "aggregate", "tasks")).spawn(len(agents))
    found: list[TaskAggregate] = []
    for arms, stream in zip(agents.values(), streams, strict=True):
        pool = pool_of(arms, table.higher_is_better, gamma)
        estimates = [AGGREGATES[name](pool, observed(pool.sizes)) for name in statistics]
        chunks = [
            [AGGREGATES[name](pool, draws) for name in statistics]
            for (draws,) in resamples([pool.sizes], n_resamples, stream, over)
        ]
        for name, estimate, *values in zip(statistics, estimates, *chunks, strict=True):
            found.append(_labelled(name, arms, estimate, np.concatenate(values), sampling, len(table.tasks)))
    return tuple(found)


def probability_of_improvement(
    table: ScoreTable,
    agent: str,
    other: str,
    *,
    level: float = 0.95,
    method: Method = "stretched",
    over: Over = "runs",
    n_resamples: int = _RESAMPLES,
    rng: np.random.Generator | None = None,
    shared: bool = False,
) -> TaskAggregate:
    """Mean over tasks of P(a run of `agent` is better than one of `other`), ties counting half.

    Needs no normalisation. The runs of the two are drawn apart.
    """
    sampling = Sampling(level, method, over, n_resamples)
    for label in (agent, other):
        if label not in table.agents:
            raise RlauditError(f"{label!r} is no agent of this table.{did_you_mean(label, table.agents)}")
    theirs = [arm for arm in table.arms if arm.agent in (agent, other)]
    arms, n_tasks = arms_by_agent(theirs, shared), len({arm.task for arm in theirs})
    a, b = pool_of(arms[agent], table.higher_is_better), pool_of(arms[other], table.higher_is_better)
    estimate = share_better(a, b, observed(a.sizes), observed(b.sizes))
    stream = rng or generator(0, "aggregate", "probability_of_improvement")
    values = [share_better(a, b, *draws) for draws in resamples([a.sizes, b.sizes], n_resamples, stream, over)]
    name = "probability_of_improvement"
    return _labelled(name, arms[agent], estimate, np.concatenate(values), sampling, n_tasks, arms[other])


def _labelled(
    statistic: str,
    arms: Sequence[ArmScores],
    estimate: Floats,  # (1,)
    values: Floats,  # (n_resamples,)
    sampling: Sampling,
    n_tasks: int,
    others: Sequence[ArmScores] = (),
) -> TaskAggregate:
    every = [*arms, *others]
    sizes = [len(arm.scores) for arm in every]
    if others:
        low, high = sampling.share_interval(values[None], estimate, sizes, len(arms))
    else:
        low, high = sampling.interval(values[None], estimate, sampling.stretch(sizes, len(arms)), limits_of(statistic))
    return TaskAggregate(
        agent=arms[0].agent,
        statistic=statistic,
        value=float(estimate[0]),
        low=float(low[0]),
        high=float(high[0]),
        level=sampling.level,
        method=sampling.method,
        over=sampling.over,
        **counted(every),
        notes=notes_on(statistic, every, n_tasks, sampling.over, flat=bool(low == high)),
        other=others[0].agent if others else None,
    )
