"""What a recheck prints: the headline, a line for each flagged result, a table of all, and what they are worth."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlaudit.printed import Check, Recheck, Rechecked
from rlaudit.terminal import printable
from rlaudit.types import Finding, Level
from rlaudit.wording import interval, number, p_text, percent

_MOST_FLAGS, _MOST_ROWS = 20, 30
_STYLES = {Level.UNSAFE: "bold red", Level.WARN: "yellow", Level.OK: "green"}
_SHORT = {
    "consistent": "consistent",
    "unchecked": "nothing to compare",
    "approximate": "approximate, exactly",
    "conclusion": "approximate, exactly",
    "one-sided": "one-sided, two-sided it is",
    "other spread": "sd and se confused? As printed",
    "inconsistent": "contradiction, should be",
    "impossible": "impossible, should be",
    "caveat": "with a caveat",
}
_ORDER = {Level.UNSAFE: 0, Level.WARN: 1, Level.OK: 2}


def print_recheck(recheck: Recheck, out: Console, *, quiet: bool = False) -> None:
    """Names and numbers come from foreign files: plain text, never markup."""
    first, *others = recheck.findings
    if quiet:
        out.print(Text(f"{first.level.value.upper()} {printable(first.sentence)}"), soft_wrap=True)
        return
    _finding(first, out, headline=True)
    for line in _flags(recheck):
        out.print(line, soft_wrap=True)
    out.print()
    out.print(_table(recheck))
    out.print()
    for finding in others:
        _finding(finding, out)
    for note in _notes(recheck):
        out.print(Text(note, "dim"))


def _finding(finding: Finding, out: Console, *, headline: bool = False) -> None:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=6)
    row.add_column()
    level = finding.level.value
    row.add_row(
        Text(level.upper() if headline else level, _STYLES[finding.level]),
        Text(printable(finding.sentence), "bold" if headline else ""),
    )
    row.add_row("", Text(printable(finding.next_step), "" if headline else "dim"))
    out.print(row)


def _flags(recheck: Recheck) -> list[Text]:
    """Where, what was printed, what should stand there, what it means; a turned conclusion first."""
    flagged = [(one, check) for one in recheck.results for check in one.flagged]
    flagged.sort(key=lambda pair: not pair[1].decision_error)
    lines = [Text()] if flagged else []
    for one, check in flagged[:_MOST_FLAGS]:
        turned = "  ** the conclusion turns" if check.decision_error else ""
        lines.append(Text(f"! {_where(one)}{printable(one.printed.text)}  ->  {printable(_should(check))}{turned}"))
    if len(flagged) > _MOST_FLAGS:
        lines.append(Text(f"  and {len(flagged) - _MOST_FLAGS} more (--json has all)"))
    return lines


def _where(one: Rechecked) -> str:
    return f"{printable(one.printed.where)}: " if one.printed.where else ""


def _should(check: Check) -> str:
    return check.should or check.sentence


def _table(recheck: Recheck) -> Table:
    """Equal results share a row; the worst come first. In a long table those that hold up share one for each test."""
    rows = _alike(recheck.results, lambda one: one.printed.text)
    if len(rows) > _MOST_ROWS:
        rows = _alike(recheck.results, lambda one: _name(one) if one.level == Level.OK else one.printed.text)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
    table.add_column("printed", overflow="fold")
    table.add_column("times", justify="right")
    table.add_column("says", overflow="fold")
    table.add_column("again *", justify="right")
    for group in rows[:_MOST_ROWS]:
        one = group[0]
        name = one.printed.text if len({row.printed.text for row in group}) == 1 else f"others: {_name(one)}"
        name = f"{one.printed.where}: {name}" if len(group) == 1 and one.printed.where else name
        verdict = Text(one.level.value, _STYLES[one.level])
        says = Text.assemble(verdict, f" {printable(_says(one))}")
        table.add_row(Text(printable(name)), str(len(group)), says, _again(group))
    if len(rows) > _MOST_ROWS:
        table.add_row(f"and {len(rows) - _MOST_ROWS} more (--json has all)", "", "", "")
    return table


def _alike(results: Sequence[Rechecked], name: Callable[[Rechecked], str]) -> list[list[Rechecked]]:
    groups: dict[tuple[str, Level, bool], list[Rechecked]] = {}
    for one in results:
        groups.setdefault((name(one), one.level, one.was_checked), []).append(one)
    return sorted(groups.values(), key=lambda group: _ORDER[group[0].level])


def _name(one: Rechecked) -> str:
    return one.printed.test.replace("_", " ") or "means"


def _again(group: list[Rechecked]) -> str:
    chances = [one.repetition for one in group if one.repetition is not None]
    if not chances:
        return "-"
    low, high = percent(min(chances)), percent(max(chances))
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def _says(one: Rechecked) -> str:
    """The worst check in short, and the test that follows from the means."""
    worst = min(one.checks, key=lambda check: (_ORDER[check.level], check.kind == "unchecked"), default=None)
    said = _SHORT[worst.kind if worst else "unchecked"]
    if worst and worst.should and worst.level != Level.OK:
        said += f": {worst.should}"
    found = one.recomputed
    if found is None:
        return said
    g = f", Hedges' g {number(found.hedges_g, 2)} {interval(found.g_low, found.g_high)}"
    welch = f"Welch t({number(found.df, 2)}) = {number(found.t)}, {p_text(found.p_value)}"
    said = "" if worst is None or worst.kind == "unchecked" else f"{said}. "
    return f"{said}Difference {number(found.effect)} {interval(found.low, found.high)}, {welch}{g}"


def _notes(recheck: Recheck) -> list[str]:
    notes = []
    if any(one.repetition is not None for one in recheck.results):
        notes.append("* chance that a repetition with as many seeds has p <= alpha, the same way, by the p as printed.")
    if recheck.ignored_columns:
        notes.append(f"Columns that were not read: {', '.join(map(printable, recheck.ignored_columns))}.")
    return notes
