"""Rank tests: Mann-Whitney, and the probability that a random seed of one agent beats one of the other."""

from functools import lru_cache
from math import comb

import numpy as np
from scipy.special import ndtr, ndtri

from rlaudit.comparisons.moments import moments
from rlaudit.types import Comparison, Floats, Ints

_EXACT = 60  # seeds in both groups up to which p is exact (30v30: 20 ms, then cached)
_EXACT_TIED = 20  # the same where scores are tied: each pattern of ties has its own distribution (10v10: .1 ms)


def mann_whitney(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator, n_resamples: int) -> Comparison:
    """Two-sided Mann-Whitney U test (Mann & Whitney 1947), exact for few seeds, also with ties.

    `statistic` is U of a, as scipy has it: a ranks higher where it exceeds `null_statistic`, n_a n_b / 2. Beyond `_EXACT` seeds the normal
    approximation with tie and continuity correction. Gives no interval.
    """
    n_a, n_b = a.shape[-1], b.shape[-1]
    effect = moments(a, b).effect
    ranks, pattern = _double_ranks(np.concatenate([a, b], axis=-1).reshape(-1, n_a + n_b))
    rank_sum = ranks[:, :n_a].sum(axis=1)
    p = _p_value(rank_sum, pattern, n_a).reshape(effect.shape)
    u = ((rank_sum - n_a * (n_a + 1)) / 2).reshape(effect.shape)
    untied = 2 * np.arange(1, n_a + n_b + 1)[None, :]
    min_p = float(_p_value(untied[:, :n_a].sum(axis=1), untied, n_a)[0])
    nothing = np.full_like(effect, np.nan)
    return Comparison(
        test="mann_whitney",
        effect=effect,
        low=nothing,
        high=nothing,
        statistic=u,
        df=nothing,
        p_value=p,
        min_p=min_p,
        mc_error=np.zeros_like(effect),
        null_statistic=n_a * n_b / 2,
    )


def _double_ranks(pool: Floats) -> tuple[Ints, Ints]:
    """Twice the midranks of each row (so that they are whole), in the order of the pool and in sorted order."""
    order = np.argsort(pool, axis=1)
    ordered = np.take_along_axis(pool, order, axis=1)
    n = pool.shape[1]
    position = np.broadcast_to(np.arange(n), pool.shape)
    starts = np.concatenate([np.ones((len(pool), 1), bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    ends = np.concatenate([starts[:, 1:], np.ones((len(pool), 1), bool)], axis=1)
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, position, n - 1)[:, ::-1], axis=1)[:, ::-1]
    pattern = first + last + 2
    ranks = np.empty_like(pattern)
    np.put_along_axis(ranks, order, pattern, axis=1)
    return ranks, pattern


def _p_value(rank_sum: Ints, pattern: Ints, n_a: int) -> Floats:
    """Exact or approximate, decided row by row."""
    n = pattern.shape[1]
    tied = (np.diff(pattern, axis=1) == 0).any(axis=1)
    p = _normal_p(rank_sum, pattern, n_a)
    exact = np.where(tied, n <= _EXACT_TIED, n <= _EXACT)
    if exact.any():
        p[exact] = _exact_p(np.abs(rank_sum[exact] - n_a * (n + 1)), pattern[exact], n_a)
    return p


def _exact_p(deviation: Ints, pattern: Ints, n_a: int) -> Floats:
    """Rows with the same pattern of ties share their distribution; without ties all do."""
    patterns, which = np.unique(pattern, axis=0, return_inverse=True)
    which = which.ravel()
    order = np.argsort(which, kind="stable")
    p = np.empty(len(deviation))
    for ranks, rows in zip(patterns, np.split(order, np.cumsum(np.bincount(which))[:-1]), strict=True):
        p[rows] = _tails(tuple(ranks.tolist()), n_a)[deviation[rows]]
    return p


@lru_cache(maxsize=4096)
def _tails(ranks: tuple[int, ...], n_a: int) -> Floats:
    """P(|rank sum - its mean| >= d) for d = 0, 1, ... when n_a of the ranks are drawn without replacement.

    Counted by adding one rank at a time: ways[k, s] subsets of k ranks have the sum s.
    """
    n, top = len(ranks), sum(sorted(ranks)[-n_a:])
    ways = np.zeros((n_a + 1, top + 1))
    ways[0, 0] = 1
    for seen, rank in enumerate(ranks, start=1):
        k = min(seen, n_a)
        ways[1 : k + 1, rank:] += ways[:k, : top + 1 - rank].copy()
    middle = n_a * (n + 1)
    deviation = np.abs(np.arange(top + 1) - middle)
    mass = np.bincount(deviation, weights=ways[n_a] / comb(n, n_a))
    tails: Floats = np.minimum(np.cumsum(mass[::-1])[::-1], 1)
    return tails


def _normal_p(rank_sum: Ints, pattern: Ints, n_a: int) -> Floats:
    """Lehmann 1975, Nonparametrics, eq. 1.32 f.: variance with ties; continuity correction 1/2."""
    n = pattern.shape[1]
    sizes = (pattern[:, :, None] == pattern[:, None, :]).sum(axis=2) if n <= _EXACT else _tie_sizes(pattern)
    ties = (sizes.astype(float) ** 2 - 1).sum(axis=1)  # sum of t^3 - t over groups of t ties
    variance = n_a * (n - n_a) / 12 * (n + 1 - ties / (n * (n - 1)))
    distance = np.abs(rank_sum - n_a * (n + 1)) / 2 - 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, distance / np.sqrt(variance), 0.0)
    p: Floats = np.minimum(2 * ndtr(-z), 1)
    return p


def _tie_sizes(pattern: Ints) -> Ints:
    """How many share each rank; one row at a time."""
    sizes = [np.bincount(row)[row] for row in pattern]
    return np.array(sizes)


def probability_better(a: Floats, b: Floats, alpha: float) -> tuple[float, float, float]:
    """P(a random score of a beats one of b), ties counting half, with an interval at level 1 - alpha.

    Newcombe 2006 (Statistics in Medicine 25, 559-573), method 5: the variance that exponential scores would have, at
    the end of the interval and not at the estimate, so that it keeps a width where all of a beats all of b.
    """
    n_a, n_b = len(a), len(b)
    ranks, _ = _double_ranks(np.concatenate([a, b])[None, :])
    p = float(ranks[0, :n_a].sum() - n_a * (n_a + 1)) / 2 / (n_a * n_b)
    z = float(ndtri(1 - alpha / 2))
    low, high = _newcombe_end(p, z, n_a, n_b), 1 - _newcombe_end(1 - p, z, n_a, n_b)
    return p, low, high


def _newcombe_end(p: float, z: float, n_a: int, n_b: int) -> float:
    """The smallest theta <= p with p - theta <= z sqrt(var(theta)), by bisection."""
    pairs, extra = n_a * n_b, (n_a + n_b) / 2 - 1
    low, high = 0.0, p
    for _ in range(60):
        theta = (low + high) / 2
        variance = theta * (1 - theta) * (1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / pairs
        low, high = (low, theta) if p - theta <= z * variance**0.5 else (theta, high)
    return high
