"""Dealing seeds into groups."""

from itertools import combinations

import numpy as np
import pytest

from rlaudit import splits

RNG = np.random.default_rng


@pytest.mark.parametrize(
    ("n_seeds", "n_splits"), [(4, 3), (6, 10), (8, 35), (10, 126), (12, 462), (16, 6435), (20, 92_378)]
)
def test_halving_a_pool_has_the_published_number_of_splits(n_seeds: int, n_splits: int) -> None:
    dealt = splits.deal(n_seeds, n_seeds // 2, n_sampled=100, rng=RNG(0))
    assert n_splits == splits.count(n_seeds, n_seeds // 2) == len(dealt.groups)
    assert dealt.exhaustive


def test_every_split_stands_once_whatever_the_order_of_its_groups() -> None:
    dealt = splits.deal(7, 2, n_sampled=100, rng=RNG(0))
    unordered = {frozenset((frozenset(a.tolist()), frozenset(b.tolist()))) for a, b in dealt.groups}
    expected = {
        frozenset((frozenset(a), frozenset(b)))
        for a in combinations(range(7), 2)
        for b in combinations(sorted(set(range(7)) - set(a)), 2)
    }
    assert expected == unordered
    assert len(unordered) == len(dealt.groups)


def test_a_sampled_split_has_disjoint_groups() -> None:
    dealt = splits.deal(193, 20, n_sampled=2_000, rng=RNG(0))
    assert not dealt.exhaustive
    assert (2_000, 2, 20) == dealt.groups.shape
    assert all(len(set(row)) == 40 for row in dealt.groups.reshape(2_000, 40).tolist())


def test_sampled_positions_are_uniform() -> None:
    drawn = splits.draw(12, 4, 60_000, RNG(1))
    expected = 60_000 / 12
    for column in drawn.T:
        chi_squared = ((np.bincount(column, minlength=12) - expected) ** 2 / expected).sum()
        assert chi_squared < 31.3  # 99.9 % quantile, 11 degrees of freedom


def test_pairs_of_positions_are_uniform() -> None:
    drawn = splits.draw(6, 2, 60_000, RNG(2))
    counts = np.bincount(drawn[:, 0] * 6 + drawn[:, 1], minlength=36).reshape(6, 6)
    assert 0 == np.trace(counts)
    off_diagonal = counts[~np.eye(6, dtype=bool)]
    assert ((off_diagonal - 2_000) ** 2 / 2_000).sum() < 58.3  # 99.9 % quantile, 29 degrees of freedom


def test_drawing_in_blocks_leaves_no_row_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "_CHUNK", 50)
    drawn = splits.draw(10, 3, 101, RNG(3))
    assert all(len(set(row)) == 3 and max(row) < 10 for row in drawn.tolist())


def test_the_same_stream_deals_the_same_splits() -> None:
    first, second = (splits.deal(50, 5, n_sampled=500, rng=RNG(7)).groups for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_pool_with_fewer_than_two_groups_cannot_be_dealt() -> None:
    with pytest.raises(ValueError, match="5 seeds hold no two disjoint groups of 3"):
        splits.deal(5, 3, n_sampled=100, rng=RNG(0))
