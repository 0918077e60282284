"""The chance that the looks which are left still name a winner: whether more seeds are worth their price.

Both tests are taken for a sum to which each look adds a normal number (the Brownian approximation). Its drift is the
estimate plus a standard error in its own direction: stopping should hardly cost power. A stop names nobody, so that
no error rate depends on this (a non-binding rule).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.special import ndtr

from rlaudit.types import Floats

_OPTIMISM = 1.0  # standard errors
_STEP = 0.05  # of the grid, in standard deviations that a look adds


def chance(z: float, look: int, bounds: Sequence[float]) -> float:
    """From the standardised sum at `look` (from 0) of len(bounds) that it gets beyond a later bound, of |z|."""
    drift = (abs(z) + _OPTIMISM) / sqrt(look + 1)
    at, mass, found = abs(z) * sqrt(look + 1), np.ones(1), 0.0
    places = np.zeros(1)
    for k in range(look + 1, len(bounds)):
        places, mass = _one_more(places, mass)
        beyond = np.abs(at + drift * (k - look) + places) >= bounds[k] * sqrt(k + 1)
        found += float(mass[beyond].sum())
        mass = np.where(beyond, 0.0, mass)
    return min(found, 1.0)


@lru_cache(maxsize=256)
def spent_bounds(level: float, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Of |z|, look by look, when `level` is spent by these shares."""
    bounds, spent = [], 0.0
    places, mass = np.zeros(1), np.ones(1)
    for k, share in enumerate(shares):
        places, mass = _one_more(places, mass)
        tails = np.cumsum(mass[::-1])[: len(mass) // 2] * 2
        n_beyond = int(np.searchsorted(tails, level * share - spent, "right"))
        bound = float(places[len(places) - 1 - n_beyond]) + _STEP / 2
        bounds.append(bound / sqrt(k + 1))
        beyond = np.abs(places) > bound
        spent += float(mass[beyond].sum())
        mass = np.where(beyond, 0.0, mass)
    return tuple(bounds)


@lru_cache(maxsize=1)
def _normal() -> tuple[Floats, Floats]:
    edges = np.arange(-6 - _STEP / 2, 6 + _STEP, _STEP)
    mass = np.diff(ndtr(edges))
    return edges[:-1] + _STEP / 2, mass / float(mass.sum())


def _one_more(places: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """The sum and another standard normal number."""
    step, weights = _normal()
    half = (len(places) + len(step) - 2) // 2
    return _STEP * np.arange(-half, half + 1.0), np.convolve(mass, weights)
