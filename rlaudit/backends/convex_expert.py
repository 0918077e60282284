"""The expert of the backend `convex`: trained like any agent of `sb3`, then watched."""

import warnings
from dataclasses import replace
from typing import Any, cast

import numpy as np
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.base_class import BaseAlgorithm

from rlaudit.backends.memo import Arrays
from rlaudit.backends.sb3_agent import build, make_envs, monitors, stacked
from rlaudit.backends.sb3_evaluation import make_evaluator
from rlaudit.backends.sb3_training import check_finite, threads, weights_sha256
from rlaudit.types import RunSpec


class Watched:
    """An agent that takes down what it sees and does; everything else is the agent's own."""

    def __init__(self, agent: BaseAlgorithm) -> None:
        self.agent = agent
        self.states: list[Any] = []  # (n_envs, *observation) each
        self.actions: list[Any] = []  # (n_envs,) each

    def __getattr__(self, name: str) -> Any:
        return getattr(self.agent, name)

    def predict(self, observation: Any, **how: Any) -> tuple[Any, Any]:
        """As the agent does."""
        actions, state = self.agent.predict(observation, **how)
        self.states.append(np.array(observation))
        self.actions.append(np.array(actions))
        return actions, state


def decisions(spec: RunSpec, n_states: int) -> Arrays:
    """Trains the expert and watches it in the evaluation of the ordinary backend.

    `states` (n, n_features) and `actions` (n,) counted from 0: at most `n_states` of its decisions, evenly over all
    episodes; `n_actions` there are; `returns` (n_episodes,); `weights_sha256` of the agent. Weights and returns
    are those of an ordinary run of `spec`.
    """
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent, envs = build(spec)
        evaluator = make_evaluator(spec, agent, envs)
        agent.learn(spec.timesteps)
        check_finite(agent, monitors(envs))
        watched = Watched(agent)
        returns, lengths = replace(evaluator, agent=cast(BaseAlgorithm, watched))("final")
    states, actions = np.stack(watched.states), np.stack(watched.actions)  # (n_steps, n_episodes, ...)
    within = np.arange(len(states))[:, None] < lengths  # what an environment does after its episode is ignored
    episode, step = np.nonzero(within.T)
    kept = np.unique(np.linspace(0, len(step) - 1, min(n_states, len(step))).round().astype(np.int64))
    chosen, space = (step[kept], episode[kept]), cast(Discrete, agent.action_space)
    return {
        "states": states[chosen].reshape(len(kept), -1).astype(np.float64),
        "actions": actions[chosen].astype(np.int64) - int(space.start),
        "n_actions": np.array(int(space.n)),
        "returns": returns,
        "weights_sha256": np.array(weights_sha256(agent)),
    }


def spaces_problem(spec: RunSpec) -> str | None:
    """Why a softmax over actions cannot learn from this expert; None where it can."""
    venv = stacked(spec, make_envs(spec, 1))
    actions, observations = venv.action_space, venv.observation_space
    venv.close()
    if not isinstance(actions, Discrete):
        return (
            f"the actions of {spec.env_id!r} are {actions}; `experiment: convex` fits a softmax over the actions of "
            "an expert, so that they must be discrete, as those of CartPole-v1"
        )
    if not isinstance(observations, Box):
        return f"the observations of {spec.env_id!r} are {observations}; `experiment: convex` takes arrays (Box) only"
    return None
