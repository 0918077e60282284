"""The verb calibrate."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.cli import options
from rlaudit.cli.loading import scores_of

if TYPE_CHECKING:
    from rlaudit.importers import Hints
    from rlaudit.results import Estimate, ProcedureAudit


@click.command(cls=options.Verb)
@options.target
@click.option(
    "--procedure", "names", multiple=True, metavar="NAME", help="A habit (rlaudit list procedures) or a test. [all]"
)
@click.option("--agent", metavar="A", help="[default: the first two agents]")
@click.option("--against", metavar="B", help="Set A against B, too, not only against itself.")
@click.option("--task", metavar="T", help="[default: the first one]")
@click.option(
    "-n", "sizes", multiple=True, default=(5,), show_default=True, type=click.IntRange(2, 1_000), metavar="SEEDS",
    help="Seeds an agent; may be given several times.",
)  # fmt: skip
@click.option("--draws", default=10_000, show_default=True, type=click.IntRange(100, 1_000_000), metavar="N")
@options.setting
@click.option("--json", "as_json", is_flag=True, help="A list with one object for each SEEDS, on standard output.")
@options.reading
def calibrate(
    target: Path,
    names: tuple[str, ...],
    agent: str | None,
    against: str | None,
    task: str | None,
    sizes: tuple[int, ...],
    draws: int,
    overrides: tuple[str, ...],
    as_json: bool,
    hints: "Hints",
) -> None:
    """How often would a habit of concluding go wrong on these runs?

    TARGET is a results folder or a table of scores. Each habit and each test concludes from a few seeds, thousands of
    times: of one agent against itself, where every winner is false, and of two agents, where the means of all seeds
    count as the truth.
    """
    from rlaudit import procedures

    for name in names:
        procedures.procedure_named(name)
    table, settings = scores_of(target, overrides, hints)
    found = [
        procedures.calibrate(
            table,
            names or (*settings.procedures, *settings.tests),
            arms=procedures.arms_named(table, agent, against, task),
            group_size=size,
            alpha=settings.alpha,
            n_draws=draws,
            seed=settings.seed,
            reference=settings.tests[0],
        )
        for size in dict.fromkeys(sizes)
    ]
    if as_json:
        from pydantic import TypeAdapter

        from rlaudit.results import ProcedureAudit

        click.echo(TypeAdapter(list[ProcedureAudit]).dump_json(found, indent=1).decode())
        return
    for one in found:
        _print(one)


def _print(tried: "ProcedureAudit") -> None:
    """A sentence, the table with the most misleading first, and what was not tried."""
    from rlaudit.findings.procedures import worst_habit
    from rlaudit.terminal import printable

    if said := worst_habit(tried):
        click.echo(printable(f"{said}\n"))
    for line in _lines(tried):
        click.echo(line)
    for name, why in tried.skipped.items():
        click.echo(f"Not tried: {name}: {why}.")
    if any(one.replaced for one in tried.rates):
        click.echo("* the pool is too small for groups without a shared seed: drawn with replacement")
    if any(one.false_positives.low is None for one in tried.rates):
        click.echo(
            "By construction: a rule that always names a winner is wrong where there is none, and a permutation or "
            "rank test errs at a constant rate where no scores tie."
        )
    click.echo()


def _lines(tried: "ProcedureAudit") -> list[str]:
    from rlaudit.wording import number

    head = ["procedure", "false winners", "(95 % over seeds)"]
    if tried.better:
        head += ["right", "wrong", "exaggerates"]
    rows = []
    for one in tried.rates:
        row = [one.procedure + ("*" if one.replaced else ""), _share(one.false_positives), _around(one.false_positives)]
        if tried.better:
            times = number(one.type_m.value, 2) + " times" if one.type_m else "–"
            row += [_share(one.right), _share(one.wrong), times]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return ["  ".join(_padded(row, widths)) for row in (head, *rows)]


def _padded(row: list[str], widths: list[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def _share(share: "Estimate | None") -> str:
    from rlaudit.wording import percent

    return percent(share.value) if share else "–"


def _around(share: "Estimate") -> str:
    from rlaudit.wording import percent

    if share.low is None or share.high is None:
        return "by construction"
    return f"{percent(share.low)} to {percent(share.high)}"
