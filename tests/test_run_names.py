"""Agent, task and seed from the names of folders: what is guessed, what a pattern finds, and what is refused."""

from pathlib import Path

import pytest

from rlaudit.errors import ImportFormatError
from rlaudit.importers import Hints, run_names
from rlaudit.importers.run_names import FullName, RunName

ROOT = Path("/x/logs")


def _name(path: str, hints: Hints = Hints()) -> RunName | None:
    names, _ = run_names.of_runs([ROOT / path], ROOT, hints)
    return names[0]


# ---------------------------------------------------------------- customs


@pytest.mark.parametrize(
    ("path", "agent", "task", "seed"),
    [
        ("CartPole-v1__ppo__3__1700000000", "ppo", "CartPole-v1", 3),
        ("ALE/Pong-v5__dqn_atari__3__1700000000", "dqn_atari", "Pong-v5", 3),
        ("a2c-norm__seed00012__ddabd718ddf9", "a2c-norm", None, 12),
        ("CartPole-v1/a2c__seed00012__ddabd718ddf9", "a2c", "CartPole-v1", 12),
        ("ppo/seed_3", "ppo", None, 3),
        ("ppo/SEED=3", "ppo", None, 3),
        ("ppo_s3", "ppo", None, 3),
        ("ppo-seed3-wide", "ppo_wide", None, 3),
        ("seed_3", "logs", None, 3),
        ("ppo/seed_3/eval", "ppo", None, 3),
        ("ppo_128/seed_3", "ppo_128", None, 3),
        ("CartPole-v1/ppo/seed3", "ppo", "CartPole-v1", 3),
        ("ppo/CartPole-v1/seed3", "ppo", "CartPole-v1", 3),
        ("Hopper-v4_ppo_seed3", "ppo", "Hopper-v4", 3),
        ("ppo_MiniGrid-Empty-5x5-v0/s3", "ppo", "MiniGrid-Empty-5x5-v0", 3),
        ("PPO-CartPole-v1/s3", "PPO", "CartPole-v1", 3),
        ("PPO-v2/s3", "PPO-v2", None, 3),
        ("ppo_seed3_2024-01-31_10-11-12", "ppo", None, 3),
        ("20240131-ppo-s3", "ppo", None, 3),
    ],
)
def test_a_marked_seed_is_found_and_what_stands_around_it(path: str, agent: str, task: str | None, seed: int) -> None:
    assert RunName(agent, task, seed) == _name(path)


@pytest.mark.parametrize(
    ("path", "agent", "task"),
    [
        ("ppo/CartPole-v1_3", "ppo", "CartPole-v1"),  # rl-baselines3-zoo
        ("PPO_3", "PPO", None),  # stable-baselines3's tensorboard_log
        ("ppo/run_3", "ppo", None),
        ("ppo_run-3", "ppo", None),
        ("CartPole-v1/ppo/3", "ppo", "CartPole-v1"),
    ],
)
def test_without_a_seed_the_number_of_a_run_tells_runs_apart_and_that_is_said(
    path: str, agent: str, task: str | None
) -> None:
    names, notes = run_names.of_runs([ROOT / path], ROOT, Hints())
    assert [RunName(agent, task, 3, numbered=True)] == names
    assert [("rule", True)] == [(note.kind, path in note.text) for note in notes]


@pytest.mark.parametrize("path", ["ppo_64", "trial_3", "truncated_3", "ppo/20240131", "ppo/1700000000", "s3cache"])
def test_a_number_that_may_be_anything_is_no_seed(path: str) -> None:
    name = _name(path)
    assert name is not None
    assert name.seed is None


def test_a_marked_seed_stands_over_the_number_of_a_run() -> None:
    assert RunName("ppo", None, 7) == _name("ppo_s7/run_3")


def test_a_source_that_is_a_run_itself_is_named_by_the_folders_above_it() -> None:
    root = Path("/x/CartPole-v1/ppo/seed_3")
    assert [RunName("ppo", "CartPole-v1", 3)] == run_names.of_runs([root], root, Hints())[0]


def test_folders_above_the_source_name_nothing_below_it() -> None:
    root = Path("/x/seed_9/logs")
    assert [RunName("ppo", None, None)] == run_names.of_runs([root / "ppo"], root, Hints())[0]


def test_what_the_user_says_stands_over_what_is_guessed() -> None:
    assert RunName("mine", "there", 3) == _name("ppo/Hopper-v4/s3", Hints(agent="mine", task="there"))


# ---------------------------------------------------------------- patterns


def test_a_pattern_is_held_against_the_last_parts_of_a_path() -> None:
    assert RunName("ppo", None, 7) == _name("old/ppo/x-7", Hints(names="{agent}/x-{seed}"))
    assert RunName("logs", None, 7) == _name("7", Hints(names="{agent}/{seed}"))


def test_a_pattern_of_the_seed_alone_leaves_agent_and_task_to_custom() -> None:
    assert RunName("ppo", "Hopper-v4", 7) == _name("Hopper-v4/ppo/number-7", Hints(names="number-{seed}"))


def test_runs_that_a_pattern_does_not_fit_are_left_out_and_named() -> None:
    paths = [ROOT / "ppo_1", ROOT / "notes"]
    names, notes = run_names.of_runs(paths, ROOT, Hints(names="{agent}_{seed}"))
    assert [RunName("ppo", None, 1), None] == names
    assert ["1 of 2 runs, whose names --names does not fit: '/x/logs/notes'"] == [note.text for note in notes]


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("{sed}", "Did you mean 'seed'"),
        ("{seed}{seed}", "stands there twice"),
        ("ppo", "name fields in it"),
        ("{agent}--{seed}", "fits none of the 1 runs"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str, complaint: str) -> None:
    with pytest.raises(ImportFormatError, match=complaint):
        _name("ppo_1", Hints(names=pattern))


# ---------------------------------------------------------------- what is missing


def test_a_run_without_a_seed_is_refused_with_the_way_out() -> None:
    paths = [ROOT / "ppo_a", ROOT / "ppo_s1"]
    names, _ = run_names.of_runs(paths, ROOT, Hints())
    with pytest.raises(ImportFormatError, match=r"the seed of 1 of 2 runs: '/x/logs/ppo_a'. .*--names"):
        run_names.complete(paths, names, ROOT)


def test_a_run_without_an_agent_is_refused_with_the_way_out() -> None:
    with pytest.raises(ImportFormatError, match=r"the agent of 1 of 1 runs: .*--agent-name"):
        run_names.complete([ROOT], [RunName(None, None, 3)], ROOT)


def test_what_a_pattern_does_not_fit_is_no_run() -> None:
    a, b = ROOT / "a", ROOT / "b"
    assert {a: FullName("ppo", None, 3)} == run_names.complete([a, b], [RunName("ppo", None, 3), None], ROOT)
