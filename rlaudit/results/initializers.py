"""The initializer as a hyper-parameter."""

from dataclasses import dataclass

from rlaudit.results.leaderboard import MatrixCell


@dataclass(frozen=True)
class Start:
    """One way to draw an agent's initial weights: its seeds, its place, and whom it is not told apart from."""

    label: str  # of its arm
    scheme: str
    last_gain: float | None  # None: any gives the same weights
    mean: float
    low: float | None  # interval of the mean at level 1 - alpha
    high: float | None
    rank: int  # 1 is best
    rank_low: int  # simultaneous interval of the true rank
    rank_high: int
    first: float | None  # share of draws of as many fresh seeds in which it comes first
    letters: tuple[str, ...]  # those that share one are not told apart
    scores: tuple[float, ...]
    n_failed: int = 0


@dataclass(frozen=True)
class GainEffect:
    """Mean of a scheme with this last gain, less its mean with the largest one."""

    scheme: str
    last_gain: float
    against: float
    effect: float
    low: float  # all gain effects of the audit together at level 1 - alpha
    high: float


@dataclass(frozen=True)
class VarianceShare:
    """Part of the variance of a score, were the initial weights picked by lot."""

    of: str  # "scheme", "last gain", "scheme with last gain", "seeds"
    last_gain: float | None  # among runs with this one; None: among all
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Initializers:
    """One agent on one task, from every initializer."""

    agent: str
    task: str
    timesteps: int
    starts: tuple[Start, ...]  # the best first
    clusters: tuple[tuple[str, ...], ...]  # labels; within each no pair is told apart
    matrix: tuple[MatrixCell, ...]  # all pairs
    n_decided: int
    gain_effects: tuple[GainEffect, ...]
    shares: tuple[VarianceShare, ...]  # without schemes that lack a gain or a third seed
    optimism: float | None  # by how much the best of so many looks better than it is, if the pools told the truth
    at_best: float  # share of all runs that have the best score there is
    left_out: tuple[str, ...] = ()  # labels with fewer than two scores

    @property
    def leaders(self) -> tuple[str, ...]:
        """Those that may be the best."""
        return tuple(start.label for start in self.starts if start.rank_low == 1)

    @property
    def last_gains(self) -> tuple[float, ...]:
        """In ascending order."""
        return tuple(sorted({start.last_gain for start in self.starts if start.last_gain is not None}))
