"""Parquet: typed cells, read with pyarrow."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlaudit.errors import ImportFormatError, MissingExtra
from rlaudit.importers.cells import SAMPLE, Labels, Numbers, RawTable, packed

if TYPE_CHECKING:
    import pyarrow as pa

MAX_ROWS = 25_000_000  # a few bytes of Parquet can unpack to anything


def read(path: Path, kind_of: Callable[[str], str | None], most: int | None = None) -> RawTable:
    """The table, or its first `most` rows; `kind_of` says how a column's cells are kept (see `cells.collector`).

    Raises ImportFormatError where the file is none or is torn.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra(f"{path} is Parquet: pip install pyarrow, or save the table as CSV.") from None
    try:
        with parquet.ParquetFile(path) as file:
            columns = _columns(path, file, kind_of, most)
    except (pa.ArrowException, ValueError, OverflowError) as error:  # a date beyond what Python knows
        raise ImportFormatError(f"{path} cannot be read as Parquet: {error}. Is it complete?") from None
    names = [name.strip() for name, _ in columns]
    cells = tuple(column for _, column in columns)
    return RawTable(str(path), tuple(names), cells, lambda row: f"{path}, row {row}", str(path))


def _columns(
    path: Path, file: Any, kind_of: Callable[[str], str | None], most: int | None
) -> list[tuple[str, Sequence[Any]]]:
    """Name and cells of each column, read one after the other; of those that nobody reads the first cells."""
    names = file.schema_arrow.names
    if file.metadata.num_rows > MAX_ROWS:
        raise ImportFormatError(f"{path} holds more than {MAX_ROWS:,} rows. Thin the curves.")
    first = next(file.iter_batches(batch_size=SAMPLE if most is None else most), None)
    found: list[tuple[str, Sequence[Any]]] = []
    for i, name in enumerate(names):
        kind = kind_of(name.strip())
        if kind is None or most is not None or names.count(name) > 1:
            found.append((name, [] if first is None else first.column(i).to_pylist()))
        else:
            found.append((name, _column(file.read(columns=[name]).column(name), kind)))
    return found


def _column(column: "pa.ChunkedArray[Any]", kind: str) -> Sequence[Any]:
    """Numbers and labels of plain types without a Python object for each cell; others cell by cell."""
    from pyarrow import float64, int32, types

    def has(*tests: Callable[[Any], bool]) -> bool:
        return any(test(column.type) for test in tests)

    if kind == "numbers" and has(types.is_floating, types.is_integer):
        values = column.cast(float64(), safe=False).to_numpy()
        odd = np.flatnonzero(~np.isfinite(values))
        return Numbers(values, dict(zip(odd.tolist(), column.take(odd).to_pylist(), strict=True)))
    if kind == "labels" and has(types.is_floating, types.is_integer, types.is_string, types.is_large_string):
        column = column.dictionary_encode()
    elif kind != "labels" or not has(types.is_dictionary):
        return packed(column.to_pylist(), kind)
    coded = column.combine_chunks()
    labels = [*coded.dictionary.to_pylist(), None]
    return Labels(coded.indices.cast(int32()).fill_null(len(labels) - 1).to_numpy(), labels)
