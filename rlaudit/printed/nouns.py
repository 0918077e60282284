"""The nouns of a recheck: what was printed, what the checks say of it, and what such a design is worth.

All values are plain, so that JSON gives them back unchanged; what cannot be said is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rlaudit.types import Finding, Level

SCHEMA = "rlaudit.recheck/1"
Range: TypeAlias = tuple[float, float]
Evidence: TypeAlias = Mapping[str, float | int | str | None]
TestKind: TypeAlias = Literal["", "t", "student", "welch", "paired_t", "ks", "mann_whitney", "permutation"]
Sides: TypeAlias = Literal["", "two-sided", "one-sided"]  # "": not said, which means two-sided
Kind: TypeAlias = Literal[
    "consistent",
    "unchecked",  # too little was printed
    "approximate",  # the p of an approximation; the conclusion is that of the exact p
    "conclusion",  # an approximate p on the other side of alpha than the exact one
    "one-sided",
    "other spread",  # right if what is called sd were something else
    "inconsistent",
    "impossible",
    "caveat",
]
_SLACK = 1e-9  # what binary fractions lose, relative to the number


@dataclass(frozen=True)
class PrintedNumber:
    """A rounded number. What was rounded lies in [low, high]: half a unit of the last digit to either side."""

    text: str
    value: float
    low: float
    high: float

    @property
    def range(self) -> Range:
        """With a little slack, so that a number at the very end counts as inside."""
        slack = _SLACK * max(abs(self.low), abs(self.high), 1e-300)
        return self.low - slack, self.high + slack

    @property
    def size(self) -> Range:
        """The range of the absolute value."""
        low, high = self.range
        return max(low, -high, 0.0), max(abs(low), abs(high))

    def meets(self, low: float, high: float | None = None) -> bool:
        """Whether the number may be in [low, high], or may be `low`."""
        return self.low <= self.range[1] >= low and self.range[0] <= (low if high is None else high)


@dataclass(frozen=True)
class PrintedGroup:
    """One agent as printed."""

    n: int | None = None  # seeds
    mean: PrintedNumber | None = None
    sd: PrintedNumber | None = None
    se: PrintedNumber | None = None
    ci: PrintedNumber | None = None  # half width of the 95 % interval
    ci_low: PrintedNumber | None = None
    ci_high: PrintedNumber | None = None
    minimum: PrintedNumber | None = None
    maximum: PrintedNumber | None = None
    bare: bool = False  # "247 ± 145": nobody said that it is an sd


@dataclass(frozen=True)
class PrintedResult:
    """One line of somebody's table, or one sentence."""

    where: str
    text: str  # as people would write it
    test: TestKind = ""
    statistic: PrintedNumber | None = None
    df: PrintedNumber | None = None
    p: PrintedNumber | None = None
    sides: Sides = ""
    groups: tuple[PrintedGroup, ...] = ()  # none, one or two
    integer: bool = False  # each episode's return is a whole number
    episodes: int = 1  # per seed, averaged to its score

    @property
    def ns(self) -> tuple[int, int] | None:
        """Seeds of both groups."""
        ns = [group.n for group in self.groups if group.n is not None]
        return (ns[0], ns[1]) if len(ns) == 2 else None


@dataclass(frozen=True)
class Check:
    """What one check says of one result. Level unsafe: the result is flagged."""

    name: str
    level: Level
    kind: Kind
    sentence: str
    should: str = ""  # what should stand there, short
    decision_error: bool = False  # the conclusion at alpha turns
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Recomputed:
    """Welch's test from the means, sds and numbers of seeds as printed; the first group minus the second."""

    effect: float
    low: float
    high: float
    t: float
    df: float
    p_value: float
    hedges_g: float | None
    g_low: float | None
    g_high: float | None


@dataclass(frozen=True)
class PowerAtEffect:
    """What a design makes of a plausible true effect; never of the one observed."""

    effect: float  # in sd of the seeds
    power: float
    type_s: float  # share of wrong signs among the significant
    type_m: float  # how many times the true effect a significant one looks


@dataclass(frozen=True)
class Design:
    """So many seeds against so many, whatever they scored."""

    n_1: int
    n_2: int
    n_results: int
    smallest_p: float  # of an exact test
    at: tuple[PowerAtEffect, ...]


@dataclass(frozen=True)
class Rechecked:
    """One printed result with everything that was found out about it."""

    printed: PrintedResult
    checks: tuple[Check, ...]
    recomputed: Recomputed | None = None
    repetition: float | None = None  # chance that a repetition with as many seeds has p <= alpha, the same way round
    power_at_effect: float | None = None  # of a true difference that the user names, in units of the score
    power_low: float | None = None  # the same over the 95 % interval of the sd
    power_high: float | None = None

    @property
    def flagged(self) -> tuple[Check, ...]:
        """Those that are wrong, a turned conclusion first."""
        wrong = [check for check in self.checks if check.level == Level.UNSAFE]
        return tuple(sorted(wrong, key=lambda check: not check.decision_error))

    @property
    def level(self) -> Level:
        """The worst of its checks."""
        levels = {check.level for check in self.checks}
        return next((level for level in (Level.UNSAFE, Level.WARN) if level in levels), Level.OK)

    @property
    def was_checked(self) -> bool:
        """Something could be compared with something."""
        return any(check.kind not in ("unchecked", "caveat") for check in self.checks)


@dataclass(frozen=True)
class Family:
    """All printed p-values together."""

    n_p: int
    n_significant: int  # p <= alpha as printed
    expected: float  # so many if nothing differed anywhere
    n_holm: int  # significant among all of them, as printed
    n_mirrored: int  # t tests that are another one with its sign turned


@dataclass(frozen=True)
class Recheck:
    """Everything about all printed results ("schema": "rlaudit.recheck/1")."""

    alpha: float
    findings: tuple[Finding, ...]  # the most important first
    results: tuple[Rechecked, ...]
    designs: tuple[Design, ...]
    family: Family
    n_flagged: int
    effect: float | None = None  # the true difference whose power was asked for, in units of the score
    ignored_columns: tuple[str, ...] = ()
    schema: str = SCHEMA


def to_json(recheck: Recheck) -> str:
    """Keys in the order of the fields, no NaN."""
    from pydantic import TypeAdapter

    return TypeAdapter(Recheck).dump_json(recheck, indent=1).decode() + "\n"
