"""Many agents in order: places with their intervals, and who is among them."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaderboard_tables import boards, normal, places, table_of
from scipy import stats
from shared_data import FOLDER

from rlaudit.comparisons import COMPARISONS, holm
from rlaudit.config import AuditSettings
from rlaudit.experiments.audit import audit_scores
from rlaudit.leaderboard.order import rank_intervals
from rlaudit.pairs import PairSettings, audit_pairs
from rlaudit.results import Leaderboard, from_json, to_json
from rlaudit.types import Verdict

# ---------------------------------------------------------------- ranks


def test_a_rank_lies_between_the_agents_that_are_better_and_those_that_are_worse() -> None:
    better = np.array([[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert ([1, 1, 2, 3], [2, 3, 4, 4]) == rank_intervals(better)


def test_who_is_better_than_a_better_one_is_better_too() -> None:
    chain = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert ([1, 2, 3], [1, 2, 3]) == rank_intervals(chain)


def test_where_no_pair_is_decided_every_place_is_open() -> None:
    assert ([1] * 5, [5] * 5) == rank_intervals(np.zeros((5, 5)))


SKEWED = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(1, shape),
}
MEANS = {"equal": (0.0, 0, 0, 0, 0), "ladder": (2.0, 1.5, 1, 0.5, 0), "two groups": (1.5, 1.5, 1.5, 0, 0)}


# of 2,000 tables; with alpha = .1 they are 112 129 64 68, 80 103 48 80, and 4
MEASURED = [
    ("equal", "normal", 5, 51), ("equal", "normal", 10, 68), ("equal", "skewed", 5, 36), ("equal", "skewed", 10, 27),
    ("two groups", "normal", 5, 35), ("two groups", "normal", 10, 49), ("two groups", "skewed", 5, 23),
    ("two groups", "skewed", 10, 29), ("ladder", "normal", 5, 2),
]  # fmt: skip


@pytest.mark.parametrize(("truth", "kind", "n", "measured"), MEASURED)
def test_all_rank_intervals_hold_together_in_19_of_20_tables(truth: str, kind: str, n: int, measured: int) -> None:
    """2,000 tables, of which 100 may fail; fewer do, since Holm counts on pairs that share no agent."""
    rng, means, n_tables = np.random.default_rng(n), np.array(MEANS[truth]), 2_000
    scores = SKEWED[kind](rng, (5, n_tables, n)) + means[:, None, None]
    pairs = list(combinations(range(5), 2))
    tests = [COMPARISONS["welch"](scores[i], scores[j], alpha=0.05, rng=rng, n_resamples=9) for i, j in pairs]
    p_values, signs = np.array([t.p_value for t in tests]).T, np.array([t.direction for t in tests]).T
    best = [1 + sum(other > one for other in means) for one in means]  # agents that tie share a range of places
    worst = [5 - sum(other < one for other in means) for one in means]
    failures = 0
    for p, sign in zip(p_values, signs, strict=True):
        better = np.zeros((5, 5))
        for (i, j), adjusted, s in zip(pairs, holm(p), sign, strict=True):
            better[(i, j) if s > 0 else (j, i)] = adjusted <= 0.05
        low, high = rank_intervals(better)
        failures += any(a > x for a, x in zip(low, best, strict=True)) or any(
            b < x for b, x in zip(high, worst, strict=True)
        )
    assert failures <= measured + 3 * measured**0.5 < 100


def test_the_rank_intervals_are_those_of_the_verdicts_of_the_audit() -> None:
    table = table_of(normal((2, 1.4, 0.1, -1), 1, 8))
    audit = audit_scores(table, AuditSettings(splits=100, tests=("welch",)), "x")
    (board,) = audit.leaderboards
    decided = {(pair.a, pair.b): pair.verdict for pair in audit.comparisons if pair.verdict.has_winner}
    assert {(c.a, c.b): c.decided for c in board.matrix if c.decided} == {
        pair: 1 if verdict == Verdict.A_BETTER else -1 for pair, verdict in decided.items()
    }
    assert {(pair.a, pair.b): pair.p_adjusted for pair in audit.comparisons} == {
        (c.a, c.b): c.p_adjusted for c in board.matrix
    }
    assert 0 < len(decided) == board.n_decided < 6 == board.n_pairs


def test_walker2d_has_a_first_a_second_and_two_that_hang_on_a_fragile_pair() -> None:
    """SAC and PPO have 10 seeds, DDPG and TRPO 30. TRPO against DDPG has p = .0422, the last step of Holm's."""
    pools: dict[tuple[str, str], list[float]] = {}
    for path in sorted((FOLDER / "walker2d").glob("*.csv")) or [pytest.skip("Walker2d's runs are not here")]:
        with path.open() as file:
            for row in csv.DictReader(file):
                for agent in row.keys() - {""}:
                    pools.setdefault((agent, "Walker2d"), []).append(float(row[agent]))
    (board,) = boards(table_of(pools))
    assert {"SAC": (1, 1, 1), "PPO": (2, 2, 2), "TRPO": (3, 3, 3), "DDPG": (4, 4, 4)} == places(board)
    fragile = next(cell for cell in board.matrix if (cell.a, cell.b) == ("TRPO", "DDPG"))
    assert 0.0422 == pytest.approx(fragile.p_adjusted, abs=1e-4)


def test_a_clear_leader_is_first_for_certain() -> None:
    (board,) = boards(table_of(normal((9, 1, 0), 1, 8)))
    assert (1, 1, 1) == places(board)["a"]
    assert ("a",) == board.candidates


def test_the_better_agent_is_first_where_lower_is_better() -> None:
    table = table_of(normal((9, 4, 0), 1, 8), higher_is_better=False)
    (board,) = boards(table)
    assert ["c", "b", "a"] == [one.agent for one in board.agents]
    assert (3, 3, 3) == places(board)["a"]
    best = board.agents[0]
    assert best.value == pytest.approx(table.arm("c", "task 0").scores.mean())
    assert best.low < best.value < best.high
    assert all(cell.better > 0.5 for cell in board.matrix if cell.b == "a")


def test_the_interval_of_a_mean_is_that_of_student() -> None:
    table = table_of(normal((2, 1, 0), 1, 6))
    (board,) = boards(table)
    scores = table.arm("b", "task 0").scores
    one = next(one for one in board.agents if one.agent == "b")
    assert stats.t.interval(0.95, 5, scores.mean(), stats.sem(scores)) == pytest.approx((one.low, one.high))


def test_ties_share_the_better_rank() -> None:
    (board,) = boards(table_of({("a", "t"): [1, 2, 3], ("b", "t"): [3, 2, 1], ("c", "t"): [0, 1, 2]}))
    assert {"a": 1, "b": 1, "c": 3} == {one.agent: one.rank for one in board.agents}


def test_means_that_differ_by_rounding_alone_are_a_tie() -> None:
    (board,) = boards(table_of({("a", "t"): [0.1, 0.2, 0.3], ("b", "t"): [0.2, 0.2, 0.2], ("c", "t"): [0.0, 0.1, 0.2]}))
    assert {"a": 1, "b": 1, "c": 3} == {one.agent: one.rank for one in board.agents}


def test_a_test_of_ranks_that_contradicts_the_means_decides_no_place() -> None:
    """One seed carries the mean of a; Mann-Whitney calls b better."""
    scores = {("a", "t"): [0, 1, 2, 3, 4, 5, 6, 500], ("b", "t"): np.arange(8) + 10.5, ("c", "t"): np.arange(8) - 5.5}
    (board,) = boards(table_of(scores), test="mann_whitney")
    assert "a" == board.agents[0].agent
    assert 0 == next(cell.decided for cell in board.matrix if (cell.a, cell.b) == ("a", "b"))
    assert all(one.rank_low <= one.rank <= one.rank_high for one in board.agents)


def test_a_false_discovery_rate_bounds_no_ranks_so_that_holm_judges_them() -> None:
    table = table_of(normal((1.4, 0.9, 0.5, 0, -0.6), 1, 10, seed=3))
    (holms,), (hochbergs,) = boards(table), boards(table, correction="benjamini_hochberg")
    assert places(holms) == places(hochbergs)
    found = audit_pairs(table, PairSettings(("welch",), 0.05, None, True, 50, 0, "benjamini_hochberg"))
    assert holms.n_decided < sum(pair.verdict.has_winner for pair in found)


# ---------------------------------------------------------------- laws

scores = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=6)
tables = st.lists(scores, min_size=3, max_size=5).map(lambda rows: dict(zip("abcde", rows, strict=False)))


@settings(max_examples=25, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_agents_and_of_seeds_changes_no_rank(pools: dict[str, list[float]], random) -> None:
    def found(names: Sequence[str]) -> Leaderboard:
        return boards(table_of({(name, "t"): pools[name] for name in names}), n_draws=100)[0]

    names = list(pools)
    random.shuffle(names)
    one, other = found(list(pools)), found(names)
    assert one.agents == other.agents
    assert one.first_place == other.first_place
    assert [cell.decided for cell in one.matrix] == [cell.decided for cell in other.matrix]


@settings(max_examples=25, deadline=None)
@given(tables)
def test_a_place_lies_within_its_interval_and_some_agent_may_be_first(pools: dict[str, list[float]]) -> None:
    (board,) = boards(table_of({(name, "t"): x for name, x in pools.items()}), n_draws=100)
    assert all(1 <= one.rank_low <= one.rank <= one.rank_high <= len(pools) for one in board.agents)
    assert board.agents[0].agent in board.candidates


@settings(max_examples=20, deadline=None)
@given(tables)
def test_scores_upside_down_give_the_same_order_where_lower_is_better(pools: dict[str, list[float]]) -> None:
    (up,) = boards(table_of({(name, "t"): x for name, x in pools.items()}), n_draws=100)
    (down,) = boards(table_of({(name, "t"): [-s for s in x] for name, x in pools.items()}, False), n_draws=100)
    assert places(up) == places(down)
    assert [one.first for one in up.agents] == [one.first for one in down.agents]
    assert [one.share for one in up.first_place] == [one.share for one in down.first_place]
    assert [one.value for one in up.agents] == [-one.value for one in down.agents]


def test_shift_and_scale_change_no_place_and_no_share() -> None:
    pools = normal((0.5, 0.2, 0), 1, 8)
    (one,) = boards(table_of(pools))
    (other,) = boards(table_of({key: 1_000 + 64 * x for key, x in pools.items()}))
    assert places(one) == places(other)
    assert one.first_place == other.first_place


# ---------------------------------------------------------------- who is on it


def test_two_agents_on_one_task_are_a_pair_with_a_leader() -> None:
    (board,) = boards(table_of(normal((1, 0), 1, 6)))
    assert board.is_pair
    assert ["a", "b"] == [one.agent for one in board.agents]


def test_agents_with_a_single_score_are_left_out_by_name() -> None:
    pools = {**normal((2, 1, 0), 1, 6), ("d", "task 0"): [99.0], ("e", "task 0"): []}
    (board,) = boards(table_of(pools))
    assert ("d", "e") == board.left_out
    assert ["a", "b", "c"] == [one.agent for one in board.agents]


def test_unequal_numbers_of_seeds_count_as_the_smallest_for_fresh_draws() -> None:
    rng = np.random.default_rng(0)
    pools = {(agent, "t"): rng.normal(m, 1, n) for agent, m, n in (("a", 1, 30), ("b", 0, 7), ("c", 0, 12))}
    (board,) = boards(table_of(pools))
    assert 7 == board.n_seeds == board.first_place[-1].n_seeds


def test_tasks_without_a_common_agent_have_a_board_each_the_one_of_most_agents_first() -> None:
    pools = {(agent, task): [1.0, 2.0, 4.0] for task, agents in (("s", "ab"), ("t", "cde")) for agent in agents}
    assert ["t", "s"] == [board.task for board in boards(table_of(pools))]


def test_one_agent_on_each_task_has_no_leaderboard() -> None:
    assert () == boards(table_of({("a", "s"): [1, 2], ("b", "t"): [2, 3]}))


# ---------------------------------------------------------------- a whole table


@pytest.fixture(scope="module")
def large() -> tuple[Leaderboard, ...]:
    return boards(table_of(normal((1.2, 0.9, 0.6, 0.3, 0), 60, 10)), n_draws=2_000)


def test_five_agents_on_sixty_tasks_give_one_board_for_all_and_one_for_each(large: tuple[Leaderboard, ...]) -> None:
    assert [60, *[1] * 60] == [board.n_tasks for board in large]
    assert ["a", "b", "c", "d", "e"] == [one.agent for one in large[0].agents]
    assert 10 == large[0].n_decided == large[0].n_pairs
    assert all(one.rank == one.rank_low == one.rank_high for one in large[0].agents)


def test_single_tasks_among_many_carry_only_what_their_table_shows(large: tuple[Leaderboard, ...]) -> None:
    assert all(not (board.matrix or board.profiles or board.aggregates) for board in large[1:])
    assert {(5, 10)} == {tuple(one.n_seeds for one in board.first_place) for board in large[1:]}
    assert all(len(line.tau) <= 60 for line in large[0].profiles)


def test_profiles_fall_from_all_runs_to_few(large: tuple[Leaderboard, ...]) -> None:
    for line in large[0].profiles:
        assert all(np.diff(line.share) <= 0)
        assert line.share[0] > 0.95 > 0.1 > line.share[-1]
        assert all(low <= x <= high for low, x, high in zip(line.low, line.share, line.high, strict=True))


def test_leaderboards_survive_the_file() -> None:
    table = table_of(normal((1, 0.5, 0), 2, 4))
    audit = audit_scores(table, AuditSettings(splits=100, tests=("welch",), group_sizes=(2,)), "x")
    assert 3 == len(audit.leaderboards)
    assert audit.leaderboards == from_json(to_json(audit)).leaderboards


def test_an_audit_without_new_fields_still_loads() -> None:
    board = boards(table_of(normal((1, 0.5, 0), 1, 4)))[0]
    assert (0, 0, ()) == tuple(
        getattr(replace(board, n_pairs=0, n_decided=0), name) for name in ("n_pairs", "n_decided", "left_out")
    )


def test_the_same_table_gives_the_same_boards() -> None:
    table = table_of(normal((1, 0.5, 0), 2, 4))
    assert boards(table) == boards(table)


def test_another_agent_shifts_nobody_elses_chances_by_its_random_numbers() -> None:
    """A hopeless fourth agent changes neither draws nor shares of the others."""
    pools = normal((1, 0.5, 0), 1, 6)
    (three,) = boards(table_of(pools))
    (four,) = boards(table_of({**pools, ("z", "task 0"): [-99.0, -98, -97, -99, -98, -96]}))
    assert [one.first for one in three.agents] == [one.first for one in four.agents[:3]]


def test_every_order_of_three_agents_is_found() -> None:
    for means in permutations((6.0, 3.0, 0.0)):
        (board,) = boards(table_of(normal(means, 1, 6)), n_draws=50)
        assert sorted("abc", key=lambda a, m=means: -m["abc".index(a)]) == [one.agent for one in board.agents]
