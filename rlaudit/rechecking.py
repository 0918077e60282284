"""Printed results from wherever they stand: a CSV file, a data frame, sentences."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlaudit.errors import ConfigError, ImportFormatError
from rlaudit.printed import COLUMNS, PrintedResult, Recheck, Rows, check, of_sentence, of_table, raise_if

if TYPE_CHECKING:
    import pandas as pd

_TABLES = (".csv", ".tsv", ".txt", ".gz")


def recheck(source: "str | Path | Sequence[str | Path] | pd.DataFrame", **settings: Any) -> Recheck:
    """Audits printed numbers: a CSV file, a data frame of text, or results such as "t(8) = 2.31, p = .04, n = 5, 5".

        rlaudit.recheck("KS D = .80, p = .036, n = 5, 5").findings[0].sentence

    `settings`: alpha (.05); effect, a true difference in units of the score whose power is asked for. Numbers in text
    keep their decimals, which say how they were rounded; a float does not know them. Raises ImportFormatError where
    something cannot be read.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        rows = [read(one) for one in source]
    else:
        rows = [read(source)]
    if not rows:
        raise ImportFormatError("There is no result to check.")
    ignored = [name for one in rows for name in one.ignored]
    return checked([result for one in rows for result in one.results], ignored, **settings)


def checked(results: Sequence[PrintedResult], ignored: Sequence[str] = (), **settings: Any) -> Recheck:
    """Raises ConfigError for a bad level, and for a difference that is none."""
    alpha, effect = settings.get("alpha", 0.05), settings.get("effect")
    if not 0 < alpha < 0.5:
        raise ConfigError(f"alpha = {alpha!r}: give a level between 0 and 0.5, such as 0.05")
    if effect is not None and not (isfinite(effect) and effect):
        raise ConfigError(f"effect = {effect:g}: give a true difference other than 0, in units of the score")
    return check(results, ignored=ignored, **settings)


def read(source: "str | Path | pd.DataFrame") -> Rows:
    """A file where there is one of that name, or the name is that of a table; else a sentence."""
    from rlaudit.importers import tables

    if not isinstance(source, str | Path):
        if not hasattr(source, "columns"):
            raise ConfigError(f"{source!r}: give a file, a data frame, or results as text")
        return of_table(tables.frame_table(source, ", ".join(COLUMNS)))
    if not str(source).strip():
        raise ImportFormatError("An empty result: give a table, or numbers such as 't(8) = 2.31, p = .04, n = 5, 5'.")
    path = Path(source)
    if isinstance(source, str) and path.suffix not in _TABLES and not _exists(path):
        return Rows((of_sentence(source),))
    raw = tables.read_cells(path, ", ".join(COLUMNS))
    raise_if([f"{one.place}: {one.message}. {one.way_out}" for one in raw.troubles])
    found = of_table(raw)
    if not found.results:
        raise ImportFormatError(f"{path}: there is no row.")
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a sentence longer than a file name may be
        return False
