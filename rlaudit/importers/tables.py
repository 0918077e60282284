"""Tables of scores: CSV (also gzipped, with ; or tabs) and Parquet, read without guessing.

CSV is read with the standard library, as text: pandas fills short lines, skips blank ones and turns "NA" into NaN, so
that neither the value found nor its line could be named. 1,000,000 lines take 2.7 s and 250 MB.
"""

import csv
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rlaudit.errors import ImportFormatError, MissingExtra
from rlaudit.importers import tidy
from rlaudit.importers.files import head, opened, readable, text_lines
from rlaudit.importers.nouns import Found, Hints
from rlaudit.importers.tidy import KNOWN, TIDY, RawTable, Trouble

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 25_000_000  # of Parquet, where a few bytes can unpack to anything
_CHUNK = 500  # rows: fewer than wake the garbage collector, which made 50,000 ten times slower
_SHARED = 100_000  # cells whose repetitions share their memory
_KINDS = {
    b"PK\x03\x04": "a zip archive (npz, xlsx?)",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x89HDF": "an HDF5 file",
}


def read_tidy(path: Path, hints: Hints) -> Found:
    """A tidy table of scores or learning curves: CSV (.csv, .csv.gz, separated by comma, semicolon or tab), Parquet.

    Columns agent, task (optional), seed, score; or agent, task (optional), seed, step, value.
    """
    with _readable(path):
        raw = _read_parquet(path) if head(path) == b"PAR1" else _read_csv(path)
    return tidy.found(raw)


def read_cells(path: Path, columns: str) -> RawTable:
    """Any CSV as text; `columns` says which ones it should have, where it is empty."""
    with _readable(path):
        return _read_csv(path, columns)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    if path.is_dir():
        raise ImportFormatError(f"{path} is a folder; a table of scores is a file (CSV or Parquet).")
    with readable(path):
        yield


def fits(path: Path) -> bool:
    """Whether `path` is a Parquet file or text."""
    try:
        if head(path) == b"PAR1":
            return True
        with opened(path) as stream:
            return b"\0" not in stream.read(4096)
    except (OSError, EOFError, zlib.error):
        return False


def frame_table(frame: "pd.DataFrame", expected: str = TIDY) -> RawTable:
    """A data frame as it is, its rows called by their index; `expected` columns are named where there is no row."""
    labels = frame.index.tolist()
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name).strip() for name in frame.columns]
    skip = tidy.without_index(names)
    columns = [frame.iloc[:, i].tolist() for i in range(skip, len(names))]
    _refuse_empty("DataFrame", len(frame), expected)
    return RawTable(
        "DataFrame", tuple(names[skip:]), tuple(columns), lambda row: f"DataFrame, row {labels[row]!r}", "DataFrame"
    )


def _refuse_empty(header: str, n_rows: int, columns: str = TIDY) -> None:
    if not n_rows:
        raise ImportFormatError(
            f"{header}: there are column names, but no row. A tidy table has the columns {columns}."
        )


# ---------------------------------------------------------------- CSV


def _read_csv(path: Path, columns: str = TIDY) -> RawTable:
    with opened(path) as stream:
        _refuse_binary(path, stream)
        lines = text_lines(path, stream)
        blank = 0
        for first in lines:
            if first.strip():
                break
            blank += 1
        else:
            raise ImportFormatError(f"{path} is empty. A tidy table has the columns {columns}.")
        rows = csv.reader(chain([first], lines), delimiter=_separator(first), strict=True)
        try:
            return _collect(path, rows, blank, columns)
        except csv.Error as error:
            place = f"{path}:{blank + rows.line_num}"
            raise ImportFormatError(f"{place}: {error}. Is a quotation mark left open in or above it?") from None


def _refuse_binary(path: Path, stream: IO[bytes]) -> None:
    start = stream.read(4096)
    stream.seek(0)
    kind = next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)
    if kind or b"\0" in start:
        found = kind or "binary data"
        raise ImportFormatError(f"{path}: found {found}, expected a table: CSV as UTF-8 text, or Parquet.")


def _separator(header: str) -> str:
    """The one that finds most of the known columns, then the most frequent one."""

    def fits(separator: str) -> tuple[int, int]:
        names = {name.strip().strip('"') for name in header.split(separator)}
        return len(names & set(KNOWN)), header.count(separator)

    return max((",", ";", "\t"), key=fits)


def _collect(path: Path, rows: Any, blank: int, expected: str) -> RawTable:
    """`rows` is a csv.reader at the header; `blank` lines stood above it."""
    names = [name.strip() for name in next(rows)]
    skip = tidy.without_index(names)
    columns: list[list[str]] = [[] for _ in names]
    numbers: list[int] = []
    troubles: list[Trouble] = []
    line = rows.line_num
    header = f"{path}:{blank + 1}"
    shared: dict[str, str] = {}
    while chunk := list(islice(_numbered(rows, line), _CHUNK)):
        line = rows.line_num
        whole = [(number, row) for number, row in chunk if len(row) == len(names)]
        troubles.extend(_ragged(path, chunk, len(names), blank))
        numbers.extend(number for number, _ in whole)
        if len(shared) > _SHARED:
            shared.clear()
        for column, cells in zip(columns, zip(*(row for _, row in whole), strict=True), strict=bool(whole)):
            column.extend(map(shared.setdefault, cells, cells))
    _refuse_empty(header, len(numbers) + len(troubles), expected)
    return RawTable(
        str(path),
        tuple(names[skip:]),
        tuple(columns[skip:]),
        lambda row: f"{path}:{blank + numbers[row]}",
        header,
        tuple(troubles),
    )


def _numbered(rows: Any, line: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line on which it starts."""
    for row in rows:
        if row and (len(row) > 1 or row[0].strip()):
            yield line + 1, row
        line = rows.line_num


def _ragged(path: Path, chunk: Sequence[tuple[int, list[str]]], expected: int, blank: int) -> Iterator[Trouble]:
    for number, row in chunk:
        if len(row) != expected:
            message = f"found {len(row)} cells, expected {expected}, one for each column name"
            yield Trouble(f"{path}:{blank + number}", message, "Put a cell that contains the separator in quotes.")


# ---------------------------------------------------------------- Parquet


def _read_parquet(path: Path) -> RawTable:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra(f"{path} is Parquet: pip install pyarrow, or save the table as CSV.") from None
    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        if file.metadata.num_rows > MAX_ROWS:
            raise ImportFormatError(f"{path} holds more than {MAX_ROWS:,} rows. Thin the curves.")
        skip = tidy.without_index(names)
        table = file.read() if len(set(names)) < len(names) else file.read(columns=[n for n in names if n in KNOWN])
        cells = {name: table.column(i).to_pylist() for i, name in enumerate(table.column_names)}
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ImportFormatError(f"{path} cannot be read as Parquet: {error}. Is it complete?") from None
    _refuse_empty(str(path), file.metadata.num_rows)
    columns = tuple(cells.get(name, []) for name in names[skip:])
    return RawTable(str(path), tuple(names[skip:]), columns, lambda row: f"{path}, row {row}", str(path))
