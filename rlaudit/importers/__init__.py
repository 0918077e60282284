"""An importer reads the records of runs from somebody else's results. One function and two lines make a new one."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import tables
from rlaudit.types import RunRecord

Importer: TypeAlias = Callable[[Path], Iterator[RunRecord]]
Recogniser: TypeAlias = Callable[[Path], bool]  # looks at the first bytes or names, never reads everything

IMPORTERS: dict[str, Importer] = {"tidy": tables.read_tidy}
RECOGNISERS: dict[str, Recogniser] = {"tidy": tables.is_table}


def read(path: Path, format: str | None = None) -> Iterator[RunRecord]:
    """The records in `path`, in the format named or the one that its content shows.

    Raises ImportFormatError where the content is not what it claims to be, NotEnoughSeeds where an agent has one seed.
    """
    name = format or recognise(path)
    if name not in IMPORTERS:
        raise ImportFormatError(f"{name!r} is not a format of results.{did_you_mean(name, IMPORTERS)}")
    return IMPORTERS[name](path)


def recognise(path: Path, recognisers: Mapping[str, Recogniser] = RECOGNISERS) -> str:
    """The one format whose recogniser takes `path`; "tidy" where none does, whose errors say what a table needs."""
    fits = [name for name, recognises in recognisers.items() if recognises(path)]
    if len(fits) > 1:
        raise ImportFormatError(f"{path} could be any of: {', '.join(fits)}. Name the one it is as its format.")
    return fits[0] if fits else "tidy"
