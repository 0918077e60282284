"""Which claims a plan is for: those that are stated, else every pair in the direction seen."""

from collections.abc import Collection, Sequence
from itertools import combinations
from math import hypot, inf
from typing import NamedTuple

from rlaudit.claims import asked
from rlaudit.forecast.nouns import Pilot, PlannedClaim
from rlaudit.wording import on

MANY = 10  # pairs; where there are more, only those that matter


class Chosen(NamedTuple):
    """The claims, and how many comparisons share the level with them."""

    claims: tuple[PlannedClaim, ...]
    n_family: int
    notes: tuple[str, ...] = ()


def stated(texts: Sequence[str], arms: Collection[tuple[str, str]]) -> Chosen:
    """One claim for each text and task, as `judge` takes them. Raises ConfigError."""
    claims = tuple(
        PlannedClaim(claim.text, claim.a, claim.b, task, claim.relation, claim.margin)
        for claim, task in asked(texts, arms)
    )
    return Chosen(claims, len(claims))


def seen(pilots: Sequence[Pilot], higher_is_better: bool) -> Chosen:
    """Every pair; of more than ten the first place against the second on each task, at most the ten widest apart."""
    sign = 1 if higher_is_better else -1
    tasks = list(dict.fromkeys(pilot.task for pilot in pilots))
    ranked = [sorted((one for one in pilots if one.task == task), key=lambda one: -sign * one.mean) for task in tasks]
    pairs = [pair for places in ranked for pair in combinations(places, 2)]
    shown, which = pairs, "No claim was stated, so each pair is one, in the direction seen."
    if len(pairs) > MANY:
        firsts = [(places[0], places[1]) for places in ranked if len(places) > 1]
        shown = sorted(firsts, key=_in_sd, reverse=True)[:MANY]
        kept = f"the {len(shown)} of them that lie furthest apart" if len(firsts) > MANY else "shown here"
        which = (
            f"No claim was stated. Of {len(pairs):,} pairs the first place against the second on each task matters "
            f"most: {kept}. State yours with --claim: fewer claims need fewer seeds."
        )
    claims = [
        PlannedClaim(f"{a.agent} > {b.agent}{on(a.task) if len(tasks) > 1 else ''}", a.agent, b.agent, a.task)
        for a, b in shown
    ]
    return Chosen(tuple(claims), max(1, len(pairs)), (which,) if claims else ())


def _in_sd(pair: tuple[Pilot, Pilot]) -> float:
    gap, sd = abs(pair[0].mean - pair[1].mean), hypot(pair[0].sd, pair[1].sd)
    return gap / sd if sd else inf * gap if gap else 0.0
