"""CSV, also gzipped and with semicolons or tabs, read without guessing.

With the standard library, as text: pandas fills short lines, skips blank ones and turns "NA" into NaN, so that neither
the value found nor its line could be named.
"""

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from rlaudit.errors import ImportFormatError
from rlaudit.importers.cells import Collector, RawTable, Trouble, collector
from rlaudit.importers.files import opened, text_lines

_CHUNK = 500  # rows: fewer than wake the garbage collector, which made 50,000 ten times slower
_MOST_TROUBLES = 10_000  # rows that cannot be read, after which reading stops
_KINDS = {
    b"PK\x03\x04": "a zip archive (npz, xlsx?)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x89HDF": "an HDF5 file",
}
_WAYS_OUT = {
    "an old Excel workbook": "Save the sheet as CSV UTF-8 (File, Save as).",
    "an Excel workbook": "Save the sheet as CSV UTF-8 (File, Save as).",
    "UTF-16 text": "Save it as UTF-8.",
}


def refuse_binary(path: Path, stream: IO[bytes]) -> None:
    """Raises ImportFormatError where the file is no text, and says what it is; goes back to the start."""
    start = stream.read(4096)
    stream.seek(0)
    kind = next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)
    if b"[Content_Types].xml" in start or b"xl/workbook" in start:
        kind = "an Excel workbook"
    if kind or b"\0" in start:
        found = kind or "binary data"
        way_out = f" {_WAYS_OUT[found]}" if found in _WAYS_OUT else ""
        raise ImportFormatError(
            f"{path}: found {found}, expected a table: CSV as UTF-8 text, JSON lines, or Parquet.{way_out}"
        )


def read(path: Path, kind_of: Callable[[str], str | None], known: Sequence[str], most: int | None = None) -> RawTable:
    """The table, or its first `most` rows; `kind_of` says how a column's cells are kept (see `cells.collector`).

    `known` are names that one may expect: they tell the separator. Blank lines, and lines above the header that start
    with "#", are skipped. Raises ImportFormatError where this is no table.
    """
    with opened(path) as stream:
        refuse_binary(path, stream)
        text = text_lines(path, stream)
        above = 0
        for first in text:
            if first.strip() and not first.startswith("#"):
                break
            above += 1
        else:
            return RawTable(str(path), (), (), str, str(path))
        rows = csv.reader(chain([first], text), delimiter=_separator(first, known), strict=True)
        try:
            return _collect(path, rows, above, kind_of, most)
        except csv.Error as error:
            place = f"{path}:{above + rows.line_num}"
            raise ImportFormatError(f"{place}: {error}. Is a quotation mark left open in or above it?") from None


def _separator(header: str, known: Sequence[str]) -> str:
    """The one that finds most of the known columns, then the most frequent one."""

    def fits(separator: str) -> tuple[int, int]:
        names = {name.strip().strip('"') for name in header.split(separator)}
        return len(names & set(known)), header.count(separator)

    return max((",", ";", "\t"), key=fits)


def _collect(path: Path, rows: Any, above: int, kind_of: Callable[[str], str | None], most: int | None) -> RawTable:
    """`rows` is a csv.reader at the header; so many lines stood `above` it."""
    names = [name.strip() for name in next(rows)]
    columns: list[Collector] = [collector(kind_of(name)) for name in names]
    numbers = array("q")
    troubles: list[Trouble] = []
    line = rows.line_num
    while chunk := list(islice(_numbered(rows, line), _CHUNK if most is None else most - len(numbers))):
        line = rows.line_num
        whole = [(number, row) for number, row in chunk if len(row) == len(names)]
        troubles.extend(_ragged(path, chunk, len(names), above))
        numbers.extend(number for number, _ in whole)
        for column, cells in zip(columns, zip(*(row for _, row in whole), strict=True), strict=bool(whole)):
            column.add(cells)
        if len(troubles) > _MOST_TROUBLES:
            break
    return RawTable(
        str(path),
        tuple(names),
        tuple(column.column() for column in columns),
        lambda row: f"{path}:{above + numbers[row]}",
        f"{path}:{above + 1}",
        tuple(troubles),
    )


def _numbered(rows: Any, line: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line on which it starts."""
    for row in rows:
        if row and (len(row) > 1 or row[0].strip()):
            yield line + 1, row
        line = rows.line_num


def _ragged(path: Path, chunk: Sequence[tuple[int, list[str]]], expected: int, above: int) -> Iterator[Trouble]:
    for number, row in chunk:
        if len(row) != expected:
            message = f"found {len(row)} cells, expected {expected}, one for each column name"
            yield Trouble(f"{path}:{above + number}", message, "Put a cell that contains the separator in quotes.")
