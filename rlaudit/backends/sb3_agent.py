"""Building what a spec asks for: its algorithm's class, its environments, its agent, each under its own seed."""

import copy
import inspect
import random
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper, VecFrameStack, VecNormalize

from rlaudit.backends.sb3 import ALGORITHMS
from rlaudit.backends.sb3_initializers import initialize
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
    """Monitored environments in one process, each in its wrappers: at these sizes faster than a process for each."""
    kwargs = {"disable_env_checker": True, **defaults, **plain(spec.env_kwargs)}
    wrap = wrapping(spec, of_all=False)
    return DummyVecEnv([lambda: wrap(RunMonitor(gymnasium.make(spec.env_id, **kwargs), bool(spec.wrappers)))] * n_envs)


class RunMonitor(Monitor[Any, Any]):
    """Below the wrappers, as in rl-zoo: returns are the environment's own, whatever a wrapper makes of its rewards.

    An episode that a wrapper ends, such as gymnasium's TimeLimit, is over at the reset: the first that is heard of it.
    """

    def __init__(self, env: Any, wrapped: bool) -> None:
        super().__init__(env)
        self.wrapped = wrapped

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Takes down what a wrapper cut off."""
        if self.wrapped and self.rewards and not self.needs_reset:
            self.episode_returns.append(sum(self.rewards))
            self.episode_lengths.append(len(self.rewards))
            self.episode_times.append(time.time() - self.t_start)
        return super().reset(**kwargs)


def monitors(envs: DummyVecEnv) -> list[RunMonitor]:
    """The Monitor of each environment, (n_envs,)."""
    return [_monitor(env) for env in envs.envs]


def _monitor(env: Any) -> RunMonitor:
    return env if isinstance(env, RunMonitor) else _monitor(env.env)


def wrapping(spec: RunSpec, *, of_all: bool) -> Callable[[Any], Any]:
    """Puts the spec's wrappers around an environment, inside out; or `of_all`, those of VecEnvs, around the whole."""
    named = [(load_name(name), kwargs) for wrapper in spec.wrappers for name, kwargs in wrapper.items()]
    chosen = [(wrapper, kwargs) for wrapper, kwargs in named if wraps_all(wrapper) == of_all]

    def wrap(env: Any) -> Any:
        for wrapper, kwargs in chosen:
            env = wrapper(env, **plain(kwargs))
        return env

    return wrap


def wraps_all(wrapper: Any) -> bool:
    """It is made for a VecEnv."""
    return isinstance(wrapper, type) and issubclass(wrapper, VecEnvWrapper)


def stacked(spec: RunSpec, envs: DummyVecEnv, **fixed: Any) -> VecEnv:
    """The environments behind wrappers of all, VecNormalize and VecFrameStack, in rl-zoo's order.

    VecNormalize discounts rewards as the agent does; `fixed` are further arguments of it.
    """
    venv: VecEnv = wrapping(spec, of_all=True)(envs)
    if spec.normalize is not None:
        venv = VecNormalize(venv, **{"gamma": spec.params.get("gamma", 0.99), **plain(spec.normalize), **fixed})
    return VecFrameStack(venv, spec.frame_stack) if spec.frame_stack > 1 else venv


def construct(spec: RunSpec, venv: VecEnv) -> BaseAlgorithm:
    """The agent, unseeded: its weights come from torch's generator as it stands."""
    policy = load_name(spec.policy) if ":" in spec.policy else spec.policy
    params = resolved(spec.params, venv.action_space)
    policy_kwargs = resolved(spec.policy_kwargs, venv.action_space)
    agent_class: Any = algorithm_class(spec.algo)
    if (
        spec.initializer
        and "ortho_init" in inspect.signature(agent_class.policy_aliases.get(policy, policy)).parameters
    ):
        policy_kwargs["ortho_init"] = False  # its draws would come first: orthogonal weights would be others than its
    agent: BaseAlgorithm = agent_class(
        policy, venv, policy_kwargs=policy_kwargs or None, seed=None, device="cpu", **params
    )
    if spec.initializer:
        initialize(agent, spec.initializer)
    return agent


def build(spec: RunSpec) -> tuple[BaseAlgorithm, DummyVecEnv]:
    """The agent ready to learn, and its environments; each stream of randomness under the seed that is meant for it."""
    seed_generators(derive(spec.seeds.env, "construction"))  # of environments and wrappers that draw while being made
    envs = make_envs(spec, spec.n_envs)
    venv = stacked(spec, envs)
    seed_generators(spec.seeds.init)
    agent = construct(spec, venv)
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
    if isinstance(value, str) and value.startswith("lin_"):
        return linear_schedule(float(value.removeprefix("lin_")))
    if key == "action_noise" and isinstance(value, dict):
        return action_noise(action_space, **value)
    if key == "train_freq" and isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return resolved(value, action_space)
    return value


def linear_schedule(start: float) -> Callable[[float], float]:
    """rl-zoo's `lin_0.1`: the start times the share of training that remains, to the bit as rl_zoo3 computes it.

    Past the end, in the rollout that the last steps round up to, it stays at 0 (rl_zoo3's turns negative).
    """
    return lambda remaining: max(0.0, remaining) * start


def action_noise(action_space: gymnasium.Space[Any], type: str = "normal", std: float = 0.1) -> ActionNoise:
    """`action_noise: {type: normal, std: 0.1}`, centred, the same for every action."""
    if type not in NOISES:
        raise ConfigError(f"action_noise has no type {type!r}.{did_you_mean(type, NOISES)}")
    centre = np.zeros(action_space.shape or ())
    noise: ActionNoise = NOISES[type](mean=centre, sigma=centre + std)
    return noise
