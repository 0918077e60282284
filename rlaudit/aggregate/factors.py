"""Two crossed factors, chosen by hand, and seeds within each cell: what the variance of a score is made of.

A run is drawn by lot: a level of each factor, then a seed. The variance of its score is that of the effects of the
first factor, of the second, of what both do only together, and that between the seeds of a cell; the four add up.
The noise of the cells' means is taken out of the first three without bias (Searle, Casella & McCulloch 1992, Variance
Components, chapter 4), whatever the spread of each cell, so that an effect that is not there comes out below zero as
often as above. Intervals: the jackknife over the seeds of each cell (Arvesen & Schmitz 1970).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from rlaudit.types import Floats


class Part(NamedTuple):
    """A share of the variance, with its interval; ends within [0, 1]."""

    share: float
    low: float
    high: float


def variance_parts(cells: Sequence[Sequence[Floats]], level: float) -> tuple[Part, Part, Part, Part] | None:
    """Of the first factor, the second, both together, and the seeds: cells[i][j] are the scores (n_seeds,) at i, j.

    None where a cell has fewer than three seeds, or no score differs from another.
    """
    flat = [np.asarray(cell, np.float64) for row in cells for cell in row]
    together = np.concatenate(flat)
    if min(map(len, flat)) < 3 or np.ptp(together) == 0:
        return None
    flat = [(cell - together[0]) / np.ptp(together) for cell in flat]
    moments = np.array([(cell.mean(), cell.var(ddof=1), len(cell)) for cell in flat]).T
    shape = (len(cells), len(cells[0]))
    shares, noise = _shares(moments, shape)
    spread = np.zeros(4)
    for place, cell in enumerate(flat):
        left, _ = _shares(_without_one(moments, place, cell), shape)
        spread += (len(cell) - 1) * left.var(axis=0)
    reach = ndtri((1 + level) / 2) * np.sqrt(np.maximum(spread, noise**2))
    ends = zip(*(np.clip(values, 0, 1).tolist() for values in (shares, shares - reach, shares + reach)), strict=True)
    first, second, both, seeds = (Part(*one) for one in ends)
    return first, second, both, seeds


def _without_one(moments: Floats, place: int, cell: Floats) -> Floats:
    """(n_seeds, 3, n_cells) mean, variance and number of seeds of all cells, without one seed of that cell each."""
    left, (mean, variance, n) = np.tile(moments, (len(cell), 1, 1)), moments[:, place]
    left[:, 0, place] = mean - (cell - mean) / (n - 1)
    left[:, 1, place] = np.maximum((n - 1) * variance - n / (n - 1) * (cell - mean) ** 2, 0) / (n - 2)
    left[:, 2, place] = n - 1
    return left


def _shares(moments: Floats, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """(..., 4) of the first factor, the second, both together, the seeds; the first three may be below zero.

    And (..., 4) the standard error that noise alone gives them where there is no effect: 2 df noise^2 is the variance
    of a sum of squares of df normal effects. `moments`: (..., 3, n_cells).
    """
    means, variances, n = np.moveaxis(moments, -2, 0)
    rows, columns = shape
    grid = means.reshape(*means.shape[:-1], *shape)
    grid = grid - grid.mean(axis=(-2, -1), keepdims=True)
    first, second = grid.mean(axis=-1, keepdims=True), grid.mean(axis=-2, keepdims=True)
    squares = [(effect**2).mean(axis=(-2, -1)) for effect in (first, second, grid - first - second)]
    df = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1), 0])
    noise = (variances / n).mean(axis=-1)[..., None] / means.shape[-1]
    parts = np.stack([*squares, variances.mean(axis=-1)], axis=-1) - df * noise
    total = parts.sum(axis=-1, keepdims=True)
    total = np.where(total > 0, total, np.inf)
    return parts / total, np.sqrt(2 * df) * noise / total
