"""Tables of scores as files, folders of files and data frames: CSV, JSON lines and Parquet, known by their content.

Where columns for agent and seed are missing, the names of the files may say them: by the pattern that the user gives,
or, where a name states a seed, by the customs of `run_names`.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rlaudit.errors import ImportFormatError, RlauditError
from rlaudit.importers import columns, csv_text, json_lines, parquet, run_names, tidy
from rlaudit.importers.cells import SAMPLE, RawTable, import_error, without_index
from rlaudit.importers.columns import KNOWN, TIDY
from rlaudit.importers.files import head, opened, readable, walk
from rlaudit.importers.nouns import Found, Hints
from rlaudit.importers.run_names import RunName
from rlaudit.results import ReadNote
from rlaudit.wording import first_of

if TYPE_CHECKING:
    import pandas as pd

_TEXT = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
ENDINGS = (*_TEXT, *(f"{ending}.gz" for ending in _TEXT), ".parquet", ".pq")  # of tables, where a folder is searched
_SHOWN = 3  # files that a note names
_SEARCHED = 20  # tables of a folder that are looked into to recognise it


def read_tidy(path: Path, hints: Hints) -> Found:
    """A tidy table, or a folder of them: CSV (with comma, semicolon or tab), JSON lines, Parquet; text may be gzipped.

    Columns agent, task (optional), seed, score; or agent, task (optional), seed, step, value; see `columns`.
    """
    files = [file for file in walk(path) if file.name.endswith(ENDINGS)] if path.is_dir() else [path]
    if not files:
        raise ImportFormatError(f"{path}: no table in this folder. Looked for {', '.join(ENDINGS)}.")
    names, notes = _names(files, path, hints)
    kinds = columns.kinds(hints)
    named = [
        _named(_whole(file, kinds.get), name, hints)
        for file, name in zip(files, names, strict=True)
        if name is not None
    ]
    troubles = {one.raw.source: list(columns.troubles(one.raw)) for one in named}
    strangers = [source for source, wrong in troubles.items() if wrong]
    if len(strangers) == len(named):
        raise import_error(troubles[strangers[0]])
    fitting = [one for one in named if not troubles[one.raw.source]]
    found = tidy.of_tables([one.raw for one in fitting])
    left_out = _left_out(strangers, len(named))
    return Found(found.runs, (*notes, *left_out, *_by_name(fitting), *open_ends(files), *found.notes))


def read_table(path: Path, kind_of: Callable[[str], str | None], most: int | None = None) -> RawTable:
    """The table in a file, or its first `most` rows; see `cells.collector` for `kind_of`."""
    with _readable(path):
        if head(path) == b"PAR1":
            return parquet.read(path, kind_of, most)
        with opened(path) as stream:
            is_json = json_lines.looks_like(stream.read(4096))
        return json_lines.read(path, kind_of, most) if is_json else csv_text.read(path, kind_of, KNOWN, most)


def read_cells(path: Path, expected: str) -> RawTable:
    """Any CSV as text; `expected` columns are named where it is empty."""
    with _readable(path):
        raw = csv_text.read(path, lambda name: "cells", KNOWN)
    refuse_empty(raw, expected)
    return without_index(raw)


def frame_table(frame: "pd.DataFrame", expected: str = TIDY) -> RawTable:
    """A data frame as it is, its rows called by their index; `expected` columns are named where there is no row."""
    labels = frame.index.tolist()
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name).strip() for name in frame.columns]
    cells = tuple(frame.iloc[:, i].tolist() for i in range(len(names)))
    raw = RawTable("DataFrame", tuple(names), cells, lambda row: f"DataFrame, row {labels[row]!r}", "DataFrame")
    refuse_empty(raw, expected)
    return without_index(raw)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    if path.is_dir():
        raise ImportFormatError(f"{path} is a folder; a table of scores is a file (CSV, JSON lines or Parquet).")
    with readable(path):
        yield


def _whole(path: Path, kind_of: Callable[[str], str | None]) -> RawTable:
    raw = read_table(path, kind_of)
    refuse_empty(raw)
    return without_index(raw)


def refuse_empty(raw: RawTable, expected: str = TIDY) -> None:
    """Raises ImportFormatError where there are no columns, or no rows."""
    if not raw.names:
        raise ImportFormatError(f"{raw.header} is empty. A tidy table has the columns {expected}.")
    if not raw.troubles and not any(map(len, raw.columns)):
        raise ImportFormatError(
            f"{raw.header}: there are column names, but no row. A tidy table has the columns {expected}."
        )


def open_ends(files: Sequence[Path]) -> Iterator[ReadNote]:
    """Texts whose last line has no end: nothing else would tell a last number that was cut from a whole one."""
    texts = [str(path) for path in files if path.name.endswith((".csv", ".tsv", ".txt")) and not _ends(path)]
    if texts:
        shown = first_of(texts, _SHOWN)
        yield ReadNote("rule", f"the last line has no end: if the file was cut there, so was its last number ({shown})")


def _ends(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(stream.seek(0, SEEK_END) - 1, 0))
        return stream.read() in (b"\n", b"\r")


# ---------------------------------------------------------------- what the names of files say


def _names(files: Sequence[Path], root: Path, hints: Hints) -> tuple[list[RunName | None], list[ReadNote]]:
    """What the name of each file says; None where the user's pattern does not fit it."""
    stems = [file.with_name(_stem(file.name)) for file in files]
    if not root.is_dir():  # a pattern with slashes looks at the folders above
        stems = [stem.resolve() for stem in stems]
        depth = min(hints.names.count("/") if hints.names else 0, len(stems[0].parents) - 1)
        root = stems[0].parents[depth]
    pattern = None if hints.names is None else _stem(hints.names)
    return run_names.of_runs(stems, root, replace(hints, names=pattern))


def _stem(name: str) -> str:
    ending = max((ending for ending in ENDINGS if name.lower().endswith(ending)), key=len, default="")
    stem = name[: len(name) - len(ending)]
    return stem if stem.strip(".") else name  # of "..csv" a dot would be left, which is a folder


class _Named(NamedTuple):
    """A table under our names, and the labels that its file's name stated in the place of columns."""

    raw: RawTable
    stated: Mapping[str, object]


def _named(raw: RawTable, name: RunName, hints: Hints) -> _Named:
    """Without a pattern only a name that states the seed is believed.

    A table without a column of agents could hold several under another name; one without a column of seeds holds one
    seed, or its rows collide.
    """
    raw = columns.mapped(raw, hints)
    stated = {field: label for field, label in name._asdict().items() if label is not None}
    if hints.names is not None:
        for field in stated.keys() & set(raw.names):
            if f"{{{field}}}" in hints.names:
                raise ImportFormatError(
                    f"{raw.header}: column {field!r} is there; write {{*}} for {{{field}}} in --names."
                )
    elif name.seed is None or "seed" in raw.names or columns.near("seed", raw.names) is not None:
        stated = {}
    stated = {field: label for field, label in stated.items() if field not in raw.names}
    for field, label in stated.items():
        raw = columns.with_label(raw, field, label)
    return _Named(columns.with_hints(raw, hints), stated)


def _by_name(tables: Sequence[_Named]) -> Iterator[ReadNote]:
    """Which columns the names of files stood in for."""
    for field in RunName._fields:
        labels = [str(one.stated[field]) for one in tables if field in one.stated]
        if labels:
            shown = ", ".join(list(dict.fromkeys(labels))[:_SHOWN])
            yield ReadNote("rule", f"the {field} is taken from the names of the files or folders: {shown}, ...")


def _left_out(strangers: Sequence[str], n_files: int) -> Iterator[ReadNote]:
    if strangers:
        shown = first_of(strangers, _SHOWN)
        yield ReadNote("left_out", f"{len(strangers)} of {n_files} tables, which have other columns: {shown}")


# ---------------------------------------------------------------- recognising


def fits(path: Path) -> bool:
    """Whether a table, or one of the first ones of a folder, has our columns or says them in other words.

    A file that fits nothing is read as tidy all the same, so that its error says what is missing.
    """
    try:
        files = (file for file in walk(path) if file.name.endswith(ENDINGS)) if path.is_dir() else iter([path])
        return any(columns.looks_tidy(peek(file).names) for file in islice(files, _SEARCHED))
    except (ImportFormatError, OSError):
        return False


def peek(path: Path) -> RawTable:
    """The names and first rows; no names where it is no table."""
    try:
        return read_table(path, lambda name: "cells", most=SAMPLE)
    except (RlauditError, OSError, EOFError, zlib.error):
        return RawTable(str(path), (), (), str, str(path))
