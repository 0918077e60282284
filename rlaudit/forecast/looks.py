"""What a config with looks may cost, and how soon it would end for gaps that are assumed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rlaudit import looks
from rlaudit.config import AuditConfig
from rlaudit.forecast.nouns import AssumedGap, LookForecast, Price
from rlaudit.plan import plan as all_runs
from rlaudit.results import LookState
from rlaudit.seeds import generator
from rlaudit.sequential import Design, next_look
from rlaudit.store import Store
from rlaudit.types import ArmScores, RunSpec, ScoreTable

_GAPS = (0.5, 1.0, 1.5)  # in sd between seeds
_DRAWS = 100  # of each: a standard error of .05 at most, in about two seconds
_LARGEST = {"group_sequential": (6, 8), "anytime": (20, 60)}  # batch and looks up to which that holds


def look_forecast(
    config: AuditConfig, store: Store, missing: Sequence[RunSpec], known: Mapping[tuple[str, str], Price]
) -> LookForecast:
    """The least and the most; what the next look takes; and what assumed gaps would come to."""
    every = all_runs(config)
    found = looks.decide(config, store.records(every), detail=False)
    going = {(agent, task) for agent, task, _ in found.more}
    left = [spec for spec in store.missing(every) if (spec.agent, spec.task_label) in going]
    plan = looks.declared(config)
    return LookForecast(
        design=plan.design,
        sizes=plan.sizes,
        n_made=len(found.looks),
        settled=not found.more,
        n_least=len(looks.needed(config, ())),
        n_most=len(every),
        seconds_next=_seconds(missing, known),
        seconds_most=_seconds(left, known),
        gaps=tuple(_gaps(config)),
    )


def _seconds(specs: Sequence[RunSpec], known: Mapping[tuple[str, str], Price]) -> float | None:
    prices = [known.get((spec.agent, spec.task_label)) for spec in specs]
    seconds = [price.seconds for price in prices if price]
    return sum(seconds) if len(seconds) == len(specs) else None


def _gaps(config: AuditConfig) -> Iterator[AssumedGap]:
    """Of one pair, while all pairs and tasks share alpha: the looks themselves, at normal seeds."""
    k = len(config.agents)
    design = looks.design_of(config)
    design = replace(design, alpha=design.alpha / (k * (k - 1) // 2 * len(config.tasks)), arms=())
    batch, n_looks = _LARGEST[design.kind]
    if design.batch > batch or len(design.batches) > n_looks:
        return
    for gap in _GAPS:
        rng = generator(config.audit.seed, "looks", f"{gap:g}")
        ends = [_end(gap, design, rng) for _ in range(_DRAWS)]
        yield AssumedGap(gap, sum(won for won, _ in ends) / _DRAWS, float(np.mean([n for _, n in ends])), _DRAWS)


def _end(gap: float, design: Design, rng: np.random.Generator) -> tuple[bool, int]:
    """Whether the better one wins, and after how many seeds it stops."""
    a, b = rng.standard_normal((2, len(design.seeds)))
    table = ScoreTable("gap", (ArmScores("a", "", design.seeds, a + gap), ArmScores("b", "", design.seeds, b)))
    found = next_look(table, design, detail=False)
    return found.looks[-1].pairs[0].state == LookState.A_BETTER, design.batch * len(found.looks)
