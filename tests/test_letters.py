"""Clusters in letters: sharing one means not told apart, and nothing else."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.comparisons.letters import clusters, names


def told_apart(n: int, *pairs: tuple[int, int]) -> np.ndarray:
    different = np.zeros((n, n), bool)
    for i, j in pairs:
        different[i, j] = different[j, i] = True
    return different


@st.composite
def relations(draw: st.DrawFn) -> np.ndarray:
    n = draw(st.integers(1, 9))
    pairs = list(combinations(range(n), 2))
    return told_apart(n, *draw(st.lists(st.sampled_from(pairs), unique=True) if pairs else st.just([])))


@given(relations())
def test_two_share_a_cluster_if_and_only_if_they_are_not_told_apart(different: np.ndarray) -> None:
    found = clusters(different)
    for i in range(len(different)):
        for j in range(len(different)):
            assert any({i, j} <= set(one) for one in found) == (not different[i, j])


@given(relations())
def test_a_cluster_is_maximal_and_none_could_be_left_out(different: np.ndarray) -> None:
    found = clusters(different)
    pairs = [{(i, j) for i in one for j in one} for one in found]
    for place, one in enumerate(found):
        outside = set(range(len(different))) - set(one)
        assert all(different[i, list(one)].any() for i in outside)
        others = set().union(*(pairs[k] for k in range(len(found)) if k != place))
        assert pairs[place] - others


def test_piephos_example_of_a_ladder() -> None:
    """Neighbours up to two steps away are not told apart."""
    different = told_apart(5, *((i, j) for i, j in combinations(range(5), 2) if j - i > 2))
    assert clusters(different) == ((0, 1, 2), (1, 2, 3), (2, 3, 4))


def test_nobody_told_apart_is_one_cluster_and_everybody_as_many_as_there_are() -> None:
    assert clusters(told_apart(4)) == ((0, 1, 2, 3),)
    assert clusters(told_apart(3, (0, 1), (0, 2), (1, 2))) == ((0,), (1,), (2,))
    assert clusters(told_apart(0)) == ()


def test_not_told_apart_is_not_transitive() -> None:
    assert clusters(told_apart(3, (0, 2))) == ((0, 1), (1, 2))


def test_there_are_names_beyond_the_alphabet() -> None:
    assert names(28)[-3:] == ("z", "a2", "b2")
    assert len(set(names(200))) == 200
