"""What was understood of somebody else's files."""

from collections.abc import Iterator

from rlaudit.report.parts import Cell, SectionHtml, Table
from rlaudit.results import Audit, ReadArm, ReadNote
from rlaudit.wording import listed, sentence

_KINDS = {"warning": "doubt", "left_out": "left out", "rule": "read so"}
_FILES = 3  # named in the answer


def what_was_read(audit: Audit) -> SectionHtml | None:
    """Agents, tasks, seeds and points as they were found, and every note; None for runs of rlaudit's own."""
    read = audit.reading
    if read is None:
        return None
    notes = tuple((_KINDS[note.kind], sentence(note.text)) for note in sorted(read.notes, key=_weight))
    files = listed(read.sources if len(read.sources) <= _FILES else [*read.sources[:_FILES], "others"])
    answer = f"{files}, read as {listed(dict.fromkeys(read.formats))}: {read.summary}."
    arms = Table(
        "as it was found", ("agent", "task", "seeds", "failed", "points", "last step"), tuple(_rows(read.arms))
    )
    return SectionHtml(
        "reading",
        "What was read, and how?",
        (answer, *(text for kind, text in notes if kind == "doubt")),
        tables=(*([Table("notes", ("kind", "note"), notes)] if notes else []), arms),
        method=(
            "Points: of the learning curve of a run; where runs differ, the fewest and the most. `rlaudit list "
            "importers` names the formats; what the files do not say themselves is never guessed.",
        ),
    )


def _weight(note: ReadNote) -> int:
    return list(_KINDS).index(note.kind)


def _rows(arms: tuple[ReadArm, ...]) -> Iterator[tuple[Cell, ...]]:
    for arm in arms:
        yield arm.agent, arm.task, arm.n_seeds, arm.n_failed, _span(arm.points), _span(arm.last_steps)


def _span(ends: tuple[int, int]) -> Cell:
    low, high = ends
    return None if high == 0 else high if low == high else f"{low:,} to {high:,}"
