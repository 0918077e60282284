"""One run after the other in this process."""

from collections.abc import Generator, Iterable

from rlaudit.executors.batch import Claim, Notify, announce, batches_of, ended, every_run, ignore, train_batch
from rlaudit.types import RunEvent, RunRecord, RunSpec


def run_serial(
    specs: Iterable[RunSpec],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    retries: int = 3,
    notify: Notify = ignore,
    claim: Claim = every_run,
) -> Generator[RunRecord, None, None]:
    """For debuggers. Nothing can be timed out, limited or retried here: those arguments are without effect."""

    def progress(spec: RunSpec, steps: int) -> None:
        notify(RunEvent("progress", spec, steps))

    for whole in batches_of(specs):
        batch = tuple(filter(claim, whole))
        announce("started", batch, notify)
        for record in train_batch(batch, progress) if batch else ():
            yield record
            notify(ended(record))  # it is stored by now
