"""The nouns of rlaudit, all frozen. Read this first.

A config becomes a plan of `RunSpec`s. A backend trains specs into `RunRecord`s; an importer reads records from
someone else's files. Scores turn records into a `ScoreTable`, one number per seed; splits deal the seeds into
groups; a comparison tests groups; findings say what that means. `results.py` holds the nouns of a finished audit.

Arrays are copied on the way in and read-only afterwards; their shapes are written behind them.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
SeedLabel: TypeAlias = int | str  # what people call a run: 12, or "run_a" in somebody else's files
Alternative: TypeAlias = Literal["two-sided", "greater", "less"]  # "greater": a scores higher, as in scipy
Estimand: TypeAlias = Literal[  # what a test's interval is about
    "mean difference",  # mean(a) - mean(b)
    "trimmed mean difference",
    "shift",  # Hodges-Lehmann: the median of a - b over all pairs of seeds
    "P(A > B)",  # ties count half
    "violation ratio",  # of stochastic order: 0 where a dominates, 1 where b does
]


def frozen_array(values: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """A read-only copy, so that a noun can be shared without fear."""
    array: NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


# ---------------------------------------------------------------- runs


@dataclass(frozen=True)
class Seeds:
    """The three streams of one run, kept apart; each in [0, 2**31)."""

    init: int  # initial weights
    env: int  # environments and their action spaces
    algo: int  # everything the algorithm samples: actions, minibatches, replay


@dataclass(frozen=True)
class EvaluationPlan:
    """When and how a run is evaluated. Evaluation has a random stream of its own and never changes training."""

    every: int | None = None  # timesteps between evaluations; None: only at the end
    episodes: int = 20
    deterministic: bool = True


CIRCUMSTANCES = ("folder", "timeout", "memory", "memo")  # fields of a spec: how it is run here; not kept
IMPORTED = "table"  # the backend of runs that somebody else trained


@dataclass(frozen=True)
class RunSpec:
    """Everything that determines one run. `run_id` names it by its content."""

    agent: str  # a label for people; not part of the run's identity
    env_id: str  # gymnasium id
    algo: str  # "PPO", or an import path "package.module:Class"
    timesteps: int
    seed: SeedLabel  # what the user calls it; `seeds` are derived from it
    seeds: Seeds
    backend: str = "sb3"
    task: str = ""  # a label for people, the env id unless the config names it; not part of the run's identity
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    n_envs: int = 1
    policy: str = "MlpPolicy"
    params: Mapping[str, Any] = field(default_factory=dict)  # keyword arguments of the algorithm
    policy_kwargs: Mapping[str, Any] = field(default_factory=dict)
    normalize: Mapping[str, Any] | None = None  # keyword arguments of VecNormalize; None: not normalised
    evaluation: EvaluationPlan = EvaluationPlan()
    replicate: int = 0  # told apart on purpose: the same seeds trained again
    wrappers: Sequence[Mapping[str, Any]] = ()  # of each environment, inside out: {"package.module:Class": kwargs}
    frame_stack: int = 1  # observations stacked by VecFrameStack
    initializer: Mapping[str, Any] | None = None  # of the weights: {"scheme": "he_normal", "last_gain": 0.01}
    treatment: Mapping[str, Any] = field(default_factory=dict)  # what an experiment does to it; its backend reads this
    folder: str = ""  # where the config stands, for programs beside it; not part of the run's identity
    timeout: float | None = None  # seconds of wall time after which the run is stopped; not part of its identity
    memory: int | None = None  # bytes of resident memory above which it is stopped; not part of its identity
    memo: str = ""  # folder for what several runs need and only one should compute; not part of the run's identity

    @cached_property
    def run_id(self) -> str:
        """12 hex digits over the canonical JSON of the fields that differ from their defaults.

        A new field whose default changes nothing renames no stored run; golden ids in the tests pin this.
        """
        found = ("timesteps",) if self.backend == IMPORTED else ()  # found, not asked for
        content = _non_default(self, skip=("agent", "task", *CIRCUMSTANCES, *found))
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:12]

    @property
    def task_label(self) -> str:
        return self.task or self.env_id


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no spaces, shortest floats; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__dataclass_fields__"):
        return _non_default(value)
    raise TypeError(f"{type(value).__name__} has no place in a run's identity: {value!r}")


def _non_default(noun: Any, skip: Sequence[str] = ()) -> dict[str, Any]:
    content = {}
    for spec_field in fields(noun):
        value = getattr(noun, spec_field.name)
        default = spec_field.default_factory() if callable(spec_field.default_factory) else spec_field.default
        if spec_field.name not in skip and value != default:
            content[spec_field.name] = value
    return content


@dataclass(frozen=True, eq=False)
class TrainingEpisodes:
    """Episodes that ended during training, in the order of their ends."""

    returns: Floats = field(default_factory=lambda: np.empty(0))  # (n_training_episodes,) undiscounted
    lengths: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # (n_training_episodes,) steps
    seconds: Floats = field(default_factory=lambda: np.empty(0))  # (n_training_episodes,) since the start

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", frozen_array(self.returns))
        object.__setattr__(self, "lengths", frozen_array(self.lengths, np.int64))
        object.__setattr__(self, "seconds", frozen_array(self.seconds))


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What one run left behind. A failed run is a record too: it carries its error and whatever was measured."""

    spec: RunSpec
    status: Literal["done", "failed"]
    eval_steps: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # (n_evals,)
    eval_returns: Floats = field(default_factory=lambda: np.empty((0, 0)))  # (n_evals, n_episodes)
    eval_lengths: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))  # (n_evals, n_episodes)
    episodes: TrainingEpisodes = field(default_factory=TrainingEpisodes)
    final_returns: Floats = field(default_factory=lambda: np.empty(0))  # (n_final_episodes,) after training
    seconds: float = 0.0  # CPU seconds of training and evaluation
    weights_sha256: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)  # versions, host
    error: str | None = None  # the traceback of a failed run
    measurements: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # what an experiment's backend adds

    def __post_init__(self) -> None:
        arrays = {name: frozen_array(array, np.asarray(array).dtype) for name, array in self.measurements.items()}
        object.__setattr__(self, "measurements", arrays)
        object.__setattr__(self, "eval_steps", frozen_array(self.eval_steps, np.int64))
        object.__setattr__(self, "eval_returns", frozen_array(self.eval_returns))
        object.__setattr__(self, "eval_lengths", frozen_array(self.eval_lengths, np.int64))
        object.__setattr__(self, "final_returns", frozen_array(self.final_returns))

    @property
    def reason(self) -> str:
        """Why it failed: the last line of the error."""
        return (self.error or "").strip().rpartition("\n")[2]


class RunEvent(NamedTuple):
    """What an executor tells whoever watches."""

    kind: Literal["planned", "started", "progress", "retried", "finished", "failed", "elsewhere", "waiting"]
    spec: RunSpec  # "elsewhere": another process trains it; "waiting": for a worker, or for runs of others
    steps: int = 0  # timesteps done so far
    message: str = ""


class Problem(NamedTuple):
    """One thing wrong with a config: the path of keys that leads there, and the sentence."""

    path: tuple[str | int, ...]
    message: str


Progress: TypeAlias = Callable[[RunSpec, int], None]  # (spec, timesteps done so far)


class Train(Protocol):
    """Trains a batch of specs that differ only in their seeds; yields a record per spec, in any order."""

    def __call__(self, specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]: ...


class Backend(NamedTuple):
    """A way to train. `check` looks at one spec per agent and task before anything is trained."""

    train: Train
    check: Callable[[RunSpec], list[Problem]]  # paths of the config: ("agents", label, "params", key)
    help: str
    batch_size: int = 1  # how many specs `train` wants at a time


# ---------------------------------------------------------------- scores


@dataclass(frozen=True, eq=False)
class ArmScores:
    """One agent on one task: a number per seed."""

    agent: str
    task: str
    seeds: tuple[SeedLabel, ...]  # (n_seeds,) labels
    scores: Floats  # (n_seeds,)
    failed: tuple[SeedLabel, ...] = ()  # seeds without a score, never dropped silently

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", frozen_array(self.scores))


@dataclass(frozen=True, eq=False)
class ArmCurves:
    """One agent on one task: a learning curve per seed, aligned on common steps."""

    agent: str
    task: str
    seeds: tuple[SeedLabel, ...]  # (n_seeds,)
    steps: Ints  # (n_points,) timesteps
    values: Floats  # (n_seeds, n_points) episode return; NaN where a run has no evaluation

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", frozen_array(self.steps, np.int64))
        object.__setattr__(self, "values", frozen_array(self.values))


@dataclass(frozen=True, eq=False)
class ArmEpisodes:
    """One agent on one task: the episodes of the final evaluation of each seed. They are averaged before any test."""

    agent: str
    task: str
    seeds: tuple[SeedLabel, ...]  # (n_seeds,)
    returns: Floats  # (n_seeds, n_episodes) undiscounted; NaN where a seed has fewer

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", frozen_array(self.returns))


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """One number per agent, task and seed; ragged on purpose. Episodes are averaged before they come here."""

    metric: str  # "final", "auc", "best", or the name of a table's column
    arms: tuple[ArmScores, ...]
    higher_is_better: bool = True
    curves: tuple[ArmCurves, ...] = ()
    episodes: tuple[ArmEpisodes, ...] = ()  # of final evaluations with two episodes or more

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arm.task for arm in self.arms))

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arm.agent for arm in self.arms))

    def arm(self, agent: str, task: str) -> ArmScores:
        """Raises KeyError where the table has no such agent on this task."""
        for arm in self.arms:
            if (arm.agent, arm.task) == (agent, task):
                return arm
        raise KeyError((agent, task))

    def __repr__(self) -> str:
        from rlaudit.notebook import scores_text

        return scores_text(self)

    def _repr_html_(self) -> str:
        from rlaudit.notebook import scores_html

        return scores_html(self)


@dataclass(frozen=True, eq=False)
class Splits:
    """Ways to deal a pool of seeds into disjoint groups of equal size."""

    groups: Ints  # (n_splits, n_groups, group_size) positions in the pool
    exhaustive: bool  # every split once, or a sample

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", frozen_array(self.groups, np.int64))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A two-sample test over a batch of group pairs. Every array has the batch's shape `(...)`.

    `effect` estimates the `estimand`, and `low` and `high` bound it at level 1 - alpha: two ends for a two-sided
    test; for "greater" `low` alone says something, for "less" `high`, and the other end is that of the range. They
    are NaN where the interval was not asked for.
    """

    test: str
    effect: Floats  # (...)
    low: Floats  # (...)
    high: Floats  # (...)
    statistic: Floats  # (...); above `null_statistic` where a scores higher
    df: Floats  # (...) degrees of freedom, NaN where the test has none
    p_value: Floats  # (...)
    min_p: float  # the smallest p-value that these numbers of seeds can give
    mc_error: Floats  # (...) standard error of a simulated p-value, 0 where it is exact
    null_statistic: float = 0.0  # the statistic without a difference: 0, or n_a n_b / 2 for Mann-Whitney's U
    estimand: Estimand = "mean difference"
    alternative: Alternative = "two-sided"
    correlation: Floats | None = None  # (...) of the pairs, where the test pairs a[i] with b[i]

    def __post_init__(self) -> None:
        for name in ("effect", "low", "high", "statistic", "df", "p_value", "mc_error"):
            object.__setattr__(self, name, frozen_array(getattr(self, name)))

    @property
    def direction(self) -> Floats:
        """(...): 1 where a scores higher, -1 where b does, by the test's own statistic; the means may say otherwise."""
        return np.sign(self.statistic - self.null_statistic)

    @property
    def null_effect(self) -> float:
        """The effect without a difference."""
        return 0.5 if self.estimand in ("P(A > B)", "violation ratio") else 0.0


class Compare(Protocol):
    """Tests a (..., n_a) against b (..., n_b) along the last axis: one call for 10,000 splits.

    Without `interval` a test may leave `low` and `high` NaN, where they cost more than its p-values.
    """

    def __call__(
        self,
        a: Floats,
        b: Floats,
        *,
        alpha: float,
        rng: np.random.Generator,
        n_resamples: int,
        alternative: Alternative = "two-sided",
        interval: bool = True,
    ) -> Comparison: ...


# ---------------------------------------------------------------- conclusions


class Verdict(StrEnum):
    """What a comparison says."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    EQUIVALENT = "equivalent"  # only ever from an equivalence test with a margin that the user named
    UNDECIDED = "undecided"  # the default
    UNSTABLE = "unstable"  # the audit's own random numbers could turn it

    @property
    def has_winner(self) -> bool:
        """One agent is better."""
        return self in (Verdict.A_BETTER, Verdict.B_BETTER)

    @property
    def is_open(self) -> bool:
        """These seeds do not settle it."""
        return self in (Verdict.UNDECIDED, Verdict.UNSTABLE)


class Level(StrEnum):
    """Do the numbers carry a conclusion: yes, with a caveat, or no?"""

    OK = "ok"
    WARN = "warn"
    UNSAFE = "unsafe"


@dataclass(frozen=True)
class Finding:
    """A sentence that the numbers carry."""

    title: str
    sentence: str
    level: Level
    evidence: Mapping[str, float | int | str | None]
    next_step: str = ""
