"""What a conclusion hangs on: failed seeds, single seeds, the metric, the evaluation."""

from dataclasses import dataclass
from typing import Literal

from rlaudit.types import SeedLabel, Verdict


@dataclass(frozen=True)
class StuckRun:
    """A run that finished, but fell behind in the first half of training and never came back."""

    seed: SeedLabel
    score: float
    since: int  # timestep from which it stayed behind
    curve: tuple[float | None, ...]  # (n_blocks,) mean of each tenth of training


@dataclass(frozen=True)
class StuckRuns:
    """The stuck runs of one agent, and what sets them apart from the others."""

    runs: tuple[StuckRun, ...]  # the lowest share of the way first
    share: float | None  # of the variance between seeds that they explain
    share_by_chance: float  # what the worst so many of as many normal seeds explain
    mean_others: float | None
    steps: tuple[int, ...]  # (n_blocks,) the last evaluation of each tenth of training
    others: tuple[float | None, ...]  # (n_blocks,) mean of the other runs
    edge: tuple[float | None, ...]  # (n_blocks,) worse than this no further run like them is expected


@dataclass(frozen=True)
class Outlier:
    """A seed whose score lies far from those of the other seeds."""

    seed: SeedLabel
    score: float
    distance: float  # from the median, in robust standard deviations; negative: below it
    curve_end: float | None  # of its learning curve; None: no curve, or scores that are no final evaluations
    only_final: bool = False  # its curve ends among those of the others


@dataclass(frozen=True)
class FailedRun:
    """A seed without a score."""

    seed: SeedLabel
    reason: str  # the last line of its error; where it was tried several times that is said there


@dataclass(frozen=True)
class FailureAudit:
    """Runs of one agent that failed, runs that finished but never learned, and scores that stand apart."""

    agent: str
    task: str
    n: int  # seeds, finished or not
    n_failed: int
    low: float | None  # 95 % Clopper-Pearson interval of the failure rate; without a failure `high` is one-sided
    high: float | None
    mean: float | None  # of the seeds that finished
    mean_imputed: float | None  # with every failed seed at `floor`
    floor: float | None = None  # the worst score seen on the task
    curves_seen: bool = False  # enough of them to look for stuck runs
    stuck: StuckRuns | None = None
    reach: float | None = None  # robust sds that count as far; None: too few seeds, or most of them tied
    outliers: tuple[Outlier, ...] = ()  # the farthest first, without the stuck runs
    sd: float | None = None
    mean_without_outliers: float | None = None
    sd_without_outliers: float | None = None
    failed: tuple[FailedRun, ...] = ()  # in the order of the runs; empty where no run says why


@dataclass(frozen=True)
class Redone:
    """A comparison once more, with some seeds changed. Positive effects: a has the higher mean."""

    change: Literal["farthest outlier", "outliers", "stuck", "failed"]  # left out; failed seeds count as the worst
    n_changed: int
    effect: float
    low: float | None  # Welch interval at level 1 - alpha
    high: float | None
    p_value: float  # of the deciding test, not adjusted
    turns: bool  # the verdict
    cohen_d: float | None


@dataclass(frozen=True)
class Carrier:
    """The one seed whose removal moves a comparison most towards the other side of alpha."""

    a: str
    b: str
    task: str
    agent: str  # whose seed it is; "": a pair of seeds, where the deciding test takes them in pairs
    seed: SeedLabel
    score: float  # of a pair: that of a less that of b
    effect: float  # mean(a) - mean(b) with all seeds
    effect_without: float
    low_without: float | None  # Welch interval at level 1 - alpha
    high_without: float | None
    p_value: float  # of the deciding test, not adjusted
    p_without: float
    cohen_d_without: float | None
    turns: bool  # the other side of alpha, or the other direction, corrected for the number of comparisons
    others: tuple[Redone, ...] = ()


@dataclass(frozen=True)
class MetricView:
    """One pair by one way to make a score of a learning curve."""

    metric: str  # that of the audit, or "last", "last 5", "last 10", "auc", "best" of the learning curve
    until: float  # of the steps that both agents trained: 0.5 is the first half
    asked: bool  # the metric of this audit
    n_a: int  # seeds that have it
    n_b: int
    effect: float  # mean(a) - mean(b)
    low: float | None  # Welch interval at level 1 - alpha
    high: float | None
    gain: float | None  # effect in standard deviations between seeds; positive where a is better
    gain_low: float | None
    gain_high: float | None
    p_value: float | None
    verdict: Verdict  # by the test alone, at alpha, not adjusted for the number of metrics
    p_adjusted: float | None = None  # for all metrics of the pair together: max-T over deals of whole seeds, or Holm's
    survives: bool = False  # p_adjusted is at most alpha, by more than the error of its simulation


@dataclass(frozen=True)
class MetricChoice:
    """One pair by many metrics: how often the conclusion would have been another."""

    a: str
    b: str
    task: str
    test: str
    asked: str  # the metric of this audit
    verdict: Verdict  # by it: by the test alone, at alpha
    n_metrics: int
    ahead_a: int  # metrics by which the mean of a is better
    ahead_b: int
    significant_a: int
    significant_b: int
    turned: int  # metrics with another verdict than the one asked for
    n_at_end: int  # metrics that look at the whole training
    turned_at_end: int
    depends: bool  # another metric of the whole training concludes something else, or any finds more or the contrary
    views: tuple[MetricView, ...] = ()  # the one asked for first; only of the pairs that depend on the metric most

    @property
    def survivors(self) -> int:
        """Significant metrics that are left once the p-values hold for all together."""
        return sum(view.survives for view in self.views)

    @property
    def only_by_luck(self) -> bool:
        """The metric asked for decides nothing, and of those that do none is left when corrected for the choice."""
        return self.depends and self.verdict.is_open and bool(self.views) and not self.survivors


@dataclass(frozen=True)
class EvaluationNoise:
    """Where the variance of one agent's scores comes from: its seeds, or the episodes that they are judged by."""

    agent: str
    task: str
    n_seeds: int
    n_episodes: int  # of the final evaluation, per seed; the harmonic mean where seeds differ
    var_seeds: float  # between seeds, without the noise of their evaluation; 0 where the noise alone explains all
    var_episodes: float  # between episodes of one seed, the mean over seeds
    share: float | None  # of the variance of a seed's score that is evaluation noise; None: all scores are equal
    low: float | None  # 95 % interval of the share
    high: float | None
    doubled: float | None = None  # by which share the standard error of the mean shrinks with twice the episodes, ...
    doubled_low: float | None = None  # (95 %)
    doubled_high: float | None = None
    endless: float | None = None  # ... and with any number of episodes; twice the seeds: 1 - sqrt(1 / 2)
    endless_low: float | None = None
    endless_high: float | None = None
    seeds_worth: float | None = None  # more seeds that shrink it as much as endless episodes do
    episodes_enough: int | None = None  # of a seed, for a share of a tenth
