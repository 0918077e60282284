"""Numbers in strangers' files: what is one, what stands for a failed value, and what is neither."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers.cells import is_missing, number, shown
from rlaudit.types import Floats

_NUMBERS = frozenset({float, int, type(None)})
_FAR = 2**1000  # no float holds a whole number of 2**1024


def of_text(cell: str) -> float | None:
    """NaN for a missing value ("", "nan", "NA", ...); None for what is no number, such as "1_000"."""
    found = number(cell)
    return found if found == found or is_missing(cell) else None


def of_json(value: Any, *place: object) -> float:
    """A number; NaN for null. Raises ImportFormatError for all else, numbers in quotes among them.

    `place` are the words that say where it stands; they are joined only where that is to be said.
    """
    return float("nan") if value is None else float(checked([value], *place)[0])


def checked(values: Sequence[Any], *place: object) -> Sequence[Any]:
    """A JSON list, where it holds numbers and null only. Raises ImportFormatError."""
    for value in values:
        if type(value) not in _NUMBERS:
            quotes = "; numbers in quotes are text" if isinstance(value, str) and number(value) == number(value) else ""
            raise ImportFormatError(f"{_joined(place)}: found {shown(value)}, expected a number{quotes}.")
        if type(value) is int and abs(value) >= _FAR:
            raise ImportFormatError(f"{_joined(place)}: found a whole number of {len(str(value))} digits.")
    return values


def numbers(values: Sequence[Any], *place: object) -> Floats:
    """(n_values,) of a JSON list, NaN for null. Raises ImportFormatError."""
    return np.array(checked(values, *place), np.float64)


def _joined(place: Sequence[object]) -> str:
    return "".join(map(str, place))
