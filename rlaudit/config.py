"""A YAML config becomes a frozen `AuditConfig`, or one error that names everything that is wrong, each with its place.

Validated here once; nobody checks again. `rlaudit schema` prints the JSON schema for editors.
"""

import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from rlaudit import claims, yaml_source
from rlaudit.config_values import (
    BACKEND_NAMES,
    EXPERIMENT_NAMES,
    NUMBER,
    TESTS,
    WHOLE,
    Algorithm,
    BackendName,
    CorrectionName,
    Count,
    ExperimentName,
    FolderName,
    JsonMapping,
    Label,
    ScoreName,
    Seeds,
    Switch,
    SwitchOrMapping,
    TestName,
    Text,
    ascending,
    distinct_names,
    with_a_decider,
)
from rlaudit.errors import ConfigError, did_you_mean
from rlaudit.types import Problem, canonical_json
from rlaudit.yaml_source import KeyPath, Override, YamlText, dotted

_CHOICES: dict[
    str, tuple[str, tuple[str, ...], str]
] = {  # key -> what a value is, the values, the verb that lists them
    "tests": ("a test", TESTS, " (rlaudit list tests)"),
    "correction": ("a correction", get_args(CorrectionName), ""),
    "backend": ("a backend", BACKEND_NAMES, " (rlaudit list backends)"),
    "experiment": ("an experiment", EXPERIMENT_NAMES, " (rlaudit list experiments)"),
    "score": ("a score", get_args(ScoreName), ""),
}


# ---------------------------------------------------------------- models


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _bare_id(value: object) -> object:
    """`CartPole-v1` is short for `{id: CartPole-v1}`."""
    return {"id": value} if isinstance(value, str) else value


class TaskConfig(_Frozen):
    """An environment, and what people call it."""

    id: Annotated[Text, Field(min_length=1, description="gymnasium id, for example CartPole-v1")]
    kwargs: Annotated[JsonMapping, Field(description="keyword arguments of gymnasium.make")] = {}
    name: Annotated[Label | None, Field(description="a label, the id unless given")] = None

    @property
    def label(self) -> str:
        return self.name or self.id


_Task: TypeAlias = Annotated[TaskConfig, BeforeValidator(_bare_id, json_schema_input_type=str | TaskConfig)]


class AgentConfig(_Frozen):
    """What is trained. Two agents with equal settings would be the same runs, and are refused."""

    algo: Annotated[Algorithm, Field(description="PPO, A2C, DQN, ... or an import path package.module:Class")]
    timesteps: Annotated[Count, Field(description="environment steps of training, over all environments")]
    n_envs: Annotated[int, Field(ge=1, le=4096), WHOLE, Field(description="environments side by side in one run")] = 1
    policy: Annotated[Text, Field(min_length=1)] = "MlpPolicy"
    params: Annotated[JsonMapping, Field(description="keyword arguments of the algorithm")] = {}
    policy_kwargs: Annotated[JsonMapping, Field(description="keyword arguments of the policy")] = {}
    normalize: Annotated[SwitchOrMapping, Field(description="VecNormalize: true, or its keyword arguments")] = False
    backend: Annotated[BackendName, Field(description="who trains")] = "sb3"


class EvaluationConfig(_Frozen):
    """When a run is evaluated. Evaluation has random numbers of its own and never changes training."""

    every: Annotated[Count | None, Field(description="timesteps between evaluations; only at the end unless given")] = (
        None
    )
    episodes: Annotated[Count, Field(description="episodes of each evaluation")] = 20
    deterministic: Annotated[Switch, Field(description="take the mode of the policy instead of a sample")] = True


class AuditSettings(_Frozen):
    """What is asked of the scores."""

    alpha: Annotated[float, Field(gt=0, lt=0.5), NUMBER, Field(description="significance level")] = 0.05
    group_sizes: Annotated[
        tuple[Annotated[int, Field(ge=2), WHOLE], ...],
        Field(min_length=1, description="seeds a side"),
        AfterValidator(ascending),
    ] = (2, 3, 5, 10, 20)
    tests: Annotated[
        tuple[TestName, ...],
        Field(min_length=1, description="the first one decides the verdict"),
        AfterValidator(distinct_names),
        AfterValidator(with_a_decider),
    ] = ("welch", "student", "permutation", "bootstrap_percentile", "bootstrap_expanded", "mann_whitney")
    correction: Annotated[
        CorrectionName, Field(description="over all comparisons; max_t goes with permutation_studentised as first test")
    ] = "holm"
    splits: Annotated[
        int, Field(ge=100, le=1_000_000), WHOLE, Field(description="how many are drawn where there are above 100,000")
    ] = 10_000
    margin: Annotated[
        Annotated[float, Field(gt=0), NUMBER] | None, Field(description="a difference below this does not matter")
    ] = None
    claims: Annotated[tuple[Text, ...], Field(description='"a > b", "a >= b - 25", "a == b within 10"; "on TASK"')] = ()
    higher_is_better: Switch = True
    seed: Annotated[int, Field(ge=0, lt=2**63), WHOLE, Field(description="of the audit's own random numbers")] = 0

    @field_validator("correction")
    @classmethod
    def _goes_with_the_test(cls, correction: str, so_far: ValidationInfo) -> str:
        decider = so_far.data.get("tests", ("",))[0]
        if correction == "max_t" and decider != "permutation_studentised":
            raise ValueError(f"corrects permutation_studentised, but {decider} decides; put that first in tests")
        return correction


_Score: TypeAlias = Annotated[ScoreName, Field(description="final, area under the learning curve, or best evaluation")]


class TableConfig(_Frozen):
    """What is asked of scores that exist already."""

    score: _Score = "final"
    audit: AuditSettings = AuditSettings()


class AuditConfig(_Frozen):
    """An audit: which agents on which tasks, from which seeds, and what is asked of them."""

    name: Annotated[FolderName, Field(description="results go to results/<name>")]
    experiment: ExperimentName = "audit"
    tasks: Annotated[tuple[_Task, ...], Field(min_length=1)]
    agents: Annotated[Mapping[Label, AgentConfig], Field(min_length=1)]
    seeds: Seeds
    evaluation: EvaluationConfig = EvaluationConfig()
    score: _Score = "final"
    audit: AuditSettings = AuditSettings()

    @model_validator(mode="before")
    @classmethod
    def _task_or_tasks(cls, data: Any) -> Any:
        """`task: X` is short for `tasks: [X]`; where both are there, `task` stays behind as a key too many."""
        if isinstance(data, Mapping) and "task" in data and "tasks" not in data:
            return {**{key: value for key, value in data.items() if key != "task"}, "tasks": (data["task"],)}
        return data


# ---------------------------------------------------------------- source


@dataclass(frozen=True)
class ConfigSource:
    """The text that a config came from, so that whoever finds a problem later can still point at its line."""

    document: YamlText
    overrides: tuple[Override, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)  # with the overrides applied

    @property
    def path(self) -> Path:
        return self.document.path

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def positions(self) -> Mapping[KeyPath, yaml_source.Place]:
        return self.document.places

    def yaml(self) -> str:
        """The document with overrides applied and comments kept; `experiment` is always there."""
        return yaml_source.rewritten(self.text, self.overrides, {"experiment": "audit"})

    def error(self, problems: Sequence[Problem]) -> ConfigError:
        """All problems in one error, in the order of the file."""
        ordered = sorted(problems, key=lambda problem: self.document.place(self._as_written(problem.path)))
        return ConfigError("\n".join(self._shown(problem) for problem in ordered))

    def _shown(self, problem: Problem) -> str:
        """The sentence with the key's name in front, in the words of the file."""
        path = self._as_written(problem.path)
        name, message = dotted(problem.path), problem.message
        message = dotted(path) + message[len(name) :] if message.startswith(name) else f"{dotted(path)}: {message}"
        for override in self.overrides:
            if path[: len(override.path)] == override.path:
                return f"{override.option}: {message}"
        return self.document.show(self.document.place(path), message) if self.text else message

    def _as_written(self, path: KeyPath) -> KeyPath:
        """`task` and `tasks[0]` are one thing under two names."""
        if path[:2] == ("tasks", 0) and "task" in self.data:
            return ("task", *path[2:])
        if path[:1] == ("task",) and "task" not in self.data:
            return ("tasks", *path[1:])
        return path


def load_config(
    path: Path, overrides: Sequence[str] = (), seeds: str | None = None
) -> tuple[AuditConfig, ConfigSource]:
    """The config and where it stands; ConfigError with everything that is wrong."""
    document = yaml_source.read(path)
    parsed = [yaml_source.parse_override(text, document.data) for text in overrides]
    if seeds is not None:
        parsed.append(Override(f"--seeds {seeds}", ("seeds",), yaml_source.read_value(seeds)))
    data = yaml_source.with_overrides(document.data, parsed)
    source = ConfigSource(document, tuple(parsed), data)
    try:
        config = AuditConfig.model_validate(data)
    except ValidationError as error:
        raise source.error(list(problems_of(error.errors()))) from None
    if problems := list(_contradictions(config)):
        raise source.error(problems)
    return config, source


def settings(overrides: Sequence[str] = (), score: str = "final", **given: Any) -> TableConfig:
    """What is asked where there is no config: keyword arguments, and `audit.alpha=0.01` or `score=auc` over them."""
    data: dict[str, Any] = {"score": score, "audit": given}
    parsed = [yaml_source.parse_override(text, data) for text in overrides]
    for override in parsed:
        if override.path[0] not in TableConfig.model_fields or override.path == ("audit",):
            raise ConfigError(
                f"{override.option}: without a config only score and audit.KEY can be set, such as audit.alpha=0.01"
            )
    data = yaml_source.with_overrides(data, parsed)
    try:
        return TableConfig.model_validate(data)
    except ValidationError as error:
        problems = list(problems_of(error.errors()))
        raise ConfigSource(YamlText(Path(), "", {}, {}), tuple(parsed), data).error(problems) from None


def _contradictions(config: AuditConfig) -> Iterator[Problem]:
    """What is wrong although each value is right."""
    yield from _repeated(
        "agents", {label: canonical_json(agent.model_dump()) for label, agent in config.agents.items()}
    )
    first: dict[str, int] = {}
    for index, task in enumerate(config.tasks):
        if first.setdefault(task.label, index) != index:
            yield Problem(
                ("tasks", index), f"is called {task.label!r} like tasks[{first[task.label]}]; give it a `name:`"
            )
    if config.score != "final" and config.evaluation.every is None:
        yield _at(("score",), f"= {config.score!r} needs a learning curve: set evaluation.every")
    for index, text in enumerate(config.audit.claims):
        try:
            claims.parse(text, config.agents, [task.label for task in config.tasks])
        except ConfigError as error:
            yield _at(("audit", "claims", index), f"= {text!r} {error}")


def _repeated(block: str, contents: Mapping[str, str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for label, content in contents.items():
        twin = first.setdefault(content, label)
        if twin != label:
            sentence = f"is {block}.{twin} under another name: their runs would be the same runs. Change or remove one"
            yield _at((block, label), sentence)


# ---------------------------------------------------------------- schema


def json_schema() -> dict[str, Any]:
    """What editors complete and check with; `task` is the short form of `tasks`."""
    schema = AuditConfig.model_json_schema(mode="validation")
    task = schema["properties"]["tasks"]["items"]
    properties = {"name": schema["properties"]["name"], "task": task, **schema["properties"]}
    required = [name for name in schema["required"] if name != "tasks"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "rlaudit config",
        "properties": {name: _without_titles(value) for name, value in properties.items()},
        "$defs": _without_titles(schema["$defs"]),
        "required": required,
        "oneOf": [{"required": ["task"]}, {"required": ["tasks"]}],
    }


def _without_titles(schema: Any) -> Any:
    """Pydantic titles every key with its own name; a title that is a key called `title` would be a mapping."""
    if isinstance(schema, list):
        return [_without_titles(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}


# ---------------------------------------------------------------- sentences

_BLOCKS: dict[str | int, type[BaseModel]] = {
    "tasks": TaskConfig,
    "agents": AgentConfig,
    "evaluation": EvaluationConfig,
    "audit": AuditSettings,
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


def _at(path: KeyPath, predicate: str) -> Problem:
    return Problem(path, f"{dotted(path)} {predicate}")


def problems_of(errors: Sequence[ErrorDetails]) -> Iterator[Problem]:
    """Pydantic's errors in this project's words."""
    paths = [tuple(part for part in error["loc"] if part != "[key]") for error in errors]
    for path, error in zip(paths, errors, strict=True):
        consequence = error["type"] == "too_short" and any(other[: len(path)] == path != other for other in paths)
        if path == ("tasks",) and error["type"] == "missing":
            yield Problem((), "task (or tasks) is missing")
        elif not consequence:  # a list whose items are refused counts as empty
            yield _at(path, _sentence(path, error))


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
    return ["task", *AuditConfig.model_fields] if not block else list(_BLOCKS[block[0]].model_fields)


def shown(value: object) -> str:
    """As YAML would write it, and not too long."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return reprlib.repr(value)
