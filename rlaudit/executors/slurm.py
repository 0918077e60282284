"""Jobs of Slurm as workers: a scheduler of our own here, and jobs that look for it, by dask-jobqueue.

    jobs: 20             # at most at the same time
    cores: 8             # of each job, a run on each
    memory: 16GB
    walltime: "12:00:00"
    queue: short         # and any other keyword of dask_jobqueue.SLURMCluster

A job that ends before the runs do is replaced.
"""

import contextlib
import inspect
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlaudit import yaml_source
from rlaudit.errors import ConfigError
from rlaudit.executors.dask import Cluster, load, shown
from rlaudit.yaml_source import YamlText

if TYPE_CHECKING:
    from dask_jobqueue.slurm import SLURMCluster

REPLACE_SECONDS = 20.0  # Dask itself takes 15 s to believe that a worker is lost
REQUIRED = {  # the defaults of dask-jobqueue are none, none, none and half an hour
    "jobs": "how many at most at the same time: jobs: 20",
    "cores": "of each job, a run on each: cores: 8",
    "memory": "of each job: memory: 16GB",
    "walltime": 'after which Slurm ends a job, longer than a run takes: walltime: "12:00:00"',
}
_CHOSEN_HERE = {
    "self", "args", "kwargs", "job_kwargs", "base_class_kwargs", "loop", "asynchronous", "job_cls", "scheduler",
    "scheduler_cls", "n_workers", "config_name", "dashboard_address", "host",
    "processes",  # a run is a process anyway; and where a job has several workers, dask-jobqueue does not replace it
}  # fmt: skip


@contextlib.contextmanager
def on_slurm(option: str, n_batches: int) -> Iterator[Cluster]:
    """`slurm:file.yaml`: as many jobs as the batches need, ended with the context. Raises ConfigError."""
    jobqueue = load("dask_jobqueue")
    source = yaml_source.read(Path(option.removeprefix("slurm:")))
    make = jobqueue.SLURMCluster
    _check(source, _keywords(make) | _keywords(make.job_cls))
    if shutil.which("sbatch") is None:
        raise ConfigError(f"--executor {option}: there is no sbatch here; start rlaudit where jobs are submitted")
    settings = dict(source.data)
    n_jobs = min(settings.pop("jobs"), math.ceil(n_batches / settings["cores"]))
    with _cluster(make, source.path, settings) as cluster, cluster.get_client() as client:
        waiting = "Waiting for Slurm to start jobs (squeue --me shows them)"
        yield Cluster(client, cluster.scheduler_address, waiting, _keeper(cluster, n_jobs))


def _keywords(of: type) -> set[str]:
    """What a class of dask-jobqueue takes, with its bases."""
    classes = [one for one in of.__mro__ if one.__module__.startswith("dask_jobqueue")]
    return {name for one in classes for name in inspect.signature(one).parameters} - _CHOSEN_HERE


def _check(source: YamlText, keywords: Collection[str]) -> None:
    """Raises ConfigError at the first thing that is wrong."""
    for key in source.data:
        if key not in {*keywords, "jobs"}:
            near = get_close_matches(key, [*keywords, "jobs"], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            chosen = key in _CHOSEN_HERE
            message = f"{key} is {'chosen by rlaudit' if chosen else 'no keyword of dask_jobqueue.SLURMCluster'}.{hint}"
            raise ConfigError(source.show(source.place((key,)), message))
    for key, meaning in REQUIRED.items():
        if key not in source.data:
            raise ConfigError(f"{source.path}: {key} is missing: {meaning}")
    for key in ("jobs", "cores"):
        if type(source.data[key]) is not int or source.data[key] < 1:
            message = f"{key} is {source.data[key]!r}, and not a number from 1"
            raise ConfigError(source.show(source.place((key,)), message))


@contextlib.contextmanager
def _cluster(make: type["SLURMCluster"], path: Path, settings: Mapping[str, Any]) -> Iterator["SLURMCluster"]:
    """A scheduler in this process; its page of statistics takes any free port."""
    options = {"dashboard_address": ":0", **(settings.get("scheduler_options") or {})}
    of_a_job = {key: value for key, value in settings.items() if key in _keywords(make.job_cls)}
    try:
        make.job_cls("tcp://nowhere:1", **{"name": "for its errors: a cluster that fails is noisy", **of_a_job})
        cluster = make(**{**settings, "scheduler_options": options, "processes": 1})
    except (ImportError, OSError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{path}: dask-jobqueue cannot use it: {shown(error)}") from None
    with cluster:
        _refuse_bad_jobs(cluster.job_script(), path)
        yield cluster


def _refuse_bad_jobs(script: str, path: Path) -> None:
    """Asks Slurm beforehand: the error of a real submission would be lost in a thread of Dask."""
    asked = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise ConfigError(f"{path}: Slurm would not take such a job: {asked.stderr.strip()[:300]}")


def _keeper(cluster: "SLURMCluster", n_jobs: int) -> Callable[[], None]:
    """Submits the jobs, and later those that replace the ones that ended."""
    due = 0.0

    def keep() -> None:
        nonlocal due
        if time.monotonic() >= due:
            cluster.scale(jobs=n_jobs)
            due = time.monotonic() + REPLACE_SECONDS

    return keep
