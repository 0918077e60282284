"""`--executor slurm:file.yaml` on a real Slurm of one node where one can be started, and its file anywhere."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import spec
from dask_builder import ENVIRONMENT
from test_cluster import SMALL, contents
from test_executors import wait_until

from rlaudit.errors import ConfigError, MissingExtra
from rlaudit.executors import executor_of, slurm

JOBS = """\
jobs: 1
cores: 2
memory: 2GB
walltime: "00:20:00"
log_directory: logs
"""
START = Path(__file__).parent / "slurm" / "start.sh"
PARTS = ("munged", "slurmctld", "slurmd", "sbatch")
missing = [part for part in PARTS if shutil.which(part) is None]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of somebody who may submit jobs to a Slurm that is there for this test."""
    folder = tmp_path / "slurm"
    environment = {**ENVIRONMENT, "SLURM_CONF": str(folder / "slurm.conf")}
    process = subprocess.Popen([START, folder, "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        try:
            wait_until(lambda: "idle" in said("sinfo", environment), seconds=120)
        except AssertionError:
            logs = "".join(path.read_text(errors="replace")[-300:] for path in sorted(folder.glob("*.log")))
            pytest.skip(f"a Slurm of one node does not start here: {logs}")
        yield environment
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def said(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(command.split(), env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(bool(missing), reason=f"no Slurm here: {', '.join(missing)} (apt-get install slurm-wlm munge)")
@pytest.mark.skipif(os.geteuid() != 0, reason="starting a Slurm takes root")
def test_jobs_of_slurm_one_cancelled_in_the_middle_give_the_records_of_this_machine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "jobs.yaml").write_text(JOBS)
    command = [sys.executable, "-m", "rlaudit", "train", "small.yaml", "--out"]
    program = subprocess.Popen(
        [*command, "there", "--executor", "slurm:jobs.yaml"],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with program:
        assert program.stderr is not None
        lines = iter(program.stderr)
        before = [line for line in iter(lambda: next(lines), "Training 4 runs.\n") if "Warning" not in line]
        assert ["Waiting for Slurm to start jobs (squeue --me shows them).\n"] == before
        (job,) = said("squeue --noheader --format=%A", environment).split()
        while not next(lines).startswith("[1/4]"):
            pass
        said(f"scancel {job}", environment)
        after = program.stderr.read()
        assert 0 == program.wait(timeout=600), after
        assert "Waiting for Slurm to start jobs" in after  # another one; whether a run had begun there depends
    wait_until(lambda: not said("squeue --noheader", environment), seconds=120)
    assert 0 == subprocess.run([*command, "here", "-q"], cwd=tmp_path, env=environment, check=False).returncode
    assert 4 == len(contents(tmp_path / "there"))
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.slow
@pytest.mark.skipif(bool(missing), reason=f"no Slurm here: {', '.join(missing)} (apt-get install slurm-wlm munge)")
@pytest.mark.skipif(os.geteuid() != 0, reason="starting a Slurm takes root")
def test_a_job_that_slurm_would_not_take_is_refused_before_anything_is_submitted(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", environment["SLURM_CONF"])
    with pytest.raises(ConfigError, match=r"jobs.yaml: Slurm would not take such a job: .*partition.*nowhere"):
        train(tmp_path, JOBS + "queue: nowhere\n")


# ---------------------------------------------------------------- the file


def train(folder: Path, text: str) -> None:
    (folder / "jobs.yaml").write_text(text)
    next(executor_of(f"slurm:{folder / 'jobs.yaml'}")([spec()]))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("cores", "core", "jobs.yaml:2:1: core is no keyword of dask_jobqueue.SLURMCluster. Did you mean 'cores'?"),
        ("jobs: 1\n", "", "jobs.yaml: jobs is missing: how many at most at the same time: jobs: 20"),
        ('walltime: "00:20:00"\n', "", "jobs.yaml: walltime is missing: after which Slurm ends a job"),
        ("jobs: 1", "jobs: 0", "jobs.yaml:1:1: jobs is 0, and not a number from 1"),
        ("cores: 2", "cores: true", "jobs.yaml:2:1: cores is True, and not a number from 1"),
        ("memory: 2GB", "memory: much", "jobs.yaml: dask-jobqueue cannot use it: Could not interpret 'much'"),
        ("log_directory: logs", "processes: 2", "jobs.yaml:5:1: processes is chosen by rlaudit."),
        (JOBS, "- jobs\n", "a config is a mapping of keys"),
    ],
)
def test_what_is_wrong_with_the_file_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, expected: str
) -> None:
    monkeypatch.setattr(slurm.shutil, "which", lambda name: name)  # type: ignore[attr-defined]
    assert old in JOBS
    with pytest.raises(ConfigError) as error:
        train(tmp_path, JOBS.replace(old, new))
    assert expected in str(error.value)


def test_where_there_is_no_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no sbatch here; start rlaudit where jobs are submitted"):
        train(tmp_path, JOBS)


@pytest.mark.parametrize(("name", "module"), [("slurm:x.yaml", "dask_jobqueue"), ("tcp://a:1", "distributed")])
def test_without_the_extra_the_way_to_install_it_is_told(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"needs {module}: pip install 'rlaudit\[cluster\]'"):
        next(executor_of(name)([spec()]))
