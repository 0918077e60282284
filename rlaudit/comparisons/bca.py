"""The formulas of the bias-corrected and accelerated interval (Efron 1987, JASA 82, 171-185), for its lower end.

The upper end is its mirror image: swap the groups' signs, and z0 and the acceleration change theirs.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from rlaudit.types import Floats


def acceleration(a: Floats, b: Floats) -> Floats:
    """A sixth of the skewness of the difference of means (n_rows,), 0 without spread.

    For two samples: Davison & Hinkley 1997, section 5.3; of a mean, the jackknife's influence is in closed form.
    """
    skew, square = np.zeros(len(a)), np.zeros(len(a))
    for x, sign in ((a, 1), (b, -1)):
        influence = (x - x.mean(axis=1, keepdims=True)) / x.shape[1]
        skew += sign * (influence**3).sum(axis=1)
        square += (influence**2).sum(axis=1)
    return skew / (6 * np.where(square > 0, square, 1.0) ** 1.5)


def level_read(level: float, z0: Floats, bend: Floats) -> Floats:
    """The level of d* at which the end is read; below 0 beyond the pole of the formula, where there is no end."""
    u = z0 + ndtri(level)
    room = 1 - bend * u
    z = z0 + u / np.where(room > 0, room, 1.0)
    return np.where(room > 0, ndtr(z), np.where(u < 0, -1.0, 1.0))


def level_of(share: Floats, z0: Floats, bend: Floats) -> tuple[Floats, Floats]:
    """`level_read` solved for the level, as z, at which this share of d* is left out; and dz / dPhi^-1(share)."""
    w = np.clip(ndtri(share), -1e100, 1e100) - z0
    room = 1 + bend * w
    some = np.where(room > 0, room, 1.0)
    return np.where(room > 0, w / some - z0, np.copysign(np.inf, w)), 1 / some**2


def error_of(share: Floats, middle: Floats, bend: Floats, n_resamples: float) -> Floats:
    """Standard error of Phi(z) by the delta method: share and middle are both counts of the same resamples."""
    share = np.clip(share, 1 / (1 + n_resamples), n_resamples / (1 + n_resamples))
    z0 = ndtri(middle)
    z, slope = level_of(share, z0, bend)
    by_share, by_middle = slope / _density(ndtri(share)), (1 + slope) / _density(z0)
    both = np.minimum(share, middle) - share * middle
    variance = (
        by_share**2 * share * (1 - share) + by_middle**2 * middle * (1 - middle) - 2 * by_share * by_middle * both
    )
    error: Floats = _density(z) * np.sqrt(np.maximum(variance, 0) / n_resamples)
    return error


def _density(z: Floats) -> Floats:
    density: Floats = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return density
