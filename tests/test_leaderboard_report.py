"""Who is first: the finding, the section and its figures, from any leaderboard that an audit may hold."""

from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from audit_builder import HOSTILE, build_audit

from rlaudit.figures import FIGURES, to_svg
from rlaudit.findings.leaderboard import leaderboards as findings
from rlaudit.report import render
from rlaudit.report.leaderboard import leaderboards as section
from rlaudit.report.parts import SectionHtml
from rlaudit.results import AggregateValue, Audit, FirstPlace, Leaderboard, MatrixCell, ProfileLine, RankedAgent
from rlaudit.types import Finding, Level

NAMES = ("sac", "td3", "ppo", "trpo")
DRAWN = ("rank_intervals", "first_place", "agent_matrix", "performance_profiles")
PLAIN = build_audit(curves=False)


def board(names: tuple[str, ...] = NAMES, *, decided: bool = False, n_tasks: int = 1, **changes: Any) -> Leaderboard:
    """In the order of `names`; undecided but for the last one, or decided throughout."""
    k = len(names)
    places = [(i, i) if decided or i == k else (1, k - 1) for i in range(1, k + 1)]
    agents = tuple(
        RankedAgent(name, 300.0 - 30 * i, 270.0 - 30 * i, 330.0 - 30 * i, i + 1, *places[i], 2.0**-i, 0.1, 0.9)
        for i, name in enumerate(names)
    )
    cells = tuple(
        MatrixCell(a, b, 0.75, 0.6, 0.9, 0.01, int(decided or j == k - 1))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i < j
    )
    shares = (0.5, 0.7, 0.99 if decided else 0.79, 1.0 if decided else 0.8)
    many: dict[str, Any] = {}
    if n_tasks > 1:
        many = {
            "normalisation": "0 for the worst and 1 for the best score that any of these agents reached",
            "profiles": tuple(
                ProfileLine(n, (0.0, 0.5, 1.0), (1.0, 0.5, 0.0), (0.9, 0.4, 0.0), (1.0, 0.6, 0.1)) for n in names
            ),
            "aggregates": tuple(AggregateValue(n, "iqm", 0.5, None, None, "a note") for n in names),
        }
    made = Leaderboard(
        task="" if n_tasks > 1 else "CartPole-v1",
        n_tasks=n_tasks,
        n_seeds=10,
        by="mean",
        agents=agents,
        first_place=tuple(
            FirstPlace(n, share, share / 2, min(1.0, share * 1.1))
            for n, share in zip((2, 3, 5, 10), shares, strict=True)
        ),
        matrix=cells,
        n_pairs=len(cells),
        n_decided=sum(cell.decided for cell in cells),
        **many,
    )
    return replace(made, **changes)


def audit_of(*boards: Leaderboard) -> Audit:
    return replace(PLAIN, leaderboards=boards)


def hollow(one: Leaderboard) -> Leaderboard:
    """Nothing can be said that may be missing."""
    return replace(
        one,
        agents=tuple(replace(a, low=None, high=None, first=None, first_low=None, first_high=None) for a in one.agents),
        first_place=tuple(replace(place, low=None, high=None) for place in one.first_place),
        matrix=tuple(
            replace(cell, better=None, low=None, high=None, p_adjusted=None, decided=0) for cell in one.matrix
        ),
    )


def tied() -> Leaderboard:
    one = board()
    agents = tuple(replace(a, value=500.0, rank=1, rank_low=1, rank_high=4, first=0.25) for a in one.agents)
    return replace(one, agents=agents, first_place=(FirstPlace(5, 1.0, 0.99, 1.0),), n_decided=0)


SINGLE = board(matrix=(), task="Acrobot-v1")
MANY = tuple(f"agent {i} with a name that goes on" for i in range(40))
ODD = {
    "open": audit_of(board()),
    "decided": audit_of(board(decided=True)),
    "over tasks": audit_of(
        board(n_tasks=3), SINGLE, board(matrix=(), decided=True), replace(SINGLE, task="Pendulum-v1")
    ),
    "single tasks alone": audit_of(SINGLE, replace(SINGLE, task="Pendulum-v1")),
    "every task certain": audit_of(
        *(board(n_tasks=n, decided=True, task=task) for n, task in ((2, ""), (1, "Acrobot-v1"), (1, "Pendulum-v1")))
    ),
    "two agents": audit_of(board(("a", "b"), n_tasks=2)),
    "one agent": audit_of(board(("a",), decided=True, matrix=())),
    "many agents": audit_of(board(MANY, n_tasks=3)),
    "hostile names": audit_of(board((*HOSTILE, "</svg><img src=x>"), n_tasks=2, left_out=HOSTILE)),
    "values missing": audit_of(hollow(board(n_tasks=3))),
    "nothing drawn": audit_of(board(first_place=(), matrix=())),
    "all tie": audit_of(tied()),
    "left out": audit_of(board(left_out=("dqn",))),
    "lower is better": replace(audit_of(board()), higher_is_better=False),
    "failed seeds": replace(build_audit(n_failed=3, curves=False), leaderboards=(board(),)),
}


@cache
def of(case: str) -> SectionHtml:
    found = section(ODD[case])
    assert found is not None
    return found


def found(case: str) -> list[Finding]:
    return list(findings(ODD[case]))


# ---------------------------------------------------------------- whatever it holds


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_drawn_from_every_odd_leaderboard(name: str, case: str) -> None:
    for one in ODD[case].leaderboards[:2]:
        text = to_svg(FIGURES[name](one), "one", "A title.")
        assert "script>alert" not in text
        assert ET.fromstring(text).tag.endswith("svg")


@pytest.mark.parametrize("case", ["hostile names", "values missing"])
def test_the_page_is_written_with_every_odd_leaderboard(case: str) -> None:
    text = render(ODD[case])
    assert "Who is first, and how sure is that?" in text
    assert "<script>alert" not in text
    assert "<img" not in text


@pytest.mark.parametrize("case", ODD)
def test_every_finding_has_numbers_and_an_action(case: str) -> None:
    for one in found(case):
        assert one.evidence
        assert one.next_step
        assert len(one.sentence) < 500
    assert len(found(case)) <= 3


@pytest.mark.parametrize("case", ODD)
def test_the_section_answers_and_names_its_method(case: str) -> None:
    one = of(case)
    assert one.answer[0]
    assert one.tables
    assert one.method
    for table in one.tables:
        assert all(len(row) == len(table.head) for row in table.rows)


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_the_same_to_the_byte(name: str) -> None:
    assert 1 == len({to_svg(FIGURES[name](board(n_tasks=2)), "one", "A title.") for _ in range(2)})


def test_no_leaderboard_no_words() -> None:
    bare = replace(PLAIN, leaderboards=())
    assert section(bare) is None
    assert [] == list(findings(bare))


def test_two_agents_on_one_task_have_a_section_and_no_finding_beside_the_verdict() -> None:
    pair = audit_of(board(("a", "b")))
    made = section(pair)
    assert made
    assert 2 == len(made.figures)
    assert [] == list(findings(pair))


# ---------------------------------------------------------------- what it says


def test_an_open_first_place_is_unsafe_and_names_all_who_may_have_it() -> None:
    first, few = found("open")
    assert Level.UNSAFE == first.level
    assert "sac leads (mean 300, 95 % interval [270, 330]), but sac, td3 and ppo may each be first" in first.sentence
    assert "3 of 6 pairs of agents are decided" in first.sentence
    assert 3 == first.evidence["n_candidates"]
    assert few.sentence.startswith(
        "If the means of all seeds told the truth, 5 seeds an agent would name another leader"
    )
    assert "in 21 % of draws (95 % over seeds: 13 % to 60 %)" in few.sentence


def test_a_certain_first_place_is_a_conclusion() -> None:
    first, few = found("decided")
    assert (Level.OK, Level.OK) == (first.level, few.level)
    assert "sac is first of 4 agents on CartPole-v1" in first.sentence
    assert "in 1.0 % of draws" in few.sentence


def test_few_seeds_that_miss_a_certain_leader_are_a_warning() -> None:
    one = replace(board(decided=True), first_place=(FirstPlace(5, 0.7, 0.5, 0.9),))
    _, few = findings(audit_of(one))
    assert Level.WARN == few.level
    assert "in 30 % of draws (95 % over seeds: 10 % to 50 %)" in few.sentence


def test_where_all_agents_tie_nobody_is_called_the_leader() -> None:
    (first,) = found("all tie")
    assert "td3, ppo and trpo tie for the best place (mean 500, " in first.sentence
    assert "), and may each be first on CartPole-v1: none of 6 pairs" in first.sentence
    assert "tie for the first place on CartPole-v1, and may each be first (" in of("all tie").answer[0]
    assert not any("one of them first in 100 %" in one for one in of("all tie").answer)


def test_one_pair_over_tasks_is_no_pair_of_one_pairs() -> None:
    pair = board(("a", "b"), n_tasks=2)
    agents = tuple(replace(one, rank_low=1, rank_high=2) for one in pair.agents)
    first = next(findings(audit_of(replace(pair, agents=agents, n_decided=0))))
    assert "a and b may each be first over 2 tasks together: they are not told apart (all" in first.sentence


def test_few_seeds_do_only_where_their_interval_says_so() -> None:
    for low, word in ((0.96, "would"), (0.6, "may")):
        _, few = findings(audit_of(replace(board(decided=True), first_place=(FirstPlace(5, 0.98, low, 1.0),))))
        assert f"5 seeds an agent {word} do to name this leader" in few.next_step


def test_where_every_task_has_its_leader_no_task_is_left() -> None:
    one = found("every task certain")[-1]
    assert "on 2 of 2 tasks (all comparisons" in one.sentence


def test_single_tasks_are_one_finding_and_one_table() -> None:
    *_, tasks = found("over tasks")
    assert "One agent is first beyond the luck of seeds on 1 of 3 tasks" in tasks.sentence
    assert Level.WARN == tasks.level
    table = of("over tasks").tables[-1]
    assert ["Acrobot-v1", "CartPole-v1", "Pendulum-v1"] == [row[0] for row in table.rows]
    assert ("Acrobot-v1", "sac", "sac, td3 and ppo", "79 %", "40 % to 87 %", "80 %", 10, "3 of 6") == table.rows[0]
    assert 4 == len(of("over tasks").figures)


def test_tasks_that_no_two_agents_share_are_counted_too() -> None:
    assert 2 == found("single tasks alone")[-1].evidence["n_tasks"]
    assert 2 == len(of("single tasks alone").tables[-1].rows)


def test_many_agents_are_counted_and_not_all_named() -> None:
    assert "and 34 more may each be first" in found("many agents")[0].sentence
    assert "34 more may each be first" in of("many agents").answer[0]
    captions = " ".join(one.caption for one in of("many agents").figures)
    assert "The first 30 of 40." in captions
    assert "The first 10 of 40 agents." in captions
    assert "The first 8 of 40 agents." in captions


def test_the_scale_and_who_was_left_out_are_said() -> None:
    assert any("0 for the worst and 1 for the best" in one for one in of("over tasks").answer)
    assert any("Left out, for want of two scores: dqn." == one for one in of("left out").answer)
    assert any("fails often looks too good" in one for one in of("failed seeds").answer)


def test_the_matrix_frames_what_is_decided_and_mirrors_the_rest() -> None:
    words = "".join(ET.fromstring(to_svg(FIGURES["agent_matrix"](board()), "one", "A title.")).itertext())
    assert 6 == words.count("75 %")
    assert 6 == words.count("25 %")


def test_figures_tell_their_numbers_to_a_screen_reader() -> None:
    titles = [str(one.svg).split("</title>")[0] for one in of("over tasks").figures]
    assert "sac: place 1, open 1 to 3, first in 100 %" in titles[0]
    assert "5 seeds: 79 %" in titles[1]
    assert "sac beats td3: 75 %; " in titles[2]
    assert "sac beats trpo: 75 %, decided" in titles[2]
    assert "sac: 50 % of runs above 0.500" in titles[3]
