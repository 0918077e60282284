"""One number for many seeds, with an interval."""

import numpy as np
from scipy.special import betaincinv, stdtrit

from rlaudit.results import Arm
from rlaudit.types import ArmScores, Floats

_RESAMPLES = 9999
_CHUNK = 2**22  # numbers held at once: 32 MB


def iqm(x: Floats, axis: int = -1) -> Floats:
    """Interquartile mean: without floor(n / 4) seeds at each end (Agarwal 2021), as scipy's trim_mean(x, 0.25) counts.

    Up to 3 seeds it is the mean, with 5 the middle three.
    """
    ordered = np.sort(np.moveaxis(np.asarray(x, np.float64), axis, -1), axis=-1)
    cut = ordered.shape[-1] // 4
    middle: Floats = ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)
    return middle


def mean_interval(x: Floats, level: float) -> tuple[Floats, Floats]:
    """Student's interval of the mean over the last axis; without ends where there is one seed."""
    n = x.shape[-1]
    centred = x - x[..., :1]
    mean = centred.mean(axis=-1)
    if n < 2:
        end = np.full_like(mean, np.inf)
        return -end, end
    reach = centred.std(axis=-1, ddof=1) / np.sqrt(n) * stdtrit(n - 1, (1 + level) / 2)
    return x[..., 0] + (mean - reach), x[..., 0] + (mean + reach)


def iqm_interval(
    scores: Floats, rng: np.random.Generator, level: float, n_resamples: int = _RESAMPLES
) -> tuple[float, float]:
    """Percentile bootstrap over the seeds (n_seeds,) of one agent on one task.

    Scores are sorted once; a resample is a vector of counts, and the counts that reach into the middle half are the
    weights. So no resample is ever sorted.
    """
    ordered, n = np.sort(scores), len(scores)
    cut = n // 4
    values = np.empty(n_resamples)
    step = max(1, _CHUNK // n)
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        drawn = rng.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        inside = np.clip(np.cumsum(counts, axis=1), cut, n - cut) - cut
        values[start : start + rows] = np.diff(inside, axis=1, prepend=0) @ (ordered - ordered[0])
    low, high = np.quantile(values / (n - 2 * cut), [(1 - level) / 2, (1 + level) / 2])
    return float(ordered[0] + low), float(ordered[0] + high)


def describe(arm: ArmScores, alpha: float, rng: np.random.Generator) -> Arm:
    """What can be said of one agent on one task: nothing without seeds, no spread and no interval with one."""
    x, several = arm.scores, len(arm.scores) > 1
    low, high = mean_interval(x, 1 - alpha) if several else (None, None)
    iqm_low, iqm_high = iqm_interval(x, rng, 1 - alpha) if several else (None, None)
    return Arm(
        agent=arm.agent,
        task=arm.task,
        n_seeds=len(x),
        n_failed=len(arm.failed),
        mean=float(x[0] + (x - x[0]).mean()) if len(x) else None,
        sd=float((x - x[0]).std(ddof=1)) if several else None,
        median=float(np.median(x)) if len(x) else None,
        iqm=float(iqm(x)) if len(x) else None,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        iqm_low=iqm_low,
        iqm_high=iqm_high,
        seeds=arm.seeds,
        scores=tuple(x.tolist()),
        failed=arm.failed,
    )


def failure_interval(n_failed: int, n: int) -> tuple[float | None, float | None]:
    """95 % interval of the share of seeds that fail (Clopper & Pearson 1934).

    Without a failure it is the one-sided bound: 0 of 5 still allow .45, 0 of 20 .14, 0 of 59 .05.
    """
    if n == 0:
        return None, None
    if n_failed == 0:
        return 0.0, 1 - 0.05 ** (1 / n)
    low = float(betaincinv(n_failed, n - n_failed + 1, 0.025))
    high = 1.0 if n_failed == n else float(betaincinv(n_failed + 1, n - n_failed, 0.975))
    return low, high
