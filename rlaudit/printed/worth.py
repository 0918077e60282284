"""What a design can show, and what a repetition would: never the power at the effect that was observed."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.special import chdtrc, chdtri, gammaincinv, nctdtr, ndtr, ndtri, stdtrit

from rlaudit.comparisons.corrections import holm
from rlaudit.comparisons.moments import smallest_p
from rlaudit.printed.means import central_sd
from rlaudit.printed.nouns import Design, Family, PowerAtEffect, PrintedResult, Rechecked
from rlaudit.types import Floats

PLAUSIBLE = (0.5, 1.0, 1.5)  # sd between two agents; at d = 1 three seeds in four of the better one beat the other's
_FAR = 35.0  # a noncentrality beside which the normal part of a noncentral t is nothing; beyond 37 scipy has NaN
_NODES = 400  # quantiles of a chi-squared: type M of 5 v 5 within .1 %


@lru_cache(maxsize=4096)
def power_at(d: float, n_1: int, n_2: int, alpha: float) -> PowerAtEffect:
    """Student's test of normal seeds, d sd apart: power, type S and type M (Gelman & Carlin 2014).

    The gap is normal and the pooled variance, of which the test is made, independent of it; so for each quantile of
    that variance the three are partial moments of the normal. Welch's test at few seeds has a little less power (.266
    for .286 at d = 1, 5 v 5) and exaggerates a little more.
    """
    df, se = n_1 + n_2 - 2, sqrt(1 / n_1 + 1 / n_2)
    critical = float(stdtrit(df, 1 - alpha / 2)) * se * _pooled_sds(df)  # a gap beyond it is significant
    above, below = (critical - d) / se, (-critical - d) / se
    right, wrong = ndtr(-above), ndtr(below)
    size = d * (right - wrong) + se * (_density(above) + _density(below))
    power = float((right + wrong).mean())
    return PowerAtEffect(d, power, float(wrong.mean()) / power, float(size.mean()) / (power * abs(d)))


@lru_cache(maxsize=256)
def _pooled_sds(df: int) -> Floats:
    """Quantiles of the pooled sd, in units of the true one."""
    middles = (np.arange(_NODES) + 0.5) / _NODES
    sds: Floats = np.sqrt(gammaincinv(df / 2, middles) / (df / 2))
    return sds


def _density(x: Floats) -> Floats:
    density: Floats = np.exp(-(x**2) / 2) / sqrt(2 * np.pi)
    return density


@lru_cache(maxsize=4096)
def repetition(p: float, df: float, alpha: float) -> float:
    """Chance that an exact repetition has p <= alpha in the same direction, if this p was not selected.

    Predictive: the true effect is as uncertain as this result leaves it (Goodman 1992, Statist. Med. 11, 875-879;
    Senn 2002, 21, 2437-2444, is right that this is no argument against p). For t with a flat prior of mean and log sd:
    given the true variance (the observed one times df / chi2), the new t is sqrt(2) times a noncentral t around
    t / (sd sqrt(2)). Careful: if all d were equally likely, .53 of 5 v 5 repetitions of p = .05 succeed and .76 of
    p = .01 (simulated), where this says .50 and .72. With many seeds it is Goodman's ndtr((z - z_alpha) / sqrt(2)).
    """
    if not np.isfinite(df) or df > 1_000:
        z = float(ndtri(1 - p / 2)) if p > 0 else 40.0
        return float(ndtr((z + ndtri(alpha / 2)) / sqrt(2)))
    t, critical = float(stdtrit(df, 1 - max(p, 1e-12) / 2)), float(stdtrit(df, 1 - alpha / 2))
    precision = 2 * gammaincinv(df / 2, (np.arange(_NODES) + 0.5) / _NODES) / df  # observed over true variance
    shift, least = t * np.sqrt(precision / 2), critical / sqrt(2)
    below = nctdtr(df, np.minimum(shift, _FAR), least)
    below = np.where(shift > _FAR, chdtrc(df, df * (shift / least) ** 2), below)
    return 1 - float(below.mean())


def repetition_of(result: PrintedResult, alpha: float) -> float | None:
    """From the p as printed, taken for that of a t test; None where only a bound is printed, or p = 0.000 or 1."""
    if result.p is None or result.p.text[0] in "<>" or not 0 < result.p.value < 1:
        return None
    allowed = (result.ns[0] - 1 if result.test == "paired_t" else sum(result.ns) - 2) if result.ns else np.inf
    df = float(allowed) if result.ns or result.df is None else result.df.value
    p = min(2 * result.p.value, 1.0) if result.sides == "one-sided" else result.p.value
    return repetition(p, df, alpha) if df >= 1 else None


def power_of_effect(
    result: PrintedResult, effect: float | None, alpha: float
) -> tuple[float | None, float | None, float | None]:
    """Power at a true difference in units of the score, and over the 95 % interval of the common sd."""
    sds = [central_sd(group) for group in result.groups]
    if (
        effect is None
        or result.test == "paired_t"
        or result.ns is None
        or min(result.ns) < 2
        or len(sds) != 2
        or None in sds
    ):
        return None, None, None
    n_1, n_2 = result.ns
    df = n_1 + n_2 - 2
    pooled = sqrt(sum((n - 1) * (sd or 0) ** 2 for n, sd in zip(result.ns, sds, strict=True)) / df)
    if pooled == 0 or effect == 0:
        return None, None, None
    ends = [pooled * sqrt(df / float(chdtri(df, share))) for share in (0.025, 0.975)]
    at, high, low = (power_at(min(abs(effect) / sd, 1e3), n_1, n_2, alpha).power for sd in (pooled, *ends))
    return at, low, high


def designs(results: Sequence[PrintedResult], alpha: float) -> tuple[Design, ...]:
    """Each pair of numbers of seeds once, the most frequent first."""
    counts: dict[tuple[int, int], int] = {}
    for result in results:
        if result.ns is not None and result.test != "paired_t":
            counts[result.ns] = counts.get(result.ns, 0) + 1
    return tuple(
        Design(
            n_1, n_2, count, smallest_p(n_1, n_2),
            tuple(power_at(d, n_1, n_2, alpha) for d in PLAUSIBLE) if n_1 + n_2 > 2 else (),
        )
        for (n_1, n_2), count in sorted(counts.items(), key=lambda item: -item[1])
    )  # fmt: skip


def family(results: Sequence[Rechecked], alpha: float) -> Family:
    """All p as printed at one level. "p < .05" is .05, p = 0.000 the most that rounds to it."""
    printed = [one.printed.p for one in results if one.printed.p is not None]
    p = np.array([one.high if one.value == 0 else one.value for one in printed])
    return Family(
        n_p=len(p),
        n_significant=int((p <= alpha).sum()),
        expected=alpha * len(p),
        n_holm=int((holm(p) <= alpha).sum()),
        n_mirrored=_mirrored([one.printed for one in results]),
    )


def _mirrored(results: Sequence[PrintedResult]) -> int:
    """t tests that stand there twice: A against B, and B against A."""
    seen: dict[tuple[object, ...], int] = {}
    for one in results:
        if one.statistic is not None and one.p is not None and one.statistic.value != 0:
            key = (one.test, one.ns, abs(one.statistic.value), one.p.text, one.statistic.value > 0)
            seen[key] = seen.get(key, 0) + 1
    return sum(min(count, seen.get((*key[:-1], False), 0)) for key, count in seen.items() if key[-1])
