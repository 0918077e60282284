"""Training under a mask, and the rounds of training and pruning that find the mask of a lineage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from rlaudit.backends.memo import remembered
from rlaudit.backends.sb3_agent import build
from rlaudit.backends.sb3_training import Treated, train_one
from rlaudit.backends.tickets_masks import Masks, Shapes, hold, permuted, prunable, pruned, random, shapes
from rlaudit.errors import RlauditError
from rlaudit.types import EvaluationPlan, Progress, RunRecord, RunSpec, Seeds

_FORMAT = 1  # of the masks in a memo: raised where the same identity would give other masks


class LineageFailed(RlauditError):
    """The run that a mask is taken from failed: there is no ticket."""


def train_masked(spec: RunSpec, progress: Progress) -> RunRecord:
    """The record of one run under the mask of its treatment."""
    masks = MASKS[spec.treatment["mask"]](spec)
    return train_one(spec, progress, lambda agent, envs: Treated(measure=hold(masks, agent)))


def lineage(spec: RunSpec) -> RunSpec:
    """The dense run that the spec's mask comes from; evaluated once only, which changes no weight."""
    seeds = Seeds(**spec.treatment["lineage"])
    return replace(
        spec, backend="sb3", seeds=seeds, treatment={}, evaluation=EvaluationPlan(episodes=1), memo="", timeout=None
    )


# ---------------------------------------------------------------- the masks


def _ticket(spec: RunSpec) -> Masks:
    return found_masks(lineage(spec), spec.treatment["sparsities"], spec.memo)


def _permuted(spec: RunSpec) -> Masks:
    return permuted(_ticket(spec), spec.treatment["mask_seed"])


def _random(spec: RunSpec) -> Masks:
    return random(_shapes(spec), spec.treatment["sparsities"][-1], spec.treatment["mask_seed"])


MASKS: Mapping[str, Callable[[RunSpec], Masks]] = {
    "none": lambda spec: {},
    "ticket": _ticket,
    "permuted": _permuted,
    "random": _random,
}


def _shapes(spec: RunSpec) -> Shapes:
    agent, envs = build(spec)
    envs.close()
    return shapes(prunable(agent))


# ---------------------------------------------------------------- the rounds


def found_masks(dense: RunSpec, sparsities: Sequence[float], memo: str = "") -> Masks:
    """Iterative magnitude pruning with rewinding: train from the initial weights, prune, begin anew with the mask.

    A round for each of `sparsities`, under the seeds of the lineage (Frankle & Carbin 2019, arXiv:1803.03635, section
    2; Yu et al. 2020, arXiv:1906.02768, for agents). Each round is remembered by itself, so that one at .95 begins
    where one at .8 ended.
    """

    def make() -> Masks:
        before = found_masks(dense, sparsities[:-1], memo)
        return pruned(trained_weights(dense, before), before, sparsities[-1])

    identity = {"tickets": _FORMAT, "dense": dense.run_id, "sparsities": list(sparsities)}
    return remembered(memo, identity, make) if sparsities else {}


def trained_weights(dense: RunSpec, masks: Masks) -> Mapping[str, NDArray[Any]]:
    """The prunable weights after training under the masks."""

    def treat(agent: BaseAlgorithm, envs: DummyVecEnv) -> Treated:
        check, weights = hold(masks, agent), prunable(agent)

        def measure() -> Mapping[str, NDArray[Any]]:
            check()
            return {name: weight.detach().cpu().numpy().copy() for name, weight in weights.items()}

        return Treated(measure=measure)

    record = train_one(dense, lambda spec, steps: None, treat)
    if record.error:
        raise LineageFailed(f"a run that the mask is taken from failed:\n{record.error}")
    return record.measurements
