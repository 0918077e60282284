"""Looks for mistakes in a spec before anything is trained: a typing error costs a second here and hours there."""

import inspect
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any, TypeAlias

import gymnasium
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rlaudit.backends.sb3_agent import (
    algorithm_class,
    construct,
    load_name,
    make_envs,
    monitors,
    plain,
    resolved,
    stacked,
    wraps_all,
)
from rlaudit.backends.sb3_initializers import CannotInitialize
from rlaudit.errors import ConfigError, RlauditError, did_you_mean
from rlaudit.types import Problem, RunSpec

Path: TypeAlias = tuple[str | int, ...]

_BESIDE = "it is a key of the agent itself, beside `params`"
_RESERVED: Mapping[str, str] = {  # keyword arguments that a config cannot set, and why
    "env": "the environment is the config's `task`",
    "seed": "each run gets the seeds that the config's `seeds` stands for",
    "device": "runs are trained on the CPU with one thread, where they are the same to the bit",
    "verbose": "rlaudit shows the progress itself",
    "tensorboard_log": "the curves are in each run's directory",
    "total_timesteps": "it is called `timesteps`, beside `params`",
    "n_timesteps": "it is called `timesteps`, beside `params`",
    **dict.fromkeys(
        ("policy", "policy_kwargs", "n_envs", "timesteps", "normalize", "wrappers", "frame_stack"), _BESIDE
    ),
}

_PACKAGES = {  # where wrappers of rl-zoo's own files come from
    "rl_zoo3": " Its wrappers come with rl-baselines3-zoo: pip install rl_zoo3",
    "sb3_contrib": " Its wrappers come with sb3-contrib: pip install 'rlaudit[contrib]'",
    "minigrid": " Its wrappers come with MiniGrid: pip install minigrid",
}


def _whole(value: float) -> bool:
    return isinstance(value, int) and value >= 1


# Values that stable-baselines3 takes without a word and that mean nothing; gamma = 2 trains to the end.
_SENSIBLE: Mapping[str, tuple[str, Callable[[float], bool]]] = {
    **dict.fromkeys(("gamma", "gae_lambda"), ("between 0 and 1", lambda value: 0 <= value <= 1)),
    **dict.fromkeys(("learning_rate", "tau"), ("above 0 and at most 1", lambda value: 0 < value <= 1)),
    **dict.fromkeys(("clip_range", "max_grad_norm", "target_kl"), ("above 0", lambda value: 0 < value < float("inf"))),
    **dict.fromkeys(("ent_coef", "vf_coef", "learning_starts"), ("0 or more", lambda value: 0 <= value < float("inf"))),
    **dict.fromkeys(("exploration_fraction", "exploration_initial_eps", "exploration_final_eps"),
                    ("between 0 and 1", lambda value: 0 <= value <= 1)),
    **dict.fromkeys(("batch_size", "n_steps", "n_epochs", "buffer_size", "train_freq", "target_update_interval"),
                    ("a whole number of at least 1", _whole)),
}  # fmt: skip


def problems(spec: RunSpec) -> list[Problem]:
    """Everything that is wrong with one agent on one task; an empty list where it can be trained."""
    at: Path = ("agents", spec.agent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        envs, found = _environment(spec)
        try:
            agent_class = algorithm_class(spec.algo)
        except RlauditError as error:
            return [*found, Problem((*at, "algo"), str(error))]
        found += [*_numbers(spec, at), *_params(spec, agent_class, at), *_policy(spec, agent_class, at)]
        found += _wrappers(spec, envs, at)
        if envs is not None:
            envs.close()
        if not found:
            found += _construction(spec, at)
    return found


def _environment(spec: RunSpec) -> tuple[DummyVecEnv | None, list[Problem]]:
    """The bare environment."""
    try:
        envs = make_envs(replace(spec, wrappers=()), 1)
    except gymnasium.error.NamespaceNotFound as error:
        way_out = "If a package provides it, install that and name its module: 'ale_py:ALE/Pong-v5'."
        return None, [Problem(("task",), f"{spec.env_id!r}: {error} {way_out}")]
    except Exception as error:
        return None, [Problem(("task",), f"{spec.env_id!r} cannot be made: {_sentence(error)}")]
    if not _found_by_workers(spec.env_id, monitors(envs)[0].spec):
        return envs, [
            Problem(
                ("task",),
                f"{spec.env_id!r} was registered by this program only; runs are trained in fresh processes. Name the "
                f"module that registers it as well: 'my_module:{spec.env_id}'.",
            )
        ]
    return envs, []


def _found_by_workers(env_id: str, registered: Any) -> bool:
    """Whether gymnasium finds it without this program's own imports: in itself, in a plugin, or by a module's name."""
    if ":" in env_id or registered is None:
        return True
    module = str(registered.entry_point).partition(":")[0].partition(".")[0]
    plugins = {point.module.partition(".")[0] for point in entry_points(group="gymnasium.envs")}
    return module in {"gymnasium", *plugins}


def _numbers(spec: RunSpec, at: Path) -> Iterator[Problem]:
    for key in ("timesteps", "n_envs"):
        if not _whole(getattr(spec, key)):
            yield Problem((*at, key), f"{key} is {getattr(spec, key)!r}; it must be a whole number of at least 1.")
    for key, value in spec.params.items():
        words, is_sensible = _SENSIBLE.get(key, ("", lambda _: True))
        number = _as_number(value)
        if number is not None and not is_sensible(number):
            yield Problem((*at, "params", key), f"{key} is {value!r}; it must be {words}.")


def _as_number(value: object) -> float | None:
    """A number, also inside a schedule such as `lin_0.001`; None for whatever the constructor must judge."""
    if isinstance(value, str) and re.fullmatch(r"lin_[-+.\deE]+", value):
        return float(value.removeprefix("lin_"))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _params(spec: RunSpec, agent_class: type[BaseAlgorithm], at: Path) -> Iterator[Problem]:
    known = _keywords(agent_class, leave_out=_RESERVED)
    for key in spec.params:
        if key in _RESERVED:
            yield Problem((*at, "params", key), f"{key!r} cannot be set here: {_RESERVED[key]}.")
        elif known and key not in known:
            message = f"{key!r} is not a hyper-parameter of {spec.algo}.{did_you_mean(key, known)}"
            yield Problem((*at, "params", key), message)
    allowed = _keywords(VecNormalize, leave_out=("venv", "training"))
    for key in spec.normalize or ():
        if key not in allowed:
            message = f"{key!r} is not a setting of VecNormalize.{did_you_mean(key, allowed)}"
            yield Problem((*at, "normalize", key), message)
    if issubclass(agent_class, OffPolicyAlgorithm) and spec.frame_stack > 1 and spec.normalize is not None:
        message = (
            f"does not go with `normalize` for {spec.algo}: its replay buffer would get frames that are not stacked"
        )
        yield Problem((*at, "frame_stack"), f"frame_stack {message}.")


def _policy(spec: RunSpec, agent_class: type[BaseAlgorithm], at: Path) -> Iterator[Problem]:
    aliases = agent_class.policy_aliases
    try:
        policy = load_name(spec.policy) if ":" in spec.policy else aliases[spec.policy]
    except KeyError:
        message = f"{spec.policy!r} is not a policy of {spec.algo}.{did_you_mean(spec.policy, aliases)}"
        yield Problem((*at, "policy"), message)
        return
    except RlauditError as error:
        yield Problem((*at, "policy"), str(error))
        return
    known = _keywords(policy, leave_out=("observation_space", "action_space", "lr_schedule"))
    for key in spec.policy_kwargs:
        if key == "ortho_init" and spec.initializer:
            message = "ortho_init and `initializer` both say how the weights are drawn; leave one of them out."
            yield Problem((*at, "policy_kwargs", key), message)
        elif known and key not in known:
            message = f"{key!r} is not an argument of {policy.__name__}.{did_you_mean(key, known)}"
            yield Problem((*at, "policy_kwargs", key), message)


def _wrappers(spec: RunSpec, envs: DummyVecEnv | None, at: Path) -> Iterator[Problem]:
    """Each around the environment that those before it made; the first mistake hides the rest."""
    env: Any = envs.envs[0] if envs is not None else None
    for index, (name, kwargs) in enumerate(pair for wrapper in spec.wrappers for pair in wrapper.items()):
        try:
            env = _wrapped(env, name, kwargs)
        except RlauditError as error:
            yield Problem((*at, "wrappers", index), str(error))
            return
        except Exception as error:
            yield Problem((*at, "wrappers", index), f"{name} cannot wrap {spec.env_id}: {_sentence(error)}")
            return


def _wrapped(env: Any, name: str, kwargs: Mapping[str, Any]) -> Any:
    """The environment in one wrapper more; as it is where there is none, or where the wrapper is one of VecEnvs."""
    try:
        wrapper = load_name(name)
    except ConfigError as error:
        package = name.partition(".")[0].partition(":")[0]
        raise ConfigError(f"{error}{_PACKAGES.get(package, '')}") from None
    known = _keywords(wrapper, leave_out=("env", "venv"))
    for key in kwargs:
        if known and key not in known:
            raise ConfigError(f"{key!r} is not an argument of {name}.{did_you_mean(key, known)}")
    if wrapper is gymnasium.wrappers.NormalizeObservation:
        raise ConfigError(f"{name} learns what evaluation would not share; say `normalize: {{norm_reward: false}}`")
    return env if env is None or wraps_all(wrapper) else wrapper(env, **plain(kwargs))


def _construction(spec: RunSpec, at: Path) -> Iterator[Problem]:
    """The real thing, 3 ms: whatever the constructor itself refuses."""
    envs = make_envs(spec, min(spec.n_envs, 2))  # two are enough to tell whether an algorithm takes several
    for block in ("params", "policy_kwargs"):
        for key, value in getattr(spec, block).items():
            try:
                resolved({key: value}, envs.action_space)
            except Exception as error:
                yield Problem((*at, block, key), f"{key} is {value!r}: {_sentence(error)}")
                return
    try:
        construct(spec, stacked(spec, envs))
    except CannotInitialize as error:
        yield Problem((*at, "initializer"), f"cannot draw the weights of {spec.algo}: {error}.")
    except AssertionError as error:
        where = (*at, "algo") if "action space" in str(error) else at
        yield Problem(where, f"{spec.algo} cannot be used on {spec.env_id}: {_sentence(error)}")
    except Exception as error:
        yield Problem(at, f"{spec.algo} cannot be built for {spec.env_id}: {_sentence(error)}")


def _keywords(function: Any, leave_out: Collection[str]) -> list[str]:
    """Names of the keyword arguments; none where it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return []
    return [p.name for p in parameters if p.name not in leave_out and not p.name.startswith("_")]


def _sentence(error: BaseException) -> str:
    """An exception's text without `<class '...'>` around names; its type where the text alone says little."""
    text = re.sub(r"<class '(?:[\w.]*\.)?(\w+)'>", r"\1", str(error)).strip()
    return text if isinstance(error, RlauditError | AssertionError) and text else f"{type(error).__name__}: {text}"
