"""A YAML config becomes a frozen `AuditConfig`, or one error that names everything that is wrong, each with its place.

Validated here once; nobody checks again. `rlaudit schema` prints the JSON schema for editors.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rlaudit import claims, yaml_source
from rlaudit.config import design, laboratory, trainers, zoo
from rlaudit.config.models import (
    AgentConfig,
    AuditConfig,
    AuditSettings,
    EvaluationConfig,
    TableConfig,
    TaskConfig,
)  # fmt: skip
from rlaudit.config.schema import json_schema
from rlaudit.config.sentences import at, problems_of
from rlaudit.config.sequential import SequentialSeeds
from rlaudit.config.source import ConfigSource
from rlaudit.errors import ConfigError, did_you_mean
from rlaudit.types import Problem, canonical_json
from rlaudit.yaml_source import Override, YamlText

__all__ = [
    "AgentConfig",
    "AuditConfig",
    "AuditSettings",
    "ConfigSource",
    "EvaluationConfig",
    "SequentialSeeds",
    "TableConfig",
    "TaskConfig",
    "json_schema",
    "load_config",
    "settings",
]


def load_config(
    path: Path, overrides: Sequence[str] = (), seeds: str | None = None, claims: Sequence[str] = ()
) -> tuple[AuditConfig, ConfigSource]:
    """The config and where it stands, with `claims` beside its own; ConfigError with everything that is wrong."""
    document = yaml_source.read(path)
    parsed = [yaml_source.parse_override(text, document.data) for text in overrides]
    if seeds is not None:
        parsed.append(Override(f"--seeds {seeds}", ("seeds",), yaml_source.read_value(seeds)))
    parsed += _more_claims(yaml_source.with_overrides(document.data, parsed), claims)
    data = yaml_source.with_overrides(document.data, parsed)
    filled = zoo.fill(path.parent, data)
    parsed += filled.overrides
    if filled.problems:
        raise ConfigSource(document, tuple(parsed), data).error(filled.problems)
    data = yaml_source.with_overrides(document.data, parsed)
    source = ConfigSource(document, tuple(parsed), data, filled.notes)
    try:
        config = AuditConfig.model_validate(data)
    except ValidationError as error:
        raise source.error(list(problems_of(error.errors()))) from None
    config._folder = str(path.resolve().parent)
    if problems := list(_contradictions(config)):
        raise source.error(problems)
    return config, source


def settings(
    overrides: Sequence[str] = (), score: str = "final", *, claims: Sequence[str] = (), **given: Any
) -> TableConfig:
    """What is asked where there is no config: keyword arguments, and `audit.alpha=0.01` or `score=auc` over them.

    `claims` stand beside any that an override states.
    """
    data: dict[str, Any] = {"score": score, "audit": given}
    parsed = [yaml_source.parse_override(text, data) for text in overrides]
    for override in parsed:
        if override.path[0] not in TableConfig.model_fields or override.path == ("audit",):
            raise ConfigError(
                f"{override.option}: without a config only score and audit.KEY can be set, such as audit.alpha=0.01"
            )
    data = yaml_source.with_overrides(data, [*parsed, *_more_claims(yaml_source.with_overrides(data, parsed), claims)])
    try:
        return TableConfig.model_validate(data)
    except ValidationError as error:
        problems = list(problems_of(error.errors()))
        raise ConfigSource(YamlText(Path(), "", {}, {}), tuple(parsed), data).error(problems) from None


def _more_claims(data: Mapping[str, Any], claims: Sequence[str]) -> list[Override]:
    """`--claim` adds to what the config states; a list that is none is left to be refused."""
    audit = data.get("audit") or {}
    stated = audit.get("claims") if isinstance(audit, Mapping) else None
    if not claims or not isinstance(stated, list | tuple | None):
        return []
    return [
        Override("--claim", ("audit", "claims"), [*(stated or ()), *([claims] if isinstance(claims, str) else claims)])
    ]


def _contradictions(config: AuditConfig) -> Iterator[Problem]:
    """What is wrong although each value is right."""
    yield from _repeated("agents", {label: _content(label, agent) for label, agent in config.agents.items()})
    first: dict[str, int] = {}
    for index, task in enumerate(config.tasks):
        if first.setdefault(task.label, index) != index:
            yield Problem(
                ("tasks", index), f"is called {task.label!r} like tasks[{first[task.label]}]; give it a `name:`"
            )
    yield from trainers.problems(config)
    yield from laboratory.problems(config)
    yield from design.problems(config)
    yield from _misplaced_references(config)
    for index, text in enumerate(config.audit.claims):
        try:
            claims.parse(text, config.agents, [task.label for task in config.tasks])
        except ConfigError as error:
            yield at(("audit", "claims", index), f"= {text!r} {error}")


def _content(label: str, agent: AgentConfig) -> str:
    """What tells two agents apart; the label does where the command is given it."""
    what = agent.model_dump(exclude={"timeout", "memory"})
    return canonical_json([what, label if agent.takes("agent") else ""])


def _misplaced_references(config: AuditConfig) -> Iterator[Problem]:
    labels = [task.label for task in config.tasks]
    for task, (first, second) in config.audit.normalise.items():
        if task not in labels:
            yield at(("audit", "normalise", task), f"is no task of this config.{did_you_mean(task, labels)}")
        elif (first < second) != config.audit.higher_is_better:
            better = "higher" if config.audit.higher_is_better else "lower"
            sentence = f"= [{first:g}, {second:g}], but {better} is better: give the worse score first"
            yield at(("audit", "normalise", task), sentence)


def _repeated(block: str, contents: Mapping[str, str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for label, content in contents.items():
        twin = first.setdefault(content, label)
        if twin != label:
            sentence = f"is {block}.{twin} under another name: their runs would be the same runs. Change or remove one"
            yield at((block, label), sentence)
