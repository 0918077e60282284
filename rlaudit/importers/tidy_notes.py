"""What a reader of a tidy table should know: which runs lack numbers, and whether its seeds are seeds at all."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np

from rlaudit.importers.nouns import Run
from rlaudit.results import ReadNote
from rlaudit.types import Floats
from rlaudit.wording import first_of, is_are

_SHOWN = 5  # runs that a note names
_MANY = 1_000  # seeds of an agent; nobody trains so many without saying so
_ENOUGH = 50  # seeds from which on the order of the scores is looked at
_Z = 6.0  # of the correlation of neighbours: by chance in one of 500 million arms


class Loss(NamedTuple):
    """A run without some of its values, which nobody marked as failed."""

    run: Run
    n: int  # values
    whole: bool  # there is no other


def of_losses(losses: Sequence[Loss], n_runs: int) -> Iterator[ReadNote]:
    """One note for the runs without any number, and one for the values that curves lack."""
    whole = [loss for loss in losses if loss.whole]
    parts = [loss for loss in losses if not loss.whole]
    if whole:
        yield ReadNote("rule", f"{_of(len(whole), n_runs)} without a number count as failed: {_names(whole)}")
    if parts:
        n = sum(loss.n for loss in parts)
        text = f"{n:,} value{'s' if n > 1 else ''} that {is_are(n)} nan or empty, in {_of(len(parts), n_runs)}: "
        yield ReadNote("left_out", text + _names(parts))


def doubts(runs: Sequence[Run]) -> Iterator[ReadNote]:
    """Warns where the scores of an agent look like the episodes of one run: very many, or in an order."""
    arms: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.sort == "score" and len(run.final) and isinstance(run.seed, int):
            arms.setdefault((run.agent, run.task), []).append(run)
    many = [arm for arm in arms.values() if len(arm) >= _MANY]
    ordered = [arm for arm in arms.values() if _in_order(arm)]
    if many:
        text = f"{max(map(len, many)):,} seeds of one agent ({_arms(many)}): are they runs, or the episodes of one run?"
        yield ReadNote("warning", text)
    if ordered:
        yield ReadNote(
            "warning",
            f"the scores of {_arms(ordered)} follow the numbers of the seeds, where neighbouring seeds should have "
            "nothing in common: are they episodes or evaluations of one run? (Sorted scores look the same.)",
        )


def _in_order(arm: Sequence[Run]) -> bool:
    """Whether neighbours by number correlate, by the ranks of their scores."""
    if len(arm) < _ENOUGH:
        return False
    scores = np.array([run.final.mean() for run in sorted(arm, key=lambda run: cast(int, run.seed))])
    return bool(_correlation(scores) * np.sqrt(len(arm)) > _Z)


def _correlation(scores: Floats) -> float:
    """Of neighbours, by ranks; equal scores have one rank, or their order would look like a trend."""
    _, ranks = np.unique(scores, return_inverse=True)
    if np.ptp(ranks[:-1]) == 0 or np.ptp(ranks[1:]) == 0:
        return 0.0
    return float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])


def _of(n: int, of: int) -> str:
    return f"{n:,} of {of:,} run{'s' if of > 1 else ''}"


def _names(losses: Sequence[Loss]) -> str:
    return first_of([_arm(loss.run) + f" seed {loss.run.seed!r}" for loss in losses], _SHOWN)


def _arms(arms: Sequence[Sequence[Run]]) -> str:
    return first_of([_arm(arm[0]) for arm in arms], _SHOWN)


def _arm(run: Run) -> str:
    return repr(run.agent) + (f" on {run.task!r}" if run.task else "")
