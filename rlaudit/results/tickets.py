"""Did these weights win the lottery?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rlaudit.types import SeedLabel, Verdict
from rlaudit.wording import interval, listed, number, percent, signed_percent, ticket_arm


@dataclass(frozen=True)
class TicketArm:
    """What the lineages of one agent were trained as; `label` names the same arm in `Audit.arms`."""

    name: str  # dense, again, ticket, new weights, permuted mask, random mask
    label: str
    sparsity: float  # share of the prunable weights that are zero
    n: int  # lineages with a score
    n_failed: int
    mean: float | None
    low: float | None  # interval of the mean at level 1 - alpha, over lineages
    high: float | None


@dataclass(frozen=True)
class Contrast:
    """The ticket against another arm, planned in advance; paired by lineage."""

    sparsity: float
    against: str
    n_pairs: int
    effect: float | None  # mean of ticket - other over the lineages that have both
    low: float | None  # interval of the mean difference at level 1 - alpha, of this contrast alone
    high: float | None
    p_value: float | None  # exact sign-flip test
    p_adjusted: float | None  # Holm over all planned contrasts of the audit
    min_p: float | None  # the smallest p-value that so many pairs can give
    correlation: float | None  # of the pairs: what pairing brought
    paired_t_p: float | None
    welch_p: float | None  # of the same scores, as if they were not pairs
    verdict: Verdict  # A_BETTER: the ticket

    @property
    def difference(self) -> str:
        """`+12.1 [8.2, 16]`."""
        sign = "+" if (self.effect or 0) > 0 else ""
        return f"{sign}{number(self.effect)} {interval(self.low, self.high)}" if self.effect is not None else "n/a"


@dataclass(frozen=True)
class Relived:
    """Initial weights that were among the best or the worst of the dense runs, and what they gave afterwards."""

    seed: SeedLabel
    lucky: bool
    original: float  # the score that they were chosen by
    scores: tuple[float, ...]  # of the runs from the same weights, with fresh seeds for everything else
    n_failed: int
    mean: float | None
    low: float | None  # interval of the mean at level 1 - alpha, over the runs
    high: float | None


Part = Literal["weights", "path", "undecided"]


@dataclass(frozen=True)
class Survival:
    """How much of the gap between lucky and unlucky weights is left when everything else is drawn anew.

    Shares are of `gap`, the gap of the runs that they were chosen by: 0 if it was all luck, 1 if it was all weights.
    """

    n_weights: int  # initial weights on each side
    n_runs: int  # new runs, of both sides
    gap: float  # of the original runs: mean of the lucky - mean of the unlucky
    retrained: float  # the same of the new runs
    p_value: float | None  # that these weights do not differ
    share: float
    low: float | None  # interval at level 1 - alpha for these weights: over their runs
    high: float | None
    general_low: float | None  # for weights chosen like these: over weights; None with one on a side
    general_high: float | None
    mostly: Part  # where the interval for these weights lies below or above one half
    carried: bool  # it lies above 0: part of it was the weights

    @property
    def words(self) -> str:
        """`31 % of it (interval −8.2 % to 54 %)`."""
        return (
            f"{signed_percent(self.share)} of it (interval {signed_percent(self.low)} to {signed_percent(self.high)})"
        )


@dataclass(frozen=True)
class Tickets:
    """One agent on one task: masks, weights, and the path taken from them."""

    agent: str
    task: str
    n_lineages: int
    n_prunable: int | None  # weights that pruning may touch; None: no masked run is there
    n_masked_runs: int
    n_exact: int  # of these, runs whose zeros after training are as many as the sparsity says, to one weight
    arms: tuple[TicketArm, ...]
    contrasts: tuple[Contrast, ...]
    final: tuple[Contrast, ...]  # the same on the final evaluation; empty where that is the score
    relived: tuple[Relived, ...]  # the luckiest first
    n_retrained_failed: int
    survival: Survival | None  # None: there are no new runs yet, or no gap
    correlation: float | None  # over all lineages: of the dense run and another one from the same weights
    correlation_low: float | None
    correlation_high: float | None

    def arm(self, name: str, sparsity: float = 0.0) -> TicketArm:
        """The arm of that name."""
        return next(arm for arm in self.arms if (arm.name, arm.sparsity) == (name, sparsity))

    @property
    def sparsities(self) -> tuple[float, ...]:
        return tuple(dict.fromkeys(one.sparsity for one in self.contrasts))

    def against(self, name: str) -> tuple[Contrast, ...]:
        """The ticket against that arm, at each sparsity."""
        return tuple(one for one in self.contrasts if one.against == name)

    @property
    def decided(self) -> str:
        """Which contrasts are decided at which sparsity, in words; sparsities that agree stand together."""
        said: dict[str, list[str]] = {}
        for sparsity in self.sparsities:
            words = _decided([one for one in self.contrasts if one.sparsity == sparsity and one.effect is not None])
            said.setdefault(words, []).append(percent(sparsity))
        return " ".join(f"At {listed(sparsities)} of weights pruned it {words}." for words, sparsities in said.items())


_VERDICTS = {
    Verdict.A_BETTER: "is ahead of",
    Verdict.B_BETTER: "is behind",
    Verdict.UNDECIDED: "is not told apart from",
}


def _decided(contrasts: Sequence[Contrast]) -> str:
    groups = {
        words: [ticket_arm(one.against) for one in contrasts if one.verdict == verdict]
        for verdict, words in _VERDICTS.items()
    }
    return (
        ", and ".join(f"{words} {listed(names)}" for words, names in groups.items() if names) or "has no pair of scores"
    )
