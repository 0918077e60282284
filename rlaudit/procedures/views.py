"""What a habit looks at: one number a seed, or several of its curve, or those of other tasks.

A pool is what may be drawn of one agent: blocks (n_views, n_seeds), oriented so that more is better. The numbers of a
block belong to the same seeds and are drawn together; tasks have seeds of their own and are drawn apart.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from rlaudit.comparisons.paired import paired_scores
from rlaudit.curves import align
from rlaudit.errors import ConfigError, NotEnoughSeeds, RlauditError, did_you_mean
from rlaudit.types import ArmCurves, ArmScores, Floats, ScoreTable

Pool: TypeAlias = tuple[Floats, ...]
Pools: TypeAlias = tuple[Pool, ...]  # of each agent; a string instead says what is missing

FEWEST = 4  # seeds an agent: two groups of two
LAST = 10  # evaluations at the end of a curve, or half of a shorter one
_MOST_MISSING = 0.1  # of the runs: a point of the curve that more of them lack is left out, else those runs are


class Subject(NamedTuple):
    """One agent, or two of them, on one task of a table."""

    table: ScoreTable
    arms: tuple[ArmScores, ...]

    @property
    def sign(self) -> int:
        """Of the scores, so that more is better."""
        return 1 if self.table.higher_is_better else -1


def arms_named(table: ScoreTable, agent: str | None, against: str | None, task: str | None) -> tuple[ArmScores, ...]:
    """One agent, or two, on one task. Without an agent the first two with enough seeds; an agent alone stays alone.

    Raises ConfigError for a name that the table does not hold, and NotEnoughSeeds where nobody has enough seeds.
    """
    for what, name, known in (
        ("task", task, table.tasks),
        ("agent", agent, table.agents),
        ("agent", against, table.agents),
    ):
        if name is not None and name not in known:
            named = did_you_mean(name, filter(None, known)) or f" They name no {what}."
            raise ConfigError(f"{name!r} is no {what} of these scores.{named}")
    if against is not None and (agent is None or agent == against):
        raise ConfigError(f"against {against!r}: name another agent that it is set against")
    wanted = [name for name in (agent, against) if name is not None]
    arms = [arm for arm in table.arms if task in (None, arm.task) and (not wanted or arm.agent in wanted)]
    enough = [arm for arm in arms if wanted or len(arm.scores) >= FEWEST]
    asked = next((arm.task for arm in enough if len(wanted) < 2 or _both(table, wanted, arm.task)), None)
    if asked is None and len(wanted) == 2:
        raise ConfigError(f"{agent!r} and {against!r} share no task")
    chosen = [arm for arm in enough if arm.task == asked]
    if not chosen or min(len(arm.scores) for arm in chosen) < FEWEST:
        raise NotEnoughSeeds(f"a group of seeds against another of the same agent needs {FEWEST} seeds an agent")
    return tuple(sorted(chosen, key=lambda arm: arm.agent != agent)[:2])


def _both(table: ScoreTable, agents: Sequence[str], task: str) -> bool:
    return {(agent, task) for agent in agents} <= {(arm.agent, arm.task) for arm in table.arms}


def scores(subject: Subject) -> Pools | str:
    """The score of each seed."""
    return tuple((subject.sign * arm.scores[None],) for arm in subject.arms)


def pairs(subject: Subject) -> Pools | str:
    """The scores of the seeds that both agents have, in the same order."""
    if len(subject.arms) == 1:
        return scores(subject)
    a, b = subject.arms
    if len(set(a.seeds) & set(b.seeds)) < FEWEST:
        return f"needs {FEWEST} seeds that both agents have"
    return tuple((subject.sign * one[None],) for one in paired_scores(a, b))


def tasks(subject: Subject) -> Pools | str:
    """The scores on every task that all of these agents ran with enough seeds; the one asked for first."""
    asked, agents = subject.arms[0].task, [arm.agent for arm in subject.arms]
    ran = {(arm.agent, arm.task): arm for arm in subject.table.arms if len(arm.scores) >= FEWEST}
    shared = [task for task in subject.table.tasks if task != asked and all((agent, task) in ran for agent in agents)]
    if not shared:
        return "needs a second task"
    return tuple(tuple(subject.sign * ran[agent, task].scores[None] for task in (asked, *shared)) for agent in agents)


# ---------------------------------------------------------------- of the learning curve


class _Curves(NamedTuple):
    """Complete curves (n_points, n_seeds) at `steps` (n_points,), oriented, and the scores (n_seeds,) of their runs."""

    steps: Floats
    values: Floats
    scores: Floats


def points(subject: Subject) -> Pools | str:
    """Every point of the learning curve."""
    return _of_curves(subject, lambda one: one.values)


def evaluations(subject: Subject) -> Pools | str:
    """The last ten evaluations."""
    return _of_curves(subject, lambda one: one.values[-_window(one) :], at_least=4)


def checkpoints(subject: Subject) -> Pools | str:
    """The last evaluation and the best one."""
    return _of_curves(subject, lambda one: np.stack([one.values[-1], one.values.max(axis=0)]))


def metrics(subject: Subject) -> Pools | str:
    """The audit's own score, the mean of the last ten evaluations, the area under the curve, the best evaluation."""

    def views(one: _Curves) -> Floats:
        middles = (one.values[1:] + one.values[:-1]) / 2
        area = np.einsum("i,ij->j", np.diff(one.steps), middles) / (one.steps[-1] - one.steps[0])
        return np.stack([one.scores, one.values[-_window(one) :].mean(axis=0), area, one.values.max(axis=0)])

    return _of_curves(subject, views)


def _window(one: _Curves) -> int:
    return min(LAST, len(one.steps) // 2)


def _of_curves(subject: Subject, views: Callable[[_Curves], Floats], at_least: int = 2) -> Pools | str:
    task = subject.arms[0].task
    known = {curve.agent: curve for curve in subject.table.curves if curve.task == task}
    if any(arm.agent not in known for arm in subject.arms):
        return "needs learning curves"
    found = [known[arm.agent] for arm in subject.arms]
    try:
        aligned = align(*found) if len(found) == 2 else found
    except RlauditError:
        return "needs learning curves that share a stretch of steps"
    there = [~np.isnan(curve.values) for curve in aligned]
    kept = np.all([one.mean(axis=0) >= 1 - _MOST_MISSING for one in there], axis=0)
    if kept.sum() < at_least:
        return f"needs learning curves of {at_least} evaluations"
    complete = [_complete(arm, curve, kept, subject.sign) for arm, curve in zip(subject.arms, aligned, strict=True)]
    if min(one.values.shape[1] for one in complete) < FEWEST:
        return f"needs {FEWEST} seeds with a complete learning curve"
    return tuple((views(one),) for one in complete)


def _complete(arm: ArmScores, curve: ArmCurves, kept: Sequence[bool], sign: int) -> _Curves:
    """Runs without a value at one of the points kept are left out."""
    score = dict(zip(arm.seeds, arm.scores, strict=True))
    values = curve.values[:, kept]
    rows = [row for row, seed in enumerate(curve.seeds) if seed in score and not np.isnan(values[row]).any()]
    own = np.array([score[curve.seeds[row]] for row in rows])
    return _Curves(curve.steps[kept].astype(np.float64), sign * values[rows].T, sign * own)
