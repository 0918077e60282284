"""Scores of different tasks on one scale."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

import numpy as np

from rlaudit.errors import NotEnoughSeeds, RlauditError, did_you_mean
from rlaudit.types import Floats, ScoreTable

References = Mapping[str, tuple[float, float]]


def normalise(table: ScoreTable, references: References | str) -> ScoreTable:
    """Scores and curves as (score - first) / (second - first): 0 at a task's first reference and 1 at its second.

    `references` gives {task: (first, second)}, such as the scores of a random agent and of a human (Mnih et al. 2015,
    Nature 518). The first is the worse one: where lower is better it is the larger number, and in the table that
    comes back higher is better in any case. References of other tasks are ignored.

    "min-max" takes the worst and the best score in the table itself. That is data-dependent: one more run can move
    all scores, two tables are not on one scale, and no interval knows of it. Prefer given references.
    """
    if references == "min-max":
        references = _worst_and_best(table)
    elif isinstance(references, str):
        raise RlauditError(f"references = {references!r}: give {{task: (first, second)}}, or 'min-max'")
    for task in table.tasks:
        _check(task, references, table.higher_is_better)

    def scaled(task: str, values: Floats) -> Floats:
        first, second = references[task]
        return (values - first) / (second - first)

    return replace(
        table,
        metric=f"normalised {table.metric}",
        higher_is_better=True,
        arms=tuple(replace(arm, scores=scaled(arm.task, arm.scores)) for arm in table.arms),
        curves=tuple(replace(arm, values=scaled(arm.task, arm.values)) for arm in table.curves),
    )


def _worst_and_best(table: ScoreTable) -> References:
    ends = {}
    for task in table.tasks:
        scores = np.concatenate([arm.scores for arm in table.arms if arm.task == task])
        if not len(scores):
            raise NotEnoughSeeds(f"no run on task {task!r} has a score: nothing to normalise by")
        low, high = float(scores.min()), float(scores.max())
        if low == high:
            raise RlauditError(f"all scores on task {task!r} are {low:g}: give reference scores instead of 'min-max'")
        ends[task] = (low, high) if table.higher_is_better else (high, low)
    return ends


def _check(task: str, references: References, higher_is_better: bool) -> None:
    if task not in references:
        raise RlauditError(f"no reference scores for task {task!r}.{did_you_mean(task, references)}")
    first, second = references[task]
    if not (isfinite(first) and isfinite(second)):
        raise RlauditError(f"the reference scores of task {task!r} are {first} and {second}: give two finite numbers")
    if first == second:
        raise RlauditError(f"both reference scores of task {task!r} are {first:g}: they must differ to make a scale")
    if (first < second) != higher_is_better:
        better = "higher" if higher_is_better else "lower"
        raise RlauditError(
            f"the reference scores of task {task!r} are ({first:g}, {second:g}), but {better} is better: give the "
            f"worse one first, ({second:g}, {first:g})"
        )
