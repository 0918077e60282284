"""An exporter writes runs so that another tool reads them, and rlaudit's own importer. One function, one line."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rlaudit.types import RunRecord


class Exporter(NamedTuple):
    """A format to write: `make` gives the file's bytes, or raises RlauditError where the format cannot hold it all."""

    make: Callable[[Sequence[RunRecord]], bytes]
    ending: str  # of the file's name
    help: str


EXPORTERS: dict[str, Exporter] = {}


def export(records: Sequence[RunRecord], target: Path) -> Path:
    """Writes all of `records` in the format that the name of `target` asks for, in one step."""
    raise NotImplementedError
