"""What the log of a results folder tells, line by line: who trained when, and what became of each run.

Lines are somebody's text: what is missing or of another kind than expected is left out, and nothing ever raises.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeGuard

from rlaudit.types import SeedLabel

Event: TypeAlias = Mapping[str, Any]
ENDS = ("ended", "gave_up", "interrupted")


@dataclass
class Session:
    """A process that trained, or still does."""

    pid: int | None = None
    birth: int | None = None
    host: str = ""
    command: str = ""
    cwd: str = ""
    began: float | None = None  # seconds since 1970, as all times here
    seen: float | None = None  # its last line
    end: str | None = None  # one of ENDS; None: it has not said that it ended
    message: str = ""  # why it gave up, or what it waits for
    n_finished: int = 0
    open_runs: set[str] = field(default_factory=set)
    at_once: int = 0  # most runs at the same time so far


@dataclass
class Run:
    """The latest attempt at a run."""

    agent: str
    task: str
    seed: SeedLabel
    timesteps: int | None
    session: str
    since: float | None
    steps: int | None = None  # None: it has told of none yet
    is_running: bool = True
    tries: int = 1
    message: str = ""  # why it failed


@dataclass(frozen=True)
class PlannedArm:
    """An agent on a task, and all of its runs that are known to be needed."""

    agent: str
    task: str
    timesteps: int | None
    runs: Mapping[str, SeedLabel]  # id -> seed


@dataclass(frozen=True)
class Retry:
    """A run that was begun again."""

    agent: str
    task: str
    seed: SeedLabel
    time: float | None
    reason: str


@dataclass
class History:
    """All that is known from the lines so far."""

    sessions: dict[str, Session] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    arms: tuple[PlannedArm, ...] = ()  # of the latest plan
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)  # wall time of (agent, task)'s runs
    retries: list[Retry] = field(default_factory=list)
    looks: dict[int, Mapping[str, Any]] = field(default_factory=dict)  # number -> what was seen

    def tell(self, event: Event) -> None:
        """One line more."""
        time = _time(event)
        session = self.sessions.setdefault(_text(event, "session"), Session())
        session.seen = time or session.seen
        kind = _text(event, "kind")
        if kind in ENDS:
            session.end, session.message = kind, _text(event, "message")
        elif kind in _TOLD:
            _TOLD[kind](self, session, event)


def _began(history: History, session: Session, event: Event) -> None:
    session.pid, session.birth = _count(event, "pid"), _count(event, "birth")
    session.host, session.command, session.cwd = (_text(event, name) for name in ("host", "command", "cwd"))
    session.began, session.end = _time(event), None


def _planned(history: History, session: Session, event: Event) -> None:
    arms = event.get("arms")
    found = [_arm(arm) for arm in arms if isinstance(arm, dict)] if isinstance(arms, list) else []
    history.arms = tuple(arm for arm in found if arm.runs) or history.arms


def _arm(arm: Event) -> PlannedArm:
    seeds, runs = arm.get("seeds"), arm.get("runs")
    pairs = zip(runs, seeds, strict=False) if isinstance(runs, list) and isinstance(seeds, list) else ()
    known = {run: _seed(seed) for run, seed in pairs if isinstance(run, str)}
    return PlannedArm(_text(arm, "agent"), _text(arm, "task"), _count(arm, "timesteps"), known)


def _started(history: History, session: Session, event: Event) -> None:
    run = _run(event)
    before = history.runs.get(_text(event, "run"))
    if _text(event, "kind") == "retried":
        run.tries = 1 + (before.tries if before else 1)
        history.retries.append(Retry(run.agent, run.task, run.seed, run.since, _text(event, "message")))
    history.runs[_text(event, "run")] = run
    session.open_runs.add(_text(event, "run"))
    session.at_once = max(session.at_once, len(session.open_runs))
    session.message = ""


def _run(event: Event) -> Run:
    return Run(
        agent=_text(event, "agent"),
        task=_text(event, "task"),
        seed=_seed(event.get("seed")),
        timesteps=_count(event, "timesteps"),
        session=_text(event, "session"),
        since=_time(event),
    )


def _progress(history: History, session: Session, event: Event) -> None:
    run = history.runs.get(_text(event, "run"))
    if run is not None and run.is_running:
        run.steps = _count(event, "steps")


def _finished(history: History, session: Session, event: Event) -> None:
    run = history.runs[_text(event, "run")] = _run(event)
    run.is_running, run.tries, run.message = False, _count(event, "tries") or 1, _text(event, "message")
    session.open_runs.discard(_text(event, "run"))
    seconds = event.get("seconds")
    if _text(event, "kind") == "finished":
        session.n_finished += 1
        if isinstance(seconds, int | float) and 0 <= seconds < math.inf and not isinstance(seconds, bool):
            history.seconds.setdefault((run.agent, run.task), []).append(float(seconds))


def _waits(history: History, session: Session, event: Event) -> None:
    session.message = _text(event, "message")


def _looked(history: History, session: Session, event: Event) -> None:
    look = event.get("look")
    if isinstance(look, dict):
        number = _count(look, "number")
        history.looks[len(history.looks) + 1 if number is None else number] = look


_TOLD: Mapping[str, Callable[[History, Session, Event], None]] = {
    "began": _began,
    "planned": _planned,
    "started": _started,
    "retried": _started,
    "progress": _progress,
    "finished": _finished,
    "failed": _finished,
    "waiting": _waits,
    "look": _looked,
}


# ---------------------------------------------------------------- one field of a line


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _count(event: Event, name: str) -> int | None:
    value = event.get(name)
    return value if _is_count(value) else None


def _seed(value: Any) -> SeedLabel:
    return value if _is_count(value) else str(value)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _time(event: Event) -> float | None:
    try:
        time = datetime.fromisoformat(_text(event, "time"))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
