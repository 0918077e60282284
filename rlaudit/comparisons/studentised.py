"""Being written."""

import numpy as np

from rlaudit.types import Alternative, Comparison, Floats


def permutation_studentised(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Being written."""
    raise NotImplementedError
