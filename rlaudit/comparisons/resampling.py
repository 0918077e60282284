"""Bootstrap distributions of two groups, each resampled on its own: listed in full, or simulated.

`differences` and `t_statistics` deal a batch into blocks of rows and give the distribution of each. Mass is counted in
resamples: of the n_a^n_a n_b^n_b equally likely ones, or of the simulated ones. Counts are whole numbers, and so are
scores once `addable` has put them on a grid: sums are exact in any order, whatever the machine or its threads do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from rlaudit.comparisons.patterns import blocks, search_rows
from rlaudit.types import Floats, Ints

_BLOCK = 2**20  # resampled values held at once: 8 MB, which stays near the processor (64 MB: twice as slow)
_COUNTS = 2**21  # multinomial counts held at once: 16 MB
_NOISE = 1e-11  # a variance below this share of the largest square is rounding: 2e-12 with 10,000 seeds


class Distribution(Protocol):
    """What is asked of resampled values, a row of them for each pair of groups."""

    def beyond(self, x: Floats) -> tuple[Floats, Floats]:
        """Mass below and above x (n_rows,); what ties with x is in neither."""

    def ends(self, out_low: Floats, out_high: Floats) -> tuple[Floats, Floats]:
        """The values that leave at most this mass out on either side (n_rows,); no end where it is negative."""


Blocks: TypeAlias = Iterator[tuple[slice, Distribution]]


def differences(a: Floats, b: Floats, tie: Floats, rng: np.random.Generator, n_resamples: int) -> Blocks:
    """mean(a*) - mean(b*) of rows (n_rows, n_a) and (n_rows, n_b); all of them where `n_resamples` is 0."""
    if n_resamples:
        yield from _simulated(_difference, a, b, tie, tie, rng, n_resamples)
        return
    for rows in blocks(len(tie), len(multisets(max(a.shape[1], b.shape[1]))[1]), _BLOCK):
        yield rows, _pairs(a[rows], b[rows], tie[rows])


def t_statistics(
    a: Floats, b: Floats, tie: Floats, tie_t: Floats, rng: np.random.Generator, n_resamples: int
) -> Blocks:
    """((mean(a*) - mean(b*)) - d) / se*, se* by Welch. Each group is centred on its own mean, so that d is 0 here.

    Resamples without spread are at the infinity that their difference points to, and where it does not, at both (NaN).
    """
    if n_resamples:
        yield from _simulated(_studentised, a, b, tie, tie_t, rng, n_resamples)
        return
    (counts_a, ways_a), (counts_b, ways_b) = multisets(a.shape[1]), multisets(b.shape[1])
    ways = np.outer(ways_a, ways_b).ravel()
    for rows in blocks(len(tie), len(ways), _BLOCK):
        (mean_a, var_a), (mean_b, var_b) = _mean_and_variance(a[rows], counts_a), _mean_and_variance(b[rows], counts_b)
        gap, variance = mean_a[:, :, None] - mean_b[:, None, :], var_a[:, :, None] + var_b[:, None, :]
        values = _ratio(gap.reshape(-1, len(ways)), variance.reshape(-1, len(ways)), tie[rows])
        yield rows, Values(values, ways, tie_t[rows])


def addable(x: Floats) -> Floats:
    """x / n on a grid of 2^-52 of what bounds the row, on which the sum of any n of them is exact (n_rows, n)."""
    exponent = np.frexp(np.abs(x).max(axis=1, keepdims=True))[1]
    step = np.ldexp(1.0, np.maximum(exponent, -900) - 52)
    on_grid: Floats = np.rint(x / x.shape[1] / step) * step
    return on_grid


# ---------------------------------------------------------------- a list of values


@dataclass(frozen=True, eq=False)
class Values:
    """Resampled values, each with its number of ways. NaN is a value that lies on both sides of every x."""

    values: Floats  # (n_rows, n_values)
    ways: Floats | None  # (n_values,); None: one each
    tie: Floats  # (n_rows,)

    def beyond(self, x: Floats) -> tuple[Floats, Floats]:
        below, above = self.values < (x - self.tie)[:, None], self.values > (x + self.tie)[:, None]
        return self._mass(below), self._mass(above)

    def _mass(self, chosen: NDArray[np.bool_]) -> Floats:
        if self.ways is None:  # a row at a time is 5 times as fast as sum(axis=1), which turns each bool into an int
            return np.fromiter(map(np.count_nonzero, chosen), np.float64, len(chosen))
        return chosen @ self.ways

    def ends(self, out_low: Floats, out_high: Floats) -> tuple[Floats, Floats]:
        both = self._mass(np.isnan(self.values))
        if self.ways is None:
            ordered, n = np.sort(self.values, axis=1), self.values.shape[1]
            first, last = out_low - both, n - 1 - out_high
        else:
            order = np.argsort(self.values, axis=1)
            ordered, mass = np.take_along_axis(self.values, order, axis=1), np.cumsum(self.ways[order], axis=1)
            first = (mass <= (out_low - both)[:, None]).sum(axis=1)
            last = (mass < (mass[:, -1] - out_high)[:, None]).sum(axis=1)
        low, high = (_pick(ordered, place) for place in (first, last))
        return np.where(out_low < both, -np.inf, low), np.where((out_high < 0) | np.isnan(high), np.inf, high)


def _pick(ordered: Floats, place: Floats) -> Floats:
    index = np.clip(place, 0, ordered.shape[1] - 1).astype(np.int64)
    return np.take_along_axis(ordered, index[:, None], axis=1)[:, 0]


# ---------------------------------------------------------------- all differences of two lists of means


@dataclass(frozen=True, eq=False)
class _Pairs:
    """All resampled means of both groups (Fisher & Hall 1991, J. Stat. Plan. Inference 27); no list of pairs."""

    means_a: Floats  # (n_rows, n_multisets) ascending
    ways_a: Floats  # (n_rows, n_multisets)
    means_b: Floats
    ways_up_to: Floats  # (n_rows, 1 + n_multisets): of b, 0 first
    tie: Floats
    total: float

    def _above(self, x: Floats, side: Literal["left", "right"]) -> Floats:
        """Mass of d* > x, with side "left"; of d* >= x, with side "right"."""
        return self._mass_up_to(search_rows(self.means_b, self.means_a - x[:, None], side))

    def _mass_up_to(self, at: Ints) -> Floats:
        mass: Floats = np.einsum("ij,ij->i", _picked(self.ways_up_to, at), self.ways_a)
        return mass

    def beyond(self, x: Floats) -> tuple[Floats, Floats]:
        at = search_rows(self.means_b, self.means_a - (x - self.tie)[:, None], "right")
        not_below = self._mass_up_to(at)
        # Where no d* ties with x, what is not below is above; a tie is the last mean that was passed.
        last = _picked(self.means_b, np.maximum(at - 1, 0))
        tied = ((at > 0) & (last >= self.means_a - (x + self.tie)[:, None])).any(axis=1)
        above = not_below.copy()
        if tied.any():
            rows = replace(self, **{name: getattr(self, name)[tied] for name in _BY_ROW})
            above[tied] = rows._above((x + self.tie)[tied], "left")
        return self.total - not_below, above

    def ends(self, out_low: Floats, out_high: Floats) -> tuple[Floats, Floats]:
        start = self.means_a[:, 0] - self.means_b[:, -1], self.means_a[:, -1] - self.means_b[:, 0]
        low = bisect(lambda x: self.total - self._above(x, "left") > out_low, *start)
        high = bisect(lambda x: self._above(x, "right") <= out_high, *start)
        return np.where(out_low < 0, -np.inf, low), np.where(out_high < 0, np.inf, high)


_BY_ROW = ("means_a", "ways_a", "means_b", "ways_up_to", "tie")


def _picked(rows: Floats, places: Ints) -> Floats:
    """`np.take_along_axis` over the last axis, in half the time."""
    start = np.arange(0, rows.size, rows.shape[1])[:, None]
    picked: Floats = rows.ravel().take(places + start)
    return picked


def _pairs(a: Floats, b: Floats, tie: Floats) -> _Pairs:
    (means_a, ways_a), (means_b, ways_b) = _resampled_means(a), _resampled_means(b)
    up_to = np.concatenate([np.zeros((len(b), 1)), np.cumsum(ways_b, axis=1)], axis=1)
    n_a, n_b = a.shape[1], b.shape[1]
    return _Pairs(means_a, ways_a, means_b, up_to, tie, float(n_a**n_a * n_b**n_b))


def _resampled_means(x: Floats) -> tuple[Floats, Floats]:
    """All resampled means of each row in ascending order, and in how many ways each comes about."""
    counts, ways = multisets(x.shape[1])
    means = addable(x) @ counts
    order = np.argsort(means, axis=1)
    return _picked(means, order), ways[order]


def bisect(beyond: Callable[[Floats], NDArray[np.bool_]], low: Floats, high: Floats) -> Floats:
    """The smallest x in [low, high] beyond which `beyond` is true, per row."""
    for _ in range(45):  # 2^-45 of the range: 3e-14
        middle = (low + high) / 2
        found = beyond(middle)
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return high


@lru_cache(maxsize=16)
def multisets(n: int) -> tuple[Floats, Floats]:
    """How often each of n scores is drawn (n, n_multisets), and in how many of n^n ways that comes about."""
    bars = np.array(list(combinations(range(2 * n - 1), n - 1)), dtype=np.int64).reshape(-1, n - 1)
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), 2 * n - 1)], axis=1)
    counts = np.diff(edges, axis=1) - 1
    ways = np.rint(np.exp(gammaln(n + 1) - gammaln(counts + 1).sum(axis=1)))
    return np.ascontiguousarray(counts.T, dtype=np.float64), ways


# ---------------------------------------------------------------- simulation

_Statistic: TypeAlias = Callable[[Floats, Floats, Floats, Floats, Floats], Floats]


def _simulated(
    statistic: _Statistic,
    a: Floats,
    b: Floats,
    tie: Floats,
    tie_of_values: Floats,
    rng: np.random.Generator,
    n_resamples: int,
) -> Blocks:
    """A block of rows shares its multinomial counts, so that resampled means are one matrix product."""
    all_rows = list(blocks(len(tie), n_resamples, _BLOCK))
    for rows, stream in zip(all_rows, rng.spawn(len(all_rows)), strict=True):
        drawn = _counts(stream, a.shape[1], b.shape[1], n_resamples)
        parts = [statistic(a[rows], b[rows], *counts, tie[rows]) for counts in drawn]
        yield rows, Values(np.concatenate(parts, axis=1), None, tie_of_values[rows])


def _difference(a: Floats, b: Floats, counts_a: Floats, counts_b: Floats, tie: Floats) -> Floats:
    gap: Floats = addable(a) @ counts_a
    gap -= addable(b) @ counts_b
    return gap


def _studentised(a: Floats, b: Floats, counts_a: Floats, counts_b: Floats, tie: Floats) -> Floats:
    (mean_a, var_a), (mean_b, var_b) = _mean_and_variance(a, counts_a), _mean_and_variance(b, counts_b)
    return _ratio(mean_a - mean_b, var_a + var_b, tie)


def _ratio(gap: Floats, variance: Floats, tie: Floats) -> Floats:
    gap[np.abs(gap) <= tie[:, None]] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = gap / np.sqrt(variance)
    return ratio


def _mean_and_variance(x: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Of each resample the mean, and its squared standard error: variance (n - 1 below) / n."""
    squares = x * x
    mean = addable(x) @ counts
    variance: Floats = addable(squares) @ counts
    variance -= mean * mean
    variance[variance <= _NOISE * squares.max(axis=1, keepdims=True)] = 0
    variance /= x.shape[1] - 1
    return mean, variance


def _counts(rng: np.random.Generator, n_a: int, n_b: int, total: int) -> Iterator[tuple[Floats, Floats]]:
    """Multinomial counts of both groups (n, chunk), until there are `total`."""
    chunk = max(1, _COUNTS // (n_a + n_b))
    for start in range(0, total, chunk):
        width = min(chunk, total - start)
        yield _multinomial(rng, n_a, width), _multinomial(rng, n_b, width)


def _multinomial(rng: np.random.Generator, n: int, width: int) -> Floats:
    """(n, width) columns that count n draws among n; by bincount, 10 times as fast as rng.multinomial."""
    drawn = rng.integers(0, n, size=(n, width)) * width + np.arange(width)
    return np.bincount(drawn.ravel(), minlength=n * width).reshape(n, width).astype(np.float64)
