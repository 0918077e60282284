"""Where it is printed: plain text in at most 100 columns, and tables of it."""

from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 100  # lines beyond this are hard to read
MANY = 20  # rows of a table; the report has them all


def console(file: TextIO) -> Console:
    """At most 100 columns; rich itself honours NO_COLOR and leaves colours out where there is no terminal."""
    plain = Console(file=file, highlight=False, markup=False, emoji=False)
    return Console(file=file, highlight=False, markup=False, emoji=False, width=min(WIDTH, plain.width))


def printable(text: str) -> str:
    """Without control codes, which a label from somebody's file may carry."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def name_of_run(agent: str, task: str, seed: object, *, several_tasks: bool) -> str:
    """The task is named where there are several."""
    return f"{agent}{f' on {task}' if several_tasks else ''}, seed {seed}"


def table_of(*columns: str, gap: int = 2) -> Table:
    """The first column takes what is left; numbers stand to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold underline")
    for position, name in enumerate(columns):
        made.add_column(name, justify="right" if position else "left", overflow="fold", no_wrap=bool(position))
    return made


def add_row(to: Table, *cells: str) -> None:
    """A row of plain text."""
    to.add_row(*(Text(printable(cell)) for cell in cells))
