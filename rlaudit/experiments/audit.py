"""The audit proper: every agent against itself, every pair of agents, and what follows from it."""

from collections.abc import Sequence
from dataclasses import replace
from math import comb, isnan
from typing import Literal

from rlaudit import looks
from rlaudit.aggregate import describe, failure_interval
from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.errors import NotEnoughSeeds
from rlaudit.evaluation_noise import audit_evaluation
from rlaudit.experiments.after_looks import after_looks
from rlaudit.failures import audit_failures, carriers
from rlaudit.judge import judge
from rlaudit.leaderboard import leaderboards
from rlaudit.metrics import metric_views
from rlaudit.pairs import PairSettings, audit_pairs, family
from rlaudit.plan import plan as all_runs
from rlaudit.procedures import audit_procedures
from rlaudit.results import Arm, Audit, GroupCurves, SplitAudit
from rlaudit.same_agent import audit_splits
from rlaudit.scores import score_table, twins
from rlaudit.seeds import generator
from rlaudit.types import ArmCurves, ArmScores, RunRecord, RunSpec, ScoreTable, SeedLabel

_UNITS = 24  # arms times group sizes, or pairs, that get the full number of splits and draws
_FEWEST = 500  # splits or draws, however many arms there are: standard error of a share at most .022
_CURVE_POINTS = 200


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Every task, agent and seed; where seeds are added, those that the looks at `records` call for."""
    return looks.needed(config, records) if config.sequential else all_runs(config)


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """The audit of trained runs."""
    table = score_table(records, config.score, config.audit.higher_is_better)
    audited = (
        _sequential(table, records, config) if config.sequential else audit_scores(table, config.audit, config.name)
    )
    return replace(audited, twins=twins(records))


def _sequential(table: ScoreTable, records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """The agents one by one, and what the looks say of each pair."""
    settings = replace(_pair_settings(table, config.audit), n_draws=_FEWEST)  # what few seeds would say is not shown
    alone = _one_by_one(table, config.audit, config.name)
    return after_looks(alone, audit_pairs(table, settings), looks.sequential(config, records))


def audit_scores(table: ScoreTable, settings: AuditSettings, name: str) -> Audit:
    """Every number of the report; the pipeline adds where they come from, and the findings last.

    Raises NotEnoughSeeds where no agent has two seeds.
    """
    alone = _one_by_one(table, settings, name)
    pairs = audit_pairs(table, _pair_settings(table, settings))
    alpha, seed, correction = settings.alpha, settings.seed, settings.correction
    return replace(
        alone,
        family=family(len(pairs), alpha, correction),
        comparisons=pairs,
        claims=judge(settings.claims, table, alpha, seed=seed),
        procedures=audit_procedures(table, pairs, settings.procedures, alpha=alpha, n_draws=settings.splits, seed=seed),
        leaderboards=leaderboards(
            table,
            pairs,
            normalise=settings.normalise,
            alpha=alpha,
            n_draws=settings.splits,
            seed=seed,
            correction=correction,
        ),
        carriers=carriers(table, pairs, alpha=alpha, seed=seed, correction=correction),
        metrics=metric_views(table, pairs, alpha=alpha, seed=seed),
    )


def _one_by_one(table: ScoreTable, settings: AuditSettings, name: str) -> Audit:
    """What can be said of each agent by itself."""
    _check_seeds(table)
    splits = _split_audits(table, settings)
    return Audit(
        name=name,
        metric=table.metric,
        higher_is_better=table.higher_is_better,
        alpha=settings.alpha,
        family="",
        arms=tuple(described(arm, settings) for arm in table.arms),
        splits=splits,
        comparisons=(),
        findings=(),
        curves=_curves(table, splits),
        failures=audit_failures(table),
        evaluation_noise=audit_evaluation(table),
    )


def _check_seeds(table: ScoreTable) -> None:
    if not table.arms:
        raise NotEnoughSeeds("there are no runs to audit")
    if all(len(arm.scores) + len(arm.failed) < 2 for arm in table.arms):
        arm = table.arms[0]
        raise NotEnoughSeeds(
            f"agent {arm.agent!r} on {arm.task!r} has {len(arm.scores)} seed: nothing can be said about seeds from "
            "one run an agent. Train at least 2, better 20."
        )


def described(arm: ArmScores, settings: AuditSettings) -> Arm:
    """The seeds of one agent on one task, with the interval of its failure rate."""
    found = describe(arm, alpha=settings.alpha, rng=generator(settings.seed, "describe", arm.agent, arm.task))
    low, high = failure_interval(len(arm.failed), len(arm.scores) + len(arm.failed))
    return replace(found, failure_low=low, failure_high=high)


def _effort(full: int, units: int) -> int:
    """Fewer splits or draws each where there is much to look at: a table of 600 pairs stays affordable."""
    return max(min(full, _FEWEST), full * _UNITS // max(units, _UNITS))


def _split_audits(table: ScoreTable, settings: AuditSettings) -> tuple[SplitAudit, ...]:
    wanted = [(arm, n) for arm in table.arms for n in settings.group_sizes if 2 * n <= len(arm.scores)]
    n_splits = _effort(settings.splits, len(wanted))
    return tuple(
        audit_splits(arm, n, tests=settings.tests, alpha=settings.alpha, n_splits=n_splits, seed=settings.seed)
        for arm, n in wanted
    )


def _pair_settings(table: ScoreTable, settings: AuditSettings) -> PairSettings:
    n_pairs = sum(comb(sum(arm.task == task for arm in table.arms), 2) for task in table.tasks)
    return PairSettings(
        tests=settings.tests,
        alpha=settings.alpha,
        margin=settings.margin,
        higher_is_better=table.higher_is_better,
        n_draws=_effort(settings.splits, n_pairs),
        seed=settings.seed,
        correction=settings.correction,
    )


# ---------------------------------------------------------------- the picture everybody knows


def _curves(table: ScoreTable, splits: tuple[SplitAudit, ...]) -> tuple[GroupCurves, ...]:
    """Two groups of one agent, at the median and at the worst split; five seeds a side where the pool allows it."""
    shown = []
    for arm in table.curves:
        mine = [split for split in splits if (split.agent, split.task) == (arm.agent, arm.task)]
        if mine and len(arm.steps) > 1:
            split = min(mine, key=lambda one: abs(one.group_size - 5))
            if set(arm.seeds) >= {
                *split.median_split.a,
                *split.median_split.b,
                *split.worst_split.a,
                *split.worst_split.b,
            }:
                shown += [_group_curves(arm, split, "median"), _group_curves(arm, split, "worst")]
    return tuple(shown)


def _group_curves(arm: ArmCurves, split: SplitAudit, which: Literal["median", "worst"]) -> GroupCurves:
    named = split.median_split if which == "median" else split.worst_split
    thin = slice(None, None, -(-len(arm.steps) // _CURVE_POINTS))
    return GroupCurves(
        agent=arm.agent,
        task=arm.task,
        group_size=split.group_size,
        which=which,
        percentile=named.percentile,
        steps=tuple(arm.steps[thin].tolist()),
        a=_lines(arm, named.a, thin),
        b=_lines(arm, named.b, thin),
    )


def _lines(arm: ArmCurves, seeds: tuple[SeedLabel, ...], thin: slice) -> tuple[tuple[float | None, ...], ...]:
    values = arm.values[[arm.seeds.index(seed) for seed in seeds], thin]
    return tuple(tuple(None if isnan(value) else value for value in line) for line in values.tolist())
