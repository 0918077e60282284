"""Tables as they were found: cells with their places, and what one cell may say.

A column keeps its cells in 4 to 8 bytes each: labels by code, numbers as floats beside the cells that are none.
3,000,000 rows as Python objects took 750 MB, so they take 90.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite, nan
from numbers import Real
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError
from rlaudit.types import Floats, Ints, SeedLabel

SHOWN = 10  # problems that one error lists
SAMPLE = 20  # cells that are kept of a column that nobody reads, to say what the table is
MISSING = frozenset({"", "nan", "-nan", "+nan", "na", "n/a", "<na>", "nat", "null", "none"})  # pandas, R, JSON, C
_GROUPED = re.compile(r"[-+]?\d{1,3}([,' \u00a0\u202f])\d{3}(\1\d{3})*(\.\d*)?")


class Trouble(NamedTuple):
    """One thing wrong with a table."""

    place: str  # "scores.csv:4"
    message: str
    way_out: str = ""


class RawTable(NamedTuple):
    """A table as it was found: nothing converted, every cell with its place."""

    source: str  # what the user calls it
    names: tuple[str, ...]  # (n_columns,)
    columns: tuple[Sequence[Any], ...]  # (n_columns,) of (n_rows,) cells; SAMPLE of them where nobody reads the column
    place: Callable[[int], str]  # row position -> where that is
    header: str  # where the names stand
    troubles: tuple[Trouble, ...] = ()  # rows that could not be read at all

    def column(self, name: str) -> Sequence[Any]:
        return self.columns[self.names.index(name)]


def import_error(troubles: Sequence[Trouble]) -> ImportFormatError:
    """One error for everything: a line per problem, then the ways out, each once."""
    lines = [f"{trouble.place}: {trouble.message}" for trouble in troubles[:SHOWN]]
    if len(troubles) > SHOWN:
        lines.append(f"and {len(troubles) - SHOWN} more")
    ways_out = dict.fromkeys(trouble.way_out for trouble in troubles if trouble.way_out)
    return ImportFormatError("\n".join([*lines, *ways_out]))


# ---------------------------------------------------------------- columns


class Labels(Sequence[Any]):
    """Cells of which many are alike."""

    def __init__(self, codes: NDArray[Any], distinct: Sequence[Any]) -> None:
        self.codes = codes  # (n_rows,) 32 bits are enough
        self.distinct = distinct

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Any]: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return [self.distinct[code] for code in self.codes[row]]
        return self.distinct[self.codes[row]]


class Numbers(Sequence[Any]):
    """Numbers, NaN where a cell is none; `odd` holds the cells of all that are not finite, by their rows."""

    def __init__(self, values: Floats, odd: Mapping[int, Any]) -> None:
        self.values = values  # (n_rows,)
        self.odd = odd

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Any]: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        return self.odd.get(int(row), float(self.values[row]))


class Collector(Protocol):
    """Takes a column's cells chunk by chunk."""

    def add(self, cells: Sequence[Any]) -> None: ...
    def column(self) -> Sequence[Any]: ...


class CellCollector:
    """Keeps cells as they are, or the first ones of them."""

    def __init__(self, most: int | None = None) -> None:
        self._cells: list[Any] = []
        self._most = most

    def add(self, cells: Sequence[Any]) -> None:
        self._cells.extend(cells if self._most is None else cells[: self._most - len(self._cells)])

    def column(self) -> Sequence[Any]:
        return self._cells


class LabelCollector:
    """Codes for cells; a cell's type belongs to it: True is not 1."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._seen = _Codes()

    def add(self, cells: Sequence[Any]) -> None:
        keys: Iterable[Any] = cells
        types = set(map(type, cells))
        if types != {str}:
            if not types <= _HASHED:  # a typed file may hold lists and worse
                cells = [cell if type(cell) in _HASHED else str(cell) for cell in cells]
            keys = zip(map(type, cells), cells, strict=True)
        self._codes.extend(map(self._seen.__getitem__, keys))

    def column(self) -> Labels:
        return Labels(np.array(self._codes), [key if isinstance(key, str) else key[1] for key in self._seen])


class NumberCollector:
    """Numbers, and text that says one."""

    def __init__(self) -> None:
        self._values = array("d")
        self._odd: dict[int, Any] = {}

    def add(self, cells: Sequence[Any]) -> None:
        start = len(self._values)
        values = np.fromiter(map(number, cells), np.float64, len(cells))
        self._values.frombytes(values.tobytes())
        for i in np.flatnonzero(~np.isfinite(values)).tolist():
            self._odd[start + i] = cells[i]

    def column(self) -> Numbers:
        return Numbers(np.array(self._values), self._odd)


class _Codes(dict[Any, int]):
    """Numbers its keys in order of appearance."""

    def __missing__(self, key: Any) -> int:
        self[key] = code = len(self)
        return code


_HASHED = frozenset({str, int, float, bool, type(None)})


def collector(kind: str | None) -> Collector:
    """For a column of "labels", "numbers" or "cells"; of others the first cells only."""
    made: dict[str | None, Callable[[], Collector]] = {
        "labels": LabelCollector,
        "numbers": NumberCollector,
        "cells": CellCollector,
    }
    return made.get(kind, lambda: CellCollector(SAMPLE))()


def packed(cells: Iterable[Any], kind: str | None) -> Sequence[Any]:
    """A column of cells that are in memory already."""
    one = collector(kind)
    one.add(list(cells))
    return one.column()


def code(column: Labels, parse: Callable[[Any], Any]) -> tuple[Ints, tuple[Any, ...]]:
    """Codes (n_rows,), -1 where `parse` gives None, and the parsed labels; each distinct cell is parsed once."""
    labels: dict[Any, int] = {}
    parsed = [parse(cell) for cell in column.distinct]
    codes = [-1 if label is None else labels.setdefault(label, len(labels)) for label in parsed]
    return np.array(codes, np.int64)[column.codes], tuple(labels)


def has_index(names: Sequence[str]) -> bool:
    """Whether the first column is one without a name, such as pandas writes for its index."""
    return bool(names) and (names[0] == "" or names[0].startswith(("Unnamed: 0", "__index_level_")))


def without_index(raw: RawTable) -> RawTable:
    """The table without such a column."""
    return raw._replace(names=raw.names[1:], columns=raw.columns[1:]) if has_index(raw.names) else raw


# ---------------------------------------------------------------- one cell


def number(value: object) -> float:
    """NaN where it is no number: text such as "1_000" and "True" is none, nor is a boolean."""
    if type(value) not in (str, float, int) and (isinstance(value, bool) or not isinstance(value, (Real, Decimal))):
        return nan
    if type(value) is str and "_" in value:
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return nan


def is_missing(value: object) -> bool:
    """Nothing, or a word for it: "", "nan", "NA", "null", ..."""
    return value is None or str(value).strip().lower() in MISSING


def label(value: object) -> str | None:
    """Text without the blanks around it; None where there is nothing."""
    missing = value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT"))
    return None if missing else str(value).strip() or None


def seed(value: object) -> SeedLabel | None:
    """12, "12" and 12.0 are the seed 12; other text is a name; 1.5, NaN and True are no seeds.

    "007" is the seed 7: one tool pads its numbers and another does not. "007" and "7" of one agent are refused as the
    same seed twice, where two labels would make two runs of one.
    """
    text = label(value)
    if text is None or text.lower() in ("true", "false"):
        return None
    found = number(text)
    if not isfinite(found):
        return None if text.lower().lstrip("+-") in ("nan", "inf", "infinity") else text
    return int(text) if text.lstrip("+-").isdecimal() else int(found) if found.is_integer() else None


def step(value: object) -> int | None:
    """A whole number from 0 up; "1e6" and 1000000.0 are one."""
    found = number(value)
    return int(found) if isfinite(found) and found.is_integer() and 0 <= found < 2**63 else None


def shown(value: object) -> str:
    """As an error quotes it."""
    text = repr(value) if value not in (None, "") else "nothing"
    return text if len(text) <= 40 else text[:37] + "..."


def comma_hint(value: object) -> str:
    """What to do with a number that is written with commas or in groups; "" where it is none."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if _GROUPED.fullmatch(text):
        return "Write numbers without thousands separators, and with a decimal point."
    decimal = "," in text and isfinite(number(text.replace(",", ".", 1)))
    return "Write a decimal point, not a comma." if decimal else ""
