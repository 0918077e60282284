"""Did a change make an agent worse? The three answers, their messages, and how often they are wrong."""

from collections.abc import Callable

import numpy as np
import pytest

from rlaudit.comparisons import COMPARISONS
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.regression import _interval, judge
from rlaudit.scores import from_mapping
from rlaudit.types import ArmScores, Floats, ScoreTable

GOOD = np.array([100.0, 104, 96, 108, 92, 101, 99, 103, 97, 100])  # mean 100, sd 4.5


def _arm(scores: Floats, failed: int = 0, agent: str = "ppo") -> ArmScores:
    labels = tuple(range(len(scores) + failed))
    return ArmScores(agent, "", labels[: len(scores)], scores, labels[len(scores) :])


# ---------------------------------------------------------------- the answer


def test_a_loss_that_is_shown_to_be_below_the_margin_is_ok() -> None:
    assert "ok" == judge(GOOD - 1, GOOD, 10).answer


def test_a_loss_that_is_shown_to_exceed_the_margin_is_a_regression() -> None:
    assert "regression" == judge(GOOD - 20, GOOD, 10).answer


def test_anything_else_is_inconclusive() -> None:
    assert "inconclusive" == judge(GOOD - 10, GOOD, 10).answer
    assert "inconclusive" == judge(GOOD, GOOD, 1).answer


def test_a_loss_within_the_margin_is_ok_even_if_it_is_significant() -> None:
    judgement = judge(GOOD - 6, GOOD, 20)
    assert judgement.high < 0
    assert "ok" == judgement.answer


def test_the_interval_is_welchs_at_one_minus_twice_alpha() -> None:
    from scipy import stats

    other = 1.7 * GOOD[:6] - 70
    expected = stats.ttest_ind(other, GOOD, equal_var=False).confidence_interval(0.9)
    judgement = judge(other, GOOD, 10)
    np.testing.assert_allclose([expected.low, expected.high], [judgement.low, judgement.high])


def test_lower_may_be_better() -> None:
    assert "ok" == judge(GOOD - 20, GOOD, 10, higher_is_better=False).answer
    regression = judge(GOOD + 20, GOOD, 10, higher_is_better=False)
    assert "regression" == regression.answer
    assert regression.low < 20 < regression.high
    assert "lower is better" in regression.message


def test_the_direction_is_that_of_the_tables() -> None:
    def table(scores: Floats) -> ScoreTable:
        return from_mapping({"ppo": scores}, higher_is_better=False)

    assert "regression" == judge(table(GOOD + 20), table(GOOD), 10).answer
    with pytest.raises(RlauditError, match="disagree about higher_is_better"):
        judge(table(GOOD), table(GOOD), 10, higher_is_better=True)


def test_the_message_has_effect_interval_margin_and_seeds() -> None:
    expected = "regression: new - baseline = -20.00, 90% CI [-23.47, -16.53], margin 10, n = 10 v 10"
    assert expected == judge(GOOD - 20, GOOD, 10).message


def test_the_message_names_the_agents_where_they_differ() -> None:
    assert "ok: ppo-2 - ppo = 0," in judge(_arm(GOOD, agent="ppo-2"), _arm(GOOD), 10).message


def test_an_inconclusive_message_says_how_many_seeds_would_decide() -> None:
    judgement = judge(GOOD, GOOD, 2)
    assert f"About {judgement.seeds_needed} seeds an agent would decide it if the two are equal" in judgement.message


def test_the_seeds_asked_for_decide_in_four_of_five_cases() -> None:
    n = judge(GOOD, GOOD, 4).seeds_needed
    assert n is not None
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, GOOD.std(ddof=1), (2, 20_000, n))
    decided = (COMPARISONS["welch"](a, b, alpha=0.1, rng=rng, n_resamples=1).low > -4).mean()
    assert 0.79 < decided < 0.87  # n is a whole number, so a little above .8


def test_enough_seeds_and_no_answer_means_that_the_loss_is_near_the_margin() -> None:
    assert "the difference seems close to the margin" in judge(GOOD - 10, GOOD, 10).message


def test_a_margin_far_below_the_spread_is_called_hopeless() -> None:
    assert "No affordable number of seeds" in judge(GOOD, GOOD, 1e-3).message


# ---------------------------------------------------------------- failed seeds


def test_failed_seeds_are_counted_in_the_message() -> None:
    assert "n = 10 v 10, failed seeds 0 v 1" in judge(_arm(GOOD), _arm(GOOD, 1), 20).message


def test_an_answer_that_hangs_on_failed_seeds_is_inconclusive() -> None:
    judgement = judge(_arm(GOOD, 200), _arm(GOOD), 4)
    assert "inconclusive" == judgement.answer
    assert "ok without the failed seeds, regression if they count as the worst score seen" in judgement.message


def test_an_answer_that_stands_in_spite_of_failed_seeds_is_given() -> None:
    assert "ok" == judge(_arm(GOOD, 1), _arm(GOOD), 10).answer
    assert "regression" == judge(_arm(GOOD - 20, 1), _arm(GOOD), 10).answer


def test_where_lower_is_better_the_worst_score_is_the_highest() -> None:
    judgement = judge(_arm(GOOD, 200), _arm(GOOD), 4, higher_is_better=False)
    assert "ok without the failed seeds, regression if they count" in judgement.message


# ---------------------------------------------------------------- constants, and what is refused


@pytest.mark.parametrize(("n", "answer"), [(2, "inconclusive"), (3, "inconclusive"), (4, "ok")])
def test_equal_constants_decide_once_a_permutation_test_could(n: int, answer: str) -> None:
    assert answer == judge(np.full(n, 500.0), np.full(n, 500.0), 10).answer


@pytest.mark.parametrize(
    ("new", "margin", "alpha", "fragment"),
    [
        (GOOD, 0, 0.05, "margin = 0: name the loss that you can live with"),
        (GOOD, -3, 0.05, "margin = -3"),
        (GOOD, float("nan"), 0.05, "margin = nan"),
        (GOOD, 1, 0.5, "alpha = 0.5: give a level above 0 and below 0.5"),
        ([1.0, float("inf")], 1, 0.05, r"scores\['new'\]\[1\].* found inf, expected a finite number"),
        ([1.0, float("nan")], 1, 0.05, r"new: 1 seed\(s\) with a score and 1 failed"),
        ([[1.0, 2.0], [3.0, 4.0]], 1, 0.05, "more than one axis"),
        (from_mapping({"a": GOOD, "b": GOOD}), 1, 0.05, r"new holds several agents or tasks: \('a', ''\), \('b', ''\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(new: object, margin: float, alpha: float, fragment: str) -> None:
    with pytest.raises(RlauditError, match=fragment):
        judge(new, GOOD, margin, alpha=alpha)


@pytest.mark.parametrize("few", [[1.0], _arm(np.array([1.0]), 3), _arm(np.array([]), 3)])
def test_one_seed_is_not_enough(few: object) -> None:
    with pytest.raises(NotEnoughSeeds, match="new"):
        judge(few, GOOD, 1)


# ---------------------------------------------------------------- calibration


def _normal(rng: np.random.Generator, sd: float, n: int) -> Floats:
    return rng.normal(0, sd, (20_000, n))


def _log_normal(rng: np.random.Generator, sd: float, n: int) -> Floats:
    return sd * (rng.lognormal(0, 0.5, (20_000, n)) - np.exp(0.125))


@pytest.mark.parametrize(
    ("draw", "sd", "n", "at_most"),
    [  # a standard error is .0015; the bounds for skewed seeds of unequal spread are those of the module's docstring
        (_normal, (1, 1), (5, 5), 0.055),
        (_normal, (1, 3), (10, 10), 0.055),
        (_normal, (3, 1), (5, 15), 0.059),
        (_normal, (1, 3), (20, 20), 0.055),
        (_log_normal, (1, 1), (5, 5), 0.055),
        (_log_normal, (1, 1), (20, 20), 0.055),
        (_log_normal, (1, 3), (20, 20), 0.095),
        (_log_normal, (3, 1), (20, 20), 0.095),
    ],
)
def test_a_loss_of_exactly_the_margin_is_rarely_called_ok_or_a_regression(
    draw: Callable[..., Floats], sd: tuple[float, float], n: tuple[int, int], at_most: float
) -> None:
    rng = np.random.default_rng(7)
    a, b = (draw(rng, *one) for one in zip(sd, n, strict=True))
    found = COMPARISONS["welch"](a - 2, b, alpha=0.1, rng=rng, n_resamples=1)
    assert (found.low > -2).mean() < at_most
    assert (found.high < -2).mean() < at_most
    assert (float(found.low[0]), float(found.high[0])) == _interval(a[0] - 2, b[0], 0.05)
