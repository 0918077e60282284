"""What runs must have in common to be compared, and the notes where they have not. Nothing is mended in silence."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rlaudit.importers import training
from rlaudit.importers.nouns import Run, Sort
from rlaudit.results import ReadNote
from rlaudit.types import Ints, SeedLabel
from rlaudit.wording import listed, on, several

Arms = Mapping[tuple[str, str], Sequence[Run]]  # (agent, task) -> its runs
_EARLY = 0.01  # of a run's steps; an end that is nearer to the longest run's end is no early one

_VARIED = 3  # different numbers in a curve; an agent that always reaches the maximum is no copy of another


def notes(arms: Arms) -> Iterator[ReadNote]:
    """What a reader of these runs should know, several agents at a time."""
    yield from _sorts(arms)
    yield from _same_numbers(arms)
    yield from _early_ends(arms)
    yield from _different_budgets(arms)
    yield from _different_grids(arms)
    yield from _missing_tasks(arms)
    yield from _missing_seeds(arms)


def _sorts(arms: Arms) -> Iterator[ReadNote]:
    """What the numbers are, and what becomes the score."""
    found: dict[Sort, list[str]] = {}
    for (agent, task), runs in arms.items():
        for sort in dict.fromkeys(run.sort for run in runs):
            found.setdefault(sort, []).append(f"{agent}{on(task)}")
    curves = [run for runs in arms.values() for run in runs if run.sort == "evaluations" and len(run.steps)]
    if curves:
        last = "the evaluation after training" if any(len(run.final) for run in curves) else "a run's last evaluation"
        yield ReadNote("rule", f"learning curves: the score is the mean of {last}, unless another is asked for")
    if len(found) > 1:
        which = "; ".join(f"{_SORTS[sort]} of {several(names)}" for sort, names in found.items())
        yield ReadNote("warning", f"different kinds of numbers stand side by side: {which}. They are not one measure")


_SORTS: Mapping[Sort, str] = {"score": "one score", "evaluations": "evaluations", "training": "training episodes"}


def _same_numbers(arms: Arms) -> Iterator[ReadNote]:
    """Curves of two seeds that are equal to the bit: a copy, or a trainer that heeds no seed."""
    twins = []
    for (agent, task), runs in arms.items():
        first: dict[bytes, Run] = {}
        for run in runs:
            if len(np.unique(run.returns)) >= _VARIED:
                twin = first.setdefault(run.returns.tobytes(), run)
                if twin is not run:
                    twins.append(f"{_seeds([twin, run])} of {agent}{on(task)}")
    if twins:
        yield ReadNote("warning", f"the same numbers, to the bit, under two seeds: {several(twins, 4)}. A copy?")


def _early_ends(arms: Arms) -> Iterator[ReadNote]:
    """Runs that end before their neighbours, although nobody says that they failed."""
    for (agent, task), runs in arms.items():
        whole = [run for run in runs if run.error is None and len(run.steps)]
        longest = max((run.steps for run in whole), key=lambda steps: int(steps[-1]), default=None)
        if longest is None:
            continue
        early = [run for run in whole if int(run.steps[-1]) <= int(longest[-1]) - _tolerance(longest, run.sort)]
        if early:
            ends = sorted(int(run.steps[-1]) for run in early)
            at = f"at step {ends[0]:,}" if ends[0] == ends[-1] else f"between the steps {ends[0]:,} and {ends[-1]:,}"
            yield ReadNote(
                "warning",
                f"{len(early)} of {len(runs)} runs of {agent}{on(task)} end early, {at} of {longest[-1]:,} "
                f"({_seeds(early)}) and are scored there. --until {longest[-1]} counts them as failed, a "
                "smaller step cuts all",
            )


def _tolerance(longest: Ints, sort: Sort) -> float:
    """Training episodes end where they like: a tenth. Evaluations: the usual gap between two of them."""
    if sort == "training":
        return float(training.LAST_SHARE * longest[-1])
    gap = float(np.median(np.diff(longest))) if len(longest) > 1 else 0.0
    return max(gap, _EARLY * float(longest[-1]), 1.0)


def _different_budgets(arms: Arms) -> Iterator[ReadNote]:
    """Agents of one task that were trained for different numbers of steps."""
    for task in dict.fromkeys(task for _, task in arms):
        ends: dict[str, int] = {}
        tolerance = 1.0
        for (agent, where), runs in arms.items():
            longest = max((run.steps for run in runs if len(run.steps)), key=lambda s: int(s[-1]), default=None)
            if where == task and longest is not None:
                ends[agent] = int(longest[-1])
                tolerance = max(tolerance, _tolerance(longest, runs[0].sort))
        if ends and max(ends.values()) - min(ends.values()) >= tolerance:
            shown = several([f"{agent} at step {end:,}" for agent, end in ends.items()])
            yield ReadNote(
                "warning",
                f"the agents{on(task)} end at different steps ({shown}): their scores come after different amounts of "
                f"training. --until {min(ends.values())} compares them at the same",
            )


def _different_grids(arms: Arms) -> Iterator[ReadNote]:
    """Curves of one agent that were measured at different steps, beyond some ending earlier."""
    uneven = [f"{agent}{on(task)}" for (agent, task), runs in arms.items() if not _nested(runs)]
    if uneven:
        yield ReadNote(
            "rule",
            f"runs of {several(uneven)} were evaluated at different steps: their curves are read off the steps of the "
            "longest run, in straight lines between their own evaluations, and nothing beyond a run's first and last",
        )


def _nested(runs: Sequence[Run]) -> bool:
    """Whether every run's steps are the first ones of the longest run's."""
    grids = [run.steps for run in runs if run.sort == "evaluations" and len(run.steps)]
    longest = max(grids, key=len, default=None)
    return longest is None or all(np.array_equal(grid, longest[: len(grid)]) for grid in grids)


def _missing_tasks(arms: Arms) -> Iterator[ReadNote]:
    agents, tasks = (list(dict.fromkeys(names)) for names in zip(*arms, strict=True))
    missing = [f"{agent}{on(task)}" for task in tasks for agent in agents if (agent, task) not in arms]
    if missing:
        yield ReadNote("warning", f"no runs of {several(missing)}: comparisons over all tasks leave these agents out")


def _missing_seeds(arms: Arms) -> Iterator[ReadNote]:
    """Seeds that some agents of a task have and others have not, where they share any."""
    for task in dict.fromkeys(task for _, task in arms):
        mine = {agent: {run.seed for run in runs} for (agent, where), runs in arms.items() if where == task}
        common, every = set.intersection(*mine.values()), set.union(*mine.values())
        lacking = {agent: every - seeds for agent, seeds in mine.items() if every - seeds}
        if common and lacking:
            shown = several([f"{agent} lacks {_names(seeds)}" for agent, seeds in lacking.items()], 4)
            yield ReadNote(
                "warning", f"not every agent{on(task)} has the same seeds: {shown}. If runs are missing, why?"
            )


def _seeds(runs: Sequence[Run]) -> str:
    return _names({run.seed for run in runs})


def _names(seeds: set[SeedLabel]) -> str:
    names = sorted(seeds, key=lambda seed: (isinstance(seed, str), seed))
    shown = listed(names[:4]) if len(names) <= 4 else f"{', '.join(map(str, names[:3]))} and {len(names) - 3:,} more"
    return f"{'seed' if len(names) == 1 else 'seeds'} {shown}"
