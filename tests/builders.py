"""Nouns with a default for everything, so that a test names only what it is about."""

from typing import Any

import numpy as np

from rlaudit.seeds import run_seeds
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec, TrainingEpisodes


def spec(seed: int = 0, **changes: Any) -> RunSpec:
    """A run that trains in a tenth of a second."""
    fields: dict[str, Any] = {
        "agent": "a2c",
        "env_id": "CartPole-v1",
        "algo": "A2C",
        "timesteps": 200,
        "seed": seed,
        "seeds": run_seeds(seed),
        "evaluation": EvaluationPlan(every=None, episodes=2),
    }
    return RunSpec(**{**fields, **changes})


def record(of: RunSpec | None = None, **changes: Any) -> RunRecord:
    """A finished run with numbers that text must carry to the last bit."""
    fields: dict[str, Any] = {
        "spec": of or spec(),
        "status": "done",
        "eval_steps": np.array([100, 200]),
        "eval_returns": np.array([[0.1, 1 / 3], [1e-17, 500.0]]),
        "eval_lengths": np.array([[10, 11], [12, 500]]),
        "episodes": TrainingEpisodes(np.array([0.1 + 0.2, -1e300]), np.array([7, 9]), np.array([0.5, 1.25])),
        "final_returns": np.array([1e-17, 500.0]),
        "seconds": 1.5,
        "weights_sha256": "ab" * 32,
        "provenance": {"torch": "2.0", "host": "somewhere"},
    }
    return RunRecord(**{**fields, **changes})
