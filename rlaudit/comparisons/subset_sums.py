"""All arrangements of two groups without listing them: how many lie beyond a bound, and which is the k-th of them.

Horowitz & Sahni 1974 (J. ACM 21): an arrangement takes some scores of the first half of the pool and the rest of the
second. The subset sums of the second half are sorted, and each sum of the first looks up how many of them carry it
past the bound: 2^20 look-ups instead of the 1.4e11 arrangements of 20 against 20.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from rlaudit.types import Floats, Ints

_LISTED = 4096  # arrangements between two bounds that are listed rather than counted, at least
_GUESSES = 8  # steps by the t distribution before a pivot is drawn from the data: smooth data need 3-5


class Arrangements(NamedTuple):
    """Sums Z over the smaller group of all arrangements of one row in which m > 0 of its scores are others.

    The row is measured so that both groups have mean 0. Shift the smaller group by u: the sum of an arrangement is
    then at least the observed one where Z >= u m, and at most its mirror image where Z <= -u rest.
    """

    owed: Floats  # (n_left,) minus the sums of the first half, which holds the smaller group
    keys: Floats  # (n_right,) sums of the second half in ascending order, each size of subset in a band of its own
    band: Floats  # (n_left,) the middle of the band that completes each of them
    first: Ints  # (n_left,) the part of `keys` in that band
    last: Ints
    m: Floats  # (n_left,)
    rest: Floats  # (n_left,) n_small - m + n_small (n_large - n_small) / n
    reach: float  # no sum of the second half is farther from 0

    def mirrored(self) -> "Arrangements":
        """Those of the same scores with the opposite sign."""
        n_right = len(self.keys)
        first, last = n_right - self.last, n_right - self.first
        return self._replace(owed=-self.owed, keys=-self.keys[::-1], band=-self.band, first=first, last=last)

    def _places(self, bound: Floats, side: Literal["left", "right"]) -> Ints:
        """Where in `keys` the sums begin, or end, that carry each sum of the first half to its bound."""
        wanted = bound + self.owed
        np.clip(wanted, -self.reach, self.reach, out=wanted)
        wanted += self.band
        return self.keys.searchsorted(wanted, side)

    def above(self, u: float, slack: float = 0.0) -> Ints:
        """The `keys` from here to `last` have Z >= u m - slack."""
        return self._places(u * self.m - slack, "left")

    def below(self, u: float, slack: float = 0.0) -> Ints:
        """The `keys` from `first` to here have Z <= -u rest + slack."""
        return self._places(slack - u * self.rest, "right")

    def beyond(self, u: float, slack: float, both: bool) -> int:
        """How many arrangements are at least as far out at the shift u; `both`: to either side."""
        n = int((self.last - self.above(u, slack)).sum())
        return n + int((self.below(u, slack) - self.first).sum()) if both else n


def arrangements(aligned: Floats, n_small: int) -> Iterator[Arrangements]:
    """One for each row of `aligned` (n_rows, n), which has the smaller group in front and mean 0 in both groups."""
    n = aligned.shape[1]
    layout = _layout(n_small, n)
    owed = all_sums(-aligned[:, : n // 2])[:, layout.left]
    right = all_sums(aligned[:, n // 2 :])
    if len(layout.right) < right.shape[1]:
        right = right[:, layout.right]
    for group in layout.groups:
        owed[:, group].sort(axis=1)  # sorted look-ups are five times as fast
    reach = np.abs(right).max(axis=1) * (1 + 1e-9) + np.finfo(np.float64).tiny
    width = 3 * reach
    right += width[:, None] * layout.right_size
    right.sort(axis=1)
    for i in range(len(aligned)):
        band = width[i] * layout.missing
        yield Arrangements(owed[i], right[i], band, layout.first, layout.last, layout.m, layout.rest, float(reach[i]))


def all_sums(x: Floats) -> Floats:
    """Sums of all subsets of each row (n_rows, 2^n): those without the last element, then those with it."""
    sums = np.zeros((len(x), 1))
    for i in range(x.shape[1]):
        sums = np.concatenate([sums, sums + x[:, i, None]], axis=1)
    return sums


def sums_by_size(x: Floats) -> list[Floats]:
    """Sums of all subsets of each row, by size k: (n_rows, C(n, k)); grown by one element at a time, as Pascal does."""
    sums = [np.zeros((len(x), 1))]
    for column in x.T:
        taken = [s + column[:, None] for s in sums]
        sums = [sums[0], *(np.concatenate(pair, axis=1) for pair in zip(sums[1:], taken, strict=False)), taken[-1]]
    return sums


def listed_sums(x: Floats, n_taken: int) -> Floats:
    """Sums of all C(n, n_taken) subsets of that size of each row, always in the same order: (n_rows, n_subsets)."""
    n_rows, n = x.shape
    halves = x[:, : n // 2], x[:, n // 2 :]
    sums = [all_sums(half) for half in halves]
    sizes = [all_sums(np.ones((1, half.shape[1])))[0] for half in halves]
    pairs = (sums[0][:, sizes[0] == k, None] + sums[1][:, None, sizes[1] == n_taken - k] for k in range(n_taken + 1))
    return np.concatenate([pair.reshape(n_rows, -1) for pair in pairs], axis=1)


class _Layout(NamedTuple):
    """What is the same for all rows."""

    left: Ints  # subsets of the first half that can be completed, in groups of equal size and m
    groups: tuple[slice, ...]
    right: Ints
    right_size: Floats
    missing: Floats  # (n_left,) how many scores of the second half complete it
    first: Ints
    last: Ints
    m: Floats
    rest: Floats


@lru_cache(maxsize=4)
def _layout(n_small: int, n: int) -> _Layout:
    half = n // 2
    size = all_sums(np.ones((1, half)))[0]
    kept = all_sums(np.where(np.arange(half) < n_small, 1.0, 0.0)[None])[0]  # how many of the smaller group
    order = np.lexsort((kept, size))
    left = order[(size[order] <= n_small) & (kept[order] < n_small)]
    size, kept = size[left], kept[left]
    edges = np.flatnonzero(np.diff(size * (n + 1) + kept)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(left)]
    right_size = all_sums(np.ones((1, n - half)))[0]
    right = np.flatnonzero(right_size <= n_small)
    ends = np.cumsum(np.bincount(right_size[right].astype(np.int64), minlength=n_small + 1))
    missing = n_small - size
    last = ends[missing.astype(np.int64)]
    first = np.concatenate([[0], ends])[missing.astype(np.int64)]
    return _Layout(
        left=left,
        groups=tuple(map(slice, starts, stops)),
        right=right,
        right_size=right_size[right],
        missing=missing,
        first=first,
        last=last,
        m=n_small - kept,
        rest=kept + n_small * (n - 2 * n_small) / n,
    )


# ---------------------------------------------------------------- the k-th


class _Bound(NamedTuple):
    """A shift, and how many arrangements are as far out as the observed one from there on."""

    u: float
    n_beyond: int
    above: Ints  # as `Arrangements.above`
    below: Ints


def kth_shift(found: Arrangements, k: int, total: int, both: bool, scale: float, df: int) -> float:
    """The largest shift u at which k of the `total` arrangements are as far out as the observed one.

    Each arrangement is so up to a shift of its own, Z / m or -Z / rest; the answer is the k-th largest of those. Two
    bounds close in on it, guessed as if these shifts were `scale` times t with `df` degrees of freedom, until so few
    arrangements are left between them that they can be listed. Where scores are tied very many may have the answer
    itself for their shift: then shifts that the data do have are tried.
    """
    if k < 1:
        return np.inf
    if scale == 0:
        return 0.0
    lower = _bound(found, 0.0, both) if both else _Bound(-np.inf, total, found.first, found.first)
    upper = _Bound(np.inf, 0, found.last, found.first)
    few = max(_LISTED, 2 * len(found.owed))
    margin = min(few // 3, k // 2)
    u, t, slope, guesses = 0.0, 0.0, -scale, 0
    while lower.n_beyond - upper.n_beyond > few:
        wanted = _t(k + margin if lower.n_beyond - k > k - upper.n_beyond else k - margin, total, both, df)
        guess = u + slope * (wanted - t)
        if guesses < _GUESSES and lower.u < guess < upper.u:
            tried, guesses = [guess], guesses + 1
        else:
            pivot = _pivot(found, lower, upper)
            blur = 1e-12 * (found.reach + abs(pivot))  # sums in bands are rounded to less than that
            tried = [pivot - blur, pivot + blur]
        for shift in tried:
            bound = _bound(found, shift, both)
            if bound.n_beyond >= k:
                lower = max(lower, bound, key=itemgetter(0))
            else:
                upper = min(upper, bound, key=itemgetter(0))
        if [lower.u, upper.u] == tried:
            return pivot
        new = _t(bound.n_beyond, total, both, df)
        slope = (bound.u - u) / (new - t) if new != t else slope
        u, t = bound.u, new
    shifts = _between(found, lower, upper)
    at = len(shifts) - (k - upper.n_beyond)
    return float(np.partition(shifts, at)[at])


def _t(n_beyond: int, total: int, both: bool, df: int) -> float:
    return float(stdtrit(df, (n_beyond + 0.5) / (total + 1) / (1 + both)))


def _bound(found: Arrangements, u: float, both: bool) -> _Bound:
    above, below = found.above(u), found.below(u) if both else found.first
    return _Bound(u, int((found.last - above).sum() + (below - found.first).sum()), above, below)


def _between(found: Arrangements, lower: _Bound, upper: _Bound) -> Floats:
    """The shifts of all arrangements between two bounds."""
    near = _listed(found, lower.above, upper.above) / np.repeat(found.m, upper.above - lower.above)
    if not (lower.below - upper.below).any():
        return near
    far = _listed(found, upper.below, lower.below) / np.repeat(found.rest, lower.below - upper.below)
    return np.concatenate([near, -far])


def _listed(found: Arrangements, start: Ints, stop: Ints) -> Floats:
    """Sums Z of each sum of the first half with its `keys` from start to stop."""
    n = stop - start
    places = np.arange(n.sum()) + np.repeat(start - (np.cumsum(n) - n), n)
    sums: Floats = found.keys[places] + np.repeat(-found.band - found.owed, n)
    return sums


def _pivot(found: Arrangements, lower: _Bound, upper: _Bound) -> float:
    """The shift of the arrangement in the middle of those between two bounds, as they lie in memory."""
    near, far = upper.above - lower.above, lower.below - upper.below
    both_near = near.sum() >= far.sum()
    n, start, steps = (near, lower.above, found.m) if both_near else (far, upper.below, -found.rest)
    i = int(np.searchsorted(np.cumsum(n), n.sum() / 2))
    return float((found.keys[start[i] + n[i] // 2] - found.band[i] - found.owed[i]) / steps[i])
