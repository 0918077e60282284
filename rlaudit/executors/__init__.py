"""Executors train many specs: `(specs, ...) -> records`, in any order, as they finish.

A run's own failure never raises: it becomes a failed record, and the rest goes on. Every executor gives the same
records to the bit, whatever the number of workers. Right before a run starts, `claim` is asked: where it says no,
somebody else trains it, or nobody is to, and there is no record of it here. A run is told to have ended when its record
has been taken: who stores it first never tells of a run that is lost.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple, Protocol

from rlaudit.errors import ConfigError, did_you_mean
from rlaudit.executors.batch import Claim, Notify, problems_of
from rlaudit.executors.dask import Cluster, at_scheduler, in_file, run_on
from rlaudit.executors.local import available_cores, problems_beforehand, run_local
from rlaudit.executors.serial import run_serial
from rlaudit.executors.slurm import on_slurm
from rlaudit.types import RunRecord, RunSpec

__all__ = [
    "EXECUTORS",
    "Executor",
    "available_cores",
    "executor_of",
    "problems_beforehand",
    "problems_of",
    "run_local",
    "run_serial",
]


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


class Place(NamedTuple):
    """Other machines, by what stands before the first colon of `--executor`."""

    connect: Callable[..., AbstractContextManager[Cluster]]  # of the whole name, and of the number of batches
    form: str  # how it is written
    help: str


PLACES: Mapping[str, Place] = {
    "tcp": Place(at_scheduler, "tcp://HOST:PORT", "the workers of a Dask scheduler"),
    "tls": Place(at_scheduler, "tls://HOST:PORT", "the same, encrypted"),
    "file": Place(in_file, "file:SCHEDULER.json", "the same, by the file that the scheduler wrote"),
    "slurm": Place(on_slurm, "slurm:FILE.yaml", "jobs of Slurm, which the file describes"),
}


def executor_of(name: str) -> Executor:
    """The executor that `--executor` names. Raises ConfigError where there is none of that name."""
    scheme, colon, _ = name.partition(":")
    if colon and scheme in PLACES:
        return partial(run_on, partial(PLACES[scheme].connect, name))
    if name not in EXECUTORS:
        names = [*EXECUTORS, *(place.form for place in PLACES.values())]
        raise ConfigError(
            f"--executor {name}: there is no such executor; give one of {', '.join(names)}.{did_you_mean(name, names)}"
        )
    return EXECUTORS[name]
