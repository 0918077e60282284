"""The loop that keeps an engine busy: knows futures only, not what is behind them."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple

from rlaudit.executors.batch import Batch, Claim, Notify, announce, ended
from rlaudit.types import RunEvent, RunRecord

POLL_SECONDS = 0.25  # how often the progress of running seeds is looked up


class Engine(NamedTuple):
    """Something that trains batches elsewhere."""

    submit: Callable[[Batch], "Future[list[RunRecord]]"]
    was_lost: Callable[[BaseException], bool]  # its worker died: worth another try
    reason: Callable[[BaseException, Batch], str]  # why there is no result; the last line says it
    news: Callable[[Batch], Iterable[RunEvent]]  # of a batch that runs: timesteps done so far, tries elsewhere
    slots: Callable[[], int]  # batches at the same time; may change from one look to the next


def drive(todo: Sequence[Batch], engine: Engine, *, retries: int, notify: Notify, claim: Claim) -> Iterator[RunRecord]:
    """Keeps the engine's slots busy until no batch is left; a lost one is tried again up to `retries` times.

    What `notify` raises ends it; it hears of each run at each look.
    """
    waiting = deque((batch, 0) for batch in todo)
    running: dict[Future[list[RunRecord]], tuple[Batch, int]] = {}
    while waiting or running:
        slots = engine.slots()
        while waiting and len(running) < slots:
            batch, tries = waiting.popleft()
            if tries == 0 and not (batch := tuple(filter(claim, batch))):
                continue
            running[engine.submit(batch)] = (batch, tries)
            if tries == 0:
                announce("started", batch, notify)
        if waiting and not running:
            time.sleep(POLL_SECONDS)
        finished, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in finished:
            batch, tries = running.pop(future)
            error = future.exception()
            if error is not None and engine.was_lost(error) and tries < retries:
                waiting.append((batch, tries + 1))
                announce("retried", batch, notify, engine.reason(error, batch))
                continue
            for record in future.result() if error is None else _failed(batch, engine.reason(error, batch), tries):
                yield record
                notify(ended(record))  # it is stored by now
        for batch, _ in running.values():
            for event in engine.news(batch):
                notify(event)


def _failed(batch: Batch, reason: str, retries: int) -> list[RunRecord]:
    """One more try than retries; a first try needs no word."""
    said = f"{reason} (after {retries + 1} tries)" if retries else reason
    return [RunRecord(spec, "failed", error=said) for spec in batch]
