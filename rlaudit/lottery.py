"""The arithmetic of tickets: rounds of pruning, extremes of a pool, and how much of their gap survives."""

from collections.abc import Sequence
from math import ceil, log

import numpy as np

from rlaudit.types import Floats


def rounds(sparsities: Sequence[float], per_round: float) -> dict[float, list[float]]:
    """For each of the rising `sparsities` all sparsities on the way to it, its own the last.

    No round takes more than the share `per_round` of the weights that are left; those between two sparsities take
    equal shares: {0.8: [0.552786, 0.8]} for .6 a round.
    """
    path: list[float] = []
    found = {}
    for sparsity in sparsities:
        kept = 1 - (path[-1] if path else 0.0)
        left = (1 - sparsity) / kept
        n = max(1, ceil(log(left) / log(1 - per_round) - 1e-9))
        path += [round(1 - kept * left ** (i / n), 6) for i in range(1, n)] + [sparsity]
        found[sparsity] = list(path)
    return found


def extremes(scores: Floats, k: int, *, higher_is_better: bool) -> tuple[list[int], list[int]]:
    """Places of the k best scores, the best first, and of the k worst, the worst last; equal scores keep their order.

    Where there are fewer than 2k scores the two stay apart: half of them each at most.
    """
    k = min(k, len(scores) // 2)
    order = np.argsort(-scores if higher_is_better else scores, kind="stable").tolist()
    return order[:k], order[len(order) - k :]
