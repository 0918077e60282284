"""The shift between two groups: order statistics of all n_a n_b differences a - b, for effects and intervals.

Where only the place of a differs from that of b, subtracting the shift makes the groups alike; the shifts that a test
does not reject are an interval between two of the differences (Moses 1965, Technometrics 7, 257-260; Lehmann 1975,
Nonparametrics, section 2.6).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlaudit.comparisons.patterns import blocks
from rlaudit.types import Floats, Ints

_LISTED = 2**20  # differences of one row that are listed; of 1,024 seeds a side and more they are searched
_FEW = 2**16  # differences between two bounds that are sorted instead of bounded further


def ordered_differences(a: Floats, b: Floats, places: Sequence[int]) -> Floats:
    """The differences a_i - b_j of each row (n_rows, n) at these places (0: the smallest): (n_places, n_rows)."""
    pairs = a.shape[1] * b.shape[1]
    found = np.empty((len(places), len(a)))
    if pairs > _LISTED:
        for row, (x, y) in enumerate(zip(np.sort(a), np.sort(b), strict=True)):
            found[:, row] = [_search(x, y, place) for place in places]
        return found
    for rows in blocks(len(a), pairs):
        listed = (a[rows, :, None] - b[rows, None, :]).reshape(-1, pairs)
        listed.partition(sorted(set(places)), axis=1)
        found[:, rows] = listed[:, list(places)].T
    return found


def _search(a: Floats, b: Floats, place: int) -> float:
    """The same in one pair of sorted groups, by bisection on the value: 10,000 v 10,000 in 30 ms instead of 800 MB.

    Whether a difference is above 0 is decided as a > b is, without rounding: 0 is the first bound that is tried.
    """
    low, high = float(a[0] - b[-1]), float(a[-1] - b[0])
    middle = 0.0 if low < 0 < high else low / 2 + high / 2
    # a[i] - b[j] lies between the bounds for first[i] <= j < last[i]; `below` differences lie at or under the lower.
    first, last, below = np.zeros(len(a), np.int64), np.full(len(a), len(b)), 0
    for _ in range(100):
        at = np.searchsorted(b, a - middle, "left")
        up_to = a.size * b.size - int(at.sum())
        if up_to <= place:
            low, last, below = middle, at, up_to
        else:
            high, first = middle, at
        middle = low / 2 + high / 2
        left = int((last - first).sum())
        if left <= _FEW or not low < middle < high:
            break
    if left > _FEW:  # all the same, or as near to it as numbers can be
        i = int(np.argmax(last - first))
        return float(a[i] - b[first[i]])
    between = np.concatenate([x - b[i:j] for x, i, j in zip(a, first, last, strict=True)])
    return float(np.partition(between, place - below)[place - below])


def hodges_lehmann(a: Floats, b: Floats) -> Floats:
    """The median of all differences (Hodges & Lehmann 1963, Ann. Math. Statist. 34, 598-611): (n_rows,)."""
    pairs = a.shape[1] * b.shape[1]
    lower, upper = ordered_differences(a, b, [(pairs - 1) // 2, pairs // 2])
    middle: Floats = lower / 2 + upper / 2
    return middle


def agree_with_p(
    low: Floats, high: Floats, a: Floats, b: Floats, significant: NDArray[np.bool_], side: Ints
) -> tuple[Floats, Floats]:
    """The interval [low, high] of untied scores, made to exclude 0 exactly where the p of the tied ones does.

    Where p > alpha it is extended to 0. Where p <= alpha and 0 is inside, it begins with the smallest difference
    above 0, or ends with the largest below, on the `side` (1, -1) to which the statistic points; where that is
    neither, no shift is left, which is said by low > high.
    """
    low = np.where(significant, low, np.minimum(low, 0))
    high = np.where(significant, high, np.maximum(high, 0))
    for row in np.flatnonzero(significant & (low <= 0) & (high >= 0)):
        below, above = _around_zero(np.sort(a[row]), np.sort(b[row]))
        if side[row] > 0:
            low[row], high[row] = above, max(above, high[row])
        elif side[row] < 0:
            low[row], high[row] = min(below, low[row]), below
        else:
            low[row], high[row] = above, below
    return low, high


def _around_zero(a: Floats, b: Floats) -> tuple[float, float]:
    """The largest difference below 0 and the smallest above, of sorted groups; infinite where there is none."""
    edge = np.array([np.inf])
    below = a - np.concatenate([b, edge])[np.searchsorted(b, a, "right")]
    above = a - np.concatenate([-edge, b])[np.searchsorted(b, a, "left")]
    return float(below.max()), float(above.min())
