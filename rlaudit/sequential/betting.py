"""A pair of agents by betting: evidence that may be looked at after every seed, for as long as one likes.

The t-th seeds of both agents differ by d. If the agents are alike, the sign of d is a fair coin whatever its size and
the past were. A bet on the sign multiplies its stake by 1 + tanh(theta d / s), where s is the mean size of the
differences so far, this one included: for normal scores tanh(theta d / s) is the best stake at some theta. The wealth
of several thetas, of both signs, is an e-process: it ever reaches 1 / alpha with a chance of at most alpha (Ville
1939; Ramdas et al. 2023, Statistical Science 38, 576-601).
"""

from collections.abc import Sequence
from functools import cached_property
from math import log, sqrt

import numpy as np

from rlaudit.types import Floats

_THETAS = np.array([0.3, 0.6, 1.2])  # SAC v TD3, 30 seeds: power .88 with 16.5 seeds; .75 alone has .90 with 15.8,
# but of agents half a standard deviation apart it finds .57 in 150 seeds, where these find .91


def wealth(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Per seed (n_seeds,): that of bets on a, and that of bets on b, both from 1/2. NaN in a or b: nothing is bet."""
    d = np.nan_to_num(a - b)
    played = np.isfinite(a - b).cumsum()
    scale = np.abs(d).cumsum() / np.maximum(played, 1)
    ratio = np.divide(d, scale, out=np.zeros_like(d), where=scale > 0)
    stakes = np.tanh(np.outer(_THETAS, ratio))
    up, down = (np.cumprod(1 + sign * stakes, axis=1).mean(axis=0) / 2 for sign in (1, -1))
    return up, down


class Betting:
    """Both agents' scores seed by seed, NaN where a seed failed. Level: what this pair has if it is alone."""

    merge = np.add

    def __init__(self, batches: Sequence[tuple[Floats, Floats]], level: float, shares: Sequence[float]) -> None:
        self._level, self._ends = level, np.cumsum([0, *(len(a) for a, _ in batches)])
        self._a, self._b = (np.concatenate(side) for side in zip(*batches, strict=True))

    @cached_property
    def _wealth(self) -> tuple[Floats, Floats]:
        return wealth(self._a, self._b)

    def side(self, look: int) -> int:
        """Who scores higher, as far as this pair alone shows."""
        up, down = (part[: self._ends[look + 1]] for part in self._wealth)
        reached = np.flatnonzero((up + down) * self._level >= 1)
        return 0 if not len(reached) else 1 if up[reached[0]] > down[reached[0]] else -1

    def strengths(self, look: int, sizes: Sequence[int], exactly: bool) -> Floats:
        """(n_seeds,): level times the wealth after each seed of this look."""
        up, down = self._wealth
        found: Floats = self._level * (up + down)[self._ends[look] : self._ends[look + 1]]
        return found

    def z(self, look: int) -> float:
        """The sum of the differences in standard deviations, as fair signs would make it."""
        d = np.nan_to_num(self._a - self._b)[: self._ends[look + 1]]
        return float(d.sum() / (np.sqrt((d**2).sum()) or 1))

    @staticmethod
    def bounds(level: float, shares: tuple[float, ...]) -> tuple[float, ...]:
        """Of |z|, look by look, as a forecast: no bet on a normal drift is worth more than exp(z^2 / 2)."""
        return (sqrt(2 * log(1 / level)),) * len(shares)
