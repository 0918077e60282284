"""The control in which luck must vanish as it comes out of real runs, made in microseconds."""

import numpy as np

from rlaudit.results import Convex, LossArm, LossPath, Surface
from rlaudit.types import Finding, Level

SCHEMES = ("orthogonal", "he_normal", "unit_normal")
_STEPS = (0, 1, 2, 4, 8, 16, 24)


def some_convex(task: str = "CartPole-v1", *, n_seeds: int = 5) -> Convex:
    """It passes."""
    surfaces = (_surface(task, True, n_seeds), _surface(task, False, n_seeds))
    return Convex("ppo", task, 436.4, 1000, 4, 2, 0.001, 16, surfaces)


def _surface(task: str, is_convex: bool, n_seeds: int) -> Surface:
    label = f"{task}, {'convex' if is_convex else 'hidden layer'}"
    unit = 3e-17 if is_convex else 4e-4
    arms = tuple(
        LossArm(scheme, tuple(range(n_seeds)), tuple(unit * (i % 4) for i in range(n_seeds)), place % 2, 1 if is_convex
                else 4, 0.2354, 0.0 if is_convex else unit)
        for place, scheme in enumerate(SCHEMES)
    )  # fmt: skip
    paths = tuple(
        LossPath(scheme, 0, _STEPS, tuple((0.2354 + np.exp(-np.array(_STEPS, float))).tolist())) for scheme in SCHEMES
    )
    return Surface(
        label=label, is_convex=is_convex, n_weights=10, arms=arms, lowest=0.2354, spread=3 * unit,
        n_losses=1 if is_convex else 4, gradient_norm=1e-9, iterations=(20, 24), accuracy=(0.9, 0.92), n_pairs=3,
        n_apart=0 if is_convex else 1, smallest_p=1.0 if is_convex else 0.001, farthest=("he_normal", "unit_normal"),
        difference=0.0 if is_convex else 0.001, low=0.0 if is_convex else 0.0005, high=0.0 if is_convex else 0.0015,
        gap=0.0 if is_convex else 0.008, group_size=2,
        said=(Finding("a title", "A sentence.", Level.WARN, {}),), paths=paths,
    )  # fmt: skip
