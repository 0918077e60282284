"""Building what a spec asks for: its algorithm's class, its environments, its agent, each under its own seed."""

import copy
import random
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from rlaudit.backends.sb3 import ALGORITHMS
from rlaudit.errors import ConfigError, MissingExtra, did_you_mean
from rlaudit.seeds import derive
from rlaudit.types import RunSpec

NOISES: Mapping[str, Any] = {"normal": NormalActionNoise, "ornstein-uhlenbeck": OrnsteinUhlenbeckActionNoise}
# Where a class that a config names without its module is looked for: activation_fn: ReLU, optimizer_class: Adam.
_HOMES = ("torch.nn", "torch.optim", "stable_baselines3", "stable_baselines3.common.torch_layers")


def algorithm_class(name: str) -> type[BaseAlgorithm]:
    """The class behind a name of `ALGORITHMS` or an import path `package.module:Class`."""
    path = ALGORITHMS.get(name, name)
    if ":" not in path:
        near = did_you_mean(name.upper(), ALGORITHMS)  # "ppo" is the commonest slip
        raise ConfigError(f"{name!r} is no algorithm, nor an import path such as 'package.module:Class'.{near}")
    try:
        found: type[BaseAlgorithm] = load_name(path)
    except ConfigError as error:
        if path.startswith("sb3_contrib:") and isinstance(error.__cause__, ModuleNotFoundError):
            raise MissingExtra(f"{name} needs sb3-contrib: pip install 'rlaudit[contrib]'") from error
        raise
    return found


def load_name(text: str) -> Any:
    """What an import path (`package.module:Name` or `package.module.Name`) or a bare name such as `ReLU` stands for."""
    module, _, name = text.rpartition(":" if ":" in text else ".")
    homes = {"": _HOMES, "nn": ("torch.nn",), "th.nn": ("torch.nn",), "optim": ("torch.optim",)}.get(module, (module,))
    try:
        modules = [import_module(home) for home in homes]
    except ImportError as error:
        raise ConfigError(f"{text!r} cannot be imported: {error}.") from error
    for home in modules:
        if hasattr(home, name):
            return getattr(home, name)
    raise ConfigError(f"{text!r} is not in {' or '.join(homes)}.{did_you_mean(name, dir(modules[0]))[:200]}")


def make_envs(spec: RunSpec, n_envs: int, **defaults: Any) -> DummyVecEnv:
    """Monitored environments in one process: at these sizes faster than a process for each."""
    kwargs = {"disable_env_checker": True, **defaults, **plain(spec.env_kwargs)}
    return DummyVecEnv([lambda: Monitor(gymnasium.make(spec.env_id, **kwargs))] * n_envs)


def normalized(spec: RunSpec, envs: DummyVecEnv, **fixed: Any) -> VecEnv:
    """The environments behind VecNormalize where the spec asks for it, discounting rewards as the agent does."""
    if spec.normalize is None:
        return envs
    return VecNormalize(envs, **{"gamma": spec.params.get("gamma", 0.99), **plain(spec.normalize), **fixed})


def construct(spec: RunSpec, envs: DummyVecEnv) -> BaseAlgorithm:
    """The agent, unseeded: its weights come from torch's generator as it stands."""
    policy = load_name(spec.policy) if ":" in spec.policy else spec.policy
    params = resolved(spec.params, envs.action_space)
    policy_kwargs = resolved(spec.policy_kwargs, envs.action_space)
    agent_class: Any = algorithm_class(spec.algo)
    agent: BaseAlgorithm = agent_class(
        policy, normalized(spec, envs), policy_kwargs=policy_kwargs or None, seed=None, device="cpu", **params
    )
    return agent


def build(spec: RunSpec) -> tuple[BaseAlgorithm, DummyVecEnv]:
    """The agent ready to learn, and its environments; each stream of randomness under the seed that is meant for it."""
    envs = make_envs(spec, spec.n_envs)
    seed_generators(spec.seeds.init)
    agent = construct(spec, envs)
    seed_envs(envs, [derive(spec.seeds.env, "env", index) for index in range(spec.n_envs)])
    seed_generators(spec.seeds.algo)
    agent.action_space = copy.deepcopy(agent.action_space)  # else it is the first environment's own
    agent.action_space.seed(spec.seeds.algo)
    return agent, envs


def seed_generators(seed: int) -> None:
    """Seeds the global generators; stable-baselines3 draws from all three."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - minibatch order and replay come from NumPy's global generator
    random.seed(seed)


def seed_envs(envs: DummyVecEnv, seeds: Sequence[int]) -> None:
    """Seeds each environment at its next reset, and its action space now.

    Not `envs.seed(x)`: that gives environment i the seed x + i, so that runs with neighbouring seeds share streams.
    """
    envs._seeds = list(seeds)
    for env, seed in zip(envs.envs, seeds, strict=True):
        env.action_space.seed(derive(seed, "action_space"))


def plain(value: Any) -> Any:
    """A deep, mutable copy: stable-baselines3 writes into the dicts it is given."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def resolved(params: Mapping[str, Any], action_space: gymnasium.Space[Any]) -> dict[str, Any]:
    """Keyword arguments as the constructor wants them, from what YAML can express."""
    return {key: _resolved(key, plain(value), action_space) for key, value in params.items()}


def _resolved(key: str, value: Any, action_space: gymnasium.Space[Any]) -> Any:
    if isinstance(value, str) and key.endswith(("_class", "_fn")):
        return load_name(value)
    if isinstance(value, str) and value.startswith("lin_"):  # rl-zoo's spelling: falls linearly to 0
        return LinearSchedule(float(value.removeprefix("lin_")), 0.0, 1.0)
    if key == "action_noise" and isinstance(value, dict):
        return action_noise(action_space, **value)
    if key == "train_freq" and isinstance(value, list):
        return tuple(value)
    return value


def action_noise(action_space: gymnasium.Space[Any], type: str = "normal", std: float = 0.1) -> ActionNoise:
    """`action_noise: {type: normal, std: 0.1}`, centred, the same for every action."""
    if type not in NOISES:
        raise ConfigError(f"action_noise has no type {type!r}.{did_you_mean(type, NOISES)}")
    centre = np.zeros(action_space.shape or ())
    noise: ActionNoise = NOISES[type](mean=centre, sigma=centre + std)
    return noise
