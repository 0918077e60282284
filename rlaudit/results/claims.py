"""What the runs say of a stated claim, and how much it takes to say something else."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rlaudit.results.pairs import SeedsNeeded
from rlaudit.types import SeedLabel

Decision: TypeAlias = Literal["supported", "contradicted"]
ClaimState: TypeAlias = Decision | Literal["undecided", "fragile"]


def most_changed(n_a: int, n_b: int) -> int:
    """So many seeds are left out at most to see what carries a claim: a fifth of twice the smaller group.

    What is left of 10 seeds without 8 of them says nothing, however many the other agent has.
    """
    return max(1, 2 * min(n_a, n_b) // 5)


@dataclass(frozen=True)
class Flip:
    """The smallest change of the seeds that turns a decided claim into an undecided one."""

    how: Literal["removed", "replaced"]  # replaced: by the least favourable score that its own agent reached
    n: int | None  # seeds; None: not even with `most_changed`
    exact: bool  # every smaller set was tried; else fewer may do
    seeds: tuple[tuple[str, SeedLabel], ...] = ()  # (agent, seed)
    effect: float | None = None  # of what is left, as in `Claim`
    low: float | None = None
    high: float | None = None


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
    low: float | None = None  # Welch interval at the claim's own level among all claims: clear of its bound exactly ...
    high: float | None = None  # ... where it is decided
    margin: float | None = None
    p_for: float | None = None  # evidence for it, and against it, among all claims (Holm)
    p_against: float | None = None
    flips: tuple[Flip, ...] = ()  # of a decided claim: by removal, by replacement
    repetition: float | None = None  # chance that as many fresh seeds support the claim
    seeds_needed: SeedsNeeded | None = None  # seeds an agent that would decide it
    relation: Literal[">", ">=", "=="] = ">"
    decision: Decision | None = None  # what the test alone says; None: undecided
    hangs_on_failed: bool = False  # turns, if failed seeds count as the worst score that either agent reached
    level: float | None = None  # its own level: what `decision` asks of the p-value, with the other claims as they are

    @property
    def removal(self) -> Flip | None:
        """The seeds that a decided claim cannot do without."""
        return next((flip for flip in self.flips if flip.how == "removed"), None)

    @property
    def replacement(self) -> Flip | None:
        """The same, where they are not left out but turn out badly."""
        return next((flip for flip in self.flips if flip.how == "replaced"), None)
