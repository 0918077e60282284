"""Run ids that may never change.

A run is found again by its id: were one of these to change, every results folder in the world would look empty and
be trained anew. A new field of RunSpec needs a default that means "as before", so that it renames no stored run.
If a test fails here, the code is wrong, never the number.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import spec
from program_builder import program

from rlaudit.types import EvaluationPlan, RunSpec, Seeds


@pytest.mark.parametrize(
    ("run_id", "of"),
    [
        ("55bc549cc2ce", RunSpec("a", "CartPole-v1", "PPO", 1000, 0, Seeds(1, 2, 3))),
        ("13832baed99e", RunSpec("a", "CartPole-v1", "PPO", 1000, "run_a", Seeds(1, 2, 3), replicate=1)),
        (
            "73e908b1489e",
            spec(5, n_envs=8, params={"gae_lambda": 0.95, "n_steps": 8}, evaluation=EvaluationPlan(10_000, 20)),
        ),
        (
            "3a9902465be3",
            spec(
                99,
                algo="TRPO",
                env_id="HalfCheetah-v5",
                env_kwargs={"frame_skip": 5},
                normalize={},
                policy_kwargs={"net_arch": {"pi": [64], "vf": [64]}, "activation_fn": "ReLU"},
            ),
        ),
        (
            "b002bbfb4f90",  # wherever its config stands, and however long it may take
            program(
                Path("/anywhere"),
                "python ppo.py --seed {seed} --env-id {env} --lr {lr}",
                params={"lr": 3e-4},
                environment={"A": 1},
                timeout=60.0,
            ),
        ),
        (
            "b55751eaef65",
            spec(7, algo="package.module:train", backend="function", params={"lr": 3e-4}, evaluation=EvaluationPlan()),
        ),
    ],
)
def test_a_run_keeps_its_id_for_ever(run_id: str, of: RunSpec) -> None:
    assert run_id == of.run_id


def test_labels_are_for_people_and_change_no_id() -> None:
    assert spec(agent="one", task="mine").run_id == spec(agent="two").run_id


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"seeds": Seeds(1, 2, 4)},
        {"timesteps": 201},
        {"n_envs": 2},
        {"params": {"gamma": 0.98}},
        {"normalize": {}},
        {"replicate": 1},
        {"evaluation": EvaluationPlan(100, 2)},
    ],
    ids=str,
)
def test_whatever_changes_a_run_changes_its_id(changes: dict[str, Any]) -> None:
    assert replace(spec(), **changes).run_id != spec().run_id
