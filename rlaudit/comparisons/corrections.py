"""Many comparisons at one level."""

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
