"""Many agents in order, and how sure that order is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RankedAgent:
    """An agent's place among the others."""

    agent: str
    value: float  # what they are ranked by
    low: float | None  # interval at level 1 - alpha
    high: float | None
    rank: int  # 1 is best; ties share the better rank
    rank_low: int  # simultaneous interval of the true rank: the best ...
    rank_high: int  # ... and the worst that step-down comparisons leave open
    first: float | None  # share of draws of as many fresh seeds in which it comes first
    first_low: float | None = None  # 95 % interval over seeds
    first_high: float | None = None


@dataclass(frozen=True)
class FirstPlace:
    """How often the leader of n seeds an agent is the leader of the full pools."""

    n_seeds: int
    share: float
    low: float | None  # 95 % interval over seeds
    high: float | None


@dataclass(frozen=True)
class MatrixCell:
    """Agent a against agent b, which stands behind it, over all tasks of the leaderboard."""

    a: str
    b: str
    better: float | None  # P(a run of a beats one of b), mean over the tasks; ties count half
    low: float | None
    high: float | None
    p_adjusted: float | None  # step-down over the family of the leaderboard
    decided: int = 0  # 1: a is better, -1: b is; by what the agents are ranked by, not by P(a beats b)


@dataclass(frozen=True)
class ProfileLine:
    """Share of an agent's runs above each score."""

    agent: str
    tau: tuple[float, ...]  # (n_points,) normalised score
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class AggregateValue:
    """One number for an agent's runs on all tasks."""

    agent: str
    statistic: str  # of aggregate.AGGREGATES
    value: float
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class Leaderboard:
    """The order of the agents on one task, or on all of them together."""

    task: str  # "" with `n_tasks` above 1: all of them
    n_tasks: int
    n_seeds: int  # an agent and task, the smallest number
    by: str  # what agents are ranked by, in words
    agents: tuple[RankedAgent, ...]  # in order
    first_place: tuple[FirstPlace, ...]
    matrix: tuple[MatrixCell, ...] = ()  # empty for a task among several
    profiles: tuple[ProfileLine, ...] = ()
    aggregates: tuple[AggregateValue, ...] = ()
    normalisation: str = ""  # how scores of several tasks were put on one scale
    n_pairs: int = 0
    n_decided: int = 0  # pairs whose order is beyond the luck of seeds
    left_out: tuple[str, ...] = ()  # agents with fewer than two scores; over tasks: with them on fewer than half

    @property
    def candidates(self) -> tuple[str, ...]:
        """The agents that may be first."""
        return tuple(one.agent for one in self.agents if one.rank_low == 1)

    @property
    def is_pair(self) -> bool:
        """Two agents on one task: whatever compares pairs has said most of it."""
        return len(self.agents) == 2 and self.n_tasks == 1

    def at(self, n_seeds: int) -> FirstPlace | None:
        """With so many seeds an agent, or the nearest number that was drawn."""
        return min(self.first_place, key=lambda one: abs(one.n_seeds - n_seeds), default=None)
