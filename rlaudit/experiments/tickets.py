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
from typing import Any, NamedTuple

from rlaudit.config import AuditConfig
from rlaudit.lottery import extremes, rounds
from rlaudit.plan import run_spec
from rlaudit.results import Audit
from rlaudit.scores import score_table
from rlaudit.seeds import derive
from rlaudit.types import RunRecord, RunSpec, Seeds


class Arm(NamedTuple):
    """What a lineage's mask and weights are replaced by."""

    mask: str  # a name that the backend knows
    new_weights: bool


ARMS: Mapping[str, Arm] = {
    "ticket": Arm("ticket", new_weights=False),
    "new weights": Arm("ticket", new_weights=True),
    "permuted mask": Arm("permuted", new_weights=False),
    "random mask": Arm("random", new_weights=True),
}
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


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """What the runs show."""
    raise NotImplementedError
