"""The law of a sum over batches when the scores of each batch are dealt to two agents anew: exact, or on a grid.

Agents that are alike make every deal of a batch equally likely, whatever came before. So the law of the sum at a look
follows from that at the look before, survivors only, by adding one batch. The sums are kept one by one as long as they
are few. Then they are rounded to a grid: the sum so far and that of the new batch, each to a whole number of steps.
The observed deals are rounded like all others, so that the level holds exactly all the same; how fine the grid is
depends on the pools alone, never on who had which score.
"""

from math import comb
from typing import NamedTuple

import numpy as np

from rlaudit.comparisons.patterns import FEW_PATTERNS, every_pattern
from rlaudit.comparisons.subset_sums import listed_sums
from rlaudit.types import Floats, Ints

_LISTED = 2**14  # deals of a batch that are listed: 8 against 8 have 12,870
_KEPT = 2**13  # sums that are kept one by one: three batches of 3 against 3 make 8,000
_STEPS = 256.37  # from 0 to the largest sum; the sd of six batches of five is some 40. Uneven, since round scores
# would lie on the edge between two steps
_FINE = 4  # times so fine is the grid of the scores in a batch that is not listed: 10 v 10 takes 3 ms


class Law(NamedTuple):
    """Possible sums and their probabilities, which add up to the chance of getting here."""

    values: Floats  # (n_sums,) in any order, and some perhaps more than once; on a grid -m, ..., m steps
    mass: Floats  # (n_sums,)
    at: int  # the observed one
    tie: float  # sums that are no farther apart are one
    step: float = 0.0  # of the grid; 0: none

    @property
    def observed(self) -> float:
        return float(self.values[self.at])

    @property
    def variance(self) -> float:
        """About 0, which is the mean of every batch's sums."""
        return float(self.mass @ self.values**2)


def of_batch(a: Floats, b: Floats) -> Law:
    """Sums over the first group (n_a,), measured from the mean of the pool: n_a n_b / n times the difference of means.

    Where a group is empty, or all scores are equal, the sum is 0 for sure.
    """
    n_a, n = len(a), len(a) + len(b)
    scores = np.concatenate([a, b])
    if n_a in (0, n) or not (scores != scores[0]).any():
        return Law(np.zeros(1), np.ones(1), 0, 0.0)
    pool = scores - scores[0]
    pool -= pool.mean()
    if comb(n, n_a) > _LISTED:
        return _counted(pool, n_a)
    sums = _every_sum(pool, n_a)
    at = int(np.abs(sums - pool[:n_a].sum()).argmin())
    tie = n_a * (1e-10 * np.abs(pool).max() + np.finfo(np.float64).eps * np.abs(scores).max())
    return Law(sums, np.full(len(sums), 1 / len(sums)), at, float(tie))


def _every_sum(pool: Floats, n_a: int) -> Floats:
    if comb(len(pool), n_a) > FEW_PATTERNS:
        return listed_sums(pool[None], n_a).ravel()
    patterns, weight = every_pattern(len(pool), n_a)
    sums: Floats = pool @ patterns
    return np.concatenate([sums, -sums]) if weight == 2 else sums


def _counted(pool: Floats, n_a: int) -> Law:
    """The same without listing: scores on a fine grid, and the number of subsets by size and sum."""
    step = float(np.abs(pool).max()) / (_FINE * _STEPS)
    scores = np.rint(pool / step).astype(np.int64)
    scores -= scores.min()
    ways = np.zeros((n_a + 1, int(np.sort(scores)[-n_a:].sum()) + 1))
    ways[0, 0] = 1
    for taken, score in enumerate(scores.tolist(), start=1):
        for size in range(min(taken, n_a), 0, -1):
            ways[size, score:] += ways[size - 1, : ways.shape[1] - score]
    found = np.flatnonzero(ways[n_a])
    middle = scores.sum() * n_a / len(scores)
    at = int(np.searchsorted(found, scores[:n_a].sum()))
    return Law(step * (found - middle), ways[n_a, found] / ways[n_a].sum(), at, step / 4)


def added(law: Law, batch: Law) -> Law:
    """The law of the sum of both; they are independent."""
    tie = law.tie + batch.tie
    if not law.step and len(law.values) * len(batch.values) <= _KEPT:
        sums, mass = np.add.outer(law.values, batch.values), np.outer(law.mass, batch.mass)
        return _merged(sums.ravel(), mass.ravel(), law.observed + batch.observed, tie)
    reach = float(np.abs(law.values).max() + np.abs(batch.values).max())
    step = max(law.step, reach / _STEPS)
    (one, one_at), (two, two_at) = _on_grid(law, step), _on_grid(batch, step)
    half = (len(one) + len(two)) // 2 - 1
    return Law(step * np.arange(-half, half + 1.0), np.convolve(one, two), half + one_at + two_at, step / 4, step)


def _on_grid(law: Law, step: float) -> tuple[Floats, int]:
    """The masses of -m, ..., m steps, and how many steps the observed one is."""
    places = np.rint(law.values / step).astype(np.int64)
    half = int(np.abs(places).max())
    return np.bincount(places + half, law.mass, 2 * half + 1).astype(np.float64), int(places[law.at])


def _merged(sums: Floats, mass: Floats, observed: float, tie: float) -> Law:
    """Sums that are tied are one: they lie in a chain whose links are no longer than `tie`."""
    order = np.argsort(sums)
    sums, mass = sums[order], mass[order]
    edges = np.concatenate([[0], np.flatnonzero(sums[1:] - sums[:-1] > tie) + 1, [len(sums)]])
    values = (sums[edges[:-1]] + sums[edges[1:] - 1]) / 2
    return Law(values, np.add.reduceat(mass, edges[:-1]), int(np.abs(values - observed).argmin()), tie)


class Cut(NamedTuple):
    """The sums that are farthest from 0, taken away."""

    spent: float  # their chance
    crossed: bool  # the observed one is among them
    tail: float  # the chance of a sum as far out as the observed one
    rest: Law  # the others; of no use where `crossed`


def cut(law: Law, allowed: float) -> Cut:
    """Takes away as many as have a chance of `allowed` together; a tie is taken whole or not at all."""
    tails, group = _tails(law)
    n_cut = int(np.searchsorted(tails, allowed + 1e-12, "right"))
    kept = group >= n_cut
    rest = law._replace(values=law.values[kept], mass=law.mass[kept], at=int(kept[: law.at].sum()))
    own = int(group[law.at])
    return Cut(float(tails[n_cut - 1]) if n_cut else 0.0, own < n_cut, float(tails[own]), rest)


def _tails(law: Law) -> tuple[Floats, Ints]:
    """The chance of a sum at least so far out, for each distance, the farthest first; and which distance each sum has.

    A grid is as wide to both sides, and what is left of it is.
    """
    if law.step:
        half = len(law.values) // 2
        far = law.mass[:half] + law.mass[:half:-1]
        return np.cumsum(np.append(far, law.mass[half])), half - np.abs(np.arange(-half, half + 1))
    size = np.abs(law.values)
    order = np.argsort(-size)
    steps = size[order[:-1]] - size[order[1:]] > law.tie
    group = np.empty(len(size), np.int64)
    group[order] = np.concatenate([[0], np.cumsum(steps)])
    return np.cumsum(np.bincount(group, weights=law.mass)), group
