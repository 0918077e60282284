"""The cross-entropy method with a linear policy: a Python function that rlaudit calls once for each run."""

from collections.abc import Callable

import gymnasium
import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


def train(
    env_id: str,
    timesteps: int,
    seed_env: int,
    seed_algo: int,
    progress: Callable[[int], None],
    population: int = 20,
    elite: int = 4,
) -> list[tuple[int, list[float]]]:
    """(steps so far, returns of five episodes with the mean weights) after each generation."""
    env = gymnasium.make(env_id)
    env.reset(seed=seed_env)
    rng = np.random.default_rng(seed_algo)
    mean = np.zeros((env.action_space.n, env.observation_space.shape[0]))
    spread, steps, curve = np.ones_like(mean), 0, []
    while steps < timesteps:
        candidates = mean + spread * rng.normal(size=(population, *mean.shape))
        tried = [episode(env, weights) for weights in candidates]
        steps += sum(length for _, length in tried)
        best = candidates[np.argsort([score for score, _ in tried])[-elite:]]
        mean, spread = best.mean(axis=0), best.std(axis=0) + 0.1
        curve.append((steps, [episode(env, mean)[0] for _ in range(5)]))
        progress(steps)
    return curve


def episode(env: gymnasium.Env, weights: Weights) -> tuple[float, int]:
    """Return and length."""
    observation, _ = env.reset()
    total, length, ended = 0.0, 0, False
    while not ended:
        observation, reward, terminated, truncated, _ = env.step(int(np.argmax(weights @ observation)))
        total, length, ended = total + float(reward), length + 1, terminated or truncated
    return total, length
