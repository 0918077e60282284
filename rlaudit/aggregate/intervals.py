"""Where an interval is read from the bootstrap distribution.

(coverage table)
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
