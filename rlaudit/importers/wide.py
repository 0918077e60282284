"""Wide tables: what tidy tables say in a column stands in the header.

A row per seed and a column per agent ("seed,ppo,sac"); or a column per seed ("seed_0", "seed_1", or "ppo_seed_0") and
a row per agent, per step, or both. Which it is, is read from the header where only one reading fits. Else the user says
it: `--axes seed,agent` means that the rows are seeds and the columns are agents.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from rlaudit.errors import ImportFormatError
from rlaudit.importers import columns, run_names, summaries, tables, tidy
from rlaudit.importers.cells import RawTable, has_index, import_error, is_missing, number, shown, without_index
from rlaudit.importers.nouns import Found, Hints
from rlaudit.results import ReadNote
from rlaudit.wording import first_of

_RESULTS = ("score", "value")
_AXES = ("agent", "task", "seed", "step")  # what rows and columns may be
_SEED = re.compile(r"(?:(?P<agent>.+?)[_\-. /])?(?:seed|run|trial|s)[_\- =]?(?P<seed>\d+)", re.IGNORECASE)
_SHOWN = 5  # columns that a message names


Labels = Mapping[str, Mapping[str, object]]  # column -> what its name says: {"agent": "ppo", "seed": 0}


def read(path: Path, hints: Hints) -> Found:
    """A wide table as a CSV, JSON lines or Parquet file; every cell is a score, or a value where there are steps."""
    raw = tables.read_table(path, lambda name: "cells")
    tables.refuse_empty(raw)
    if raw.troubles:
        raise import_error(raw.troubles)
    raw = _without_numbering(columns.mapped(raw, hints))
    if summary := summaries.found(raw, has_seed=True):
        raise import_error([summary])
    labels = _labels(raw, hints)
    melted, notes = _melted(raw, labels)
    found = tidy.of_tables([columns.with_hints(melted, hints)])
    text = f"{path}: a column for each {' and '.join(_fields(labels))}: {_listed(list(labels))}"
    return Found(found.runs, (ReadNote("rule", text), *notes, *tables.open_ends([path]), *found.notes))


def fits(path: Path) -> bool:
    """Whether the header reads as wide: beside columns of ours at least two of numbers, and none that is a result."""
    raw = RawTable("", (), (), str, "") if path.is_dir() else without_index(tables.peek(path))
    others = _melting(raw.names)
    if columns.says_result(raw.names) or len(others) < 2:
        return False
    is_wide = len(others) < len(raw.names) or all(map(_SEED.fullmatch, others))
    return is_wide and all(_holds_results(raw.column(name)) for name in others)


def _holds_results(cells: Sequence[object]) -> bool:
    """Most of the cells; a word among them is a mistake that deserves to be told."""
    good = sum(number(cell) == number(cell) or is_missing(cell) or summaries.is_spread(cell) for cell in cells)
    return good > len(cells) / 2


# ---------------------------------------------------------------- what the columns are


def _without_numbering(raw: RawTable) -> RawTable:
    """The table without an unnamed first column that numbers its rows; ImportFormatError where it says more."""
    if not has_index(raw.names):
        return raw
    if all(number(cell) == number(cell) for cell in raw.columns[0]):
        return raw._replace(names=raw.names[1:], columns=raw.columns[1:])
    ways = [f"  {ours}s: --format wide --{ours}-column {quote(raw.names[0])}" for ours in ("agent", "task", "seed")]
    what = f"the first column has no name and holds {shown(raw.columns[0][0])}, ... What are they?"
    raise ImportFormatError("\n".join([f"{raw.header}: {what}", *ways]))


def _melting(names: Sequence[str]) -> list[str]:
    """The columns that are not ours, and do not sum up the others."""
    return [name for name in names if (name not in columns.KNOWN or name in _RESULTS) and not _sums_up(name)]


def _sums_up(name: str) -> bool:
    return name.lower() in summaries.SUMMARIES


def _labels(raw: RawTable, hints: Hints) -> Labels:
    """Raises ImportFormatError where no reading of the header fits, or more than one."""
    names = _melting(raw.names)
    if not names:
        raise ImportFormatError(f"{raw.header}: found {_listed(raw.names)}, and no column of results beside them.")
    for ours in _AXES:
        if ours not in raw.names and (theirs := columns.synonym(ours, names)):
            raise ImportFormatError(f"{raw.header}: is column {theirs!r} the {ours}? --{ours}-column {quote(theirs)}")
    if hints.names is not None:
        return _by_pattern(raw, names, hints.names)
    if hints.axes:
        return _by_axes(raw, names, hints.axes)
    seeds = [_SEED.fullmatch(name) is not None for name in names]
    if all(seeds) and "seed" not in raw.names:
        return _of_seeds(names)
    clear = "seed" in raw.names and "agent" not in raw.names and not any(seeds) and not any(map(str.isdecimal, names))
    if not clear:
        raise _unclear(raw, names)
    return {name: {"agent": name} for name in names}


def _of_seeds(names: Sequence[str]) -> Labels:
    """ "seed_0" is the seed 0, "ppo_seed_0" that of ppo, and "0" what it says."""
    labels: dict[str, dict[str, object]] = {}
    for name in names:
        found = _SEED.fullmatch(name)
        labels[name] = {"seed": name if found is None else int(found["seed"])}
        if found is not None and found["agent"] is not None:
            labels[name]["agent"] = found["agent"]
    return labels


def _by_axes(raw: RawTable, names: Sequence[str], axes: Sequence[str]) -> Labels:
    if len(axes) != 2 or not set(axes) <= set(_AXES) or axes[0] == axes[1]:
        raise ImportFormatError(
            f"--axes {','.join(axes)}: name what the rows and what the columns are, such as seed,agent; of "
            f"{', '.join(_AXES)}."
        )
    rows, over = axes
    if over in raw.names:
        raise ImportFormatError(f"{raw.header}: column {over!r} is there, so that the other columns are no {over}s.")
    if rows not in raw.names and rows != "seed":
        raise ImportFormatError(f"{raw.header}: no column {rows!r}. Found {_listed(raw.names)}. --{rows}-column NAME")
    if "seed" not in (*axes, *raw.names):
        raise ImportFormatError(
            f"{raw.header}: a row per {rows} and a column per {over} are one number each, without any seeds. One seed "
            "says nothing about the spread between seeds."
        )
    return _of_seeds(names) if over == "seed" else {name: {over: name} for name in names}


def _by_pattern(raw: RawTable, names: Sequence[str], pattern: str) -> Labels:
    found = {name: run_names.parse(pattern, name) for name in names}
    labels: dict[str, dict[str, object]] = {name: dict(fields) for name, fields in found.items() if fields is not None}
    if len(labels) < len(names):
        lost = [name for name in names if name not in labels]
        raise ImportFormatError(f"{raw.header}: --names {pattern!r} does not fit the columns {_listed(lost)}.")
    return labels


def _unclear(raw: RawTable, names: Sequence[str]) -> ImportFormatError:
    """The readings that would fit, each with the options that say so."""
    ours = [name for name in raw.names if name not in names]
    name = "" if "agent" in ours else " --agent-name NAME"
    rows = next((one for one in ("step", "agent", "task") if one in ours), None)
    ways = []
    if "seed" not in ours and rows is not None:
        ways.append(f"seeds: --format wide --axes {rows},seed{name}")
    if "agent" not in ours and "step" not in ours:
        ways.append("agents: --format wide --axes seed,agent")
    if "seed" in ours and "step" not in ours:
        ways.append(f"steps: --format wide --axes seed,step{name}")
    if "agent" not in ours:
        ways.append("an agent and a seed each: --format wide --names '{agent}_{seed}'")
    beside = f" beside {_listed(ours)}" if ours else ""
    what = f"{raw.header}: {len(names)} columns{beside} are {_listed(names)}. What are they?"
    return ImportFormatError("\n".join([what, *(f"  {way}" for way in ways)]))


def _listed(names: Sequence[str]) -> str:
    return first_of([*map(repr, names)], _SHOWN)


# ---------------------------------------------------------------- a tidy table of it


class _Cell(NamedTuple):
    row: int
    column: str
    content: Any


def _fields(labels: Labels) -> list[str]:
    """What the names of the columns say: "agent", "seed", ..."""
    return list(dict.fromkeys(field for says in labels.values() for field in says))


def _melted(raw: RawTable, labels: Labels) -> tuple[RawTable, list[ReadNote]]:
    """A row for each cell, column by column."""
    fields = _fields(labels)
    for name, says in labels.items():
        if missing := [field for field in fields if field not in says or field in raw.names]:
            raise ImportFormatError(
                f"{raw.header}: column {name!r} does not say the {missing[0]} as others do, or a column does, too."
            )
    ours = [name for name in raw.names if name in columns.KNOWN and name not in labels]
    curves = "step" in (*ours, *fields)
    grid = [_Cell(row, name, cell) for name in labels for row, cell in enumerate(raw.column(name))]
    groups = {one: raw.column(one) for one in ours if one not in ("seed", "error", "status")}

    def group(cell: _Cell) -> tuple[object, ...]:
        said = [labels[cell.column].get(field) for field in fields if field != "seed"]
        return (*said, *(str(column[cell.row]) for column in groups.values()))

    kept, notes = (grid, []) if curves else _run_at_all(grid, group)
    names = [*ours, *fields, "value" if curves else "score"]
    data: list[list[Any]] = [[column[cell.row] for cell in kept] for column in map(raw.column, ours)]
    data += [[labels[cell.column][field] for cell in kept] for field in fields]
    data.append([cell.content for cell in kept])
    if "seed" not in names:
        names, data = [*names, "seed"], [*data, _numbered(map(group, kept))]

    def place(row: int) -> str:
        return f"{raw.place(kept[row].row)} ({kept[row].column})"

    return RawTable(raw.source, tuple(names), tuple(data), place, raw.header), notes


def _run_at_all(grid: Sequence[_Cell], group: Callable[[_Cell], object]) -> tuple[list[_Cell], list[ReadNote]]:
    """Without the empty cells at the end of an agent's seeds: it was run with fewer. Others are failed runs."""
    last: dict[object, int] = {}
    for at, cell in enumerate(grid):
        if cell.content not in (None, ""):
            last[group(cell)] = at
    kept = [cell for at, cell in enumerate(grid) if at <= last.get(group(cell), -1)]
    n_lost = len(grid) - len(kept)
    cells = f"{n_lost} empty cell{'s' if n_lost > 1 else ''}"
    text = f"{cells} after the last score of an agent: seeds that it was not run with"
    return kept, [ReadNote("left_out", text)] if n_lost else []


def _numbered(groups: Iterator[object]) -> list[int]:
    """0, 1, 2, ... within each group."""
    count: dict[object, int] = {}
    numbers = []
    for one in groups:
        numbers.append(count.get(one, 0))
        count[one] = numbers[-1] + 1
    return numbers
