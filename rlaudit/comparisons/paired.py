"""Being written."""

import numpy as np

from rlaudit.types import Alternative, Comparison, Floats


def paired_t(
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


def sign_flip(
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


def paired_bootstrap(
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
