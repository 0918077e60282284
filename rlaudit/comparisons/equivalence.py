"""Equality is a claim that needs evidence of its own, and a margin that somebody names beforehand."""

import numpy as np
from scipy.special import stdtr

from rlaudit.comparisons.moments import moments, smallest_p, welch_df
from rlaudit.types import Floats


def tost(a: Floats, b: Floats, margin: float) -> float:
    """Two one-sided Welch tests (Schuirmann 1987, J. Pharmacokin. Biopharm. 15): p of "the means differ by >= margin".

    Both groups constant: no smaller than the permutation test's smallest p. One seed in a group: 1.
    """
    found = moments(a, b)
    n_a, n_b = len(a), len(b)
    if min(n_a, n_b) < 2:
        return 1.0
    share_a, share_b = found.var_a / n_a, found.var_b / n_b
    # The larger of the two p-values is that of the nearer margin.
    distance, se = abs(float(found.effect)) - margin, float(np.sqrt(share_a + share_b))
    if se == 0:
        return smallest_p(n_a, n_b) if distance < 0 else 1.0
    return float(stdtr(welch_df(share_a, share_b, n_a, n_b), distance / se))
