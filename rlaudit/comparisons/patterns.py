"""Ways to deal seeds to two groups, as matrices: all of them or random ones; and how batches are cut to fit."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np

from rlaudit.types import Floats, Ints

FEW_PATTERNS = 1000  # up to here all patterns times all rows is one cheap matrix product (5v5: 126, 6v6: 462)
SHARING = 1024  # rows that share their random patterns, where that many sums can be held
BLOCK = 2**23  # numbers held at once: 64 MB
_CHUNK = 2**20  # numbers in a chunk of random patterns: 8 MB


@lru_cache(maxsize=32)
def every_pattern(n: int, n_a: int) -> tuple[Floats, int]:
    """Columns of zeros and ones (n, n_patterns); of mirror images, where the groups are equal, one that weighs 2."""
    halved = 2 * n_a == n
    rest = combinations(range(1, n), n_a - 1) if halved else combinations(range(n), n_a)
    members = np.array(list(rest), dtype=np.intp).reshape(comb(n - halved, n_a - halved), n_a - halved)
    patterns = np.zeros((n, len(members)))
    patterns[members, np.arange(len(members))[:, None]] = 1
    if halved:
        patterns[0] = 1
    return patterns, 1 + halved


def random_patterns(rng: np.random.Generator, n: int, n_a: int, total: int) -> Iterator[Floats]:
    """Columns of zeros and ones (n, chunk) with n_a ones each, until there are `total`."""
    chunk = max(1, min(2**13, _CHUNK // n))
    for start in range(0, total, chunk):
        order = rng.random((min(chunk, total - start), n))
        members = np.argpartition(order, n_a - 1, axis=1)[:, :n_a]
        patterns = np.zeros((n, len(members)))
        patterns[members, np.arange(len(members))[:, None]] = 1
        yield patterns


def blocks(n_rows: int, width: int, held: int = BLOCK) -> Iterator[slice]:
    """Slices of rows, so that rows x width numbers stay within `held`."""
    step = max(1, held // width)
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def search_rows(rows: Floats, values: Floats, side: Literal["left", "right"]) -> Ints:
    """`np.searchsorted` of values (n_rows, m) in sorted rows (n_rows, k), row by row."""
    places = np.empty(values.shape, dtype=np.int64)
    for i, row in enumerate(rows):
        places[i] = row.searchsorted(values[i], side)  # .9 us less than np.searchsorted
    return places
