"""Processes that train one store at once share its runs: no run is trained by two of them.

Right before a run starts its lock is taken: a file in `locks/`, which the system opens when the holder dies. A run that
another process holds is put aside. When nothing else is left one waits: the run is recorded then, or it is free again.
Where a file system knows no locks a run may be trained twice; the store keeps it once all the same.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rlaudit.durable import Lock, lock_at_once
from rlaudit.errors import StoreError
from rlaudit.store import Store
from rlaudit.store.run_files import META
from rlaudit.types import RunSpec

LOCKS = "locks"
POLL_SECONDS = 0.5  # between two looks at the runs of others


@dataclass
class Share:
    """What this process trains of a store, and what it leaves to others."""

    store: Store
    retry_failed: bool = False
    _tried: set[str] = field(default_factory=set)  # here, or by another process since this one started
    _held: dict[str, Lock] = field(default_factory=dict)
    _failures: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Which failures are old is known from the start; locks of the dead are removed."""
        self._failures = {path.name: _identity(path) for path in (self.store.root / "failed").glob("[!.]*")}
        for path in (self.store.root / LOCKS).glob("*"):
            if lock := _lock(path):
                lock.release()
        self._remove_empty_folder()

    def missing(self, specs: Sequence[RunSpec]) -> list[RunSpec]:
        """Runs without a record that have not been tried; each is tried once, also where failed ones are retried."""
        todo = self.store.missing(specs, self.retry_failed)
        return [spec for spec in todo if spec.run_id not in self._tried]

    def take(self, spec: RunSpec) -> bool:
        """Whether a run is this process's own to train, now that it is about to start."""
        lock = _lock(self._path(spec))
        if lock is None:
            return False
        if self._is_recorded(spec):
            lock.release()
            return False
        self._held[spec.run_id] = lock
        self._tried.add(spec.run_id)
        return True

    def give_back(self, spec: RunSpec) -> None:
        """After its record has been stored."""
        self._held.pop(spec.run_id).release()

    def is_elsewhere(self, spec: RunSpec) -> bool:
        """Whether another process is training it."""
        path = self._path(spec)
        if spec.run_id in self._held or not path.exists():
            return False
        if lock := _lock(path):
            lock.release()
        return lock is None

    def wait(self, specs: Sequence[RunSpec]) -> None:
        """Until one of the runs of others is recorded or free."""
        while all(self.is_elsewhere(spec) for spec in specs):
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Lets others have what has not been finished."""
        for lock in self._held.values():
            lock.release()
        self._held.clear()
        self._remove_empty_folder()

    def _is_recorded(self, spec: RunSpec) -> bool:
        """Meanwhile, by another process; of failures that are to be tried again only a new one counts."""
        if not self.store.missing([spec], self.retry_failed):
            return True
        failure = _identity(self.store.root / "failed" / spec.run_id)
        if failure in ((0, 0), self._failures.get(spec.run_id)):
            return False
        self._tried.add(spec.run_id)
        return True

    def _path(self, spec: RunSpec) -> Path:
        return self.store.root / LOCKS / spec.run_id

    def _remove_empty_folder(self) -> None:
        with contextlib.suppress(OSError):
            (self.store.root / LOCKS).rmdir()


def _lock(path: Path) -> Lock | None:
    try:
        return lock_at_once(path)
    except OSError as error:
        raise StoreError(f"{path}: the lock of a run cannot be taken: {error.strerror or error}.") from error


def _identity(failed: Path) -> tuple[int, int]:
    """Which failure it is; (0, 0) where there is none."""
    try:
        found = (failed / META).stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
