"""The initializer as a hyper-parameter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlaudit.config import AuditConfig
from rlaudit.errors import NotEnoughSeeds
from rlaudit.experiments.audit import described
from rlaudit.failures import audit_failures
from rlaudit.initial_weights import Candidate, Layout, compare_initializers, n_pairs
from rlaudit.plan import run_spec
from rlaudit.results import Audit
from rlaudit.scores import score_table, twins
from rlaudit.types import RunRecord, RunSpec, ScoreTable

_NO_GAIN = "zeros"  # a factor on its last layer changes nothing


@dataclass(frozen=True)
class Way:
    """One way to draw an agent's weights, and the label of its arm."""

    label: str
    agent: str
    scheme: str
    last_gain: float | None  # None: any gives the same weights

    @property
    def initializer(self) -> dict[str, Any]:
        """As a spec has it."""
        gain = {} if self.last_gain is None else {"last_gain": self.last_gain}
        return {"scheme": self.scheme, **gain}


def ways(config: AuditConfig) -> Iterator[Way]:
    """Every scheme with every last gain, for every agent. Where there is one agent its label is left out."""
    for agent in config.agents:
        front = f"{agent}, " if len(config.agents) > 1 else ""
        for scheme in config.initializers.schemes:
            if scheme == _NO_GAIN:
                yield Way(front + scheme, agent, scheme, None)
                continue
            for gain in config.initializers.last_gains:
                yield Way(f"{front}{scheme} x {gain:g}", agent, scheme, gain)


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Every way on every task, under the same seeds: names that are shared, not runs that are paired."""
    return tuple(
        replace(run_spec(config, task, way.label, config.agents[way.agent], seed), initializer=way.initializer)
        for task in config.tasks
        for way in ways(config)
        for seed in config.seeds
    )


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """Every way in order, and what the two factors, scheme and last gain, have to do with it."""
    settings = config.audit
    table = score_table(records, config.score, settings.higher_is_better)
    if not any(len(arm.scores) + len(arm.failed) > 1 for arm in table.arms):
        raise NotEnoughSeeds("no initializer has two runs yet: train them with rlaudit train, at least 2 seeds each")
    layouts = _layouts(table, config)
    return Audit(
        name=config.name,
        metric=table.metric,
        higher_is_better=table.higher_is_better,
        alpha=settings.alpha,
        family=_family(layouts, settings.alpha),
        arms=tuple(described(arm, settings) for arm in table.arms),
        splits=(),
        comparisons=(),
        findings=(),
        failures=audit_failures(table),
        twins=twins(records),
        initializers=compare_initializers(
            layouts, alpha=settings.alpha, seed=settings.seed, higher_is_better=table.higher_is_better
        ),
    )


def _layouts(table: ScoreTable, config: AuditConfig) -> list[Layout]:
    """Each agent on each task, with the ways that have runs."""
    arms = {(arm.task, arm.agent): arm for arm in table.arms}
    return [
        Layout(
            agent,
            task.label,
            config.agents[agent].timesteps,
            tuple(
                Candidate(arms[task.label, way.label], way.scheme, way.last_gain)
                for way in ways(config)
                if way.agent == agent and (task.label, way.label) in arms
            ),
        )
        for task in config.tasks
        for agent in config.agents
    ]


def _family(layouts: Sequence[Layout], alpha: float) -> str:
    """Which comparisons share the level alpha, in words."""
    return (
        f"{n_pairs(layouts):,} comparisons of initializers together at alpha = {alpha:g} (studentised permutation "
        "tests, stepped down)"
    )
