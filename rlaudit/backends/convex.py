"""The backend `convex`: a control in which luck must vanish, made of the decisions of a trained expert.

An agent of stable-baselines3, the expert, is trained once with a seed of its own; what it sees and does in its
evaluation episodes are the data of all runs. A run fits them from initial weights drawn under `seeds.init`, the only
randomness there is: softmax regression, whose loss is convex, or the same behind one hidden layer, whose loss is not.

This module is light. `convex_expert` trains the expert and imports torch; `convex_fit` knows losses and minimises them.
"""

import hashlib
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rlaudit.backends import sb3
from rlaudit.backends.memo import Arrays, remembered
from rlaudit.backends.provenance import machine, versions
from rlaudit.seeds import run_seeds
from rlaudit.types import EvaluationPlan, Problem, Progress, RunRecord, RunSpec

PRELOAD = (*sb3.PRELOAD, "scipy.optimize", "rlaudit.backends.convex_expert", "rlaudit.backends.convex_fit")

_PACKAGES = ("rlaudit", "numpy", "scipy", "torch", "stable_baselines3", "gymnasium")


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Fits each spec from its own initial weights; the data are made once where the specs have a memo."""
    for spec in specs:
        yield _fit(spec)


def check(spec: RunSpec) -> list[Problem]:
    """What is wrong with the expert, and with spaces that a softmax over actions cannot take."""
    problems = [Problem(("agents", *problem.path[2:]), problem.message) for problem in sb3.check(expert_of(spec))]
    if problems:
        return problems
    from rlaudit.backends.convex_expert import spaces_problem

    found = spaces_problem(expert_of(spec))
    return [Problem(("task",), found)] if found else []


def expert_of(spec: RunSpec) -> RunSpec:
    """The run whose decisions are the data: the agent of the config, under the seed that the treatment names."""
    expert = spec.treatment["expert"]
    return replace(
        spec,
        backend="sb3",
        timesteps=expert["timesteps"],
        seed=expert["seed"],
        seeds=run_seeds(expert["seed"]),
        evaluation=EvaluationPlan(episodes=spec.evaluation.episodes),
        initializer=expert.get("initializer"),
        treatment={},
    )


def data_of(spec: RunSpec) -> Arrays:
    """The expert's states and actions, see `convex_expert.decisions`; the same for every run of an expert."""
    expert, n_states = expert_of(spec), spec.treatment["states"]

    def make() -> Arrays:
        from rlaudit.backends.convex_expert import decisions

        return decisions(expert, n_states)

    return remembered(spec.memo, {"decisions": expert.run_id, "states": n_states}, make)


def _fit(spec: RunSpec) -> RunRecord:
    """The record of one run. Whatever goes wrong in it becomes a failed record with the traceback."""
    started, measured = time.process_time(), dict[str, Any]()
    try:
        measured = _measured(spec)
    except Exception:
        measured = {"status": "failed", "error": traceback.format_exc().strip()}
    return RunRecord(
        spec=spec,
        seconds=time.process_time() - started,
        provenance={**versions(_PACKAGES), **machine()},
        **measured,
    )


def _measured(spec: RunSpec) -> dict[str, Any]:
    """The fields of a finished record: the loss stands where other runs have their return."""
    from rlaudit.backends.convex_fit import Data, initial_weights, minimise, model_of, points

    arrays = data_of(spec)
    data = Data.of(arrays["states"], arrays["actions"], int(arrays["n_actions"]))
    model = model_of(spec.treatment, data)
    assert spec.initializer is not None
    start = initial_weights(model.shapes, spec.initializer["scheme"], spec.seeds.init)
    fit = minimise(model, start, spec.timesteps)
    steps = points(spec.timesteps)
    curve = fit.losses[np.minimum(steps, len(fit.losses) - 1)]  # once it has arrived it stays where it is
    return {
        "status": "done",
        "eval_steps": steps,
        "eval_returns": curve[:, None],
        "eval_lengths": np.ones((len(steps), 1), np.int64),
        "final_returns": fit.losses[-1:],
        "weights_sha256": hashlib.sha256(fit.weights.tobytes()).hexdigest(),
        "measurements": {
            "weights": fit.weights,
            "gradient_norm": np.array(fit.gradient_norm),
            "iterations": np.array(len(fit.losses) - 1),
            "accuracy": np.array(model.accuracy(fit.weights)),
            "expert_return": arrays["returns"].mean(),
            "n_states": np.array(len(data.actions)),
            "n_features": np.array(data.states.shape[1] - 1),
            "n_actions": np.array(data.n_actions),
        },
    }
