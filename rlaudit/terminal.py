"""What people see in a terminal: the progress of training on standard error, and the verdict.

Names come from configs and foreign files: they are shown as plain text, never as markup or control codes.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from shlex import join
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from rlaudit.results import Audit, Leaderboard, PairAudit, Reading, ReadNote
from rlaudit.types import Finding, Level, RunEvent, RunSpec, Verdict
from rlaudit.wording import interval, label_of, number, percent, sentence, several

_WIDTH = 100  # lines beyond this are hard to read
_MANY = 20  # rows of a table; the report has them all
_MANY_SOUND = 4  # findings that nothing is wrong
_STYLES = {Level.UNSAFE: "bold red", Level.WARN: "yellow", Level.OK: "green"}
_VERDICTS = {
    Verdict.A_BETTER: "A better",
    Verdict.B_BETTER: "B better",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.UNDECIDED: "undecided",
    Verdict.UNSTABLE: "unstable",
}


def console(file: TextIO) -> Console:
    """At most 100 columns; rich itself honours NO_COLOR and leaves colours out where there is no terminal."""
    plain = Console(file=file, highlight=False, markup=False, emoji=False)
    return Console(file=file, highlight=False, markup=False, emoji=False, width=min(_WIDTH, plain.width))


def printable(text: str) -> str:
    """Without control codes, which a label from somebody's file may carry."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


# ---------------------------------------------------------------- progress


class ProgressDisplay(AbstractContextManager["ProgressDisplay"]):
    """Bars on a terminal: one for the whole, one for each running seed. Elsewhere a line for each finished seed."""

    def __init__(self, missing: Sequence[RunSpec], file: TextIO | None = None) -> None:
        self._console = console(file or sys.stderr)
        self._n_runs = len(missing)
        self._timesteps = sum(spec.timesteps for spec in missing)
        self._tasks = len({spec.task_label for spec in missing})
        self._n_ended = 0
        self._steps_ended = 0
        self._running: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._bars: Progress | None = None
        self._whole = TaskID(0)

    def __enter__(self) -> "ProgressDisplay":
        if self._console.is_terminal and self._n_runs:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bars = Progress(*columns, console=self._console, transient=True)
            self._whole = self._bars.add_task(self._count(), total=self._timesteps)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def notify(self, event: RunEvent) -> None:
        """What an executor calls."""
        run = event.spec.run_id
        if event.kind == "started":
            if not self._started and not self._n_ended:
                self._print(f"Training {self._n_runs} runs.")
            self._started[run] = time.monotonic()
            if self._bars:
                self._running[run] = self._bars.add_task(f"  {self._name(event.spec)}", total=event.spec.timesteps)
        elif event.kind == "progress":
            self._advance(run, event.steps)
        elif event.kind == "retried":
            self._print(f"{self._name(event.spec)}: {event.message or 'its process was killed'}; trying again")
        else:
            self._end(event)

    def _advance(self, run: str, steps: int) -> None:
        if self._bars and run in self._running:
            self._bars.update(self._running[run], completed=steps)
            running = sum(min(task.completed, task.total or 0) for task in self._bars.tasks if task.id != self._whole)
            self._bars.update(self._whole, completed=self._steps_ended + running, description=self._count())

    def _end(self, event: RunEvent) -> None:
        run = event.spec.run_id
        self._n_ended += 1
        self._steps_ended += event.spec.timesteps
        if self._bars:
            if run in self._running:
                self._bars.remove_task(self._running.pop(run))
            self._bars.update(self._whole, completed=self._steps_ended, description=self._count())
        seconds = time.monotonic() - self._started.pop(run, time.monotonic())
        name = f"[{self._n_ended}/{self._n_runs}] {self._name(event.spec)}"
        if event.kind == "failed":
            self._print(f"{name} FAILED: {_last_line(event.message)}", "red")
        elif not self._bars:
            self._print(f"{name} done in {seconds:.1f} s")

    def _count(self) -> str:
        return f"{self._n_ended}/{self._n_runs} runs"

    def _name(self, spec: RunSpec) -> str:
        task = f" on {spec.task_label}" if self._tasks > 1 else ""
        return f"{spec.agent}{task}, seed {spec.seed}"

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(printable(line), style), soft_wrap=True)


def _last_line(message: str) -> str:
    """Of a traceback: what went wrong."""
    lines = [line for line in message.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason was given"


# ---------------------------------------------------------------- what was read

_NOTES = {"warning": ("doubt", "yellow"), "left_out": ("left out", ""), "rule": ("read so", "dim")}


def print_reading(reading: Reading, out: Console, *, whole: bool) -> None:
    """What was understood of foreign results: agents x tasks x seeds x points, and the notes.

    Without `whole` the agents and the doubts are left out: an audit says them itself.
    """
    files = several(reading.sources, 3)
    read = f"Read {files} as {several(list(dict.fromkeys(reading.formats)))}: {reading.summary}."
    out.print(Text(printable(read)), soft_wrap=True)
    if whole:
        table = _table("agent", "seeds", "failed", "points", "last step")
        tasks = len({arm.task for arm in reading.arms})
        for arm in reading.arms[:_MANY]:
            name = f"{arm.agent}, {arm.task}" if tasks > 1 else arm.agent
            _add(table, name, f"{arm.n_seeds:,}", f"{arm.n_failed:,}", _span(arm.points), _span(arm.last_steps))
        out.print(table)
        if len(reading.arms) > _MANY:
            out.print(Text(f"The first {_MANY} of {len(reading.arms):,} agents on their tasks.", "dim"))
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


# ---------------------------------------------------------------- verdict


def print_verdict(audit: Audit, report: Path | None, out: Console) -> None:
    """The most important finding first, then the others, the numbers behind them, and where the report is."""
    if audit.reading is not None:
        print_reading(audit.reading, out, whole=False)
    out.print()
    sound = [finding for finding in audit.findings if finding.level == Level.OK]
    shown = audit.findings[: max(1, len(audit.findings) - max(0, len(sound) - _MANY_SOUND))]
    for position, finding in enumerate(shown):
        _print_finding(finding, out, headline=position == 0)
    if len(shown) < len(audit.findings):
        out.print(
            Text(f"{len(audit.findings) - len(shown)} more findings with nothing wrong; the report has them.", "dim")
        )
    out.print()
    out.print(_arms(audit))
    out.print()
    if audit.leaderboards and not audit.leaderboards[0].is_pair:
        out.print(_order(audit.leaderboards[0]))
        out.print()
    if 0 < len(audit.comparisons) <= _MANY:
        out.print(_pairs(audit, out.width))
        out.print()
    for line in _notes(audit):
        out.print(Text(line, "dim"))
    if report is not None:
        out.print(Text.assemble(("Report: ", "bold"), printable(str(report))), soft_wrap=True)


def print_headline(audit: Audit, out: Console) -> None:
    """The most important finding alone."""
    for finding in audit.findings[:1]:
        out.print(Text(f"{finding.level.value.upper()} {printable(finding.sentence)}"), soft_wrap=True)


def _print_finding(finding: Finding, out: Console, *, headline: bool) -> None:
    """A level is a word and not only a colour."""
    row = Table.grid(padding=(0, 1))
    row.add_column(width=6)
    row.add_column()
    level = Text(finding.level.value.upper() if headline else finding.level.value, _STYLES[finding.level])
    row.add_row(level, Text(printable(finding.sentence), "bold" if headline else ""))
    if finding.next_step and headline:
        row.add_row("", Text(printable(finding.next_step)))
    out.print(row)
    if headline:
        out.print()


def _table(*columns: str, gap: int = 2) -> Table:
    """The first column takes what is left; numbers stand to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold underline")
    for position, name in enumerate(columns):
        table.add_column(name, justify="right" if position else "left", overflow="fold", no_wrap=bool(position))
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))


def _arms(audit: Audit) -> Table:
    table = _table("agent", "mean", "sd", "IQM", "seeds", "failed")
    for arm in audit.arms[:_MANY]:
        values = (number(arm.mean), number(arm.sd), number(arm.iqm))
        _add(table, _named(audit, arm.agent, arm.task), *values, str(arm.n_seeds), str(arm.n_failed))
    return table


def _order(board: Leaderboard) -> Table:
    where = f"over {board.n_tasks} tasks" if board.n_tasks > 1 else board.task
    table = _table(" ".join(["place", where]).strip(), board.by, "places open", "comes first")
    for one in board.agents[:_MANY]:
        places = str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low} to {one.rank_high}"
        _add(table, f"{one.rank} {one.agent}", number(one.value), places, percent(one.first))
    return table


_SHORT = {"permutation": "perm.", "permutation_studentised": "perm. t"}


def _pairs(audit: Audit, width: int) -> Table:
    decider = audit.comparisons[0].decided_by
    tests = [decider, "welch" if decider.startswith("permutation") else "permutation"]
    p_columns = (f"{_SHORT.get(test, label_of(test))} p" for test in tests)
    columns = ("A / B", "A - B", *p_columns, "P(A>B)", "verdict", "seeds *")
    table = _table(*columns, gap=2 if width >= _WIDTH else 1)
    for pair in audit.comparisons[:_MANY]:
        _add(
            table,
            _named(audit, f"{pair.a}\n/ {pair.b}", pair.task),
            f"{number(pair.effect)} {interval(pair.low, pair.high)}",
            *(_p(pair, test) for test in tests),
            number(pair.p_a_better, 2),
            _VERDICTS[pair.verdict],
            _seeds(pair),
        )
    return table


def _named(audit: Audit, who: str, task: str) -> str:
    """The task is named where there are several."""
    return f"{who}, {task}" if len({arm.task for arm in audit.arms}) > 1 else who


def _p(pair: PairAudit, test: str) -> str:
    result = pair.tests.get(test)
    return number(result.p_value, 2) if result else "-"


def _seeds(pair: PairAudit) -> str:
    needed = pair.seeds_needed
    if needed.n is None:
        return "n/a"
    high = f"{needed.high:,}" if needed.high is not None else "inf"
    return f"{needed.n:,} [{needed.low or 2:,}, {high}]"


def _notes(audit: Audit) -> list[str]:
    notes = []
    if len(audit.arms) > _MANY:
        notes.append(f"The first {_MANY} of {len(audit.arms):,} agents on their tasks; the report shows all.")
    if len(audit.comparisons) > _MANY:
        notes.append(f"The report shows the {len(audit.comparisons):,} comparisons.")
    if 0 < len(audit.comparisons) <= _MANY:
        power = percent(audit.comparisons[0].seeds_needed.power)
        level = f"{100 * (1 - audit.alpha):g} %"
        notes.append(
            f"Intervals at {level}. * seeds an agent for {power} power if the difference seen is the true one, with "
            "the uncertainty of that number."
        )
    if "quick" in audit.provenance:
        notes.append(f"Quick audit: {audit.provenance['quick']}. Leave out --quick before you publish.")
    return notes
