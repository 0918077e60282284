"""Evidence for a claim and against it: one-sided Welch tests against its bounds.

Scores are turned beforehand so that a higher one is better; arrays of moments are batches `(...)`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rlaudit.claims import ParsedClaim
from rlaudit.comparisons.moments import Moments, smallest_p
from rlaudit.comparisons.parametric import t_test, welch_error
from rlaudit.results.claims import Decision
from rlaudit.types import Alternative, Floats


class Levels(NamedTuple):
    """What a claim's own p-values must not exceed."""

    in_favour: float
    against: float


def evidence(claim: ParsedClaim, found: Moments, n_a: int, n_b: int, *, in_favour: bool) -> Floats:
    """p (...) in favour of a claim, or against it; 1 with one seed in a group.

    `a > b` asks two-sided; `a >= b - m` (non-inferiority) one-sided; in favour of `a == b within m` speak two
    one-sided tests (Schuirmann 1987), against it a difference beyond the margin on either side.
    """
    if min(n_a, n_b) < 2:
        return np.ones_like(found.effect)
    margin = claim.margin or 0.0
    floor = _beyond(found, n_a, n_b, -margin, "greater" if in_favour else "less")
    if claim.relation == ">=":
        return floor
    if claim.relation == ">":
        return np.minimum(1, 2 * floor)
    ceiling = _beyond(found, n_a, n_b, margin, "less" if in_favour else "greater")
    return np.maximum(floor, ceiling) if in_favour else np.minimum(1, 2 * np.minimum(floor, ceiling))


def _beyond(found: Moments, n_a: int, n_b: int, bound: float, side: Alternative) -> Floats:
    """p of "a is better than b by more than `bound`" ("greater"), or by less."""
    se, df = welch_error(found, n_a, n_b)
    least = smallest_p(n_a, n_b, side)
    return t_test("welch", found.effect - bound, se, df, least, 0.05, side, interval=False).p_value


def holm_levels(p_values: ArrayLike, alpha: float) -> list[float]:
    """What each p-value must not exceed to be rejected by Holm's procedure while all others stay (Holm 1979).

    If s of the others are rejected, each at its step, before the first that is not, the level is alpha / (m - s): a
    smaller p stands before that step, and at a larger one the procedure stops.
    """
    p = np.sort(np.asarray(p_values, dtype=np.float64))
    steps = alpha / np.arange(len(p), 0, -1)
    own = []
    for value in np.asarray(p_values, dtype=np.float64):
        stopped = np.delete(p, np.searchsorted(p, value)) > steps[:-1]
        own.append(float(steps[np.argmax(stopped)]) if stopped.any() else alpha)
    return own


def deciding_interval(
    claim: ParsedClaim, found: Moments, n_a: int, n_b: int, levels: Levels, decision: Decision | None
) -> tuple[float | None, float | None]:
    """Clear of the bound exactly where the claim is decided: each end has the level of the test that decides.

    Where nothing is decided it is the wider one of those that could have. What supports `>=` and `==` is an interval
    at 1 - 2 alpha; `==` is contradicted by a wider one.
    """
    if min(n_a, n_b) < 2:
        return None, None
    support = levels.in_favour / 2 if claim.relation == ">" else levels.in_favour
    against = levels.against if claim.relation == ">=" else levels.against / 2
    tail = {"supported": support, "contradicted": against, None: min(support, against)}[decision]
    se, df = welch_error(found, n_a, n_b)
    least = smallest_p(n_a, n_b, "greater")
    low = t_test("welch", found.effect, se, df, least, tail, "greater").low
    high = t_test("welch", found.effect, se, df, least, tail, "less").high
    return (float(low) if np.isfinite(low) else None), (float(high) if np.isfinite(high) else None)
