"""The verdict: findings, and the numbers behind them."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlaudit.report.laboratory import page_of
from rlaudit.report.parts import Page
from rlaudit.results import Audit, Leaderboard, PairAudit
from rlaudit.terminal.console import MANY, WIDTH, add_row, printable, table_of
from rlaudit.terminal.reading import print_reading
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import interval, label_of, number, percent

_MANY_SOUND = 4  # findings that nothing is wrong
_WORDS = 24  # characters of a cell of an experiment's table; what is longer is a sentence, and goes on below
_STYLES = {Level.UNSAFE: "bold red", Level.WARN: "yellow", Level.OK: "green"}
_VERDICTS = {
    Verdict.A_BETTER: "A better",
    Verdict.B_BETTER: "B better",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.UNDECIDED: "undecided",
    Verdict.UNSTABLE: "unstable",
}


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
    if page := page_of(audit):
        out.print(_experiment(audit, page))
        out.print()
    if page is None or audit.sequential:
        out.print(_arms(audit))
        out.print()
    if audit.leaderboards and not audit.leaderboards[0].is_pair:
        out.print(_order(audit.leaderboards[0]))
        out.print()
    if 0 < len(audit.comparisons) <= MANY and not audit.sequential:
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


def _experiment(audit: Audit, page: Page) -> Table:
    found = page.table(audit)
    shown = table_of(*found.head)
    rows = [[_cell(cell) for cell in row] for row in found.rows[:MANY]]
    for column, *cells in zip(shown.columns, *rows, strict=True):
        column.no_wrap = column.no_wrap and max(map(len, cells), default=0) <= _WORDS
    for row in rows:
        add_row(shown, *row)
    return shown


def _cell(cell: str | float | None) -> str:
    """Counts as they are, other numbers with three digits; as in the report."""
    return cell if isinstance(cell, str) else f"{cell:,}" if isinstance(cell, int) else number(cell)


def _arms(audit: Audit) -> Table:
    table = table_of("agent", "mean", "sd", "IQM", "seeds", "failed")
    for arm in audit.arms[:MANY]:
        values = (number(arm.mean), number(arm.sd), number(arm.iqm))
        add_row(table, _named(audit, arm.agent, arm.task), *values, str(arm.n_seeds), str(arm.n_failed))
    return table


def _order(board: Leaderboard) -> Table:
    where = f"over {board.n_tasks} tasks" if board.n_tasks > 1 else board.task
    table = table_of(" ".join(["place", where]).strip(), board.by, "places open", "comes first")
    for one in board.agents[:MANY]:
        places = str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low} to {one.rank_high}"
        add_row(table, f"{one.rank} {one.agent}", number(one.value), places, percent(one.first))
    return table


_SHORT = {"permutation": "perm.", "permutation_studentised": "perm. t"}


def _pairs(audit: Audit, width: int) -> Table:
    decider = audit.comparisons[0].decided_by
    tests = [decider, "welch" if decider.startswith("permutation") else "permutation"]
    p_columns = (f"{_SHORT.get(test, label_of(test))} p" for test in tests)
    columns = ("A / B", "A - B", *p_columns, "P(A>B)", "verdict", "seeds *")
    table = table_of(*columns, gap=2 if width >= WIDTH else 1)
    for pair in audit.comparisons[:MANY]:
        add_row(
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
    if needed is None or needed.n is None:
        return "n/a"
    high = f"{needed.high:,}" if needed.high is not None else "inf"
    return f"{needed.n:,} [{needed.low or 2:,}, {high}]"


def _notes(audit: Audit) -> list[str]:
    notes = []
    if len(audit.arms) > MANY:
        notes.append(f"The first {MANY} of {len(audit.arms):,} agents on their tasks; the report shows all.")
    if len(audit.comparisons) > MANY and not audit.sequential:
        notes.append(f"The report shows the {len(audit.comparisons):,} comparisons.")
    needed = audit.comparisons[0].seeds_needed if audit.comparisons else None
    if needed and len(audit.comparisons) <= MANY:
        power = percent(needed.power)
        level = f"{100 * (1 - audit.alpha):g} %"
        notes.append(
            f"Intervals at {level}. * seeds an agent for {power} power if the difference seen is the true one, with "
            "the uncertainty of that number."
        )
    if "quick" in audit.provenance:
        notes.append(f"Quick audit: {audit.provenance['quick']}. Leave out --quick before you publish.")
    return notes
