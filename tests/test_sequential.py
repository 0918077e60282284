"""Looks at agents whose seeds come in batches: what is decided, and who goes on."""

import json
from dataclasses import asdict, replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from rlaudit.errors import NotEnoughSeeds
from rlaudit.results.sequential import LookState, PairLook
from rlaudit.sequential import Decision, Design, next_look
from rlaudit.types import ArmScores, ScoreTable

KINDS = ("group_sequential", "anytime")
NAMED = (LookState.A_BETTER, LookState.B_BETTER)


def design(**changes: Any) -> Design:
    """Six looks at five seeds each."""
    fields: dict[str, Any] = {
        "seeds": tuple(range(30)),
        "batch": 5,
        "kind": "group_sequential",
        "alpha": 0.05,
        "futility": None,
    }
    return Design(**{**fields, **changes})


def table(*scores: np.ndarray, task: str = "t", higher_is_better: bool = True) -> ScoreTable:
    """Agents a, b, c, ... with seeds 0, 1, 2, ...; NaN: failed."""
    return ScoreTable("final", tuple(_arm("abcdefghij"[i], task, x) for i, x in enumerate(scores)), higher_is_better)


def _arm(agent: str, task: str, scores: np.ndarray) -> ArmScores:
    there = np.isfinite(scores)
    seeds = np.arange(len(scores))
    return ArmScores(agent, task, tuple(seeds[there].tolist()), scores[there], tuple(seeds[~there].tolist()))


def normal(*means: float, n: int = 30, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(mean, 1, n) for mean in means]


def states(decision: Decision) -> list[list[LookState]]:
    return [[pair.state for pair in look.pairs] for look in decision.looks]


def last(decision: Decision, a: str = "a", b: str = "b") -> PairLook:
    return [pair for look in decision.looks for pair in look.pairs if (pair.agent_a, pair.agent_b) == (a, b)][-1]


# ---------------------------------------------------------------- when is looked, and who goes on


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_first_batch_is_complete_every_agent_is_asked_for_it(kind: Any) -> None:
    wanted = (("a", "t", 5), ("b", "t", 5))
    arms = (("a", "t"), ("b", "t"))
    assert Decision((), wanted) == next_look(ScoreTable("final", ()), design(kind=kind, arms=arms))
    assert Decision((), wanted) == next_look(table(np.zeros(5), np.zeros(4)), design(kind=kind))


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_is_open_the_next_batch_is_asked_for(kind: Any) -> None:
    found = next_look(table(*normal(0, 0, n=10)), design(kind=kind))
    assert [[LookState.OPEN], [LookState.OPEN]] == states(found)
    assert (("a", "t", 15), ("b", "t", 15)) == found.more


@pytest.mark.parametrize("kind", KINDS)
def test_a_winner_stops_it_and_later_seeds_are_not_looked_at(kind: Any) -> None:
    scores = normal(3, 0)
    found = next_look(table(*scores), design(kind=kind))
    n = 5 * len(found.looks)
    assert n < 30
    assert last(found).state is LookState.A_BETTER
    assert () == found.more
    assert n == last(found).n_a == last(found).n_b
    changed = [np.append(x[:n], 99.0) for x in scores]
    assert found == next_look(table(*changed), design(kind=kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_looks_are_the_same_whether_seeds_come_one_batch_at_a_time_or_all_at_once(kind: Any) -> None:
    scores = normal(1.5, 0.8, 0, seed=3)
    whole = next_look(table(*scores), design(kind=kind, futility=0.1))
    for n in range(5, 35, 5):
        found = next_look(table(*[x[:n] for x in scores]), design(kind=kind, futility=0.1))
        assert whole.looks[: n // 5] == found.looks
    assert () == found.more


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_last_look_it_is_undecided_and_nobody_goes_on(kind: Any) -> None:
    found = next_look(table(*normal(0, 0)), design(kind=kind))
    assert LookState.UNDECIDED is last(found).state
    assert 6 == len(found.looks)
    assert () == found.more


def test_the_last_batch_may_be_smaller() -> None:
    scores, twelve = normal(0, 0, n=12, seed=1), design(seeds=tuple(range(12)))
    assert [5, 10, 12] == [look.pairs[0].n_a for look in next_look(table(*scores), twelve).looks]
    assert (("a", "t", 12), ("b", "t", 12)) == next_look(table(*[x[:10] for x in scores]), twelve).more
    assert (5 / 12, 10 / 12, 1.0) == twelve.shares


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_whose_pairs_are_all_settled_trains_no_more(kind: Any) -> None:
    """c is far behind both; a and b are alike."""
    full = next_look(table(*normal(6, 6, 0)), design(kind=kind))
    settled = next(look.number for look in full.looks if len(look.pairs) == 1) - 1
    found = next_look(table(*normal(6, 6, 0, n=30)[:2], normal(6, 6, 0)[2][: 5 * settled]), design(kind=kind))
    assert full == found
    assert LookState.UNDECIDED is last(found).state
    assert LookState.A_BETTER is last(found, "b", "c").state
    cut = next_look(table(*[x[: 5 * settled] for x in normal(6, 6, 0)]), design(kind=kind))
    assert (("a", "t", 5 * settled + 5), ("b", "t", 5 * settled + 5)) == cut.more


def test_a_failed_seed_counts_as_done_and_has_no_score() -> None:
    a, b = normal(0, 0, n=5)
    a[2] = np.nan
    found = last(next_look(table(a, b), design()))
    assert (4, 5) == (found.n_a, found.n_b)
    assert a[[0, 1, 3, 4]].mean() - b.mean() == pytest.approx(found.effect)


@pytest.mark.parametrize("kind", KINDS)
def test_agents_that_always_fail_are_never_told_apart(kind: Any) -> None:
    found = next_look(table(np.full(30, np.nan), normal(0)[0]), design(kind=kind, futility=0.1))
    assert last(found).state in (LookState.UNDECIDED, LookState.FUTILE)
    assert (None, None, None) == (last(found).effect, last(found).low, last(found).high)


@pytest.mark.parametrize("kind", KINDS)
def test_agents_whose_seeds_all_end_alike_are_undecided(kind: Any) -> None:
    found = next_look(table(np.full(30, 500.0), np.full(30, 500.0)), design(kind=kind))
    assert LookState.UNDECIDED is last(found).state
    assert (0.0, 0.0) == (last(found).low, last(found).high)


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_alone_is_refused(kind: Any) -> None:
    with pytest.raises(NotEnoughSeeds, match="a is alone on t: sequential seeds need two agents"):
        next_look(table(np.zeros(5)), design(kind=kind))


# ---------------------------------------------------------------- who is better


@pytest.mark.parametrize("kind", KINDS)
def test_where_lower_is_better_the_lower_one_wins_and_the_effect_keeps_its_sign(kind: Any) -> None:
    low, high = normal(0, 4)
    found = last(next_look(table(low, high, higher_is_better=False), design(kind=kind)))
    assert LookState.A_BETTER is found.state
    assert found.effect is not None
    assert found.effect < 0
    assert LookState.B_BETTER is last(next_look(table(low, high), design(kind=kind))).state


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_agents_changes_no_verdict(kind: Any) -> None:
    scores = normal(2, 0.7, 0, seed=1)
    winners = set()
    for order in permutations(range(3)):
        found = next_look(table(*[scores[i] for i in order]), design(kind=kind, futility=0.1), detail=False)
        named = [pair for look in found.looks for pair in look.pairs if pair.state in NAMED]
        ranks = [(order["abc".index(pair.agent_a)], order["abc".index(pair.agent_b)], pair.n_a) for pair in named]
        winners.add(frozenset((*sorted((i, j)), n) for i, j, n in ranks))
    assert 1 == len(winners)
    assert next(iter(winners))


@pytest.mark.parametrize("kind", KINDS)
def test_p_values_and_intervals_agree_with_every_state(kind: Any) -> None:
    """A winner is named where p <= alpha, or e >= 1 / alpha, and exactly there the interval leaves out 0."""
    named = 0
    for seed in range(4):
        for scores in (normal(1.2, 0, seed=seed), normal(1.5, 0.7, 0, n=20, seed=seed)):
            found = next_look(table(*scores), design(kind=kind))
            for pair in (pair for look in found.looks for pair in look.pairs):
                evident = pair.p_value <= 0.05 if pair.e_value is None else pair.e_value >= 20
                low, high = (-np.inf if pair.low is None else pair.low), (np.inf if pair.high is None else pair.high)
                assert evident == (pair.state in NAMED)
                assert evident == (low >= 0 or high <= 0) or (not evident and 0 in (low, high))
                assert low <= pair.effect <= high
                named += evident
    assert named >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_details_change_no_verdict(kind: Any) -> None:
    for seed in range(3):
        scores = table(*normal(1.2, 0.6, 0, n=20, seed=seed))
        full = next_look(scores, design(kind=kind, futility=0.1))
        bare = [
            tuple(replace(pair, low=None, high=None, p_value=None, e_value=None) for pair in look.pairs)
            for look in full.looks
        ]
        quick = next_look(scores, design(kind=kind, futility=0.1), detail=False)
        assert bare == [look.pairs for look in quick.looks]
        assert full.more == quick.more


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_share_the_level(kind: Any) -> None:
    """Three tasks have a third of it each: a p-value is three times as large, an e-value a third."""
    scores = normal(0.8, 0, n=15, seed=2)
    alone = next_look(table(*scores), design(kind=kind))
    arms = [arm for task in "tuv" for arm in table(*scores, task=task).arms]
    three = next_look(ScoreTable("final", tuple(arms)), design(kind=kind))
    assert ["t", "u", "v"] == [pair.task for pair in three.looks[0].pairs]
    one, third = alone.looks[2].pairs[0], three.looks[2].pairs[0]
    if kind == "anytime":
        assert one.e_value == pytest.approx(3 * third.e_value)
    else:
        assert min(1, 3 * one.p_value) == pytest.approx(third.p_value, rel=0.01)
    assert third.low < one.low
    assert one.high < third.high


def test_tasks_go_at_their_own_pace() -> None:
    fast, slow = table(*normal(0, 0, n=10)), table(*normal(0, 0, n=5), task="u")
    found = next_look(ScoreTable("final", fast.arms + slow.arms), design())
    assert [["t", "u"], ["t"]] == [[pair.task for pair in look.pairs] for look in found.looks]
    assert (("a", "t", 15), ("b", "t", 15), ("a", "u", 10), ("b", "u", 10)) == found.more


def test_a_task_that_has_not_begun_shares_the_level_all_the_same() -> None:
    arms = tuple((agent, task) for task in "tu" for agent in "ab")
    scores, few = table(*normal(1.5, 0, n=5)), tuple(range(5))
    found = next_look(scores, design(seeds=few, arms=arms))
    assert 2 * last(next_look(scores, design(seeds=few))).p_value == pytest.approx(found.looks[0].pairs[0].p_value)
    assert (("a", "u", 5), ("b", "u", 5)) == found.more


@pytest.mark.parametrize("kind", KINDS)
def test_more_agents_than_can_be_grouped_in_all_ways_are_told_apart_by_holm(kind: Any) -> None:
    nine = [*normal(*[0] * 8, n=20), normal(5, n=20, seed=1)[0]]
    found = next_look(table(*nine), design(kind=kind, seeds=tuple(range(20))), detail=False)
    named = [pair for look in found.looks for pair in look.pairs if pair.state in NAMED]
    assert {("abcdefgh"[i], "i") for i in range(8)} == {(pair.agent_a, pair.agent_b) for pair in named}
    assert {LookState.B_BETTER} == {pair.state for pair in named}


# ---------------------------------------------------------------- futility


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_that_is_hardly_ever_decided_is_given_up_from_the_second_look_on(kind: Any) -> None:
    wanted = design(kind=kind, futility=0.1)
    found = next_look(table(*[np.tile([1.0, 2, 3, 4, 5][::step], 6) for step in (1, -1)]), wanted)
    assert LookState.FUTILE is last(found).state
    assert 1 < len(found.looks) < 6
    assert last(found).chance < 0.1
    assert () == found.more


@pytest.mark.parametrize("kind", KINDS)
def test_without_futility_no_chance_is_told_and_none_is_given_up(kind: Any) -> None:
    found = next_look(table(*normal(0, 0)), design(kind=kind))
    assert {None} == {pair.chance for look in found.looks for pair in look.pairs}
    assert 6 == len(found.looks)


@pytest.mark.parametrize("kind", KINDS)
def test_futility_names_no_winner_that_was_not_one_without_it(kind: Any) -> None:
    stopped = 0
    for seed in range(30):
        scores = table(*normal(0.4, 0, 0, seed=seed))
        with_it, without = (
            next_look(scores, design(kind=kind, futility=futility), detail=False) for futility in (0.3, None)
        )
        winners = [
            {(pair.agent_a, pair.agent_b) for look in found.looks for pair in look.pairs if pair.state in NAMED}
            for found in (with_it, without)
        ]
        assert winners[0] <= winners[1]
        stopped += len(with_it.looks) < len(without.looks)
    assert stopped > 10


# ---------------------------------------------------------------- no random numbers


@pytest.mark.parametrize("kind", KINDS)
def test_no_random_number_is_drawn(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a random number was asked for")

    scores = table(*normal(1, 0.5, 0, n=15))
    before = next_look(scores, design(kind=kind, futility=0.1))
    monkeypatch.setattr(np.random, "default_rng", refuse)
    monkeypatch.setattr("rlaudit.seeds.generator", refuse)
    assert before == next_look(scores, design(kind=kind, futility=0.1))


def test_what_was_seen_can_be_written_down() -> None:
    found = next_look(table(*normal(0, 0, n=10, seed=1)), design(futility=0.1))
    assert json.loads(json.dumps(asdict(found)))["looks"][0]["pairs"][0]["state"] == "open"
