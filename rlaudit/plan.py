"""A config becomes run specs: every task, agent and seed. Nothing here trains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import comb
from typing import Any

from rlaudit.config import AgentConfig, AuditConfig, AuditSettings, TaskConfig
from rlaudit.seeds import run_seeds
from rlaudit.types import EvaluationPlan, RunSpec, Seeds

# The smallest two-sided p of n seeds against n, here without scipy; tests that are not named can give any p.
_DEALT = ("permutation", "permutation_studentised", "mann_whitney", "kolmogorov_smirnov", "almost_stochastic_order")
_FLIPPED = ("sign_flip", "paired_bootstrap")
_TABLED: dict[str, tuple[float, ...]] = {  # n = 2, 3, ...; below .0003 from there on
    "bootstrap_expanded": (0.47412, 0.13433, 0.03648, 0.00969, 0.00253, 0.00066),
    "bootstrap_t": (0.25, 0.01235),
    "brunner_munzel": (0.16795, 0.00481),
    "rank_t": (0.05719, 0.00388),
}


def plan(config: AuditConfig) -> tuple[RunSpec, ...]:
    """Every run of the config, ordered by task, agent and seed."""
    return tuple(
        run_spec(config, task, label, agent, seed)
        for task in config.tasks
        for label, agent in config.agents.items()
        for seed in config.seeds
    )


def run_spec(config: AuditConfig, task: TaskConfig, label: str, agent: AgentConfig, seed: int) -> RunSpec:
    """One run of an agent of the config, trained as the config says."""
    return RunSpec(
        agent=label,
        env_id=task.id,
        algo=agent.algo or agent.command or agent.train or "",
        timesteps=agent.timesteps,
        seed=seed,
        seeds=run_seeds(seed),
        backend=agent.trainer,
        task=task.label,
        env_kwargs=task.kwargs,
        n_envs=agent.n_envs,
        policy=agent.policy,
        params=_params(task, label, agent),
        policy_kwargs=agent.policy_kwargs,
        normalize=_normalize(agent.normalize),
        evaluation=EvaluationPlan(**config.evaluation.model_dump()) if agent.trainer == "sb3" else EvaluationPlan(),
        wrappers=agent.wrappers,
        frame_stack=agent.frame_stack,
        initializer=agent.initializer.model_dump(exclude_none=True) if agent.initializer else None,
        folder=config.folder,
        timeout=agent.timeout,
        memory=agent.memory,
    )


def _params(task: TaskConfig, label: str, agent: AgentConfig) -> Mapping[str, Any]:
    """Keyword arguments; for a command all that it is made of beside its words."""
    if agent.trainer != "command":
        return agent.params
    labels = {"agent": label, "task": task.label}
    blocks = {
        "result": agent.result,
        "environment": agent.environment,
        "params": agent.params,
        "labels": {name: text for name, text in labels.items() if agent.takes(name)},  # else not part of the identity
    }
    return {name: block for name, block in blocks.items() if block}


def _normalize(setting: bool | Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`true` is VecNormalize with its defaults."""
    if isinstance(setting, bool):
        return {} if setting else None
    return setting


def more_seeds(specs: Sequence[RunSpec], n: int) -> tuple[RunSpec, ...]:
    """`n` further seeds for every agent and task of `specs`: the same new seeds for all, above every old one."""
    first = 1 + max((spec.seed for spec in specs if isinstance(spec.seed, int)), default=-1)
    arms = {(spec.task_label, spec.agent): spec for spec in specs}
    return tuple(
        replace(spec, seed=seed, seeds=run_seeds(seed)) for spec in arms.values() for seed in range(first, first + n)
    )


def batches(specs: Sequence[RunSpec], size: int) -> Iterator[tuple[RunSpec, ...]]:
    """At most `size` neighbours at a time that differ only in their seeds."""
    for _, alike in groupby(specs, key=_all_but_seeds):
        group = tuple(alike)
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _all_but_seeds(spec: RunSpec) -> tuple[str, str, str]:
    return spec.agent, spec.task_label, replace(spec, seed=0, seeds=Seeds(0, 0, 0)).run_id


def smallest_p(test: str, n: int) -> float:
    """The smallest two-sided p-value that n seeds against n can give: an exact permutation test of 5 v 5 has .0079."""
    if test in _DEALT:
        return 2 / comb(2 * n, n)
    if test in _FLIPPED:
        return 2.0 ** (1 - n)
    table = _TABLED.get(test, ())
    return table[n - 2] if 2 <= n < 2 + len(table) else 0.0


def cannot_reject(settings: AuditSettings, n_seeds: int) -> list[tuple[str, int, float]]:
    """(test, seeds a side, smallest p) of the designs that cannot reach alpha, whatever the scores will be."""
    sizes = sorted({*settings.group_sizes, n_seeds})
    return [
        (test, n, smallest_p(test, n))
        for test in settings.tests
        for n in sizes
        if n <= n_seeds and smallest_p(test, n) > settings.alpha
    ]
