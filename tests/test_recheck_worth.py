"""What printed results are worth: power at plausible effects, type S and M, and what a repetition would show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlaudit.power import student_power
from rlaudit.printed import PrintedResult, check, of_cells
from rlaudit.printed.worth import designs, power_at, repetition, repetition_of


def result(**cells: object) -> PrintedResult:
    made, problems = of_cells({name: str(value) for name, value in cells.items()}, "")
    assert made, problems
    return made


# ---------------------------------------------------------------- power, type S, type M


@pytest.mark.parametrize(("n_1", "n_2"), [(2, 2), (3, 3), (5, 5), (5, 12), (50, 50)])
@pytest.mark.parametrize("d", [0.2, 0.5, 1.0, 2.0])
def test_power_and_type_s_are_those_of_the_noncentral_t(d: float, n_1: int, n_2: int) -> None:
    found, df = power_at(d, n_1, n_2, 0.05), n_1 + n_2 - 2
    shift, critical = d / np.sqrt(1 / n_1 + 1 / n_2), stats.t.ppf(0.975, df)
    right, wrong = stats.nct.sf(critical, df, shift), stats.nct.cdf(-critical, df, shift)
    assert float(student_power(d, n_1, 0.05, n_2)) == pytest.approx(found.power, rel=5e-3)
    wrong = np.nan_to_num(wrong)  # NaN where it is 0
    assert wrong / (right + wrong) == pytest.approx(found.type_s, rel=0.02, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(3, 0.5), (5, 0.5), (5, 1.0), (10, 1.0)])
def test_type_m_is_what_simulation_gives(n: int, d: float) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(d, 1, (150_000, n)), rng.normal(0, 1, (150_000, n))
    gap, se = a.mean(1) - b.mean(1), np.sqrt((a.var(1, ddof=1) + b.var(1, ddof=1)) / n)
    sizes = np.abs(gap[np.abs(gap) > stats.t.ppf(0.975, 2 * n - 2) * se]) / d
    assert sizes.mean() == pytest.approx(power_at(d, n, n, 0.05).type_m, abs=4 * stats.sem(sizes))


@pytest.mark.parametrize(("n", "type_s", "type_m"), [(3, 0.089, 3.44), (5, 0.034, 2.96)])
def test_a_small_effect_is_near_what_welch_makes_of_it(n: int, type_s: float, type_m: float) -> None:
    """Welch's figures are simulated; Student's are a little milder."""
    found = power_at(0.5, n, n, 0.05)
    assert type_s == pytest.approx(found.type_s, abs=0.005)
    assert type_m == pytest.approx(found.type_m, abs=0.08)


def test_designs_are_counted_and_know_their_smallest_p() -> None:
    pair = {"test": "t", "statistic": "2.0", "p": "0.1"}
    found = designs([result(**pair, n1=3, n2=3), result(**pair, n1=5, n2=5), result(**pair, n1=5, n2=5)], 0.05)
    assert [(5, 5, 2), (3, 3, 1)] == [(one.n_1, one.n_2, one.n_results) for one in found]
    assert [2 / 252, 0.1] == pytest.approx([one.smallest_p for one in found])


def test_one_seed_against_one_has_no_power_to_speak_of() -> None:
    (found,) = designs([result(p="0.04", n1=1, n2=1)], 0.05)
    assert () == found.at


# ---------------------------------------------------------------- a repetition


@pytest.mark.parametrize("df", [1, 2, 4, 8, 38, 998, 5_000, np.inf])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_p_of_just_alpha_is_repeated_half_the_time(df: float, alpha: float) -> None:
    assert 0.5 == pytest.approx(repetition(alpha, df, alpha), abs=1e-3)


@pytest.mark.parametrize(("p", "chance"), [(0.10, 0.41), (0.05, 0.50), (0.01, 0.66), (0.005, 0.71), (0.001, 0.78)])
def test_with_many_seeds_it_is_the_predictive_chance_of_goodman(p: float, chance: float) -> None:
    """Goodman 1992, table 1, "under a diffuse prior": .37 to .78; recomputed here from its formula."""
    z = stats.norm.ppf(1 - p / 2)
    expected = stats.norm.cdf((z - stats.norm.ppf(0.975)) / np.sqrt(2))
    assert expected == pytest.approx(repetition(p, np.inf, 0.05))
    assert chance == pytest.approx(expected, abs=0.05)
    assert expected == pytest.approx(repetition(p, 900, 0.05), abs=5e-3)


@pytest.mark.parametrize("p", [0.3, 0.05, 0.01, 0.001])
@pytest.mark.parametrize("df", [4, 8])
def test_with_few_seeds_it_is_what_drawing_from_the_posterior_gives(p: float, df: int) -> None:
    rng, n_draws = np.random.default_rng(0), 200_000
    t, critical = stats.t.ppf(1 - p / 2, df), stats.t.ppf(0.975, df)
    sd = np.sqrt(df / rng.chisquare(df, n_draws))  # the true one, where 1 was observed
    truth = t + sd * rng.standard_normal(n_draws)
    again = (truth + sd * rng.standard_normal(n_draws)) / (sd * np.sqrt(rng.chisquare(df, n_draws) / df))
    share = (again > critical).mean()
    assert share == pytest.approx(repetition(p, df, 0.05), abs=4 * np.sqrt(share * (1 - share) / n_draws) + 1e-3)


@settings(deadline=None)
@given(st.floats(1e-6, 0.99), st.floats(1e-6, 0.99), st.integers(1, 100))
def test_a_smaller_p_is_repeated_more_often(p: float, other: float, df: int) -> None:
    low, high = sorted((p, other))
    assert 0 <= repetition(high, df, 0.05) <= repetition(low, df, 0.05) + 1e-9 <= 1 + 1e-9


@pytest.mark.parametrize("p", ["<.05", ">.05", "0.000", "1.00"])
def test_a_bound_on_p_says_nothing_about_a_repetition(p: str) -> None:
    assert repetition_of(result(test="t", statistic="2.3", p=p, n1=5, n2=5), 0.05) is None


def test_a_one_sided_p_counts_double() -> None:
    one = repetition_of(result(p="0.02", n1=5, n2=5, sides="one-sided"), 0.05)
    assert one == repetition_of(result(p="0.04", n1=5, n2=5), 0.05)


# ---------------------------------------------------------------- findings


def titles(*results: PrintedResult, **settings: float) -> dict[str, str]:
    return {one.title: one.sentence for one in check(results, **settings).findings}  # type: ignore[arg-type]


MEANS = {"mean1": "247", "sd1": "145", "n1": 20, "mean2": "186", "sd2": "120", "n2": 20}


def test_every_finding_has_evidence_and_a_next_step() -> None:
    rows = [
        result(**MEANS, p="0.156"), result(**MEANS), result(test="ks", statistic="0.8", p="0.036", n=5),
        result(test="t", statistic="2.67", p="0.029", n=5), result(p="0.3"),
    ]  # fmt: skip
    found = check(rows, effect=100).findings
    assert len(found) >= 6
    assert all(one.title and one.sentence and one.evidence and one.next_step for one in found)
    levels = [one.level for one in found]
    assert levels == sorted(levels, key=["unsafe", "warn", "ok"].index)


def test_power_at_the_difference_asked_for_carries_the_uncertainty_of_the_sd() -> None:
    (one,) = check([result(**MEANS)], effect=100).results
    pooled = np.sqrt((145**2 + 120**2) / 2)
    expected = float(student_power(100 / pooled, 20, 0.05))
    assert expected == pytest.approx(one.power_at_effect, rel=5e-3)
    assert one.power_low is not None
    assert one.power_high is not None
    low, high = (pooled * np.sqrt(38 / stats.chi2.ppf(share, 38)) for share in (0.025, 0.975))
    assert float(student_power(100 / low, 20, 0.05)) == pytest.approx(one.power_low, rel=5e-3)
    assert float(student_power(100 / high, 20, 0.05)) == pytest.approx(one.power_high, rel=5e-3)


def test_means_alone_get_the_test_that_belongs_to_them() -> None:
    found = check([result(**MEANS)]).findings
    assert found[0].sentence.startswith("Undecided: the means may be equal (difference of the means 61.0")
    assert "Nothing" not in " ".join(one.title for one in found)


def test_many_pairs_of_means_are_judged_together() -> None:
    """Three of ten with p = .03 are none among all of them."""
    near = {**MEANS, "mean1": "280"}  # p = .03
    sentence = titles(*[result(**near)] * 3, *[result(**MEANS)] * 7)["The tests that belong to 10 pairs of means"]
    assert sentence.startswith("0 of 10 pairs of means differ")


def test_the_family_counts_what_chance_alone_would_give() -> None:
    rows = [result(p=p) for p in ("0.001", "0.03", "0.2", "<.05", "0.000")]
    family = check(rows).family
    assert (5, 4, 0.25, 2) == (family.n_p, family.n_significant, family.expected, family.n_holm)


def test_a_repetition_is_not_promised_for_flagged_results() -> None:
    flagged = result(test="ks", statistic="0.8", p="0.036", n=5)
    assert "What a repetition would show" not in titles(flagged)
    assert "optimistic" not in titles(flagged)
    assert "less where the result was selected" in titles(result(p="0.04", n=5))["What a repetition would show"]


def test_nothing_wrong_is_said_as_far_as_can_be_told() -> None:
    found = check([result(test="t", statistic="2.67", p="0.029", n=5), result(p="0.3")]).findings
    headline = next(one for one in found if one.title == "No contradiction")
    assert headline.sentence.endswith("1 could not be checked.")
    assert "Nothing to compare" in titles(result(p="0.3"))
