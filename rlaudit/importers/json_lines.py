"""JSON lines (.jsonl, .ndjson), an object a row; and a JSON file that is a list of such objects. Also gzipped."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from rlaudit.errors import ImportFormatError
from rlaudit.importers.cells import Collector, RawTable, collector, shown
from rlaudit.importers.files import opened, text_lines

MAX_LIST = 2**28  # bytes of a list, which is decoded as one text; lines have no such bound
MAX_NAMES = 10_000  # keys that differ; no honest table has more
_CHUNK = 500  # rows


class _Row(NamedTuple):
    place: int  # line, or position in the list from 1
    content: dict[str, Any]


def looks_like(start: bytes) -> bool:
    """Whether text that starts so may be JSON."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def read(path: Path, kind_of: Callable[[str], str | None], most: int | None = None) -> RawTable:
    """The table, or its first `most` rows; keys are columns, and what a row does not say is None.

    `kind_of` says how a column's cells are kept (see `cells.collector`). Raises ImportFormatError where this is no
    table.
    """
    with opened(path) as stream:
        is_list = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        stream.seek(0)
        rows = _of_list(path, stream, partial=most is not None) if is_list else _of_lines(path, stream)
        return _collect(path, islice(rows, most), "item" if is_list else "line", kind_of)


def _collect(path: Path, rows: Iterator[_Row], noun: str, kind_of: Callable[[str], str | None]) -> RawTable:
    columns: dict[str, Collector] = {}
    numbers: list[int] = []
    while chunk := list(islice(rows, _CHUNK)):
        for name in dict.fromkeys(name for row in chunk for name in row.content if name not in columns):
            columns[name] = collector(kind_of(name.strip()))
            columns[name].add([None] * len(numbers))
        if len(columns) > MAX_NAMES:
            raise ImportFormatError(f"{path}: more than {MAX_NAMES:,} different keys; is this a table?")
        for name, column in columns.items():
            column.add([row.content.get(name) for row in chunk])
        numbers.extend(row.place for row in chunk)
    names = tuple(name.strip() for name in columns)
    return RawTable(
        str(path),
        names,
        tuple(column.column() for column in columns.values()),
        lambda row: f"{path}:{numbers[row]}" if noun == "line" else f"{path}, item {numbers[row]}",
        str(path),
    )


def _of_lines(path: Path, stream: IO[bytes]) -> Iterator[_Row]:
    name = str(path)
    for number, line in enumerate(text_lines(path, stream), 1):
        if text := line.strip():
            place = f"{name}:{number}"
            item, end = _item(place, text, 0)
            if end < len(text):
                raise ImportFormatError(f"{place}: found {shown(text[end:].strip())} after the object.")
            yield _Row(number, _object(place, item))


def _of_list(path: Path, stream: IO[bytes], partial: bool) -> Iterator[_Row]:
    """Item by item, so that one item at a time is held as objects; of a `partial` one what is whole."""
    raw = stream.read(2**18 if partial else MAX_LIST + 1)
    if len(raw) > MAX_LIST:
        raise ImportFormatError(f"{path} holds more than {MAX_LIST / 2**20:g} MiB. Write JSON lines: jq -c '.[]'.")
    try:
        text = raw.decode("utf-8-sig", errors="ignore" if partial else "strict")
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"{path}: found the byte 0x{raw[error.start]:02x}, expected UTF-8.") from None
    at, number = _after(text, text.index("[") + 1), 0
    while text[at : at + 1] != "]":
        number += 1
        place = f"{path}, item {number}"
        item, at = _item(place, text, at)
        yield _Row(number, _object(place, item))
        at = _after(text, at)
        if text[at : at + 1] == ",":
            at = _after(text, at + 1)
        elif text[at : at + 1] != "]":
            raise ImportFormatError(f"{place}: found {shown(text[at : at + 20])} after it, expected ',' or ']'.")
    if rest := text[at + 1 :].strip():
        raise ImportFormatError(f"{path}: found {shown(rest[:20])} after the list, expected the end.")


def _after(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\r", "\t"):
        at += 1
    return at


def _object(place: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ImportFormatError(f"{place}: found {shown(value)}, expected an object, a key for each column.")
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise ValueError(f"key {shown(twice)} stands there twice")
    return content


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _item(place: str, text: str, at: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise ImportFormatError(
            f"{place} is no JSON: {error.msg}. Is the file complete? A table is an object a line, or a list of objects."
        ) from None
    except (ValueError, RecursionError) as error:  # a key twice, an integer of thousands of digits, deep nesting
        raise ImportFormatError(f"{place} cannot be read: {error}.") from None
