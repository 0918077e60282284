"""Does the same seed give the same run?

First every agent is trained twice from one seed, each time in an interpreter of its own. Where the two agree it is
trained once more in a pool, under other seeds, and with one circumstance changed at a time. Where they do not, one
source of chance at a time is held still in two further runs: the one that makes them agree is the source.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rlaudit.config import AuditConfig
from rlaudit.experiments.trials import (
    CONDITIONS,
    PROGRAMS,
    SOURCES,
    held,
    own_backend,
    sources_of,
    treated,
    unchanged,
)  # fmt: skip
from rlaudit.plan import run_spec
from rlaudit.results import Audit, Draw, Reproduction, Trial
from rlaudit.results.reproduction import Difference, Kind
from rlaudit.traces import compare
from rlaudit.types import RunRecord, RunSpec

_WHOLE = ("again", "pool")  # conditions under which the run is trained to its end
_ALL, _ALL_BUT = "everything", "all but "  # names of pairs in which several sources are held still
_BEYOND = 2  # times the step of the first difference: so far a pair must agree before its source counts as found


class _Pair(NamedTuple):
    """Two runs that are set side by side."""

    name: str
    label: str
    kind: Kind
    a: RunSpec
    b: RunSpec


class _First(NamedTuple):
    """The first run of an agent on a task from one seed, and what its trials need to know."""

    spec: RunSpec
    other: int  # a seed for the opposite question
    steps: int  # of a trial that need not go to the end


_Known = Mapping[str, RunRecord]  # by run id


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Every run that is needed as far as `records` tell."""
    known = _by_id(records)
    specs = [
        spec
        for first in _firsts(config)
        for pair in _pairs(first, known)
        for spec in (pair.a, pair.b)
    ]  # fmt: skip
    return tuple({(spec.agent, spec.task_label, spec.run_id): spec for spec in specs}.values())


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """What was compared, where it parts, and why. Its runs are no sample of seeds: there are no arms."""
    known = _by_id(records)
    return Audit(
        name=config.name,
        metric=config.score,
        higher_is_better=config.audit.higher_is_better,
        alpha=config.audit.alpha,
        family="",
        arms=(),
        splits=(),
        comparisons=(),
        findings=(),
        reproduction=tuple(_reproduction(first, known) for first in _firsts(config)),
    )


def _by_id(records: Sequence[RunRecord]) -> _Known:
    return {record.spec.run_id: record for record in records}


def _firsts(config: AuditConfig) -> Iterator[_First]:
    seeds = config.seeds[: config.reproduce.seeds]
    other = next((seed for seed in config.seeds if seed not in seeds), max(seeds) + 1)
    for task in config.tasks:
        for label, agent in config.agents.items():
            for seed in seeds:
                spec = run_spec(config, task, label, agent, seed)
                trial = replace(spec, backend="trial", treatment={"backend": spec.backend})
                longest = _until(trial, config.reproduce.timesteps or spec.timesteps)
                yield _First(longest, other, config.reproduce.steps)


# ---------------------------------------------------------------- what is set side by side


def _pairs(first: _First, known: _Known) -> Iterator[_Pair]:
    """The two first runs; then what their records call for."""
    twins = _pair(first, "again")
    assert twins is not None
    yield twins
    difference = _tried(twins, known)
    if difference is None or difference.error:
        return
    if difference.equal:
        yield from filter(None, (_pair(first, name) for name in CONDITIONS if name != "again"))
    else:
        assert difference.first is not None
        yield from _sources(first, difference.first, known)


def _pair(first: _First, name: str) -> _Pair | None:
    """The first run beside the same one under a condition."""
    condition = CONDITIONS[name]
    base = first.spec if name in _WHOLE else _until(first.spec, first.steps)
    changed = condition.change(base, first.other)
    return _Pair(name, condition.label, condition.kind, first.spec, changed) if changed else None


def _until(spec: RunSpec, steps: int) -> RunSpec:
    """Programs cannot be stopped early."""
    reach = spec.treatment.get("until", spec.timesteps)
    return treated(spec, until=steps) if steps < reach and own_backend(spec) not in PROGRAMS else spec


def _sources(first: _First, difference: Difference, known: _Known) -> Iterator[_Pair]:
    """Each source alone; where none is enough all of them; and where that is enough all but each."""
    beyond = first.spec.timesteps if difference.step is None else _BEYOND * difference.step
    in_training = difference.where != "evaluation"
    base = _until(first.spec, max(first.steps, beyond)) if in_training else first.spec
    names = sources_of(base)
    alone = [_held(base, name, SOURCES[name].label, (name,)) for name in names]
    yield from alone
    if len(names) < 2 or not _settled(alone, known) or _agree(alone, known):
        return
    everything = _held(base, _ALL, "all of these", names)
    yield everything
    if _agree([everything], known):
        for name in names:
            others = tuple(other for other in names if other != name)
            yield _held(base, f"{_ALL_BUT}{name}", f"all but {SOURCES[name].label}", others)


def _held(base: RunSpec, name: str, label: str, names: tuple[str, ...]) -> _Pair:
    spec = held(base, names)
    assert spec is not None
    return _Pair(name, label, "source", spec, replace(spec, replicate=1))


def _settled(pairs: Sequence[_Pair], known: _Known) -> bool:
    return all(_tried(pair, known) is not None for pair in pairs)


def _agree(pairs: Sequence[_Pair], known: _Known) -> list[str]:
    """Names of the pairs that agree."""
    return [pair.name for pair in pairs if (trial := _tried(pair, known)) and trial.equal]


# ---------------------------------------------------------------- what came of it


def _tried(pair: _Pair, known: _Known) -> Trial | None:
    """The two runs compared; None where one is still to be trained."""
    if pair.a.run_id not in known or pair.b.run_id not in known:
        return None
    a, b = known[pair.a.run_id], known[pair.b.run_id]
    errors = [record.error for record in (a, b) if record.error]
    if errors:
        return Trial(pair.name, pair.label, pair.kind, 0, None, {}, error=errors[0].strip().rpartition("\n")[2])
    ends = "until" not in pair.a.treatment and "until" not in pair.b.treatment
    whole = ends and pair.a.evaluation == pair.b.evaluation
    compared = compare(a, b, whole=whole)
    return Trial(pair.name, pair.label, pair.kind, compared.steps, compared.first, compared.channels)


def _reproduction(first: _First, known: _Known) -> Reproduction:
    pairs = list(_pairs(first, known))
    trials = [trial for pair in pairs if (trial := _tried(pair, known))]
    record = known.get(first.spec.run_id)
    failed = {
        spec.run_id for pair in pairs for spec in (pair.a, pair.b) if spec.run_id in known and known[spec.run_id].error
    }
    names, together = _found(trials)
    return Reproduction(
        agent=first.spec.agent,
        task=first.spec.task_label,
        seed=first.spec.seed,
        traced=own_backend(first.spec) not in PROGRAMS,
        steps=first.spec.timesteps,
        trials=tuple(trials),
        sources=names,
        together=together,
        draws=tuple(_draws(record)) if record else (),
        left_behind=_left_behind(record) if record else (),
        unchanged=unchanged(first.spec),
        n_failed=len(failed),
        error=next((trial.error for trial in trials if trial.error), ""),
    )


def _found(trials: Sequence[Trial]) -> tuple[tuple[str, ...], bool]:
    """The sources, and whether it takes all of them together."""
    sources = [trial for trial in trials if trial.kind == "source" and not trial.error]
    alone = tuple(trial.name for trial in sources if trial.equal and trial.name in SOURCES)
    needed = tuple(
        trial.name.removeprefix(_ALL_BUT) for trial in sources if trial.name.startswith(_ALL_BUT) and not trial.equal
    )
    return (alone, False) if alone else (needed, True)


def _draws(record: RunRecord) -> Iterator[Draw]:
    for name, counts in record.measurements.items():
        if name.startswith("draws "):
            resets, steps, watched = counts.tolist()
            yield Draw(name.removeprefix("draws "), resets, steps, watched)


def _left_behind(record: RunRecord) -> tuple[str, ...]:
    names = record.measurements.get("left_behind")
    return () if names is None else tuple(names.tobytes().decode().split("\n"))
