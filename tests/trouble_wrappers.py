"""Wrappers that do what wrappers do, by name: `trouble_wrappers:Scales`."""

from typing import Any

import gymnasium
import numpy as np


class Scales(gymnasium.RewardWrapper[Any, Any]):
    """Multiplies rewards."""

    def __init__(self, env: Any, by: float = 100.0) -> None:
        super().__init__(env)
        self.by = by

    def reward(self, reward: Any) -> float:
        return float(reward) * self.by


class Lives(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Says that an episode is over after some steps, and goes on with the same one, as EpisodicLifeEnv does."""

    def __init__(self, env: Any, steps: int = 5) -> None:
        super().__init__(env)
        self.steps, self.n, self.over = steps, 0, True

    def reset(self, **kwargs: Any) -> Any:
        self.n = 0
        if self.over:
            return self.env.reset(**kwargs)
        observation, _, terminated, truncated, info = self.env.step(0)
        return self.env.reset(**kwargs) if terminated or truncated else (observation, info)

    def step(self, action: Any) -> Any:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.n += 1
        self.over = terminated or truncated
        return observation, reward, terminated or self.n == self.steps, truncated, info


class Offset(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Draws from NumPy's global generator while it is made, as nobody should."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.offset = np.random.normal()  # noqa: NPY002

    def observation(self, observation: Any) -> Any:
        return observation + np.float32(self.offset)
