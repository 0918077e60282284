"""From a table to the runs of one agent over tasks, checked once."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import ArmCurves, ArmScores, Floats

_LARGEST = 1e150  # as in `compare`
_Arm = TypeVar("_Arm", ArmScores, ArmCurves)


class Pool(NamedTuple):
    """One agent's runs."""

    scores: tuple[Floats, ...]  # (n_runs,) a task each
    higher_is_better: bool = True
    gamma: float = 1.0  # where the optimality gap ends

    @property
    def sizes(self) -> tuple[int, ...]:
        """Runs per task."""
        return tuple(len(x) for x in self.scores)

    @property
    def weights(self) -> Floats:
        """(n_runs of all tasks,) 1 / (runs of its task), times a constant: tasks weigh the same, and runs 1 on average.

        Exactly 1 where all tasks have as many runs.
        """
        return np.repeat(sum(self.sizes) / (len(self.scores) * np.array(self.sizes)), self.sizes)


def arms_by_agent(arms: Sequence[_Arm], shared: bool = False) -> dict[str, tuple[_Arm, ...]]:
    """Every agent's arms on the same tasks, in one order.

    Raises RlauditError where an agent has no runs on a task of another; with `shared` such tasks are left out.
    """
    found = {(arm.agent, arm.task): arm for arm in arms if _n_runs(arm)}
    if not found:
        raise NotEnoughSeeds("there are no runs with a score: an aggregate needs at least one on every task")
    agents, tasks = dict.fromkeys(arm.agent for arm in arms), dict.fromkeys(arm.task for arm in arms)
    on_all = [task for task in tasks if all((agent, task) in found for agent in agents)]
    for agent in agents:
        for task in tasks:
            if (agent, task) not in found and not shared:
                raise RlauditError(
                    f"agent {agent!r} has no scores on task {task!r}: an aggregate over tasks needs every agent on "
                    f"the same tasks. Add the runs, or say shared=True for the {len(on_all)} of {len(tasks)} tasks "
                    "that all agents have."
                )
    if not on_all:
        raise RlauditError(f"there is no task on which all of the agents {', '.join(map(repr, agents))} have scores")
    return {agent: tuple(found[agent, task] for task in on_all) for agent in agents}


def _n_runs(arm: ArmScores | ArmCurves) -> int:
    return len(arm.scores if isinstance(arm, ArmScores) else arm.values)


def pool_of(arms: Sequence[ArmScores], higher_is_better: bool, gamma: float = 1.0) -> Pool:
    """Sorted, so that the order of seeds changes nothing.

    Raises RlauditError where a score is NaN, which would silently make every aggregate NaN, or beyond any use.
    """
    for arm in arms:
        for position in np.flatnonzero(~(np.abs(arm.scores) <= _LARGEST)):
            raise RlauditError(
                f"seed {arm.seeds[position]!r} of agent {arm.agent!r} on task {arm.task!r} scored "
                f"{arm.scores[position]}: every run needs a score up to {_LARGEST:g}. List it as failed, or give it "
                "the score of a failure."
            )
    return Pool(tuple(np.sort(arm.scores) for arm in arms), higher_is_better, gamma)
