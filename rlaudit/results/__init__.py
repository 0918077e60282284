"""The nouns of a finished audit: every number of the report, and nothing else.

`Audit` is what `audit.json` holds ("schema": "rlaudit.audit/1"); the report, the terminal and the pytest plugin are
drawn from it alone. All values are plain, so that JSON gives them back unchanged; what cannot be said is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlaudit.results.agents import Arm, GroupCurves, NamedSplit, SplitAudit, SplitTest, Spread, Twins
from rlaudit.results.claims import Claim, ClaimState, Flip
from rlaudit.results.convex import CONVEX_SPREAD, HIDDEN_SPREAD, Convex, LossArm, LossPath, Surface
from rlaudit.results.initializers import Initializers
from rlaudit.results.leaderboard import (
    AggregateValue,
    FirstPlace,
    Leaderboard,
    MatrixCell,
    ProfileLine,
    RankedAgent,
)  # fmt: skip
from rlaudit.results.looks import LoggedLook, LookPlan, Overturned, Sequential
from rlaudit.results.pairs import (
    FEW,
    EffectSize,
    Imputed,
    PairAudit,
    SeedsNeeded,
    Subset,
    SubsetTest,
    TestResult,
    hardest_pair,
)  # fmt: skip
from rlaudit.results.procedures import Estimate, ProcedureAudit, ProcedureRates
from rlaudit.results.reading import ReadArm, Reading, ReadNote
from rlaudit.results.reproduction import Difference, Draw, Reproduction, Trial
from rlaudit.results.robustness import (
    Carrier,
    EvaluationNoise,
    FailedRun,
    FailureAudit,
    MetricChoice,
    MetricView,
    Outlier,
    Redone,
    StuckRun,
    StuckRuns,
)  # fmt: skip
from rlaudit.results.sequential import Look, LookState, PairLook
from rlaudit.results.sources import Component, CrossedRun, ShareOf, Sources, StreamShare
from rlaudit.results.tickets import Contrast, Part, Relived, Survival, TicketArm, Tickets
from rlaudit.types import Finding

__all__ = [
    "CONVEX_SPREAD",
    "FEW",
    "HIDDEN_SPREAD",
    "SCHEMA",
    "AggregateValue",
    "Arm",
    "Audit",
    "Carrier",
    "Claim",
    "ClaimState",
    "Component",
    "Contrast",
    "Convex",
    "CrossedRun",
    "Difference",
    "Draw",
    "EffectSize",
    "Estimate",
    "EvaluationNoise",
    "FailedRun",
    "FailureAudit",
    "FirstPlace",
    "Flip",
    "GroupCurves",
    "Imputed",
    "Initializers",
    "Leaderboard",
    "LoggedLook",
    "Look",
    "LookPlan",
    "LookState",
    "LossArm",
    "LossPath",
    "MatrixCell",
    "MetricChoice",
    "MetricView",
    "NamedSplit",
    "Outlier",
    "Overturned",
    "PairAudit",
    "PairLook",
    "Part",
    "ProcedureAudit",
    "ProcedureRates",
    "ProfileLine",
    "RankedAgent",
    "ReadArm",
    "ReadNote",
    "Reading",
    "Redone",
    "Relived",
    "Reproduction",
    "SeedsNeeded",
    "Sequential",
    "ShareOf",
    "Sources",
    "SplitAudit",
    "SplitTest",
    "Spread",
    "StreamShare",
    "StuckRun",
    "StuckRuns",
    "Subset",
    "SubsetTest",
    "Surface",
    "Survival",
    "TestResult",
    "TicketArm",
    "Tickets",
    "Trial",
    "Twins",
    "from_json",
    "hardest_pair",
    "reading_from_json",
    "reading_to_json",
    "to_json",
]

SCHEMA = "rlaudit.audit/1"


@dataclass(frozen=True)
class Audit:
    """Every number of the report."""

    name: str
    metric: str
    higher_is_better: bool
    alpha: float
    family: str  # which comparisons share the level alpha
    arms: tuple[Arm, ...]
    splits: tuple[SplitAudit, ...]
    comparisons: tuple[PairAudit, ...]
    findings: tuple[Finding, ...]  # the most important first; its sentence is the verdict
    claims: tuple[Claim, ...] = ()
    curves: tuple[GroupCurves, ...] = ()
    experiment: str = "audit"
    procedures: ProcedureAudit | None = None  # None: no pool is large enough
    leaderboards: tuple[Leaderboard, ...] = ()
    failures: tuple[FailureAudit, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    metrics: tuple[MetricChoice, ...] = ()
    evaluation_noise: tuple[EvaluationNoise, ...] = ()
    twins: tuple[Twins, ...] = ()  # seeds that gave the same run
    reading: Reading | None = None  # what was understood of somebody else's files
    reproduction: tuple[Reproduction, ...] = ()  # of the experiments of the laboratory
    sources: tuple[Sources, ...] = ()
    initializers: tuple[Initializers, ...] = ()
    tickets: tuple[Tickets, ...] = ()
    convex: tuple[Convex, ...] = ()
    sequential: Sequential | None = None  # None: the number of seeds was fixed
    schema: str = SCHEMA
    provenance: Mapping[str, str] = field(default_factory=dict)  # versions, command, source

    def arm(self, agent: str, task: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if (arm.agent, arm.task) == (agent, task))

    def at_few(self) -> list[SplitAudit]:
        """The splits of each arm at five seeds a side, or at the nearest size that its pool allows."""
        nearest: dict[tuple[str, str], SplitAudit] = {}
        for split in sorted(self.splits, key=lambda one: abs(one.group_size - FEW)):
            nearest.setdefault((split.agent, split.task), split)
        return list(nearest.values())

    def __repr__(self) -> str:
        from rlaudit.notebook import audit_text

        return audit_text(self)

    def _repr_html_(self) -> str:
        from rlaudit.notebook import audit_html

        return audit_html(self)


def to_json(audit: Audit) -> str:
    """The text of audit.json: keys in the order of the fields, no NaN."""
    return _dumped(audit)


def from_json(text: str) -> Audit:
    """Raises StoreError where the text is no audit, or one of a newer format."""
    import json

    from pydantic import TypeAdapter, ValidationError

    from rlaudit.errors import StoreError

    try:
        return TypeAdapter(Audit).validate_json(text)
    except ValidationError as error:
        found = json.loads(text).get("schema") if text.lstrip().startswith("{") else None
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"not an audit of schema {SCHEMA!r} (found {found!r}): {where}: {first['msg']}") from None


def reading_to_json(reading: Reading) -> str:
    """The text of reading.json."""
    return _dumped(reading)


def reading_from_json(text: str) -> Reading:
    """Raises StoreError where the text is no reading."""
    from pydantic import TypeAdapter, ValidationError

    from rlaudit.errors import StoreError

    try:
        return TypeAdapter(Reading).validate_json(text)
    except ValidationError as error:
        raise StoreError(f"reading.json is damaged: {error.errors()[0]['msg']}. Import the results again.") from None


def _dumped(noun: object) -> str:
    from pydantic import TypeAdapter

    return TypeAdapter(type(noun)).dump_json(noun, indent=1).decode() + "\n"
