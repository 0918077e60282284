"""What every exporter asks of the runs: agents with their tasks, what counts as failed, and what no format carries."""

from collections.abc import Iterator, Sequence

import numpy as np

from rlaudit.errors import ExportError
from rlaudit.results import ReadNote
from rlaudit.types import IMPORTED, RunRecord, SeedLabel
from rlaudit.wording import listed, on, several

Arms = dict[str, dict[str, list[RunRecord]]]  # agent -> task -> its runs


def arms(records: Sequence[RunRecord]) -> Arms:
    """Agents and tasks in order of appearance, runs in the order of their seeds, numbers before names."""
    found: Arms = {}
    for record in records:
        found.setdefault(record.spec.agent, {}).setdefault(record.spec.task_label, []).append(record)
    for tasks in found.values():
        for runs in tasks.values():
            runs.sort(key=lambda run: (isinstance(run.spec.seed, str), run.spec.seed))
    return found


def tasks(records: Sequence[RunRecord]) -> list[str]:
    """In order of appearance."""
    return list(dict.fromkeys(record.spec.task_label for record in records))


def failure(record: RunRecord) -> str | None:
    """Why a run has no score; None where it has one."""
    if record.status == "failed":
        return (record.error or "").strip() or "failed"
    if not len(record.final_returns):
        return "no final evaluation"
    return None if np.isfinite(record.final_returns.mean()) else "its score is not finite"


def is_writable(label: SeedLabel) -> bool:
    """NUL ends a name, and half a character, such as a broken file name has, is none in UTF-8."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in str(label))


def reads_as_number(label: SeedLabel) -> bool:
    """Text that a reader would take for a number."""
    if isinstance(label, int):
        return False
    try:
        float(label)
    except ValueError:
        return False
    return True


def name(record: RunRecord) -> str:
    """`seed 3 of ppo on Hopper`."""
    return f"seed {record.spec.seed} of {record.spec.agent}{on(record.spec.task_label)}"


def names(records: Sequence[RunRecord]) -> str:
    """The first of them."""
    return several([name(record) for record in records], 4)


def left_behind(records: Sequence[RunRecord]) -> Iterator[ReadNote]:
    """What a record holds and no format of results does."""
    parts = {
        "training episodes": any(len(record.episodes.returns) for record in records),
        "the lengths of episodes": any(record.eval_lengths.size for record in records),
        "how the runs were trained": any(record.spec.backend != IMPORTED for record in records),
    }
    if kept := [part for part, there in parts.items() if there]:
        yield ReadNote("left_out", f"{listed(kept)}, which are no results")


def refuse(format: str, troubles: Sequence[str], way_out: str) -> None:
    """Raises ExportError with everything that `format` cannot hold, where there is something."""
    if troubles:
        lines = [*troubles[:10], *([f"and {len(troubles) - 10} more"] if len(troubles) > 10 else [])]
        raise ExportError("\n".join([f"{format} cannot hold these runs:", *(f"  {line}" for line in lines), way_out]))
