"""Environments with a planted leak each: what a seed should settle and does not. `leaky_envs:UnseededRandom-v0`."""

import os
import random
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

_EPISODE = 20  # steps


class Leaky(gymnasium.Env[Any, Any]):
    """Two actions, three numbers to see. Without a leak everything comes from `np_random`, which `reset` seeds."""

    action_space: Any
    observation_space: Any

    def __init__(self) -> None:
        self.observation_space = gymnasium.spaces.Box(-10, 10, (3,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.n_steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n_steps = 0
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        self.n_steps += 1
        return self.observe(), self.reward(action), self.n_steps >= _EPISODE, False, {}

    def observe(self) -> Any:
        return np.array([self.n_steps / _EPISODE, *self.np_random.uniform(-1, 1, 2)], np.float32)

    def reward(self, action: Any) -> float:
        return float(action == 1) + 0.1 * float(self.np_random.normal())


class UnseededRandom(Leaky):
    """`random.random()`: of Python's global generator, which no reset seeds."""

    def reward(self, action: Any) -> float:
        return random.random()


class GlobalNumPy(Leaky):
    """NumPy's global generator, at each reset."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        first, info = super().reset(seed=seed)
        first[2] = np.random.uniform(-1, 1)  # noqa: NPY002
        return first, info


class IgnoresSeed(Leaky):
    """A generator of its own that nobody seeds."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng()

    def observe(self) -> Any:
        return np.array([0.0, *self.rng.uniform(-1, 1, 2)], np.float32)


class ConstantSeed(Leaky):
    """Every reset seeds it alike, whatever the seed is."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset(seed=42)


class FreshAtReset(Leaky):
    """`default_rng(seed)` at each reset: without a seed, as in all resets but the first, it comes from the system."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.rng = np.random.default_rng(seed)
        return super().reset(seed=seed)

    def observe(self) -> Any:
        return np.array([0.0, *self.rng.uniform(-1, 1, 2)], np.float32)


class Clock(Leaky):
    """A reward that falls with the time of day."""

    def reward(self, action: Any) -> float:
        return time.time() % 1.0


class HashOrder(Leaky):
    """Goes through a set of strings."""

    def reward(self, action: Any) -> float:
        items = {"apple", "pear", "plum", "cherry", "fig", "grape", "quince", "medlar"}
        return float(list(items).index("plum"))


class Threads(Leaky):
    """As many threads, so much reward."""

    def reward(self, action: Any) -> float:
        return float(torch.get_num_threads())


class SharedGenerator(Leaky):
    """One generator for all environments of the class, those of evaluations included."""

    rng = np.random.default_rng(0)

    def observe(self) -> Any:
        return np.array([0.0, *SharedGenerator.rng.uniform(-1, 1, 2)], np.float32)


class SharedState(Leaky):
    """Gets harder with every episode of any environment of the class."""

    episodes = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        SharedState.episodes += 1
        return super().reset(seed=seed)

    def reward(self, action: Any) -> float:
        return float(action) - 0.01 * SharedState.episodes


class LeavesFile(Leaky):
    """Starts where the last run in this folder has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.file = Path("progress.txt")
        self.start = float(self.file.read_text()) if self.file.exists() else 0.0

    def reward(self, action: Any) -> float:
        self.file.write_text(str(self.start + 1.0))
        return self.start


class SamplesSpace(Leaky):
    """Samples its own observation space, which has a generator that nobody seeds."""

    def observe(self) -> Any:
        return self.observation_space.sample()


class ProcessNumber(Leaky):
    """Takes the number of its process for a seed."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset(seed=os.getpid())


class TwoLeaks(Leaky):
    """Clock and system entropy: neither alone is the source."""

    def reward(self, action: Any) -> float:
        return time.time() % 1.0 + os.urandom(1)[0]


LEAKS = (
    UnseededRandom, GlobalNumPy, IgnoresSeed, ConstantSeed, FreshAtReset, Clock, HashOrder, Threads, SharedGenerator,
    SharedState, LeavesFile, SamplesSpace, ProcessNumber, TwoLeaks,
)  # fmt: skip
for kind in (Leaky, *LEAKS):
    gymnasium.register(f"{kind.__name__}-v0", entry_point=f"leaky_envs:{kind.__name__}", max_episode_steps=_EPISODE)
