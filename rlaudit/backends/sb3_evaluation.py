"""Evaluation that training never notices: own environments, own random stream, everything global put back."""

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from rlaudit.backends.sb3_agent import make_envs, monitors, seed_envs, seed_generators, stacked
from rlaudit.seeds import derive
from rlaudit.types import Floats, Ints, RunSpec

# An environment that names no time limit might never end an episode. Evaluation then stops at the limit that Atari
# studies use: 30 minutes at 15 decisions a second (Machado et al. 2018, "Revisiting the ALE").
EPISODE_CAP = 27_000


@dataclass(frozen=True)
class Evaluator:
    """Runs a spec's evaluation episodes side by side: 10 at once cost a sixth of 10 in turn."""

    spec: RunSpec
    agent: BaseAlgorithm
    cap: Mapping[str, int]  # of gymnasium.make, for an environment without a time limit
    envs: DummyVecEnv
    venv: VecEnv  # `envs` behind what the agent needs: normalised, stacked, images transposed

    def __call__(self, name: int | str) -> tuple[Floats, Ints]:
        """Returns and lengths, each `(episodes,)`. `name` tells one evaluation's random stream from another's."""
        root = ("evaluation", *astuple(self.spec.seeds), name)
        with _untouched(self.agent), self._fresh(derive(0, *root, "construction")) as fresh:
            _share_statistics(self.agent.get_vec_normalize_env(), fresh.venv)
            seed_envs(fresh.envs, [derive(0, *root, episode) for episode in range(fresh.envs.num_envs)])
            seed_generators(derive(0, *root, "policy"))
            self.agent.action_space.seed(derive(0, *root, "policy"))
            return fresh._first_episodes()

    @contextmanager
    def _fresh(self, seed: int) -> "Iterator[Evaluator]":
        """Wrappers are made anew: they may remember the last evaluation, as EpisodicLifeEnv does a life to go on."""
        if not self.spec.wrappers:
            yield self
            return
        seed_generators(seed)
        envs, venv = _make(self.spec, self.cap)
        yield replace(self, envs=envs, venv=venv)
        envs.close()

    def _first_episodes(self) -> tuple[Floats, Ints]:
        """Each environment gives its first episode; what it does while slower ones finish is ignored."""
        watched = monitors(self.envs)
        observation: Any = self.venv.reset()
        for monitor in watched:
            monitor.episode_returns.clear()
            monitor.episode_lengths.clear()
        state, starts = None, np.ones(len(watched), dtype=bool)
        while not all(monitor.episode_returns for monitor in watched):
            actions, state = self.agent.predict(
                observation, state=state, episode_start=starts, deterministic=self.spec.evaluation.deterministic
            )
            observation, _, starts, _ = self.venv.step(actions)
        return (
            np.array([monitor.episode_returns[0] for monitor in watched], dtype=np.float64),
            np.array([monitor.episode_lengths[0] for monitor in watched], dtype=np.int64),
        )


def make_evaluator(spec: RunSpec, agent: BaseAlgorithm, training_envs: DummyVecEnv) -> Evaluator:
    """Called before the algorithm's generators are used: making environments may draw from them."""
    registered = monitors(training_envs)[0].spec
    limited = registered is not None and registered.max_episode_steps is not None
    cap = {} if limited else {"max_episode_steps": EPISODE_CAP}
    with _untouched(agent):
        return Evaluator(spec, agent, cap, *_make(spec, cap))


def _make(spec: RunSpec, cap: Mapping[str, int]) -> tuple[DummyVecEnv, VecEnv]:
    """An environment for each episode, and all of them as the agent sees them."""
    envs = make_envs(spec, spec.evaluation.episodes, **cap)
    venv = stacked(spec, envs, training=False, norm_reward=False)
    return envs, BaseAlgorithm._wrap_env(venv, monitor_wrapper=False)


def _share_statistics(training: VecNormalize | None, venv: VecEnv) -> None:
    """Gives the evaluation's VecNormalize a frozen copy of the running statistics, if observations are normalised."""
    if training is None or not training.norm_obs:
        return
    while not isinstance(venv, VecNormalize):
        venv = venv.venv  # type: ignore[attr-defined]
    venv.obs_rms = copy.deepcopy(training.obs_rms)


@contextmanager
def _untouched(agent: BaseAlgorithm) -> Iterator[None]:
    """Puts back the global generators, the agent's action space (epsilon-greedy samples from it) and its mode."""
    state = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - what SB3 draws from
    action_space, training = agent.action_space, agent.policy.training
    agent.action_space = copy.deepcopy(action_space)
    try:
        yield
    finally:
        torch.set_rng_state(state[0])
        np.random.set_state(state[1])  # noqa: NPY002
        random.setstate(state[2])
        agent.action_space = action_space
        agent.policy.set_training_mode(training)
