"""Equality is a claim that needs evidence of its own, and a margin that somebody names beforehand.

Both tests are Welch's, asked about a margin instead of 0, at the level alpha without a correction. One seed in a group
gives p = 1 and an interval without ends.
"""

from dataclasses import replace

import numpy as np

from rlaudit.comparisons.moments import moments, one_seed, smallest_p
from rlaudit.comparisons.parametric import t_test, welch_error
from rlaudit.types import Comparison, Floats


def tost(a: Floats, b: Floats, margin: float) -> float:
    """p of "the means differ by the margin or more", for one pair of groups."""
    return float(equivalence(a, b, margin, alpha=0.05).p_value)


def equivalence(a: Floats, b: Floats, margin: float, *, alpha: float) -> Comparison:
    """Is |mean(a) - mean(b)| < margin? Two one-sided tests (Schuirmann 1987, J. Pharmacokin. Biopharm. 15, 657-680).

    p is the larger of both, at most alpha exactly where the interval, at level 1 - 2 alpha, lies between the margins.
    Where both groups are constant it claims no more than the permutation test's smallest two-sided p. `statistic` is
    Welch's t of no difference: it has the direction.
    """
    effect, n_a, n_b = moments(a, b).effect, a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("equivalence", effect)
    se, df = welch_error(moments(a, b), n_a, n_b)
    least = smallest_p(n_a, n_b)
    above_floor = t_test("equivalence", effect + margin, se, df, least, alpha, "greater")
    below_ceiling = t_test("equivalence", effect - margin, se, df, least, alpha, "less")
    return replace(
        t_test("equivalence", effect, se, df, least, alpha, "two-sided"),
        low=above_floor.low - margin,
        high=below_ceiling.high + margin,
        p_value=np.maximum(above_floor.p_value, below_ceiling.p_value),
    )


def non_inferiority(a: Floats, b: Floats, margin: float, *, alpha: float) -> Comparison:
    """Is mean(a) > mean(b) - margin: is a not worse by the margin? One-sided; a higher score is the better one.

    p is at most alpha exactly where `low`, at level 1 - alpha, lies above -margin. `statistic` is that of
    mean(a) - mean(b) + margin. Where both groups are constant: the permutation test's smallest one-sided p.
    """
    effect, n_a, n_b = moments(a, b).effect, a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("non_inferiority", effect, "greater")
    se, df = welch_error(moments(a, b), n_a, n_b)
    least = smallest_p(n_a, n_b, "greater")
    above_floor = t_test("non_inferiority", effect + margin, se, df, least, alpha, "greater")
    return replace(above_floor, effect=effect, low=above_floor.low - margin)
