"""Bootstrap tests of the difference of means: the percentile interval that papers use, and the expanded one.

Both resample each group on its own. The percentile interval is too narrow for few seeds, by sqrt((n - 1) / n) and by
a normal quantile where a t quantile belongs: as a test it gives 33 / 20 / 13 / 9 / 7 % false positives at
n = 2 / 3 / 5 / 10 / 20. It is kept for comparison with the literature; the expanded one is the one to use.

With `interval=False`, `low` and `high` are NaN: the quantiles of a batch cost 20 times its p-values.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from math import comb, floor
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

from rlaudit.comparisons.moments import Moments, centre, flat_reach, moments, one_seed, without_spread
from rlaudit.comparisons.permutations import search_rows
from rlaudit.types import Alternative, Comparison, Floats, Ints

_BUDGET = 2**21  # rows x multisets: 16,644 times 5v5 (126 each), 325 times 8v8 (6,435 each)
_MOST = 10_000  # multisets of a group: n = 8; at n = 10 (92,378) one interval would take .25 s
_BLOCK = 2**23  # resampled differences held at once: 64 MB
_WEIGHTS = 2**21  # weights held at once: 16 MB


def bootstrap_percentile(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """p = 2 min(P(d* <= 0), P(d* >= 0)): the level at which the percentile interval (Efron 1979) lets go of 0.

    Where all resamples lie on one side this is 0, whatever n: that is what is wrong with it. Simulated shares are
    taken as they are, c / B, as the literature does.
    """
    found = moments(a, b)
    n_a, n_b = a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("bootstrap_percentile", found.effect)
    d = _difference(a, b, alpha / 2 if interval else None, 0, rng, n_resamples)
    tail = _tail(d)
    p = without_spread(np.minimum(2 * tail, 1), found, n_a, n_b)
    low, high = _ends(d, found, n_a, n_b, alpha)
    return Comparison(
        test="bootstrap_percentile",
        effect=found.effect,
        low=low,
        high=high,
        statistic=found.effect,
        df=np.full_like(p, np.nan),
        p_value=p,
        min_p=0.0,
        mc_error=2 * _tail_error(tail, d),
    )


def bootstrap_expanded(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """The expanded percentile interval (Hesterberg 2015, The American Statistician 69, 371-386) and its p-value.

    The interval is read at the level alpha' with Phi^-1(alpha'/2) = t_{alpha/2, m-1} sqrt(m / (m-1)), which for normal
    data makes it a t interval; for two samples m is the smaller group, as in Hesterberg's R package `resample`.
    Solved for alpha: p = 2 T_{m-1}(sqrt((m-1) / m) Phi^-1(tail)).

    Our addition: a tail below the probability of the single most extreme resample, 1 / (n_a^n_a n_b^n_b), is nothing
    that the bootstrap distribution knows, so it is not read there. Without this floor two groups that do not overlap
    are always significant: 33 % of the time for the same agent at n = 2 and 10 % at n = 3. With it n <= 3 never is.
    A simulated tail is (1 + c) / (1 + B), for the same reason.
    """
    found = moments(a, b)
    n_a, n_b = a.shape[-1], b.shape[-1]
    m = min(n_a, n_b)
    if m < 2:
        return one_seed("bootstrap_expanded", found.effect)
    narrow, least = np.sqrt(1 - 1 / m), float(np.exp(-n_a * np.log(n_a) - n_b * np.log(n_b)))
    level = float(ndtr(stdtrit(m - 1, alpha / 2) / narrow))
    d = _difference(a, b, level if interval else None, 1, rng, n_resamples)
    tail = np.clip(_tail(d), least, 0.5)
    t = narrow * ndtri(tail)
    p = without_spread(2 * stdtr(m - 1, t), found, n_a, n_b)
    low, high = _ends(d, found, n_a, n_b, alpha)
    if level < least:
        low, high = np.full_like(low, -np.inf), np.full_like(high, np.inf)
    smallest_tail = max(least, 1 / (1 + d.n_resamples) if d.n_resamples else 0.0)
    # dp/dtail = 2 f_{m-1}(t) narrow / phi(z), with the t density f from its own derivative of stdtr
    slope = (stdtr(m - 1, t + 1e-4) - stdtr(m - 1, t - 1e-4)) * 1e4 * narrow * np.sqrt(2 * np.pi)
    error = slope * np.exp(ndtri(tail) ** 2 / 2) * _tail_error(tail, d)
    return Comparison(
        test="bootstrap_expanded",
        effect=found.effect,
        low=low,
        high=high,
        statistic=np.sign(d.above - d.below) * -t,
        df=np.full_like(t, m - 1),
        p_value=p,
        min_p=float(2 * stdtr(m - 1, narrow * ndtri(smallest_tail))),
        mc_error=error,
    )


# ---------------------------------------------------------------- the distribution of the difference


class _Difference(NamedTuple):
    """The bootstrap distribution of mean(a*) - mean(b*); arrays (...)."""

    below: Floats  # mass of d* < 0: a probability where it is enumerated, else a count of resamples
    above: Floats  # mass of d* > 0
    low: Floats  # quantiles; NaN where nobody asked
    high: Floats
    n_resamples: int  # 0: enumerated
    plus: int  # resamples added to each simulated tail


def _tail(d: _Difference) -> Floats:
    """The smaller tail beyond 0 as a probability; the mass at 0 belongs to both."""
    total, plus = (d.n_resamples, d.plus) if d.n_resamples else (1, 0)
    mass = total - np.maximum(d.below, d.above)
    return np.clip((plus + mass) / (plus + total), 0, 1)


def _tail_error(tail: Floats, d: _Difference) -> Floats:
    """Its standard error; no resample out there does not mean that there is nothing, so at least 1 / (1 + B) counts."""
    if not d.n_resamples:
        return np.zeros_like(tail)
    tail = np.maximum(tail, 1 / (1 + d.n_resamples))
    return np.sqrt(tail * (1 - tail) / d.n_resamples)


def _ends(d: _Difference, found: Moments, n_a: int, n_b: int, alpha: float) -> tuple[Floats, Floats]:
    flat = (found.var_a == 0) & (found.var_b == 0)
    reach = flat_reach(found.effect, n_a, n_b, alpha)
    return np.where(flat, found.effect - reach, d.low), np.where(flat, found.effect + reach, d.high)


def _difference(
    a: Floats, b: Floats, level: float | None, plus: int, rng: np.random.Generator, n_resamples: int
) -> _Difference:
    """Enumerated where the budget allows that for all rows, else simulated; with quantiles at `level`, 1 - `level`."""
    shape, n_a, n_b = a.shape[:-1], a.shape[-1], b.shape[-1]
    a, b, tie = centre(a, b)
    rows = a.reshape(-1, n_a), b.reshape(-1, n_b), tie.ravel(), level
    multisets = comb(2 * max(n_a, n_b) - 1, max(n_a, n_b))
    exact = multisets <= min(_MOST, _BUDGET // tie.size)
    parts = _enumerated(*rows) if exact else _simulated(*rows, plus, rng, n_resamples)
    below, above, low, high = (part.reshape(shape) for part in parts)
    return _Difference(below, above, low, high, 0 if exact else n_resamples, plus)


def _enumerated(a: Floats, b: Floats, tie: Floats, level: float | None) -> tuple[Floats, Floats, Floats, Floats]:
    """All C(2n - 1, n) multisets of each group with their multinomial probabilities (Fisher & Hall 1991)."""
    means_a, mass_a = _resampled_means(a)
    means_b, mass_b = _resampled_means(b)
    cumulated = np.concatenate([np.zeros((len(b), 1)), np.cumsum(mass_b, axis=1)], axis=1)

    def share_below(x: Floats, side: Literal["left", "right"]) -> Floats:
        """P(d* < x), with side "right"; P(d* <= x), with side "left"."""
        at = search_rows(means_b, means_a - x[:, None], side)
        above: Floats = np.einsum("ij,ij->i", np.take_along_axis(cumulated, at, axis=1), mass_a)
        return 1 - above

    below, above = share_below(-tie, "right"), 1 - share_below(tie, "left")
    if level is None:
        nothing = np.full_like(tie, np.nan)
        return below, above, nothing, nothing
    start = means_a[:, 0] - means_b[:, -1], means_a[:, -1] - means_b[:, 0]
    low = _bisect(lambda x: share_below(x, "left") > level, *start)
    high = _bisect(lambda x: share_below(x, "right") >= 1 - level, *start)
    return below, above, low, high


def _resampled_means(x: Floats) -> tuple[Floats, Floats]:
    """All resampled means of each row in ascending order, and their probabilities."""
    weights, mass = _multisets(x.shape[1])
    means = x @ weights
    order = np.argsort(means, axis=1)
    return np.take_along_axis(means, order, axis=1), mass[order]


def _bisect(beyond: Callable[[Floats], NDArray[np.bool_]], low: Floats, high: Floats) -> Floats:
    """The smallest x in [low, high] beyond which `beyond` is true, per row."""
    for _ in range(45):  # 2^-45 of the range: 3e-14
        middle = (low + high) / 2
        found = beyond(middle)
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return high


@lru_cache(maxsize=16)
def _multisets(n: int) -> tuple[Floats, Floats]:
    """Weights (n, n_multisets) that turn n scores into resampled means, and the probability of each."""
    bars = np.array(list(combinations(range(2 * n - 1), n - 1)), dtype=np.int64).reshape(-1, n - 1)
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), 2 * n - 1)], axis=1)
    counts = np.diff(edges, axis=1) - 1
    mass = np.exp(gammaln(n + 1) - gammaln(counts + 1).sum(axis=1) - n * np.log(n))
    return np.ascontiguousarray(counts.T / n), mass / mass.sum()


def _simulated(
    a: Floats, b: Floats, tie: Floats, level: float | None, plus: int, rng: np.random.Generator, n_resamples: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """A block of rows shares its multinomial weights: resampled differences are one matrix product."""
    pool = np.concatenate([a, -b], axis=1)
    below, above, low, high = (np.full(len(pool), np.nan) for _ in range(4))
    step = max(1, _BLOCK // n_resamples)
    starts = range(0, len(pool), step)
    for start, stream in zip(starts, rng.spawn(len(starts)), strict=True):
        rows = slice(start, start + step)
        chunks = _weights(stream, a.shape[1], b.shape[1], n_resamples)
        d = np.concatenate([pool[rows] @ weights for weights in chunks], axis=1)
        below[rows] = (d < -tie[rows, None]).sum(axis=1)
        above[rows] = (d > tie[rows, None]).sum(axis=1)
        if level is not None:
            low[rows], high[rows] = _order_statistics(d, level, plus)
    return below, above, low, high


def _weights(rng: np.random.Generator, n_a: int, n_b: int, total: int) -> Iterator[Floats]:
    """Multinomial counts / n of both groups (n_a + n_b, chunk), until there are `total`."""
    chunk = max(1, _WEIGHTS // (n_a + n_b))
    for start in range(0, total, chunk):
        width = min(chunk, total - start)
        yield np.concatenate([_multinomial(rng, n, width) / n for n in (n_a, n_b)])


def _multinomial(rng: np.random.Generator, n: int, width: int) -> Ints:
    """(n, width) columns that count n draws among n; by bincount, 10 times as fast as rng.multinomial."""
    drawn = rng.integers(0, n, size=(n, width)) * width + np.arange(width)
    return np.bincount(drawn.ravel(), minlength=n * width).reshape(n, width)


def _order_statistics(d: Floats, level: float, plus: int) -> tuple[Floats, Floats]:
    """The ends which leave out as many resamples as keep the tail, (plus + c) / (plus + B), at most at `level`.

    Without ends where not even none would: so far out these resamples say nothing.
    """
    left_out = floor(level * (d.shape[1] + plus) + 1e-9) - plus
    if left_out < 0:
        end = np.full(len(d), np.inf)
        return -end, end
    d.sort(axis=1)
    return d[:, left_out], d[:, -1 - left_out]


def bootstrap_pivotal(
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


def bootstrap_t(
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


def bootstrap_bca(
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
