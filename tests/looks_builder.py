"""Looks without their statistics: a rule that is simple enough to be foreseen, and audits made with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from math import isnan
from typing import Any

import numpy as np
import pytest
from builders import record

from rlaudit import looks
from rlaudit.config import AuditConfig
from rlaudit.experiments import audit
from rlaudit.experiments.after_looks import after_looks
from rlaudit.findings import find
from rlaudit.results import Audit, Look, LookState, Overturned, PairLook
from rlaudit.sequential import Decision, Design
from rlaudit.types import ArmScores, RunRecord, RunSpec, ScoreTable

HOSTILE_LABELS = ("<img src=x> & $_1^2$", "a-very-long-agent-name-with-lr-0.0003-and-more")
GAP = 100.0  # between two means that are told apart


def fake_next_look(table: ScoreTable, design: Design, *, detail: bool = True) -> Decision:
    """A pair is told apart where its means differ by `GAP`; it is given up where they are equal. Task by task."""
    there = {(arm.agent, arm.task): arm for arm in table.arms}
    arms = [there.get(name) or ArmScores(*name, (), np.empty(0)) for name in design.arms]
    found = [
        _one_task([arm for arm in arms if arm.task == task], design, table.higher_is_better)
        for task in dict.fromkeys(arm.task for arm in arms)
    ]
    looks = [
        Look(number + 1, tuple(pair for seen, _ in found for look in seen[number : number + 1] for pair in look))
        for number in range(max(len(seen) for seen, _ in found))
    ]
    return Decision(tuple(looks), tuple(wanted for _, more in found for wanted in more))


_More = tuple[tuple[str, str, int], ...]


def _one_task(arms: Sequence[ArmScores], design: Design, higher: bool) -> tuple[list[list[PairLook]], _More]:
    open_pairs, looks = [*combinations(arms, 2)], []
    for seeds in (design.seeds[:n] for n in range(design.batch, len(design.seeds) + 1, design.batch)):
        playing = [arm for pair in open_pairs for arm in pair]
        if any({*seeds} - {*arm.seeds, *arm.failed} for arm in playing):
            return looks, tuple(dict.fromkeys((arm.agent, arm.task, len(seeds)) for arm in playing))
        if open_pairs:
            looks.append([_look(a, b, seeds, design, higher, seeds == design.seeds) for a, b in open_pairs])
            still_open = [one.state == LookState.OPEN for one in looks[-1]]
            open_pairs = [pair for pair, goes_on in zip(open_pairs, still_open, strict=True) if goes_on]
    return looks, ()


def _look(a: ArmScores, b: ArmScores, seeds: Sequence[int], design: Design, higher: bool, last: bool) -> PairLook:
    x, y = ([score for seed, score in zip(arm.seeds, arm.scores, strict=True) if seed in seeds] for arm in (a, b))
    effect = float(np.mean(x) - np.mean(y)) if x and y else float("nan")
    state = LookState.UNDECIDED if last else LookState.OPEN
    if effect == 0 and design.futility:
        state = LookState.FUTILE
    if abs(effect) >= GAP:
        state = LookState.A_BETTER if (effect > 0) == higher else LookState.B_BETTER
    anytime = design.kind == "anytime"
    known = not isnan(effect)
    p = 0.5 if state in (LookState.OPEN, LookState.UNDECIDED, LookState.FUTILE) else 0.004
    return PairLook(
        agent_a=a.agent, agent_b=b.agent, task=a.task, n_a=len(x), n_b=len(y),
        effect=effect if known else None, low=effect - 90 if known else None, high=effect + 90 if known else None,
        p_value=None if anytime else p, e_value=1 / p if anytime else None,
        chance=0.03 if state == LookState.FUTILE else None, state=state,
    )  # fmt: skip


# ---------------------------------------------------------------- configs, runs and audits


def config_of(agents: Sequence[str] = ("sac", "td3"), **seeds: Any) -> AuditConfig:
    """Two seeds an agent between four looks, unless said otherwise."""
    return AuditConfig.model_validate(
        {
            "name": "looks",
            "tasks": [seeds.pop("task", "CartPole-v1")],
            "agents": {agent: {"algo": "A2C", "timesteps": 200 + place} for place, agent in enumerate(agents)},
            "seeds": {"batch": 2, "looks": 4, **seeds},
        }
    )


def records_of(specs: Sequence[RunSpec], means: Mapping[str, float], failed: Sequence[int] = ()) -> list[RunRecord]:
    """Runs whose scores lie around the mean of their agent, ten apart; seeds in `failed` have none."""
    return [
        record(spec, status="failed", error="ZeroDivisionError: division by zero", final_returns=np.empty(0))
        if spec.seed in failed
        else record(
            spec,
            weights_sha256=spec.run_id,
            final_returns=np.array([means[spec.agent] + 10.0 * (int(spec.seed) % 3 - 1)]),
        )
        for spec in specs
    ]


def trained(config: AuditConfig, means: Mapping[str, float], failed: Sequence[int] = ()) -> list[RunRecord]:
    """All that the looks call for."""
    records: list[RunRecord] = []
    with simple_looks():
        while len(specs := audit.plan(config, records)) > len(records):
            records = records_of(specs, means, failed)
    return records


def audit_of(config: AuditConfig, records: Sequence[RunRecord], **changes: Any) -> Audit:
    """The audit, with `changes` of what its looks have come to."""
    with simple_looks():
        found = audit.analyze(records, config)
    assert found.sequential is not None
    times = ("2026-11-28T10:04:00+00:00",) * len(found.sequential.looks)
    found = after_looks(found, found.comparisons, replace(found.sequential, **{"times": times, **changes}))
    return replace(found, findings=find(found))


@contextmanager
def simple_looks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "next_look", fake_next_look)
        yield


def looks_audit(
    means: Mapping[str, float] | None = None, failed: Sequence[int] = (), /, below: int = 1000, **seeds: Any
) -> Audit:
    """As trained to the end, or without the seeds from `below` on."""
    means = means or {"sac": 300.0, "td3": 150.0}
    config = config_of(tuple(means), **seeds)
    return audit_of(config, [run for run in trained(config, means, failed) if int(run.spec.seed) < below])


def changed(found: Audit) -> Audit:
    """A look said something else when it was made, and there were fewer of them."""
    one = found.sequential
    assert one is not None
    pair = one.looks[0].pairs[0]
    named = (pair.agent_a, pair.agent_b, pair.task)
    turned = Overturned(1, *named, LookState.B_BETTER, pair.state)
    earlier = replace(one.plan, n_looks=3, agents=(*one.plan.agents, "ppo"))
    doubted = replace(one, overturned=(turned, replace(turned, now=None)), redrawn=(1,), first_plan=earlier)
    found = after_looks(found, found.comparisons, doubted)
    return replace(found, findings=find(found))


def without_ends(found: Audit) -> Audit:
    """Intervals have no end, and no difference is known."""
    one = found.sequential
    assert one is not None
    looks = tuple(
        Look(look.number, tuple(replace(p, effect=None, low=None, high=None, p_value=None) for p in look.pairs))
        for look in one.looks
    )
    found = after_looks(found, found.comparisons, replace(one, looks=looks))
    return replace(found, findings=find(found))


FEW_LOOKS = ("looks", "looks, none made", "looks, five agents", "looks, changed", "looks, hostile names")


def odd_looks() -> dict[str, Audit]:
    """Name -> audit of seeds that were added; whatever draws or writes must survive them all."""
    five = dict(zip(("a", "b", "c", "d", "e"), (100.0, 100.0, 220.0, 340.0, 120.0), strict=True))
    return {
        "looks": looks_audit(),
        "looks, undecided": looks_audit({"sac": 300.0, "td3": 290.0}),
        "looks, given up": looks_audit({"sac": 300.0, "td3": 300.0}),
        "looks, none made": looks_audit(below=2, batch=3),
        "looks, to be continued": looks_audit({"sac": 300.0, "td3": 290.0}, below=4),
        "looks, anytime": looks_audit({"sac": 150.0, "td3": 300.0}, design="anytime", batch=3, looks=10),
        "looks, failed seeds": looks_audit(None, (0, 3)),
        "looks, five agents": looks_audit(five),
        "looks, changed": changed(looks_audit()),
        "looks, hostile names": looks_audit(dict(zip(HOSTILE_LABELS, (300.0, 290.0), strict=True))),
        "looks, no ends": without_ends(looks_audit({"sac": 300.0, "td3": 290.0})),
    }


APART_BY_FAR = {name: 500.0 - 100.0 * place for place, name in enumerate("abcde")}
