"""The chance that the looks which are left still name a winner: whether more seeds are worth their price.

Both tests are taken for a sum to which each look adds a normal number (the Brownian approximation). Its drift is the
estimate plus a standard error in its own direction: stopping should hardly cost power. A stop names nobody, so that
no error rate depends on this (a non-binding rule).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np

from rlaudit.types import Floats

_OPTIMISM = 1.0  # standard errors. With futility .1, and without: SAC v TD3 power .915, .918 with 13.7, 14.5 seeds;
# TD3 v itself 19.8, 29.4 seeds
_STEP = 0.05  # of the grid, in standard deviations that a look adds
_MOST_LOOKS = 12  # that are gone through; of more, every second, third, ...


def chance_of_winner(z: float, look: int, bounds: Sequence[float]) -> float:
    """From the standardised sum at `look` (from 0) of len(bounds) that it gets beyond a later bound, of |z|."""
    drift = (abs(z) + _OPTIMISM) / sqrt(look + 1)
    start, found = abs(z) * sqrt(look + 1), 0.0
    places, mass, at = np.zeros(1), np.ones(1), look
    stride = 1 + (len(bounds) - 1) // _MOST_LOOKS
    for k in reversed(range(len(bounds) - 1, look, -stride)):
        places, mass = _after(places, mass, k - at)
        beyond = np.abs(start + drift * (k - look) + places) >= bounds[k] * sqrt(k + 1)
        found += float(mass[beyond].sum())
        mass, at = np.where(beyond, 0.0, mass), k
    return min(found, 1.0)


@lru_cache(maxsize=256)
def spent_bounds(level: float, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Of |z|, look by look, when `level` is spent by these shares."""
    bounds, spent = [], 0.0
    places, mass = np.zeros(1), np.ones(1)
    for k, share in enumerate(shares):
        places, mass = _after(places, mass, 1)
        tails = 2 * np.cumsum(mass[::-1])[: len(mass) // 2]
        n_beyond = int(np.searchsorted(tails, level * share - spent, "right"))
        bound = float(places[len(places) - 1 - n_beyond]) + _STEP / 2
        bounds.append(bound / sqrt(k + 1))
        beyond = np.abs(places) > bound
        spent += float(mass[beyond].sum())
        mass = np.where(beyond, 0.0, mass)
    return tuple(bounds)


def _after(places: Floats, mass: Floats, n_looks: int) -> tuple[Floats, Floats]:
    """The sum after so many more looks, each of which adds a standard normal number."""
    weights = _normal(n_looks)
    half = (len(places) + len(weights) - 2) // 2
    return _STEP * np.arange(-half, half + 1.0), np.convolve(mass, weights)


@lru_cache(maxsize=16)
def _normal(variance: int) -> Floats:
    """On the grid, six standard deviations to both sides."""
    from scipy.special import ndtr

    half = round(6 * sqrt(variance) / _STEP)
    weights: Floats = np.diff(ndtr(_STEP * (np.arange(-half, half + 2) - 0.5) / sqrt(variance)))
    return weights / float(weights.sum())
