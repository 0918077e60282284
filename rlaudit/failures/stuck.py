"""Runs that finished, but fell behind early and never came back.

Bjorck et al. 2022 (arXiv 2110.11222) found that much of the variance between seeds comes from such runs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from rlaudit.results import StuckRun, StuckRuns
from rlaudit.types import ArmCurves, ArmScores, Floats, Ints

_BLOCKS = 10  # of training; means of them, because single evaluations are noisy
_FEWEST_POINTS = 4  # evaluations
_FEWEST_RUNS = 4  # of which three are not stuck
_LEVEL = 0.05  # one-sided, for all runs of an agent together


class Found(NamedTuple):
    """What the rule saw, with its sign turned where that makes "higher" the better direction."""

    stuck: NDArray[np.bool_]  # (n_runs,)
    since: Ints  # (n_runs,) block from which a stuck run stayed behind
    blocks: Floats  # (n_runs, n_blocks) mean of each tenth of training, NaN without an evaluation
    middle: Floats  # (n_blocks,) mean of the runs that are not stuck
    edge: Floats  # (n_blocks,) lower prediction bound for one more of them


def enough_curves(curves: ArmCurves) -> bool:
    """Whether there is anything to look at."""
    return len(curves.seeds) >= _FEWEST_RUNS and len(curves.steps) >= _FEWEST_POINTS


def find_stuck(values: Floats) -> Found:
    """Which of the runs (n_runs, n_points) are stuck; higher is better, NaN where a run has no evaluation.

    A run is stuck from a block in the first half of training on if in that block and all later ones it

    * has made less than half of the progress of the median run since the first evaluation, and
    * lies below the prediction bound for one more run like the others, mean - t sd sqrt(1 + 1 / m), at level
      .05 / n_runs (Whitmore 1986, The American Statistician 40, 141-143);

    and if over the second half it keeps a quarter of that progress away from all others. Runs that fail in one of
    these count among the others again, until nothing changes: the lowest runs of a wide pool widen it, and only a
    group that stands apart remains. Where the median run makes no progress, nobody is behind.

    False alarms, agents with any: SAC and TD3 below .002 at n = 5-50 and none at n = 193; normal seeds that differ all
    the way through training at most .07 (n = 5-100, sd .1-.5 of the progress). A spread cut off by a ceiling looks
    like a group: .15 at n = 20 where sd .3 lies below a ceiling that six of ten reach. Found are 3 of 20 runs that
    learn nothing in 1.0, .90, .58 where the others have sd .15, .2, .25 of the progress; 1 of 5 in .84 with sd .1.
    """
    blocks = _means(values)
    n_runs, half, median = len(blocks), blocks.shape[1] // 2, _medians(blocks)
    late, missing = _means(blocks[:, half:], 1)[:, 0], np.isnan(blocks)
    progress = float(_medians(late[:, None])[0] - _medians(_first_values(values)[:, None])[0])
    nobody = Found(np.zeros(n_runs, bool), np.zeros(n_runs, np.int64), blocks, median, median)
    if not progress > 0:
        return nobody
    start = _medians(late[:, None])[0] - progress
    behind = (blocks < (start + median) / 2) | missing
    stuck = behind[:, half:].all(axis=1) & ~np.isnan(late)
    while 0 < 2 * stuck.sum() < n_runs:
        middle, edge = _prediction(blocks[~stuck], n_runs)
        low = behind & ((blocks < edge) | missing)
        since = np.where(low.all(axis=1), 0, low.shape[1] - low[:, ::-1].argmin(axis=1))
        still = stuck & (since <= half) & (late < np.nanmin(late[~stuck], initial=np.inf) - progress / 4)
        if (still == stuck).all():
            return Found(stuck, since, blocks, middle, edge)
        stuck = still
    return nobody


def _first_values(values: Floats) -> Floats:
    """(n_runs,): the first evaluation of each run."""
    first: Floats = values[np.arange(len(values)), (~np.isnan(values)).argmax(axis=1)]
    return first


def _means(values: Floats, n_blocks: int = _BLOCKS) -> Floats:
    """(n_runs, at most n_blocks): means of what is there, NaN where nothing is."""
    parts = np.array_split(values, min(n_blocks, values.shape[1]), axis=1)
    seen = np.stack([(~np.isnan(part)).sum(axis=1) for part in parts], axis=1)
    sums = np.stack([np.nansum(part, axis=1) for part in parts], axis=1)
    return np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)


def _medians(blocks: Floats) -> Floats:
    """(n_blocks,): of what is there."""
    columns = [block[~np.isnan(block)] for block in blocks.T]
    return np.array([np.median(column) if len(column) else np.nan for column in columns])


def _prediction(others: Floats, n_runs: int) -> tuple[Floats, Floats]:
    """Mean of the other runs (n_blocks,), and the lower bound for one more; NaN where fewer than three are seen."""
    seen = ~np.isnan(others)
    m = np.where(seen.sum(axis=0) >= _FEWEST_RUNS - 1, seen.sum(axis=0), np.nan)
    middle = np.nansum(others, axis=0) / m
    sd = np.sqrt(np.nansum((others - middle) ** 2, axis=0) / (m - 1))
    return middle, middle + stdtrit(m - 1, _LEVEL / n_runs) * sd * np.sqrt(1 + 1 / m)


# ---------------------------------------------------------------- what they do to the scores


def stuck_runs(arm: ArmScores, curves: ArmCurves, higher_is_better: bool) -> StuckRuns | None:
    """The stuck runs of one agent; None where there are none. A curve belongs to a seed with a score."""
    sign = 1 if higher_is_better else -1
    found = find_stuck(sign * curves.values)
    if not found.stuck.any():
        return None
    score_of = dict(zip(arm.seeds, arm.scores.tolist(), strict=True))
    rows = sorted(np.flatnonzero(found.stuck).tolist(), key=lambda row: float(np.nanmean(found.blocks[row])))
    tenths = np.array_split(curves.steps, found.blocks.shape[1])
    starts, ends = ([int(tenth[place]) for tenth in tenths] for place in (0, -1))
    runs = tuple(
        StuckRun(
            curves.seeds[row], score_of[curves.seeds[row]], starts[found.since[row]], plain(sign * found.blocks[row])
        )
        for row in rows
    )
    names = {run.seed for run in runs}
    among = np.array([seed in names for seed in arm.seeds])
    return StuckRuns(
        runs=runs,
        share=share_explained(arm.scores, among),
        share_by_chance=share_of_worst(len(arm.scores), len(runs)),
        mean_others=float(arm.scores[~among].mean()),
        steps=tuple(ends),
        others=plain(sign * found.middle),
        edge=plain(sign * found.edge),
    )


def plain(values: Floats) -> tuple[float | None, ...]:
    """NaN becomes None."""
    return tuple(None if np.isnan(value) else value for value in values.tolist())


def share_explained(scores: Floats, group: NDArray[np.bool_]) -> float | None:
    """Sum of squares between `group` and the rest over that around the common mean; None where all are equal."""
    centred = scores - scores.mean()
    total, k, n = float(centred @ centred), int(group.sum()), len(scores)
    if not np.ptp(scores) or not 0 < k < n:
        return None
    return float(centred[group].sum() ** 2 * n / (k * (n - k)) / total)


def share_of_worst(n: int, k: int) -> float:
    """`share_explained` by the worst k of n normal seeds, from their expected scores (Blom 1958).

    A group that is picked for being low explains much of any spread: the worst 3 of 20 normal seeds .43.
    """
    places = ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    share = share_explained(places, np.arange(n) < k)
    return 0.0 if share is None else share
