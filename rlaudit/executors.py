"""Executors train many specs: `(specs, ...) -> records`, in any order, as they finish.

A run's own failure never raises: it becomes a failed record, and the rest goes on. Every executor gives the same
records to the bit, whatever the number of workers.
"""

import contextlib
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from rlaudit.backends import BACKENDS
from rlaudit.backends.command_program import ONE_THREAD
from rlaudit.plan import batches
from rlaudit.types import Progress, RunEvent, RunRecord, RunSpec

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

Batch: TypeAlias = tuple[RunSpec, ...]
Notify: TypeAlias = Callable[[RunEvent], None]
Submit: TypeAlias = "Callable[[Batch], Future[list[RunRecord]]]"

POLL_SECONDS = 0.25  # how often the progress of running seeds is looked up
LOG_TAIL = 2000  # characters of a lost worker's output that go into its record


def ignore(event: RunEvent) -> None:
    """Nobody watches."""


def available_cores() -> int:
    """Cores that this process may use, which in a container or under Slurm are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_serial(specs: Iterable[RunSpec], *, notify: Notify = ignore) -> Iterator[RunRecord]:
    """One run after the other in this process: for debuggers. Nothing can be timed out or retried here."""

    def progress(spec: RunSpec, steps: int) -> None:
        notify(RunEvent("progress", spec, steps))

    for batch in _batches(specs):
        _announce("started", batch, notify)
        for record in _train(batch, progress):
            notify(_ended(record))
            yield record


def run_local(
    specs: Iterable[RunSpec],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    retries: int = 3,
    notify: Notify = ignore,
) -> Generator[RunRecord, None, None]:
    """Processes on this machine, a fresh one per batch; a killed one is tried again up to `retries` times.

    `timeout` is in seconds of wall time per run; a spec's own may be shorter. The user's main module is not imported
    again in the workers, so that scripts and notebooks need no `__main__` guard; an environment of one's own is named
    with the module that registers it: `my_module:MyEnv-v0`. Workers end when the generator is closed, and when this
    process is killed.
    """
    todo = list(_batches(specs))
    if not todo:
        return
    context = _context({spec.backend for batch in todo for spec in batch})
    with TemporaryDirectory(prefix="rlaudit-", ignore_cleanup_errors=True) as folder:
        start = partial(_start_worker, context, Path(folder), timeout)
        try:
            yield from _drive(todo, start, workers or available_cores(), retries, Path(folder), notify)
        finally:
            _stop_workers(Path(folder).name)


EXECUTORS: Mapping[str, Callable[..., Iterator[RunRecord]]] = {"serial": run_serial, "local": run_local}


# ---------------------------------------------------------------- in the parent


def _drive(
    todo: Sequence[Batch], submit: Submit, slots: int, retries: int, folder: Path, notify: Notify
) -> Iterator[RunRecord]:
    """Keeps `slots` batches running until none is left. Knows futures only, not what is behind them."""
    from pebble import ProcessExpired

    waiting = deque((batch, 0) for batch in todo)
    running: dict[Future[list[RunRecord]], tuple[Batch, int]] = {}
    while waiting or running:
        while waiting and len(running) < slots:
            batch, tries = waiting.popleft()
            running[submit(batch)] = (batch, tries)
            if tries == 0:
                _announce("started", batch, notify)
        finished, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in finished:
            batch, tries = running.pop(future)
            if isinstance(future.exception(), ProcessExpired) and tries < retries:
                waiting.append((batch, tries + 1))
                _announce("retried", batch, notify, _reason(future.exception(), folder, batch))
                continue
            for record in _outcome(future, batch, folder):
                notify(_ended(record))
                yield record
        for batch, _ in running.values():
            _report_progress(folder, batch, notify)


def _outcome(future: "Future[list[RunRecord]]", batch: Batch, folder: Path) -> list[RunRecord]:
    error = future.exception()
    if error is None:
        return future.result()
    return [RunRecord(spec, "failed", error=_reason(error, folder, batch)) for spec in batch]


def _reason(error: BaseException | None, folder: Path, batch: Batch) -> str:
    """Why a worker gave no result; the last line says it, what the worker had printed stands above."""
    from pebble import ProcessExpired

    if isinstance(error, TimeoutError):
        why = f"TimeoutError: stopped after {error.args[-1]:g} s of wall time"
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


def _report_progress(folder: Path, batch: Batch, notify: Notify) -> None:
    for spec in batch:
        # Not there yet, or just being written: the next look will tell.
        with contextlib.suppress(OSError, ValueError):
            notify(RunEvent("progress", spec, int((folder / f"{spec.run_id}.steps").read_text())))


def _batches(specs: Iterable[RunSpec]) -> Iterator[Batch]:
    by_backend: dict[str, list[RunSpec]] = {}
    for spec in specs:
        by_backend.setdefault(spec.backend, []).append(spec)
    for name, group in by_backend.items():
        yield from batches(group, BACKENDS[name].batch_size)


def _announce(kind: Any, batch: Batch, notify: Notify, message: str = "") -> None:
    for spec in batch:
        notify(RunEvent(kind, spec, message=_last_line(message)))


def _ended(record: RunRecord) -> RunEvent:
    if record.status == "done":
        return RunEvent("finished", record.spec, record.spec.timesteps)
    return RunEvent("failed", record.spec, message=_last_line(record.error or ""))


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


# ---------------------------------------------------------------- processes


def _context(backends: Iterable[str]) -> "BaseContext":
    """A server that has imported what the backends need and forks every worker: 0.1 s a process instead of 3 s."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing.forkserver import ensure_running

    context = multiprocessing.get_context("forkserver")
    modules = (sys.modules[BACKENDS[name].train.__module__] for name in backends)
    preload = [name for module in modules for name in getattr(module, "PRELOAD", ())]
    context.set_forkserver_preload([__name__, *preload])
    with _environment(ONE_THREAD):  # read when the libraries are loaded, so torch.set_num_threads comes too late
        ensure_running()
    return context


def _start_worker(
    context: "BaseContext", folder: Path, timeout: float | None, batch: Batch
) -> "Future[list[RunRecord]]":
    """A process with a pipe of its own: pebble's pool shares one pipe and its lock, which a killed worker keeps."""
    from pebble.concurrent import process

    in_process: Any = process  # its annotations name the keyword `mp_context`, its code reads `context`
    limit = sum(min(spec.timeout or inf, timeout or inf) for spec in batch)
    start = in_process(name=folder.name, context=context, timeout=limit if limit < inf else None)(_work)
    with _without_main(), _environment(ONE_THREAD):
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
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _redirect_output(folder / f"{batch[0].run_id}.log")

    def progress(spec: RunSpec, steps: int) -> None:
        (folder / f"{spec.run_id}.steps").write_text(str(steps))

    return list(_train(batch, progress))


def _train(batch: Batch, progress: Progress) -> Iterator[RunRecord]:
    """One record per spec of the batch, whatever the backend does."""
    started, missing = time.process_time(), {spec.run_id: spec for spec in batch}
    error = "the backend returned no record for this run"
    try:
        for record in BACKENDS[batch[0].backend].train(batch, progress=progress):
            missing.pop(record.spec.run_id, None)
            yield record
    except (Exception, SystemExit):  # an environment may call sys.exit
        error = traceback.format_exc().strip()
    for spec in missing.values():
        yield RunRecord(spec, "failed", error=error, seconds=time.process_time() - started)


def _end_with_parent() -> None:
    """Nobody would read the result of a worker whose parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _redirect_output(path: Path) -> None:
    """MuJoCo prints warnings from C, once per environment; they would tear the progress display."""
    with path.open("w") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
