"""rlaudit calibrate, as people and scripts meet it."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlaudit.cli import main
from rlaudit.config_values import PROCEDURES, TESTS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of three agents, with curves of eight evaluations."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [
        f"{agent},task,{seed},{1000 * step},{gap + score + 0.3 * rng.standard_normal():.4f}"
        for agent, gap in (("ppo", 0.8), ("a2c", 0.0), ("dqn", 0.5))
        for seed, score in enumerate(rng.standard_normal(12))
        for step in range(1, 9)
    ]
    Path("curves.csv").write_text("\n".join(["agent,task,seed,step,value", *rows]))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["calibrate", *arguments])


def test_it_prints_a_sentence_the_table_and_what_was_skipped() -> None:
    done = run("curves.csv", "--draws", "200")
    assert 0 == done.exit_code
    first, *lines = done.output.splitlines()
    assert first.startswith("With 5 seeds an agent on task, “")
    assert "would have found a winner between two groups of one and the same agent" in first
    head = next(line for line in lines if line.startswith("procedure"))
    assert ["right", "wrong", "exaggerates"] == head.split()[-3:]
    tried = [
        line.split()[0].rstrip("*") for line in lines if line.split() and line.split()[0].rstrip("*") in PROCEDURES
    ]
    assert {*PROCEDURES} - {"choose_task"} == set(tried)
    assert "Not tried: choose_task: needs a second task." in lines
    assert any(line.startswith("tune_and_report*") for line in lines)
    assert "* the pool is too small for groups without a shared seed: drawn with replacement" in lines


def test_named_procedures_and_tests_alone_are_tried_beside_the_deciding_one() -> None:
    asked = ("--procedure", "adding_seeds", "--procedure", "student", "--json", "--draws", "100")
    (found,) = json.loads(run("curves.csv", *asked).output)
    assert {"adding_seeds", "student", "welch"} == {one["procedure"] for one in found["rates"]}
    assert "welch" == found["reference"]


def test_sizes_agents_and_settings_are_those_asked_for() -> None:
    asked = ("--agent", "dqn", "--against", "ppo", "-n", "3", "-n", "4", "--draws", "100", "--json")
    found = json.loads(run("curves.csv", *asked, "-s", "audit.alpha=0.01", "--procedure", "top_run").output)
    assert [("dqn", "ppo", 3, 0.01), ("dqn", "ppo", 4, 0.01)] == [
        (one["a"], one["b"], one["group_size"], one["alpha"]) for one in found
    ]


def test_one_agent_alone_has_no_column_of_right_and_wrong() -> None:
    done = run("curves.csv", "--agent", "ppo", "--procedure", "mean_higher", "--draws", "100")
    assert "right" not in done.output
    assert "by construction" in done.output


def test_the_same_call_gives_the_same_answer() -> None:
    asked = ("curves.csv", "--procedure", "best_k_of_n", "--draws", "100", "--json")
    assert run(*asked).output == run(*asked).output
    assert run(*asked).output != run(*asked, "-s", "audit.seed=1").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--procedure", "welsh"), "'welsh' is not a procedure. Did you mean 'welch'? (rlaudit list procedures)"),
        (("--procedure", "ading_seeds"), "Did you mean 'adding_seeds'?"),
        (("--agent", "pp"), "'pp' is no agent of these scores. Did you mean 'ppo'?"),
        (("--agent", "ppo", "--against", "ppo"), "against 'ppo': name another agent"),
        (("--against", "ppo"), "against 'ppo': name another agent"),
        (("--task", "tsk"), "'tsk' is no task of these scores. Did you mean 'task'?"),
        (("-s", "audit.alpa=0.1"), "alpa"),
        (("-n", "1"), "1 is not in the range"),
        (("-n", "1000000000"), "1000000000 is not in the range"),
        (("--draws", "5"), "5 is not in the range"),
    ],
)
def test_what_a_user_can_mend_is_one_message_and_exit_code_2(arguments: tuple[str, ...], message: str) -> None:
    done = run("curves.csv", *arguments)
    assert 2 == done.exit_code
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_not_there_is_a_message_too() -> None:
    done = run("nothing.csv")
    assert 2 == done.exit_code
    assert "nothing.csv" in done.output


def test_a_table_without_enough_seeds_says_how_many_it_takes() -> None:
    Path("few.csv").write_text("agent,seed,score\n" + "".join(f"{a},{s},{s}\n" for a in "ab" for s in range(3)))
    done = run("few.csv")
    assert 2 == done.exit_code
    assert "needs 4 seeds an agent" in done.output


def test_a_task_is_refused_where_the_table_names_none() -> None:
    Path("bare.csv").write_text("agent,seed,score\n" + "".join(f"a,{s},{s}\n" for s in range(6)))
    assert "Error: 'x' is no task of these scores. They name no task.\n" == run("bare.csv", "--task", "x").output


def test_names_from_files_reach_the_terminal_without_control_codes() -> None:
    rows = "".join(f"a\x1b[31m,{seed},{seed}\nb,{seed},{seed % 3}\n" for seed in range(6))
    Path("odd.csv").write_text("agent,seed,score\n" + rows)
    done = run("odd.csv", "-n", "3", "--draws", "100")
    assert 0 == done.exit_code
    assert "\x1b" not in done.output


def test_every_habit_is_listed_with_a_line() -> None:
    lines = CliRunner().invoke(main, ["list", "procedures"]).output.splitlines()
    assert list(PROCEDURES) == [line.split()[0] for line in lines]
    assert all(len(line.split()) > 4 for line in lines)
    assert not {*PROCEDURES} & {*TESTS}
