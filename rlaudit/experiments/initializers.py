"""The initializer as a hyper-parameter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlaudit.config import AuditConfig
from rlaudit.plan import run_spec
from rlaudit.results import Audit
from rlaudit.types import RunRecord, RunSpec

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
    """What the runs show."""
    raise NotImplementedError
