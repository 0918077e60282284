"""Numbers that differ by no more than rounding are one number.

A sum in another order, or an optimiser that stops one step later, changes the last digits of a score. Tests see an
order in them all the same: of two pools that agreed to 3e-15 Welch's test called one better, with p = 4e-15.
"""

import numpy as np

from rlaudit.types import Floats

TOLERANCE = 1e-10  # of the larger of two numbers; float64 keeps 1e-16, a long computation perhaps 1e-12


def settled(*groups: Floats) -> tuple[Floats, ...]:
    """The same arrays, in which numbers that agree to `TOLERANCE` are the lowest of them, in all arrays together.

    NaN stays. Nothing moves by more than the tolerance, however dense the numbers lie.
    """
    if not groups:
        return ()
    numbers, places = np.unique(np.concatenate([group.ravel() for group in groups]), return_inverse=True)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.diff(numbers) <= _reach(numbers[:-1], numbers[1:]))
    if not len(near):
        return groups
    for left in near.tolist():  # upwards, so that `left` has found its own lowest already
        if numbers[left + 1] - numbers[left] <= _reach(numbers[left], numbers[left + 1]):
            numbers[left + 1] = numbers[left]
    parts = np.split(numbers[places], np.cumsum([group.size for group in groups])[:-1])
    return tuple(part.reshape(group.shape) for part, group in zip(parts, groups, strict=True))


def _reach(lower: Floats, upper: Floats) -> Floats:
    """How far apart two numbers are one; infinite ones never."""
    reach: Floats = TOLERANCE * np.maximum(np.abs(lower), np.abs(upper))
    return np.where(np.isfinite(reach), reach, -1.0)
