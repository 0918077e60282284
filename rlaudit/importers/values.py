"""Numbers in strangers' files: what is one, what stands for a failed value, and what is neither."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers.cells import is_missing, number, shown
from rlaudit.types import Floats


def of_text(cell: str) -> float | None:
    """NaN for a missing value ("", "nan", "NA", ...); None for what is no number, such as "1_000"."""
    found = number(cell)
    return found if found == found or is_missing(cell) else None


def of_json(value: Any, place: str) -> float:
    """A number; NaN for null. Raises ImportFormatError for all else, numbers in quotes among them."""
    return float(numbers([value], place)[0])


def numbers(values: Sequence[Any], place: str) -> Floats:
    """(n_values,) of a JSON list; `place` says where it stands. Raises ImportFormatError."""
    strange = next((value for value in values if type(value) not in (float, int, type(None))), None)
    if strange is not None:
        quotes = "; numbers in quotes are text" if isinstance(strange, str) and of_text(strange) is not None else ""
        raise ImportFormatError(f"{place}: found {shown(strange)}, expected a number{quotes}.")
    try:
        return np.array(values, np.float64)
    except OverflowError:
        raise ImportFormatError(f"{place}: found a whole number beyond 1e308, expected a return.") from None
