"""Training what a config still lacks: plan -> executor -> store, until no run is missing."""

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from hashlib import sha256
from shlex import quote
from textwrap import shorten
from typing import Any, TypeAlias

from rlaudit import looks
from rlaudit.backends.provenance import versions
from rlaudit.config import AgentConfig, AuditConfig, ConfigSource
from rlaudit.errors import ConfigError, TooManyFailures
from rlaudit.events import Log, logged
from rlaudit.experiments import EXPERIMENTS
from rlaudit.plan import plan as all_runs
from rlaudit.results import Look
from rlaudit.sharing import Share
from rlaudit.store import Store
from rlaudit.types import Problem, RunEvent, RunRecord, RunSpec

CONFIG, MEMO = "config.yaml", "memo"
_SHOWN_REASON = 300  # characters of why a run failed
Notify: TypeAlias = Callable[[RunEvent], None]


def check(specs: Sequence[RunSpec], source: ConfigSource, executor: str = "serial") -> None:
    """Looks at one spec per agent and task before anything is trained. Raises ConfigError with every problem."""
    from rlaudit.executors import problems_beforehand, problems_of

    firsts = {(spec.agent, spec.task_label): spec for spec in reversed(specs)}
    found = (problems_beforehand if executor == "local" else problems_of)(list(firsts.values()))
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
    max_failures: int | None = 10  # then no further run starts; None: whatever fails
    only: Collection[str] = ()  # ids of runs; empty: all that are missing
    notify: Notify = lambda event: None
    looked: Callable[[Look], None] = lambda look: None  # is told of looks at seeds that are added


def train(config: AuditConfig, source: ConfigSource, store: Store, how: Training = Training()) -> None:
    """Trains what is missing, each finished run going into the store at once. Raises ConfigError before it starts.

    Where further runs follow from the records of the first, it goes on until no run is missing. Other processes may
    train the same store: see `sharing`. Raises TooManyFailures once `max_failures` runs have failed and more are
    missing, StoreError where the store cannot be written.
    """
    looks.check(config, source)
    store.sweep()
    with logged(store.root, _about(source, how)) as log, closing(Share(store, how.retry_failed)) as share:
        _until_none_is_missing(config, source, share, log, _also_logged(how, log))
    store.write_text(CONFIG, source.yaml())


def _until_none_is_missing(config: AuditConfig, source: ConfigSource, share: Share, log: Log, how: Training) -> None:
    store, failed, told = share.store, list[RunRecord](), False
    while missing := share.missing(asked_for(specs := _looked(config, store, how), how)):
        if _given_up(failed, how):
            raise too_many_failures(failed, how.max_failures, store, specs)
        if free := [spec for spec in missing if not share.is_elsewhere(spec)]:
            check(free, source, how.executor)
            store.check_room()
            store.write_text(CONFIG, source.yaml())
            log.plan(specs, len(missing))
            _train(free, share, failed, how)
            continue
        if not told:
            how.notify(RunEvent("waiting", missing[0], message=_waiting(len(missing))))
            told = True
        share.wait(missing)


def _about(source: ConfigSource, how: Training) -> dict[str, Any]:
    """What the log says of this process."""
    settings = {one.name: getattr(how, one.name) for one in fields(how)}
    return {
        "config": sha256(source.yaml().encode()).hexdigest()[:12],
        "versions": versions(["rlaudit", "numpy", "gymnasium", "stable_baselines3", "torch"]),
        "how": {name: value for name, value in settings.items() if not callable(value)},
    }


def _also_logged(how: Training, log: Log) -> Training:
    """Whoever watches is told first."""

    def notify(event: RunEvent) -> None:
        how.notify(event)
        log.notify(event)

    def looked(look: Look) -> None:
        how.looked(look)
        log.look(look)

    return replace(how, notify=notify, looked=looked)


def _looked(config: AuditConfig, store: Store, how: Training) -> tuple[RunSpec, ...]:
    """All runs that are known to be needed, after the looks that they rest on were written down."""
    if config.sequential:
        for look in looks.write_down(config, store):
            how.looked(look)
    return planned(config, store)


def to_train(config: AuditConfig, store: Store, how: Training = Training()) -> tuple[RunSpec, ...]:
    """Missing runs, as far as they are known now. Raises ConfigError where a run that is asked for is none of these."""
    return store.missing(asked_for(planned(config, store), how), how.retry_failed)


def asked_for(specs: Sequence[RunSpec], how: Training) -> tuple[RunSpec, ...]:
    """All, or those that `how.only` names. Raises ConfigError where one of these is none of them."""
    ids = [spec.run_id for spec in specs]
    for run in set(how.only) - set(ids):
        near = get_close_matches(run, ids, n=1)
        hint = f"Did you mean {near[0]}?" if near else "Those that are missing: rlaudit train --list-commands"
        raise ConfigError(f"--only {run}: there is no such run among the {len(specs)} of this config. {hint}")
    return tuple(spec for spec in specs if not how.only or spec.run_id in how.only)


def _given_up(failed: Sequence[RunRecord], how: Training) -> bool:
    return how.max_failures is not None and len(failed) >= how.max_failures


def _waiting(n: int) -> str:
    runs = "1 run is" if n == 1 else f"{n} runs are"
    return f"{runs} being trained by another process; waiting"


def _train(specs: Sequence[RunSpec], share: Share, failed: list[RunRecord], how: Training) -> None:
    """Adds to `failed` what failed."""
    from rlaudit.executors import executor_of

    def claim(spec: RunSpec) -> bool:
        if _given_up(failed, how):
            return False
        if mine := share.take(spec):
            return mine
        how.notify(RunEvent("elsewhere", spec))
        return False

    run = executor_of(how.executor)
    for spec in specs:
        how.notify(RunEvent("planned", spec))
    trained = run(
        [replace(spec, memo=str(share.store.root / MEMO)) for spec in specs],
        workers=how.workers,
        timeout=how.timeout,
        memory=how.memory,
        retries=how.retries,
        notify=how.notify,
        claim=claim,
    )
    with closing(trained) as records:  # whatever strikes in the loop, Ctrl-C included, ends the workers
        for record in records:
            share.store.add(record)
            share.give_back(record.spec)
            if record.status == "failed":
                failed.append(record)


def too_many_failures(
    failed: Sequence[RunRecord], most: int | None, store: Store, specs: Sequence[RunSpec]
) -> TooManyFailures:
    """What happened, what is missing, and the ways on."""
    last = failed[-1]
    task = f" on {last.spec.task_label}" if len({spec.task_label for spec in specs}) > 1 else ""
    reason = shorten(last.reason or "no reason was given", _SHOWN_REASON)
    error = TooManyFailures(
        f"{len(failed)} runs failed, the last one {last.spec.agent}{task}, seed {last.spec.seed}: {reason}\n"
        f"No further run was started (--max-failures {most}); {len(store.missing(specs))} of {len(specs)} runs "
        f"are missing in {store.root}."
    )
    error.add_note(
        "The same command goes on with them. --retry-failed trains the failed ones again, --keep-going goes on "
        f"whatever fails; rlaudit audit {quote(str(store.root))} audits what is there."
    )
    return error


def limits(config: AuditConfig, how: Training) -> dict[str, str]:
    """What a run may take, for the provenance of an audit; nothing where nothing is limited."""
    allowed = {label: _allowed(agent, how) for label, agent in config.agents.items()}
    if not any(allowed.values()):
        return {}
    if len(set(allowed.values())) == 1:
        return {"limits of a run": next(iter(allowed.values()))}
    return {"limits of a run": "; ".join(f"{label}: {words or 'none'}" for label, words in allowed.items())}


def _allowed(agent: AgentConfig, how: Training) -> str:
    from rlaudit.executors.resident import in_words

    timeout = min(filter(None, (agent.timeout, how.timeout)), default=None)
    memory = min(filter(None, (agent.memory, how.memory)), default=None)
    words = [f"{timeout:g} s of wall time"] if timeout else []
    return ", ".join(words + ([f"{in_words(memory)} of resident memory"] if memory else []))


def planned(config: AuditConfig, store: Store) -> tuple[RunSpec, ...]:
    """All runs of a config, as far as the stored records tell: some follow from the results of others."""
    experiment = EXPERIMENTS[config.experiment]
    if config.sequential:  # each look is made as if the later runs were not there
        return experiment.plan(config, store.records(all_runs(config)))
    specs = experiment.plan(config)
    while experiment.staged and not store.missing(specs):
        further = experiment.plan(config, store.records(specs))
        if len(further) == len(specs):
            break
        specs = further
    return specs
