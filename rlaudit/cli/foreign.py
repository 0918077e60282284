"""Verbs that carry results over the border: import, export."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.cli import options

if TYPE_CHECKING:
    from rlaudit.importers import Hints


@click.command("import", cls=options.Verb)
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="SOURCE...")
@options.out
@options.quiet
@options.reading
def import_runs(sources: tuple[Path, ...], out: Path | None, quiet: bool, hints: "Hints") -> None:
    """Read somebody's results into a results folder, and print what was understood.

    SOURCE is a file or a folder in a format of `rlaudit list importers`, recognised by its content. Importing again
    adds what is new; runs that are there already are never changed.
    """
    from rlaudit import pipeline, terminal
    from rlaudit.store import Store

    store = Store(out or Path("results") / pipeline.source_name(sources[0]))
    reading = pipeline.import_runs(sources, store, hints)
    console = terminal.console(sys.stdout)
    if not quiet:
        terminal.print_reading(reading, console, whole=True)
    terminal.print_next(f"The runs are in {store.root}. Audit them:", ["rlaudit", "audit", str(store.root)], console)


@click.command(cls=options.Verb)
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="tidy.csv, tidy.parquet, rliable.npz, marl-eval.json or any name that ends so; replaced if it is there.",
)  # fmt: skip
@options.reading
def export(results: Path, target: Path, hints: "Hints") -> None:
    """Write the runs of a results folder, or of foreign results, for other tools.

    rlaudit reads each format (`rlaudit list exporters`) back as it was. What a format cannot hold is said, or refused.
    """
    from rlaudit import pipeline, terminal

    terminal.print_written(pipeline.export_runs(results, target, hints), terminal.console(sys.stdout))
