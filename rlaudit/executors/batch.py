"""What all executors share: batches of specs, the records of one, and what is told of them."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from rlaudit.backends import BACKENDS
from rlaudit.plan import batches
from rlaudit.types import Problem, Progress, RunEvent, RunRecord, RunSpec

Batch: TypeAlias = tuple[RunSpec, ...]
Notify: TypeAlias = Callable[[RunEvent], None]
Claim: TypeAlias = Callable[[RunSpec], bool]  # whether a run that is about to start is ours to train


def ignore(event: RunEvent) -> None:
    """Nobody watches."""


def every_run(spec: RunSpec) -> bool:
    """Nobody else trains."""
    return True


def batches_of(specs: Iterable[RunSpec]) -> Iterator[Batch]:
    """As many at a time as their backend wants."""
    by_backend: dict[str, list[RunSpec]] = {}
    for spec in specs:
        by_backend.setdefault(spec.backend, []).append(spec)
    for name, group in by_backend.items():
        yield from batches(group, BACKENDS[name].batch_size)


def problems_of(specs: Iterable[RunSpec]) -> list[Problem]:
    """What is wrong with specs, as their backends say."""
    return [problem for spec in specs for problem in BACKENDS[spec.backend].check(spec)]


def train_batch(batch: Batch, progress: Progress) -> Iterator[RunRecord]:
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


def announce(kind: Any, batch: Batch, notify: Notify, message: str = "") -> None:
    """Tells the same of each run of a batch."""
    for spec in batch:
        notify(RunEvent(kind, spec, message=_last_line(message)))


def ended(record: RunRecord) -> RunEvent:
    """What is told of a run that has a record."""
    if record.status == "done":
        return RunEvent("finished", record.spec, record.spec.timesteps)
    return RunEvent("failed", record.spec, message=record.reason)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
