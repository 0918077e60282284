"""Error rates of habits and tests on real and normal runs: the targets of STATISTICS.md, sections 1 and 3."""

from functools import cache

import numpy as np
import pytest
from shared_data import curves, finals

from rlaudit.power import welch_power
from rlaudit.procedures import calibrate
from rlaudit.results import ProcedureRates
from rlaudit.types import ArmCurves, ArmScores, ScoreTable

DRAWS = 40_000  # standard error .0025 at .5, .0018 at .15, .0008 at .025


@cache
def agents(source: str) -> ScoreTable:
    """The final scores of "sac" and "td3" and their curves, or those of 20,000 normal seeds; curves have all runs.

    The curves carry no seed, and the table of finals lacks one of SAC's runs: they are matched by position, which no
    habit tried here depends on but choosing the metric.
    """
    if source == "normal":
        arms = (ArmScores("normal", "", tuple(range(20_000)), np.random.default_rng(0).standard_normal(20_000)),)
        return ScoreTable("score", arms)
    steps = 5_000 * (1 + np.arange(400))
    arms = tuple(
        ArmScores(name, "HalfCheetah", tuple(range(len(finals(name)))), finals(name)) for name in ("sac", "td3")
    )
    complete = [curves(arm.agent)[~np.isnan(curves(arm.agent)).any(axis=1)] for arm in arms]
    lines = tuple(
        ArmCurves(arm.agent, arm.task, arm.seeds, steps, values[: len(arm.seeds)])
        for arm, values in zip(arms, complete, strict=True)
    )
    return ScoreTable("final", arms, True, lines)


@cache
def rates(source: str, name: str, n: int, n_draws: int = DRAWS) -> ProcedureRates:
    """Of one agent against itself, or of "sac v td3"."""
    table = agents("sac" if source == "sac v td3" else source)
    arms = [arm for arm in table.arms if arm.agent in source.split(" v ")]
    found = calibrate(table, [name], arms=arms, group_size=n, n_draws=n_draws, reference=name).of(name)
    assert found
    assert not found.replaced
    return found


def false_positives(source: str, name: str, n: int, n_draws: int = DRAWS) -> float:
    return rates(source, name, n, n_draws).false_positives.value


# ---------------------------------------------------------------- tests, each looked at once


@pytest.mark.parametrize(("n", "rate"), [(2, 0.0192), (3, 0.0234), (5, 0.0243), (10, 0.0253), (20, 0.0312)])
def test_welch_on_one_agent_errs_as_often_as_measured(n: int, rate: float) -> None:
    assert rate == pytest.approx(false_positives("sac", "welch", n), abs=0.003)


PERCENTILE = [(2, 0.331), (3, 0.1935), (5, 0.132), (10, 0.099), (20, 0.086)]  # n = 3: .198 with 1,000 resamples
PIVOTAL = [(2, 0.331), (3, 0.157), (5, 0.086), (10, 0.046), (20, 0.036)]


@pytest.mark.parametrize(
    ("source", "name", "n", "rate"),
    [
        *(("sac", "bootstrap_percentile", n, rate) for n, rate in PERCENTILE),
        *(("sac", "bootstrap_pivotal", n, rate) for n, rate in PIVOTAL),
        ("td3", "bootstrap_percentile", 5, 0.1285),
    ],
)
def test_the_bootstrap_on_one_agent_errs_as_often_as_measured(source: str, name: str, n: int, rate: float) -> None:
    """Of 16,000 draws: tests that resample get two fifths. Small groups are enumerated, which errs less by .005."""
    error = np.sqrt(rate * (1 - rate) / 16_000)
    assert rate == pytest.approx(false_positives(source, name, n), abs=2.5 * error + 0.003)


def test_welch_on_td3_errs_as_often_as_measured() -> None:
    assert 0.0327 == pytest.approx(false_positives("td3", "welch", 5), abs=0.003)


@pytest.mark.parametrize(("n", "rate"), [(2, 0), (3, 0), (5, 12 / 252), (10, 9236 / 184756)])
@pytest.mark.parametrize("source", ["sac", "td3"])
def test_the_permutation_test_errs_at_its_constant_rate(source: str, n: int, rate: float) -> None:
    assert rate == pytest.approx(false_positives(source, "permutation", n, 1_000), rel=1e-12)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_welch_on_normal_seeds_has_the_level_of_the_formula(n: int) -> None:
    assert welch_power(0, n, 0.05) == pytest.approx(false_positives("normal", "welch", n), abs=0.004)


@pytest.mark.parametrize(("n", "right"), [(5, 0.302), (10, 0.637), (20, 0.838), (50, 0.978)])
def test_welch_names_sac_the_better_agent_as_often_as_measured(n: int, right: float) -> None:
    assert right == pytest.approx(rates("sac v td3", "welch", n).right.value, abs=0.008)


@pytest.mark.parametrize(("n", "factor"), [(3, 1.49), (5, 1.42), (10, 1.23)])
def test_what_welch_finds_is_exaggerated_as_measured(n: int, factor: float) -> None:
    assert factor == pytest.approx(rates("sac v td3", "welch", n).type_m.value, abs=0.025)


def test_the_permutation_test_names_sac_as_often_as_measured() -> None:
    assert 0.456 == pytest.approx(rates("sac v td3", "permutation", 5).right.value, abs=0.012)


# ---------------------------------------------------------------- habits


@pytest.mark.parametrize(("n", "wrong"), [(2, 0.115), (3, 0.090), (5, 0.059), (10, 0.027)])
def test_the_better_mean_is_that_of_the_worse_agent_as_often_as_measured(n: int, wrong: float) -> None:
    found = rates("sac v td3", "mean_higher", n)
    assert wrong == pytest.approx(found.wrong.value, abs=0.006)
    assert 1 == found.right.value + found.wrong.value
    assert 1 == found.false_positives.value


@pytest.mark.parametrize(
    ("source", "n", "rate"), [("normal", 5, 0.148), ("normal", 10, 0.210), ("td3", 5, 0.118), ("td3", 10, 0.185)]
)
def test_adding_seeds_until_p_is_small_finds_something(source: str, n: int, rate: float) -> None:
    """From 3 seeds an agent up to 10 and to 20."""
    assert rate == pytest.approx(false_positives(source, "adding_seeds", n), abs=0.012)


@pytest.mark.parametrize(("source", "rate"), [("sac", 0.14), ("td3", 0.15), ("normal", 0.226)])
def test_the_best_five_of_ten_beat_five_plain_seeds_of_the_same_agent(source: str, rate: float) -> None:
    assert rate == pytest.approx(false_positives(source, "best_k_of_n", 5), abs=0.012)


@pytest.mark.parametrize("source", ["normal", "sac", "td3"])
@pytest.mark.parametrize(("n", "low", "high"), [(5, 0.20, 0.24), (3, 0.25, 0.28)])
def test_error_bars_of_one_standard_error_miss_each_other(source: str, n: int, low: float, high: float) -> None:
    """With ddof 1; divided by n instead they would miss each other in 26-31 % (n = 5) and 33-39 % (n = 3)."""
    assert low - 0.005 <= false_positives(source, "error_bars_se", n) <= high + 0.005  # rounded to whole percents


@pytest.mark.parametrize(("name", "rate"), [("error_bars_sd", 0.0157), ("error_bars_ci", 0.0053)])
def test_wide_bars_of_normal_seeds_hardly_ever_miss_each_other(name: str, rate: float) -> None:
    """Against a separate simulation with 10^6 pairs of groups; standard error here .0006."""
    assert rate == pytest.approx(false_positives("normal", name, 5), abs=0.0025)


@pytest.mark.parametrize(("source", "rate"), [("sac", 0.463), ("td3", 0.584)])
def test_evaluations_counted_as_seeds_find_something_in_one_agent(source: str, rate: float) -> None:
    """5 runs x the last 10 evaluations as 50 samples a side."""
    assert rate == pytest.approx(false_positives(source, "evaluations_as_samples", 5, 10_000), abs=0.02)


@pytest.mark.parametrize(("source", "rate"), [("sac", 0.88), ("td3", 0.62)])
def test_some_point_of_400_is_significant_in_most_draws_of_one_agent(source: str, rate: float) -> None:
    assert rate == pytest.approx(false_positives(source, "per_point", 5, 4_000), abs=0.025)


def test_the_best_of_five_equal_variants_is_no_better_but_looks_so() -> None:
    """Against a separate simulation with 400,000 draws of normal seeds; standard error here .0013."""
    assert 0.0744 == pytest.approx(false_positives("normal", "tune_and_report", 5), abs=0.005)


@pytest.mark.parametrize("n_tasks", [2, 10])
def test_one_of_several_tasks_is_significant_as_often_as_independence_says(n_tasks: int) -> None:
    """1 - (1 - p)^k for k tasks on which nothing is to be found, p = .0440 (Welch, 5 v 5, normal seeds)."""
    rng = np.random.default_rng(4)
    arms = tuple(
        ArmScores("a", f"task {task}", tuple(range(4_000)), rng.standard_normal(4_000)) for task in range(n_tasks)
    )
    found = calibrate(ScoreTable("score", arms), ["choose_task"], arms=arms[:1], group_size=5, n_draws=20_000)
    share = found.of("choose_task").false_positives.value
    assert 1 - (1 - 0.0440) ** n_tasks == pytest.approx(share, abs=0.008)


# ---------------------------------------------------------------- intervals over seeds


@pytest.mark.parametrize(("name", "truth"), [("welch", 0.0440), ("adding_seeds", 0.1446), ("error_bars_se", 0.2082)])
def test_intervals_over_seeds_hold_the_true_rate(name: str, truth: float) -> None:
    """100 pools of 20 normal seeds, 5 v 5, against 400,000 draws of fresh seeds; measured .99-1.00."""
    covered = 0
    for pool in range(100):
        scores = np.random.default_rng(pool).standard_normal(20)
        table = ScoreTable("score", (ArmScores("a", "", tuple(range(20)), scores),))
        found = calibrate(table, [name], arms=table.arms, group_size=5, n_draws=1_000, seed=pool, reference=name)
        share = found.rates[0].false_positives
        covered += share.low <= truth <= share.high
    assert covered >= 88


def test_intervals_are_wider_where_there_are_fewer_seeds() -> None:
    def width(n_seeds: int) -> float:
        widths = []
        for pool in range(20):
            rng = np.random.default_rng(pool)
            arms = tuple(
                ArmScores(name, "", tuple(range(n_seeds)), gap + rng.standard_normal(n_seeds))
                for name, gap in (("a", 0.0), ("b", 1.0))
            )
            right = calibrate(ScoreTable("score", arms), ["welch"], arms=arms, group_size=5, n_draws=500).rates[0].right
            widths.append(right.high - right.low)
        return float(np.mean(widths))

    assert width(10) > 1.3 * width(80)


def test_the_noise_of_the_draws_is_in_the_interval_too() -> None:
    """A share of 0 in 200 draws of a large pool is no proof that it never happens."""
    share = rates("normal", "error_bars_ci", 20, 200).false_positives
    assert 0 == share.low
    assert share.high > 0.01
