"""What a conclusion hangs on: failed seeds, single seeds, the metric, the evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlaudit.types import SeedLabel, Verdict


@dataclass(frozen=True)
class FailureAudit:
    """Runs of one agent that failed, and runs that finished but never learned."""

    agent: str
    task: str
    n: int  # seeds, finished or not
    n_failed: int
    low: float  # 95 % Clopper-Pearson interval of the failure rate; with no failure `high` is the one-sided bound
    high: float
    mean: float | None  # of the seeds that finished
    mean_imputed: float | None  # with every failed seed at the worst score seen on the task
    stuck: tuple[SeedLabel, ...] = ()  # fell behind early and never recovered
    stuck_share: float | None = None  # of the variance between seeds that they explain
    stuck_since: Mapping[str, int] = field(default_factory=dict)  # seed -> timestep since when it stayed behind
    outliers: tuple[SeedLabel, ...] = ()  # more than 3 robust sds from the median
    mean_without_outliers: float | None = None


@dataclass(frozen=True)
class Carrier:
    """The one seed whose removal moves a comparison most."""

    a: str
    b: str
    task: str
    agent: str  # whose seed it is
    seed: SeedLabel
    score: float
    effect: float  # mean(a) - mean(b) with all seeds
    effect_without: float
    p_value: float  # of the deciding test, not adjusted
    p_without: float
    turns: bool  # the other side of alpha, or the other direction


@dataclass(frozen=True)
class MetricView:
    """One pair by one way to make a score of a learning curve."""

    a: str
    b: str
    task: str
    metric: str  # "final", "last 5", "auc", "best", "auc to 50 %", ...
    effect: float | None
    low: float | None
    high: float | None
    p_value: float | None
    verdict: Verdict  # by the deciding test alone, at alpha, not adjusted for the number of metrics
    asked: bool = False  # the metric of this audit


@dataclass(frozen=True)
class EvaluationNoise:
    """Where the variance of one agent's scores comes from: its seeds, or the episodes that they are judged by."""

    agent: str
    task: str
    n_seeds: int
    n_episodes: int  # of the final evaluation, per seed
    var_seeds: float  # between seeds, without the noise of their evaluation
    var_episodes: float  # between episodes of one seed
    share: float | None  # of the variance of a seed's score that is evaluation noise: var_episodes / n_episodes / total
    low: float | None  # 95 % interval of the share
    high: float | None
