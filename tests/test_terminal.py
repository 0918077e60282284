"""What people see while they wait, and what they are told at the end."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_builder import build_audit
from builders import spec
from rich.console import Console

from rlaudit import pipeline
from rlaudit.results import Audit
from rlaudit.terminal import ProgressDisplay, print_headline, print_verdict, printable
from rlaudit.types import Finding, Level, RunEvent


@pytest.fixture(scope="module")
def audit() -> Audit:
    rng = np.random.default_rng(0)
    agents = ("a2c", "a2c-normalised", "an agent with quite a long name")
    scores = {(agent, "CartPole-v1"): rng.normal(200 + 40 * i, 100, 12) for i, agent in enumerate(agents)}
    return pipeline.audit(scores, tests=("welch", "permutation"), group_sizes=(2, 5), margin=25)


def shown(audit: Audit, width: int) -> str:
    out = io.StringIO()
    print_verdict(audit, Path("report.html"), Console(file=out, width=width, markup=False, highlight=False))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_the_verdict_fits_the_width_and_loses_no_number(audit: Audit, width: int) -> None:
    text = shown(audit, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for word in ("A / B", "Welch p", "perm. p", "P(A>B)", "verdict", "seeds *", "mean", "IQM", "failed"):
        assert word in text
    assert text.rstrip().endswith("Report: report.html")


def test_three_agents_stand_in_order_with_the_places_that_are_open() -> None:
    text = shown(build_audit(["ppo", "a2c", "dqn"]), 80)
    assert "places open" in text
    assert "1 ppo" in text


def test_of_many_comparisons_the_order_is_shown_and_a_word_on_the_rest() -> None:
    text = shown(build_audit(list("abcdefgh"), apart=10), 80)
    assert "The report shows the 28 comparisons." in text
    assert "Welch p" not in text


def test_findings_that_nothing_is_wrong_are_few() -> None:
    audit = build_audit()
    sound = tuple(Finding(f"fine {i}", f"Fine {i}.", Level.OK, {"n": i}, "Go on.") for i in range(9))
    text = shown(replace(audit, findings=(*audit.findings[:1], *sound)), 80)
    assert "Fine 3." in text
    assert "Fine 4." not in text
    assert "5 more findings with nothing wrong" in text


def test_the_first_finding_comes_first(audit: Audit) -> None:
    first = shown(audit, 100).split()
    finding = audit.findings[0]
    assert first[:2] == [finding.level.value.upper(), finding.sentence.split()[0]]


def test_the_headline_is_one_line(audit: Audit) -> None:
    out = io.StringIO()
    print_headline(audit, Console(file=out, width=80))
    assert len(out.getvalue().splitlines()) == 1


def test_control_codes_in_names_do_nothing() -> None:
    assert printable("a\x1b[31mb\x07") == "a?[31mb?"


def lines(*events: RunEvent, n_runs: int = 2) -> list[str]:
    out = io.StringIO()
    with ProgressDisplay(out) as display:
        for seed in range(n_runs):
            display.notify(RunEvent("planned", spec(seed)))
        for event in events:
            display.notify(event)
    return out.getvalue().splitlines()


def test_where_there_is_no_terminal_each_finished_seed_is_a_line() -> None:
    one, two = spec(0), spec(1)
    seen = lines(
        RunEvent("started", one),
        RunEvent("started", two),
        RunEvent("progress", one, 100),
        RunEvent("finished", two, 200),
        RunEvent("retried", one, message="killed by signal 9"),
        RunEvent("failed", one, message="Traceback\nValueError: NaN weights"),
    )
    assert seen[0] == "Training 2 runs."
    assert seen[1].startswith("[1/2] a2c, seed 1 done in ")
    assert seen[2] == "a2c, seed 0: killed by signal 9; trying again"
    assert seen[3] == "[2/2] a2c, seed 0 FAILED: ValueError: NaN weights"


def test_nothing_is_said_where_nothing_is_trained() -> None:
    assert lines(n_runs=0) == []


def test_a_terminal_gets_a_bar_for_the_whole_and_a_line_per_running_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    text = "\n".join(
        lines(RunEvent("started", spec(0)), RunEvent("progress", spec(0), 100), RunEvent("finished", spec(1)))
    )
    assert "1/2 runs" in text
    assert "a2c, seed 0" in text
