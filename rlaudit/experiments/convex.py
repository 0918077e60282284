"""A control in which luck must vanish: an expert's decisions, fitted by a convex model and by one that is not.

The arms are the initializers, on two tasks, the models: only arms of one model are compared. The ordinary audit looks
at each model's final losses and knows nothing of convexity; what it says is the result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rlaudit.config import AgentConfig, AuditConfig, TaskConfig
from rlaudit.errors import NotEnoughSeeds
from rlaudit.experiments.audit import audit_scores
from rlaudit.findings import find
from rlaudit.plan import run_spec
from rlaudit.results import Arm, Audit, Convex, LossArm, LossPath, PairAudit, Surface
from rlaudit.rounding import settled
from rlaudit.scores import score_table
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

_METRIC = "final loss"
_PATHS = 4  # of each scheme that are drawn


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Every expert, model, scheme and seed. Zeros are for the convex model alone.

    All units of a hidden layer of zeros get the same gradient, none of them ever: they stay on a saddle by symmetry.
    """
    return tuple(
        _spec(config, task, label, agent, is_convex, scheme, seed)
        for task, label, agent in _experts(config)
        for is_convex in (True, False)
        for scheme in config.convex.schemes
        if is_convex or scheme != "zeros"
        for seed in config.seeds
    )


def _experts(config: AuditConfig) -> Iterator[tuple[TaskConfig, str, AgentConfig]]:
    return ((task, label, agent) for task in config.tasks for label, agent in config.agents.items())


def _label(config: AuditConfig, task: TaskConfig, agent: str, is_convex: bool) -> str:
    """What the arms of a model have as their task: `CartPole-v1, convex`."""
    expert = [agent] if len(config.agents) > 1 else []
    return ", ".join([task.label, *expert, "convex" if is_convex else "hidden layer"])


def _spec(
    config: AuditConfig, task: TaskConfig, label: str, agent: AgentConfig, is_convex: bool, scheme: str, seed: int
) -> RunSpec:
    asked, expert = config.convex, run_spec(config, task, label, agent, seed)
    training: dict[str, Any] = {"seed": asked.expert_seed, "timesteps": expert.timesteps}
    if expert.initializer is not None:
        training["initializer"] = expert.initializer
    treatment: dict[str, Any] = {"expert": training, "states": asked.states, "l2": asked.l2}
    return replace(
        expert,
        agent=scheme,
        task=_label(config, task, label, is_convex),
        backend="convex",
        timesteps=asked.iterations,
        evaluation=EvaluationPlan(episodes=config.evaluation.episodes),
        initializer={"scheme": scheme},
        treatment=treatment if is_convex else {**treatment, "hidden": asked.hidden},
    )


# ---------------------------------------------------------------- what the runs show


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """The control for each expert. Raises NotEnoughSeeds where no arm has two seeds.

    The arms stand in the audit; splits and comparisons do not: they are the subject here, and what the ordinary audit
    says of them is in `Surface.said`.
    """
    by_label: dict[str, list[RunRecord]] = {}
    for record in records:
        by_label.setdefault(record.spec.task_label, []).append(record)
    found, arms = [], list[Arm]()
    for task, label, _ in _experts(config):
        mine = {is_convex: by_label.get(_label(config, task, label, is_convex), []) for is_convex in (True, False)}
        audits = {is_convex: _audit(runs, config) for is_convex, runs in mine.items() if runs}
        arms += [arm for audit in audits.values() for arm in audit.arms]
        surfaces = tuple(
            _surface(audit, mine[is_convex], is_convex) for is_convex, audit in audits.items() if _done(mine[is_convex])
        )
        if surfaces:
            found.append(_convex(config, task, label, surfaces, _done([*mine[True], *mine[False]])[0]))
    if not arms:
        raise NotEnoughSeeds("there are no runs to audit")
    return Audit(
        name=config.name,
        metric=_METRIC,
        higher_is_better=False,
        alpha=config.audit.alpha,
        family="",
        arms=tuple(arms),
        splits=(),
        comparisons=(),
        findings=(),
        convex=tuple(found),
    )


def _audit(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """The ordinary audit of one model's final losses. Their way there is left out: it does depend on the start."""
    settings = config.audit.model_copy(update={"higher_is_better": False})
    table = score_table(records, "final", higher_is_better=False)
    audit = audit_scores(replace(table, metric=_METRIC, curves=()), settings, config.name)
    return replace(audit, findings=find(audit))


def _done(records: Sequence[RunRecord]) -> list[RunRecord]:
    return [record for record in records if record.status == "done"]


def _convex(
    config: AuditConfig, task: TaskConfig, label: str, surfaces: tuple[Surface, ...], record: RunRecord
) -> Convex:
    measured = record.measurements
    return Convex(
        agent=label,
        task=task.label,
        expert_return=float(measured["expert_return"]),
        n_states=int(measured["n_states"]),
        n_features=int(measured["n_features"]),
        n_actions=int(measured["n_actions"]),
        l2=config.convex.l2,
        hidden=config.convex.hidden,
        surfaces=surfaces,
    )


def _surface(audit: Audit, records: Sequence[RunRecord], is_convex: bool) -> Surface:
    runs = _done(records)
    losses = np.array([_loss(run) for run in runs])
    lowest = float(losses.min())
    found = {name: [run.measurements[name].item() for run in runs] for name in _MEASURED}
    splits = [split for split in audit.at_few() if split.relative_gap]
    widest = max(splits, key=lambda one: one.relative_gap.p95 if one.relative_gap else 0.0, default=None)
    return Surface(
        label=runs[0].spec.task_label,
        is_convex=is_convex,
        n_weights=runs[0].measurements["weights"].size,
        arms=tuple(_arm(arm, records, lowest) for arm in audit.arms),
        lowest=lowest,
        spread=float(losses.max()) - lowest,
        n_losses=len(np.unique(settled(losses)[0])),
        gradient_norm=max(found["gradient_norm"]),
        iterations=(min(found["iterations"]), max(found["iterations"])),
        accuracy=(min(found["accuracy"]), max(found["accuracy"])),
        n_pairs=len(audit.comparisons),
        n_apart=sum(pair.verdict.has_winner for pair in audit.comparisons),
        smallest_p=min((pair.p_adjusted for pair in audit.comparisons if pair.p_adjusted is not None), default=None),
        **_farthest(audit.comparisons),
        gap=widest.relative_gap.p95 if widest and widest.relative_gap else None,
        group_size=widest.group_size if widest else None,
        said=audit.findings,
        paths=tuple(_paths(runs)),
    )


_MEASURED = ("gradient_norm", "iterations", "accuracy")


def _loss(record: RunRecord) -> float:
    return float(record.final_returns[0])


def _arm(arm: Arm, records: Sequence[RunRecord], lowest: float) -> LossArm:
    raw = {run.spec.seed: _loss(run) for run in _done(records) if run.spec.agent == arm.agent}
    return LossArm(
        scheme=arm.agent,
        seeds=arm.seeds,
        distances=tuple(raw[seed] - lowest for seed in arm.seeds),
        n_failed=arm.n_failed,
        n_losses=len(set(arm.scores)),  # as the audit has them, without rounding
        mean=float(np.mean(arm.scores)) if arm.scores else float("nan"),
        sd=arm.sd,
    )


def _farthest(pairs: Sequence[PairAudit]) -> Mapping[str, Any]:
    """The pair whose means differ most, the lower loss first."""
    pair = max(pairs, key=lambda one: abs(one.effect or 0.0), default=None)
    if pair is None or pair.effect is None:
        return dict.fromkeys(("farthest", "difference", "low", "high"))
    if pair.effect > 0:
        return {"farthest": (pair.b, pair.a), "difference": pair.effect, "low": pair.low, "high": pair.high}
    ends = (None if end is None else -end for end in (pair.high, pair.low))
    return {"farthest": (pair.a, pair.b), "difference": -pair.effect, **dict(zip(("low", "high"), ends, strict=True))}


def _paths(runs: Sequence[RunRecord]) -> Iterator[LossPath]:
    """The first seeds of each scheme; a run that has arrived is cut there."""
    for scheme in dict.fromkeys(run.spec.agent for run in runs):
        for run in [run for run in runs if run.spec.agent == scheme][:_PATHS]:
            arrived = int(np.searchsorted(run.eval_steps, run.measurements["iterations"].item())) + 1
            steps, losses = run.eval_steps[:arrived].tolist(), run.eval_returns[:arrived, 0].tolist()
            yield LossPath(scheme, run.spec.seed, tuple(steps), tuple(losses))
