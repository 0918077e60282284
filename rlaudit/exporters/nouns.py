"""What exporters speak: a file's bytes, and what it does not hold."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rlaudit.results import ReadNote
from rlaudit.types import RunRecord


class Exported(NamedTuple):
    """A file to be."""

    content: bytes
    notes: tuple[ReadNote, ...] = ()  # what was left out, how it is written, what its readers should know


class Exporter(NamedTuple):
    """A format to write: one line of EXPORTERS."""

    make: Callable[[Sequence[RunRecord]], Exported]  # raises ExportError where the format cannot hold the runs
    ending: str  # of the file's name
    help: str
