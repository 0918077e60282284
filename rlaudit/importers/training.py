"""Training episodes as a learning curve and a score.

The curve is the mean return of the episodes that ended within equal windows of steps; windows without an episode are
left out. The score is the mean return of the episodes that ended within the last tenth of the run's steps.
"""

import numpy as np

from rlaudit.types import Floats, Ints

WINDOWS = 50  # at least so many of a task's longest run
LAST_SHARE = 0.1  # of the steps, whose episodes are the score
RULE = (
    "training episodes, not evaluations: the score is the mean return of those that ended in the last "
    f"{LAST_SHARE:.0%} of a run's steps, the curve their means over windows of {{width:,}} steps"
)


def window(longest: int) -> int:
    """Steps of a window for runs of up to `longest` steps: 1, 2 or 5 times a power of ten, at most a 50th of it."""
    most = max(longest / WINDOWS, 1)
    power = 10.0 ** np.floor(np.log10(most))
    return int(max(factor * power for factor in (1, 2, 5) if factor * power <= most * (1 + 1e-9)))


def curve(ends: Ints, returns: Floats, width: int) -> tuple[Ints, Floats]:
    """Steps (n_windows,) and means (n_windows,); window k holds the ends in ((k - 1) width, k width]."""
    index = -(-ends // width)
    windows, of = np.unique(np.maximum(index, 1), return_inverse=True)
    means: Floats = np.bincount(of, returns) / np.bincount(of) if len(of) else np.empty(0)
    return windows * width, means


def score(ends: Ints, returns: Floats) -> float:
    """NaN where no episode ended."""
    if not len(ends):
        return float("nan")
    return float(returns[ends > (1 - LAST_SHARE) * ends[-1]].mean())
