"""Phrases that several checks share, and on which side of alpha a printed p lies."""

from typing import Literal, TypeAlias

from rlaudit.printed.nouns import PrintedNumber, Range
from rlaudit.wording import number, p_text

Outcome: TypeAlias = Literal["stands", "turns", "open"]


def outcome(p: PrintedNumber, exact: Range, alpha: float) -> Outcome:
    """Whether the conclusion at alpha stays: open where rounding leaves either p on both sides."""
    if p.low <= alpha < p.high or exact[0] <= alpha < exact[1]:
        return "open"
    return "stands" if (p.high <= alpha) == (exact[1] <= alpha) else "turns"


def meaning(of: Outcome, alpha: float) -> str:
    """What that is for the reader of the paper."""
    return {
        "stands": f"The conclusion at alpha = {alpha:g} stands.",
        "turns": f"The conclusion at alpha = {alpha:g} turns.",
        "open": f"Rounding leaves open on which side of alpha = {alpha:g} the p lies.",
    }[of]


def p_is(p: float) -> str:
    """Three digits, and the number also far below .001: a printed p is compared with it."""
    text = number(p)
    crosses = any((float(text) > level) != (p > level) for level in (0.01, 0.05, 0.1))
    return p_text(p) if crosses else f"p = {text}"


def span(p: Range) -> str:
    """`p = 0.0794`, or `p = 0.012 to 0.034` where rounding or df leave it open."""
    low, high = p_is(p[0]), p_is(p[1])
    return low if low == high else f"{low} to {high.removeprefix('p = ')}"


def as_written(p: PrintedNumber) -> str:
    """`p = .04`, `p < .001`."""
    return f"p {p.text[0]} {p.text[1:]}" if p.text[0] in "<>" else f"p = {p.text}"
