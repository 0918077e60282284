"""The log of what happened to a results folder: `events.jsonl`, one JSON object a line, appended and never rewritten.

Every line has

    v        format of the log, now 1; a reader takes what it knows of newer ones
    time     when, UTC, ISO 8601 with milliseconds
    kind     what; see below
    session  8 hex digits: the process that wrote it, from its `began` to its end

    kind         further fields
    began        pid, birth (when the system says that this process started), host, command, cwd, config (12 hex digits
                 of its SHA-256), versions, how (executor, workers, limits, ...)
    planned      missing: how many runs are not there yet; arms: all runs that are known to be needed, done or not, as
                 agent, task, timesteps, seeds and runs (their ids); again where further ones follow from results
    started      run (its id), agent, task, seed, timesteps
    progress     run, steps: at most every 20 s a run and every second for all runs of a process
    retried      run, ..., message: why it had to be
    finished     run, ..., seconds: wall time of the attempt that counts, and tries
    failed       run, ..., seconds, tries, message: the last line of the reason
    waiting      run, ..., message: what for, a worker or runs that another process trains
    elsewhere    run, ...: another process trains it
    look         seeds that are added until it is decided: what was seen, under `look`
    ended        all is trained that could be
    gave_up      message: an error ended it first
    interrupted  by Ctrl-C
    ...          any other kind that an executor tells of a run, with its message

Nobody's numbers come from here: the store alone is the truth, and the log may be deleted. Each line is one write, so
that several processes may share a log (an empty line may come between them); what a kill or a full disk tore stays a
line of its own, which readers skip and count. A log that cannot be written is said once and costs nothing else.
Nothing is synced: after a power cut the last lines may be missing. Size: four lines of 200 bytes a run, and progress
of at most 0.5 MB a day for each run at a time, 10 MB a day for any number of them.
"""

import contextlib
import dataclasses
import json
import logging
import math
import os
import platform
import secrets
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlaudit.durable import birth, make_directory
from rlaudit.types import RunEvent, RunSpec

EVENTS = "events.jsonl"
FORMAT = 1
PROGRESS_SECONDS = 20.0  # between two lines on the progress of one run
FIRST_PROGRESS_SECONDS = 5.0  # after its start: whoever looks wants to know soon whether it moves
_LONGEST = 500  # characters of a message or a command


# ---------------------------------------------------------------- writing


@dataclass
class Log:
    """What one process appends to the log of a results folder; it begins with the first line."""

    path: Path
    about: Mapping[str, Any] = field(default_factory=dict)  # further fields of `began`
    session: str = field(default_factory=lambda: secrets.token_hex(4))
    has_begun: bool = False
    _is_broken: bool = False
    _started: dict[str, float] = field(default_factory=dict)  # run id -> clock, of runs that are under way
    _next_progress: dict[str, float] = field(default_factory=dict)  # run id -> clock
    _tries: dict[str, int] = field(default_factory=dict)

    def write(self, kind: str, **fields: Any) -> None:
        """Appends a line. Never raises for what the disk does."""
        if not self.has_begun:
            self.has_begun = True
            self.write("began", **_process(), **self.about)
        line = json.dumps(
            _plain({"v": FORMAT, "time": _now(), "kind": kind, "session": self.session, **fields}),
            separators=(",", ":"),
        )
        try:
            _append(self.path, f"{line}\n".encode())
        except OSError as error:
            if not self._is_broken:
                self._is_broken = True
                why = error.strerror or error
                message = "%s cannot be written: %s. Training goes on, but `rlaudit status` will not know all of it."
                logging.getLogger(__name__).warning(message, self.path, why)

    def plan(self, specs: Iterable[RunSpec], n_missing: int) -> None:
        """All runs that are known to be needed, and how many of them are not there yet."""
        arms: dict[tuple[str, str, int], dict[str, list[Any]]] = {}
        for spec in specs:
            arm = arms.setdefault((spec.agent, spec.task_label, spec.timesteps), {"seeds": [], "runs": []})
            arm["seeds"].append(spec.seed)
            arm["runs"].append(spec.run_id)
        named = [
            {"agent": agent, "task": task, "timesteps": steps, **arm} for (agent, task, steps), arm in arms.items()
        ]
        self.write("planned", missing=n_missing, arms=named)

    def look(self, look: Any) -> None:
        """What was seen when seeds that are added until it is decided were looked at: any dataclass or mapping."""
        self.write("look", look=look)

    def notify(self, event: RunEvent) -> None:
        """What an executor calls."""
        run, spec, now = event.spec.run_id, event.spec, time.monotonic()
        if event.kind == "planned":
            return  # `plan` has said it of all at once
        if event.kind == "progress":
            if now >= self._next_progress.get(run, 0.0):
                self._next_progress[run] = now + max(PROGRESS_SECONDS, len(self._started))
                self.write("progress", run=run, steps=event.steps)
            return
        fields: dict[str, Any] = {"run": run, "agent": spec.agent, "task": spec.task_label, "seed": spec.seed}
        if event.kind in ("started", "retried"):
            fields["timesteps"] = spec.timesteps
            self._started[run] = now
            self._next_progress[run] = now + FIRST_PROGRESS_SECONDS
            self._tries[run] = self._tries.get(run, 0) + 1
        elif event.kind in ("finished", "failed"):
            fields["seconds"] = round(now - self._started.pop(run, now), 3)
            fields["tries"] = self._tries.pop(run, 1)
            self._next_progress.pop(run, None)
        self.write(event.kind, **fields, **({"message": event.message} if event.message else {}))


@contextlib.contextmanager
def logged(folder: Path, about: Mapping[str, Any]) -> Iterator[Log]:
    """The log of a process that trains. Its end is written too, whatever it is but a kill."""
    log = Log(folder / EVENTS, about)
    end: dict[str, Any] = {"kind": "ended"}
    try:
        yield log
    except KeyboardInterrupt:
        end = {"kind": "interrupted"}
        raise
    except BaseException as error:
        end = {"kind": "gave_up", "message": str(error) or type(error).__name__}
        raise
    finally:
        if log.has_begun:
            log.write(**end)


def _process() -> dict[str, Any]:
    """Who writes, and the command that would do it again."""
    program = Path(sys.argv[0] if sys.argv else "")
    is_ours = program.name == "rlaudit" or program.parts[-2:] == ("rlaudit", "__main__.py")
    command = ["rlaudit", *sys.argv[1:]] if is_ours else sys.orig_argv
    try:
        place = str(Path.cwd())
    except OSError:  # it was deleted
        place = ""
    named = {"host": platform.node(), "command": shlex.join(command), "cwd": place}
    return {"pid": os.getpid(), "birth": birth(os.getpid()), **named}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    """As JSON can say it: no NaN, nothing endless, and a word for what it does not know."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):  # NumPy's
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _append(path: Path, line: bytes) -> None:
    """One write, on a line of its own even where somebody's last one was torn."""
    make_directory(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if (size := os.fstat(handle).st_size) and _last_byte(handle, size) != b"\n":
            line = b"\n" + line
        if os.write(handle, line) != len(line):
            raise OSError("only a part of a line was written; the disk may be full")
    finally:
        os.close(handle)


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


# ---------------------------------------------------------------- reading


@dataclass
class Reader:
    """Reads a log from where it stopped before. It takes what it can, and counts the lines that it cannot."""

    path: Path
    n_unreadable: int = 0
    _offset: int = 0

    def more(self) -> Iterator[Mapping[str, Any]]:
        """New whole lines as objects with a text under `kind`; all else about them is anybody's guess."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:  # another file than last time
                    self._offset = self.n_unreadable = 0
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        return  # being written, or torn; the next line will tell
                    self._offset += len(line)
                    if (event := _event(line)) is not None:
                        yield event
                    elif line.strip():
                        self.n_unreadable += 1
        except OSError:
            return


def _event(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("kind"), str) else None
