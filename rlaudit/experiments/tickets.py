"""Did these weights win the lottery? Masks against weights, and weights against the path taken from them.

Each seed of the config is a lineage: initial weights, the dense run from them, and the masks that iterative magnitude
pruning finds with the seeds of that run. So there is one lineage a seed, and a statement over seeds is one over initial
weights and masks, not over one lucky mask.

Every arm of a lineage is trained once, under environment and algorithm seeds that the lineage has never seen; they are
the same for all its arms. Arms pair by lineage: each two share weights, mask, new weights or at least those seeds.

The second stage takes the luckiest and the unluckiest initial weights of the dense runs and trains them again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from rlaudit.aggregate import mean_interval
from rlaudit.config import AuditConfig
from rlaudit.experiments.audit import described
from rlaudit.lottery import contrast, correlation, extremes, judged, relived, rounds, survival
from rlaudit.pairs import family
from rlaudit.plan import run_spec
from rlaudit.results import Audit, Contrast, Relived, TicketArm, Tickets
from rlaudit.scores import score_table
from rlaudit.seeds import derive
from rlaudit.types import ArmScores, RunRecord, RunSpec, ScoreTable, SeedLabel, Seeds


class Arm(NamedTuple):
    """What a lineage's mask and weights are replaced by."""

    mask: str  # a name that the backend knows
    new_weights: bool


TICKET = "ticket"
ARMS: Mapping[str, Arm] = {
    TICKET: Arm("ticket", new_weights=False),
    "new weights": Arm("ticket", new_weights=True),
    "permuted mask": Arm("permuted", new_weights=False),
    "random mask": Arm("random", new_weights=True),
}
DENSE = "dense"
AGAIN, RETRAINED = "again", "retrained"  # dense, from the same weights: for all lineages, and for the extremes


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Arms outermost and lineages innermost, so that two workers do not wait for the same masks.

    With the records of the dense runs also those of the extremes.
    """
    dense = {
        (task.label, label): [run_spec(config, task, label, agent, seed) for seed in config.seeds]
        for task in config.tasks
        for label, agent in config.agents.items()
    }
    first = [run for runs in dense.values() for run in runs]
    arms = [arm for runs in dense.values() for arm in _arms(config, runs)]
    further = [run for runs in dense.values() for run in _further(config, runs, records)]
    return (*first, *arms, *further)


def _arms(config: AuditConfig, dense: Sequence[RunSpec]) -> Iterator[RunSpec]:
    yield from (retrained(run, 0, AGAIN) for run in dense)
    for sparsity, schedule in rounds(config.tickets.sparsities, config.tickets.prune_per_round).items():
        for name, arm in ARMS.items():
            yield from (_masked(run, arm, schedule, arm_label(run.agent, name, sparsity)) for run in dense)


def arm_label(agent: str, name: str, sparsity: float | None = None) -> str:
    """`ppo ticket 80%`: what an arm of an agent is called."""
    return f"{agent} {name}" if sparsity is None else f"{agent} {name} {100 * sparsity:.6g}%"


def _masked(dense: RunSpec, arm: Arm, schedule: Sequence[float], label: str) -> RunSpec:
    lineage = int(dense.seed)
    treatment: dict[str, Any] = {"mask": arm.mask, "sparsities": list(schedule)}
    if arm.mask == "random":
        treatment["sparsities"] = [schedule[-1]]
    else:
        treatment["lineage"] = asdict(dense.seeds)
    if arm.mask != "ticket":
        treatment["mask_seed"] = derive(lineage, "tickets", "mask")
    seeds = _fresh(dense, 0)
    if arm.new_weights:
        seeds = replace(seeds, init=derive(lineage, "tickets", "new weights"))
    return replace(dense, agent=label, backend="tickets", seeds=seeds, treatment=treatment)


def retrained(dense: RunSpec, index: int, name: str = RETRAINED) -> RunSpec:
    """From the same initial weights, with the fresh seeds of that index for everything else."""
    seed = dense.seed if name == AGAIN else f"{dense.seed}.{index}"
    return replace(
        dense,
        agent=arm_label(dense.agent, name),
        seed=seed,
        backend="tickets",
        seeds=_fresh(dense, index),
        treatment={"mask": "none"},
    )


def _fresh(dense: RunSpec, index: int) -> Seeds:
    names = ("tickets", "fresh", index)
    lineage = int(dense.seed)
    return Seeds(dense.seeds.init, derive(lineage, *names, "env"), derive(lineage, *names, "algo"))


def _further(config: AuditConfig, dense: Sequence[RunSpec], records: Sequence[RunRecord]) -> Iterator[RunSpec]:
    """The extremes; their runs of index 0 are among those of `AGAIN`."""
    wanted = {run.run_id for run in dense}
    mine = [record for record in records if record.spec.run_id in wanted]
    if len(mine) < len(dense):
        return
    table = score_table(mine, config.score, config.audit.higher_is_better)
    (arm,) = table.arms
    lucky, unlucky = extremes(arm.scores, config.tickets.extremes, higher_is_better=table.higher_is_better)
    by_seed = {run.seed: run for run in dense}
    for place in (*lucky, *unlucky):
        for index in range(1, config.tickets.retrain_seeds):
            yield retrained(by_seed[arm.seeds[place]], index)


# ---------------------------------------------------------------- what they show


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """Arms, planned contrasts, and what became of the luckiest and the unluckiest weights."""
    table = score_table(records, config.score, config.audit.higher_is_better)
    final = score_table(records, "final", config.audit.higher_is_better) if config.score != "final" else None
    names = [(task.label, label) for task in config.tasks for label in config.agents]
    found = [_tickets(config, table, final, records, task, label) for task, label in names]
    judge = partial(_judged, alpha=config.audit.alpha, higher_is_better=table.higher_is_better)
    contrasts, finals = judge([one.contrasts for one in found]), judge([one.final for one in found])
    tickets = [replace(one, contrasts=c, final=f) for one, c, f in zip(found, contrasts, finals, strict=True)]
    new = {(task, arm_label(label, RETRAINED)) for task, label in names}  # nested, so that no interval goes over them
    return Audit(
        name=config.name,
        metric=table.metric,
        higher_is_better=table.higher_is_better,
        alpha=config.audit.alpha,
        family=family(sum(map(len, contrasts)), config.audit.alpha),
        arms=tuple(described(arm, config.audit) for arm in table.arms if (arm.task, arm.agent) not in new),
        splits=(),
        comparisons=(),
        findings=(),
        tickets=tuple(tickets),
    )


def _judged(
    groups: Sequence[Sequence[Contrast]], *, alpha: float, higher_is_better: bool
) -> list[tuple[Contrast, ...]]:
    """All groups are one family."""
    together = iter(judged([one for group in groups for one in group], alpha, higher_is_better=higher_is_better))
    return [tuple(islice(together, len(group))) for group in groups]


def _tickets(
    config: AuditConfig,
    table: ScoreTable,
    final: ScoreTable | None,
    records: Sequence[RunRecord],
    task: str,
    label: str,
) -> Tickets:
    alpha, sparsities = config.audit.alpha, config.tickets.sparsities
    mine = [one for one in records if one.spec.task_label == task and one.spec.agent.startswith(f"{label} ")]
    masked = [one for one in mine if one.spec.treatment.get("mask") != "none" and "masked" in one.measurements]
    scores = _Lookup(table, task, label)
    weights = tuple(_relived(config, scores))
    r, low, high = correlation(scores("dense"), scores(AGAIN), alpha)
    return Tickets(
        agent=label,
        task=task,
        n_lineages=len(config.seeds),
        n_prunable=next((int(one.measurements["prunable"]) for one in masked), None),
        n_masked_runs=len(masked),
        n_exact=sum(map(_is_exact, masked)),
        arms=tuple(_arm(scores, name, sparsity, alpha) for name, sparsity in _every_arm(sparsities)),
        contrasts=tuple(_contrasts(config, scores)),
        final=tuple(_contrasts(config, _Lookup(final, task, label))) if final else (),
        relived=weights,
        n_retrained_failed=sum(one.n_failed for one in weights),
        survival=survival(weights, alpha),
        correlation=r,
        correlation_low=low,
        correlation_high=high,
    )


class _Lookup(NamedTuple):
    """The scores of one agent's arms, by the name of the arm; empty where no run of it is there."""

    table: ScoreTable
    task: str
    agent: str

    def __call__(self, name: str, sparsity: float = 0.0) -> ArmScores:
        label = self.agent if name == DENSE else arm_label(self.agent, name, sparsity or None)
        try:
            return self.table.arm(label, self.task)
        except KeyError:
            return ArmScores(label, self.task, (), np.empty(0))


def _every_arm(sparsities: Sequence[float]) -> list[tuple[str, float]]:
    return [(DENSE, 0.0), (AGAIN, 0.0), *((name, sparsity) for sparsity in sparsities for name in ARMS)]


def _arm(scores: _Lookup, name: str, sparsity: float, alpha: float) -> TicketArm:
    found = scores(name, sparsity)
    n = len(found.scores)
    low, high = mean_interval(found.scores, 1 - alpha) if n > 1 else (None, None)
    return TicketArm(
        name=name,
        label=found.agent,
        sparsity=sparsity,
        n=n,
        n_failed=len(found.failed),
        mean=float(found.scores.mean()) if n else None,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
    )


def _is_exact(record: RunRecord) -> bool:
    sparsity, found = record.spec.treatment["sparsities"][-1], record.measurements
    return bool(abs(int(found["zero"]) - sparsity * int(found["prunable"])) < 1)


def _contrasts(config: AuditConfig, scores: _Lookup) -> Iterator[Contrast]:
    """Planned before anything was trained: the ticket against each control, and against the dense runs."""
    for sparsity in config.tickets.sparsities:
        for name in (*ARMS, AGAIN):
            if name != TICKET:
                yield contrast(
                    scores(TICKET, sparsity),
                    scores(name, 0.0 if name == AGAIN else sparsity),
                    sparsity=sparsity,
                    against=name,
                    alpha=config.audit.alpha,
                    seed=config.audit.seed,
                )


def _relived(config: AuditConfig, scores: _Lookup) -> Iterator[Relived]:
    """The extremes of the dense runs with all further runs from their weights, the luckiest first."""
    dense, further = scores(DENSE), (scores(AGAIN), scores(RETRAINED))
    if not len(further[1].scores) + len(further[1].failed):
        return
    chosen = extremes(dense.scores, config.tickets.extremes, higher_is_better=scores.table.higher_is_better)
    for lucky, places in zip((True, False), chosen, strict=True):
        for place in places:
            seed = dense.seeds[place]
            mine = [
                score for arm in further for run, score in zip(arm.seeds, arm.scores, strict=True) if _of(run, seed)
            ]
            n_failed = sum(_of(run, seed) for arm in further for run in arm.failed)
            yield relived(seed, float(dense.scores[place]), mine, n_failed, lucky, config.audit.alpha)


def _of(run: SeedLabel, lineage: SeedLabel) -> bool:
    """`3` and `3.1` start from the weights of lineage 3."""
    return str(run).partition(".")[0] == str(lineage)
