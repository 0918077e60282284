"""What several runs must have in common: early ends, budgets, grids, tasks and seeds, each told once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.errors import ImportFormatError
from rlaudit.importers import Found, Hints, Run, read_found
from rlaudit.results import ReadNote


def run(
    agent: str = "a", seed: int | str = 0, last: int = 1000, every: int = 100, task: str = "", **more: object
) -> Run:
    steps = np.arange(every, last + 1, every)
    return Run(agent, task, seed, f"{agent}-{seed}", "evaluations", steps, np.ones((len(steps), 1)), **more)  # type: ignore[arg-type]


def notes(runs: Sequence[Run], kind: str = "warning", hints: Hints = Hints()) -> list[str]:
    found = read_found(Found(tuple(runs)), "logs", "monitor", hints).reading.notes
    return [note.text for note in found if note.kind == kind]


def two_agents(n: int = 3, **more: int) -> list[Run]:
    return [run(agent, seed, **more) for agent in "ab" for seed in range(n)]


def test_runs_that_have_all_in_common_leave_no_doubt() -> None:
    assert [] == notes(two_agents())


def test_a_run_that_ends_early_is_told_with_its_seed_and_the_way_out() -> None:
    (doubt,) = notes([*two_agents(), run("a", 3, last=400), run("b", 3)])
    assert "1 of 4 runs of a end early, at step 400 of 1,000 (seed 3)" in doubt
    assert "--until 1000 counts them as failed" in doubt


def test_a_last_evaluation_that_is_missing_is_an_early_end() -> None:
    (doubt,) = notes([*two_agents(), run("a", 3, last=900), run("b", 3)])
    assert "end early, at step 900 of 1,000" in doubt


def test_an_end_within_a_hundredth_of_the_longest_is_no_early_one() -> None:
    late = replace(run("a", 3), steps=[*range(100, 901, 100), 999])
    assert [] == notes([*two_agents(), late, run("b", 3)])


def test_a_failed_run_is_no_early_end() -> None:
    assert [] == notes([*two_agents(), run("a", 3, last=400, error="killed"), run("b", 3)])


def test_until_counts_runs_that_end_before_as_failed_and_cuts_the_others() -> None:
    runs = [*two_agents(last=2000), run("a", 3, last=400), run("b", 3)]
    records = read_found(Found(tuple(runs)), "logs", "monitor", Hints(until=1000)).records
    failed = [(record.spec.agent, record.spec.seed) for record in records if record.status == "failed"]
    assert [("a", 3)] == failed
    assert {1000} == {int(record.eval_steps[-1]) for record in records if record.status == "done"}
    assert ["every run up to step 1,000; 1 that end before count as failed"] == notes(runs, "rule", Hints(until=1000))[
        :1
    ]


def test_until_needs_a_curve() -> None:
    runs = [Run("a", "", seed, "x", "score", final=np.ones(1)) for seed in range(2)]
    with pytest.raises(ImportFormatError, match=r"--until 10 needs a learning curve, and there is only a score"):
        notes(runs, hints=Hints(until=10))


def test_agents_that_were_trained_for_different_numbers_of_steps_are_told() -> None:
    runs = [run("a", seed) for seed in range(3)] + [run("b", seed, last=500) for seed in range(3)]
    (doubt,) = notes(runs)
    assert "end at different steps (a at step 1,000 and b at step 500)" in doubt
    assert "--until 500 compares them at the same" in doubt


def test_runs_evaluated_at_different_steps_come_with_the_rule_of_their_alignment() -> None:
    runs = [*two_agents(), run("a", 3, every=50), run("b", 3)]
    assert any("runs of a were evaluated at different steps" in rule for rule in notes(runs, "rule"))
    assert not any("different steps" in rule for rule in notes(two_agents(), "rule"))


def test_a_task_that_an_agent_lacks_is_told() -> None:
    runs = [run(agent, seed, task=task) for agent, task in [("a", "x"), ("a", "y"), ("b", "x")] for seed in range(3)]
    assert ["no runs of b on y: comparisons over all tasks leave these agents out"] == notes(runs)


def test_seeds_that_an_agent_lacks_are_told() -> None:
    (doubt,) = notes([*two_agents(), run("b", 17)])
    assert "not every agent has the same seeds: a lacks seed 17" in doubt


def test_seeds_that_have_nothing_in_common_are_no_doubt() -> None:
    runs = [run("a", seed) for seed in range(3)] + [run("b", seed) for seed in range(10, 14)]
    assert [] == notes(runs)


def test_curves_of_two_seeds_that_are_equal_to_the_bit_are_told() -> None:
    curve = np.linspace(0, 1, 10)[:, None]
    runs = [replace(one, returns=curve if one.seed in (0, 2) else curve * one.seed) for one in two_agents()]
    (doubt,) = notes(runs)
    assert "the same numbers, to the bit, under two seeds: seeds 0 and 2 of a and seeds 0 and 2 of b" in doubt


def test_curves_that_stay_at_the_maximum_are_no_copies() -> None:
    assert [] == notes(two_agents())


def test_kinds_of_numbers_side_by_side_are_told() -> None:
    training = [Run("b", "", seed, "m", "training", [500, 1000], np.ones((2, 1))) for seed in range(3)]
    (doubt,) = notes([*(run("a", seed) for seed in range(3)), *training])
    assert "different kinds of numbers stand side by side" in doubt


def test_a_label_that_the_results_do_not_take_is_refused() -> None:
    with pytest.raises(ImportFormatError, match=r"--agent-name 'ppo': these results name their agents themselves: 'a'"):
        notes(two_agents(), hints=Hints(agent="ppo"))


def test_nothing_left_is_an_error_that_says_what_was_left_out() -> None:
    with pytest.raises(ImportFormatError, match=r"no run is left"):
        read_found(Found((), (ReadNote("left_out", "all of it"),)), "logs", "monitor")


@given(st.permutations([*two_agents(), run("a", 3, last=400), run("b", 9), run("b", 10, every=50)]))
def test_the_order_of_the_runs_changes_no_doubt(runs: list[Run]) -> None:
    def said(of: Sequence[Run]) -> set[str]:
        return {"".join(sorted(text)) for text in notes(of)}  # agents are named in their order

    assert said(sorted(runs, key=lambda one: one.place)) == said(runs)
