"""Dealing a pool of seeds into two disjoint groups: all the ways where they are few, a sample where they are many."""

from itertools import combinations
from math import comb

import numpy as np

from rlaudit.types import Ints, Splits

EXHAUSTIVE = 100_000  # deal every split up to here: 92,378 is a pool of 20 halved
_CHUNK = 4_000_000  # positions shuffled at a time: 32 MB


def count(n_seeds: int, group_size: int) -> int:
    """The number of unordered pairs of disjoint groups: C(N, 2n) C(2n, n) / 2."""
    return comb(n_seeds, 2 * group_size) * comb(2 * group_size, group_size) // 2


def deal(n_seeds: int, group_size: int, *, n_sampled: int, rng: np.random.Generator) -> Splits:
    """Every split of the pool if there are at most 100,000, otherwise `n_sampled` drawn uniformly with replacement.

    Raises ValueError where the pool holds fewer than two groups.
    """
    if 2 * group_size > n_seeds:
        raise ValueError(f"{n_seeds} seeds hold no two disjoint groups of {group_size}")
    exhaustive = count(n_seeds, group_size) <= EXHAUSTIVE
    positions = every_split(n_seeds, group_size) if exhaustive else draw(n_seeds, 2 * group_size, n_sampled, rng)
    return Splits(positions.reshape(-1, 2, group_size), exhaustive)


def every_split(n_seeds: int, group_size: int) -> Ints:
    """(n_splits, 2 * group_size): each unordered split once; the first group holds the smallest position."""
    members = np.array(list(combinations(range(n_seeds), 2 * group_size)))
    partners = np.array([(0, *rest) for rest in combinations(range(1, 2 * group_size), group_size - 1)])
    left_over = np.ones((len(partners), 2 * group_size), bool)
    np.put_along_axis(left_over, partners, False, axis=1)
    others = np.nonzero(left_over)[1].reshape(-1, group_size)
    return members[:, np.hstack([partners, others])].reshape(-1, 2 * group_size)


def draw(n_seeds: int, n_drawn: int, n_rows: int, rng: np.random.Generator) -> Ints:
    """(n_rows, n_drawn): different positions in each row, by a partial Fisher-Yates shuffle; bounded memory."""
    drawn = np.empty((n_rows, n_drawn), np.int64)
    rows_at_once = max(1, _CHUNK // n_seeds)
    for start in range(0, n_rows, rows_at_once):
        block = drawn[start : start + rows_at_once]
        deck = np.tile(np.arange(n_seeds), (len(block), 1))
        rows = np.arange(len(block))
        for column in range(n_drawn):
            swap = rng.integers(column, n_seeds, len(block))
            block[:, column] = deck[rows, swap]
            deck[rows, swap] = deck[:, column]
    return drawn
