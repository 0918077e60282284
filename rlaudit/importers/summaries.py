"""Tables of means and their spreads, in which the single seeds are gone: they are pointed to `rlaudit recheck`."""

import re
from collections.abc import Sequence
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

from rlaudit.importers.cells import SAMPLE, RawTable, Trouble, number, shown

_NUMBER = r"[-+−]?(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+"  # possessive: 5,000 digits took seconds to fail
_SPREAD = re.compile(rf"\$?\s*({_NUMBER})\s*(?:(?:±|\+/-|\+-|\\pm)\s*({_NUMBER})|\(\s*±?\s*({_NUMBER})\s*\))\s*\$?")
_MEANS = frozenset({"mean", "avg", "average"})
_SPREADS = {"sd": "sd", "std": "sd", "stddev": "sd", "stdev": "sd", "sem": "se", "se": "se", "stderr": "se"}
SUMMARIES = _MEANS | _SPREADS.keys() | {"variance", "var", "ci", "median", "iqm"}
_COUNTS = frozenset({"n", "n_seeds", "num_seeds", "seeds", "n_runs", "runs", "count"})
_NEEDED = "Runs are needed, a row per seed."


class Printed(NamedTuple):
    """A mean and what stands beside it, as text."""

    mean: str
    spread: str
    n: str = "N"
    noun: str = ""  # "se" where the spread is no sd

    def __str__(self) -> str:
        return f"{self.mean} ± {self.spread}{' ' if self.noun else ''}{self.noun} (n = {self.n})"


def found(raw: RawTable, *, has_seed: bool) -> Trouble | None:
    """What is wrong with a table whose cells or columns are summaries; None where they are not."""
    if cells := list(islice(_cells(raw), 2)):
        name, row, cell = cells[0]
        message = f"column {name!r}: found {shown(cell)}, a mean and its spread, in which the single seeds are gone"
        return Trouble(raw.place(row), message, way_out([cell for _, _, cell in cells]))
    names = [] if has_seed else [name for name in raw.names if _words(name) & SUMMARIES]
    if not names:
        return None
    listed = ", ".join(map(repr, names))
    return Trouble(
        raw.header, f"this is a summary (column {listed}), in which the single seeds are gone", _of_columns(raw)
    )


def counts(name: str) -> bool:
    """Whether a column of this name says how many seeds there were."""
    return name.lower() in _COUNTS - {"seeds", "runs"}  # which may be the seeds themselves


def spreads(names: Sequence[str]) -> bool:
    """Whether one of these columns is a standard deviation or error."""
    return any(_words(name) & _SPREADS.keys() for name in names)


def is_spread(cell: object) -> bool:
    """Whether a cell reads as a mean and its spread: "231.2 ± 45", "231 +- 45", "231 (45)"."""
    return isinstance(cell, str) and _SPREAD.fullmatch(cell.strip()) is not None


def way_out(cells: Sequence[str]) -> str:
    """The command that audits printed means; the numbers of seeds are to be filled in."""
    printed = []
    for cell in cells[:2]:
        mean, plus, bracket = _SPREAD.fullmatch(cell.strip()).groups()  # type: ignore[union-attr]
        printed.append(Printed(mean, plus or bracket))
    return _command(printed)


def _command(printed: Sequence[Printed]) -> str:
    command = f'rlaudit recheck "{" vs ".join(map(str, printed))}"'
    unknown = any(one.n == "N" for one in printed)
    fill = " (N: the number of seeds)" if unknown else ""
    return f"{_NEEDED} What printed means are worth:{fill}\n  {command}"


def _cells(raw: RawTable) -> "list[tuple[str, int, str]]":
    columns = [(name, column[:SAMPLE]) for name, column in zip(raw.names, raw.columns, strict=True)]
    rows = max((len(cells) for _, cells in columns), default=0)
    return [
        (name, row, cells[row])
        for row in range(rows)
        for name, cells in columns
        if row < len(cells) and is_spread(cells[row])
    ]


def _of_columns(raw: RawTable) -> str:
    mean = next((name for name in raw.names if _words(name) & _MEANS), None)
    spread = next((name for name in raw.names if _words(name) & _SPREADS.keys()), None)
    n = next((name for name in raw.names if name.lower() in _COUNTS), None)
    if mean is None or spread is None:
        return _NEEDED
    noun = "se" if "se" in {_SPREADS[word] for word in _words(spread) & _SPREADS.keys()} else ""
    counts = raw.column(n) if n is not None else ("N", "N")
    rows = zip(raw.column(mean)[:2], raw.column(spread)[:2], counts[:2], strict=False)
    printed = [Printed(str(m), str(s), str(n), noun) for m, s, n in rows if _is_number(m) and _is_number(s)]
    return _command(printed) if printed else _NEEDED


def _is_number(cell: Any) -> bool:
    return isfinite(number(cell))


def _words(name: str) -> set[str]:
    return set(re.split(r"[\s_\-/.]+", name.lower()))
