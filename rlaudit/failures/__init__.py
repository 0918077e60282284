"""Runs that failed, runs that never learned, and single seeds that a conclusion hangs on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlaudit.aggregate import failure_interval
from rlaudit.failures.outliers import find_outliers, reach, robust_distances
from rlaudit.failures.single_seeds import carrier, family_of, groups_of, looked_at, redone
from rlaudit.failures.stuck import enough_curves, stuck_runs
from rlaudit.results import Carrier, FailureAudit, PairAudit
from rlaudit.types import ArmCurves, ArmScores, Floats, ScoreTable

__all__ = ["audit_failures", "carriers"]


def audit_failures(table: ScoreTable) -> tuple[FailureAudit, ...]:
    """One for each agent and task with a seed, finished or not."""
    curves = {(one.agent, one.task): one for one in table.curves}
    scores = {task: np.concatenate([arm.scores for arm in table.arms if arm.task == task]) for task in table.tasks}
    worst = np.min if table.higher_is_better else np.max
    floors = {task: float(worst(every)) if len(every) else None for task, every in scores.items()}
    return tuple(
        _audit_arm(arm, curves.get((arm.agent, arm.task)), floors[arm.task], table)
        for arm in table.arms
        if len(arm.scores) + len(arm.failed)
    )


def _audit_arm(arm: ArmScores, curves: ArmCurves | None, floor: float | None, table: ScoreTable) -> FailureAudit:
    n, n_failed, scores = len(arm.scores) + len(arm.failed), len(arm.failed), arm.scores
    low, high = failure_interval(n_failed, n)
    seen = curves is not None and enough_curves(curves)
    stuck = stuck_runs(arm, curves, table.higher_is_better) if curves is not None and seen else None
    # only a final evaluation can be held against the end of the curve
    far = find_outliers(arm, curves if table.metric in ("final", "score") else None)
    outliers = tuple(one for one in far if stuck is None or one.seed not in {run.seed for run in stuck.runs})
    left = scores[~np.isin(np.arange(len(scores)), [arm.seeds.index(one.seed) for one in outliers])]
    imputed = np.append(scores, np.full(n_failed, np.nan if floor is None else floor))
    return FailureAudit(
        agent=arm.agent,
        task=arm.task,
        n=n,
        n_failed=n_failed,
        low=low,
        high=high,
        mean=_mean(scores),
        mean_imputed=_mean(imputed) if floor is not None else None,
        floor=floor,
        curves_seen=seen,
        stuck=stuck,
        reach=None if robust_distances(scores) is None else reach(len(scores)),
        outliers=outliers,
        sd=_sd(scores),
        mean_without_outliers=_mean(left) if outliers else None,
        sd_without_outliers=_sd(left) if outliers else None,
    )


def _mean(scores: Floats) -> float | None:
    return float(scores[0] + (scores - scores[0]).mean()) if len(scores) else None


def _sd(scores: Floats) -> float | None:
    return float((scores - scores[0]).std(ddof=1)) if len(scores) > 1 else None


def carriers(
    table: ScoreTable, pairs: Sequence[PairAudit], *, alpha: float, seed: int, correction: str = "holm"
) -> tuple[Carrier, ...]:
    """The seed of each pair whose removal moves the comparison most, and the pair without all that stands apart.

    Left out are pairs whose verdict is "equivalent", that have no p-value, or no third seed. Where the deciding test
    is no t test, the pairs nearest to alpha are looked at, and the seeds that move the t test most.
    """
    audits = {(audit.agent, audit.task): audit for audit in audit_failures(table)}
    arms = {(arm.agent, arm.task): arm for arm in table.arms}
    family = family_of(pairs, alpha, correction, seed)
    found = []
    for place in looked_at(pairs, family):
        pair = pairs[place]
        keys = [(pair.a, pair.task), (pair.b, pair.task)]
        a, b = (arms[key] for key in keys)
        one = carrier(pair, place, groups_of(pair, a, b), family)
        if one is not None:
            others = redone(pair, place, a, b, [audits[key] for key in keys], family)
            found.append(replace(one, others=tuple(others)))
    return tuple(found)
