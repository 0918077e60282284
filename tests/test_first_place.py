"""How often n seeds an agent name the leader of the full pools."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from leaderboard_tables import boards, normal, places, table_of
from scipy import stats

from rlaudit.leaderboard.first_place import Share, first_places, mean, sizes_up_to


def right(
    pools: Mapping[str, Sequence[float] | np.ndarray], leader: str | Sequence[str], n: int, n_draws: int = 20_000
) -> Share:
    scores = {agent: (np.asarray(x, float),) for agent, x in pools.items()}
    return first_places(scores, [*leader], [n], mean, n_draws=n_draws, seed=0, name="task")[n].right


@pytest.mark.parametrize("n", [2, 5, 20])
def test_two_normal_agents_come_first_as_often_as_phi_says(n: int) -> None:
    """P = Phi(d sqrt(n / 2)) for means d standard deviations apart."""
    pool = stats.norm.ppf((np.arange(4_000) + 0.5) / 4_000)
    assert stats.norm.cdf(0.4 * (n / 2) ** 0.5) == pytest.approx(
        right({"a": pool + 0.4, "b": pool}, "a", n)[0], abs=0.01
    )


def test_the_best_of_five_equal_agents_comes_first_in_a_fifth_of_the_draws() -> None:
    pool = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000)
    assert 0.2 == pytest.approx(right(dict.fromkeys("abcde", pool), "a", 5).share, abs=0.01)


def test_first_places_by_hand_with_ties() -> None:
    """All 4 x 4 x 4 equally likely draws of two seeds from pools of two; a tie of the draw is shared."""
    pools = {"a": [0, 3], "b": [1, 2], "c": [0, 2]}
    shares = []
    for draw in product(*(list(product(pool, repeat=2)) for pool in pools.values())):
        means = [sum(one) for one in draw]
        leads = [one == max(means) for one in means]
        shares.append(leads[0] / sum(leads))
    assert np.mean(shares) == pytest.approx(right(pools, "a", 2).share, abs=0.01)


def test_whoever_ties_in_the_full_pools_is_right() -> None:
    pool = [1.0, 2, 3, 4, 5]
    pools = {"a": pool, "b": pool[::-1], "c": [0, 1, 2]}
    both, one = right(pools, "ab", 5), right(pools, "a", 5)
    assert both.share > 0.95
    assert both.share / 2 == pytest.approx(one.share, abs=0.02)


def test_constant_scores_have_nothing_to_get_wrong() -> None:
    (board,) = boards(table_of({(agent, "t"): [500.0] * 5 for agent in "abc"}))
    assert [(1, 1, 3)] * 3 == list(places(board).values())
    assert {1.0} == {one.share for one in board.first_place}
    assert [1 / 3] * 3 == pytest.approx([one.first for one in board.agents])
    assert 0 == board.n_decided


def test_a_share_that_no_draw_reached_is_not_known_to_be_zero() -> None:
    """0 of 1,000 draws leave room for 1 - .025^(1/1000) = .0037."""
    pools = {"a": np.arange(20.0) + 500, "b": np.arange(20.0)}
    low, high = (right(pools, who, 2, n_draws=1_000) for who in "ba")
    assert (0.0, 0.0, pytest.approx(0.0037, abs=1e-4)) == low
    assert (1.0, pytest.approx(0.9963, abs=1e-4), 1.0) == high


def test_the_chances_to_be_first_add_up_to_one_and_the_leaders_chance_is_its_share() -> None:
    (board,) = boards(table_of(normal((0.5, 0.3, 0), 1, 7)))
    assert 1 == pytest.approx(sum(one.first for one in board.agents))
    assert board.agents[0].first == board.first_place[-1].share
    assert 7 == board.first_place[-1].n_seeds == board.n_seeds


def test_every_share_lies_within_its_interval() -> None:
    (board,) = boards(table_of(normal((0.5, 0.3, 0), 1, 12)))
    assert all(0 <= one.low <= one.share <= one.high <= 1 for one in board.first_place)
    assert all(0 <= one.first_low <= one.first <= one.first_high <= 1 for one in board.agents)


@pytest.mark.parametrize("n_seeds", [20, 100])
def test_the_interval_over_seeds_covers_the_true_share(n_seeds: int) -> None:
    """Three agents .8 sd apart from the best, five seeds: it leads in .828 of the draws (400,000 simulated tables).

    Measured coverage .93 (500 experiments); .85 would fail. Its width is that of the pools, not of the draws.
    """
    rng, covered, width = np.random.default_rng(3), 0, 0.0
    for _ in range(150):
        pools = {agent: rng.normal(m, 1, n_seeds) for agent, m in (("a", 0.8), ("b", 0.0), ("c", 0.0))}
        found = right(pools, "a", 5, n_draws=2_000)
        covered += found.low <= 0.828 <= found.high
        width += (found.high - found.low) / 150
    assert covered >= 132
    assert {20: 0.46, 100: 0.21}[n_seeds] == pytest.approx(width, abs=0.03)


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_the_interval_of_few_seeds_covers_what_the_leader_is_worth(n_seeds: int) -> None:
    """Equal steps of one sd. Pools drawn with replacement alone would cover it in .61, .67, .77."""
    rng, covered = np.random.default_rng(4), 0
    fresh = rng.normal(np.array([2.0, 1.0, 0.0])[:, None, None], 1, (3, 20_000, n_seeds)).mean(-1)
    true = dict(zip("abc", np.bincount(fresh.argmax(0), minlength=3) / 20_000, strict=True))
    for _ in range(100):
        pools = {agent: rng.normal(m, 1, n_seeds) for agent, m in zip("abc", (2, 1, 0), strict=True)}
        leader = max(pools, key=lambda agent: pools[agent].mean())
        found = right(pools, leader, n_seeds, n_draws=500)
        covered += found.low <= true[leader] <= found.high
    assert covered >= 91  # of level .95 fewer have a chance of .03


def test_no_other_pool_passes_a_ceiling() -> None:
    """All of a at 500, where b is but once below: whatever fresh seeds say, a is never beaten, at most joined."""
    pools = {"a": [500.0] * 10, "b": [*[500.0] * 9, 480.0]}
    assert right(pools, "a", 5).low >= 0.49


def test_sizes_end_with_the_pool_itself() -> None:
    assert (2, 3, 5, 10, 20) == sizes_up_to(20)
    assert (2, 3, 4) == sizes_up_to(4)
    assert (2,) == sizes_up_to(2)


def test_few_draws_of_large_pools_keep_memory_within_bounds() -> None:
    """3 x 10,000 seeds: 500 draws of all of them would be 40 MB of places and as much of scores, in blocks of 64 MB."""
    import tracemalloc

    rng = np.random.default_rng(0)
    pools = {agent: rng.normal(0, 1, 10_000) for agent in "abc"}
    tracemalloc.start()
    right(pools, "a", 10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
