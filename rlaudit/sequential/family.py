"""Many pairs of agents at one level: closed testing by evidence that adds up over looks.

Some agents may be alike and others not. Every way in which the agents could fall into groups of alike ones is a
hypothesis, and a pair is told apart once each grouping that has it in one group is rejected (closed testing: Marcus,
Peritz & Gabriel 1976, Biometrika 63, 655-660; with group-sequential tests, where a rejection persists: Tang & Geller
1999, Biometrics 55, 1188-1192). A grouping with m pairs inside is rejected where

* one of these pairs has crossed at level alpha / m (Bonferroni; so three agents begin with alpha / 3, and the other
  two pairs have alpha once one is told apart: Shaffer 1986, JASA 81, 826-831), or
* the mean of their e-values is at least 1 / alpha (a mean of e-processes is one: Vovk & Wang 2021, Annals of
  Statistics 49, 1736-1754).

Both are written as one number, `strength`: alpha / p, or alpha e. A grouping is rejected from 1 on.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlaudit.types import Floats

_CLOSED = 8  # agents up to which all groupings are tested (4,140); beyond, all sets of pairs: as safe, and finds less


@lru_cache(maxsize=16)
def groupings(n_agents: int) -> NDArray[np.bool_]:
    """(n_groupings, n_pairs): which pairs, in the order of `combinations`, are in one group; not all agents alone."""
    pairs = list(combinations(range(n_agents), 2))
    labels = (label for label in _labels(n_agents) if max(label) < n_agents - 1)
    return np.array([[label[i] == label[j] for i, j in pairs] for label in labels])


def _labels(n: int) -> Iterator[tuple[int, ...]]:
    """All partitions of n things: each joins a group or opens the next one."""
    if n == 1:
        yield (0,)
        return
    for label in _labels(n - 1):
        yield from ((*label, group) for group in range(max(label) + 2))


class Family:
    """What has been shown about all pairs of some agents; grows with each look."""

    def __init__(self, n_agents: int, merge: np.ufunc) -> None:  # np.maximum of alpha / p, np.add of alpha e
        n_pairs = n_agents * (n_agents - 1) // 2
        self._merge, self._closed = merge, n_agents <= _CLOSED
        self._inside = groupings(n_agents) if self._closed else np.empty((0, n_pairs), bool)
        self._n_inside = self._inside.sum(axis=1)
        self._shown = np.zeros(len(self._inside))  # the strength against each grouping, the largest so far
        self.scores = np.zeros(n_pairs)  # of each pair; it is told apart from 1 on
        together = set(self._n_inside.tolist()) if self._closed else range(1, n_pairs + 1)
        self.sizes = tuple(sorted(together))  # the numbers of pairs that may have to share the level

    def add(self, strengths: Floats) -> None:
        """The next strengths (n_steps, n_pairs) of all pairs, in their order."""
        if not self._closed:
            self.scores = np.max([self.scores, *(_over_all_sets(row, self._merge) for row in strengths)], axis=0)
            return
        inside = self._merge.reduce(np.where(self._inside, strengths[:, None], 0), axis=2)
        self._shown = np.maximum(self._shown, inside.max(axis=0) / self._n_inside)
        self.scores = np.where(self._inside, self._shown[:, None], np.inf).min(axis=0)

    def needed(self) -> NDArray[np.int64]:
        """(n_pairs,): how many times its level's strength a pair needs now to be told apart on its own."""
        if not self._closed:
            return np.full(len(self.scores), max(1, int((self.scores < 1).sum())))
        rest = np.where(self._shown < 1, self._n_inside, 1)
        found: NDArray[np.int64] = np.where(self._inside, rest[:, None], 1).max(axis=0)
        return found


def _over_all_sets(strength: Floats, merge: np.ufunc) -> Floats:
    """For each pair the least strength of it with its j weakest rivals, j = 0, 1, ... (Holm 1979, for p-values)."""
    n_sharing, found = np.arange(1, len(strength) + 1), np.empty_like(strength)
    for i, own in enumerate(strength):
        rivals = merge.accumulate(np.append(0.0, np.sort(np.delete(strength, i))))
        found[i] = (merge(own, rivals) / n_sharing).min()
    return found
