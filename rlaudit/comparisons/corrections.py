"""Many comparisons at one level."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rlaudit.types import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Step-down adjusted p-values (Holm 1979, Scand. J. Statistics 6): the family's error rate stays below alpha.

    A NaN (a comparison that could not be made) stays NaN but counts in the size of the family: it was planned.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)  # NaN last
    steps = np.nan_to_num(p[order], nan=1.0) * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return np.where(np.isnan(p), np.nan, adjusted)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Step-up adjusted p-values (Benjamini & Hochberg 1995, J. Royal Statistical Society B 57, 289-300).

    Calling those at most alpha keeps the expected share of false ones among them below alpha, for p-values that are
    independent or positively dependent. That is less than `holm` promises: with 20 comparisons of which 10 are real
    (at three standard errors), one call in forty is wrong, but one family in four has a wrong call. NaN as in `holm`.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)  # NaN last
    steps = np.nan_to_num(p[order], nan=1.0) * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return np.where(np.isnan(p), np.nan, adjusted)


CORRECTIONS: dict[str, Callable[[ArrayLike], Floats]] = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}
