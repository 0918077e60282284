"""What is said of agents whose seeds were added: the looks decide, and nothing beside them contradicts."""

import io
import re
from pathlib import Path

import pytest
from looks_builder import APART_BY_FAR, looks_audit, odd_looks
from rich.console import Console

from rlaudit.findings import exit_code
from rlaudit.report import render, sections
from rlaudit.report.first_screen import first_screen
from rlaudit.results import Audit, LookState, from_json, to_json
from rlaudit.terminal import ProgressDisplay, print_verdict
from rlaudit.types import Level, Verdict

ODD = odd_looks()


def shown(audit: Audit, width: int = 80) -> str:
    out = io.StringIO()
    print_verdict(audit, Path("report.html"), Console(file=out, width=width, markup=False, highlight=False))
    return out.getvalue()


def text_of(audit: Audit) -> str:
    """Of the report, without tags, pictures and the script."""
    bare = re.sub(r"<(script|style|svg).*?</\1>", " ", render(audit), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", bare).replace("\N{NO-BREAK SPACE}", " ").split())


# ---------------------------------------------------------------- verdicts


def test_the_verdict_is_that_of_the_looks() -> None:
    (pair,) = ODD["looks"].comparisons
    assert (pair.verdict, pair.decided_by) == (Verdict.A_BETTER, "group_sequential")
    assert pair.reason == "look 1 tells them apart"


def test_effect_and_interval_are_those_of_the_last_look() -> None:
    audit = ODD["looks, undecided"]
    assert audit.sequential is not None
    (pair,), last = audit.comparisons, audit.sequential.looks[-1].pairs[0]
    assert (pair.effect, pair.low, pair.high) == (last.effect, last.low, last.high)


def test_the_reciprocal_of_e_stands_for_p() -> None:
    (pair,) = ODD["looks, anytime"].comparisons
    assert pair.p_adjusted == pytest.approx(0.004)
    assert pair.verdict == Verdict.B_BETTER


def test_tests_for_a_fixed_number_are_kept_beside_it() -> None:
    (pair,) = ODD["looks, undecided"].comparisons
    assert [*pair.tests][:2] == ["group_sequential", "welch"]


@pytest.mark.parametrize("case", ODD)
def test_what_only_a_fixed_number_answers_is_left_out(case: str) -> None:
    audit = ODD[case]
    for pair in audit.comparisons:
        assert (pair.seeds_needed, pair.subsets, pair.power_curve, pair.imputed, pair.p_equivalent) == (
            None, (), (), None, None,
        )  # fmt: skip
        assert all(effect.low is None for effect in pair.effects.values())
    assert [audit.claims, audit.leaderboards, audit.carriers, audit.metrics, audit.procedures] == [(), (), (), (), None]


@pytest.mark.parametrize("case", ODD)
def test_the_audit_is_read_back_as_it_was_written(case: str) -> None:
    assert from_json(to_json(ODD[case])) == ODD[case]


@pytest.mark.parametrize(
    ("case", "code"), [("looks", 0), ("looks, undecided", 3), ("looks, given up", 3), ("looks, changed", 3)]
)
def test_the_gate_is_shut_where_no_winner_stands(case: str, code: int) -> None:
    assert exit_code(ODD[case], gate=True) == code


# ---------------------------------------------------------------- words


def test_a_winner_is_told_with_its_look_and_its_caveat() -> None:
    one = next(one for one in ODD["looks"].findings if one.title == "sac against td3 on CartPole-v1: sac is better")
    assert one.level == Level.OK
    assert "Look 1 of 4: sac scores higher than td3 on CartPole-v1 (difference of the means 150" in one.sentence
    assert "too large on average" in one.next_step


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("looks, undecided", "the last of 4 looks does not tell them apart"),
        ("looks, given up", "look 1 of 4 gave it up, with a chance of 3.0 % for a winner by the last look"),
        ("looks, to be continued", "look 2 of 4 does not tell them apart, and it goes on"),
        ("looks, none made", "No look has been made yet: the first one is at 3 seeds of each agent"),
    ],
)
def test_what_is_undecided_comes_first_and_names_nobody(case: str, says: str) -> None:
    headline = ODD[case].findings[0]
    assert headline.level == Level.UNSAFE
    assert says in headline.sentence
    assert not re.search("is better|scores higher", headline.sentence)


def test_what_it_took_and_saved_is_said() -> None:
    (took,) = (one for one in ODD["looks"].findings if one.title == "What it took")
    assert took.sentence.startswith(
        "It took 4 of at most 16 runs: 12 were not needed. 4 looks, one after every 2 seeds"
    )
    assert (took.evidence["saved"], took.level) == (12, Level.OK)


def test_failed_seeds_are_counted_and_enter_no_look() -> None:
    audit = ODD["looks, failed seeds"]
    (took,) = (one for one in audit.findings if one.title == "What it took")
    assert took.sentence.endswith("2 of the runs failed: they count as trained and enter no look.")
    assert audit.sequential is not None
    assert (audit.sequential.looks[0].pairs[0].n_a, audit.sequential.n_runs) == (1, 4)
    assert "Failed seeds enter no look" in text_of(audit)


def test_many_pairs_are_summed_up() -> None:
    assert "7 of 10 pairs have a winner, the first at look 1; 3 ended undecided." in [
        one.sentence for one in ODD["looks, five agents"].findings
    ]


# ---------------------------------------------------------------- report and terminal


def test_the_report_has_no_section_that_takes_the_number_of_seeds_for_fixed() -> None:
    ids = {section.id for section in sections(ODD["looks, undecided"])}
    assert "looks" in ids
    assert not ids & {"a-against-b", "few-seeds", "exaggeration", "how-many-seeds", "leaderboards", "habits", "claims"}


@pytest.mark.parametrize("case", ODD)
def test_report_and_terminal_say_nothing_that_holds_for_a_fixed_number_alone(case: str) -> None:
    for text in (text_of(ODD[case]), " ".join(shown(ODD[case]).split())):
        assert not re.search(r"% power|about \d+ seeds an agent|Welch interval|all seeds together show", text)


def test_tests_for_a_fixed_number_are_marked_in_the_report() -> None:
    assert "a description, not valid after looking" in text_of(ODD["looks, undecided"])


def test_the_first_screen_has_the_looks_and_what_they_took() -> None:
    screen = first_screen(ODD["looks"])
    assert screen.word == "The conclusion holds" or screen.level == Level.WARN
    assert [one.value for one in screen.key_figures] == ["150", "1 of 4", "2", "4 of 16"]
    assert len(screen.pictures) == 1


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("case", ODD)
def test_the_terminal_fits_its_width(case: str, width: int) -> None:
    assert max(map(len, shown(ODD[case], width).splitlines())) <= width


def test_the_terminal_names_the_look_that_decided() -> None:
    assert re.search(r"sac / td3 +150 +\[60\.0, 240\] +0\.0040 +1 of 4 +2 / 2 +A better", shown(ODD["looks"]))


def test_progress_tells_each_look() -> None:
    out = io.StringIO()
    audit = looks_audit(APART_BY_FAR)
    assert audit.sequential is not None
    with ProgressDisplay(out) as display:
        display.looked(audit.sequential.looks[0])
    assert out.getvalue().startswith("Look 1: a is better than b (p = 0.004)")
    assert out.getvalue().rstrip().endswith("and 6 more pairs.")


def test_a_state_has_a_word_everywhere() -> None:
    seen = {pair.state for audit in ODD.values() if audit.sequential for _, pair in audit.sequential.ends()}
    assert seen == set(LookState)
