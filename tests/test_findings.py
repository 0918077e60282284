"""Numbers into sentences."""

import re
from dataclasses import replace

import pytest
from audit_builder import build_audit, odd_audits
from laboratory_builder import LABORATORY

from rlaudit.findings import RULES, exit_code, find
from rlaudit.results import Audit, Claim, Imputed, Twins
from rlaudit.types import Finding, Level, Verdict

ODD = {**odd_audits(), **LABORATORY}


def titled(audit: Audit, part: str) -> Finding:
    """The one finding whose title contains `part`."""
    (found,) = [finding for finding in find(audit) if part in finding.title]
    return found


def with_verdict(audit: Audit, verdict: Verdict) -> Audit:
    pairs = tuple(replace(pair, verdict=verdict, reason="the reason") for pair in audit.comparisons)
    return replace(audit, comparisons=pairs)


@pytest.mark.parametrize("name", ODD)
def test_every_audit_has_findings_in_whole_sentences(name: str) -> None:
    found = find(ODD[name])
    assert found
    for finding in found:
        text = f"{finding.title}. {finding.sentence} {finding.next_step}"
        assert finding.sentence.endswith(".")
        assert finding.level in Level
        assert finding.evidence
        assert finding.next_step.endswith(".")
        assert not re.search(r"\b(None|nan)\b|  |\.\.|\b0 of \d|\b1 (of \d+ )?(\w+ )?are\b", text)


@pytest.mark.parametrize("name", ODD)
def test_the_first_finding_is_what_is_wrong_or_that_nothing_is(name: str) -> None:
    found = find(ODD[name])
    wrong = [finding for finding in found if finding.level != Level.OK]
    assert found[0].sentence.startswith("Nothing that was looked at is wrong.") == (not wrong)
    assert len({finding.sentence for finding in found}) == len(found)


def test_the_most_serious_finding_comes_first() -> None:
    levels = [finding.level for finding in find(build_audit(n_failed=3))]
    order = [Level.UNSAFE, Level.WARN, Level.OK]
    assert sorted(levels, key=order.index) == levels


def test_undecided_never_reads_as_equal() -> None:
    finding = titled(with_verdict(build_audit(), Verdict.UNDECIDED), "undecided")
    assert finding.level == Level.UNSAFE
    assert finding.sentence.startswith("Undecided: ")
    assert "equivalent" not in finding.sentence


def test_a_decided_pair_names_the_better_agent_with_its_numbers() -> None:
    finding = titled(with_verdict(build_audit(), Verdict.B_BETTER), "is better")
    assert finding.sentence.startswith("a2c-norm scores higher than a2c on CartPole-v1 (difference of the means")
    assert "20 against 20 seeds" in finding.sentence


def test_where_lower_is_better_the_better_agent_scores_lower() -> None:
    audit = replace(with_verdict(build_audit(), Verdict.A_BETTER), higher_is_better=False)
    assert "a2c scores lower than a2c-norm" in titled(audit, "is better").sentence


def test_a_design_that_cannot_reject_is_named_before_the_verdict() -> None:
    titles = [finding.title for finding in find(build_audit(n_seeds=3))]
    assert "too few seeds for any answer" in titles[0]


def test_failed_seeds_are_counted_with_an_interval() -> None:
    found = [finding for finding in find(build_audit(n_failed=3)) if "failed seeds" in finding.title]
    assert 2 == len(found)
    assert "3 of 23 seeds of a2c on CartPole-v1 failed" in found[0].sentence


def test_an_agent_of_which_no_seed_finished_is_the_first_thing_that_is_said() -> None:
    first = find(ODD["an arm without a score"])[0]
    assert Level.UNSAFE == first.level
    assert first.sentence.startswith("All 20 seeds of a2c-norm on CartPole-v1 failed: there is no score")


def test_failed_seeds_that_turn_a_result_are_unsafe() -> None:
    audit = build_audit(n_failed=3)
    turned = replace(audit.comparisons[0], imputed=Imputed(9.0, -3.0, 0.4, agrees=False))
    finding = titled(replace(audit, comparisons=(turned,)), "the failed seeds decide")
    assert finding.level == Level.UNSAFE
    assert "the worst score that either reached (9.00)" in finding.sentence
    assert "before the correction" not in finding.sentence
    finding = titled(replace(audit, comparisons=(turned, audit.comparisons[0])), "the failed seeds decide")
    assert finding.sentence.endswith(" Both before the correction for 2 comparisons.")


def test_no_failure_still_leaves_room_for_one() -> None:
    assert "could still go unseen" in titled(build_audit(), "No seed failed").sentence


def test_a_test_is_blamed_only_where_its_interval_over_seeds_clears_alpha() -> None:
    audit = build_audit()
    split = audit.splits[2]
    honest = replace(split.tests["welch"], rate=0.06, low=0.03, high=0.09)
    dishonest = replace(split.tests["welch"], rate=0.2, low=0.1, high=0.3)
    for test, blamed in ((honest, False), (dishonest, True)):
        changed = replace(audit, splits=(replace(split, tests={"welch": test}),))
        titles = [finding.title for finding in find(changed)]
        assert blamed == any("Welch's t test finds differences that are not there" in title for title in titles)


def test_many_pairs_are_summed_up_in_one_sentence() -> None:
    audit = build_audit(["a", "b", "c", "d"], tasks=["one", "two"])
    assert "12 comparisons" in titled(audit, "12 comparisons").sentence
    assert not any("against" in finding.title and "undecided" in finding.title for finding in find(audit))


def test_missing_runs_and_mixed_versions_are_told() -> None:
    audit = replace(build_audit(), provenance={"missing_runs": "3 of 40", "runs: torch": "2.12 | 2.13"})
    assert "3 of 40 planned runs are missing" in titled(audit, "Missing runs").sentence
    assert "runs: torch" in titled(audit, "Mixed versions").sentence


def test_two_seeds_with_one_run_are_one_sample() -> None:
    found = titled(replace(build_audit(), twins=(Twins("a2c", "CartPole-v1", (3, 4)),)), "Two seeds, one run")
    assert Level.UNSAFE == found.level
    assert "seeds 3 and 4 of a2c" in found.sentence


def test_every_rule_finds_something_somewhere() -> None:
    audits = [
        *odd_audits().values(),
        with_claim("contradicted"),
        replace(build_audit(), provenance={"missing_runs": "1 of 2"}),
        replace(build_audit(), twins=(Twins("a2c", "CartPole-v1", (3, 4)),)),
        *LABORATORY.values(),
    ]
    apart = build_audit()
    tests = dict(apart.comparisons[0].tests)
    tests["welch"], tests["permutation"] = (
        replace(tests["welch"], p_value=0.04),
        replace(tests["permutation"], p_value=0.06),
    )
    audits.append(replace(apart, comparisons=(replace(apart.comparisons[0], tests=tests),)))
    for rule in RULES:
        assert any(list(rule(audit)) for audit in audits), rule.__name__


def with_claim(*states: str) -> Audit:
    return replace(build_audit(), claims=tuple(Claim(f"claim {state}", state, "reason") for state in states))


@pytest.mark.parametrize(
    ("audit", "gate", "code"),
    [
        (with_verdict(build_audit(), Verdict.A_BETTER), True, 0),
        (with_verdict(build_audit(), Verdict.UNDECIDED), False, 0),
        (with_verdict(build_audit(), Verdict.UNDECIDED), True, 3),
        (with_verdict(build_audit(), Verdict.UNSTABLE), True, 3),
        (with_claim("supported"), True, 0),
        (with_claim("supported", "contradicted"), False, 1),
        (with_claim("supported", "undecided"), False, 0),
        (with_claim("supported", "undecided"), True, 3),
        (build_audit(n_failed=2), False, 4),
    ],
)
def test_the_exit_code_says_what_a_script_needs(audit: Audit, gate: bool, code: int) -> None:
    assert code == exit_code(audit, gate=gate)
