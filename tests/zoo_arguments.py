"""What of a run reaches stable-baselines3, in words that JSON holds: two readings of one file can be compared."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from stable_baselines3.common.noise import ActionNoise

from rlaudit.backends.sb3_agent import algorithm_class, load_name, resolved
from rlaudit.config import load_config
from rlaudit.plan import plan
from rlaudit.types import RunSpec

ACTIONS = Box(-1.0, 1.0, (3,), np.float32)
SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf", "delta_std")
SHARES = (1.0, 0.7, 0.3, 0.1, 0.0)  # of the training that remains


def read(folder: Path, zoo: str, task: str = "CartPole-v1") -> dict[str, Any]:
    """As rlaudit reads an entry, from a config beside the file."""
    config = folder / "config.yaml"
    config.write_text(f"name: x\ntask: {task}\nagents: {{one: {{zoo: {zoo!r}}}}}\nseeds: 2\n")
    return arguments(plan(load_config(config)[0])[0])


def arguments(spec: RunSpec) -> dict[str, Any]:
    """Of the constructor, of VecNormalize and of the wrappers."""
    policy = load_name(spec.policy) if ":" in spec.policy else spec.policy
    normalize = None if spec.normalize is None else {"gamma": spec.params.get("gamma", 0.99), **spec.normalize}
    return words(
        {
            "algo": algorithm_class(spec.algo),
            "timesteps": spec.timesteps,
            "n_envs": spec.n_envs,
            "policy": policy,
            "params": {key: argument(key, value) for key, value in resolved(spec.params, ACTIONS).items()},
            "policy_kwargs": resolved(spec.policy_kwargs, ACTIONS),
            "normalize": normalize,
            "frame_stack": spec.frame_stack,
            "wrappers": [[load_name(name), kwargs] for wrapper in spec.wrappers for name, kwargs in wrapper.items()],
        }
    )


def argument(key: str, value: Any) -> Any:
    """A schedule as its values: stable-baselines3 makes one of a number, too."""
    if key in SCHEDULED and value is not None:
        return [float(value(share)) if callable(value) else float(value) for share in SHARES]
    return value


def words(value: Any) -> Any:
    """Classes by name, noise by its numbers, tuples as lists, keys in order."""
    if isinstance(value, type):
        return f"{value.__module__}:{value.__qualname__}"
    if isinstance(value, ActionNoise):
        return [type(value).__name__, *(words(getattr(value, name)) for name in ("_mu", "_sigma"))]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: words(value[key]) for key in sorted(value)}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [words(item) for item in value]
    return value
