"""Power, seeds needed, type S and type M for normal seeds, by formula."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, ncfdtr, ndtr, ndtri, roots_jacobi, stdtr, stdtrit

from rlaudit.comparisons.effects import noncentrality
from rlaudit.comparisons.moments import moments, welch_df
from rlaudit.results import SeedsNeeded
from rlaudit.types import Floats

MOST_SEEDS = 100_000  # an agent; beyond it there is no gap to find
_NODES = 24  # of the quadrature: agrees with 64 nodes to 1e-13 for n = 2 ... 5


def welch_power(d: ArrayLike, n: ArrayLike, alpha: float) -> Floats:
    """Share of experiments with n normal seeds an agent, true gain d (in sd), in which Welch's p < alpha.

    At d = 0 it is the test's own false-positive rate. The noncentral t of the textbooks (Cohen 1988, ch. 2) is
    Student's power: .286 at d = 1, n = 5, where Welch has .266. With equal n Welch's statistic is Student's and only
    the degrees of freedom are random: they depend on B = var_a / (var_a + var_b) ~ Beta((n-1)/2, (n-1)/2), which is
    independent of the statistic. So we average the noncentral t over B (Gauss-Jacobi quadrature).
    """
    d, n = np.broadcast_arrays(np.asarray(d, np.float64), np.asarray(n, np.int64))
    power = np.empty(d.shape)
    for size in np.unique(n):
        at = n == size
        share, weight = _variance_shares(int(size))
        critical = stdtrit((size - 1) / (share**2 + (1 - share) ** 2), 1 - alpha / 2)
        # P(|T| < critical) as that of T^2, which is a noncentral F; NaN where it is too small for a float
        within = ncfdtr(1.0, 2.0 * (size - 1), d[at][:, None] ** 2 * size / 2, critical**2)
        power[at] = 1 - np.nan_to_num(within) @ weight
    return power


def student_power(d: ArrayLike, n_a: ArrayLike, alpha: float, n_b: ArrayLike | None = None) -> Floats:
    """The same for Student's test, the textbook formula (Cohen 1988, ch. 2); `n_b` seeds of b, as many as of a if None.

    P(|T| > critical) of the noncentral t with n_a + n_b - 2 degrees of freedom and d / sqrt(1 / n_a + 1 / n_b).
    """
    d, n_a = np.asarray(d, np.float64), np.asarray(n_a, np.float64)
    n_b = n_a if n_b is None else np.asarray(n_b, np.float64)
    df = n_a + n_b - 2
    critical = stdtrit(df, 1 - alpha / 2)
    within = ncfdtr(1.0, df, d**2 * n_a * n_b / (n_a + n_b), critical**2)  # of T^2, as in `welch_power`
    power: Floats = 1 - np.nan_to_num(within)
    return power


def smallest_effect(n: int, power: float, alpha: float) -> float:
    """The true gain, in sd, that Welch finds with this power with n seeds an agent: the inverse of `welch_power`.

    0 where the power asked for is no more than the test's false-positive rate; inf with one seed.
    """
    if n < 2:
        return np.inf
    low, high = 0.0, 1.0
    while welch_power(high, n, alpha) < power:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if welch_power(middle, n, alpha) < power else (low, middle)
    return 0.0 if welch_power(0.0, n, alpha) >= power else high


@lru_cache(maxsize=256)
def _variance_shares(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Beta((n-1)/2, (n-1)/2)."""
    x, weight = roots_jacobi(_NODES, (n - 3) / 2, (n - 3) / 2)
    return (1 + x) / 2, weight / weight.sum()


def seeds_for_power(d: float, power: float, alpha: float) -> int | None:
    """The fewest seeds an agent with which Welch finds a true gain of d sd; None beyond `MOST_SEEDS`."""
    if welch_power(d, MOST_SEEDS, alpha) < power:
        return None
    too_few, enough = 1, MOST_SEEDS
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if welch_power(d, middle, alpha) < power:
            too_few = middle
        else:
            enough = middle
    return enough


def cohen_d_interval(a: Floats, b: Floats, level: float) -> tuple[float | None, float | None, float | None]:
    """The gain in units of the root mean square sd, and its interval at `level` (.95), by inverting the noncentral t.

    Exact for normal seeds of equal variance and number (Cumming & Finch 2001); elsewhere approximate, with Welch's
    degrees of freedom. None where a group has one seed or neither has a spread.
    """
    n_a, n_b = len(a), len(b)
    found = moments(a, b)
    sd = float(np.sqrt((found.var_a + found.var_b) / 2))
    if min(n_a, n_b) < 2 or sd == 0:
        return None, None, None
    share_a, share_b = found.var_a / n_a, found.var_b / n_b
    se, df = float(np.sqrt(share_a + share_b)), float(welch_df(share_a, share_b, n_a, n_b))
    t = float(found.effect) / se
    low, high = noncentrality(t, df, (1 + level) / 2), noncentrality(t, df, (1 - level) / 2)
    return float(found.effect) / sd, low * se / sd, high * se / sd


def seeds_needed(a: Floats, b: Floats, power: float = 0.8, alpha: float = 0.05) -> SeedsNeeded:
    """Seeds an agent for `power`, if the gap and the spread seen are the true ones; the interval is that of Cohen's d.

    The interval is wide on purpose: five seeds leave the true sd anywhere in [.60, 2.87] times the one seen.
    """
    d, low, high = cohen_d_interval(a, b, 1 - alpha)
    if d is None or low is None or high is None:
        return SeedsNeeded(power, None, None, None)
    most, least = max(abs(low), abs(high)), 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return SeedsNeeded(
        power=power,
        n=seeds_for_power(d, power, alpha),
        low=seeds_for_power(most, power, alpha),
        high=seeds_for_power(least, power, alpha),
    )


def retrodesign(effect: float, se: float, alpha: float, df: float = np.inf) -> tuple[float, float, float]:
    """Power, type S (share of wrong signs among the significant) and type M (their exaggeration).

    Gelman & Carlin 2014 (Perspectives on Psychological Science 9), where the estimate is effect + se T_df. They
    simulate type M; it has a closed form (Lu, Qiu & Deng 2019, Brit. J. Math. Stat. Psychol. 72), since the partial
    mean of t is (df + x^2) / (df - 1) f(x).
    """
    gain = abs(effect) / se
    critical = -float(stdtrit(df, alpha / 2)) if np.isfinite(df) else -float(ndtri(alpha / 2))
    right, wrong = _lower_tail(gain - critical, df), _lower_tail(-gain - critical, df)
    size = gain * (right - wrong) + _partial_mean(critical - gain, df) + _partial_mean(critical + gain, df)
    power = right + wrong
    return power, wrong / power, size / (power * gain) if gain > 0 else np.inf


def _lower_tail(x: float, df: float) -> float:
    return float(stdtr(df, x) if np.isfinite(df) else ndtr(x))


def _partial_mean(x: float, df: float) -> float:
    """The integral of t f(t) above x."""
    if not np.isfinite(df):
        return float(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
    if df <= 1:
        return np.inf
    log_density = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    density = np.exp(log_density - (df + 1) / 2 * np.log1p(x**2 / df))
    return float((df + x**2) / (df - 1) * density)
