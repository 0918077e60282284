"""Processes on this machine, a fresh one per batch."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rlaudit.backends import BACKENDS
from rlaudit.backends.command_launcher import die_with_parent
from rlaudit.backends.command_program import ONE_THREAD
from rlaudit.errors import ConfigError
from rlaudit.executors import resident
from rlaudit.executors.batch import (
    Batch,
    Claim,
    Notify,
    batches_of,
    every_run,
    ignore,
    problems_of,
    train_batch,
)  # fmt: skip
from rlaudit.executors.drive import Engine, drive
from rlaudit.types import Problem, RunEvent, RunRecord, RunSpec

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

LOG_TAIL = 2000  # characters of a lost worker's output that go into its record
_ALONE = threading.Lock()  # for what all threads share while one starts a process: the environment, __main__


def available_cores() -> int:
    """Cores that this process may use, which in a container or under Slurm are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_local(
    specs: Iterable[RunSpec],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    retries: int = 3,
    notify: Notify = ignore,
    claim: Claim = every_run,
) -> Generator[RunRecord, None, None]:
    """Trains in processes of this machine; a killed one is tried again up to `retries` times.

    `timeout` is in seconds of wall time per run, `memory` in bytes that it and what it starts hold; a spec's own may be
    less. A run over a limit is stopped and has failed; it is not tried again. The user's main module is not imported
    again in the workers, so that scripts and notebooks need no `__main__` guard; an environment of one's own is named
    with the module that registers it: `my_module:MyEnv-v0`. Workers end when the generator is closed, and when this
    process is killed.
    """
    todo = list(batches_of(specs))
    if not todo:
        return
    if not resident.CAN_TELL and (memory or any(spec.memory for batch in todo for spec in batch)):
        raise ConfigError("memory: only Linux tells what a run holds; leave the limit out")
    context = _context({spec.backend for batch in todo for spec in batch})
    with TemporaryDirectory(prefix="rlaudit-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        stopped: dict[int, str] = {}  # process -> why we killed it
        engine = Engine(
            submit=partial(_start_worker, context, folder, timeout),
            was_lost=partial(_was_killed, stopped),
            reason=partial(_reason, folder, stopped),
            news=partial(_look, folder, memory, stopped),
            slots=lambda: workers or available_cores(),
        )
        try:
            yield from drive(todo, engine, retries=retries, notify=notify, claim=claim)
        finally:
            _stop_workers(folder.name)


def problems_beforehand(specs: Sequence[RunSpec]) -> list[Problem]:
    """What is wrong with specs that `run_local` is to train, looked for in a process of its server.

    Here torch and stable-baselines3 would be imported once more: 3 s of CPU and of waiting, and 300 MB. What a check
    raises is raised here; if it kills its process, it is done in this one.
    """
    from pebble import ProcessExpired
    from pebble.concurrent import process

    backends = {spec.backend for spec in specs}
    if "forkserver" not in multiprocessing.get_all_start_methods() or not _preload(backends):
        return problems_of(specs)
    in_process: Any = process
    look = in_process(context=_context(backends))(problems_of)
    with _environment(ONE_THREAD), _without_main():
        future: Future[list[Problem]] = look(specs)
    try:
        return future.result()
    except ProcessExpired:
        return problems_of(specs)


# ---------------------------------------------------------------- in the parent


def _was_killed(stopped: Mapping[int, str], error: BaseException) -> bool:
    """By somebody else: a run that is over its memory would be so again."""
    from pebble import ProcessExpired

    return isinstance(error, ProcessExpired) and error.pid not in stopped


def _look(folder: Path, memory: int | None, stopped: dict[int, str], batch: Batch) -> Iterator[RunEvent]:
    """How far its runs are; kills its worker where that holds too much memory, with whatever it has started.

    None before a run has told any step, and nothing where it is just being told.
    """
    _limit_memory(folder, memory, stopped, batch)
    for spec in batch:
        told = folder / f"{spec.run_id}.steps"
        with contextlib.suppress(OSError, ValueError):
            yield RunEvent("progress", spec, int(told.read_text()) if told.exists() else 0)


def _limit_memory(folder: Path, memory: int | None, stopped: dict[int, str], batch: Batch) -> None:
    limit = sum(min(spec.memory or inf, memory or inf) for spec in batch)
    if limit == inf or (worker := _worker(folder, batch)) is None:
        return
    if (held := resident.held(worker, int(limit))) > limit:
        told, allowed = resident.in_words(held), resident.in_words(int(limit))
        stopped[worker] = f"MemoryError: stopped at {told} of {allowed} resident memory"
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _worker(folder: Path, batch: Batch) -> int | None:
    """Its process, unless that has ended and the number may be another's."""
    with contextlib.suppress(OSError, ValueError):
        pid, start = (folder / f"{batch[0].run_id}.pid").read_text().split()
        return int(pid) if resident.started(int(pid)) == start else None
    return None


def _reason(folder: Path, stopped: Mapping[int, str], error: BaseException, batch: Batch) -> str:
    """Why a worker gave no result; the last line says it, what the worker had printed stands above."""
    from pebble import ProcessExpired

    if isinstance(error, TimeoutError):
        why = f"TimeoutError: stopped after {error.args[-1]:g} s of wall time"
    elif isinstance(error, ProcessExpired) and error.pid in stopped:
        why = stopped[error.pid]
    elif isinstance(error, ProcessExpired):
        code = error.exitcode or 0
        why = (
            f"the worker process was killed by signal {-code}" if code < 0 else f"the worker process exited with {code}"
        )
    else:
        why = "".join(traceback.format_exception(error)).strip()
    with contextlib.suppress(OSError):
        log = (folder / f"{batch[0].run_id}.log").read_text(errors="replace")[-LOG_TAIL:].strip()
        why = f"{log}\n{why}" if log else why
    return why


# ---------------------------------------------------------------- processes


def _context(backends: Iterable[str]) -> "BaseContext":
    """A server that has imported what the backends need and forks every worker: 0.1 s a process instead of 3 s."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing.forkserver import ensure_running

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_preload(backends)])
    with _environment(ONE_THREAD):  # read when the libraries are loaded, so torch.set_num_threads comes too late
        ensure_running()
    return context


def _preload(backends: Iterable[str]) -> list[str]:
    """Modules that their workers would import, each for itself."""
    modules = (sys.modules[BACKENDS[name].train.__module__] for name in backends)
    return [name for module in modules for name in getattr(module, "PRELOAD", ())]


def _start_worker(
    context: "BaseContext", folder: Path, timeout: float | None, batch: Batch
) -> "Future[list[RunRecord]]":
    """A process with a pipe of its own: pebble's pool shares one pipe and its lock, which a killed worker keeps."""
    from pebble.concurrent import process

    in_process: Any = process  # its annotations name the keyword `mp_context`, its code reads `context`
    limit = sum(min(spec.timeout or inf, timeout or inf) for spec in batch)
    start = in_process(name=folder.name, context=context, timeout=limit if limit < inf else None)(_work)
    with _environment(ONE_THREAD), _without_main():
        future: Future[list[RunRecord]] = start(batch, folder)
    return future


def _stop_workers(name: str) -> None:
    """At once, so that Ctrl-C does not wait for a run; their results are not wanted any more."""
    children = [child for child in multiprocessing.active_children() if child.name == name]
    for child in children:
        child.kill()
    for child in children:
        child.join()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hides the user's script while a worker starts: multiprocessing would run it again there, training included."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with _ALONE:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


# ---------------------------------------------------------------- in the worker


def _work(batch: Batch, folder: Path) -> list[RunRecord]:
    """Trains a batch in a process of its own. Progress goes through files: no lock that a killed worker could hold."""
    die_with_parent()  # of the server, which ends with ours: also where a loop in C lets no thread of Python's run
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    (folder / f"{batch[0].run_id}.pid").write_text(f"{os.getpid()} {resident.started(os.getpid())}")
    _redirect_output(folder / f"{batch[0].run_id}.log")

    def progress(spec: RunSpec, steps: int) -> None:
        (folder / f"{spec.run_id}.steps").write_text(str(steps))

    return list(train_batch(batch, progress))


def _end_with_parent(folder: Path) -> None:
    """Nobody would read the result of a worker whose parent was killed, or remove the folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _redirect_output(path: Path) -> None:
    """MuJoCo prints warnings from C, once per environment; they would tear the progress display."""
    with path.open("w") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
