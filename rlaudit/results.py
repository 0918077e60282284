"""The nouns of a finished audit: every number of the report, and nothing else.

`Audit` is what `audit.json` holds ("schema": "rlaudit.audit/1"); the report, the terminal and the pytest plugin are
drawn from it alone. All values are plain, so that JSON gives them back unchanged; what cannot be said is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rlaudit.types import Estimand, Finding, SeedLabel, Verdict

SCHEMA = "rlaudit.audit/1"
FEW = 5  # the number of seeds that papers use most: what would it have said?


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
class TestResult:
    """One test of a against b with all seeds."""

    statistic: float | None
    df: float | None
    p_value: float | None
    low: float | None  # interval of `effect` at level 1 - alpha
    high: float | None
    min_p: float | None
    mc_error: float
    direction: int = 0  # 1 where a scores higher, -1 where b does, by the test's own statistic
    effect: float | None = None  # of the test's own estimand, which `low` and `high` bound
    estimand: Estimand = "mean difference"
    n_pairs: int | None = None  # paired tests only: seeds that both agents have, ...
    correlation: float | None = None  # ... and how their scores correlate


@dataclass(frozen=True)
class EffectSize:
    """How large, with its interval at level 1 - alpha; None: cannot be said, or no end."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SubsetTest:
    """What a test would have concluded from a few seeds an agent. Shares of the draws; they add up to 1."""

    right: float  # significant, in the direction of the full pools
    wrong: float  # significant, in the other direction
    undecided: float
    type_m: float | None  # how much a significant gap exaggerates that of the full pools; None: never significant
    right_low: float | None = None  # 95 % interval over seeds
    right_high: float | None = None


@dataclass(frozen=True)
class Subset:
    """What `group_size` seeds an agent would have concluded, if the full pools told the truth."""

    group_size: int
    n_draws: int
    wrong_sign: float  # share of the draws in which the agent with the lower pool mean has the higher mean
    wrong_sign_low: float | None  # 95 % interval over seeds
    wrong_sign_high: float | None
    tests: Mapping[str, SubsetTest]


@dataclass(frozen=True)
class SeedsNeeded:
    """Seeds an agent for `power`, if the gap and the spread seen are the true ones; and how sure that number is."""

    power: float
    n: int | None  # None: no gap to find, or more than 100,000
    low: int | None
    high: int | None  # None: no finite number is excluded


@dataclass(frozen=True)
class PairAudit:
    """Agent a against agent b on one task."""

    a: str
    b: str
    task: str
    effect: float | None  # mean(a) - mean(b)
    low: float | None  # Welch interval at level 1 - alpha
    high: float | None
    cohen_d: float | None  # effect / root mean square of the two sds
    p_a_better: float | None  # P(a random seed of a beats one of b), ties count half
    p_a_better_low: float | None
    p_a_better_high: float | None
    verdict: Verdict
    reason: str  # the sentence behind the verdict
    decided_by: str  # the test
    p_adjusted: float | None  # Holm over all comparisons of the audit
    margin: float | None
    p_equivalent: float | None  # TOST; None without a margin
    tests: Mapping[str, TestResult]
    subsets: tuple[Subset, ...]
    seeds_needed: SeedsNeeded
    power_curve: tuple[tuple[float, int, float], ...]  # (true gain in sd, seeds an agent, power of Welch)
    imputed: "Imputed | None" = None  # None: no seed failed
    effects: Mapping[str, EffectSize] = field(default_factory=dict)  # names of comparisons.effects.EFFECTS

    def at_few(self) -> Subset | None:
        """What five seeds an agent would have concluded, or the nearest number that was drawn."""
        return min(self.subsets, key=lambda subset: abs(subset.group_size - FEW), default=None)


@dataclass(frozen=True)
class Imputed:
    """The comparison once more, with every failed seed counted as the worst score that either agent reached."""

    floor: float
    effect: float
    p_value: float  # of the deciding test, not adjusted
    agrees: bool  # the same side of alpha, in the same direction, as without the failed seeds


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
class Claim:
    """A claim that the config states, and what the runs say of it."""

    text: str
    state: Literal["supported", "contradicted", "undecided"]
    reason: str


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
    from pydantic import TypeAdapter

    return TypeAdapter(Audit).dump_json(audit, indent=1).decode() + "\n"


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
