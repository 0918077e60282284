"""Tests of whole distributions: Kolmogorov-Smirnov, and the almost stochastic order of deep learning papers."""

from collections.abc import Iterator
from functools import lru_cache
from math import comb, gcd

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov, ndtri

from rlaudit.comparisons.moments import centre, ends, moments, per_side, smallest_p
from rlaudit.comparisons.patterns import FEW_PATTERNS, SHARING, blocks, every_pattern, random_patterns
from rlaudit.comparisons.shifts import agree_with_p, hodges_lehmann
from rlaudit.types import Alternative, Comparison, Floats, Ints

_EXACT = 2**17  # smaller group x both groups up to which paths are counted: 256 v 256 in 30 ms
_LONGEST = 12_000  # and seeds in both groups: 10 v 10,000 takes 1 s


def kolmogorov_smirnov(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Largest distance D of the two distribution functions (Smirnov 1939), exact for few seeds, also with ties.

    "greater" looks at how far the function of a lies below that of b, which is where a scores higher (scipy's "less").
    `statistic` is the larger deviation whatever the alternative, above 0 where it favours a; of two equal ones the
    means decide. Beyond `_EXACT` the p of Smirnov's limit, which is too large, if anything (.0519 for .0489 at 200 v
    300). False positives of untied scores at n = 2, 3, 5, 10, 30: .000 .000 .008 .012 .035, since D has few values.

    The interval holds the shifts that are not rejected (Doksum & Sievers 1976, Biometrika 63, 421-434), as if nothing
    were tied; where ties make D significant all the same, its end is moved (`agree_with_p`). low > high: no shift
    makes the groups alike, they differ in more than place. The median of all differences may then lie outside.
    """
    shape, n_a, n_b = a.shape[:-1], a.shape[-1], b.shape[-1]
    a, b = np.sort(a.reshape(-1, n_a)), np.sort(b.reshape(-1, n_b))
    above, below, last = _deviations(a, b)
    farther = np.maximum(above, below)
    reach = {"two-sided": farther, "greater": above, "less": below}[alternative]
    p = _ks_p(reach, last, n_a, n_b, alternative)
    gap = moments(a, b).effect
    side = np.sign(np.where(above == below, np.where(np.abs(gap) > centre(a, b)[2], gap, 0), above - below))
    low, high = np.full_like(p, np.nan), np.full_like(p, np.nan)
    if interval:
        towards = {"two-sided": side, "greater": np.ones_like(side), "less": -np.ones_like(side)}[alternative]
        low, high = ends(*_shifts(a, b, _critical(n_a, n_b, alpha, alternative == "two-sided")), alternative)
        low, high = agree_with_p(low, high, a, b, p <= alpha, towards)
    return Comparison(
        test="kolmogorov_smirnov",
        effect=hodges_lehmann(a, b).reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        statistic=(side * farther / (n_a * n_b)).reshape(shape),
        df=np.full(shape, np.nan),
        p_value=p.reshape(shape),
        min_p=smallest_p(n_a, n_b, alternative)
        if _counts(n_a, n_b)
        else float(_limit(np.ones(1), n_a, n_b, alternative)[0]),
        mc_error=np.zeros(shape),
        estimand="shift",
        alternative=alternative,
    )


def _deviations(a: Floats, b: Floats) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """n_a n_b times the largest F_b - F_a and F_a - F_b, and where a group of ties ends in the pool (n_rows, n)."""
    n_a, pool = a.shape[1], np.concatenate([a, b], axis=1)
    order = np.argsort(pool, axis=1)
    ordered = np.take_along_axis(pool, order, axis=1)
    last = np.hstack([ordered[:, 1:] != ordered[:, :-1], np.ones((len(a), 1), bool)])
    walk = np.where(last, np.cumsum(np.where(order < n_a, -b.shape[1], n_a), axis=1), 0)
    return walk.max(axis=1), -walk.min(axis=1), last


def _counts(n_a: int, n_b: int) -> bool:
    """Whether p is exact; this depends on the numbers of seeds alone."""
    return min(n_a, n_b) * (n_a + n_b) <= _EXACT and n_a + n_b <= _LONGEST


def kolmogorov_smirnov_p(reach: Ints, n_a: int, n_b: int, alternative: Alternative = "two-sided") -> Floats:
    """The p of D = reach / (n_a n_b) where nothing is tied; D is a multiple of 1 / lcm(n_a, n_b)."""
    return _ks_p(reach, np.ones((len(reach), n_a + n_b), bool), n_a, n_b, alternative)


def _ks_p(reach: Ints, last: NDArray[np.bool_], n_a: int, n_b: int, alternative: Alternative) -> Floats:
    """P(deviation >= reach / (n_a n_b)); rows with equal reach and ties share the work."""
    if not _counts(n_a, n_b):
        return _limit(reach / (n_a * n_b), n_a, n_b, alternative)
    cases, which = np.unique(np.column_stack([reach, last]), axis=0, return_inverse=True)
    p = np.empty(len(cases))
    for rows in blocks(len(cases), 8 * (min(n_a, n_b) + 1)):
        p[rows] = _outside(cases[rows, 0], cases[rows, 1:] > 0, n_a, n_b, alternative)
    return p[which.ravel()]


def _limit(d: Floats, n_a: int, n_b: int, alternative: Alternative) -> Floats:
    """Smirnov 1939 (Bull. Math. Univ. Moscou 2): for n_a = n_b it is reached at once, else from above."""
    z = d * np.sqrt(n_a * n_b / (n_a + n_b))
    p: Floats = kolmogorov(z) if alternative == "two-sided" else np.exp(-2 * z**2)
    return p


def _outside(reach: Ints, last: NDArray[np.bool_], n_a: int, n_b: int, alternative: Alternative) -> Floats:
    """The share of arrangements of the pool that deviate so far at the end of some group of ties.

    Arrangements are lattice paths, counted seed by seed as those still inside and those that were outside once
    (Hodges 1957, Arkiv for Matematik 3; with ties Schroeer & Trenkler 1995, Comput. Statist. Data Anal. 20). Up to
    2^53 arrangements the counts are exact, so that p = 1 / 20 is .05.
    """
    taken = np.arange(min(n_a, n_b) + 1)  # seeds of the smaller group among the first ones of the pool
    inside, outside = np.zeros((2, len(reach), len(taken)))
    inside[:, 0] = 1
    for seen in range(1, n_a + n_b + 1):
        for ways in (inside, outside):
            ways[:, 1:] += ways[:, :-1]
        of_a = taken if n_a <= n_b else seen - taken
        walk = n_a * (seen - of_a) - n_b * of_a
        deviation = {"two-sided": np.abs(walk), "greater": walk, "less": -walk}[alternative]
        leave = last[:, seen - 1, None] & (deviation >= reach[:, None])
        outside += np.where(leave, inside, 0)
        inside[leave] = 0
    p: Floats = outside[:, -1] / comb(n_a + n_b, n_a)
    return p


@lru_cache(maxsize=256)
def _critical(n_a: int, n_b: int, alpha: float, two_sided: bool) -> int:
    """The smallest n_a n_b D with p <= alpha where nothing is tied, found 64 values at a time; n_a n_b + 1: none."""
    step = gcd(n_a, n_b)
    low, high = 1, n_a * n_b // step + 1
    while low < high:
        tried = np.unique(np.linspace(low, high - 1, 64).astype(np.int64))
        p = kolmogorov_smirnov_p(step * tried, n_a, n_b, "two-sided" if two_sided else "greater")
        first = int(np.argmax(p <= alpha)) if (p <= alpha).any() else len(tried)
        low = int(tried[first - 1]) + 1 if first > 0 else low
        high = int(tried[first]) if first < len(tried) else high
    return step * low if step * low <= n_a * n_b else n_a * n_b + 1


def _shifts(a: Floats, b: Floats, critical: int) -> tuple[Floats, Floats]:
    """The ends of the shifts of sorted groups for which neither deviation is critical."""
    n_a, n_b = a.shape[1], b.shape[1]
    if critical > n_a * n_b:
        return np.full(len(a), -np.inf), np.full(len(a), np.inf)
    # a exceeds b by too much while the j smallest of b have at most i of a below them.
    j = np.arange(1, n_b + 1)
    i = (n_a * j - critical) // n_b
    low = (a[:, i[i >= 0]] - b[:, j[i >= 0] - 1]).max(axis=1)
    i = np.arange(1, n_a + 1)
    j = (n_b * i - critical) // n_a
    return low, (a[:, i[j >= 0] - 1] - b[:, j[j >= 0]]).min(axis=1)


# ---------------------------------------------------------------- almost stochastic order


def almost_stochastic_order(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Does a dominate b at almost every quantile? (del Barrio, Cuesta-Albertos & Matran 2018; Dror et al. 2019, ACL)

    The effect is their violation ratio eps: of the squared distances between both quantile functions, the share where
    that of a is lower. Mind its direction: 0 where a dominates, 1 where b does, 1/2 where all scores are equal.

    The interval is theirs: eps +- z times its sd over a bootstrap of each group, within [0, 1]; their eps_min is
    `high` of "greater". It agrees with no p-value and holds less than it says: two groups of one agent are told
    apart by eps_min < 1/2 in .21, .21, .19, .18 at n = 3, 5, 10, 30 (alpha .05), and the 95 % intervals hold eps in
    .61, .70, .76, .84 where one agent spreads three times as wide (eps = 1/2). Where no resample turns the order
    it is a point. One seed in a group: [0, 1].

    The p-value is not theirs but that of permuting the seeds, which holds alpha under exchangeability. `statistic` is
    the signed root of (1 - 2 eps) times all squared distances, above 0 exactly where eps < 1/2. eps itself would
    never be significant below 39 seeds: of two groups of one agent, one dominates at every quantile with probability
    2 / (n + 1), and all of these have the same eps. Power as of the permutation test on means: .52 against .56 for
    one sd at n = 10. It also sees spread: with sd 3 : 1 and eps = 1/2 it rejects in .08, .12, .29 at n = 5, 10, 30.
    """
    shape, n_a, n_b = a.shape[:-1], a.shape[-1], b.shape[-1]
    a, b, tie = centre(a.reshape(-1, n_a), b.reshape(-1, n_b))
    pool = np.concatenate([np.sort(a), np.sort(b)], axis=1)
    spread = np.abs(pool).max(axis=1)
    spread[spread == 0] = 1
    pool, tie = pool / spread[:, None], tie / spread
    lower, upper, width = _quantiles(n_a, n_b)
    lead, eps = _dominance(pool, lower, n_a + upper, width, tie)
    # The error of a squared distance is twice the distance times its error; 1e-14 is the rounding of their sum.
    near = 2 * tie * (np.abs(pool[:, lower] - pool[:, n_a + upper]) * width).sum(axis=1) + 1e-14
    p, mc_error, min_p = _permuted_p(np.sort(pool), lead, near, n_a, n_b, alternative, rng, n_resamples)
    low, high = np.full_like(p, np.nan), np.full_like(p, np.nan)
    if interval:
        se = _bootstrap_sd(pool, eps, tie, n_a, n_b, rng, n_resamples)
        reach = ndtri(1 - per_side(alpha, alternative)) * se if min(n_a, n_b) > 1 else np.ones_like(p)
        low, high = np.maximum(eps - reach, 0), np.minimum(eps + reach, 1)
        mirrored: dict[Alternative, Alternative] = {"greater": "less", "less": "greater"}  # eps falls where a rises
        low, high = ends(low, high, mirrored.get(alternative, alternative), 0, 1)
    return Comparison(
        test="almost_stochastic_order",
        effect=eps.reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        statistic=(np.where(np.abs(lead) > near, np.sign(lead) * np.sqrt(np.abs(lead)), 0) * spread).reshape(shape),
        df=np.full(shape, np.nan),
        p_value=p.reshape(shape),
        min_p=min_p,
        mc_error=mc_error.reshape(shape),
        estimand="violation ratio",
        alternative=alternative,
    )


def _quantiles(n_a: int, n_b: int) -> tuple[Ints, Ints, Floats]:
    """Both quantile functions are steps: which scores of a and of b face each other, and over which share of [0, 1]."""
    cuts = np.union1d(np.arange(n_a + 1) * n_b, np.arange(n_b + 1) * n_a)
    return cuts[:-1] // n_b, cuts[:-1] // n_a, np.diff(cuts) / (n_a * n_b)


def _lead(pool: Floats, left: Ints, right: Ints, width: Floats) -> tuple[Floats, Floats]:
    """Squared distances where left is ahead less those where right is; and the distances: (n_rows, ..., n_steps)."""
    gap = pool[:, left] - pool[:, right]
    return np.einsum("...s,...s,s->...", gap, np.abs(gap), width), gap


def _dominance(pool: Floats, left: Ints, right: Ints, width: Floats, tie: Floats) -> tuple[Floats, Floats]:
    """The lead and the violation ratio; distances that are rounding alone say nothing."""
    lead, gap = _lead(pool, left, right, width)
    gap[np.abs(gap) <= tie.reshape(-1, *[1] * left.ndim)] = 0
    ahead = np.einsum("...s,...s,s->...", gap, np.abs(gap), width)
    total = np.einsum("...s,...s,s->...", gap, gap, width)
    with np.errstate(invalid="ignore"):
        return lead, np.where(total > 0, 0.5 - ahead / total / 2, 0.5)


def _permuted_p(
    pool: Floats, lead: Floats, tie: Floats, n_a: int, n_b: int, alternative: Alternative,
    rng: np.random.Generator, n_resamples: int,
) -> tuple[Floats, Floats, float]:  # fmt: skip
    """p, its simulation error and the smallest p: by listing all arrangements where simulation would be more work."""
    n, least = n_a + n_b, smallest_p(n_a, n_b, alternative)
    bound = {"two-sided": np.abs(lead), "greater": lead, "less": -lead}[alternative] - tie
    if comb(n, n_a) // (1 + (n_a == n_b)) <= max(FEW_PATTERNS, n_resamples):
        patterns, weight = every_pattern(n, n_a)
        counts = _count_leads(pool, bound, patterns, n_a, alternative, mirrored=weight == 2)
        return counts / comb(n, n_a), np.zeros_like(bound), least
    counts = np.zeros(len(pool))
    for rows, stream in _shared_streams(len(pool), rng):
        for patterns in random_patterns(stream, n, n_a, n_resamples):
            counts[rows] += _count_leads(pool[rows], bound[rows], patterns, n_a, alternative, mirrored=False)
    p = (1 + counts) / (1 + n_resamples)
    return p, np.sqrt(p * (1 - p) / (1 + n_resamples)), max(least, 1 / (1 + n_resamples))


def _shared_streams(n_rows: int, rng: np.random.Generator) -> Iterator[tuple[slice, np.random.Generator]]:
    """Blocks of rows that share their random numbers."""
    starts = range(0, n_rows, SHARING)
    for start, stream in zip(starts, rng.spawn(len(starts)), strict=True):
        yield slice(start, start + SHARING), stream


def _count_leads(
    pool: Floats, bound: Floats, patterns: Floats, n_a: int, alternative: Alternative, *, mirrored: bool
) -> Floats:
    """How many arrangements of each sorted pool lead as far; mirrored: also those with both groups exchanged."""
    lower, upper, width = _quantiles(n_a, pool.shape[1] - n_a)
    left = np.nonzero(patterns.T)[1].reshape(-1, n_a)[:, lower]
    right = np.nonzero(patterns.T == 0)[1].reshape(-1, pool.shape[1] - n_a)[:, upper]
    counts = np.empty(len(pool))
    for rows in blocks(len(pool), 4 * left.size):
        lead, _ = _lead(pool[rows], left, right, width)
        ahead = {"two-sided": np.abs(lead), "greater": lead, "less": -lead}[alternative]
        counts[rows] = (ahead >= bound[rows, None]).sum(axis=1)
        if mirrored:
            other = ahead if alternative == "two-sided" else -ahead
            counts[rows] += (other >= bound[rows, None]).sum(axis=1)
    return counts


def _bootstrap_sd(
    pool: Floats, eps: Floats, tie: Floats, n_a: int, n_b: int, rng: np.random.Generator, n_resamples: int
) -> Floats:
    """Of the violation ratio, when each group is resampled on its own."""
    lower, upper, width = _quantiles(n_a, n_b)
    sums = np.zeros((2, len(pool)))
    chunk = max(1, 2**20 // len(width))
    for rows, stream in _shared_streams(len(pool), rng):
        for start in range(0, n_resamples, chunk):
            size = min(chunk, n_resamples - start)
            left = _resample(stream, n_a, size)[:, lower]
            right = n_a + _resample(stream, n_b, size)[:, upper]
            for some in blocks(len(pool[rows]), 4 * left.size):
                _, again = _dominance(pool[rows][some], left, right, width, tie[rows][some])
                away = again - eps[rows][some, None]
                sums[0, rows][some] += away.sum(axis=1)
                sums[1, rows][some] += (away**2).sum(axis=1)
    mean, square = sums / n_resamples
    sd: Floats = np.sqrt(np.maximum(square - mean**2, 0))
    return sd


def _resample(rng: np.random.Generator, n: int, size: int) -> Ints:
    """Places (size, n) of resampled scores in ascending order, without sorting."""
    drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=size * n)
    return np.repeat(np.tile(np.arange(n), size), counts).reshape(size, n)
