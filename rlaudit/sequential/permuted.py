"""A pair of agents by a group-sequential permutation test: exact, and without random numbers.

At look k the sum over batches of n_a n_b / n (mean of a's batch - mean of b's batch) is compared with its law when
every batch is dealt anew within itself. What is farthest out is rejected, as far as the level that may be spent by
then allows it; the law goes on with what survives, and what is not spent is kept for later (Lan & DeMets 1983,
Biometrika 70, 659-663; the spending function alpha (k / K)^rho is that of Kim & DeMets 1987, Biometrika 74, 149-154).
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import sqrt
from typing import NamedTuple

import numpy as np

from rlaudit.sequential.futility import spent_bounds
from rlaudit.sequential.laws import Law, added, cut, of_batch
from rlaudit.types import Floats

_FINER = 1.002  # a p-value is found to this factor, or exactly


class Step(NamedTuple):
    """One look at one level."""

    side: int  # 1 or -1 once the sum has crossed upwards or downwards, else 0
    needs: float  # the level over all looks that would have made it cross at this look; 0 after it has


def walk(batches: Sequence[Law], level: float, shares: Sequence[float]) -> Iterator[Step]:
    """The looks in turn; by look k the test has spent at most level * shares[k]."""
    law, spent, side = None, 0.0, 0
    for batch, share in zip(batches, shares, strict=False):
        if side:
            yield Step(side, 0.0)
            continue
        law = added(law, batch) if law else batch
        found = cut(law, level * share - spent)
        if found.crossed:
            side = 1 if law.observed > 0 else -1
        yield Step(side, (spent + found.tail) / share)
        law, spent = found.rest, spent + found.spent


class Permuted:
    """Both agents' scores batch by batch, NaN where a seed failed. Level: what this pair has if it is alone."""

    merge = np.maximum

    def __init__(self, batches: Sequence[tuple[Floats, Floats]], level: float, shares: Sequence[float]) -> None:
        self._batches = [(a[np.isfinite(a)], b[np.isfinite(b)]) for a, b in batches]
        self._level, self._shares = level, shares
        self._walks: dict[float, tuple[list[Step], Iterator[Step]]] = {}

    @cached_property
    def _laws(self) -> tuple[Law, ...]:
        return tuple(of_batch(a, b) for a, b in self._batches)

    def _step(self, level: float, look: int) -> Step:
        done, rest = self._walks.setdefault(level, ([], walk(self._laws, level, self._shares)))
        while len(done) <= look:
            done.append(next(rest))
        return done[look]

    def side(self, look: int) -> int:
        """Who scores higher, as far as this pair alone shows."""
        return self._step(self._level, look).side

    def strengths(self, look: int, sizes: Sequence[int], exactly: bool) -> Floats:
        """(1,): the most pairs that could share the level and leave this one rejected by now; or level / p."""
        crossed = 0
        for size in sizes:
            if not self._step(self._level / size, look).side:
                break
            crossed = size
        if not exactly:
            return np.array([float(crossed)])
        weaker = [size for size in sizes if size > crossed]
        p = self._p(look, self._level / weaker[0] if weaker else 0.0, self._level / crossed if crossed else 1.0)
        return np.array([max(crossed, self._level / p)])

    def _p(self, look: int, low: float, high: float) -> float:
        """The least level in (low, high] at which the pair is rejected by this look: low is raised until it is."""
        level = low
        while level < high:
            steps = [self._step(level, k) for k in range(look + 1)]
            if level and steps[-1].side:
                return level
            level = max(min(step.needs for step in steps), _FINER * level)
        return high

    def z(self, look: int) -> float:
        """The sum in standard deviations, as deals of the batches would make it."""
        laws = self._laws[: look + 1]
        return sum(law.observed for law in laws) / (sqrt(sum(law.variance for law in laws)) or 1)

    @staticmethod
    def bounds(level: float, shares: tuple[float, ...]) -> tuple[float, ...]:
        """Of |z|, look by look, as a forecast: what they are for normal sums."""
        return spent_bounds(level, shares)
