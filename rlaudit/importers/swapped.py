"""Do the axes of an array look as if their names were swapped?

Seeds are exchangeable: their order says nothing. The points of a curve have an order, and tasks have levels of their
own. Where the axis called "seed" shows what the other one should, and the other one does not, somebody should look.
Only ranks are compared, so that a single wild run decides nothing.
"""

import numpy as np

from rlaudit.types import Floats

SURE = 3.0  # standard deviations beyond chance, of the axis that is called the seeds
UNSURE = 2.0  # the other axis stays below
_COLUMNS = 100  # that are looked at


def curves(values: Floats) -> bool:
    """Whether (n_seeds, n_points) is rather (n_points, n_seeds)."""
    return _order(values) > SURE and _order(values.T) < UNSURE


def tasks(values: Floats) -> bool:
    """Whether (n_seeds, n_tasks) is rather (n_tasks, n_seeds)."""
    return _levels(values) > SURE and _levels(values.T) < UNSURE


def _order(values: Floats) -> float:
    """How much nearer neighbouring rows are than rows in random order, in standard deviations of the latter.

    Von Neumann's ratio of ranks (Bartels 1982), its spread that of one column: of several it is smaller.
    """
    n = len(values)
    ranks = _ranks(values)
    spread = float(((ranks - ranks.mean(axis=0)) ** 2).sum())
    if n < 3 or spread == 0:
        return 0.0
    ratio = float((np.diff(ranks, axis=0) ** 2).sum()) / (2 * spread)  # 1 on average in random order
    return (1 - ratio) * float(np.sqrt((n * n - 1) / (n - 2)))


def _levels(values: Floats) -> float:
    """How far the rows' mean ranks lie apart, in standard deviations: Friedman's test, by Wilson and Hilferty."""
    ranks = _ranks(values)
    n, columns = ranks.shape
    residual = float(((ranks - ranks.mean(axis=0)) ** 2).sum()) / max(columns * (n - 1), 1)
    if n < 3 or columns < 3 or residual == 0:
        return 0.0
    df = n - 1
    statistic = columns * float(((ranks.mean(axis=1) - ranks.mean()) ** 2).sum()) / residual
    return float(((statistic / df) ** (1 / 3) - (1 - 2 / (9 * df))) / np.sqrt(2 / (9 * df)))


def _ranks(values: Floats) -> Floats:
    """(n, at most _COLUMNS): ranks within each column, ties shared, NaN in the middle."""
    columns = values[:, np.linspace(0, values.shape[1] - 1, min(values.shape[1], _COLUMNS)).astype(int)]
    return np.stack([_ranked(column) for column in columns.T], axis=1)


def _ranked(column: Floats) -> Floats:
    known = np.sort(column[~np.isnan(column)])
    ranks = (np.searchsorted(known, column, "left") + np.searchsorted(known, column, "right")) / 2
    return np.where(np.isnan(column), len(known) / 2, ranks)
