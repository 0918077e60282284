"""The permutation test on the difference of means: exact wherever that is feasible.

Under exchangeability of the seeds its false-positive rate never exceeds alpha (Fisher 1935; Phipson & Smyth 2010 for
the +1 of the simulated version).
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np

from rlaudit.comparisons.moments import centre, moments, smallest_p
from rlaudit.types import Alternative, Comparison, Floats, Ints

_FEW_PATTERNS = 1000  # up to here all patterns times all rows is one cheap matrix product (5v5: 126, 6v6: 462)
_BUDGET = 2**24  # rows x subset sums of half a pool: 16 times 20v20 (.04 s each), or 16,384 times 10v10 (1 s)
_BLOCK = 2**23  # numbers held at once: 64 MB
_SHARING = 1024  # rows that share their random patterns
_PATTERNS = 2**20  # numbers in a chunk of random patterns: 8 MB


def permutation(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Two-sided by the absolute difference of means; arrangements that tie with the observed one count.

    Exact by listing all patterns where they are few; else exact by meeting in the middle where the budget allows
    that for all rows; else simulated. Which one depends on the number of seeds and of rows alone. Gives no interval.
    """
    n_a, n_b = a.shape[-1], b.shape[-1]
    effect = moments(a, b).effect
    rows_a, rows_b, tie = centre(a, b)
    pool = np.concatenate([rows_a, rows_b], axis=-1).reshape(-1, n_a + n_b)
    # The pool is centred, so the difference of means is the sum over group a times a constant.
    threshold = (np.abs(rows_a.sum(axis=-1)) - n_a * tie).ravel()
    method = _method(len(pool), n_a, n_b)
    min_p, mc_error = smallest_p(n_a, n_b), np.zeros_like(effect)
    if method == "simulate":
        p = _simulated_p(pool, n_a, threshold, rng, n_resamples).reshape(effect.shape)
        min_p, mc_error = max(min_p, 1 / (1 + n_resamples)), np.sqrt(p * (1 - p) / (1 + n_resamples))
    else:
        count = _count_by_listing if method == "list" else _count_by_meeting
        p = (count(pool, n_a, threshold) / comb(n_a + n_b, n_a)).reshape(effect.shape)
    nothing = np.full_like(effect, np.nan)
    return Comparison("permutation", effect, nothing, nothing, effect, nothing, p, min_p, mc_error)


def _method(n_rows: int, n_a: int, n_b: int) -> str:
    n = n_a + n_b
    if comb(n, n_a) // (2 if n_a == n_b else 1) <= _FEW_PATTERNS:
        return "list"
    return "meet" if n_rows * 2 ** ((n + 1) // 2) <= _BUDGET else "simulate"


# ---------------------------------------------------------------- all patterns


def _count_by_listing(pool: Floats, n_a: int, threshold: Floats) -> Floats:
    """How many of the C(n, n_a) patterns reach the threshold (n_rows,)."""
    patterns, weight = _patterns(pool.shape[1], n_a)
    counts = np.empty(len(pool))
    for rows in _blocks(len(pool), patterns.shape[1]):
        sums = pool[rows] @ patterns
        counts[rows] = weight * (np.abs(sums) >= threshold[rows, None]).sum(axis=1)
    return counts


@lru_cache(maxsize=32)
def _patterns(n: int, n_a: int) -> tuple[Floats, int]:
    """Columns of zeros and ones (n, n_patterns); of mirror images, where the groups are equal, one that weighs 2."""
    halved = 2 * n_a == n
    rest = combinations(range(1, n), n_a - 1) if halved else combinations(range(n), n_a)
    members = np.array(list(rest), dtype=np.intp).reshape(comb(n - halved, n_a - halved), n_a - halved)
    patterns = np.zeros((n, len(members)))
    patterns[members, np.arange(len(members))[:, None]] = 1
    if halved:
        patterns[0] = 1
    return patterns, 1 + halved


# ---------------------------------------------------------------- meeting in the middle


def _count_by_meeting(pool: Floats, n_a: int, threshold: Floats) -> Floats:
    """The same number without listing: Horowitz & Sahni 1974 (J. ACM 21) applied to each row.

    A pattern takes k of the first half of the pool and n_a - k of the second. For each k the subset sums of the
    second half are sorted, and each sum of the first half looks up how many of them carry it past the threshold.
    """
    half = pool.shape[1] // 2
    counts = np.empty(len(pool))
    for rows in _blocks(len(pool), 2 ** (pool.shape[1] - half + 1)):
        x, bound = pool[rows], threshold[rows]
        left, right = _subset_sums(x[:, :half]), _subset_sums(x[:, half:])
        counts[rows] = sum(
            _pairs_beyond(left[k], right[n_a - k], bound, mirrored=2 * n_a == pool.shape[1])
            for k in range(max(0, n_a - len(right) + 1), min(half, n_a) + 1)
        )
    return counts


def _subset_sums(x: Floats) -> list[Floats]:
    """Sums of all subsets of each row, by size k: (n_rows, C(n, k)); grown by one element at a time, as Pascal does."""
    sums = [np.zeros((len(x), 1))]
    for column in x.T:
        taken = [s + column[:, None] for s in sums]
        sums = [sums[0], *(np.concatenate(pair, axis=1) for pair in zip(sums[1:], taken, strict=False)), taken[-1]]
    return sums


def _pairs_beyond(left: Floats, right: Floats, bound: Floats, mirrored: bool) -> Ints:
    """How many pairs (l, r) of each row have |l + r| >= bound. Mirrored: summed over all k the tails are equal."""
    left, right = np.sort(left, axis=1), np.sort(right, axis=1)  # sorted queries are looked up faster
    pairs = left.shape[1] * right.shape[1]
    above = pairs - search_rows(right, bound[:, None] - left, "left").sum(axis=1)
    below = above if mirrored else search_rows(right, -bound[:, None] - left, "right").sum(axis=1)
    counted: Ints = np.where(bound > 0, above + below, pairs)
    return counted


def search_rows(rows: Floats, values: Floats, side: Literal["left", "right"]) -> Ints:
    """`np.searchsorted` of values (n_rows, m) in sorted rows (n_rows, k), row by row."""
    places = np.empty(values.shape, dtype=np.int64)
    for i, row in enumerate(rows):
        places[i] = np.searchsorted(row, values[i], side)
    return places


# ---------------------------------------------------------------- simulation


def _simulated_p(pool: Floats, n_a: int, threshold: Floats, rng: np.random.Generator, n_resamples: int) -> Floats:
    """(1 + c) / (1 + B); a block of rows shares its random patterns, blocks have streams of their own."""
    counts = np.zeros(len(pool))
    blocks = [slice(start, start + _SHARING) for start in range(0, len(pool), _SHARING)]
    for rows, stream in zip(blocks, rng.spawn(len(blocks)), strict=True):
        for patterns in _random_patterns(stream, pool.shape[1], n_a, n_resamples):
            counts[rows] += (np.abs(pool[rows] @ patterns) >= threshold[rows, None]).sum(axis=1)
    p: Floats = (1 + counts) / (1 + n_resamples)
    return p


def _random_patterns(rng: np.random.Generator, n: int, n_a: int, total: int) -> Iterator[Floats]:
    """Columns of zeros and ones (n, chunk) with n_a ones each, until there are `total`."""
    chunk = max(1, min(2**13, _PATTERNS // n))
    for start in range(0, total, chunk):
        order = rng.random((min(chunk, total - start), n))
        members = np.argpartition(order, n_a - 1, axis=1)[:, :n_a]
        patterns = np.zeros((n, len(members)))
        patterns[members, np.arange(len(members))[:, None]] = 1
        yield patterns


def _blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Slices of rows, so that rows x width numbers stay within `_BLOCK`."""
    step = max(1, _BLOCK // width)
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def permutation_studentised(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Being written."""
    raise NotImplementedError
