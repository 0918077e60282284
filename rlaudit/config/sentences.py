"""What is wrong with a config, in this project's words."""

import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from pydantic import (
    BaseModel,
)
from pydantic_core import ErrorDetails

from rlaudit.config.blocks import BLOCKS, InitializerConfig
from rlaudit.config.models import AgentConfig, AuditConfig, AuditSettings, EvaluationConfig, TaskConfig
from rlaudit.config.sequential import SequentialSeeds
from rlaudit.config_values import (
    BACKEND_NAMES,
    EXPERIMENT_NAMES,
    PROCEDURES,
    SCHEMES,
    TESTS,
    CorrectionName,
    LooksName,
    ScoreName,
)
from rlaudit.errors import did_you_mean
from rlaudit.types import Problem
from rlaudit.yaml_source import KeyPath, dotted

_CHOICES: dict[
    str, tuple[str, tuple[str, ...], str]
] = {  # key -> what a value is, the values, the verb that lists them
    "tests": ("a test", TESTS, " (rlaudit list tests)"),
    "procedures": ("a procedure", PROCEDURES, " (rlaudit list procedures)"),
    "correction": ("a correction", get_args(CorrectionName), ""),
    "backend": ("a backend", BACKEND_NAMES, " (rlaudit list backends)"),
    "experiment": ("an experiment", EXPERIMENT_NAMES, " (rlaudit list experiments)"),
    **dict.fromkeys(("scheme", "schemes"), ("an initializer", SCHEMES, " (rlaudit list initializers)")),
    "score": ("a score", get_args(ScoreName), ""),
    "design": ("a design", get_args(LooksName), " (a fixed number of seeds is `seeds: 20`)"),
    "until": ("an end", ("decided",), ""),
}

_BLOCKS: Mapping[str | int, type[BaseModel]] = {
    "tasks": TaskConfig,
    "agents": AgentConfig,
    "evaluation": EvaluationConfig,
    "audit": AuditSettings,
    "seeds": SequentialSeeds,
    **BLOCKS,
}
_SENTENCES = {  # pydantic's error type -> predicate
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "is not a finite number",
    "string_too_short": "is empty",
    "too_short": "is empty",
    "string_type": "is not text; put it in quotes",
    "tuple_type": "is not a list",
    "dict_type": "is not a mapping of keys",
    "mapping_type": "is not a mapping of keys",
    "model_type": "is not a mapping of keys",
    "model_attributes_type": "is not a mapping of keys",
}


def at(path: KeyPath, predicate: str) -> Problem:
    """The predicate with the key in front of it."""
    return Problem(path, f"{dotted(path)} {predicate}")


def problems_of(errors: Sequence[ErrorDetails]) -> Iterator[Problem]:
    """Pydantic's errors in this project's words."""
    paths = [tuple(part for part in error["loc"] if part != "[key]") for error in errors]
    for path, error in zip(paths, errors, strict=True):
        consequence = error["type"] == "too_short" and any(other[: len(path)] == path != other for other in paths)
        if path == ("tasks",) and error["type"] == "missing":
            yield Problem((), "task (or tasks) is missing")
        elif not consequence:  # a list whose items are refused counts as empty
            yield at(path, _sentence(path, error))


def _sentence(path: KeyPath, error: ErrorDetails) -> str:
    kind, found = error["type"], shown(error["input"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden" and path == ("task",):
        return "and `tasks` are both there; keep one of them"
    if kind == "extra_forbidden":
        hint = "; hyper-parameters of the algorithm stand under params" if path[0] == "agents" else ""
        return f"is no key here{hint}.{did_you_mean(path[-1], _keys(path[:-1]))}"
    if kind == "literal_error":
        noun, choices, verb = _CHOICES[next(str(part) for part in reversed(path) if part in _CHOICES)]
        return f"= {found} is not {noun}.{did_you_mean(error['input'], choices)}{verb}"
    context = error.get("ctx", {})
    predicate = _SENTENCES[kind].format(**context) if kind in _SENTENCES else str(context.get("error", error["msg"]))
    return predicate if "[key]" in error["loc"] else f"= {found} {predicate}"


def _keys(block: KeyPath) -> list[str]:
    if not block:
        return ["task", *(field.alias or name for name, field in AuditConfig.model_fields.items())]
    inside = InitializerConfig if block[2:] == ("initializer",) else _BLOCKS[block[0]]
    return list(inside.model_fields)


def shown(value: object) -> str:
    """As YAML would write it, and not too long."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return reprlib.repr(value)
