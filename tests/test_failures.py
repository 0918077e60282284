"""Runs that failed, runs that got stuck, and seeds far from the others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import curves, finals

from rlaudit.failures import audit_failures
from rlaudit.failures.outliers import FEWEST, find_outliers, reach, robust_distances
from rlaudit.failures.stuck import find_stuck, share_explained, share_of_worst, stuck_runs
from rlaudit.types import ArmCurves, ArmScores, ScoreTable

TIME = np.linspace(0, 1, 10)
RISE = 1 - np.exp(-6 * TIME)


def arm(scores: np.ndarray, failed: tuple[int, ...] = (), agent: str = "agent") -> ArmScores:
    return ArmScores(agent, "task", tuple(range(len(scores))), np.asarray(scores, float), failed)


def curves_of(values: np.ndarray, agent: str = "agent") -> ArmCurves:
    return ArmCurves(agent, "task", tuple(range(len(values))), 1000 * np.arange(1, values.shape[1] + 1), values)


def planted(rng: np.random.Generator, n: int, n_stuck: int, sd: float) -> np.ndarray:
    """(n, 10) curves that rise by 1, the first ones not at all; persistent differences of `sd`, and noise of .05."""
    values = RISE * (1 + sd * rng.standard_normal((n, 1)))
    values[:n_stuck] = 0.05
    return values + 0.05 * rng.standard_normal(values.shape)


def share_with_any(values: np.ndarray) -> float:
    return float(np.mean([find_stuck(one).stuck.any() for one in values]))


# ---------------------------------------------------------------- stuck runs: calibration


@pytest.mark.parametrize("n", [5, 10, 20, 100])
def test_normal_runs_are_rarely_called_stuck(n: int) -> None:
    """The worst case, runs that differ all the way through: nominal .05, measured at most .07; twice that fails."""
    rng = np.random.default_rng(n)
    for sd in (0.2, 0.5):
        rate = share_with_any(RISE + sd * rng.standard_normal((500, n, 1)))
        assert rate <= 0.1  # .07 exceeds it with a chance of .005


def test_noise_around_a_common_curve_is_never_called_stuck() -> None:
    rng = np.random.default_rng(0)
    assert 0 == share_with_any(RISE + 0.5 * rng.standard_normal((300, 20, 10)))


def test_runs_that_learn_at_different_speeds_are_not_stuck() -> None:
    rng = np.random.default_rng(0)
    speeds = np.exp(0.5 * rng.standard_normal((300, 20, 1)))
    assert share_with_any(1 - np.exp(-6 * TIME * speeds)) <= 0.01


@pytest.mark.parametrize("agent", ["sac", "td3"])
@pytest.mark.parametrize("n", [10, 20])
def test_few_runs_of_sac_and_td3_hold_no_stuck_one(agent: str, n: int) -> None:
    """Measured: .000 and .001."""
    values, rng = curves(agent), np.random.default_rng(n)
    rate = share_with_any(np.array([values[rng.choice(len(values), n, replace=False)] for _ in range(400)]))
    assert rate <= 0.01


@pytest.mark.parametrize("agent", ["sac", "td3"])
def test_all_runs_of_sac_and_td3_hold_no_stuck_one(agent: str) -> None:
    assert not find_stuck(curves(agent)).stuck.any()


@pytest.mark.parametrize(("n", "n_stuck", "sd", "found"), [(20, 3, 0.15, 0.97), (20, 3, 0.2, 0.8), (5, 1, 0.1, 0.7)])
def test_planted_runs_are_found_and_no_others(n: int, n_stuck: int, sd: float, found: float) -> None:
    """Measured 1.0, .90, .84."""
    rng = np.random.default_rng(n)
    hits = [find_stuck(planted(rng, n, n_stuck, sd)).stuck.tolist() for _ in range(200)]
    assert np.mean([one == [True] * n_stuck + [False] * (n - n_stuck) for one in hits]) >= found


# ---------------------------------------------------------------- stuck runs: the rule


def one_late(block: int) -> np.ndarray:
    """Nine alike runs, and one that falls to the ground at a block."""
    values = np.tile(RISE, (10, 1)) + 0.02 * np.random.default_rng(1).standard_normal((10, 10))
    values[0, block:] = 0.02
    return values


def test_a_run_that_falls_in_the_first_half_is_stuck_since_then() -> None:
    found = find_stuck(one_late(4))
    assert [True] + [False] * 9 == found.stuck.tolist()
    assert 4 == found.since[0]


def test_a_run_that_falls_late_is_not_stuck() -> None:
    assert not find_stuck(one_late(7)).stuck.any()


def test_a_run_that_recovers_is_not_stuck() -> None:
    values = one_late(2)
    values[0, -1] = 1.0
    assert not find_stuck(values).stuck.any()


def test_gaps_in_a_curve_neither_hide_nor_make_a_stuck_run() -> None:
    values = one_late(2)
    values[0, 6] = values[3, -2:] = values[5, 0] = np.nan
    assert [0] == np.flatnonzero(find_stuck(values).stuck).tolist()


def test_runs_without_evaluations_are_never_stuck() -> None:
    values = one_late(2)
    values[4] = np.nan
    assert [0] == np.flatnonzero(find_stuck(values).stuck).tolist()
    assert not find_stuck(np.full((6, 10), np.nan)).stuck.any()


@pytest.mark.parametrize("values", [np.zeros((8, 10)), np.full((8, 10), 500.0), np.tile(-RISE, (8, 1))])
def test_where_the_median_run_makes_no_progress_nobody_is_behind(values: np.ndarray) -> None:
    assert not find_stuck(values).stuck.any()


def test_runs_at_the_ceiling_have_no_spread_and_those_at_the_ground_are_stuck_all_the_same() -> None:
    values = np.minimum(500 * 3 * np.tile(TIME, (20, 1)), 500)
    values[:3] = 9
    assert [0, 1, 2] == np.flatnonzero(find_stuck(values).stuck).tolist()


def test_where_half_of_the_runs_are_stuck_the_rule_says_nothing() -> None:
    assert not find_stuck(planted(np.random.default_rng(0), 20, 10, 0.05)).stuck.any()


@given(st.integers(0, 2**20), st.floats(0.01, 1e4), st.floats(-1e4, 1e4))
@settings(max_examples=40, deadline=None)
def test_stuck_runs_know_no_order_no_scale_and_no_offset(seed: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    values = planted(rng, 12, 2, 0.1)
    order = rng.permutation(12)
    stuck = find_stuck(values).stuck
    assert stuck[order].tolist() == find_stuck(scale * values[order] + offset).stuck.tolist()


def test_lower_is_better_mirrors_curves_and_scores() -> None:
    values = planted(np.random.default_rng(0), 20, 3, 0.1)
    scores = values[:, -1]
    up, down = (stuck_runs(arm(s * scores), curves_of(s * values), s > 0) for s in (1, -1))
    assert up
    assert down
    assert [0, 1, 2] == sorted(run.seed for run in up.runs)
    assert [run.seed for run in up.runs] == [run.seed for run in down.runs]
    assert up.share == pytest.approx(down.share)
    assert [-edge for edge in up.edge if edge] == pytest.approx([edge for edge in down.edge if edge])


def test_a_stuck_run_is_told_with_step_score_and_curve() -> None:
    found = stuck_runs(arm(np.arange(10.0)), curves_of(one_late(4)), True)
    assert found
    (run,) = found.runs
    assert (0, 0.0, 5000) == (run.seed, run.score, run.since)
    assert len(found.steps) == len(run.curve) == len(found.edge) == 10
    assert 5.0 == found.mean_others


def test_curves_of_some_seeds_alone_are_matched_by_their_names() -> None:
    values, scores = one_late(2), np.arange(12.0)
    some = ArmCurves("agent", "task", tuple(range(2, 12)), np.arange(1, 11), values)
    found = stuck_runs(arm(scores), some, True)
    assert found
    assert [(2, 2.0)] == [(run.seed, run.score) for run in found.runs]


# ---------------------------------------------------------------- the share that they explain


def test_the_share_explained_is_the_r_squared_of_a_regression_on_the_group() -> None:
    rng = np.random.default_rng(0)
    scores, group = rng.normal(size=30), np.arange(30) < 7
    assert np.corrcoef(scores, group)[0, 1] ** 2 == pytest.approx(share_explained(scores, group))


@pytest.mark.parametrize(("n", "k"), [(10, 1), (20, 3), (193, 8)])
def test_chance_alone_lets_the_worst_explain_what_is_stated(n: int, k: int) -> None:
    pools = np.sort(np.random.default_rng(0).standard_normal((3_000, n)), axis=1)
    shares = [share_explained(pool, np.arange(n) < k) for pool in pools]
    assert np.mean(shares) == pytest.approx(share_of_worst(n, k), abs=0.02)


def test_equal_scores_leave_nothing_to_explain() -> None:
    assert share_explained(np.full(5, 3.0), np.arange(5) < 2) is None


# ---------------------------------------------------------------- outliers


@pytest.mark.parametrize("n", [8, 9, 10, 15, 20, 50, 193])
def test_one_normal_agent_in_a_hundred_has_an_outlier(n: int) -> None:
    """Measured .009 to .012, and .018 at n = 9; 20,000 agents at n = 10 have a standard error of .0007."""
    pools = np.random.default_rng(n).standard_normal((400_000 // max(n, 20), n))
    distances = np.abs(pools - np.median(pools, axis=1, keepdims=True))
    robust = distances / (1.4826 * np.median(distances, axis=1, keepdims=True))
    assert 0.005 <= (robust.max(axis=1) > reach(n)).mean() <= 0.02


def test_the_sac_run_with_a_failed_final_evaluation_is_found_and_explained() -> None:
    scores, values = finals("sac"), curves("sac")[1:]  # the first run has no final
    first, *others = find_outliers(arm(scores), curves_of(values))
    assert -565.6166 == pytest.approx(first.score)
    assert first.only_final
    assert first.curve_end == pytest.approx(11_565, abs=1)
    assert -25.2 == pytest.approx(first.distance, abs=0.05)
    assert 9 == len(others)
    assert not others[0].only_final  # it also trained at 8,249


def test_the_sac_outlier_moves_mean_and_spread() -> None:
    (audit,) = audit_failures(ScoreTable("final", (arm(finals("sac")),)))
    assert 11_919.76 == pytest.approx(audit.mean)
    assert 1_316.90 == pytest.approx(audit.sd, abs=0.01)
    assert 12_158.52 == pytest.approx(audit.mean_without_outliers)
    assert 544.19 == pytest.approx(audit.sd_without_outliers, abs=0.01)


def test_too_few_seeds_name_no_outlier() -> None:
    scores = np.array([300.0, 301, 302, 299, 298, 300.5, -9000, 301.5])
    assert robust_distances(scores[: FEWEST - 1]) is None
    assert [6] == [one.seed for one in find_outliers(arm(scores), None)]


def test_where_most_seeds_tie_there_is_no_scale_for_outliers() -> None:
    (audit,) = audit_failures(ScoreTable("score", (arm(np.array([500.0] * 11 + [499.0] * 3 + [9.0])),)))
    assert audit.reach is None
    assert () == audit.outliers


@given(st.integers(0, 2**20), st.floats(0.01, 1e4), st.floats(-1e4, 1e4))
@settings(max_examples=40, deadline=None)
def test_outliers_know_no_order_no_scale_and_mirror(seed: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.standard_t(2, 15)
    order = rng.permutation(15)
    names = {one.seed for one in find_outliers(arm(scores), None)}
    assert names == {order[one.seed] for one in find_outliers(arm(scale * scores[order] + offset), None)}
    assert names == {one.seed for one in find_outliers(arm(-scores), None)}


def test_only_final_scores_are_held_against_the_end_of_the_curve() -> None:
    scores = np.append(np.linspace(290, 310, 11), -900.0)
    values = np.tile(np.linspace(0, 300, 10), (12, 1)) + np.linspace(-5, 5, 12)[:, None]
    table = ScoreTable("final", (arm(scores),), curves=(curves_of(values),))
    ((final,), (auc,)) = (audit_failures(one)[0].outliers for one in (table, replace(table, metric="auc")))
    assert final.only_final
    assert (None, False) == (auc.curve_end, auc.only_final)


# ---------------------------------------------------------------- failed seeds


def test_failed_seeds_are_imputed_at_the_worst_score_of_the_task() -> None:
    table = ScoreTable("score", (arm(np.array([10.0, 20.0]), (2, 3)), arm(np.array([4.0, 6.0]), agent="other")))
    audit, other = audit_failures(table)
    assert (4, 2, 15.0, 4.0, 9.5) == (audit.n, audit.n_failed, audit.mean, audit.floor, audit.mean_imputed)
    assert (other.mean, other.mean_imputed) == (5.0, 5.0)


def test_the_worst_is_the_highest_where_lower_is_better() -> None:
    audit, _ = audit_failures(
        ScoreTable("loss", (arm(np.array([1.0, 2.0]), (2,)), arm(np.array([9.0, 3.0]), agent="other")), False)
    )
    assert (9.0, 4.0) == (audit.floor, audit.mean_imputed)


@pytest.mark.parametrize(("n", "bound"), [(5, 0.45), (10, 0.26), (14, 0.19), (20, 0.14), (59, 0.05)])
def test_no_failure_still_allows_some(n: int, bound: float) -> None:
    (audit,) = audit_failures(ScoreTable("score", (arm(np.arange(float(n))),)))
    assert bound == pytest.approx(audit.high, abs=0.005)


def test_an_agent_without_any_score_and_one_with_a_single_seed_have_an_answer() -> None:
    bare, single = audit_failures(ScoreTable("score", (arm(np.empty(0), (0, 1)), arm(np.ones(1), agent="other"))))
    assert (2, 2, None, 1.0) == (bare.n, bare.n_failed, bare.mean, bare.mean_imputed)
    assert (1.0, None, ()) == (single.mean, single.sd, single.outliers)
    assert () == audit_failures(ScoreTable("score", (arm(np.empty(0)),)))
