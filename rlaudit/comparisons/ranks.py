"""Rank tests of a shift: Mann-Whitney, and Student's t test on ranks."""

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from rlaudit.comparisons.moments import ends, one_seed, smallest_p
from rlaudit.comparisons.parametric import t_test
from rlaudit.comparisons.shifts import agree_with_p, hodges_lehmann, ordered_differences
from rlaudit.types import Alternative, Comparison, Floats, Ints

_EXACT = 60  # seeds in both groups up to which p is exact (30v30: 20 ms, then cached)
_EXACT_TIED = 20  # the same where scores are tied: each pattern of ties has its own distribution (10v10: .1 ms)


def mann_whitney(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Mann-Whitney U test (Mann & Whitney 1947, Ann. Math. Statist. 18, 50-60), exact for few seeds, also with ties.

    `statistic` is U of a, as scipy has it: a ranks higher where it exceeds `null_statistic`, n_a n_b / 2. Two-sided
    by the distance from there. Beyond `_EXACT` seeds the normal approximation with tie and continuity correction,
    but never less than the smallest p of the permutation test.

    The interval is that of untied scores (see `shifts`); where ties make the test decide otherwise, its end is moved
    (`agree_with_p`). Where most pairs are tied, the effect can be 0, and outside, while p <= alpha.
    """
    ranks, pairs = rank_pool(a, b), a.shape[-1] * b.shape[-1]
    u = (ranks.excess(a.shape[-1]) + pairs) / 2
    return _tested("mann_whitney", _u_p, ranks, a, b, u, pairs / 2, np.nan, alpha, alternative, interval)


def rank_t(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Student's t test on the midranks of both groups together (Conover & Iman 1981, The American Statistician 35).

    The "ranked t test" of Colas et al. 2019. Without ties t grows with U alone, so that its interval lies between
    two of the differences as well; with ties as for Mann-Whitney. Two groups that do not overlap have p = .106,
    .021, .005, .001 at n = 2, 3, 4, 5, where a permutation test has .333, .1, .029, .008. False positives of untied
    scores at n = 2, 3, 5, 10, 30: .000 .099 .058 .053 .049 (alpha .05); one-sided .053 at most; tied .065 at 5.
    Two different constants: the smallest p of the permutation test. One seed in a group: no answer, as for Student.
    """
    n_a, n_b = a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        effect = hodges_lehmann(a.reshape(-1, n_a), b.reshape(-1, n_b)).reshape(a.shape[:-1])
        return one_seed("rank_t", effect, alternative, "shift")
    ranks = rank_pool(a, b)
    t = _student(ranks.excess(n_a), ranks, n_a, alternative).statistic
    return _tested("rank_t", _t_p, ranks, a, b, t, 0.0, n_a + n_b - 2, alpha, alternative, interval)


# ---------------------------------------------------------------- what both share


class Ranks(NamedTuple):
    """Midranks, doubled so that they are whole."""

    doubled: Ints  # (n_rows, n) in the order of the pool
    pattern: Ints  # (n_rows, n) in sorted order: 2, 4, 6, ... where nothing is tied
    ties: Ints  # (n_rows,) the sum of t^3 - t over groups of t equal scores

    def excess(self, n_a: int) -> Ints:
        """(n_rows,): twice the sum of the first n_a ranks less its mean under the null, which is 2 U - n_a n_b."""
        above: Ints = self.doubled[:, :n_a].sum(axis=1) - n_a * (self.doubled.shape[1] + 1)
        return above


def rank_pool(a: Floats, b: Floats) -> Ranks:
    """Joint ranks of each row, a before b."""
    return rank(np.concatenate([a, b], axis=-1).reshape(-1, a.shape[-1] + b.shape[-1]))


def rank(pool: Floats) -> Ranks:
    """Ranks within each row (n_rows, n)."""
    order = np.argsort(pool, axis=1)
    ordered = np.take_along_axis(pool, order, axis=1)
    n, place, edge = pool.shape[1], np.arange(pool.shape[1]), np.ones((len(pool), 1), bool)
    new = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(np.hstack([edge, new]), place, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([new, edge]), place, n - 1)[:, ::-1], axis=1)[:, ::-1]
    pattern = first + last + 2
    doubled = np.empty_like(pattern)
    np.put_along_axis(doubled, order, pattern, axis=1)
    return Ranks(doubled, pattern, ((last - first + 1) ** 2 - 1).sum(axis=1))


_PValue = Callable[[Ints, Ranks, int, Alternative], Floats]  # of the excess of each row


def _tested(
    test: str, p_of: _PValue, ranks: Ranks, a: Floats, b: Floats, statistic: Floats, null_statistic: float,
    df: float, alpha: float, alternative: Alternative, interval: bool,
) -> Comparison:  # fmt: skip
    shape, n_a, n_b = a.shape[:-1], a.shape[-1], b.shape[-1]
    a, b = a.reshape(-1, n_a), b.reshape(-1, n_b)
    excess = ranks.excess(n_a)
    p = p_of(excess, ranks, n_a, alternative)
    low, high = np.full_like(p, np.nan), np.full_like(p, np.nan)
    if interval:
        u, pairs = _critical(p_of, n_a, n_b, alpha, alternative), n_a * n_b
        low, high = np.full_like(p, -np.inf), np.full_like(p, np.inf)
        if u <= pairs:
            low, high = ordered_differences(a, b, [pairs - u, u - 1])
            low, high = ends(low, high, alternative)
        side = {"two-sided": excess, "greater": np.ones_like(excess), "less": -np.ones_like(excess)}[alternative]
        low, high = agree_with_p(low, high, a, b, p <= alpha, side)
    extremes, towards = _extremes(n_a, n_b), _upwards(alternative)
    return Comparison(
        test=test,
        effect=hodges_lehmann(a, b).reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        statistic=statistic.reshape(shape),
        df=np.full(shape, df),
        p_value=p.reshape(shape),
        min_p=float(p_of(extremes.excess(n_a), extremes, n_a, towards).min()),
        mc_error=np.zeros(shape),
        null_statistic=null_statistic,
        estimand="shift",
        alternative=alternative,
    )


@lru_cache(maxsize=256)
def _critical(p_of: _PValue, n_a: int, n_b: int, alpha: float, alternative: Alternative) -> int:
    """The smallest U with p <= alpha where nothing is tied; n_a n_b + 1 where there is none."""
    pairs, untied = n_a * n_b, rank(np.arange(n_a + n_b, dtype=np.float64)[None, :])
    start = pairs // 2 if alternative == "two-sided" else 1

    def rejects(u: int) -> bool:
        return bool(p_of(np.array([2 * u - pairs]), untied, n_a, _upwards(alternative))[0] <= alpha)

    return start + bisect_left(range(start, pairs + 1), True, key=rejects)


def _upwards(alternative: Alternative) -> Alternative:
    """The same question as seen from the agent that ranks higher."""
    return "greater" if alternative == "less" else alternative


def _extremes(n_a: int, n_b: int) -> Ranks:
    """Where p can be smallest, a above b: without ties, both constant, and constant but for one seed of a or of b."""
    pool = np.repeat([1.0, 0.0], [n_a, n_b]) * np.ones((4, 1))
    pool[0] = np.arange(n_a + n_b)[::-1]
    pool[2, 0], pool[3, -1] = 2, -1
    return rank(pool)


# ---------------------------------------------------------------- the p-value of U


def mann_whitney_p(u: Floats, n_a: int, n_b: int) -> Floats:
    """The two-sided p of whole values of U where nothing is tied."""
    untied = rank(np.tile(np.arange(n_a + n_b, dtype=np.float64), (len(u), 1)))
    return _u_p(np.rint(2 * u).astype(np.int64) - n_a * n_b, untied, n_a, "two-sided")


def _u_p(excess: Ints, ranks: Ranks, n_a: int, alternative: Alternative) -> Floats:
    """Exact or approximate, decided row by row."""
    n = ranks.pattern.shape[1]
    p = _normal_p(excess, ranks.ties, n_a, n, alternative)
    exact = np.where(ranks.ties > 0, n <= _EXACT_TIED, n <= _EXACT)
    if exact.any():
        p[exact] = _exact_p(excess[exact], ranks.pattern[exact], n_a, alternative)
    return np.maximum(p, smallest_p(n_a, n - n_a, alternative))


def _exact_p(excess: Ints, pattern: Ints, n_a: int, alternative: Alternative) -> Floats:
    """Rows with the same pattern of ties share their distribution; without ties all do."""
    patterns, which = np.unique(pattern, axis=0, return_inverse=True)
    which = which.ravel()
    order = np.argsort(which, kind="stable")
    p, middle = np.empty(len(excess)), n_a * (pattern.shape[1] + 1)
    for ranks, rows in zip(patterns, np.split(order, np.cumsum(np.bincount(which))[:-1]), strict=True):
        p[rows] = _p_table(tuple(ranks.tolist()), n_a, alternative)[middle + excess[rows]]
    return p


@lru_cache(maxsize=4096)
def _p_table(ranks: tuple[int, ...], n_a: int, alternative: Alternative) -> Floats:
    """p for every sum s = 0, 1, ... of n_a ranks that are drawn without replacement; its mean is the middle.

    Counted by adding one rank at a time: ways[k, s] subsets of k ranks have the sum s.
    """
    n, middle = len(ranks), n_a * (len(ranks) + 1)
    ways = np.zeros((n_a + 1, 2 * middle + 1))
    ways[0, 0] = 1
    for seen, rank in enumerate(ranks, start=1):
        k = min(seen, n_a)
        ways[1 : k + 1, rank:] += ways[:k, : ways.shape[1] - rank].copy()
    up_to, from_ = np.cumsum(ways[n_a]), np.cumsum(ways[n_a, ::-1])[::-1]
    beyond = up_to[middle::-1] + from_[middle:]  # as far from the middle as 0, 1, ... on either side
    beyond[0] = up_to[-1]
    counts = {"greater": from_, "less": up_to, "two-sided": np.concatenate([beyond[:0:-1], beyond])}[alternative]
    p: Floats = np.minimum(counts / comb(n, n_a), 1)
    return p


def _normal_p(excess: Ints, ties: Ints, n_a: int, n: int, alternative: Alternative) -> Floats:
    """Variance with ties (Lehmann 1975, Nonparametrics, appendix), continuity correction 1/2; p = 1 if all are tied."""
    variance = n_a * (n - n_a) / 12 * (n + 1 - ties / (n * (n - 1)))
    away = {"two-sided": np.abs(excess), "greater": excess, "less": -excess}[alternative]
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = ndtr((0.5 - away / 2) / np.sqrt(variance))
    p = 2 * tail if alternative == "two-sided" else tail
    return np.where(variance > 0, np.minimum(p, 1), 1.0)


# ---------------------------------------------------------------- the p-value of t


def _student(excess: Ints, ranks: Ranks, n_a: int, alternative: Alternative) -> Comparison:
    """From U and the ties alone, since the squares of all ranks around their mean sum to (n^3 - n - ties) / 12."""
    n, pairs = ranks.pattern.shape[1], n_a * (ranks.pattern.shape[1] - n_a)
    gap = excess * (n / (2 * pairs))  # of the two mean ranks
    within = (float(n) ** 3 - n - ranks.ties) / 12 - gap**2 * (pairs / n)
    within = np.where(within < 0.25, 0, within)  # at least 1/2 where a group is not constant; the rest is rounding
    se, least = np.sqrt(within / (n - 2) * (n / pairs)), smallest_p(n_a, n - n_a, alternative)
    return t_test("rank_t", gap, se, np.full_like(se, n - 2), least, 0.5, alternative)


def _t_p(excess: Ints, ranks: Ranks, n_a: int, alternative: Alternative) -> Floats:
    return _student(excess, ranks, n_a, alternative).p_value
