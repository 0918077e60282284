"""Paired tests: a[i] and b[i] belong together, as two agents do that share weights, environment or data.

Opt-in, and never chosen after a look at p. The same integer seed for two algorithms is rarely a pair: they draw from
it in different orders. `correlation` says what pairing brought: the variance of the difference is
var_a + var_b - 2 r sd_a sd_b, so with r near 0 nothing is gained and half of the degrees of freedom are lost, and with
r < 0 more than that. It is NaN where a side is constant, and says nothing with two pairs.

All three ask about the mean of the differences. Between agents that are alike differences are symmetric, and the level
holds; where they have mean 0 but are skewed it does not: .11-.18 of log-normal ones are significant at n = 6-10.

Differences that agree but for the rounding of a - b are taken as equal.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import comb, floor
from typing import TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from rlaudit.comparisons.moments import ends, flat_p, moments, one_seed, per_side, reach_at
from rlaudit.comparisons.parametric import t_test
from rlaudit.comparisons.patterns import blocks, search_rows
from rlaudit.comparisons.resampling import Blocks, Values, addable, bisect, differences, multisets
from rlaudit.comparisons.subset_sums import all_sums, sums_by_size
from rlaudit.errors import NotEnoughSeeds
from rlaudit.types import Alternative, ArmScores, Comparison, Floats
from rlaudit.wording import on

_LISTED = 12  # pairs up to which all 2^n - 1 subsets are listed
_BUDGET = 2**18  # rows x subset sums of half the pairs: 36 pairs once (.8 s with its interval), 2,048 times 14
_MULTISETS = 8  # pairs up to which all C(2n - 1, n) resamples are listed, while
_RESAMPLES = 2**23  # rows times so many of them are at most this: .5 s
_CHUNK = 2**20  # numbers in a chunk of random subsets: 8 MB


def paired_scores(a: ArmScores, b: ArmScores) -> tuple[Floats, Floats]:
    """(n_pairs,) twice: the scores of the seeds that both have, seed by seed. Raises NotEnoughSeeds without two."""
    place = {seed: i for i, seed in enumerate(b.seeds)}
    shared = [(i, place[seed]) for i, seed in enumerate(a.seeds) if seed in place]
    if len(shared) < 2:
        raise NotEnoughSeeds(
            f"{a.agent!r} and {b.agent!r}{on(a.task)} share {len(shared)} seed(s), and a paired test needs 2. "
            "Name unpaired tests in audit.tests."
        )
    of_a, of_b = np.array(shared).T
    return a.scores[of_a], b.scores[of_b]


def paired_t(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Student's t test of the differences a[i] - b[i] (1908, Biometrika 6).

    For differences without spread, `sign_flip`'s smallest p. One pair decides nothing: p = 1.
    """
    d, _ = _differences(a, b)
    n = d.shape[-1]
    effect, variance, _ = moments(d, np.zeros_like(d[..., :1]))
    if n < 2:
        return replace(one_seed("paired_t", effect, alternative), correlation=_correlation(a, b))
    se = np.sqrt(variance / n)
    df = np.full_like(se, n - 1)
    result = t_test("paired_t", effect, se, df, _smallest_p(n, alternative), alpha, alternative, interval=interval)
    return replace(result, correlation=_correlation(a, b))


def sign_flip(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Fisher's randomisation test of the mean difference (1935, The Design of Experiments, section 21).

    Without a difference the signs of the d_i are coin flips. A flipped mean is as high as the observed one where the
    d_i that were flipped sum to 0 or less; so p is the share of subsets with mean <= 0, and the shifts that are not
    rejected lie between two order statistics of the subset means (Hartigan 1969, JASA 64, 1303-1317). Exact for
    differences that are symmetric, as they are where two agents are alike.

    All subsets are listed for few pairs, met in the middle for more (as in `subset_sums`), else drawn:
    p = (1 + c) / (1 + B). Two-sided p is twice the smaller tail. The smallest two-sided p is 2 / 2^n: .25 for three
    pairs, .0625 for five. Where that is above alpha the interval has no ends.
    """
    d, tie = _differences(a, b)
    rows, ties, n = d.reshape(-1, d.shape[-1]), tie.ravel(), d.shape[-1]
    drawn = n > _LISTED and len(rows) * 2 ** ((n + 1) // 2) > _BUDGET
    total, sides = 1 + n_resamples if drawn else 2**n, 2 if alternative == "two-sided" else 1
    k = _most_in_a_tail(alpha, sides, total) if interval else 0
    if drawn:
        parts = _by_drawing(rows, ties, k, rng, n_resamples)
    else:
        parts = (_by_listing if n <= _LISTED else _by_meeting)(rows, ties, k)
    at_most, at_least, low, high = (part.reshape(tie.shape) for part in parts)
    tail = {"greater": at_most, "less": at_least, "two-sided": np.minimum(at_most, at_least)}[alternative] / total
    # an end within the tolerance of 0 is 0, as p has counted it
    low, high = (np.where(np.abs(end) <= tie, 0.0, end if interval else np.nan) for end in (low, high))
    low, high = ends(low, high, alternative)
    return Comparison(
        test="sign_flip",
        effect=_mean(d),
        low=low,
        high=high,
        statistic=_mean(d),
        df=np.full(tie.shape, np.nan),
        p_value=np.minimum(sides * tail, 1),
        min_p=min(1.0, max(_smallest_p(n, alternative), sides / total)),
        mc_error=sides * np.sqrt(tail * (1 - tail) / total) * drawn,
        alternative=alternative,
        correlation=_correlation(a, b),
    )


def paired_bootstrap(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """`bootstrap_expanded` of one sample, the differences (Hesterberg 2015, The American Statistician 69, 371-386).

    Our addition: p is at least the smallest one of `sign_flip`, for exchangeable agents allow no less. Without it five
    pairs that point the same way are always significant, and .080 of those without a difference are; with it none is,
    and at n = 6-8 .055-.070, at n = 10-30 .041-.064. One pair decides nothing: p = 1.
    """
    d, tie = _differences(a, b)
    shape, n, effect, correlation = tie.shape, d.shape[-1], _mean(d), _correlation(a, b)
    if n < 2:
        return replace(one_seed("paired_bootstrap", effect, alternative), correlation=correlation)
    sides, least = 2 if alternative == "two-sided" else 1, _smallest_p(n, alternative)
    exact = n <= _MULTISETS and tie.size * comb(2 * n - 1, n) <= _RESAMPLES
    resamples, plus = (float(n) ** n, 0) if exact else (n_resamples, 1)
    total, narrow = plus + resamples, np.sqrt(1 - 1 / n)
    level = ndtr(stdtrit(n - 1, per_side(alpha, alternative)) / narrow)
    left_out = floor(level * total + 1e-9) - plus if least <= alpha else -1

    parts = []
    for rows, means in _resampled_means(d.reshape(-1, n), tie.ravel(), rng, 0 if exact else n_resamples):
        zero, out = np.zeros_like(tie.ravel()[rows]), np.full_like(tie.ravel()[rows], left_out)
        parts.append((*means.beyond(zero), *(means.ends(out, out) if interval else (zero * np.nan, zero * np.nan))))
    below, above, low, high = (np.concatenate(part).reshape(shape) for part in zip(*parts, strict=True))

    def p_value(tail: Floats | float) -> Floats:
        p: Floats = np.maximum(stdtr(n - 1, narrow * ndtri(np.clip(tail, 0, 1))), 0.5**n)
        return p

    greater, less = ((total - mass) / total for mass in (above, below))
    tail = {"greater": greater, "less": less, "two-sided": np.minimum(greater, less)}[alternative]
    error = np.sqrt(tail * (1 - tail) / resamples) * plus
    flat, reach = np.ptp(d, axis=-1) == 0, reach_at(effect, least, alpha)
    low, high = (np.where(np.abs(end) <= tie, 0.0, end) for end in (low, high))
    low, high = ends(np.where(flat, effect - reach, low), np.where(flat, effect + reach, high), alternative)
    t = [stdtrit(n - 1, np.minimum(p_value(side), 0.5)) for side in (less, greater)]
    return Comparison(
        test="paired_bootstrap",
        effect=effect,
        low=low,
        high=high,
        statistic=t[0] - t[1],
        df=np.full(shape, float(n - 1)),
        p_value=np.where(flat, flat_p(effect, least, alternative), np.minimum(sides * p_value(tail), 1)),
        min_p=float(sides * p_value(plus / total)),
        mc_error=np.where(flat, 0.0, sides * (p_value(tail + error) - p_value(tail - error)) / 2),
        alternative=alternative,
        correlation=correlation,
    )


def _resampled_means(d: Floats, tie: Floats, rng: np.random.Generator, n_resamples: int) -> Blocks:
    """All of them where `n_resamples` is 0."""
    if n_resamples:
        yield from differences(d, np.zeros((len(d), 1)), tie, rng, n_resamples)
        return
    counts, ways = multisets(d.shape[1])
    for rows in blocks(len(d), len(ways)):
        yield rows, Values(addable(d[rows]) @ counts, ways, tie[rows])


# ---------------------------------------------------------------- pairs


def _differences(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a - b (..., n), and how far from 0 (...) a mean of them is still 0."""
    noise = np.finfo(np.float64).eps * np.maximum(np.abs(a), np.abs(b)).max(axis=-1, keepdims=True)
    d = a - b
    first = np.where(np.abs(d[..., :1]) <= noise, 0.0, d[..., :1])
    alike = (np.abs(d - first) <= 4 * noise).all(axis=-1, keepdims=True)
    d = np.where(alike, first, d)
    return d, 1e-10 * np.abs(d).max(axis=-1) + noise[..., 0]


def _smallest_p(n: int, alternative: Alternative) -> float:
    """One of 2^n ways to set the signs, or it and its mirror image."""
    return min(1.0, (2 if alternative == "two-sided" else 1) * 0.5**n)


def _correlation(a: Floats, b: Floats) -> Floats:
    """Pearson's r of the pairs (...)."""
    a, b = (x - x[..., :1] for x in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (x / np.abs(x).max(axis=-1, keepdims=True) for x in (a, b))
        a, b = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
        r: Floats = (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.asarray(np.clip(r, -1, 1))


def _mean(d: Floats) -> Floats:
    mean: Floats = d[..., 0] + (d - d[..., :1]).mean(axis=-1)
    return mean


# ---------------------------------------------------------------- subset means of the differences

_Tails: TypeAlias = tuple[Floats, Floats, Floats, Floats]
"""Of each row: subsets with a mean <= 0, and >= 0, the empty one in both; the k-th mean from below, and from above."""


def _most_in_a_tail(alpha: float, sides: int, total: int) -> int:
    """The largest k with sides k / total <= alpha."""
    k = int(alpha / sides * total + 1e-9)
    return k - (sides * k / total > alpha)


def _by_listing(d: Floats, tie: Floats, k: int) -> _Tails:
    parts = []
    for rows in blocks(len(d), 2 ** d.shape[1]):
        middle = _mean(d[rows])[:, None]
        sums = sums_by_size(d[rows] - middle)
        means = np.concatenate([s / size for size, s in enumerate(sums) if size], axis=1) + middle
        parts.append(_read(means, 1, tie[rows], k))
    return _joined(parts)


def _by_drawing(d: Floats, tie: Floats, k: int, rng: np.random.Generator, n_resamples: int) -> _Tails:
    """A block of rows shares its subsets; blocks have streams of their own."""
    all_rows, parts = list(blocks(len(d), n_resamples)), []
    for rows, stream in zip(all_rows, rng.spawn(len(all_rows)), strict=True):
        middle = _mean(d[rows])[:, None]
        subsets = _random_subsets(stream, d.shape[1], n_resamples)
        means = np.concatenate([(d[rows] - middle) @ weights for weights in subsets], axis=1) + middle
        parts.append(_read(means, 1 + n_resamples - means.shape[1], tie[rows], k))
    return _joined(parts)


def _random_subsets(rng: np.random.Generator, n: int, total: int) -> Iterator[Floats]:
    """Weights (n, chunk) that turn n differences into the means of random subsets; empty ones are left out."""
    chunk = max(1, _CHUNK // n)
    for start in range(0, total, chunk):
        inside = rng.integers(0, 2, (n, min(chunk, total - start)), dtype=np.int8)
        sizes = inside.sum(axis=0, dtype=np.int64)
        yield inside[:, sizes > 0] / sizes[sizes > 0]


def _read(means: Floats, n_empty: int, tie: Floats, k: int) -> _Tails:
    at_most = n_empty + (means <= tie[:, None]).sum(axis=1)
    at_least = n_empty + (means >= -tie[:, None]).sum(axis=1)
    k -= n_empty - 1  # the empty subset lies beyond all others
    if k < 1:
        end = np.full(len(tie), np.inf)
        return at_most, at_least, -end, end
    means.partition([k - 1, means.shape[1] - k], axis=1)
    return at_most, at_least, means[:, k - 1].copy(), means[:, -k].copy()


def _joined(parts: list[_Tails]) -> _Tails:
    at_most, at_least, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return at_most, at_least, low, high


def _by_meeting(d: Floats, tie: Floats, k: int) -> _Tails:
    """Horowitz & Sahni 1974 (J. ACM 21): the sums of one half are looked up among those of the other."""

    def lower_end(y: Floats) -> Floats:
        if k < 1:
            return np.full(len(y), -np.inf)
        return bisect(lambda x: _at_most(y, x) > k, y.min(axis=1), y.max(axis=1))

    return _at_most(d, tie), _at_most(-d, tie), lower_end(d), -lower_end(-d)


def _at_most(d: Floats, x: Floats) -> Floats:
    """Subsets of each row that are empty or have a mean of at most x (n_rows,): where d - x sums to at most 0."""
    half = d.shape[1] // 2
    y = d - x[:, None]
    left, right = (np.sort(all_sums(part), axis=1) for part in (y[:, :half], y[:, half:]))
    counts: Floats = search_rows(right, -left[:, ::-1], "right").sum(axis=1, dtype=np.float64)
    return counts
