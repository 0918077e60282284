"""What a config holds: frozen models, validated once; nobody checks again."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rlaudit.config.base import Frozen
from rlaudit.config.blocks import (
    ConvexConfig,
    Initializer,
    InitializersConfig,
    ReproduceConfig,
    SourcesConfig,
    TicketsConfig,
)
from rlaudit.config.sequential import SeedsOrLooks, SequentialSeeds
from rlaudit.config_values import (
    NUMBER,
    PROCEDURES,
    WHOLE,
    Algorithm,
    BackendName,
    CorrectionName,
    Count,
    ExperimentName,
    FolderName,
    ImportPath,
    JsonMapping,
    Label,
    Memory,
    ProcedureName,
    ScoreName,
    Switch,
    SwitchOrMapping,
    TestName,
    Text,
    Wrapper,
    ascending,
    bounds,
    distinct_names,
    with_a_decider,
)


def _bare_id(value: object) -> object:
    """`CartPole-v1` is short for `{id: CartPole-v1}`."""
    return {"id": value} if isinstance(value, str) else value


class TaskConfig(Frozen):
    """An environment, and what people call it."""

    id: Annotated[Text, Field(min_length=1, description="gymnasium id, for example CartPole-v1")]
    kwargs: Annotated[JsonMapping, Field(description="keyword arguments of gymnasium.make")] = {}
    name: Annotated[Label | None, Field(description="a label, the id unless given")] = None

    @property
    def label(self) -> str:
        return self.name or self.id


_Task: TypeAlias = Annotated[TaskConfig, BeforeValidator(_bare_id, json_schema_input_type=str | TaskConfig)]


class AgentConfig(Frozen):
    """What is trained: by `algo`, `command` or `train`. Two agents with equal settings are the same runs: refused."""

    algo: Annotated[
        Algorithm | None, Field(description="PPO, A2C, DQN, ... or an import path package.module:Class")
    ] = None
    command: Annotated[
        Text | None,
        Field(
            min_length=1,
            description="a program, run without a shell in an empty folder: python ppo.py --seed {seed} --env-id {env} "
            "--total-timesteps {steps}; also {seed.init}, {seed.env}, {seed.algo}, {agent}, {task}, {folder}, {out}",
        ),
    ] = None
    train: Annotated[
        ImportPath | None,
        Field(description="a Python function, package.module:function, called with env_id, timesteps, seed and params"),
    ] = None
    zoo: Annotated[
        Text | None, Field(description="hyper-parameters of rl-baselines3-zoo: path/to/ppo.yml#CartPole-v1")
    ] = None
    timesteps: Annotated[Count, Field(description="environment steps of training, over all environments")]
    n_envs: Annotated[int, Field(ge=1, le=4096), WHOLE, Field(description="environments side by side in one run")] = 1
    policy: Annotated[Text, Field(min_length=1)] = "MlpPolicy"
    params: Annotated[
        JsonMapping,
        Field(description="keyword arguments of the algorithm or function; of a command its {placeholders}"),
    ] = {}
    policy_kwargs: Annotated[JsonMapping, Field(description="keyword arguments of the policy")] = {}
    normalize: Annotated[SwitchOrMapping, Field(description="VecNormalize: true, or its keyword arguments")] = False
    wrappers: Annotated[
        tuple[Wrapper, ...],
        Field(description="of each environment, inside out: package.module:Class, or {that: {key: value}}"),
    ] = ()
    frame_stack: Annotated[int, Field(ge=1, le=64), WHOLE, Field(description="observations stacked")] = 1
    initializer: Annotated[
        Initializer | None,
        Field(description="how the weights are drawn: he_normal, or {scheme: he_normal, last_gain: 1}"),
    ] = None
    result: Annotated[
        JsonMapping,
        Field(
            description="a command's result: {file: results.csv, format: ..., columns: ...}, or {pattern: 'step={step} "
            "return={return}'} of lines on standard output; training: true where each number is a training episode"
        ),
    ] = {}
    environment: Annotated[JsonMapping, Field(description="a command's environment variables, with placeholders")] = {}
    timeout: Annotated[
        Annotated[float, Field(gt=0), NUMBER] | None, Field(description="seconds after which a run is stopped")
    ] = None
    memory: Annotated[Memory | None, Field(description="resident memory above which a run is stopped, such as 2GB")] = (
        None
    )
    backend: Annotated[BackendName | None, Field(description="who trains; follows from algo, command or train")] = None

    @property
    def trainer(self) -> BackendName:
        """The backend that trains this agent."""
        return self.backend or ("command" if self.command else "function" if self.train else "sb3")

    def takes(self, *names: str) -> bool:
        """Whether the command is given one of these placeholders."""
        texts = [self.command or "", *map(str, self.environment.values())]
        return any(f"{{{name}{end}" in text for name in names for end in "}." for text in texts)


class EvaluationConfig(Frozen):
    """When a run is evaluated. Evaluation has random numbers of its own and never changes training."""

    every: Annotated[Count | None, Field(description="timesteps between evaluations; only at the end unless given")] = (
        None
    )
    episodes: Annotated[Count, Field(description="episodes of each evaluation")] = 20
    deterministic: Annotated[Switch, Field(description="take the mode of the policy instead of a sample")] = True


class AuditSettings(Frozen):
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
    procedures: Annotated[
        tuple[ProcedureName, ...],
        Field(description="habits of concluding to try on these runs"),
        AfterValidator(distinct_names),
    ] = PROCEDURES
    margin: Annotated[
        Annotated[float, Field(gt=0), NUMBER] | None, Field(description="a difference below this does not matter")
    ] = None
    claims: Annotated[tuple[Text, ...], Field(description='"a > b", "a >= b - 25", "a == b within 10"; "on TASK"')] = ()
    normalise: Annotated[
        Mapping[Label, Annotated[tuple[Annotated[float, NUMBER], Annotated[float, NUMBER]], AfterValidator(bounds)]],
        Field(description="task: [score of a random agent, a good score]; puts several tasks on one scale"),
    ] = {}
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


class TableConfig(Frozen):
    """What is asked of scores that exist already."""

    score: _Score = "final"
    audit: AuditSettings = AuditSettings()


class AuditConfig(Frozen):
    """An audit: which agents on which tasks, from which seeds, and what is asked of them."""

    name: Annotated[FolderName, Field(description="results go to results/<name>")]
    experiment: ExperimentName = "audit"
    tasks: Annotated[tuple[_Task, ...], Field(min_length=1)]
    agents: Annotated[Mapping[Label, AgentConfig], Field(min_length=1)]
    asked_seeds: Annotated[SeedsOrLooks, Field(alias="seeds")]
    evaluation: EvaluationConfig = EvaluationConfig()
    score: _Score = "final"
    audit: AuditSettings = AuditSettings()
    reproduce: ReproduceConfig = ReproduceConfig()
    sources: SourcesConfig = SourcesConfig()
    initializers: InitializersConfig = InitializersConfig()
    tickets: TicketsConfig = TicketsConfig()
    convex: ConvexConfig = ConvexConfig()
    _folder: str = PrivateAttr("")  # where the config stands; set by whoever reads it

    @property
    def seeds(self) -> tuple[int, ...]:
        """All that may be needed: fewer, where looks end it earlier."""
        return self.asked_seeds.seeds if isinstance(self.asked_seeds, SequentialSeeds) else self.asked_seeds

    @property
    def sequential(self) -> SequentialSeeds | None:
        """When is looked at the seeds; None where their number is fixed."""
        asked = self.asked_seeds
        return asked if isinstance(asked, SequentialSeeds) and self.experiment == "audit" else None

    @property
    def folder(self) -> str:
        """Where programs beside the config are found."""
        return self._folder

    @model_validator(mode="before")
    @classmethod
    def _task_or_tasks(cls, data: Any) -> Any:
        """`task: X` is short for `tasks: [X]`; where both are there, `task` stays behind as a key too many."""
        if isinstance(data, Mapping) and "task" in data and "tasks" not in data:
            return {**{key: value for key, value in data.items() if key != "task"}, "tasks": (data["task"],)}
        return data
