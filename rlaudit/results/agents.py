"""One agent on one task: its seeds, and what happens when they are dealt into groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rlaudit.types import SeedLabel


@dataclass(frozen=True)
class Arm:
    """One agent on one task."""

    agent: str
    task: str
    n_seeds: int  # seeds with a score
    n_failed: int  # seeds without one
    mean: float | None
    sd: float | None  # ddof 1
    median: float | None
    iqm: float | None  # mean of the middle half of the seeds
    low: float | None  # interval of the mean at level 1 - alpha (Student)
    high: float | None
    iqm_low: float | None  # percentile bootstrap over seeds
    iqm_high: float | None
    seeds: tuple[SeedLabel, ...]  # in the order of `scores`
    scores: tuple[float, ...]
    failed: tuple[SeedLabel, ...] = ()
    failure_low: float | None = None  # 95 % Clopper-Pearson interval of the share of seeds that fail
    failure_high: float | None = None
    weights_sha256: tuple[str, ...] = ()  # in the order of `seeds`; empty where rlaudit has not trained the runs


@dataclass(frozen=True)
class Spread:
    """How large something gets over the splits."""

    median: float
    p95: float
    max: float


@dataclass(frozen=True)
class SplitTest:
    """How often a test calls two groups of one and the same agent different."""

    rate: float  # share of the splits with p < alpha
    low: float | None  # 95 % interval over seeds: another pool of as many seeds; None where it cannot be said
    high: float | None
    n_effective: float | None  # independent experiments that would pin the rate as well; None: cannot be said
    expected: float  # what chance alone predicts: the rate of this test for normal seeds
    min_p: float  # the smallest p-value that this group size can give
    constant: bool  # a rate that the test fixes by construction says nothing about the data


@dataclass(frozen=True)
class NamedSplit:
    """One split that is shown, with its place among all of them."""

    a: tuple[SeedLabel, ...]
    b: tuple[SeedLabel, ...]
    mean_a: float  # the group with the higher mean
    mean_b: float
    gap: float  # mean_a - mean_b
    percentile: float  # share of the splits whose gap is at most this one, in percent
    welch_p: float


@dataclass(frozen=True)
class SplitAudit:
    """One agent against itself, with `group_size` seeds a side."""

    agent: str
    task: str
    group_size: int
    n_splits: int
    exhaustive: bool
    n_effective: float | None  # that of the test which decides the verdict
    gap: Spread  # |mean(group 1) - mean(group 2)|, in units of the score
    relative_gap: Spread | None  # the same, divided by |pool mean|; None where the pool mean is 0
    normal_gap: Spread  # what normal seeds of the same sd give (max: of as many splits of one pool; an estimate)
    tests: Mapping[str, SplitTest]
    any_significant: float | None  # share of normal pools in which Welch calls at least one split significant
    p_histogram: tuple[int, ...]  # p-values of the deciding test over the splits, 20 equal bins of [0, 1]
    wrong_winner: tuple[tuple[float, float], ...]  # (true gain in sd, share of splits that name the worse agent)
    median_split: NamedSplit
    worst_split: NamedSplit


@dataclass(frozen=True)
class GroupCurves:
    """The learning curves of one split: two groups of one and the same agent."""

    agent: str
    task: str
    group_size: int
    which: Literal["median", "worst"]
    percentile: float
    steps: tuple[int, ...]  # (n_points,) at most 200
    a: tuple[tuple[float | None, ...], ...]  # (group_size, n_points)
    b: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Twins:
    """Seeds of one agent whose runs are the same to the bit."""

    agent: str
    task: str
    seeds: tuple[SeedLabel, ...]
