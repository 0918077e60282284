"""What was understood of foreign results, and what was written for other tools."""

from collections.abc import Sequence
from shlex import join

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlaudit.results import Reading, ReadNote
from rlaudit.terminal.console import MANY, add_row, printable, table_of
from rlaudit.wording import sentence, several

_NOTES = {"warning": ("doubt", "yellow"), "left_out": ("left out", ""), "rule": ("read so", "dim")}


def print_reading(reading: Reading, out: Console, *, whole: bool) -> None:
    """What was understood of foreign results: agents x tasks x seeds x points, and the notes.

    Without `whole` the agents and the doubts are left out: an audit says them itself.
    """
    files = several(reading.sources, 3)
    read = f"Read {files} as {several(list(dict.fromkeys(reading.formats)))}: {reading.summary}."
    out.print(Text(printable(read)), soft_wrap=True)
    if whole:
        table = table_of("agent", "seeds", "failed", "points", "last step")
        tasks = len({arm.task for arm in reading.arms})
        for arm in reading.arms[:MANY]:
            name = f"{arm.agent}, {arm.task}" if tasks > 1 else arm.agent
            add_row(table, name, f"{arm.n_seeds:,}", f"{arm.n_failed:,}", _span(arm.points), _span(arm.last_steps))
        out.print(table)
        if len(reading.arms) > MANY:
            out.print(Text(f"The first {MANY} of {len(reading.arms):,} agents on their tasks.", "dim"))
    _print_notes([note for note in reading.notes if whole or note.kind != "warning"], out)


def print_written(reading: Reading, out: Console) -> None:
    """What was written into a file for other tools, and what it does not hold."""
    n_runs, n_failed = (
        sum(counts) for counts in zip(*((arm.n_seeds, arm.n_failed) for arm in reading.arms), strict=True)
    )
    failed = f", {n_failed:,} of them failed" if n_failed else ""
    wrote = f"Wrote {reading.sources[0]} as {reading.formats[0]}: {reading.summary}; {n_runs:,} runs{failed}."
    out.print(Text(printable(wrote)), soft_wrap=True)
    _print_notes(reading.notes, out)


def _print_notes(notes: Sequence[ReadNote], out: Console) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=8)
    grid.add_column()
    for note in sorted(notes, key=lambda note: list(_NOTES).index(note.kind)):
        name, style = _NOTES[note.kind]
        grid.add_row(Text(name, style), Text(printable(sentence(note.text))))
    out.print(grid)


def _span(ends: tuple[int, int]) -> str:
    low, high = ends
    return "-" if high == 0 else f"{high:,}" if low == high else f"{low:,} to {high:,}"


def print_next(what: str, command: Sequence[str], out: Console) -> None:
    """A line, and the command that goes on from here."""
    out.print(Text(printable(what)), soft_wrap=True)
    out.print(Text(f"    {printable(join(command))}"), soft_wrap=True)
