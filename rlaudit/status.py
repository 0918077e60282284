"""How far a results folder has got, who works on it, and what is left: from its store, and its log where it has one.

The store says what is done and what failed. The log says the rest: what is planned, what runs now, how long runs take.
"""

import platform
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rlaudit.durable import birth, is_alive
from rlaudit.errors import RlauditError, StoreError
from rlaudit.events import EVENTS, Reader
from rlaudit.history import History, PlannedArm, Retry, Run, Session
from rlaudit.store import Store, is_results_folder
from rlaudit.types import SeedLabel

SCHEMA = "rlaudit.status/1"
ProcessState: TypeAlias = Literal["working", "unknown", "ended", "gave_up", "interrupted", "killed"]
_OPEN: tuple[ProcessState, ...] = ("working", "unknown")  # what it had started may still be running


@dataclass(frozen=True)
class ArmStatus:
    """One agent on one task: numbers of runs."""

    agent: str
    task: str
    planned: int | None  # None: nobody said
    done: int
    failed: int
    running: int
    to_come: int  # neither trained nor running


@dataclass(frozen=True)
class RunningSeed:
    """A run under way, or on a machine that cannot be asked."""

    agent: str
    task: str
    seed: SeedLabel
    steps: int | None  # None: it has told of none yet
    timesteps: int | None
    seconds: float | None  # since it started, by the clock
    tries: int
    host: str
    pid: int | None


@dataclass(frozen=True)
class FailedSeed:
    """A run that failed."""

    agent: str
    task: str
    seed: SeedLabel
    reason: str
    tries: int | None


@dataclass(frozen=True)
class RetriedSeed:
    """A run that was begun again, and why."""

    agent: str
    task: str
    seed: SeedLabel
    reason: str
    seconds_ago: float | None


@dataclass(frozen=True)
class ProcessStatus:
    """A process that trains here, or did."""

    state: ProcessState  # unknown: on another machine, and it has not said that it ended; killed: it ended unsaid
    host: str
    pid: int | None
    command: str
    cwd: str
    seconds_since_start: float | None
    seconds_since_sign: float | None  # of life: its last line in the log
    message: str  # why it gave up, or what it waits for


@dataclass(frozen=True)
class TimeLeft:
    """An estimate: runs that are missing take as long as those of their agent did."""

    seconds: float
    n_finished: int  # runs that it rests on
    at_once: int  # runs at the same time
    is_rough: bool  # an agent without a finished run was judged by the steps of the others


@dataclass(frozen=True)
class Status:
    """A results folder at one moment."""

    folder: str
    has_log: bool
    planned: int | None  # None: nobody said
    done: int
    failed: int
    n_running: int
    to_come: int
    others: int  # stored runs that the latest plan does not want
    arms: tuple[ArmStatus, ...]
    running: tuple[RunningSeed, ...]
    failures: tuple[FailedSeed, ...]
    retries: tuple[RetriedSeed, ...]
    looks: tuple[Mapping[str, Any], ...]
    processes: tuple[ProcessStatus, ...]  # those that work, or else the last one
    left: TimeLeft | None  # None: nobody works on it, or no run has finished
    per_hour: float | None  # runs finished by those that work on it, since they began
    n_unreadable: int  # lines of the log

    @property
    def is_worked_on(self) -> bool:
        """By a process that lives, or may live elsewhere."""
        return any(process.state in _OPEN for process in self.processes)

    @property
    def is_complete(self) -> bool:
        """Every planned run is done or has failed."""
        return self.planned is not None and not self.n_running and not self.to_come


def to_json(status: Status) -> dict[str, Any]:
    """As plain values, with the schema in front."""
    whole = {"is_complete": status.is_complete, "is_worked_on": status.is_worked_on}
    return {"schema": SCHEMA, **whole, **asdict(status)}


class Watch:
    """Looks at a results folder again and again; of its log it reads only what is new.

    Raises RlauditError where there is no results folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir() or not (is_results_folder(folder) or (folder / EVENTS).exists()):
            raise RlauditError(
                f"{folder}: no results folder of rlaudit (it has neither runs/ nor {EVENTS}). Give the folder that "
                "`rlaudit train` writes, results/NAME unless --out says otherwise, or the config; if training has only "
                "just been started, try again in a moment."
            )
        self.store, self.log, self.history = Store(folder), Reader(folder / EVENTS), History()

    def look(self, now: float) -> Status:
        """The folder at this moment, in seconds since 1970."""
        for event in self.log.more():
            self.history.tell(event)
        return status_of(self.history, self.store, now, self.log.n_unreadable)


def status_of(history: History, store: Store, now: float, n_unreadable: int = 0) -> Status:
    """The log that was read so far, beside the store."""
    done, failed = store.run_ids("runs"), store.run_ids("failed")
    states = {name: _state(session) for name, session in history.sessions.items()}
    running = {
        run_id: run
        for run_id, run in history.runs.items()
        if run.is_running and states[run.session] in _OPEN and run_id not in done
    }
    failed -= {*done, *running}
    wanted = {run_id for arm in history.arms for run_id in arm.runs} or done | failed
    if history.arms:
        arms = tuple(_counted(arm, done, failed, running) for arm in history.arms)
        failures = tuple(_failures(history, store, failed))
    else:
        arms, failures = _without_plan(store)
    workers = _workers(states, running.values())
    return Status(
        folder=str(store.root),
        has_log=bool(history.sessions),
        planned=sum(arm.planned or 0 for arm in arms) if history.arms else None,
        done=sum(arm.done for arm in arms),
        failed=sum(arm.failed for arm in arms),
        n_running=sum(arm.running for arm in arms),
        to_come=sum(arm.to_come for arm in arms),
        others=len((done | failed) - wanted),
        arms=arms,
        running=tuple(_running(run, history.sessions[run.session], now) for run in running.values()),
        failures=failures,
        retries=tuple(_retry(one, now) for one in history.retries),
        looks=tuple(history.looks[number] for number in sorted(history.looks)),
        processes=tuple(_process(history.sessions[name], states[name], now) for name in workers or list(states)[-1:]),
        left=_left(history, arms, list(running.values()), [history.sessions[name] for name in workers]),
        per_hour=_per_hour([history.sessions[name] for name in workers], now),
        n_unreadable=n_unreadable,
    )


# ---------------------------------------------------------------- who works


def _state(session: Session) -> ProcessState:
    """Only processes of this machine can be asked whether they live."""
    if session.end is not None:
        return session.end  # type: ignore[return-value]  # one of history.ENDS
    if session.host != platform.node() or session.pid is None:
        return "unknown"
    if session.birth is not None:
        return "working" if birth(session.pid) == session.birth else "killed"
    return "working" if 0 < session.pid < 2**31 and is_alive(session.pid) else "killed"


def _workers(states: Mapping[str, ProcessState], running: Iterable[Run]) -> list[str]:
    """Sessions that live; of those that cannot be asked, the last one and whoever has a run under way."""
    perhaps = {*list(states)[-1:], *(run.session for run in running)}
    return [name for name, state in states.items() if state == "working" or (state == "unknown" and name in perhaps)]


def _process(session: Session, state: ProcessState, now: float) -> ProcessStatus:
    return ProcessStatus(
        state=state,
        host=session.host,
        pid=session.pid,
        command=session.command,
        cwd=session.cwd,
        seconds_since_start=_ago(session.began, now),
        seconds_since_sign=_ago(session.seen, now),
        message=session.message,
    )


def _ago(then: float | None, now: float) -> float | None:
    """Never negative: clocks are set, and those of two machines differ."""
    return None if then is None else round(max(0.0, now - then), 1)


# ---------------------------------------------------------------- runs


def _counted(arm: PlannedArm, done: set[str], failed: set[str], running: Container[str]) -> ArmStatus:
    """Each run counts once."""
    n_done, n_failed, n_running = (sum(run in state for run in arm.runs) for state in (done, failed, running))
    to_come = len(arm.runs) - n_done - n_failed - n_running
    return ArmStatus(arm.agent, arm.task, len(arm.runs), n_done, n_failed, n_running, to_come)


def _retry(retry: Retry, now: float) -> RetriedSeed:
    return RetriedSeed(retry.agent, retry.task, retry.seed, retry.reason, _ago(retry.time, now))


def _running(run: Run, session: Session, now: float) -> RunningSeed:
    return RunningSeed(
        agent=run.agent,
        task=run.task,
        seed=run.seed,
        steps=run.steps,
        timesteps=run.timesteps,
        seconds=_ago(run.since, now),
        tries=run.tries,
        host=session.host,
        pid=session.pid,
    )


def _failures(history: History, store: Store, failed: set[str]) -> Iterator[FailedSeed]:
    """In the order of the plan; what the log has lost is looked up in the store."""
    for arm in history.arms:
        for run_id, seed in arm.runs.items():
            if run_id in failed:
                run = history.runs.get(run_id)
                known = run is not None and not run.is_running and run.message
                reason = run.message if run and known else _stored_reason(store, run_id)
                yield FailedSeed(arm.agent, arm.task, seed, reason, run.tries if run and known else None)


def _stored_reason(store: Store, run_id: str) -> str:
    try:
        return next((str(meta.get("error") or "") for meta in store.metas({run_id})), "")
    except StoreError:  # it is being replaced
        return ""


def _without_plan(store: Store) -> tuple[tuple[ArmStatus, ...], tuple[FailedSeed, ...]]:
    """What is stored, where no log says what was wanted."""
    arms: dict[tuple[str, str], list[int]] = {}
    failures = []
    for meta in store.metas():
        spec = meta["spec"]
        agent, task = str(spec.get("agent", "")), str(spec.get("task") or spec.get("env_id", ""))
        is_failed = meta.get("status") == "failed"
        arms.setdefault((agent, task), [0, 0])[is_failed] += 1
        if is_failed:
            failures.append(FailedSeed(agent, task, spec.get("seed", ""), str(meta.get("error") or ""), None))
    counted = (ArmStatus(*named, None, done, failed, 0, 0) for named, (done, failed) in arms.items())
    return tuple(counted), tuple(failures)


# ---------------------------------------------------------------- time


def _left(
    history: History, arms: Iterable[ArmStatus], running: Sequence[Run], workers: Sequence[Session]
) -> TimeLeft | None:
    """Work that is missing, at the pace of the runs that have finished."""
    planned = {(arm.agent, arm.task): arm.timesteps or 0 for arm in history.arms}
    finished = {key: seconds for key, seconds in history.seconds.items() if key in planned}
    n_finished = sum(map(len, finished.values()))
    steps = sum(planned[key] * len(seconds) for key, seconds in finished.items())
    if not n_finished or not running or not workers:
        return None
    pace = sum(map(sum, finished.values())) / steps if steps else 0.0  # seconds a step, over all agents

    def cost(agent: str, task: str) -> float:
        seconds = finished.get((agent, task))
        return sum(seconds) / len(seconds) if seconds else pace * planned.get((agent, task), 0)

    todo = [(arm.agent, arm.task, arm.to_come) for arm in arms if arm.to_come]
    under_way = [cost(run.agent, run.task) * (1 - _share(run)) for run in running]
    whole = sum(cost(agent, task) * n for agent, task, n in todo) + sum(under_way)
    is_rough = any((agent, task) not in finished for agent, task, _ in todo) or any(
        (run.agent, run.task) not in finished for run in running
    )
    at_once = min(sum(session.at_once for session in workers), len(running) + sum(n for _, _, n in todo))
    return TimeLeft(max(whole / at_once, *under_way), n_finished, at_once, is_rough)


def _share(run: Run) -> float:
    return min(1.0, (run.steps or 0) / run.timesteps) if run.timesteps else 0.0


def _per_hour(sessions: Sequence[Session], now: float) -> float | None:
    """Runs that finished since the oldest of them began."""
    n_finished = sum(session.n_finished for session in sessions)
    seconds = max((_ago(session.began, now) or 0.0 for session in sessions), default=0.0)
    return 3600 * n_finished / seconds if n_finished and seconds else None
