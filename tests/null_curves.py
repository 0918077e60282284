"""Learning curves of runs that differ by luck alone, (n_sets, n_runs, n_points) with mean 0, and curves by hand."""

import numpy as np

from rlaudit.types import ArmCurves


def arm(steps: list[int], values: list[list[float]], agent: str = "a") -> ArmCurves:
    return ArmCurves(agent, "task", tuple(range(len(values))), np.array(steps), np.array(values))


def walks(n_sets: int, n_runs: int, n_points: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_sets, n_runs, n_points)).cumsum(-1)


def autoregressive(n_sets: int, n_runs: int, n_points: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n_sets, n_runs, n_points))
    for step in range(1, n_points):
        x[..., step] = 0.9 * x[..., step - 1] + np.sqrt(1 - 0.9**2) * x[..., step]
    return x


def skewed(n_sets: int, n_runs: int, n_points: int, seed: int = 0) -> np.ndarray:
    return np.exp(autoregressive(n_sets, n_runs, n_points, seed)) - np.exp(0.5)
