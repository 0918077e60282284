"""What the runs say of a stated claim, and how much it takes to say something else."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rlaudit.results.pairs import SeedsNeeded
from rlaudit.types import SeedLabel

ClaimState: TypeAlias = Literal["supported", "contradicted", "undecided", "fragile"]


@dataclass(frozen=True)
class Flip:
    """The smallest change of the seeds that turns a decided claim into an undecided one."""

    how: Literal["removed", "replaced"]  # replaced: by the least favourable score that its own agent reached
    n: int | None  # seeds; None: not even with a fifth of them
    exact: bool  # every smaller set was tried; else fewer may do
    seeds: tuple[tuple[str, SeedLabel], ...] = ()  # (agent, seed)


@dataclass(frozen=True)
class Claim:
    """A claim that somebody states, and what the runs say of it."""

    text: str
    state: ClaimState
    reason: str
    a: str = ""
    b: str = ""
    task: str = ""
    n_a: int = 0  # seeds with a score
    n_b: int = 0
    effect: float | None = None  # mean(a) - mean(b)
    low: float | None = None  # interval of the difference at level 1 - alpha (Welch)
    high: float | None = None
    margin: float | None = None
    p_for: float | None = None  # evidence for it, and against it, among all claims (Holm)
    p_against: float | None = None
    flips: tuple[Flip, ...] = ()  # of a decided claim: by removal, by replacement
    repetition: float | None = None  # chance that as many fresh seeds support the claim again
    seeds_needed: SeedsNeeded | None = None  # seeds an agent that would decide it
