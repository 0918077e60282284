"""How often a habit of concluding goes wrong on these runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Estimate:
    """A number, with its 95 % interval over seeds; without ends where no other pool would change it, or none holds."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ProcedureRates:
    """What one way of concluding would have made of `group_size` seeds an agent. Shares of the draws.

    The pools' means count as the truth about the two agents; groups of one agent have nothing to find.
    """

    procedure: str  # a name of procedures.PROCEDURES, or a test
    false_positives: Estimate  # names a winner although both groups are one agent's: a's in half of the draws, else b's
    right: Estimate | None  # names the better agent; None: nobody to compare with, or equal means
    wrong: Estimate | None  # names the worse agent
    type_s: Estimate | None  # share of the worse agent among its winners; None: never names one
    type_m: Estimate | None  # how many times the difference it reports is that of the full pools; never an interval
    n_draws: int
    replaced: bool  # a pool is too small for two groups without a shared seed: drawn with replacement
    always: bool = False  # names a winner whatever the scores: false positives by construction
    favours: bool = False  # treats one agent otherwise than the other: each of them in half of the draws

    def beyond(self, alpha: float) -> bool:
        """More false positives than alpha: the whole interval, or the value where there is none."""
        share = self.false_positives
        return (share.value if share.low is None else share.low) > alpha


@dataclass(frozen=True)
class ProcedureAudit:
    """Every habit on one agent, or on one pair of agents."""

    a: str
    b: str | None
    task: str
    group_size: int  # seeds an agent
    rates: tuple[ProcedureRates, ...]  # the most misleading first
    skipped: Mapping[str, str] = field(default_factory=dict)  # procedure -> what it would need
    alpha: float = 0.05
    better: str | None = None  # the agent with the better pool mean
    reference: str = "welch"  # the test that decides the audit, among `rates`

    def of(self, procedure: str) -> ProcedureRates | None:
        """The rates of one procedure; None where it was skipped or not asked for."""
        return next((one for one in self.rates if one.procedure == procedure), None)

    def habits(self) -> tuple[ProcedureRates, ...]:
        """Without the reference, and without rules that name a winner by construction; the most misleading first."""
        return tuple(one for one in self.rates if not one.always and one.procedure != self.reference)

    def worst(self) -> ProcedureRates | None:
        """The first habit that surely goes beyond alpha, or the first; a wide interval accuses nobody."""
        habits = self.habits()
        return next((one for one in habits if one.beyond(self.alpha)), habits[0] if habits else None)
