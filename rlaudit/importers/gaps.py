"""What was not measured: NaN where a score or an evaluation should stand, taken out of the runs and told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError
from rlaudit.importers.nouns import Run
from rlaudit.results import ReadNote
from rlaudit.types import Floats
from rlaudit.wording import several

FAR = 1e100  # statistics square scores, and add them up


class Gaps(NamedTuple):
    """A run without NaN, and what it lacked."""

    run: Run
    empty: bool = False  # no number at all
    early: bool = False  # the last evaluations
    between: int = 0  # evaluations before its last one
    partial: int = 0  # evaluations that lack some of their episodes


def closed(runs: Iterable[Run], source: Path) -> tuple[tuple[Run, ...], list[ReadNote]]:
    """The runs with what they hold, and what they lack in a few notes.

    NaN at the end of a curve is a run that stopped early, and is kept so; before that an evaluation that is missing; a
    run of nothing else has failed. Raises ImportFormatError for infinite numbers, and where there is no run.
    """
    found = [_closed(run) for run in runs]
    if not found:
        raise ImportFormatError(f"{source}: no run in it.")
    return tuple(gaps.run for gaps in found), [*_notes(found)]


def _closed(run: Run) -> Gaps:
    _refuse_far(run, run.returns)
    _refuse_far(run, run.final)
    final = run.final[np.isfinite(run.final)]
    if run.sort == "score":
        error = run.error or (None if len(final) else f"no score (nan) in {run.place}")
        short = 0 < len(final) < len(run.final)
        return Gaps(replace(run, final=final, error=error), not len(final), partial=int(short))
    if len(run.final) and not len(final):
        run = replace(run, error=run.error or f"no final score (nan) in {run.place}")
    there = np.isfinite(run.returns)  # (n_points, n_episodes)
    some: NDArray[np.bool_] = np.any(there, axis=1)  # (n_points,)
    if not some.any():
        error = run.error or (None if len(final) else f"no evaluation (nan) in {run.place}")
        return Gaps(
            replace(run, steps=run.steps[:0], returns=run.returns[:0], final=final, error=error), not len(final)
        )
    end = int(np.flatnonzero(some)[-1]) + 1
    returns, partial = run.returns[some], int((~there[some].all(axis=1)).sum())
    if partial:  # a rectangle is no longer possible: means, and the episodes of the last evaluation
        final = final if len(final) else returns[-1][np.isfinite(returns[-1])]
        returns = np.nanmean(returns, axis=1)[:, None]
    return Gaps(
        replace(run, steps=run.steps[some], returns=returns, final=final),
        early=end < len(some),
        between=int((~some[:end]).sum()),
        partial=partial,
    )


def _refuse_far(run: Run, values: Floats) -> None:
    far = values[np.abs(values) >= FAR]  # NaN is not
    if len(far):
        raise ImportFormatError(
            f"{run.place}: seed {run.seed!r} of agent {run.agent!r}: found {far[0]:g}, expected a finite number below "
            f"{FAR:g}, or nan where the run failed."
        )


def _notes(found: Sequence[Gaps]) -> Iterable[ReadNote]:
    def of(runs: Sequence[Gaps], one: str, more: str) -> str:
        return f"{len(runs)} of {len(found)} runs {one if len(runs) == 1 else more}"

    if empty := [gaps for gaps in found if gaps.empty]:
        yield ReadNote("rule", f"{of(empty, 'holds', 'hold')} no number (nan): failed, {_names(empty)}")
    if early := [gaps for gaps in found if gaps.early]:
        yield ReadNote(
            "rule", f"{of(early, 'stops', 'stop')} early (nan at the end), kept as far as it goes: {_names(early)}"
        )
    if between := [gaps for gaps in found if gaps.between]:
        n = sum(gaps.between for gaps in between)
        yield ReadNote("left_out", f"{of(between, 'lacks', 'lack')} {n:,} evaluations (nan): {_names(between)}")
    if partial := [gaps for gaps in found if gaps.partial]:
        n = sum(gaps.partial for gaps in partial)
        text = f"{of(partial, 'lacks', 'lack')} episodes of {n:,} evaluations, which count by the mean of the others"
        yield ReadNote("warning", f"{text}: {_names(partial)}")


def _names(found: Sequence[Gaps]) -> str:
    def name(run: Run) -> str:
        return f"seed {run.seed} of {run.agent}" + (f" on {run.task}" if run.task else "")

    return several([name(gaps.run) for gaps in found], 4)
