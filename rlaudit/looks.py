"""Looks at seeds that are added: what was declared, who is trained next, and what was seen, written down as it is made.

    looks.jsonl    a line a look, oldest first: time, what was seen, what had been declared, which runs

Looks follow from the runs alone, so that they are computed anew whenever somebody asks. The log is there to tell
whether they still are those that were made: lines are only added.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isclose
from typing import Literal

import numpy as np

from rlaudit.config import AuditConfig, ConfigSource
from rlaudit.config_values import LooksName
from rlaudit.errors import StoreError
from rlaudit.plan import plan as all_runs
from rlaudit.results import LoggedLook, Look, LookPlan, LookState, Overturned, PairLook, Sequential
from rlaudit.results.looks import WINNERS
from rlaudit.scores import score_table
from rlaudit.sequential import Decision, Design, next_look
from rlaudit.store import Store
from rlaudit.types import ArmScores, Problem, RunRecord, RunSpec, ScoreTable

LOG = "looks.jsonl"
KINDS: Mapping[LooksName, Literal["group_sequential", "anytime"]] = {
    "sequential": "group_sequential",
    "anytime": "anytime",
}  # as a config calls a design -> as statistics do


def declared(config: AuditConfig) -> LookPlan:
    """What a config declares; only of one with looks."""
    asked = config.sequential
    assert asked is not None
    return LookPlan(
        design=asked.design,
        batch=asked.batch,
        n_looks=asked.looks,
        futility=asked.futility,
        alpha=config.audit.alpha,
        score=config.score,
        higher_is_better=config.audit.higher_is_better,
        agents=tuple(config.agents),
        tasks=tuple(task.label for task in config.tasks),
    )


def design_of(config: AuditConfig) -> Design:
    """As the statistics want it."""
    plan = declared(config)
    return Design(
        seeds=config.seeds,
        batch=plan.batch,
        kind=KINDS[plan.design],
        alpha=plan.alpha,
        futility=plan.futility,
        arms=tuple((agent, task) for task in plan.tasks for agent in plan.agents),
    )


def decide(config: AuditConfig, records: Sequence[RunRecord], *, detail: bool = True) -> Decision:
    """All looks that these records allow, and who is trained next; `detail`: with p-values and intervals."""
    table = score_table(records, config.score, config.audit.higher_is_better)
    return next_look(table, design_of(config), detail=detail)


def check(config: AuditConfig, source: ConfigSource) -> None:
    """Raises ConfigError for looks that could not name a winner even among agents whose seeds are far apart."""
    if config.sequential is None:
        return
    design = design_of(config)
    apart = {agent: 1000.0 * place + np.linspace(0, 1, len(config.seeds)) for place, agent in enumerate(config.agents)}
    arms = tuple(ArmScores(agent, task, config.seeds, apart[agent]) for agent, task in design.arms)
    found = next_look(ScoreTable(config.score, arms), replace(design, futility=None), detail=False)
    if not any(pair.state in WINNERS for look in found.looks for pair in look.pairs):
        n_tasks, n_looks = len(config.tasks), len(design.batches)
        where = f" on {n_tasks} tasks" if n_tasks > 1 else ""
        sentence = (
            f"seeds can name no winner among {len(config.agents)} agents{where}, "
            f"however far apart they are: {n_looks} looks, each at {design.batch} more of an agent, are too few for "
            f"alpha = {design.alpha:g}. Take more looks or a larger batch"
        )
        raise source.error([Problem(("seeds",), sentence)])


def needed(config: AuditConfig, records: Sequence[RunRecord]) -> tuple[RunSpec, ...]:
    """The runs of all looks so far, and of the next one where there is one; at first that is the first batch."""
    found = decide(config, records, detail=False) if records else Decision((), ())
    batch = declared(config).batch
    next_batch = min((n for _, _, n in found.more), default=batch)  # tasks go in step: nobody is ahead of a look
    wanted = {
        (agent, pair.task): look.number * batch
        for look in found.looks
        for pair in look.pairs
        for agent in (pair.agent_a, pair.agent_b)
    } | {(agent, task): n for agent, task, n in found.more if n == next_batch}
    places = {seed: place for place, seed in enumerate(config.seeds)}
    return tuple(
        spec for spec in all_runs(config) if places[int(spec.seed)] < wanted.get((spec.agent, spec.task_label), batch)
    )


def sequential(config: AuditConfig, records: Sequence[RunRecord]) -> Sequential:
    """What came of it; `compared` sets it beside the log."""
    found = decide(config, records)
    return Sequential(declared(config), found.looks, found.more, len(records))


# ---------------------------------------------------------------- the log


def write_down(config: AuditConfig, store: Store) -> tuple[Look, ...]:
    """Adds the looks that the log does not have as they are, and returns them."""
    plan, runs = declared(config), _runs(config)
    last = {one.look.number: one for one in _of_these(log(store), runs)}
    records = store.records(all_runs(config))

    def unknown(*, detail: bool) -> tuple[Look, ...]:
        whole = _whole(decide(config, records, detail=detail), plan.batch)
        return tuple(look for look in whole if not _is_known(look, plan, last.get(look.number)))

    new = unknown(detail=True) if records and unknown(detail=False) else ()
    if new:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        logged = [LoggedLook(now, look, plan, runs, _n_later(look, config, records)) for look in new]
        lines = "".join(map(_line, logged))
        store.write_text(LOG, (store.read_text(LOG) or "") + lines)
    return new


def _whole(found: Decision, batch: int) -> tuple[Look, ...]:
    """Without looks at some of the tasks, whose other seeds are still being trained."""
    return found.looks[: min((wanted // batch - 1 for _, _, wanted in found.more), default=len(found.looks))]


def _is_known(look: Look, plan: LookPlan, logged: LoggedLook | None) -> bool:
    if logged is None or logged.plan != plan or len(logged.look.pairs) != len(look.pairs):
        return False
    return not [*_changes(logged.look, look)]


def _n_later(look: Look, config: AuditConfig, records: Sequence[RunRecord]) -> int:
    later = {*config.seeds[look.number * declared(config).batch :]}
    return sum(record.spec.seed in later for record in records)


def _runs(config: AuditConfig) -> tuple[str, ...]:
    return tuple(spec.run_id for spec in all_runs(config) if spec.seed == config.seeds[0])


def _of_these(logged: Sequence[LoggedLook], runs: Sequence[str]) -> list[LoggedLook]:
    """Without looks at other runs, such as those before an agent's settings were changed."""
    return [one for one in logged if {*one.runs} & {*runs}]


def _line(one: LoggedLook) -> str:
    from pydantic import TypeAdapter

    return json.dumps(TypeAdapter(LoggedLook).dump_python(one, mode="json"), allow_nan=False) + "\n"


def log(store: Store) -> tuple[LoggedLook, ...]:
    """Every look as it was made, the oldest first. Raises StoreError where a line is none."""
    from pydantic import TypeAdapter, ValidationError

    lines = (store.read_text(LOG) or "").splitlines()
    try:
        return tuple(TypeAdapter(LoggedLook).validate_json(line) for line in lines)
    except ValidationError as error:
        raise StoreError(
            f"{store.root / LOG} is damaged: {error.errors()[0]['msg']}. It holds the looks that were made at these "
            "runs; restore it, or delete it: then nobody can say whether they still are the same."
        ) from None


def compared(found: Sequential, config: AuditConfig, store: Store) -> Sequential:
    """Beside the log: when each look was made, and what has changed since."""
    plan, mine = found.plan, _of_these(log(store), _runs(config))
    first: dict[int, LoggedLook] = {}
    for one in mine:
        first.setdefault(one.look.number, one)
    now = {look.number: look for look in found.looks}
    changes = [
        change
        for number, one in first.items()
        for change in _changes(one.look, now.get(number, Look(number, ())))
        if not (
            change.logged == LookState.FUTILE and change.now == LookState.OPEN and one.plan.futility != plan.futility
        )
    ]
    return replace(
        found,
        times=tuple(first[look.number].time if look.number in first else None for look in found.looks),
        overturned=tuple(change for change in changes if change.logged != change.now),
        redrawn=tuple(dict.fromkeys(change.number for change in changes if change.logged == change.now)),
        first_plan=mine[0].plan if mine and mine[0].plan != plan else None,
        in_retrospect=tuple(number for number, one in first.items() if one.n_later and number in now),
    )


def made_at(config: AuditConfig, store: Store) -> int:
    """How many looks are written down at these runs."""
    logged = log(store)
    return len({one.look.number for one in _of_these(logged, _runs(config))}) if logged else 0


def _changes(logged: Look, look: Look) -> Iterator[Overturned]:
    """Pairs that are not what they were, by state or by numbers."""
    pairs = {(pair.agent_a, pair.agent_b, pair.task): pair for pair in look.pairs}
    for old in logged.pairs:
        new = pairs.get((old.agent_a, old.agent_b, old.task))
        if new is None or new.state != old.state or not _alike(old, new):
            yield Overturned(logged.number, old.agent_a, old.agent_b, old.task, old.state, new.state if new else None)


def _alike(old: PairLook, new: PairLook) -> bool:
    """To the last digits, in which machines differ."""
    if (old.n_a, old.n_b) != (new.n_a, new.n_b) or old.effect is None or new.effect is None:
        return (old.n_a, old.n_b, old.effect) == (new.n_a, new.n_b, new.effect)
    return isclose(old.effect, new.effect, rel_tol=1e-9, abs_tol=1e-12)
