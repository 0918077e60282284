"""Who is told apart from whom, in letters: two that share a letter are not told apart, and two that do not are.

A letter stands for a set in which no pair is told apart and to which nothing can be added: these sets are found by
splitting, and those that tell nothing new are left out (a compact letter display; Piepho 2004, An algorithm for a
letter-based representation of all-pairwise comparisons, J. Computational and Graphical Statistics 13, 456-466).
Sharing a letter is no proof of being equal.
"""

from itertools import combinations
from string import ascii_lowercase
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Members: TypeAlias = frozenset[int]


def clusters(different: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """Sets of positions, from `different` (n, n), symmetric: the pairs that were told apart.

    Two positions are together in at least one set if and only if they were not told apart. Each set is maximal, none
    could be left out, and each position is in one. Sorted: those of the first positions first.
    """
    n = len(different)
    found: set[Members] = {frozenset(range(n))} if n else set()
    for i, j in combinations(range(n), 2):
        if different[i, j]:
            split = {one for one in found if {i, j} <= one}
            found = _largest((found - split) | {one - {k} for one in split for k in (i, j)})
    return tuple(sorted(tuple(sorted(one)) for one in _needed(found)))


def _largest(sets: set[Members]) -> set[Members]:
    """Without those that lie in another."""
    return {one for one in sets if not any(one < other for other in sets)}


def _needed(sets: set[Members]) -> list[Members]:
    """Without those whose pairs are together in others anyway, the smallest left out first."""
    kept = sorted(sets, key=lambda one: (len(one), sorted(one)))
    for one in list(kept):
        others = [other for other in kept if other is not one]
        if all(any({i, j} <= other for other in others) for i in one for j in one):
            kept = others
    return kept


def names(n: int) -> tuple[str, ...]:
    """`a`, `b`, ..., `z`, and beyond them `a2`, `b2`, ..."""
    rounds = [ascii_lowercase[k % 26] + (str(k // 26 + 1) if k >= 26 else "") for k in range(n)]
    return tuple(rounds)
