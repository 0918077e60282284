"""Printed numbers against each other: what is right is never flagged, what is wrong is."""

import csv
from collections import Counter
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shared_data import FOLDER

from rlaudit.printed import CHECKS, PrintedResult, Recheck, Rechecked, check, of_cells, of_sentence
from rlaudit.printed.discrete import ks_values, u_values
from rlaudit.printed.means import _welch_df
from rlaudit.printed.t_tests import df_for
from rlaudit.types import Level


def result(**cells: object) -> PrintedResult:
    made, problems = of_cells({name: str(value) for name, value in cells.items()}, "")
    assert made, problems
    return made


def said(**cells: object) -> Rechecked:
    return check([result(**cells)]).results[0]


def kinds(**cells: object) -> set[str]:
    """What the checks say that is not fine."""
    return {one.kind for one in said(**cells).checks if one.level != Level.OK}


def five(**cells: object) -> dict[str, object]:
    return {"n1": 5, "n2": 5, **cells}


# ---------------------------------------------------------------- what honest software prints


def honest(rng: np.random.Generator, repeats: int) -> list[PrintedResult]:
    """Tests of simulated seeds as scipy computes them, printed with a random number of decimals."""
    printed = []
    for _ in range(repeats):
        n1, n2 = (int(n) for n in rng.integers(3, 12, 2))
        scale, digits, p_digits, decimals = 10.0 ** rng.integers(-1, 4), *rng.integers(2, 5, 2), rng.integers(1, 4)
        a = rng.normal(rng.integers(0, 3), 1, n1) * scale
        b = rng.normal(rng.integers(0, 3), rng.choice([1, 3]), n2) * scale
        welch, student = stats.ttest_ind(a, b, equal_var=False), stats.ttest_ind(a, b)
        ks, u = stats.ks_2samp(a, b, method="exact"), stats.mannwhitneyu(a, b, method="exact")
        means = {"mean1": f"{a.mean():.{decimals}f}", "mean2": f"{b.mean():.{decimals}f}", "n1": n1, "n2": n2}
        sds = {f"sd{i}": f"{x.std(ddof=1):.{decimals}f}" for i, x in ((1, a), (2, b))}
        ses = {f"se{i}": f"{stats.sem(x):.{decimals}f}" for i, x in ((1, a), (2, b))}
        t_and_p = {"statistic": f"{welch.statistic:.{digits}f}", "p": f"{welch.pvalue:.{p_digits}f}"}
        printed += [
            result(test="welch", n1=n1, n2=n2, **t_and_p),
            result(test="t", n1=n1, n2=n2, df=f"{welch.df:.1f}", **t_and_p),
            result(test="student", n1=n1, n2=n2, statistic=f"{student.statistic:.2f}", p=f"{student.pvalue:.4f}"),
            result(test="ks", n1=n1, n2=n2, statistic=f"{ks.statistic:.{digits}f}", p=f"{ks.pvalue:.{p_digits}f}"),
            result(test="u", n1=n1, n2=n2, statistic=u.statistic, p=f"{u.pvalue:.{p_digits}f}"),
            result(test="welch", **means, **sds, **t_and_p),
            result(**means, **ses, p=f"{student.pvalue:.{p_digits}f}"),
        ]
    return printed


def test_what_scipy_computes_is_never_flagged_however_it_is_rounded() -> None:
    recheck = check(honest(np.random.default_rng(7), 250))
    assert [] == [(one.printed.text, one.flagged[0].sentence) for one in recheck.results if one.flagged]
    assert all(one.was_checked for one in recheck.results if one.level == Level.OK)
    wrong = Counter(one.kind for row in recheck.results for one in row.checks if one.level == Level.WARN)
    assert {"caveat"} >= set(wrong)  # an sd that rounds to zero


def test_most_slips_of_a_digit_are_flagged() -> None:
    """p computed for another t: of 200 pairs of results whose p are swapped nearly all contradict their own t."""
    rng = np.random.default_rng(8)
    flagged = 0
    for _ in range(200):
        t, other = rng.uniform(0.2, 4, 2)
        flagged += bool(said(**five(test="t", statistic=f"{t:.2f}", p=f"{2 * stats.t.sf(other, 8):.3f}")).flagged)
    assert flagged > 150


@given(st.floats(0.01, 8), st.integers(2, 30), st.integers(2, 30), st.integers(1, 4))
def test_the_sign_of_t_and_the_order_of_the_groups_do_not_matter(t: float, n1: int, n2: int, digits: int) -> None:
    p = f"{2 * stats.t.sf(t, 6):.{digits}f}"
    one = said(test="t", statistic=f"{t:.2f}", p=p, n1=n1, n2=n2)
    other = said(test="t", statistic=f"-{t:.2f}", p=p, n1=n2, n2=n1)
    assert (one.level, [c.kind for c in one.checks]) == (other.level, [c.kind for c in other.checks])


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 25), st.floats(0.01, 20), st.floats(0.5, 5), st.integers(-3, 3))
def test_a_change_of_unit_changes_no_test_of_the_means(n: int, gap: float, sd: float, power: int) -> None:
    units = [10.0**0, 10.0**power]
    found = [
        said(mean1=repr(gap * u), mean2=0, sd1=repr(sd * u), sd2=repr(2 * sd * u), n1=n, n2=n).recomputed
        for u in units
    ]  # fmt: skip
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].t == pytest.approx(found[1].t, rel=1e-9)
    assert found[0].hedges_g == pytest.approx(found[1].hedges_g, rel=1e-9)


# ---------------------------------------------------------------- Henderson et al. 2018


@pytest.fixture(scope="module")
def henderson() -> Recheck:
    path = FOLDER / "henderson2018_printed_tests.csv"
    if not path.exists():
        pytest.skip(f"the printed tests of Henderson et al. 2018 are not in {FOLDER}")
    with path.open() as stream:
        return check([result(**row) for row in csv.DictReader(stream)])


def test_exactly_the_ks_tests_at_080_and_the_t_of_figure_5_are_flagged(henderson: Recheck) -> None:
    def shown(results: list[Rechecked]) -> Counter[str]:
        return Counter(f"{one.printed.test} {one.printed.statistic.text}" for one in results if one.printed.statistic)

    printed, flagged = shown(list(henderson.results)), shown([one for one in henderson.results if one.flagged])
    assert {"ks 0.80": printed["ks 0.80"], "t -9.0916": 1} == flagged
    assert 14 == printed["ks 0.80"]


def test_the_other_cells_are_notes_or_fine(henderson: Recheck) -> None:
    levels = Counter((one.printed.test, one.level) for one in henderson.results)
    assert {("t", Level.OK): 48, ("t", Level.UNSAFE): 1, ("ks", Level.WARN): 34, ("ks", Level.UNSAFE): 14} == levels


def test_the_headline_of_henderson_counts_turned_conclusions(henderson: Recheck) -> None:
    first = henderson.findings[0]
    assert Level.UNSAFE == first.level
    assert {"n_results": 97, "n_checked": 97, "n_flagged": 15, "n_turned": 14} == first.evidence


def test_figure_5_says_which_df_would_give_its_p(henderson: Recheck) -> None:
    (one,) = (check for check in henderson.results[0].checks if check.kind == "inconsistent")
    assert one.evidence is not None
    assert 3.4 == pytest.approx(one.evidence["df_needed"], abs=0.05)
    assert "fewer than any t test of 5 and 5 seeds has" in one.sentence
    assert not one.decision_error


def test_mirrored_t_tests_are_counted(henderson: Recheck) -> None:
    assert (97, 23) == (henderson.family.n_p, henderson.family.n_mirrored)
    assert 4.85 == pytest.approx(henderson.family.expected)


# ---------------------------------------------------------------- t


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"statistic": "2.31", "p": "0.05"}, set()),
        ({"statistic": "2.31", "p": "0.0497"}, set()),
        ({"statistic": "2.31", "p": "0.08"}, set()),  # Welch, 4 df: .082
        ({"statistic": "2.31", "p": "0.09"}, {"inconsistent"}),
        ({"statistic": "2.31", "p": "0.025"}, {"one-sided"}),
        ({"statistic": "2.31", "p": "0.025", "sides": "one-sided"}, set()),
        ({"statistic": "2.31", "p": "0.05", "sides": "one-sided"}, {"inconsistent"}),
        ({"statistic": "2.31", "p": "0.08", "test": "student"}, {"inconsistent"}),
        ({"statistic": "2.31", "p": "0.08", "test": "paired_t"}, set()),  # 4 df
        ({"statistic": "2.31", "p": "0.05", "test": "paired_t"}, {"inconsistent"}),
        ({"statistic": "8.85", "p": "0.000"}, set()),
        ({"statistic": "2.4", "p": "<.05"}, set()),
        ({"statistic": "1.4", "p": "<.05"}, {"inconsistent"}),
        ({"statistic": "1.4", "p": ">.05"}, set()),
        ({"statistic": "0.00", "p": "1.00"}, set()),
    ],
)
def test_t_and_p(cells: dict[str, str], expected: set[str]) -> None:
    assert expected == kinds(**five(**{"test": "t", **cells}))


def test_a_one_sided_p_is_worse_where_the_conclusion_hangs_on_it() -> None:
    hangs = said(**five(test="student", statistic="2.0", p="0.040"))
    stands = said(**five(test="student", statistic="4.0", p="0.002"))
    assert (Level.UNSAFE, True) == (hangs.level, hangs.flagged[0].decision_error)
    assert Level.WARN == stands.level


def test_a_turned_conclusion_is_told_from_a_slip() -> None:
    turned = said(**five(test="t", statistic="1.2", p="0.010"))
    slip = said(**five(test="t", statistic="6.0", p="0.010"))
    unclear = said(**five(test="student", statistic="2.31", p="0.010"))  # p = .0472 to .0522
    assert [True, False, False] == [one.flagged[0].decision_error for one in (turned, slip, unclear)]
    assert "Rounding leaves open" in unclear.flagged[0].sentence
    assert "stands" in slip.flagged[0].sentence


def test_impossible_degrees_of_freedom_are_flagged() -> None:
    assert "impossible" in kinds(**five(test="t", statistic="3", df="20", p="0.007"))  # 5 seeds x 2, 20 episodes
    assert set() == kinds(**five(test="t", statistic="2.31", df="8", p="0.050"))
    assert set() == kinds(**five(test="t", statistic="2.31", df="4.2", p="0.080"))


@given(st.floats(0.5, 6), st.floats(2, 50))
def test_the_df_that_give_a_p_are_found(t: float, df: float) -> None:
    p = 2 * stats.t.sf(t, df)
    found = df_for(t, p)
    assert found is not None
    assert p == pytest.approx(2 * stats.t.sf(t, found), rel=1e-3)


def test_no_df_gives_a_p_below_the_normal_one() -> None:
    assert df_for(1.96, 0.01) is None


def test_without_n_and_df_nothing_is_compared() -> None:
    one = said(test="t", statistic="2.3", p="0.9")
    assert (False, Level.OK) == (one.was_checked, one.level)


# ---------------------------------------------------------------- Kolmogorov-Smirnov, Mann-Whitney, permutation


def test_exact_and_asymptotic_p_of_ks_at_five_seeds_are_as_published() -> None:
    values = ks_values(5, 5)
    assert values is not None
    stephens = next(p for name, p in values.others.items() if "Stephens" in name)
    np.testing.assert_allclose(values.exact[1:], [0.8730, 0.3571, 0.0794, 0.0079], atol=5e-5)
    np.testing.assert_allclose(stephens[1:], [0.697, 0.209, 0.036, 0.004], atol=5e-4)


@pytest.mark.parametrize(("n1", "n2"), [(3, 3), (4, 7), (6, 9), (10, 10)])
def test_p_of_ks_are_those_of_scipy(n1: int, n2: int) -> None:
    values = ks_values(n1, n2)
    assert values is not None
    rng = np.random.default_rng(1)
    for _ in range(20):
        found = stats.ks_2samp(rng.normal(size=n1), rng.normal(1, 2, size=n2), method="exact")
        (at,) = np.flatnonzero(np.isclose(values.statistic, found.statistic))
        assert found.pvalue == pytest.approx(values.exact[at], rel=1e-9)
        en = np.sqrt(n1 * n2 / (n1 + n2))
        old = next(p for name, p in values.others.items() if "Stephens" in name)[at]
        assert stats.kstwobign.sf((en + 0.12 + 0.11 / en) * found.statistic) == pytest.approx(old)


@pytest.mark.parametrize(("n1", "n2"), [(3, 3), (4, 7), (10, 10)])
def test_p_of_u_are_those_of_scipy(n1: int, n2: int) -> None:
    values = u_values(n1, n2)
    assert values is not None
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.normal(size=n1), rng.normal(1, 2, size=n2)
        exact = stats.mannwhitneyu(a, b, method="exact")
        at = int(exact.statistic)
        assert exact.pvalue == pytest.approx(values.exact[at])
        for corrected, name in ((True, " with continuity correction"), (False, "")):
            approximate = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=corrected).pvalue
            assert approximate == pytest.approx(values.others[f"the normal approximation{name}"][at])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"test": "ks", "statistic": "0.80", "p": "0.036"}, {"conclusion"}),
        ({"test": "ks", "p": "0.036"}, {"conclusion"}),
        ({"test": "ks", "statistic": "0.80", "p": "0.079"}, set()),
        ({"test": "ks", "statistic": "0.8", "p": "<.05"}, {"conclusion"}),
        ({"test": "ks", "statistic": "0.60", "p": "0.209"}, {"approximate"}),
        ({"test": "ks", "statistic": "1.00", "p": "0.004"}, {"approximate"}),
        ({"test": "ks", "statistic": "0.40", "p": "0.697"}, {"approximate"}),
        ({"test": "ks", "statistic": "0.70"}, {"impossible"}),
        ({"test": "ks", "statistic": "0.80", "p": "0.5"}, {"inconsistent"}),
        ({"test": "ks", "p": "0.0003"}, {"impossible"}),
        ({"test": "ks", "statistic": "1.2", "p": "0.004"}, {"impossible"}),
        ({"test": "u", "statistic": "0", "p": "0.0079"}, set()),
        ({"test": "u", "statistic": "25", "p": "0.0079"}, set()),
        ({"test": "u", "statistic": "0", "p": "0.012"}, {"approximate"}),  # continuity correction: .0122
        ({"test": "u", "statistic": "3", "p": "0.030"}, {"one-sided"}),  # half of .0601, scipy up to 1.6
        ({"test": "u", "statistic": "30", "p": "0.03"}, {"impossible"}),
        ({"test": "u", "statistic": "2.3", "p": "0.03"}, {"impossible"}),
        ({"test": "u", "statistic": "2.5", "p": "0.03"}, set()),  # tied
        ({"test": "permutation", "p": "0.0079"}, set()),
        ({"test": "permutation", "p": "0.0004"}, {"impossible"}),
        ({"test": "permutation", "p": "0.0040", "sides": "one-sided"}, set()),
        ({"test": "permutation", "p": "0.036"}, {"approximate"}),  # .0317 or .0397, unless simulated
    ],
)
def test_tests_with_few_values(cells: dict[str, str], expected: set[str]) -> None:
    assert expected == kinds(**five(**cells))


@pytest.mark.parametrize(("n", "least"), [(2, 1 / 3), (3, 0.1), (4, 0.0286), (5, 0.00794), (6, 0.00216)])
@pytest.mark.parametrize("test", ["permutation", "ks", "mann_whitney"])
def test_a_p_below_the_smallest_one_is_impossible(test: str, n: int, least: float) -> None:
    p = f"{least / 20:.5f}"
    flagged = said(test=test, p=p, n1=n, n2=n).flagged
    assert ["impossible"] == [one.kind for one in flagged]
    assert [least > 0.05] == [one.decision_error for one in flagged]
    assert Level.OK == said(test=test, p=f"{least:.3f}", n1=n, n2=n).level


def test_a_simulated_permutation_p_may_fall_a_little_below_the_smallest() -> None:
    assert Level.WARN == said(test="permutation", p="0.027", n1=4, n2=4).level
    assert Level.UNSAFE == said(test="permutation", p="0.005", n1=4, n2=4).level


def test_ties_may_explain_another_p_of_u_but_not_a_turned_conclusion() -> None:
    assert Level.WARN == said(**five(test="u", statistic="4", p="0.5")).level
    assert Level.UNSAFE == said(**five(test="u", statistic="9", p="0.001")).level


# ---------------------------------------------------------------- means of whole numbers


def test_the_published_example_of_grim_is_impossible() -> None:
    """Brown & Heathers 2017: 5.19 cannot be the mean of 28 whole numbers; 5.18 and 5.21 can."""
    (flag,) = said(mean="5.19", n=28, integer="yes").flagged
    assert "mean 5.18 or 5.21" == flag.should
    assert not said(mean="5.18", n=28, integer="yes").flagged
    assert not said(mean="5.21", n=28, integer="yes").flagged


def test_without_the_word_of_the_user_returns_need_not_be_whole() -> None:
    assert not said(mean="5.19", n=28).flagged


@pytest.mark.parametrize("n", [3, 7, 19, 30])
def test_of_100_means_with_two_decimals_as_many_are_possible_as_there_are_sums(n: int) -> None:
    possible = sum(not said(mean=f"12.{cents:02d}", n=n, integer="yes").flagged for cents in range(100))
    assert n == possible


def test_episodes_make_the_grid_finer() -> None:
    assert said(mean="5.19", n=7, episodes=4).flagged  # 28 whole numbers
    assert not said(mean="5.19", n=7, episodes=40).flagged


def test_every_mean_and_sd_that_four_whole_numbers_have_is_possible_and_others_are_not() -> None:
    groups = np.array(list(combinations_with_replacement(range(7), 4)))
    both = [zip(groups.mean(1), groups.std(1, ddof=ddof), strict=True) for ddof in (0, 1)]
    reachable = {(f"{mean:.2f}", f"{sd:.2f}") for pairs in both for mean, sd in pairs}
    assert [] == [one for one in reachable if said(mean=one[0], sd=one[1], n=4, integer="yes").flagged]
    means = sorted({mean for mean, _ in reachable})
    others = [(mean, f"{sd / 100:.2f}") for mean in means for sd in range(0, 300, 7)]
    wrong = [one for one in others if one not in reachable]
    caught = sum(bool(said(mean=one[0], sd=one[1], n=4, integer="yes").flagged) for one in wrong)
    assert caught > 0.8 * len(wrong)


@pytest.mark.parametrize(
    ("mean", "sd", "n"),
    [("2.00", "0.58", 4), ("0.50", "0.24", 10)],
    ids=["the squares would sum to 17, the numbers to 8", "the squares would sum to 3, but to 5 at least"],
)
def test_squares_of_whole_numbers_have_a_parity_and_a_least_sum(mean: str, sd: str, n: int) -> None:
    (flag,) = said(mean=mean, sd=sd, n=n, integer="yes").flagged
    assert "grimmer" == flag.name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-500, 500), min_size=2, max_size=40), st.integers(1, 4), st.integers(0, 4), st.booleans())
def test_what_whole_numbers_have_is_never_impossible(
    scores: list[int], episodes: int, digits: int, divide: bool
) -> None:
    x = np.array(scores) / episodes
    mean, sd = f"{x.mean():.{digits}f}", f"{x.std(ddof=int(divide)):.{digits}f}"
    assert not said(mean=mean, sd=sd, n=len(x), episodes=episodes).flagged


# ---------------------------------------------------------------- sd, se, interval, range


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"sd": "20", "se": "8.9"}, set()),
        ({"sd": "20", "se": "4.5"}, {"inconsistent"}),
        ({"sd": "20.0", "ci": "24.8"}, set()),
        ({"sd": "20.0", "ci": "17.5"}, {"approximate"}),  # 1.96 se with five seeds
        ({"sd": "20.0", "ci": "[75.2, 124.8]"}, set()),
        ({"sd": "20.0", "ci": "8.9"}, {"inconsistent"}),
        ({"ci": "[110, 120]"}, {"impossible"}),
        ({"sd": "20", "min": "70", "max": "120"}, set()),
        ({"sd": "40", "min": "70", "max": "120"}, {"impossible"}),
        ({"sd": "20", "min": "110", "max": "120"}, {"impossible"}),
        ({"sd": "0"}, {"caveat"}),
    ],
)
def test_spreads_of_one_group(cells: dict[str, str], expected: set[str]) -> None:
    assert expected == kinds(mean="100", n=5, **cells)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=30), st.integers(0, 4))
def test_the_sd_of_a_sample_never_contradicts_its_range(scores: list[float], digits: int) -> None:
    x = np.array(scores)
    printed = {"mean": x.mean(), "sd": x.std(ddof=1), "min": x.min(), "max": x.max(), "se": stats.sem(x)}
    assert not said(n=len(x), **{name: f"{value:.{digits}f}" for name, value in printed.items()}).flagged


# ---------------------------------------------------------------- from means to a test

PAIR = {"mean1": "247", "sd1": "145", "n1": 20, "mean2": "186", "sd2": "120", "n2": 20}
FEW = {"mean1": "247.0", "sd1": "45.0", "n1": 5, "mean2": "186.0", "sd2": "20.0", "n2": 5}


def test_the_test_of_the_means_is_that_of_scipy() -> None:
    found = said(**PAIR).recomputed
    oracle = stats.ttest_ind_from_stats(247, 145, 20, 186, 120, 20, equal_var=False)
    assert found is not None
    assert (oracle.statistic, oracle.pvalue) == pytest.approx((found.t, found.p_value))
    assert 61 == pytest.approx(found.effect)
    pooled = np.sqrt((145**2 + 120**2) / 2)
    assert 61 / pooled * (1 - 3 / (4 * 38 - 1)) == pytest.approx(found.hedges_g, rel=1e-3)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({**PAIR, "p": "0.156"}, set()),
        ({**PAIR, "p": "0.078"}, {"one-sided"}),
        ({**PAIR, "p": "0.001"}, {"inconsistent"}),
        ({**PAIR, "test": "t", "statistic": "1.45", "p": "0.156"}, set()),
        ({**PAIR, "test": "t", "statistic": "4.10", "p": "0.0002"}, {"inconsistent"}),
        ({**FEW, "test": "t", "statistic": "1.24", "p": "0.27"}, {"other spread"}),  # the sds were standard errors
        ({**FEW, "p": "0.035"}, set()),
        ({**FEW, "p": "0.0514"}, {"other spread"}),  # divided by n: t = 2.48, Welch
        ({**FEW, "test": "t", "df": "7.8", "statistic": "2.77", "p": "0.025"}, {"inconsistent"}),  # df = 5.5
        ({**PAIR, "test": "t", "statistic": "4.10"}, {"inconsistent"}),
        ({**PAIR, "test": "t", "statistic": "1.45"}, set()),
        ({**FEW, "test": "permutation", "p": "0.0317"}, set()),
    ],
)
def test_a_printed_test_must_follow_from_the_means(cells: dict[str, object], expected: set[str]) -> None:
    assert expected == kinds(**cells)


def test_the_range_of_welch_df_reaches_its_largest_value_inside() -> None:
    """Equal sds and n: n1 + n2 - 2, which neither end has."""
    low, high = _welch_df((0.5, 1.5), (0.5, 1.5), 5, 5)
    assert 8 == pytest.approx(high)
    assert (0.25 + 2.25) ** 2 / (0.25**2 + 2.25**2) * 4 == pytest.approx(low)


def test_bars_that_do_not_overlap_are_no_test() -> None:
    """Two bars of one standard error that just touch: t = sqrt(2), p = .195 with 8 df."""
    cells = {"mean1": "20", "mean2": "9", "se1": "5", "se2": "5", "n1": 5, "n2": 5}
    (note,) = (one for one in said(**cells).checks if one.name == "error_bars")
    assert note.evidence is not None
    assert 0.195 == pytest.approx(note.evidence["p_touching"], abs=0.001)
    assert not [one for one in said(**{**cells, "mean2": "11"}).checks if one.name == "error_bars"]


def test_two_constant_agents_have_no_t_test() -> None:
    one = said(mean1="500", sd1="0", n1=5, mean2="400", sd2="0", n2=5, p="0.01")
    assert one.recomputed is None
    assert Level.WARN == one.level


def test_one_seed_gives_no_test() -> None:
    assert said(mean1="500", sd1="3", n1=1, mean2="400", sd2="3", n2=1).recomputed is None


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_bears_a_result_with_nothing_in_it(name: str) -> None:
    for empty in (PrintedResult("", ""), PrintedResult("", "", test="ks"), PrintedResult("", "", test="t")):
        assert all(one.level == Level.OK for one in CHECKS[name](empty, 0.05))


@pytest.mark.parametrize(
    ("text", "should"),
    [
        ("247 ± 145 (n = 1) vs 186 ± 120 (n = 20)", "2 seeds or more"),
        ("mean 247, CI [200, 290], n 1 vs mean 186, sd 12, n 5", "2 seeds or more"),
        ("paired t(4) = 2.8, p = .05, n = 5, 6", "as many seeds of both agents"),
        ("U = 26, p = .04, n = 5", "U = 25"),
        ("KS D = 1.2, p = .04, n = 5", "D = 1"),
        ("KS D = .85, p = .04, n = 5", "D = 0.8 or 1"),
    ],
)
def test_what_cannot_be_is_flagged_with_what_could(text: str, should: str) -> None:
    (one,) = check([of_sentence(text)]).results
    assert should in [check.should for check in one.flagged]
