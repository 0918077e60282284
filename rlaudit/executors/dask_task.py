"""What happens on a Dask worker: a batch is trained by the executor of that machine, and the records go back."""

import multiprocessing
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rlaudit.backends.provenance import versions
from rlaudit.durable import only_process
from rlaudit.errors import ExecutorError
from rlaudit.executors.batch import Batch
from rlaudit.executors.local import run_local
from rlaudit.types import RunEvent, RunRecord, RunSpec

if TYPE_CHECKING:
    from distributed import Worker

# Bits depend on their versions. One that is missing over there is not held against a worker: the runs may not need it.
PACKAGES = (
    "rlaudit", "numpy", "scipy", "torch", "stable_baselines3", "sb3_contrib", "gymnasium", "box2d", "mujoco",
)  # fmt: skip
STEPS_EVERY = 2.0  # seconds between two messages about the progress of a run


class Order(NamedTuple):
    """What a client wants of a worker beside the batch; limits are those of `run_local`."""

    timeout: float | None
    memory: int | None
    retries: int
    topic: str  # where it listens
    token: str  # a file in the folder of what several runs share, seen by workers that use the same disk; or ""
    versions: Mapping[str, str]


def train_there(batch: Batch, order: Order) -> list[RunRecord]:
    """A record per spec. Raises ExecutorError where the bits would not be those of the client."""
    from distributed import get_worker

    worker = get_worker()
    refuse_other_versions(order.versions)
    multiprocessing.current_process().daemon = False  # `dask worker` is, below its nanny, and might have no children
    memo = str(Path(order.token).parent) if _sees(order.token) else str(Path(worker.local_directory) / "rlaudit-memo")
    given = {spec.run_id: spec for spec in batch}
    records = run_local(
        [replace(spec, memo=memo if spec.memo else "") for spec in batch],
        workers=1,
        timeout=order.timeout,
        memory=order.memory,
        retries=order.retries,
        notify=_teller(worker, order.topic),
    )
    return [_home(record, given[record.spec.run_id]) for record in records]


def refuse_other_versions(wanted: Mapping[str, str]) -> None:
    """Raises ExecutorError where the packages of this worker are not those of the client."""
    found = versions(PACKAGES)
    in_both = [name for name in found if "not installed" not in (found[name], wanted[name])]
    others = [name for name in in_both if _series(name, found[name]) != _series(name, wanted[name])]
    if others:
        theirs, ours = (", ".join(f"{name} {place[name]}" for name in others) for place in (found, wanted))
        raise ExecutorError(
            f"the Dask worker on {platform.node()} has {theirs}, and here is {ours}: its runs would not be "
            "the same to the bit. Install the same versions there, and start it again."
        )


def _series(package: str, version: str) -> str:
    """3.11.7 and 3.11.9 compute the same; of all else the whole version counts."""
    return version.rpartition(".")[0] if package == "python" else version


def _sees(token: str) -> bool:
    """Whether the client's disk is here, with locks that work: not every network disk has them."""
    if not token or not Path(token).exists():
        return False
    try:
        with only_process(Path(token)):
            return True
    except OSError:
        return False


def _teller(worker: "Worker", topic: str) -> Callable[[RunEvent], None]:
    """Tells the client, and raises where it is not interested any more: Dask itself lets a started task go on."""
    key, due = worker.get_current_task(), 0.0

    def tell(event: RunEvent) -> None:
        nonlocal due
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            raise ExecutorError("nobody waits for this run any more")
        is_progress = event.kind == "progress"
        if event.kind in ("started", "retried") or (is_progress and event.steps and time.monotonic() >= due):
            worker.log_event(topic, (event.kind, event.spec.run_id, event.steps, event.message))
            due = time.monotonic() + STEPS_EVERY if is_progress else due

    return tell


def _home(record: RunRecord, spec: RunSpec) -> RunRecord:
    """As the client knows the run; a failure where a folder is missing says so."""
    if record.status == "failed" and spec.folder and not Path(spec.folder).is_dir():
        error = f"{(record.error or '').rstrip()} [on {platform.node()}, which has no {spec.folder}]"
        return replace(record, spec=spec, error=error)
    return replace(record, spec=spec)
