"""t against p: what t with so many seeds can have given, allowing for the rounding of both numbers."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from rlaudit.printed.nouns import Check, PrintedNumber, PrintedResult, Range
from rlaudit.printed.words import Outcome, as_written, meaning, outcome, span
from rlaudit.types import Level
from rlaudit.wording import number

_T_TESTS = ("t", "student", "welch", "paired_t")


class Reading(NamedTuple):
    """One way in which the numbers may have come about."""

    name: str
    t: Range  # of |t|
    df: Range
    one_sided: bool = False

    @property
    def p(self) -> Range:
        """The smallest and the largest p; it falls with |t| and with df."""
        share = 1 if self.one_sided else 2
        return share * float(stdtr(self.df[1], -self.t[1])), share * float(stdtr(self.df[0], -self.t[0]))


def fits(p: PrintedNumber, reading: Reading) -> bool:
    """Whether the printed p may be it; a one-sided p may also be that of the other side."""
    low, high = reading.p
    return p.meets(low, high) or (reading.one_sided and p.meets(1 - high, 1 - low))


def df_range(result: PrintedResult) -> Range | None:
    """Degrees of freedom that the design allows: Welch's lie between the smaller n - 1 and n1 + n2 - 2."""
    if result.ns is None or min(result.ns) < 2:
        return None
    if result.test == "paired_t":
        return result.ns[0] - 1, result.ns[0] - 1
    most = sum(result.ns) - 2
    return (most if result.test == "student" else min(result.ns) - 1), most


def degrees_of_freedom(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """The printed df must be one that a t test of so many seeds can have; pairs have as many of one as of the other."""
    if result.test == "paired_t" and result.ns and result.ns[0] != result.ns[1]:
        n_1, n_2 = result.ns
        sentence = f"A paired test of {n_1} against {n_2} seeds is impossible: each seed needs its partner."
        yield Check("degrees_of_freedom", Level.UNSAFE, "impossible", sentence, "as many seeds of both agents")
        return
    allowed = df_range(result)
    if result.df is None or allowed is None or result.test not in _T_TESTS:
        return
    low, high = allowed
    if not result.df.meets(low, high):
        n_1, n_2 = result.ns or (0, 0)
        possible = f"df = {low:g}" if low == high else f"df from {low:g} (Welch, at least) to {high:g} (Student)"
        why = " Episodes are not seeds." if result.df.low > high else ""
        sentence = f"df = {result.df.text} is impossible: {n_1} against {n_2} seeds have {possible}.{why}"
        evidence = {"df": result.df.value, "df_low": low, "df_high": high}
        yield Check("degrees_of_freedom", Level.UNSAFE, "impossible", sentence, possible, evidence=evidence)


def readings(result: PrintedResult) -> list[Reading]:
    """Two-sided ones first, and Student's first among them; one-sided only where that is said, or nothing is."""
    if result.statistic is None:
        return []
    t, allowed = result.statistic.size, df_range(result)
    if result.df is not None:
        low, high = result.df.range
        named = [Reading(f"{result.df.text} df", t, (max(low, 1e-3), high))]
    elif allowed is None:
        return []
    elif allowed[0] == allowed[1]:
        named = [Reading(f"{allowed[1]:g} df", t, allowed)]
    else:
        student = Reading(f"Student, {allowed[1]:g} df", t, (allowed[1], allowed[1]))
        welch = Reading(f"Welch, {allowed[0]:g} to {allowed[1]:g} df", t, allowed)
        named = [welch] if result.test == "welch" else [student, welch]
    halved = [one._replace(name=f"{one.name}, one-sided", one_sided=True) for one in named]
    return {"two-sided": named, "one-sided": halved, "": named + halved}[result.sides]


def t_and_p(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """The printed p must be that of the printed t (as statcheck does: Nuijten et al. 2016, Behav. Res. Methods 48)."""
    if result.test not in _T_TESTS or result.p is None or result.statistic is None:
        return
    possible = readings(result)
    if not possible:
        sentence = "t and p cannot be compared without n or df."
        yield Check("t_and_p", Level.OK, "unchecked", sentence)
        return
    match = next((one for one in possible if fits(result.p, one)), None)
    asked = [one for one in possible if one.one_sided == (result.sides == "one-sided")]
    best = (min(one.p[0] for one in asked), max(one.p[1] for one in asked))
    turned = outcome(result.p, best, alpha)
    evidence = {"p_printed": result.p.value, "p_low": best[0], "p_high": best[1], "t": result.statistic.value}
    if match is None:
        yield _inconsistent(result, asked, best, turned, alpha, evidence)
    elif match.one_sided and result.sides != "one-sided":
        sentence = f"p is that of a one-sided test, which is not said; two-sided {span(best)}. {meaning(turned, alpha)}"
        level = Level.WARN if turned == "stands" else Level.UNSAFE
        yield Check("t_and_p", level, "one-sided", sentence, span(best), turned == "turns", evidence)
    else:
        yield Check("t_and_p", Level.OK, "consistent", f"p fits t ({match.name}).", evidence=evidence)


def _inconsistent(
    result: PrintedResult,
    asked: Sequence[Reading],
    best: Range,
    turned: Outcome,
    alpha: float,
    evidence: dict[str, float],
) -> Check:
    assert result.p is not None
    assert result.statistic is not None
    parts = "; ".join(f"{one.name}: {span(one.p)}" for one in asked)
    sides = 1 if asked[0].one_sided else 2
    needed = df_for(abs(result.statistic.value), result.p.value, sides)
    df = result.df.value if result.df else asked[0].df[1]
    would = f"That p needs {number(needed, 2)} df" if needed else "No df gives that p"
    if result.ns and needed and needed < min(result.ns) - 1:
        would += f", fewer than any t test of {result.ns[0]} and {result.ns[1]} seeds has"
    if 0 < result.p.value < 1 and df > 0:
        would += f"; with {df:g} it needs |t| = {number(abs(float(stdtrit(df, result.p.value / sides))))}"
    sentence = (
        f"t = {result.statistic.text} does not give {as_written(result.p)} ({parts}). {would}. {meaning(turned, alpha)}"
    )
    evidence = {**evidence, **({"df_needed": needed} if needed else {})}
    return Check("t_and_p", Level.UNSAFE, "inconsistent", sentence, span(best), turned == "turns", evidence)


def df_for(t: float, p: float, sides: int = 2) -> float | None:
    """The degrees of freedom at which |t| has this p; None where there are none."""
    log_df = np.linspace(np.log(0.05), np.log(1e7), 2_001)
    tails = sides * stdtr(np.exp(log_df), -t)  # falls with df
    if not tails[-1] <= p <= tails[0]:
        return None
    return float(np.exp(np.interp(-p, -tails, log_df)))
