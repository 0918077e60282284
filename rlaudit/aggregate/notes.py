"""What a reader of an aggregate must know beside the number."""

from collections.abc import Iterator, Sequence

from rlaudit.aggregate.resample import Over
from rlaudit.types import ArmScores

_FEW = 12  # runs up to which it is said which of them an IQM averages


def notes_on(statistic: str, arms: Sequence[ArmScores], n_tasks: int, over: Over, flat: bool) -> tuple[str, ...]:
    """Of an aggregate of these arms, out of a table with so many tasks; flat: all resamples give one value."""
    return tuple(_notes(statistic, arms, n_tasks, over, flat))


def _notes(statistic: str, arms: Sequence[ArmScores], n_tasks: int, over: Over, flat: bool) -> Iterator[str]:
    sizes, used = [len(arm.scores) for arm in arms], len({arm.task for arm in arms})
    n_runs, n_failed, n_single = sum(sizes), sum(len(arm.failed) for arm in arms), sizes.count(1)
    if used < n_tasks:
        yield f"on the {used} of {n_tasks} tasks that all agents have"
    if n_failed:
        yield f"{n_failed} of {n_runs + n_failed} runs failed and are not in the value"
    if len(set(sizes)) > 1:
        yield f"{min(sizes)} to {max(sizes)} runs a task: tasks weigh the same, not runs"
    if statistic == "iqm" and n_runs <= _FEW:
        middle = n_runs - 2 * (n_runs // 4)
        yield f"the IQM of {n_runs} runs is " + ("their mean" if n_runs < 4 else f"the mean of the middle {middle}")
    if over == "tasks" and used == 1:
        yield "one task says nothing of other tasks"
    elif over == "runs" and n_single:
        yield f"{n_single} of {len(sizes)} agents on a task have a single run, which shows no spread"
    if flat and n_single < len(sizes):
        yield "all resamples give the same value: the interval says nothing of the spread"


def counted(arms: Sequence[ArmScores]) -> dict[str, int]:
    """The numbers that every result carries."""
    return {
        "n_tasks": len({arm.task for arm in arms}),
        "n_runs": sum(len(arm.scores) for arm in arms),
        "n_failed": sum(len(arm.failed) for arm in arms),
    }
