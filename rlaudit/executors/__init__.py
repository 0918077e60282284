"""Executors train many specs: `(specs, ...) -> records`, in any order, as they finish.

A run's own failure never raises: it becomes a failed record, and the rest goes on. Every executor gives the same
records to the bit, whatever the number of workers. Right before a run starts, `claim` is asked: where it says no,
somebody else trains it, or nobody is to, and there is no record of it here. A run is told to have ended when its record
has been taken: who stores it first never tells of a run that is lost.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Protocol

from rlaudit.errors import ConfigError, did_you_mean
from rlaudit.executors.batch import Claim, Notify
from rlaudit.executors.local import available_cores, run_local
from rlaudit.executors.serial import run_serial
from rlaudit.types import RunRecord, RunSpec

__all__ = ["EXECUTORS", "Executor", "available_cores", "executor_of", "run_local", "run_serial"]


class Executor(Protocol):
    """Trains specs somewhere. Limits are of each run: `timeout` in seconds of wall time, `memory` in bytes."""

    def __call__(
        self,
        specs: Iterable[RunSpec],
        *,
        workers: int | None = None,
        timeout: float | None = None,
        memory: int | None = None,
        retries: int = 3,
        notify: Notify = ...,
        claim: Claim = ...,
    ) -> Generator[RunRecord, None, None]: ...


EXECUTORS: Mapping[str, Executor] = {"local": run_local, "serial": run_serial}


def executor_of(name: str) -> Executor:
    """The executor that `--executor` names. Raises ConfigError where there is none of that name."""
    if name not in EXECUTORS:
        raise ConfigError(
            f"--executor {name}: there is no such executor; give one of {', '.join(EXECUTORS)}."
            f"{did_you_mean(name, EXECUTORS)}"
        )
    return EXECUTORS[name]
