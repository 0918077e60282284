"""Numbers that somebody else's training gave back, checked before they count as a run's result."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers import training as windows
from rlaudit.types import Floats, Ints, RunRecord, RunSpec, TrainingEpisodes


def curve(spec: RunSpec, steps: Sequence[float], returns: Floats, *, training: bool = False) -> RunRecord:
    """A done run: `returns` (n_points, n_episodes) at `steps`; the last row is the final evaluation.

    With `training` each point is one training episode that ended there. Raises ImportFormatError for steps that are
    no whole numbers or do not ascend, and for numbers that are not finite.
    """
    at = _whole_steps(steps)
    if training:
        return of_training(RunRecord(spec, "done"), at, returns[:, 0])
    back = np.flatnonzero(np.diff(at) <= 0)
    if len(back):
        raise ImportFormatError(
            f"step {at[back[0] + 1]} follows step {at[back[0]]}: a learning curve has one value at each step, in order"
        )
    return finite(RunRecord(spec, "done", eval_steps=at, eval_returns=returns, final_returns=returns[-1]))


def _whole_steps(steps: Sequence[float]) -> Ints:
    """(n_points,)"""
    for step in steps:
        if not (0 <= step < 2**53 and step == int(step)):
            raise ImportFormatError(f"found {step!r} as a step, expected a whole number from 0 up")
    return np.array(steps, np.float64).astype(np.int64)


def of_training(record: RunRecord, ends: Ints, returns: Floats) -> RunRecord:
    """Single training episodes, `returns` (n_episodes,) at `ends` (n_episodes,), as a curve of means and a score.

    The windows are those of the planned length, so that all seeds share them. The episodes themselves are not kept:
    nobody said how long they were.
    """
    if (np.diff(ends) < 0).any():
        raise ImportFormatError("the steps of its training episodes do not ascend")
    steps, means = windows.curve(ends, returns, windows.window(record.spec.timesteps))
    score = np.array([windows.score(ends, returns)])
    return finite(replace(record, eval_steps=steps, eval_returns=means[:, None], final_returns=score))


def known_whole(episodes: TrainingEpisodes) -> TrainingEpisodes:
    """None where lengths or times are unknown."""
    sizes = {len(episodes.returns), len(episodes.lengths), len(episodes.seconds)}
    return episodes if len(sizes) == 1 else TrainingEpisodes()


def finite(record: RunRecord) -> RunRecord:
    """The record itself. Raises ImportFormatError where a number of it is not finite, or where there is none."""
    bad = ~np.isfinite(record.eval_returns).all(axis=1)
    if bad.any():
        raise ImportFormatError(f"the return at step {record.eval_steps[bad][0]} is not finite: training diverged")
    if not np.isfinite(record.final_returns).all():
        raise ImportFormatError("the score is not finite: training diverged")
    if not len(record.final_returns):
        raise ImportFormatError("there is no score in the result")
    return record
