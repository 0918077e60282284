"""Hyper-parameters of rl-baselines3-zoo: an entry of its YAML files becomes what the config would say itself.

`zoo: hyperparams/ppo.yml#CartPole-v1` fills in whatever the agent does not state: the values become overrides of the
config's data, so that a stored config stands on its own and a run is named by its values, wherever they came from.

Entries are read as rl_zoo3 2.9 reads them (its exp_manager.py), but nothing in them is run.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rlaudit import yaml_source
from rlaudit.config.literals import literal
from rlaudit.config.sentences import at, shown
from rlaudit.config_values import jsonable
from rlaudit.errors import ConfigError, did_you_mean
from rlaudit.types import Problem
from rlaudit.yaml_source import KeyPath, Override, Place, YamlText

_ALGORITHMS: Mapping[str, str] = {  # the file's name says the algorithm
    **{name.lower(): name for name in ("PPO", "A2C", "DQN", "SAC", "TD3", "DDPG", "TRPO", "ARS", "CrossQ", "TQC")},
    "qrdqn": "QRDQN",
    "ppo_lstm": "RecurrentPPO",
}
_ATARI = re.compile(r"ALE/|\w+NoFrameskip-v\d+$")

ReadFile: TypeAlias = Callable[[str], YamlText]
Reader: TypeAlias = Callable[[str, Any, Mapping[str, Any]], Mapping[KeyPath, Any]]  # (key, value, entry) -> by path


class Filled(NamedTuple):
    """What zoo files say about the agents of a config."""

    overrides: tuple[Override, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class _Entry(NamedTuple):
    """One block of a zoo file, for one agent."""

    document: YamlText
    file: str  # as the config names it
    key: str
    label: str  # of the agent
    algo: str
    places: Mapping[str | int, Place]  # of its keys
    note: str = ""  # why it is this block

    @property
    def values(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document.data[self.key]
        return found

    def override(self, key: str, path: KeyPath, value: Any) -> Override:
        """The value at its path within the agent, with the line of the file that says so."""
        place = self.places.get(key) or self.document.place((self.key,))
        where = f"{self.document.path}:{place.line + 1}:{place.column + 1}"
        excerpt = yaml_source.caret(self.document.text, place)
        return Override(where, ("agents", self.label, *path), value, excerpt)


def fill(folder: Path, data: Mapping[str, Any]) -> Filled:
    """What is read for every agent that names a zoo file; blocks that are no mappings are left to be refused."""
    agents = data.get("agents")
    read = cache(lambda file: yaml_source.read(folder / file, version=(1, 1)))  # a long file takes .2 s
    parts = [
        _fill_agent(read, data, label, agent)
        for label, agent in (agents.items() if isinstance(agents, Mapping) else ())
        if isinstance(agent, Mapping) and isinstance(agent.get("zoo"), str)
    ]
    return Filled(
        tuple(override for part in parts for override in part.overrides),
        tuple(problem for part in parts for problem in part.problems),
        tuple(note for part in parts for note in part.notes),
    )


def _fill_agent(read: ReadFile, data: Mapping[str, Any], label: str, agent: Mapping[str, Any]) -> Filled:
    try:
        entry = _find(read, _task_ids(data), label, agent)
    except (ConfigError, ValueError) as error:
        return Filled(problems=(at(("agents", label, "zoo"), f"= {shown(agent['zoo'])}: {error}"),))
    said = [*_said(entry, data)]
    overrides = [one for one in said if isinstance(one, Override)]
    problems = tuple(one for one in said if isinstance(one, Problem))
    notes = [entry.note] * bool(entry.note) + [one for one in said if isinstance(one, str)]
    if problems:
        return Filled(tuple(overrides), problems)
    overrides = [one for one in overrides if not _states(agent, one.path[2:])]
    if not overrides:
        sentence = "gives nothing that the agent does not state itself; leave it out"
        return Filled(problems=(at(("agents", label, "zoo"), sentence),))
    source = f"hyper-parameters of rl-baselines3-zoo: {entry.file}#{entry.key}"
    in_order = _in_order(overrides, "\n".join([source, *notes]))
    return Filled(tuple(in_order), (), tuple(f"agents.{label}: {note}" for note in notes))


def _states(agent: Mapping[str, Any], path: KeyPath) -> bool:
    """The agent says it itself; a block that is no mapping says everything, and will be refused."""
    block = agent if len(path) == 1 else agent.get(str(path[0]), {})
    return not isinstance(block, Mapping) or path[-1] in block


def _in_order(overrides: Sequence[Override], comment: str) -> Iterator[Override]:
    """A plain value takes the place of `zoo`; each further one goes to the top, so the last carries the comment."""
    plain = sorted(overrides, key=lambda one: len(one.path) > 3 or isinstance(one.value, Mapping | list))
    ordered = [plain[0], *reversed(plain[1:])]
    for override in ordered:
        first, last = override is ordered[0], override is ordered[-1]
        yield override._replace(replaces="zoo" if first else "", note=comment if last else "")


# ---------------------------------------------------------------- which entry


def _find(read: ReadFile, task_ids: Sequence[str], label: str, agent: Mapping[str, Any]) -> _Entry:
    """Raises ConfigError or ValueError with what is wrong about the reference."""
    file, _, key = agent["zoo"].partition("#")
    for trainer in ("command", "train"):
        if agent.get(trainer):
            raise ValueError(f"holds arguments of stable-baselines3, which do not go with `{trainer}`")
    if Path(file).suffix not in (".yml", ".yaml"):
        raise ValueError("is no YAML file of rl-baselines3-zoo, such as hyperparams/ppo.yml#CartPole-v1")
    algo = agent.get("algo") or _ALGORITHMS.get(Path(file).stem)
    if algo is None:
        raise ValueError(
            f"the file's name says no algorithm.{did_you_mean(Path(file).stem, _ALGORITHMS)} Or state `algo`"
        )
    document = read(file)
    found = _existing(document, key) if key else _for_all(document, task_ids)
    own = key or _bare(task_ids[0])
    note = "" if found == own else f"{file} has no entry {own}; {found!r} is read, as in rl_zoo3"
    return _Entry(document, file, found, label, algo, _places(document, found), note)


def _for_all(document: YamlText, task_ids: Sequence[str]) -> str:
    """An agent has one set of hyper-parameters, so the entries of its tasks must be one."""
    if not task_ids:
        raise ValueError("no task says which entry; name one: ppo.yml#CartPole-v1")
    first, *others = [_for_task(document, task_id) for task_id in task_ids]
    if unlike := [other for other in others if document.data[other] != document.data[first]]:
        raise ValueError(f"the entries {first} and {unlike[0]} differ; name one for all tasks, such as #{first}")
    return first


def _existing(document: YamlText, key: str) -> str:
    if not isinstance(document.data.get(key), dict):
        if key in document.data:
            raise ValueError(f"{key!r} is no mapping of keys in {document.path}")
        raise ValueError(f"{document.path} has no entry {key!r}.{_short(did_you_mean(key, document.data))}")
    return key


def _bare(task_id: str) -> str:
    """Without the module in front, which gymnasium imports."""
    return task_id.rpartition(":")[2]


def _for_task(document: YamlText, task_id: str) -> str:
    """As rl_zoo3 does: the task's own entry, that of all Atari games, or the default."""
    name = _bare(task_id)
    for key in (name, "atari" if _ATARI.match(name) else "", "default"):
        if key in document.data:
            return _existing(document, key)
    return _existing(document, name)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _task_ids(data: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(task["id"] for task in _tasks(data) if isinstance(task.get("id"), str)))


def _tasks(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tasks = data["tasks"] if isinstance(data.get("tasks"), list) else [data.get("task")]
    return [{"id": task} if isinstance(task, str) else task for task in tasks if isinstance(task, str | Mapping)]


def _places(document: YamlText, entry: str) -> Mapping[str | int, Place]:
    """Where its keys are written: in the entry itself, or in blocks that it merges."""
    written = [path for path in document.places if path[:1] == (entry,) and all(map(_merges, path[1:-1]))]
    return {path[-1]: document.places[path] for path in sorted(written, key=len, reverse=True)}


def _merges(part: str | int) -> bool:
    return part == "<<" or isinstance(part, int)


# ---------------------------------------------------------------- what it says


def _said(entry: _Entry, data: Mapping[str, Any]) -> Iterator[Override | Problem | str]:
    """Values, what is wrong with them (after an override that says where), and sentences about what is left out."""
    yield entry.override("", ("algo",), entry.algo)
    for key, value in entry.values.items():
        if key in _LEFT_OUT and value:
            yield f"{key} of {entry.key} is left out: {_LEFT_OUT[key]}"
        elif key == "n_envs" and entry.algo == "ARS":  # rl_zoo3 gives the agent one environment
            yield f"n_envs of {entry.key} is left out: rl_zoo3 evaluates in as many processes there, rlaudit in one"
        elif key not in _LEFT_OUT:
            yield from _read(entry, key, value, _tasks(data))


def _read(entry: _Entry, key: str, value: Any, tasks: Sequence[Mapping[str, Any]]) -> Iterator[Override | Problem]:
    try:
        if key == "env_kwargs":
            _check_env_kwargs(value, tasks)
        read = _READERS.get(key, _param)(key, value, entry.values)
        jsonable({key: list(read.values())})
    except ValueError as error:
        yield entry.override(key, (key,), value)
        yield at(("agents", entry.label, key), str(error))
        return
    for path, new in read.items():
        yield entry.override(key, path, new)


_LEFT_OUT = {
    "callback": "rlaudit evaluates by itself; a callback that changes training makes other runs",
    "monitor_kwargs": "rlaudit has a Monitor of its own",
}


def _param(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    return {("params", key): value}


def _own_key(name: str) -> Reader:
    return lambda key, value, entry: {(name,): value}


def _timesteps(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    return {("timesteps",): int(value) if isinstance(value, float) and value.is_integer() else value}


def _policy(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    """`package.module.Policy` is an import path."""
    return {("policy",): ":".join(value.rsplit(".", 1)) if isinstance(value, str) and ":" not in value else value}


def _schedule(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    if isinstance(value, str):
        _number(value.removeprefix("lin_") if value.startswith("lin_") else "", value)
    return {("params", key): value}


def _number(text: str, value: str) -> None:
    try:
        float(text)
    except ValueError:
        raise ValueError(f"= {shown(value)} is no schedule; lin_3e-4 falls linearly to 0") from None


def _normalize(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    """The algorithm's discount factor, where there is one, holds for the rewards as well."""
    settings = _data(key, value)
    if isinstance(settings, Mapping) and "gamma" in entry:
        settings = {name: setting for name, setting in settings.items() if name != "gamma"}
    return {("normalize",): settings}


def _policy_kwargs(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    settings = _data(key, value)
    if not isinstance(settings, Mapping):
        raise ValueError(f"= {shown(value)} is no mapping of keys")
    return {("policy_kwargs", name): setting for name, setting in settings.items()}


def _python(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    return {("params", key): _data(key, value)}


def _data(key: str, value: Any) -> Any:
    """What a text in Python's spelling stands for."""
    if not isinstance(value, str):
        return value
    try:
        return literal(value, key)
    except ValueError as error:
        raise ValueError(f"= {shown(value)} {error}") from None


def _noise(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    """rl_zoo3 looks for the names within the text, "normal" first."""
    if key == "noise_std" and "noise_type" in entry:
        return {}
    kinds = [kind for kind in ("normal", "ornstein-uhlenbeck") if kind in str(entry.get("noise_type"))]
    if not kinds or "noise_std" not in entry:
        raise ValueError(f"= {shown(value)}: noise_type, normal or ornstein-uhlenbeck, and noise_std go together")
    return {("params", "action_noise"): {"type": kinds[0], "std": entry["noise_std"]}}


def _wrappers(key: str, value: Any, entry: Mapping[str, Any]) -> Mapping[KeyPath, Any]:
    """Those of each environment, then those of all of them together, each inside out."""
    lists = [entry[name] for name in ("env_wrapper", "vec_env_wrapper") if entry.get(name) is not None]
    wrappers = [one for some in lists for one in (some if isinstance(some, list) else [some])]
    return {("wrappers",): wrappers} if wrappers else {}


def _check_env_kwargs(value: Any, tasks: Sequence[Mapping[str, Any]]) -> None:
    """They make another task, which all agents must share."""
    for task in tasks:
        kwargs = task.get("kwargs") or {}
        if not isinstance(value, Mapping) or any(name not in kwargs or kwargs[name] != value[name] for name in value):
            raise ValueError(
                f"= {shown(value)} belongs to the task, which all agents share: {{id: {task.get('id')}, kwargs: ...}}"
            )


_READERS: Mapping[str, Reader] = {  # a key that is not here is an argument of the algorithm
    "n_timesteps": _timesteps,
    "n_envs": _own_key("n_envs"),
    "policy": _policy,
    "policy_kwargs": _policy_kwargs,
    "normalize": _normalize,
    "frame_stack": _own_key("frame_stack"),
    "env_wrapper": _wrappers,
    "vec_env_wrapper": _wrappers,
    "env_kwargs": lambda key, value, entry: {},
    **dict.fromkeys(("learning_rate", "clip_range", "clip_range_vf", "delta_std"), _schedule),
    **dict.fromkeys(("replay_buffer_class", "replay_buffer_kwargs", "train_freq"), _python),
    **dict.fromkeys(("noise_type", "noise_std"), _noise),
}
