"""Habits of concluding, as a finding, a section and a figure tell of them."""

from dataclasses import replace

import pytest
from audit_builder import HOSTILE, build_audit

from rlaudit.comparisons import COMPARISONS
from rlaudit.config_values import PROCEDURES as NAMES
from rlaudit.figures import FIGURES, to_svg
from rlaudit.findings import find
from rlaudit.report.habits import habits as section
from rlaudit.results import Audit, Estimate, ProcedureAudit, ProcedureRates, from_json, to_json
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import label_of


def rates(name: str, false: float, low: float | None = None, **changes: object) -> ProcedureRates:
    share = Estimate(false, low if low is not None else 0.6 * false, min(1.0, 1.4 * false))
    right, wrong = Estimate(0.4, 0.2, 0.7), Estimate(0.07, 0.01, 0.2)
    plain = ProcedureRates(name, share, right, wrong, Estimate(0.15, 0.02, 0.4), Estimate(1.4, 1.1, 1.9), 2000, False)
    return replace(plain, **changes)


def shown(pair: bool = True, **changes: object) -> ProcedureAudit:
    lines = (
        rates("mean_higher", 1.0, always=True, false_positives=Estimate(1.0)),
        rates("per_point", 0.62),
        rates("adding_seeds", 0.18, replaced=True),
        rates("welch", 0.03),
    )
    if not pair:
        lines = tuple(replace(one, right=None, wrong=None, type_s=None, type_m=None) for one in lines)
    audit = ProcedureAudit(
        "a2c", "a2c-norm" if pair else None, "CartPole-v1", 5, lines, {"choose_task": "needs a second task"},
        better="a2c" if pair else None,
    )  # fmt: skip
    return replace(audit, **changes)


def audit_with(found: ProcedureAudit | None, **changes: object) -> Audit:
    return replace(build_audit(), procedures=found, **changes)


def finding(audit: Audit) -> Finding:
    (one,) = [one for one in find(audit) if "procedure" in one.evidence]
    return one


HOSTILE_AUDIT = shown(a=HOSTILE[0], b=HOSTILE[1], task="</svg><img src=x>", better=HOSTILE[0])
ODD = {
    "plain": shown(),
    "one agent": shown(pair=False),
    "hostile": HOSTILE_AUDIT,
    "long names": shown(a="a-very-long-agent-name-" * 3, b="b" * 70, better="b" * 70),
    "one rule": shown(rates=(rates("welch", 0.03),)),
    "only rules that always decide": shown(rates=(rates("top_run", 0.4, always=True),)),
    "no interval": shown(rates=(rates("per_point", 0.3, false_positives=Estimate(0.3)),)),
    "never a winner": shown(
        rates=(rates("error_bars_sd", 0.0, right=Estimate(0), wrong=Estimate(0), type_s=None, type_m=None),)
    ),
    "everything": shown(rates=tuple(rates(name, 0.9 - 0.02 * i) for i, name in enumerate((*NAMES, *COMPARISONS)))),
}


@pytest.mark.parametrize("case", ODD)
def test_every_odd_result_becomes_a_figure_a_section_and_whole_sentences(case: str) -> None:
    audit = audit_with(ODD[case])
    svg = to_svg(FIGURES["habits"](ODD[case]), "one", "A title.")
    assert svg.startswith("<svg")
    made = section(audit)
    assert made
    assert made.figures
    for text in (*made.answer, *(one.sentence for one in find(audit)), made.figures[0].caption):
        assert text.endswith(".")
        assert "None" not in text
        assert "nan" not in text.lower().split()
    assert all(len(cells) == len(made.tables[0].head) for cells in made.tables[0].rows)


def test_an_audit_without_procedures_keeps_silent() -> None:
    audit = audit_with(None)
    assert section(audit) is None
    assert not [one for one in find(audit) if "procedure" in one.evidence]


def test_the_finding_names_the_habit_that_misleads_most_with_its_numbers_and_a_way_out() -> None:
    one = finding(audit_with(shown()))
    assert Level.WARN == one.level
    assert "“any point of the learning curve” would have found a winner" in one.sentence
    assert "62 % of draws (95 % over seeds: 37 % to 87 %); Welch, looked at once, in 3.0 %" in one.sentence
    assert "it names a2c-norm, whose mean over all seeds is the worse one, in 7.0 %" in one.sentence
    assert "One more of the rules tried goes beyond alpha." in one.sentence
    assert 0.62 == one.evidence["false_positives"]
    assert "Name one score beforehand" in one.next_step


def test_a_habit_is_no_caveat_to_what_the_audit_has_decided() -> None:
    audit = audit_with(shown())
    decided = replace(audit, comparisons=tuple(replace(p, verdict=Verdict.A_BETTER) for p in audit.comparisons))
    assert Level.OK == finding(decided).level


def test_where_no_interval_lies_beyond_alpha_none_is_accused() -> None:
    one = finding(audit_with(shown(rates=(rates("adding_seeds", 0.08), rates("welch", 0.03)))))
    assert Level.OK == one.level
    assert "8.0 % of draws (95 % over seeds: 4.8 % to 11 %): not clearly more often than alpha, 5.0 %" in one.sentence
    assert one.next_step


def test_a_habit_that_surely_misleads_is_named_although_another_one_may_do_so_more_often() -> None:
    unsure = replace(rates("per_point", 0.3), false_positives=Estimate(0.3, 0.04, 0.37))
    one = finding(audit_with(shown(rates=(unsure, rates("error_bars_se", 0.25), rates("welch", 0.03)))))
    assert Level.WARN == one.level
    assert "“bars of ± 1 SE do not overlap” would have found a winner" in one.sentence
    assert "more of the rules" not in one.sentence


def test_a_rule_that_always_decides_is_never_the_culprit_but_is_explained() -> None:
    audit = audit_with(shown())
    assert "the better mean" not in finding(audit).sentence
    said = " ".join(section(audit).answer)
    assert "always name a winner, unless the scores tie: between two groups of one agent they are wrong by" in said


def test_the_section_says_when_the_truth_itself_is_undecided_and_what_was_not_tried() -> None:
    audit = audit_with(shown())
    said = " ".join(section(audit).answer)
    assert "“right” only means “as the means of the full pools”" in said
    assert "Not tried: choosing the task afterwards (needs a second task)." in said


@pytest.mark.parametrize("name", NAMES)
def test_every_habit_has_a_name_for_people(name: str) -> None:
    assert label_of(name) != name.replace("_", " ")


def test_rates_survive_a_trip_through_json() -> None:
    for found in ODD.values():
        assert found == from_json(to_json(audit_with(found))).procedures
