"""Verbs that carry results over the border: import, export."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.cli import options

if TYPE_CHECKING:
    from rlaudit.importers import Hints


@click.command("import", cls=options.Verb)
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="SOURCE...")
@options.out
@options.reading
def import_runs(sources: tuple[Path, ...], out: Path | None, hints: "Hints") -> None:
    """Read somebody's results into a results folder, and print what was understood.

    SOURCE is a file or a folder in a format of `rlaudit list importers`, recognised by its content.
    """
    raise NotImplementedError


@click.command(cls=options.Verb)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help="tidy.csv, ...")
@options.reading
def export(results: Path, target: Path, hints: "Hints") -> None:
    """Write the runs of a results folder, or of foreign results, for other tools."""
    raise NotImplementedError
