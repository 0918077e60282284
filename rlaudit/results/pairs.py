"""Agent against agent on one task."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rlaudit.types import Estimand, Verdict

FEW = 5  # the number of seeds that papers use most: what would it have said?


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

    @property
    def range(self) -> str:
        """`18 to 300`, `35 or more, without a limit`."""
        low = self.low or 2
        return f"{low:,} or more, without a limit" if self.high is None else f"{low:,} to {self.high:,}"


@dataclass(frozen=True)
class Imputed:
    """The comparison once more, with every failed seed counted as the worst score that either agent reached."""

    floor: float
    effect: float
    p_value: float  # of the deciding test, not adjusted
    agrees: bool  # the same side of alpha among all comparisons, in the same direction, as without the failed seeds


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
    seeds_needed: SeedsNeeded | None  # None: seeds were added, and the gap at the stop says too few
    power_curve: tuple[tuple[float, int, float], ...]  # (true gain in sd, seeds an agent, power of Welch)
    imputed: Imputed | None = None  # None: no seed failed
    effects: Mapping[str, EffectSize] = field(default_factory=dict)  # names of comparisons.effects.EFFECTS

    def at_few(self) -> Subset | None:
        """What five seeds an agent would have concluded, or the nearest number that was drawn."""
        return min(self.subsets, key=lambda subset: abs(subset.group_size - FEW), default=None)


def hardest_pair(pairs: Iterable[PairAudit]) -> PairAudit | None:
    """The pair that few seeds get wrong most often, among those that all seeds decide if there are any.

    Two agents that hardly differ are "got wrong" in half of the draws, which nobody needs to be told.
    """

    def weight(pair: PairAudit) -> tuple[bool, bool, float]:
        few = pair.at_few()
        return few is not None, pair.verdict.has_winner, few.wrong_sign if few else 0.0

    return max(pairs, key=weight, default=None)
