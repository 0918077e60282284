"""Where an interval is read from the bootstrap distribution.

The percentile interval, which rliable gives, is too short for few runs; the stretched one is the default. Measured
coverage in percent at level 95, of 4,000 tables (normal / log-normal scores; tasks that differ in their means):

    runs x tasks        3 x 1  5 x 1 10 x 1  3 x 5  5 x 5 10 x 5 3 x 26 5 x 26 10 x 26
    mean, percentile    75/64  85/73  90/80  86/78  90/84  93/89  89/85  92/90   94/93
    mean, stretched     94/85  95/84  95/84  95/87  95/89  95/91  95/92  96/93   95/94
    median, percentile  75/64  85/73  90/80  87/78  92/84  93/87  95/89  97/94   98/97
    median, stretched   94/85  95/84  95/84  94/85  96/87  95/89  99/94  99/96   99/98
    IQM, percentile     75/64  91/91  94/93  87/81  90/88  94/92  89/88  92/91   94/94
    IQM, stretched      94/85  97/97  97/97  95/90  95/92  96/94  96/94  95/94   95/96
    gap, percentile     58/64  70/77  82/87  83/81  89/87  93/91  88/85  92/90   94/94
    gap, stretched      65/71  76/82  85/90  93/90  94/92  95/94  95/92  95/93   95/95

So a mean of skewed scores stays short of its level on few tasks, and so does the optimality gap of one task, where
often no run at all falls short of gamma. P(improvement), stretched: 95-100 (percentile: 3-96, lowest where one agent
wins nearly always). Over tasks that differ as much as their runs, 5 / 26 of them: mean 96-97 / 96 (percentile
86-87 / 94); where tasks hardly differ, up to 100, since the two stages count the spread of runs twice.

Hesterberg expands the level of the quantile instead of the length. With few runs that quantile is among the most
extreme resamples, or beyond them: 89 instead of 93 for the mean of 5 x 1, 88 instead of 94 for the median of 3 x 5
(600 tables), and no interval at all for 3 x 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy.special import ndtri, stdtrit

from rlaudit.aggregate.resample import Over
from rlaudit.errors import RlauditError, did_you_mean
from rlaudit.types import Floats

Method: TypeAlias = Literal["stretched", "percentile"]


@dataclass(frozen=True)
class Sampling:
    """What is drawn anew, how often, and how an interval is read from it. Raises RlauditError where that is no plan."""

    level: float
    method: Method
    over: Over
    n_resamples: int

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise RlauditError(f"level = {self.level!r}: give the share of intervals that hold the truth, such as 0.95")
        if self.n_resamples < 1:
            raise RlauditError(f"n_resamples = {self.n_resamples!r}: give at least 1, better 9999")
        for name, value, kind in (("method", self.method, Method), ("over", self.over, Over)):
            if value not in get_args(kind):
                choices = get_args(kind)
                raise RlauditError(f"{name} = {value!r}: give one of {choices}.{did_you_mean(value, choices)}")

    def stretch(self, sizes: Sequence[int], n_tasks: int) -> float:
        """By how much an interval is longer than the percentile interval; infinite where no spread can be seen.

        The variance of a resampled mean of n runs is too small by (n - 1) / n, and the percentile interval has normal
        quantiles where Student's belong (Hesterberg 2015, The American Statistician 69, 371-386): the factor is
        t / z sqrt(n / (n - 1)). For several tasks it is that of a mean over tasks of equal variance, with the degrees
        of freedom of Welch and Satterthwaite; a task with one run is taken to vary as the others do. Over tasks, n is
        the number of tasks.
        """
        if self.method == "percentile":
            return 1.0
        n = np.array([n_tasks] if self.over == "tasks" else sizes, dtype=np.float64)
        several = n[n > 1]
        if not several.size:
            return np.inf
        variance = (1 / n).sum() / ((several - 1) / several**2).sum()
        df = (1 / several).sum() ** 2 / (1 / (several**2 * (several - 1))).sum()
        tail = (1 - self.level) / 2
        return float(stdtrit(df, tail) / ndtri(tail) * np.sqrt(variance))

    def interval(
        self, values: Floats, estimate: Floats, stretch: float, limits: tuple[float, float] = (-np.inf, np.inf)
    ) -> tuple[Floats, Floats]:
        """The quantiles of the resampled values (..., n_resamples), `stretch` times as far from the estimate (...)."""
        if np.isinf(stretch):
            return np.full_like(estimate, limits[0]), np.full_like(estimate, limits[1])
        low, high = np.quantile(values, [(1 - self.level) / 2, (1 + self.level) / 2], axis=-1)
        if stretch > 1:
            low = estimate - stretch * np.maximum(estimate - low, 0)
            high = estimate + stretch * np.maximum(high - estimate, 0)
        return np.maximum(low, limits[0]), np.minimum(high, limits[1])

    def share_interval(
        self, values: Floats, share: Floats, sizes: Sequence[int], n_tasks: int
    ) -> tuple[Floats, Floats]:
        """The same for shares. Where all runs agree no resample differs, and that is not certainty.

        If all of m runs on each of T tasks agree, their mean share p is known to reach (alpha / 2)^(1 / mT): the
        probability of it, the product of p_t^m, is at most p^mT (Clopper & Pearson 1934, Biometrika 26, and the
        inequality of the means). The percentile interval is left as it is.
        """
        low, high = self.interval(values, share, self.stretch(sizes, n_tasks), (0.0, 1.0))
        if self.method == "percentile":
            return low, high
        n_agreeing = n_tasks * (1 if self.over == "tasks" else min(sizes))
        reached = ((1 - self.level) / 2) ** (1 / n_agreeing)
        low = np.where(share == 1, np.minimum(low, reached), low)
        return low, np.where(share == 0, np.maximum(high, 1 - reached), high)
