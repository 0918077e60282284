"""Many pairs of agents at one level, look by look."""

from itertools import chain, combinations

import numpy as np
import pytest

from rlaudit.comparisons.corrections import holm
from rlaudit.sequential.family import Family, groupings


def told_apart(n_agents: int, merge: np.ufunc, *strengths: list[float]) -> list[bool]:
    family = Family(n_agents, merge)
    family.add(np.array(strengths))
    return (family.scores >= 1).tolist()


@pytest.mark.parametrize(("n_agents", "n_partitions"), [(2, 2), (3, 5), (4, 15), (5, 52), (8, 4140)])
def test_every_way_to_group_the_agents_is_a_hypothesis(n_agents: int, n_partitions: int) -> None:
    assert n_partitions - 1 == len(groupings(n_agents)) == len({tuple(row) for row in groupings(n_agents).tolist()})


def test_two_agents_have_the_whole_level() -> None:
    assert [True] == told_apart(2, np.maximum, [1.0])
    assert [False] == told_apart(2, np.maximum, [0.99])
    assert (1,) == Family(2, np.maximum).sizes


def test_of_three_agents_the_first_pair_needs_a_third_of_the_level_and_the_others_then_have_all_of_it() -> None:
    """Pairs: a and b, a and c, b and c."""
    assert [False, False, False] == told_apart(3, np.maximum, [2.9, 1.0, 0.0])
    assert [True, True, False] == told_apart(3, np.maximum, [3.0, 1.0, 0.0])


def test_a_grouping_stays_rejected_when_the_evidence_shrinks() -> None:
    assert [True, True, False] == told_apart(3, np.add, [3.0, 0.0, 0.0], [0.5, 1.0, 0.0])


def test_the_evidence_of_several_pairs_adds_up() -> None:
    """The mean of 1.5, 1.5 and 0 is 1: not all three agents are alike."""
    assert [True, True, False] == told_apart(3, np.add, [1.5, 1.5, 0.0])
    assert [False, False, False] == told_apart(3, np.maximum, [1.5, 1.5, 0.0])


@pytest.mark.parametrize("merge", [np.maximum, np.add])
def test_the_score_of_a_pair_is_the_weakest_grouping_that_has_it(merge: np.ufunc) -> None:
    rng = np.random.default_rng(0)
    for n_agents in (3, 4, 5):
        strength = rng.lognormal(1, 1, n_agents * (n_agents - 1) // 2)
        family = Family(n_agents, merge)
        family.add(strength[None])
        for k, score in enumerate(family.scores):
            against = [merge.reduce(strength[row]) / row.sum() for row in groupings(n_agents) if row[k]]
            assert min(against) == pytest.approx(score)


def test_beyond_eight_agents_the_correction_is_holm_s() -> None:
    p = np.random.default_rng(0).uniform(0, 0.05, 36) ** 2
    family = Family(9, np.maximum)
    family.add(0.05 / p[None])
    np.testing.assert_allclose(holm(p), np.minimum(1, 0.05 / family.scores))


def test_beyond_eight_agents_e_values_are_judged_among_all_sets_of_pairs() -> None:
    strength = np.random.default_rng(0).lognormal(2, 1, 10)
    family = Family(5, np.add)
    family._closed = False
    family.add(strength[None])
    for k, score in enumerate(family.scores):
        others = [i for i in range(10) if i != k]
        sets = chain.from_iterable(combinations(others, size) for size in range(10))
        assert min((strength[k] + strength[list(x)].sum()) / (len(x) + 1) for x in sets) == pytest.approx(score)


def test_what_a_pair_needs_falls_as_others_are_told_apart() -> None:
    family = Family(3, np.maximum)
    assert [3, 3, 3] == family.needed().tolist()
    family.add(np.array([[3.0, 0.0, 0.0]]))
    assert [1, 1, 1] == family.needed().tolist()
