"""Training what a config still lacks: plan -> executor -> store, until no run is missing."""

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeAlias

from rlaudit.config import AuditConfig, ConfigSource
from rlaudit.errors import ConfigError
from rlaudit.experiments import EXPERIMENTS
from rlaudit.store import Store
from rlaudit.types import Problem, RunEvent, RunSpec

CONFIG, MEMO = "config.yaml", "memo"
Notify: TypeAlias = Callable[[RunEvent], None]


def check(specs: Sequence[RunSpec], source: ConfigSource) -> None:
    """Looks at one spec per agent and task before anything is trained. Raises ConfigError with every problem."""
    from rlaudit.backends import BACKENDS

    firsts = {(spec.agent, spec.task_label): spec for spec in reversed(specs)}
    found = [problem for spec in firsts.values() for problem in BACKENDS[spec.backend].check(spec)]
    problems = [Problem(_as_in_config(problem.path, source), problem.message) for problem in found]
    if problems:
        raise source.error(list(dict.fromkeys(problems)))


def _as_in_config(path: tuple[str | int, ...], source: ConfigSource) -> tuple[str | int, ...]:
    """An experiment's arm is an agent of the config under another name, which begins like it where there are several.

    So what is wrong with the agent is said once, at its line, and not for each of its arms.
    """
    agents = list(source.data.get("agents", ()))
    if path[:1] != ("agents",) or len(path) < 2 or path[1] in agents:
        return path
    owners = [agent for agent in agents if len(agents) == 1 or str(path[1]).startswith(agent)]
    return ("agents", max(owners, key=len), *path[2:]) if owners else path


@dataclass(frozen=True)
class Training:
    """How missing runs are trained; none of it changes what a run is."""

    executor: str = "local"
    workers: int | None = None  # None: as many as there are cores
    timeout: float | None = None  # seconds a run
    memory: int | None = None  # bytes a run
    retries: int = 3  # of a run whose process was killed
    retry_failed: bool = False  # train the failed runs again
    only: Collection[str] = ()  # ids of runs; empty: all that are missing
    notify: Notify = lambda event: None


def train(config: AuditConfig, source: ConfigSource, store: Store, how: Training = Training()) -> None:
    """Trains what is missing, each finished run going into the store at once. Raises ConfigError before it starts.

    Where further runs follow from the records of the first, it goes on until no run is missing.
    """
    store.sweep()
    tried: set[str] = set()
    while missing := [spec for spec in to_train(config, store, how) if _new(spec, tried)]:
        check(missing, source)
        store.write_text(CONFIG, source.yaml())
        _train(missing, store, how)
    store.write_text(CONFIG, source.yaml())


def to_train(config: AuditConfig, store: Store, how: Training = Training()) -> tuple[RunSpec, ...]:
    """Missing runs, as far as they are known now. Raises ConfigError where a run that is asked for is none of these."""
    specs = planned(config, store)
    for run in set(how.only) - {spec.run_id for spec in specs}:
        near = get_close_matches(run, [spec.run_id for spec in specs], n=1)
        hint = f"Did you mean {near[0]}?" if near else "Those that are missing: rlaudit train --list-commands"
        raise ConfigError(f"--only {run}: there is no such run among the {len(specs)} of this config. {hint}")
    return tuple(spec for spec in store.missing(specs, how.retry_failed) if not how.only or spec.run_id in how.only)


def _new(spec: RunSpec, tried: set[str]) -> bool:
    """Each run is tried once, also where failed ones are to be tried again."""
    is_new = spec.run_id not in tried
    tried.add(spec.run_id)
    return is_new


def _train(missing: Sequence[RunSpec], store: Store, how: Training) -> None:
    from rlaudit.executors import executor_of

    run = executor_of(how.executor)
    for spec in missing:
        how.notify(RunEvent("planned", spec))
    specs = [replace(spec, memo=str(store.root / MEMO)) for spec in missing]
    trained = run(
        specs,
        workers=how.workers,
        timeout=how.timeout,
        memory=how.memory,
        retries=how.retries,
        notify=how.notify,
    )
    with closing(trained) as records:  # whatever strikes in the loop, Ctrl-C included, ends the workers
        for record in records:
            store.add(record)


def planned(config: AuditConfig, store: Store) -> tuple[RunSpec, ...]:
    """All runs of a config, as far as the stored records tell: some follow from the results of others."""
    experiment = EXPERIMENTS[config.experiment]
    specs = experiment.plan(config)
    while experiment.staged and not store.missing(specs):
        further = experiment.plan(config, store.records(specs))
        if len(further) == len(specs):
            break
        specs = further
    return specs
