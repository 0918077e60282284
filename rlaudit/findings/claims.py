"""Stated claims."""

from collections.abc import Iterator

from rlaudit.findings.words import level
from rlaudit.results import Audit, Claim
from rlaudit.types import Finding, Level
from rlaudit.wording import interval, percent

_MANY = 6  # up to here each claim gets a sentence of its own
_LEVELS: dict[str, Level] = {
    "supported": Level.OK, "contradicted": Level.UNSAFE, "undecided": Level.UNSAFE, "fragile": Level.WARN,
}  # fmt: skip


def claims(audit: Audit) -> Iterator[Finding]:
    """What the runs say of each stated claim, or a sum of it where they are many."""
    if len(audit.claims) > _MANY:
        yield _summary(audit)
        return
    for claim in audit.claims:
        yield Finding(
            f"Claim {claim.state}: {claim.text}",
            f"The claim '{claim.text}' is {claim.state}: {claim.reason}.{_repetition(claim)}",
            _LEVELS[claim.state],
            _evidence(claim),
            _next_step(audit, claim),
        )


def _repetition(claim: Claim) -> str:
    if claim.repetition is None or claim.decision != "supported":
        return ""
    return (
        f" As many fresh seeds would support it with a chance of {percent(claim.repetition)}, less if the claim was "
        "made after a look at these."
    )


def _evidence(claim: Claim) -> dict[str, float | int | str | None]:
    found: dict[str, float | int | str | None] = {
        "effect": claim.effect, "low": claim.low, "high": claim.high, "p_for": claim.p_for,
        "p_against": claim.p_against, "n_a": claim.n_a, "n_b": claim.n_b, "repetition": claim.repetition,
        "seeds_needed": claim.seeds_needed.n if claim.seeds_needed else None,
    }  # fmt: skip
    removal = claim.removal
    return found | ({"seeds_that_carry_it": removal.n} if removal else {})


def _next_step(audit: Audit, claim: Claim) -> str:
    if claim.state == "supported":
        shared = f"; {len(audit.claims)} claims share alpha = {audit.alpha:g}" if len(audit.claims) > 1 else ""
        return (
            f"State it with its difference, the interval {interval(claim.low, claim.high)} and {claim.n_a} against "
            f"{claim.n_b} seeds{shared}."
        )
    if claim.state == "contradicted":
        return f"Do not state it: at {level(audit)} confidence these runs carry the opposite."
    if claim.hangs_on_failed:
        return "Make the failed seeds finish, or state it with and without them."
    if claim.state == "fragile":
        return (
            "Do not rest anything on it yet, and do not drop seeds either: look whether the runs named are sound, then "
            f"judge the claim once on fresh seeds alone{_how_many(claim)}."
        )
    return f"Do not state it, nor its opposite{_more(claim)}"


def _how_many(claim: Claim) -> str:
    needed = claim.seeds_needed
    return f" (about {needed.n:,} an agent for {percent(needed.power)} power)" if needed and needed.n else ""


def _more(claim: Claim) -> str:
    """How many seeds it takes; only fresh ones, since adding some until p is small enough is a test of its own."""
    needed = claim.seeds_needed
    if needed is None:
        return ": train more seeds of both agents, better 20."
    if needed.n is None:
        return ": if the difference seen is the true one, no affordable number of seeds decides it."
    return (
        f". If difference and spread are those seen, about {needed.n:,} fresh seeds an agent decide it with "
        f"{percent(needed.power)} power; these runs pin that number only to {needed.range}."
    )


def _summary(audit: Audit) -> Finding:
    counts = {state: n for state in _LEVELS if (n := sum(claim.state == state for claim in audit.claims))}
    said = ", ".join(f"{n} {state}" for state, n in counts.items())
    bad = next((state for state in ("contradicted", "undecided", "fragile") if state in counts), "supported")
    first = next(claim for claim in audit.claims if claim.state == bad)
    return Finding(
        f"{len(audit.claims)} claims: {said}",
        f"Of {len(audit.claims)} claims, which share alpha = {audit.alpha:g} (Holm), these runs leave {said}. "
        f"{'All stand' if bad == 'supported' else bad.capitalize()}, for example: '{first.text}' ({first.reason}).",
        _LEVELS[bad],
        {**counts},
        _next_step(audit, first)
        if bad == "supported"
        else f"State only those that are supported. {first.text}: {_next_step(audit, first)}",
    )
