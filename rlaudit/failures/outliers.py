"""Seeds whose score lies far from those of the other seeds."""

import numpy as np
from scipy.special import ndtri

from rlaudit.results import Outlier
from rlaudit.types import ArmCurves, ArmScores, Floats, SeedLabel

FEWEST = 8  # seeds; with fewer the robust sd is so uncertain that 10 to 19 of them would be needed
_LEVEL = 0.01  # chance that any of the seeds of a normal agent is called an outlier


def find_outliers(arm: ArmScores, curves: ArmCurves | None) -> tuple[Outlier, ...]:
    """The farthest first. A seed is one where it lies more than `reach` robust sds from the median."""
    distances = robust_distances(arm.scores)
    if distances is None:
        return ()
    far = np.flatnonzero(np.abs(distances) > reach(len(arm.scores)))
    ends = {} if curves is None else _curve_ends(curves)
    return tuple(
        Outlier(
            seed=arm.seeds[place],
            score=float(arm.scores[place]),
            distance=float(distances[place]),
            curve_end=ends.get(arm.seeds[place], (None, False))[0],
            only_final=ends.get(arm.seeds[place], (None, False))[1],
        )
        for place in far[np.argsort(-np.abs(distances[far]), kind="stable")]
    )


def reach(n: int) -> float:
    """How many robust sds from the median count as far, so that 1 % of normal agents with n seeds have such a seed.

    The quantile for n independent seeds (Davies & Gather 1993, JASA 88, 782-792), and (1 + 10.5 / n) for the
    uncertainty of the median absolute deviation, fitted to simulated agents; so adjusted 0.9 to 1.2 % (1.8 at n = 9)
    have one. 7.5, 6.7, 5.3, 4.5, 4.3 at n = 8, 10, 20, 50, 193. Heavy tails have more: t with 3 degrees of freedom .08,
    .21 and .54 at n = 10, 20, 50. So an outlier is no error; it is a seed to look at.
    """
    return float(-ndtri((1 - (1 - _LEVEL) ** (1 / n)) / 2) * (1 + 10.5 / n))


def robust_distances(scores: Floats) -> Floats | None:
    """(n_seeds,): from the median, in units of 1.4826 median absolute deviations, which is the sd of normal scores.

    None with too few seeds, and where most of them tie: then there is no spread to measure with.
    """
    if len(scores) < FEWEST:
        return None
    from_median = scores - np.median(scores)
    sd = 1.4826 * np.median(np.abs(from_median))
    return from_median / sd if sd > 1e-12 * np.abs(scores).max() else None


def _curve_ends(curves: ArmCurves) -> dict[SeedLabel, tuple[float, bool]]:
    """Of each run with evaluations in the last tenth of training: their mean, and whether it lies among the others."""
    last = curves.values[:, -max(1, curves.values.shape[1] // 10) :]
    rows = np.flatnonzero(~np.isnan(last).all(axis=1))
    ends = np.nanmean(last[rows], axis=1)
    distances = robust_distances(ends)
    inside = np.zeros(len(rows), bool) if distances is None else np.abs(distances) <= reach(len(rows))
    return {curves.seeds[row]: (float(end), bool(among)) for row, end, among in zip(rows, ends, inside, strict=True)}
