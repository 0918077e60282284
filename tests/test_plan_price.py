"""Whole forecasts: needs, budgets, words, cautions, and what nobody can say."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rlaudit.claims import parse
from rlaudit.config import AuditSettings
from rlaudit.errors import RlauditError
from rlaudit.forecast import Asked, Forecast, Pilot, lines, of_pilots, of_scores, parse_pilots
from rlaudit.forecast.chances import Stake, normal_power
from rlaudit.forecast.pilots import pilots_of
from rlaudit.forecast.reckoning import least_p
from rlaudit.power import seeds_needed, smallest_effect
from rlaudit.scores import from_mapping
from rlaudit.types import ArmScores, ScoreTable

ALPHA = 0.05
SETTINGS = AuditSettings()


def of_normal(n: int, seed: int, gap: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).standard_normal((2, n))
    return x[0] + gap, x[1]


# ---------------------------------------------------------------- whole forecasts


def forecast(*texts: str, settings: AuditSettings = SETTINGS, **asked: object) -> Forecast:
    return of_pilots(parse_pilots(texts), settings, Asked(**asked))  # type: ignore[arg-type]


def table(higher_is_better: bool = True, **scores: object) -> ScoreTable:
    return from_mapping(scores, higher_is_better=higher_is_better)


PPO, A2C = "ppo: 247 +- 145, 20 seeds", "a2c: 186 +- 120, 20 seeds"


def test_printed_numbers_need_the_seeds_that_their_scores_need() -> None:
    a, b = of_normal(20, 7)
    needed = seeds_needed(a, b)
    claim = forecast(
        *(f"{k}: {float(x.mean())} +- {float(x.std(ddof=1))}, 20" for k, x in (("a", a), ("b", b)))
    ).claims[0]
    assert claim.need is not None
    assert (needed.n, needed.low, needed.high) == pytest.approx((claim.need.n, claim.need.low, claim.need.high), abs=1)


def test_words_follow_the_power_and_its_worst_case() -> None:
    found = forecast(
        "a: 3 +- 1, 20",
        "b: 0 +- 1, 20",
        "c: 2.2 +- 1, 20",
        claims=("a > b", "a > c", "b > c"),
        costs=("1",),
        budgets=(120,),
    )
    assert ["reachable", "perhaps", "not"] == [claim.reaches[0].state for claim in found.claims]
    for claim in found.claims:
        reach = claim.reaches[0]
        assert (reach.low or 0) <= reach.power <= (reach.high or 0)
        assert {"reachable": (reach.low or 0) >= 0.8, "perhaps": reach.power >= 0.8 > (reach.low or 0)}.get(
            reach.state, reach.power < 0.8
        )


def test_claims_share_the_level() -> None:
    alone = forecast(PPO, A2C, claims=("ppo > a2c",), costs=("1",), budgets=(60,))
    shared = forecast(PPO, A2C, claims=("ppo > a2c", "ppo >= a2c - 50"), costs=("1",), budgets=(60,))
    halved = forecast(PPO, A2C, claims=("ppo > a2c",), costs=("1",), budgets=(60,), settings=AuditSettings(alpha=0.025))
    assert (1, 2) == (alone.n_family, shared.n_family)
    assert halved.claims[0].reaches == shared.claims[0].reaches
    assert shared.claims[0].reaches[0].power < alone.claims[0].reaches[0].power


def test_a_lower_score_may_be_the_better_one() -> None:
    lower = AuditSettings(higher_is_better=False)
    up = forecast("a: 3 +- 1, 9", "b: 2 +- 2, 9", claims=("a > b", "a >= b - 1"))
    down = forecast("a: -3 +- 1, 9", "b: -2 +- 2, 9", claims=("a > b", "a >= b - 1"), settings=lower)
    for one, other in zip(up.claims, down.claims, strict=True):
        assert (one.reaches, one.need) == (other.reaches, other.need)
        assert (one.gap, one.gap_in_sd) == (-(other.gap or 0), -(other.gap_in_sd or 0))
        assert (one.low_in_sd, one.high_in_sd) == pytest.approx((-(other.high_in_sd or 0), -(other.low_in_sd or 0)))
    assert "a > b" == forecast("a: -3 +- 1, 9", "b: -2 +- 2, 9", settings=lower).claims[0].text


def test_a_gap_that_no_budget_finds_is_told_of_a_margin() -> None:
    found = forecast("a: 100.5 +- 50, 20", "b: 100 +- 50, 20", claims=("a > b",))
    claim, largest = found.claims[0], found.purchases[-1].n_seeds
    assert claim.need is not None
    assert claim.need.n is None or claim.need.n > 1_000
    assert claim.margin_in_reach is not None
    seen = Stake("==", 0.0, Pilot("", "", 20, 100.5, 50.0), Pilot("", "", 20, 100.0, 50.0), ALPHA)
    power = normal_power(seen, np.array([[0.5, claim.margin_in_reach]]), largest, largest)
    assert 0.8 == pytest.approx(power[0], abs=1e-6)
    text = " ".join(" ".join(lines(found)).split())
    assert "a margin comes from the task, not from here" in text
    suggested = text.partition("claim: '")[2].partition("'")[0]
    parsed = parse(suggested, ["a", "b"], [""])
    assert claim.margin_in_reach <= (parsed.margin or 0) <= 1.1 * claim.margin_in_reach


def test_a_gap_of_nothing_never_gets_power() -> None:
    claim = forecast("a: 5 +- 1, 20", "b: 5 +- 1, 20").claims[0]
    assert claim.need is not None
    assert claim.need.n is None
    assert claim.type_m is None
    assert "No number of seeds gives 80 % power" in " ".join(lines(forecast("a: 5 +- 1, 20", "b: 5 +- 1, 20")))


def test_a_claim_stated_twice_counts_once_as_it_does_in_an_audit() -> None:
    found = forecast(PPO, A2C, claims=("ppo > a2c", "ppo > a2c ", "ppo>a2c"))
    assert (1, 1) == (found.n_family, len(found.claims))


def test_one_run_is_one_run() -> None:
    text = " ".join(" ".join(lines(of_scores(table(a=[1.0, 2, 3], b=[6.0, 7]), SETTINGS))).split())
    assert "takes 3 seeds an agent (3 to 23): 1 more run." in text


def test_no_winners_curse_of_a_claim_that_the_pilot_speaks_against() -> None:
    found = forecast(PPO, A2C, claims=("a2c > ppo",))
    assert found.claims[0].type_m is None
    assert not any("winner's curse" in note for note in found.notes)


def test_the_winners_curse_is_told_with_its_size() -> None:
    found = forecast(PPO, A2C)
    assert 1.843 == pytest.approx(found.claims[0].type_m, abs=0.001)
    rng, d = np.random.default_rng(0), 61 / np.sqrt((145**2 + 120**2) / 2)
    gaps, spread = rng.normal(d, np.sqrt(2 / 20), 400_000), rng.chisquare(38, 400_000) / 38
    seen = np.abs(gaps[np.abs(gaps) > stats.t.ppf(0.975, 38) * np.sqrt(spread * 2 / 20)])
    assert seen.mean() / d == pytest.approx(found.claims[0].type_m, abs=0.08)  # Gelman & Carlin's t, not Welch's
    assert any("winner's curse" in note and "1.8 times" in note for note in found.notes)


def test_agents_whose_seeds_are_all_the_same_cannot_be_planned() -> None:
    found = of_scores(
        table(a=[500.0] * 5, b=[400.0] * 5, c=[1.0, 2, 3, 4, 6]), SETTINGS, Asked(claims=("a > b", "a > c"))
    )
    assert "the seeds of either agent score all the same: no spread is known" == found.claims[0].reason
    assert () == found.claims[0].reaches
    assert "reachable" == found.claims[1].reaches[-1].state
    assert any("a: all 5 seeds score the same" in note for note in found.notes)
    assert any("a > b: cannot be planned" in line for line in lines(found))


def test_failed_runs_are_told() -> None:
    arms = (
        ArmScores("a", "", (0, 1, 2), np.array([1.0, 2, 3]), failed=(3,)),
        ArmScores("b", "", (0, 1), np.array([3.0, 4])),
    )
    found = of_scores(ScoreTable("final", arms), SETTINGS)
    assert any(note.startswith("a: 25 % of the runs failed.") for note in found.notes)


def test_seeds_that_are_there_count_and_the_second_look_is_told() -> None:
    a, b = of_normal(20, 3, 0.5)
    found = of_scores(table(a=a, b=b), SETTINGS, Asked(costs=("1",)))
    assert (20, 0) == (found.purchases[0].n_seeds, found.purchases[0].n_runs)
    assert any("two looks at 5 % err in 8.3 %" in note for note in found.notes)
    assert not any("two looks" in note for note in forecast(PPO, A2C).notes)  # printed seeds do not count


def test_two_looks_at_five_percent_err_in_8_3_percent() -> None:
    """Armitage, McPherson & Rowe 1969, table 2, which the caution quotes."""
    first, second = np.random.default_rng(0).standard_normal((2, 400_000))
    either = (np.abs(first) > 1.96) | (np.abs(first + second) / np.sqrt(2) > 1.96)
    assert 0.083 == pytest.approx(either.mean(), abs=0.0015)


def test_an_agent_may_have_more_seeds_than_the_other() -> None:
    a, b = of_normal(30, 3, 0.5)
    found = of_scores(table(a=a, b=b[:10]), SETTINGS, Asked(costs=("1",), budgets=(5.0, 30.0)))
    assert [(30, 15), (35, 35)] == [(reach.n_a, reach.n_b) for reach in found.claims[0].reaches]
    assert any(line.startswith("seeds an agent") and "15-30" in line for line in lines(found))


def test_the_same_scores_give_the_same_plan_whatever_else_is_planned() -> None:
    a, b = of_normal(10, 3, 0.5)
    c = of_normal(10, 4)[0]
    alone = of_scores(table(a=a, b=b), SETTINGS, Asked(claims=("a > b",), costs=("1",), budgets=(20,)))
    beside = of_scores(table(c=c, b=b, a=a), SETTINGS, Asked(claims=("a > b",), costs=("1",), budgets=(20,)))
    assert alone.claims == beside.claims


# ---------------------------------------------------------------- designs that cannot reject


@pytest.mark.parametrize(
    ("test", "sides", "enough"),
    [
        ("permutation", 2, 4),
        ("permutation", 1, 3),
        ("mann_whitney", 2, 4),
        ("sign_flip", 2, 6),
        ("sign_flip", 1, 5),
        ("welch", 2, 2),
    ],
)
def test_the_fewest_seeds_with_which_a_test_can_reject(test: str, sides: int, enough: int) -> None:
    """1 / C(6, 3) = .05 and 2 / C(8, 4) = .029; 2^-5 = .031 is two-sided for six pairs and one-sided for five."""
    assert enough == next(n for n in range(2, 50) if least_p(test, n, sides) <= ALPHA)


def test_designs_that_cannot_reject_are_named_at_the_level_of_the_family() -> None:
    pilots = [f"{name}: {mean} +- 1, 5" for name, mean in (("a", 3), ("b", 2), ("c", 1))]
    found = forecast(*pilots, costs=("1",), budgets=(9, 15), settings=AuditSettings(tests=("welch", "permutation")))
    assert 3 == found.n_family  # .05 / 3 = .017: 2 / C(8, 4) = .029 is above, 2 / C(10, 5) = .0079 below
    assert [("permutation", 3, 0.1, 2, 5)] == [(d.test, d.n, d.p, d.sides, d.enough) for d in found.hopeless]
    assert any("permutation can never reject with 3 against 3 seeds" in line for line in lines(found))


def test_margins_are_planned_one_sided() -> None:
    asked = {"costs": ("1",), "budgets": (6,), "settings": AuditSettings(tests=("welch", "permutation"))}
    assert () == forecast(PPO, A2C, claims=("ppo >= a2c - 9",), **asked).hopeless  # type: ignore[arg-type]
    assert (3,) == tuple(one.n for one in forecast(PPO, A2C, claims=("ppo > a2c",), **asked).hopeless)  # type: ignore[arg-type]


# ---------------------------------------------------------------- pilots


@pytest.mark.parametrize(
    "text",
    ["ppo: 247 +- 145, 20 seeds", "ppo:247±145,20", "ppo : 247.0 +/- 1.45e2, n = 20", " ppo: +247 +- 145, 20 runs "],
)
def test_printed_pilots_may_be_written_in_several_ways(text: str) -> None:
    found = parse_pilots([text, A2C])[0]
    assert ("ppo", 20, 247.0, 145.0) == (found.agent, found.n, found.mean, found.sd)


def test_thousands_may_be_marked_as_reports_print_them() -> None:
    found = parse_pilots(["sac: 11,920 +- 1,317, 192 seeds", "td3: -.5 +- 0.25, 1,000 seeds"])
    assert [(11920.0, 1317.0, 192), (-0.5, 0.25, 1000)] == [(one.mean, one.sd, one.n) for one in found]


@given(st.text(max_size=40))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    with contextlib.suppress(RlauditError):
        assert all(pilot.sd > 0 and pilot.n > 1 for pilot in parse_pilots([text, A2C]))


def test_an_agent_with_one_seed_is_no_pilot() -> None:
    arms = ArmScores("a", "", (0,), np.array([1.0])), ArmScores("b", "", (0, 1), np.array([3.0, 4]))
    assert ["b"] == [found.agent for found in pilots_of(ScoreTable("final", arms))]
    found = of_scores(ScoreTable("final", arms), SETTINGS, Asked(claims=("b > a",)))
    assert "there are no two seeds of a" == found.claims[0].reason


def test_seeds_needed_agree_with_the_smallest_effect() -> None:
    """76 seeds an agent find 61 points with 80 %: the inverse of the same power."""
    claim = forecast(PPO, A2C).claims[0]
    assert claim.need is not None
    assert 76 == claim.need.n
    sd = np.sqrt((145**2 + 120**2) / 2)
    assert smallest_effect(76, 0.8, ALPHA) * sd <= 61 * 1.005 < smallest_effect(75, 0.8, ALPHA) * sd * 1.01
