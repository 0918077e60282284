"""The one seed that a comparison hangs on, and the comparison without all that stands apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shared_data import finals

from rlaudit.comparisons import COMPARISONS
from rlaudit.failures import carriers
from rlaudit.failures.single_seeds import Family
from rlaudit.pairs import PairSettings, audit_pairs
from rlaudit.results import Carrier
from rlaudit.types import ArmCurves, ArmScores, ScoreTable, Verdict


def arm(agent: str, scores: Any, task: str = "task", failed: tuple[int, ...] = ()) -> ArmScores:
    scores = np.asarray(scores, float)
    return ArmScores(agent, task, tuple(range(len(scores))), scores, failed)


def table(*scores: Any, **changes: Any) -> ScoreTable:
    return ScoreTable("score", tuple(arm(f"agent{i}", one) for i, one in enumerate(scores)), **changes)


def carried(
    of: ScoreTable, test: str = "welch", correction: str = "holm", margin: float | None = None
) -> tuple[Carrier, ...]:
    settings = PairSettings((test,), 0.05, margin, of.higher_is_better, 100, 0, correction)
    return carriers(of, audit_pairs(of, settings), alpha=0.05, seed=0, correction=correction)


def normal(seed: int, n: int = 8, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n) + apart, rng.standard_normal(n + 1)


# ---------------------------------------------------------------- oracles


def without_each(a: np.ndarray, b: np.ndarray) -> dict[tuple[str, int], float]:
    """scipy's Welch p without each seed in turn, above 1 where the direction turns."""
    sign = np.sign(a.mean() - b.mean())
    left = {("agent0", i): (np.delete(a, i), b) for i in range(len(a))}
    left |= {("agent1", i): (a, np.delete(b, i)) for i in range(len(b))}
    tests = {key: stats.ttest_ind(x, y, equal_var=False) for key, (x, y) in left.items()}
    return {key: one.pvalue if np.sign(one.statistic) == sign else 2 - one.pvalue for key, one in tests.items()}


@pytest.mark.parametrize("seed", range(30))
def test_the_carrier_is_the_seed_that_a_loop_over_scipy_finds(seed: int) -> None:
    a, b = normal(seed, apart=0.5 * (seed % 4))
    (one,) = carried(table(a, b))
    p_values = without_each(a, b)
    decided = stats.ttest_ind(a, b, equal_var=False).pvalue <= 0.05
    wanted = max(p_values.values()) if decided else min(p if p <= 1 else 2 - p for p in p_values.values())
    assert wanted == pytest.approx(
        one.p_without if not decided or one.effect * one.effect_without > 0 else 2 - one.p_without
    )
    at = p_values[one.agent, one.seed]  # type: ignore[index]
    assert wanted == pytest.approx(at if at <= 1 or decided else 2 - at)


def test_the_interval_without_the_seed_is_that_of_scipy() -> None:
    a, b = normal(1)
    (one,) = carried(table(a, b))
    x, y = (np.delete(a, one.seed), b) if one.agent == "agent0" else (a, np.delete(b, one.seed))
    interval = stats.ttest_ind(x, y, equal_var=False).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((one.low_without, one.high_without))
    assert x.mean() - y.mean() == pytest.approx(one.effect_without)


@pytest.mark.parametrize("test", ["student", "permutation", "mann_whitney", "bootstrap_expanded"])
def test_other_tests_decide_with_their_own_p(test: str) -> None:
    a, b = normal(3, apart=2.0)
    (one,) = carried(table(a, b), test)
    x, y = (np.delete(a, one.seed), b) if one.agent == "agent0" else (a, np.delete(b, one.seed))
    again = COMPARISONS[test](x, y, alpha=0.05, rng=np.random.default_rng(0), n_resamples=9_999)
    assert float(again.p_value) == pytest.approx(one.p_without, abs=0.005)


@pytest.mark.parametrize("seed", range(10))
def test_the_carrier_of_another_test_is_the_seed_that_moves_that_test_most(seed: int) -> None:
    a, b = normal(seed, n=9)
    (one,) = carried(table(a, b), "permutation")
    every = [(np.delete(a, i), b) for i in range(len(a))] + [(a, np.delete(b, i)) for i in range(len(b))]
    p = [float(COMPARISONS["permutation"](x, y, alpha=0.05, rng=np.random.default_rng(0), n_resamples=1).p_value)
         for x, y in every]  # fmt: skip
    assert (max(p) if one.p_value <= 0.05 else min(p)) == pytest.approx(one.p_without)


def test_a_paired_test_loses_the_seed_of_both() -> None:
    a = np.array([10.0, 12, 9, 14, 11, 30])
    b = np.array([9.0, 10.5, 8.2, 12.4, 9.9, 10])
    (one,) = carried(table(a, b), "paired_t")
    p = [stats.ttest_rel(np.delete(a, i), np.delete(b, i)).pvalue for i in range(6)]
    assert ("", int(np.argmin(p))) == (one.agent, one.seed)
    assert min(p) == pytest.approx(one.p_without)
    assert a[5] - b[5] == one.score
    assert one.turns


# ---------------------------------------------------------------- when it turns


def test_a_verdict_that_hangs_on_one_seed_turns_without_it() -> None:
    (one,) = carried(table(np.arange(10.0, 16), np.arange(7.5, 13)))
    assert one.p_value <= 0.05 < one.p_without
    assert one.turns


def test_an_undecided_pair_turns_where_one_seed_less_decides_it() -> None:
    (one,) = carried(table([8.0, 9, 9.5, 10.5, 12, 13, 20], [7.5, 8, 8.2, 7.8, 8.4, 7.9, 8.1]))
    assert ("agent0", 20.0) == (one.agent, one.score)
    assert one.p_without <= 0.05 < one.p_value
    assert one.turns


def test_a_plain_difference_turns_without_no_seed() -> None:
    (one,) = carried(table(*normal(0, apart=9.0)))
    assert not one.turns


def test_the_verdict_is_that_among_all_comparisons() -> None:
    """p = .017 alone is decided; among three comparisons it is not, and without a seed it becomes so."""
    a, b = normal(7, n=10, apart=1.2)
    alone = carried(table(a, b))[0]
    family = carried(table(a, b, np.concatenate([b, a])[::2]))[0]
    assert alone.p_value == family.p_value
    sides = [(one.p_value * k <= 0.05, one.p_without * k <= 0.05) for one, k in ((alone, 1), (family, 3))]
    assert [before != after for before, after in sides] == [alone.turns, family.turns]


@pytest.mark.parametrize("low", [0.03, 0.0])
def test_the_rule_of_thumb_on_p_near_alpha_holds(low: float) -> None:
    """Welch, normal seeds, 10 an agent: nearly all p in (.03, .05] turn without one seed, and none below .01."""
    turns = []
    for seed in range(250):
        a, b = normal(seed, n=10)
        if low < stats.ttest_ind(a, b, equal_var=False).pvalue <= (0.05 if low else 0.01):
            turns.append(carried(table(a, b))[0].turns)
    assert len(turns) >= 15
    assert (np.mean(turns) >= 0.9) if low else not any(turns)


def test_a_simulated_p_that_lies_too_near_alpha_has_no_side() -> None:
    family = Family(np.array([0.2, 0.5]), 0.05, "holm", 0)
    assert [1, 1, 0] == [family.side(0, p, 1, 0.0) for p in (0.02, 0.0249, 0.0251)]
    assert [1, None, None] == [family.side(0, p, 1, 0.001) for p in (0.02, 0.0249, 0.0251)]
    assert family.side(0, np.nan, 1, 0.0) is None


# ---------------------------------------------------------------- where nothing can be said


def test_two_seeds_an_agent_have_no_carrier() -> None:
    assert () == carried(table([1.0, 2.0], [3.0, 4.0]))
    assert () == carriers(table([1.0]), (), alpha=0.05, seed=0)


def test_only_an_agent_with_a_third_seed_can_lose_one() -> None:
    (one,) = carried(table([1.0, 2.0, 9.0], [3.0, 4.0]))
    assert "agent0" == one.agent


def test_equal_scores_are_moved_by_no_seed() -> None:
    (one,) = carried(table(np.full(5, 500.0), np.full(5, 500.0)))
    assert (0.0, 0.0, 1.0, 1.0, False) == (one.effect, one.effect_without, one.p_value, one.p_without, one.turns)
    (one,) = carried(table(np.full(5, 500.0), np.full(5, 400.0)))
    assert not one.turns


def test_equivalence_hangs_on_another_test_and_has_no_carrier() -> None:
    a, b = normal(0, n=20, apart=0.0)
    of = table(a, b)
    pairs = audit_pairs(of, PairSettings(("welch",), 0.05, 5.0, True, 100, 0))
    assert Verdict.EQUIVALENT == pairs[0].verdict
    assert () == carriers(of, pairs, alpha=0.05, seed=0)


def test_max_t_is_stood_in_for_by_holm() -> None:
    of = table(*normal(1, apart=3.0), np.random.default_rng(5).standard_normal(7))
    assert [one.turns for one in carried(of)] == [one.turns for one in carried(of, correction="max_t")]


# ---------------------------------------------------------------- laws


@given(st.integers(0, 2**20), st.floats(0.01, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=40, deadline=None)
def test_carriers_know_no_order_no_scale_and_no_offset(seed: int, scale: float, offset: float) -> None:
    a, b = normal(seed)
    rng = np.random.default_rng(seed)
    (one,) = carried(table(a, b))
    (same,) = carried(table(scale * rng.permutation(a) + offset, scale * rng.permutation(b) + offset))
    assert one.score == pytest.approx((same.score - offset) / scale, abs=1e-6)
    assert one.p_without == pytest.approx(same.p_without, rel=1e-6, abs=1e-12)
    assert (one.agent, one.turns) == (same.agent, same.turns)


@given(st.integers(0, 2**20))
@settings(max_examples=40, deadline=None)
def test_exchanged_agents_and_a_mirrored_direction_have_the_same_carrier(seed: int) -> None:
    a, b = normal(seed)
    (one,) = carried(table(a, b))
    (mirrored,) = carried(table(-a, -b, higher_is_better=False))
    (exchanged,) = carried(ScoreTable("score", (arm("agent1", b), arm("agent0", a))))
    for other, sign in ((mirrored, -1), (exchanged, 1)):
        assert (one.agent, one.seed, one.turns) == (other.agent, other.seed, other.turns)
        assert one.score == sign * other.score
        assert one.p_without == pytest.approx(other.p_without)
    assert one.effect_without == pytest.approx(-mirrored.effect_without)
    assert one.effect_without == pytest.approx(-exchanged.effect_without)


# ---------------------------------------------------------------- with some seeds changed


def test_the_sac_outlier_moves_the_effect_size_from_093_to_109() -> None:
    of = ScoreTable("final", (arm("sac", finals("sac")), arm("td3", finals("td3"))))
    (one,) = carried(of)
    changes = {other.change: other for other in one.others}
    assert ["farthest outlier", "outliers"] == list(changes)
    assert 1.09 == pytest.approx(changes["farthest outlier"].cohen_d or 0, abs=0.005)
    assert 12 == changes["outliers"].n_changed
    assert not any(other.turns for other in one.others)
    assert not one.turns


def test_failed_seeds_are_filled_in_as_the_pair_does_it() -> None:
    a, b = normal(2, n=6)
    of = ScoreTable("score", (arm("a", a, failed=(90, 91)), arm("b", b)))
    settings = PairSettings(("welch",), 0.05, None, True, 100, 0)
    (pair,) = audit_pairs(of, settings)
    (one,) = carriers(of, (pair,), alpha=0.05, seed=0)
    (other,) = one.others
    assert pair.imputed
    assert ("failed", 2) == (other.change, other.n_changed)
    assert (pair.imputed.effect, pair.imputed.p_value) == pytest.approx((other.effect, other.p_value))
    assert other.turns != pair.imputed.agrees


def test_stuck_runs_and_outliers_are_left_out_each_for_itself() -> None:
    rng = np.random.default_rng(0)
    rise = 1 - np.exp(-np.linspace(0, 6, 10))
    values = 100 * rise * (1 + 0.05 * rng.standard_normal((20, 1)))
    values[:2] = 3.0
    scores = values[:, -1].copy()
    scores[5] = 900.0
    of = ScoreTable(
        "final",
        (arm("a", scores), arm("b", 90 + rng.standard_normal(20))),
        curves=(ArmCurves("a", "task", tuple(range(20)), np.arange(1, 11), values),),
    )
    (one,) = carried(of)
    changes = {other.change: other for other in one.others}
    assert {"outliers": 1, "stuck": 2} == {change: other.n_changed for change, other in changes.items()}
    assert np.delete(scores, [0, 1]).mean() - of.arms[1].scores.mean() == pytest.approx(changes["stuck"].effect)
    assert np.delete(scores, [5]).mean() - of.arms[1].scores.mean() == pytest.approx(changes["outliers"].effect)


def test_many_comparisons_by_a_simulated_test_are_looked_at_near_alpha_only() -> None:
    rng = np.random.default_rng(0)
    arms = tuple(arm(f"a{i}", rng.normal(i, 1, 4), f"t{j}") for j in range(40) for i in range(3))
    of = ScoreTable("score", arms)
    assert 120 == len(carried(of))
    assert 100 == len(carried(of, "permutation"))


def test_the_answer_is_the_same_for_another_order_of_agents_and_tasks() -> None:
    rng = np.random.default_rng(0)
    arms = tuple(arm(f"a{i}", rng.normal(i, 1, 6), f"t{j}") for j in range(3) for i in range(3))

    def named(of: ScoreTable) -> dict[Any, Any]:
        return {(frozenset((one.a, one.b)), one.task): (one.agent, one.seed, one.turns) for one in carried(of)}

    assert named(ScoreTable("score", arms)) == named(ScoreTable("score", arms[::-1]))
    assert replace(carried(ScoreTable("score", arms))[0]) == carried(ScoreTable("score", arms))[0]
