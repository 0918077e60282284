"""What differs by rounding alone is one number, and no statistic or sentence may make more of it."""

import warnings
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rlaudit
from rlaudit.findings import find
from rlaudit.report import render
from rlaudit.results import Audit, from_json, to_json
from rlaudit.rounding import TOLERANCE, settled
from rlaudit.scores import without_rounding
from rlaudit.types import ArmCurves, ArmScores, Floats, Level, ScoreTable, Verdict

_LOSS = 0.2354016984872198
numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


def noise(stream: int, n: int = 20) -> Floats:
    """What an optimiser leaves: the last digits."""
    return _LOSS + 1e-14 * np.random.default_rng(stream).standard_normal(n)


def audited(**pools: Floats) -> Audit:
    return rlaudit.audit(pools, higher_is_better=False, group_sizes=[2, 5], splits=100, procedures=["top_run"])


def titles(audit: Audit) -> list[str]:
    return [finding.title for finding in audit.findings]


# ---------------------------------------------------------------- numbers


def test_numbers_that_agree_become_the_lowest_of_them_in_all_arrays_together() -> None:
    found = settled(np.array([1 + 1e-12, 2.0]), np.array([[1.0], [1 + 2e-8]]))
    assert [[1.0, 2.0], [[1.0], [1 + 2e-8]]] == [one.tolist() for one in found]


def test_numbers_that_lie_dense_are_not_drawn_together_in_a_chain() -> None:
    dense = 1 + np.arange(1000) * 0.4 * TOLERANCE
    (found,) = settled(dense)
    assert np.abs(found - dense).max() <= 1.01 * TOLERANCE
    assert 300 < len(np.unique(found)) < 500


@given(st.lists(numbers, max_size=30))
def test_nothing_moves_by_more_than_the_tolerance_nor_passes_another(values: list[float]) -> None:
    given_values = np.array(values, dtype=np.float64)
    (found,) = settled(given_values)
    assert np.array_equal(np.isnan(given_values), np.isnan(found))
    same = (found == given_values) | np.isnan(found)
    with np.errstate(invalid="ignore", over="ignore"):
        assert (same | (np.abs(found - given_values) <= TOLERANCE * np.abs(given_values) * 1.01)).all()
    order = np.argsort(given_values)
    ordered = found[order][~np.isnan(found[order])]
    assert (ordered[1:] >= ordered[:-1]).all()


@given(st.lists(st.integers(-(10**6), 10**6), max_size=30))
def test_whole_numbers_of_a_usual_size_stay_as_they_are(values: list[int]) -> None:
    given_values = np.array(values, dtype=np.float64)
    assert np.array_equal(given_values, settled(given_values)[0])


def test_a_table_is_settled_task_by_task_and_its_curves_point_by_point() -> None:
    arms = tuple(ArmScores("a", task, (0, 1), np.array([1.0, 1 + 1e-13])) for task in ("t", "u"))
    near = ArmScores("b", "t", (0,), np.array([1 - 1e-13]))
    curve = ArmCurves("a", "t", (0, 1), np.array([1, 2]), np.array([[1.0, 3.0], [1 + 1e-13, np.nan]]))
    found = without_rounding(ScoreTable("final", (*arms, near), curves=(curve,)))
    assert [[1 - 1e-13] * 2, [1.0] * 2, [1 - 1e-13]] == [arm.scores.tolist() for arm in found.arms]
    assert np.array_equal([[1.0, 3.0], [1.0, np.nan]], found.curves[0].values, equal_nan=True)


def test_a_table_made_by_hand_is_settled_before_it_is_audited() -> None:
    table = ScoreTable("loss", tuple(ArmScores(name, "", tuple(range(20)), noise(i)) for i, name in enumerate("ab")))
    (pair,) = rlaudit.audit(table, splits=100, procedures=["top_run"]).comparisons
    assert (0.0, Verdict.UNDECIDED) == (pair.effect, pair.verdict)


# ---------------------------------------------------------------- the audit

NEARLY = {
    "two pools of noise": {"a": noise(1), "b": noise(2) + 3e-14},
    "constant pools": {"a": np.full(20, _LOSS), "b": np.full(20, _LOSS)},
    "pools one bit apart": {"a": np.full(20, _LOSS), "b": np.full(20, np.nextafter(_LOSS, 1))},
    "a constant and noise": {"a": np.full(20, _LOSS), "b": noise(3)},
    "zeros": {"a": np.zeros(20), "b": np.zeros(20)},
    "two seeds": {"a": noise(4, 2), "b": noise(5, 2)},
    "large scores": {"a": 1e9 * noise(6), "b": 1e9 * noise(7)},
    "negative scores": {"a": -noise(8), "b": -noise(9)},
}


@lru_cache
def nearly(name: str) -> Audit:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # 0 / 0
        return audited(**NEARLY[name])


@pytest.mark.parametrize("name", NEARLY)
def test_agents_that_differ_by_rounding_are_never_told_apart(name: str) -> None:
    audit = nearly(name)
    (pair,) = audit.comparisons
    assert Verdict.UNDECIDED == pair.verdict
    assert "every seed of both has the same score, so that there is nothing to tell apart" == pair.reason
    assert (0.0, 0.0, 0.0, 0.5) == (pair.effect, pair.low, pair.high, pair.p_a_better)
    assert {1.0} == {test.p_value for test in pair.tests.values()}
    assert {0.0} >= {test.rate for split in audit.splits for test in split.tests.values()}
    assert {0.0} == {split.gap.max for split in audit.splits} | {arm.sd for arm in audit.arms}


@pytest.mark.parametrize("name", NEARLY)
def test_no_sentence_makes_anything_of_rounding(name: str) -> None:
    audit = nearly(name)
    said = " ".join(finding.title + finding.sentence + finding.next_step for finding in audit.findings)
    assert "a: no seed effect" in titles(audit)
    assert not [word for word in ("is better", "got stuck", "far from", "disagree", "e-1") if word in said], said
    assert not any("calls two groups" in finding.sentence for finding in audit.findings)


@pytest.mark.parametrize("name", NEARLY)
def test_the_report_is_drawn_without_a_warning_and_shows_no_rounding(name: str) -> None:
    audit = nearly(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", UserWarning)  # matplotlib: an axis without extent
        text = render(audit)
    assert audit == from_json(to_json(audit))
    assert not [tail for tail in ("e-14", "e-15", "e-16", "e-17", "e−1") if tail in text.partition("</style>")[2]]


def test_equal_pools_are_equivalent_within_a_margin_that_somebody_named() -> None:
    audit = rlaudit.audit({"a": noise(1), "b": noise(2)}, margin=1e-6, splits=100, procedures=["top_run"])
    assert Verdict.EQUIVALENT == audit.comparisons[0].verdict


def test_a_constant_pool_against_one_that_varies_is_compared_as_ever() -> None:
    apart = audited(a=noise(1), b=0.3 + 0.01 * np.random.default_rng(0).standard_normal(20))
    assert Verdict.A_BETTER == apart.comparisons[0].verdict
    assert "a: no seed effect" in titles(apart)
    assert "b: no seed effect" not in titles(apart)


def test_two_different_constants_are_told_apart() -> None:
    audit = audited(a=np.full(20, 0.1), b=np.full(20, 0.2))
    assert Verdict.A_BETTER == audit.comparisons[0].verdict


def test_small_differences_are_no_rounding() -> None:
    audit = audited(a=_LOSS * (1 + 1e-7 * np.arange(20)), b=_LOSS * (2 + 1e-7 * np.arange(20)))
    assert Verdict.A_BETTER == audit.comparisons[0].verdict
    assert not any("no seed effect" in title for title in titles(audit))


# ---------------------------------------------------------------- no seed effect


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ((), "a program that does not use its seed"),
        (("aa",) * 20, "the seed is not used"),
        (tuple(map(str, range(20))), "Their weights differ, so that the seed is used"),
    ],
    ids=["unknown", "equal", "different"],
)
def test_the_weights_tell_whether_the_seed_is_used(hashes: tuple[str, ...], expected: str) -> None:
    audit = audited(a=np.full(20, 500.0), b=np.arange(20.0))
    known = replace(audit, arms=(replace(audit.arms[0], weights_sha256=hashes), audit.arms[1]))
    (finding,) = [one for one in find(known) if one.title == "a: no seed effect"]
    assert Level.WARN == finding.level
    assert expected in finding.sentence
    assert "All 20 seeds of a have one score, 500" in finding.sentence


def test_one_seed_has_no_seed_effect_to_look_for() -> None:
    arms = tuple(ArmScores(name, "", tuple(range(n)), np.full(n, 5.0)) for name, n in (("a", 1), ("b", 2)))
    found = [one for one in rlaudit.audit(ScoreTable("final", arms)).findings if "no seed effect" in one.title]
    assert ["b: no seed effect"] == [one.title for one in found]
