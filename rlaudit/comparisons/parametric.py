"""The t tests: Welch's, for unequal variances, is the default; Student's is there for comparison."""

import numpy as np
from scipy.special import stdtr, stdtrit

from rlaudit.comparisons.moments import Moments, flat_reach, moments, one_seed, welch_df, without_spread
from rlaudit.types import Alternative, Comparison, Floats


def welch(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Welch's t test (Welch 1947, Biometrika 34); needs no random numbers."""
    found = moments(a, b)
    n_a, n_b = a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("welch", found.effect)
    share_a, share_b = found.var_a / n_a, found.var_b / n_b
    df = welch_df(share_a, share_b, n_a, n_b)
    return _t_test("welch", found, np.sqrt(share_a + share_b), df, n_a, n_b, alpha)


def student(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Student's t test. Not the default: .22 false positives at sd 1 vs 3 with 15 vs 5 seeds.

    One seed against many gives no answer here, although the pooled variance would supply one: it would be the
    spread of the other agent.
    """
    found = moments(a, b)
    n_a, n_b = a.shape[-1], b.shape[-1]
    if min(n_a, n_b) < 2:
        return one_seed("student", found.effect)
    pooled = ((n_a - 1) * found.var_a + (n_b - 1) * found.var_b) / (n_a + n_b - 2)
    se = np.sqrt(pooled * (1 / n_a + 1 / n_b))
    return _t_test("student", found, se, np.full_like(se, n_a + n_b - 2), n_a, n_b, alpha)


def _t_test(test: str, found: Moments, se: Floats, df: Floats, n_a: int, n_b: int, alpha: float) -> Comparison:
    effect = found.effect
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(effect == 0, 0.0, effect / se)
    p = without_spread(2 * stdtr(df, -np.abs(statistic)), found, n_a, n_b)
    reach = np.where(se > 0, se * stdtrit(df, 1 - alpha / 2), flat_reach(effect, n_a, n_b, alpha))
    return Comparison(test, effect, effect - reach, effect + reach, statistic, df, p, 0.0, np.zeros_like(effect))


def yuen(
    a: Floats,
    b: Floats,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_resamples: int,
    alternative: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    """Being written."""
    raise NotImplementedError
