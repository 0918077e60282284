"""Seeds that are added until the question is settled: what was looked at, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum


class LookState(StrEnum):
    """What a look says about a pair of agents."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    OPEN = "open"  # the next batch is trained
    FUTILE = "futile"  # the seeds that are left would hardly settle it: stopped, and undecided
    UNDECIDED = "undecided"  # it was the last look


@dataclass(frozen=True)
class PairLook:
    """A pair of agents at one look. One of `p_value` and `e_value` is None."""

    agent_a: str
    agent_b: str
    task: str
    n_a: int  # scores so far; failed seeds have none
    n_b: int
    effect: float | None  # mean(a) - mean(b) of these scores; None where a side has none
    low: (
        float | None
    )  # interval of the effect that holds at all looks together, for all pairs; None where it has no end
    high: float | None
    p_value: float | None  # for all looks so far and all pairs together: a winner is named where it is at most alpha
    e_value: float | None  # evidence against "alike", for all pairs together: a winner is named from 1 / alpha on
    chance: float | None  # of a winner by the last look, as futility sees it; None where it is not asked
    state: LookState


@dataclass(frozen=True)
class Look:
    """The seeds so far, looked at: pairs that were open before this look."""

    number: int  # from 1
    pairs: tuple[PairLook, ...]
