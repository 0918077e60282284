"""Training what a config still lacks: plan -> executor -> store, until no run is missing."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any, TypeAlias

from rlaudit.backends.provenance import versions
from rlaudit.config import AuditConfig, ConfigSource
from rlaudit.events import logged
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
    notify: Notify = lambda event: None


def train(config: AuditConfig, source: ConfigSource, store: Store, how: Training = Training()) -> None:
    """Trains what is missing, each finished run going into the store at once. Raises ConfigError before it starts.

    Where further runs follow from the records of the first, it goes on until no run is missing.
    """
    store.sweep()
    tried: set[str] = set()
    with logged(store.root, _about(source, how)) as log:
        while missing := _untried(store.missing(specs := planned(config, store), how.retry_failed), tried):
            check(missing, source)
            store.write_text(CONFIG, source.yaml())
            log.plan(specs, len(missing))
            _train(missing, store, replace(how, notify=_both(log.notify, how.notify)))
    store.write_text(CONFIG, source.yaml())


def _about(source: ConfigSource, how: Training) -> dict[str, Any]:
    """What the log says of this process."""
    settings = {one.name: getattr(how, one.name) for one in fields(how)}
    return {
        "config": sha256(source.yaml().encode()).hexdigest()[:12],
        "versions": versions(["rlaudit", "numpy", "gymnasium", "stable_baselines3", "torch"]),
        "how": {name: value for name, value in settings.items() if not callable(value)},
    }


def _both(first: Notify, second: Notify) -> Notify:
    def notify(event: RunEvent) -> None:
        first(event)
        second(event)

    return notify


def _untried(specs: Sequence[RunSpec], tried: set[str]) -> list[RunSpec]:
    """Each run is tried once, also where failed ones are to be tried again."""
    new = [spec for spec in specs if spec.run_id not in tried]
    tried.update(spec.run_id for spec in new)
    return new


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
