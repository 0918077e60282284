"""Which randomness matters? Every level of the initial weights meets every one of environment and algorithm."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.config import AuditConfig
from rlaudit.errors import NotEnoughSeeds
from rlaudit.plan import run_spec
from rlaudit.results import Audit, Component, CrossedRun, ShareOf, Sources, StreamShare
from rlaudit.results.sources import STREAMS
from rlaudit.rounding import settled
from rlaudit.scores import score_table
from rlaudit.seeds import run_seeds
from rlaudit.types import ArmScores, Floats, Ints, RunRecord, RunSpec, ScoreTable, SeedLabel, Seeds
from rlaudit.variance import Anova, anova, balanced, share


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """A run for each combination of levels, agent and task."""
    return tuple(
        replace(run_spec(config, task, label, agent, 0), seed=label_of(*at), seeds=seeds_at(*at))
        for task in config.tasks
        for label, agent in config.agents.items()
        for at in product(*config.sources.levels(config.seeds))
    )


def label_of(init: int, env: int, algo: int) -> str:
    """What people call the run; safe in the name of a folder."""
    return f"init{init}-env{env}-algo{algo}"


def seeds_at(init: int, env: int, algo: int) -> Seeds:
    """Each stream as the run has it that is called by its level."""
    return Seeds(run_seeds(init).init, run_seeds(env).env, run_seeds(algo).algo)


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """The variance of each agent's scores on each task, taken apart.

    `arms` stay empty: crossed runs share their seeds, so that nothing may give an interval of their mean.
    """
    settings = config.audit
    if not records:
        raise NotEnoughSeeds("there are no runs to take apart. Train them first: rlaudit audit CONFIG")
    table = score_table(records, config.score, settings.higher_is_better)
    hashes = {(one.spec.agent, one.spec.task_label, one.spec.seed): one.weights_sha256 for one in records}
    levels = config.sources.levels(config.seeds)
    return Audit(
        name=config.name,
        metric=table.metric,
        higher_is_better=settings.higher_is_better,
        alpha=settings.alpha,
        family="",
        arms=(),
        splits=(),
        comparisons=(),
        findings=(),
        sources=tuple(_sources(_crossed(arm, table, levels, hashes), 1 - settings.alpha) for arm in table.arms),
    )


# ---------------------------------------------------------------- one agent on one task


class _Crossed(NamedTuple):
    """The runs on the grid of their levels. Arrays (n_init, n_env, n_algo)."""

    arm: ArmScores
    levels: tuple[tuple[int, ...], ...]
    scores: Floats  # NaN where there is none
    noise: Floats | None  # variance of the score from its episodes
    n_episodes: int
    known: NDArray[np.bool_]  # whether there is a run, finished or not
    floor: float  # the worst score on the task, of any agent
    runs: tuple[CrossedRun, ...]


def _crossed(
    arm: ArmScores,
    table: ScoreTable,
    levels: tuple[tuple[int, ...], ...],
    hashes: Mapping[tuple[str, str, SeedLabel], str],
) -> _Crossed:
    shape = tuple(map(len, levels))
    labels: list[SeedLabel] = [label_of(*at) for at in product(*levels)]
    scores = dict(zip(arm.seeds, settled(arm.scores)[0].tolist(), strict=True))
    known = {*arm.seeds, *arm.failed}
    noise, n_episodes = _noise(arm, table)
    worst = [score for one in table.arms if one.task == arm.task for score in one.scores.tolist()]
    return _Crossed(
        arm,
        levels,
        np.array([scores.get(label, np.nan) for label in labels]).reshape(shape),
        None if noise is None else np.array([noise.get(label, np.nan) for label in labels]).reshape(shape),
        n_episodes,
        np.array([label in known for label in labels]).reshape(shape),
        (min if table.higher_is_better else max)(worst, default=np.nan),
        tuple(
            CrossedRun(label, at, scores.get(label), hashes[arm.agent, arm.task, label])
            for label, at in zip(labels, product(*levels), strict=True)
            if label in known
        ),
    )


def _noise(arm: ArmScores, table: ScoreTable) -> tuple[dict[SeedLabel, float] | None, int]:
    """The variance of each score from its episodes, and how many they are; None where scores are made another way.

    None, too, where a run has but one episode: then nothing tells its noise from the interaction of all streams.
    """
    found = [one for one in table.episodes if (one.agent, one.task) == (arm.agent, arm.task)]
    if table.metric not in ("final", "score") or not found:
        return None, 1
    counts = (~np.isnan(found[0].returns)).sum(axis=1)
    if counts.min() < 2:
        return None, 1
    variances = np.nanvar(found[0].returns, axis=1, ddof=1) / counts
    return dict(zip(found[0].seeds, variances.tolist(), strict=True)), int(counts.min())


def _sources(crossed: _Crossed, level: float) -> Sources:
    arm, scored = crossed.arm, ~np.isnan(crossed.scores)
    kept = balanced(scored)
    found = Sources(
        agent=arm.agent,
        task=arm.task,
        levels=dict(zip(STREAMS, map(len, crossed.levels), strict=True)),
        runs=crossed.runs,
        n_missing=int((~crossed.known).sum()),
        n_left_out=int(scored.sum()) - (prod(map(len, kept)) if kept else 0),
        dropped=_dropped(crossed.levels, kept),
        n_episodes=crossed.n_episodes if crossed.noise is not None else None,
    )
    if kept is None:
        return found
    at = np.ix_(*kept)
    taken = anova(crossed.scores[at], crossed.noise[at] if crossed.noise is not None else None, crossed.n_episodes)
    found = replace(found, mean=float(crossed.scores[at].mean()), sd=max(0.0, taken.total) ** 0.5)
    if not taken.mean_squares.max() > 0:
        return found
    return replace(_taken_apart(found, taken, crossed.levels, kept, level), **_imputed(crossed, level))


def _dropped(levels: Sequence[Sequence[int]], kept: Sequence[Ints] | None) -> tuple[str, ...]:
    if kept is None:
        return ()
    return tuple(
        f"{stream} {level}"
        for stream, named, positions in zip(STREAMS, levels, kept, strict=True)
        for position, level in enumerate(named)
        if position not in positions
    )


def _taken_apart(
    found: Sources, taken: Anova, levels: Sequence[Sequence[int]], kept: Sequence[Ints], level: float
) -> Sources:
    """Every share of the report."""
    single = np.eye(len(taken.terms), dtype=bool)
    sizes = np.array([len(term) for term in taken.terms])
    has = np.array([[axis in term or not term for term in taken.terms] for axis in range(len(STREAMS))])
    groups = np.array([sizes == 2, sizes >= 2, sizes == 0])
    parts = [ShareOf(*one) for one in share(taken, np.vstack([single, has, ~single[: len(STREAMS)], groups]), level)]
    own, only, without = (iter(parts[start:]) for start in (0, len(single), len(single) + len(STREAMS)))
    pairs, together, noise = parts[-3:]
    return replace(
        found,
        components=tuple(
            Component(tuple(STREAMS[axis] for axis in term), round(df), float(square), float(variance), part)
            for term, df, square, variance, part in zip(
                taken.terms, taken.df, taken.mean_squares, taken.components, own, strict=False
            )
        ),
        streams=tuple(
            StreamShare(stream, tuple(named[at] for at in positions), _is_unused(axis, found.runs), *three)
            for axis, (stream, named, positions, *three) in enumerate(
                zip(STREAMS, levels, kept, parts, only, without, strict=False)
            )
        ),
        pairs=pairs,
        together=together,
        noise=noise if () in taken.terms else None,
    )


def _is_unused(axis: int, runs: Sequence[CrossedRun]) -> bool:
    """Runs that differ in this stream alone end with the same weights, all of them."""
    ends: dict[tuple[int, ...], set[str]] = {}
    for run in runs:
        ends.setdefault(run.levels[:axis] + run.levels[axis + 1 :], set()).add(run.weights_sha256)
    return len(ends) < len(runs) and all(len(found) == 1 and "" not in found for found in ends.values())


def _imputed(crossed: _Crossed, level: float) -> dict[str, Any]:
    """The same with every failed run as the worst score on the task, without noise of evaluation."""
    failed = crossed.known & np.isnan(crossed.scores)
    kept = balanced(crossed.known) if failed.any() else None
    if kept is None:
        return {}
    at = np.ix_(*kept)
    scores = np.where(failed, crossed.floor, crossed.scores)[at]
    noise = np.where(failed, 0.0, crossed.noise)[at] if crossed.noise is not None else None
    taken = anova(scores, noise, crossed.n_episodes)
    parts = share(taken, np.eye(len(taken.terms)), level)
    return {"floor": crossed.floor, "imputed": tuple(ShareOf(*one) for one in parts)}
