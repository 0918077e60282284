"""What trains an agent, and which keys go with it."""

from collections.abc import Iterator

from rlaudit.config.models import AuditConfig
from rlaudit.config.sentences import at
from rlaudit.types import Problem

_COMMON = {"timesteps", "params", "timeout", "memory", "backend"}
_KEYS = {
    "algo": {
        *_COMMON,
        "algo",
        "zoo",
        "n_envs",
        "policy",
        "policy_kwargs",
        "normalize",
        "wrappers",
        "frame_stack",
        "initializer",
    },
    "command": {*_COMMON, "command", "result", "environment"},
    "train": {*_COMMON, "train"},
}
_BACKENDS = {"algo": "sb3", "command": "command", "train": "function"}


def problems(config: AuditConfig) -> Iterator[Problem]:
    """Each agent says once what trains it, and nothing that only other trainers understand."""
    for label, agent in config.agents.items():
        said = [key for key in _BACKENDS if getattr(agent, key)]
        if len(said) != 1:
            found = "none of them is there" if not said else f"{' and '.join(said)} are there"
            yield at(("agents", label), f"needs one of algo, command and train; {found}")
            continue
        if agent.backend and agent.backend != _BACKENDS[said[0]]:
            yield at(("agents", label, "backend"), f"= {agent.backend!r} does not go with `{said[0]}`; leave it out")
        for key in agent.model_fields_set - _KEYS[said[0]]:
            whose = " and ".join(f"`{other}`" for other, keys in _KEYS.items() if key in keys)
            yield at(("agents", label, key), f"does not go with `{said[0]}`: it is a key of agents with {whose}")
        if said == ["command"] and len(config.tasks) > 1 and not agent.takes("env", "task"):
            sentence = f"holds neither {{env}} nor {{task}}: it would train the same on all {len(config.tasks)} tasks"
            yield at(("agents", label, "command"), sentence)
    yield from _evaluation(config)


def _evaluation(config: AuditConfig) -> Iterator[Problem]:
    """A program or function evaluates itself."""
    trainers = {agent.trainer for agent in config.agents.values()}
    if "sb3" not in trainers and "evaluation" in config.model_fields_set:
        yield at(("evaluation",), "is for agents with `algo`; a program or function evaluates itself. Leave it out")
    if config.score == "final":
        return
    if "sb3" in trainers and config.evaluation.every is None:
        yield at(("score",), f"= {config.score!r} needs a learning curve: set evaluation.every")
    for label, agent in config.agents.items():
        if "pattern" in agent.result and "{step}" not in str(agent.result["pattern"]):
            sentence = f"holds no {{step}}, and score = {config.score!r} needs a learning curve"
            yield at(("agents", label, "result", "pattern"), sentence)
