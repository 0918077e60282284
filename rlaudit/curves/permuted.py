"""Tests of two agents over a whole curve, by dealing whole curves anew between them.

Whichever evaluations a run lacks go with it, so that the runs stay exchangeable. At a step where an agent has fewer
than two runs, as observed or in an arrangement, t is 0. All arrangements are listed where they are no more than the
resamples asked for (5v5: 126), else drawn, with p = (1 + c) / (1 + B) (Phipson & Smyth 2010).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from rlaudit.comparisons.moments import smallest_p
from rlaudit.comparisons.patterns import every_pattern, random_patterns
from rlaudit.curves.alignment import Curves, from_first, two_agents
from rlaudit.seeds import generator
from rlaudit.types import Floats, Ints, frozen_array

_FLAT = 1e-6  # a variance below this share of that of all runs counts as this share: |t| ends near 1,000
_TIE = 1e-8  # two statistics this close, relative to their size, are a tie
_BLOCK = 2**18  # statistics held at once: 2 MB, which stay in the cache


@dataclass(frozen=True, eq=False)
class CurveTest:
    """Max-T over the steps. All arrays (n_points,)."""

    steps: Ints
    effect: Floats  # mean(a) - mean(b); NaN where an agent has no run
    statistic: Floats  # Welch's t
    adjusted: Floats  # p-values that hold for all steps together
    p_value: float  # do the curves differ at all? the smallest of them
    min_p: float  # the smallest that these numbers of runs can give
    mc_error: float  # of p_value; 0 where it is exact

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", frozen_array(self.steps, np.int64))
        for name in ("effect", "statistic", "adjusted"):
            object.__setattr__(self, name, frozen_array(getattr(self, name)))


class Cluster(NamedTuple):
    """Adjacent steps at which the same agent lies above the other by more than the threshold."""

    first: int  # step
    last: int
    direction: Literal[-1, 1]  # 1 where a scores higher
    mass: float  # sum of |t|
    p_value: float  # against the largest mass anywhere


@dataclass(frozen=True, eq=False)
class ClusterTest:
    """Clusters in the order of the steps; arrays (n_points,)."""

    steps: Ints
    statistic: Floats  # Welch's t
    threshold: float  # of |t|
    clusters: tuple[Cluster, ...]
    p_value: float  # that of the largest cluster; 1 without one
    min_p: float
    mc_error: float
    meaning: str = "a significant cluster says that the curves differ somewhere, not at which steps"

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", frozen_array(self.steps, np.int64))
        object.__setattr__(self, "statistic", frozen_array(self.statistic))


def curve_max_t(a: Curves, b: Curves, *, rng: np.random.Generator | None = None, n_resamples: int = 9999) -> CurveTest:
    """At which steps do the curves differ? Step-down max-T (Westfall & Young 1993, algorithm 4.1) on Welch's |t|.

    The chance that any step is named at which the agents do not differ is at most alpha. `p_value`, the smallest
    adjusted p, is that of the largest |t| over all steps and tests that nothing differs anywhere.
    """
    steps, x, y = two_agents(a, b)
    pool = _Pool.of(x, y)
    observed = np.abs(pool.statistic())
    order = np.argsort(observed, kind="stable")
    hits = np.zeros(len(steps))
    deal = _deal(pool, rng or generator(0, "curves", "max t"), n_resamples)
    for t in deal.blocks:
        largest = np.maximum.accumulate(np.abs(t)[:, order], axis=1)  # over the steps that follow in the step-down
        hits += (largest >= observed[order] * (1 - _TIE)).sum(axis=0)
    adjusted = np.empty(len(steps))
    adjusted[order] = np.maximum.accumulate(deal.share(hits)[::-1])[::-1]
    p = float(adjusted.min())
    return CurveTest(steps, pool.effect, pool.statistic(), adjusted, p, deal.min_p, deal.error(p))


def cluster_test(
    a: Curves,
    b: Curves,
    *,
    threshold: float | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 9999,
) -> ClusterTest:
    """Do the curves differ anywhere? Cluster mass (Maris & Oostenveld 2007, J. Neuroscience Methods 164).

    A cluster is a stretch of adjacent steps with |t| above the threshold and the same sign; without a threshold it is
    Student's critical value at .05 for the runs that there are. Its mass is compared with the largest of each
    arrangement. A significant cluster says that the curves differ somewhere. Its ends have no p-value: they are where
    t crossed a line (Sassenhagen & Draschkow 2019, Psychophysiology 56). For steps, ask `curve_max_t`.
    """
    steps, x, y = two_agents(a, b)
    pool = _Pool.of(x, y)
    if threshold is None:
        threshold = float(stdtrit(max(1, len(x) + len(y) - 2), 0.975))
    t = pool.statistic()
    starts, masses = _clusters(t[None], threshold)
    hits = np.zeros(len(masses))
    deal = _deal(pool, rng or generator(0, "curves", "clusters"), n_resamples)
    for block in deal.blocks:
        hits += (_largest_mass(block, threshold)[:, None] >= masses * (1 - _TIE)).sum(axis=0)
    p_values, ends = deal.share(hits), np.append(starts[1:], len(t))
    clusters = tuple(
        Cluster(int(steps[start]), int(steps[end - 1]), 1 if t[start] > 0 else -1, float(mass), float(p))
        for start, end, mass, p in zip(starts, ends, masses, p_values, strict=True)
        if mass > 0
    )
    p = min((cluster.p_value for cluster in clusters), default=1.0)
    return ClusterTest(steps, t, threshold, clusters, p, deal.min_p, deal.error(p))


def _clusters(t: Floats, threshold: float) -> tuple[Ints, Floats]:
    """Where stretches of equal sign start in t (n_rows, n_points), flattened; their masses, 0 between clusters."""
    sign = np.sign(t) * (np.abs(t) > threshold)
    begins = np.ones(t.shape, bool)
    begins[:, 1:] = sign[:, 1:] != sign[:, :-1]
    starts = np.flatnonzero(begins)
    return starts, np.add.reduceat((t * sign).ravel(), starts)


def _largest_mass(t: Floats, threshold: float) -> Floats:
    starts, masses = _clusters(t, threshold)
    largest: Floats = np.maximum.reduceat(masses, np.searchsorted(starts, np.arange(len(t)) * t.shape[1]))
    return largest


# ---------------------------------------------------------------- arrangements


class _Pool(NamedTuple):
    """The runs of both agents, a's first: at each step centred, scaled, and 0 where a run has no evaluation."""

    x: Floats  # (n_runs, n_points)
    seen: Floats  # (n_runs, n_points), or (n_runs, 1) where nothing is missing
    n_a: int
    effect: Floats  # (n_points,) in the units of the score

    @classmethod
    def of(cls, a: Floats, b: Floats) -> "_Pool":
        moved = from_first(np.concatenate([a, b]))[1]
        seen = ~np.isnan(moved)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_a, mean_b = (
                np.where(seen[part], moved[part], 0).sum(axis=0) / seen[part].sum(axis=0)
                for part in (slice(None, len(a)), slice(len(a), None))
            )
            x = np.where(seen, moved - np.where(seen, moved, 0).sum(axis=0) / seen.sum(axis=0), 0)
            x = np.nan_to_num(x / np.abs(x).max(axis=0))
        return cls(x, (seen[:, :1] if seen.all() else seen).astype(np.float64), len(a), mean_a - mean_b)

    def statistic(self) -> Floats:
        """(n_points,) as observed; by plain sums, which are the same for any number of threads."""
        members = (np.arange(len(self.x)) < self.n_a)[:, None]
        sums = ((part * members).sum(axis=0, keepdims=True) for part in (self.seen, self.x, self.x**2))
        t: Floats = self.welch(*sums)[0]
        return t

    def welch(self, n_a: Floats, sum_a: Floats, squares_a: Floats) -> Floats:
        """(n_patterns, n_points): Welch's t from what the members of the first group add up to."""
        squares = (self.x**2).sum(axis=0)
        n_b = self.seen.sum(axis=0) - n_a
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_a, mean_b = sum_a / n_a, (self.x.sum(axis=0) - sum_a) / n_b
            variance = (squares_a / n_a - mean_a**2) / (n_a - 1) + ((squares - squares_a) / n_b - mean_b**2) / (n_b - 1)
            least = _FLAT * squares / (n_a + n_b) * (1 / n_a + 1 / n_b)
            t = (mean_a - mean_b) / np.sqrt(np.maximum(variance, least))
        return np.where((n_a > 1) & (n_b > 1) & (squares > 0), t, 0.0)


class _Deal(NamedTuple):
    blocks: Iterator[Floats]  # t (n_patterns, n_points)
    n_patterns: int
    exact: bool
    min_p: float

    def share(self, hits: Floats) -> Floats:
        p: Floats = hits / self.n_patterns if self.exact else (1 + hits) / (1 + self.n_patterns)
        return p

    def error(self, p: float) -> float:
        return 0.0 if self.exact else float(np.sqrt(p * (1 - p) / (1 + self.n_patterns)))


def _deal(pool: _Pool, rng: np.random.Generator, n_resamples: int) -> _Deal:
    """|t| is the same for mirror images, so that half of the patterns of equal groups are enough."""
    n, n_a = len(pool.x), pool.n_a
    n_patterns = comb(n, n_a) // (2 if 2 * n_a == n else 1)
    least = smallest_p(n_a, n - n_a) if 1 < n_a < n - 1 else 1.0
    if n_patterns <= n_resamples:
        return _Deal(_blocks(pool, iter([every_pattern(n, n_a)[0]])), n_patterns, True, least)
    drawn = random_patterns(rng, n, n_a, n_resamples)
    return _Deal(_blocks(pool, drawn), n_resamples, False, max(least, 1 / (1 + n_resamples)))


def _blocks(pool: _Pool, patterns: Iterator[Floats]) -> Iterator[Floats]:
    size, squares = max(1, _BLOCK // pool.x.shape[1]), pool.x**2
    for chunk in patterns:
        for start in range(0, chunk.shape[1], size):
            members = chunk[:, start : start + size].T
            yield pool.welch(members @ pool.seen, members @ pool.x, members @ squares)
