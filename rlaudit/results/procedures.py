"""How often a habit of concluding goes wrong on these runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProcedureRates:
    """What one way of concluding would have made of `group_size` seeds an agent. Shares of the draws.

    The pools' means count as the truth about the two agents; groups of one agent have nothing to find.
    """

    procedure: str  # a name of procedures.PROCEDURES
    false_positives: float  # names a winner although both groups are one agent's (the worse of the two agents)
    false_low: float | None  # 95 % interval over seeds
    false_high: float | None
    right: float | None  # names the better agent; None: nobody to compare with, or equal means
    right_low: float | None
    right_high: float | None
    wrong: float | None  # names the worse agent
    type_s: float | None  # share of the worse agent among its winners; None: never names one
    type_m: float | None  # how many times its significant effect is that of the full pools
    n_draws: int
    replaced: bool  # the pool is too small for groups without a shared seed: drawn with replacement


@dataclass(frozen=True)
class ProcedureAudit:
    """Every habit on one agent, and on one pair of agents."""

    a: str  # compared with itself
    b: str | None  # compared with a
    task: str
    group_size: int  # seeds an agent
    rates: tuple[ProcedureRates, ...]  # the most misleading first
    skipped: Mapping[str, str] = field(default_factory=dict)  # procedure -> what it would need
