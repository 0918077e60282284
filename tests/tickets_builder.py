"""Audits of the experiment tickets from made-up scores, through its own plan and analysis."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from builders import record

from rlaudit.config import AuditConfig
from rlaudit.experiments.tickets import analyze, plan
from rlaudit.findings import find
from rlaudit.results import Audit
from rlaudit.types import RunRecord, RunSpec

GAINS = {"ticket": -5.0, "new weights": -12.0, "permuted mask": -14.0, "random mask": -16.0}


def tickets_config(**changes: Any) -> AuditConfig:
    fields = {
        "name": "tickets",
        "experiment": "tickets",
        "tasks": ["CartPole-v1"],
        "agents": {"ppo": {"algo": "PPO", "timesteps": 100}},
        "seeds": 10,
        "score": "auc",
        "evaluation": {"every": 50},
    }
    return AuditConfig.model_validate({**fields, **changes})


def scored(spec: RunSpec, score: float) -> RunRecord:
    """A done run with that area under its curve."""
    found: dict[str, Any] = {}
    if spec.treatment.get("sparsities"):
        masked = round(1000 * spec.treatment["sparsities"][-1])
        found = {"prunable": np.array(1000), "masked": np.array(masked), "zero": np.array(masked)}
    curve = np.array([[score], [score]])
    return record(
        spec, eval_steps=np.array([50, 100]), eval_returns=curve, eval_lengths=curve.astype(np.int64),
        final_returns=np.array([score]), measurements=found,
    )  # fmt: skip


def luck(weights: float = 2.0, path: float = 3.0, seed: int = 0) -> Callable[[RunSpec], float]:
    """A score made of initial weights, path and arm, the sd of each given."""

    def score(spec: RunSpec) -> float:
        of_weights, of_path = (np.random.default_rng((seed, *part)) for part in _parts(spec))
        gains = [gain for name, gain in GAINS.items() if f" {name} " in spec.agent]
        return 60 + weights * of_weights.normal() + path * of_path.normal() + sum(gains)

    return score


def _parts(spec: RunSpec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (spec.seeds.init,), (spec.seeds.env, spec.seeds.algo, sum(map(ord, spec.agent)))


def tickets_records(
    config: AuditConfig, score: Callable[[RunSpec], float], failed: Callable[[RunSpec], bool] = lambda spec: False
) -> list[RunRecord]:
    """All runs of both stages."""

    def run(spec: RunSpec) -> RunRecord:
        made = scored(spec, score(spec))
        return replace(made, status="failed", error="boom") if failed(spec) else made

    first = [run(spec) for spec in plan(config)]
    return [run(spec) for spec in plan(config, first)]


def tickets_audit(of: Callable[[RunSpec], float] | None = None, **changes: Any) -> Audit:
    """With its findings, as the pipeline leaves it."""
    config = tickets_config(**changes)
    return finished(analyze(tickets_records(config, of or luck()), config))


def finished(audit: Audit) -> Audit:
    audit = replace(audit, experiment="tickets")
    return replace(audit, findings=find(audit))
