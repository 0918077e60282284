"""A real Dask cluster gives the records of this machine, whatever dies in the middle."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask_builder
import psutil
import pytest
from builders import record, spec
from click.testing import CliRunner
from dask_builder import ENVIRONMENT, free_port, scheduler, worker
from distributed import Client
from test_executors import is_alive, trouble, wait_until
from test_resume import everything_but_times

from rlaudit.cli import main
from rlaudit.errors import ConfigError, ExecutorError
from rlaudit.executors import dask, dask_task, executor_of, run_local
from rlaudit.store import Store
from rlaudit.types import EvaluationPlan, RunEvent, RunRecord, RunSpec

SMALL = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 800}
seeds: 4
evaluation: {every: 400, episodes: 1}
"""
TICKETS = """\
name: tickets
experiment: tickets
task: CartPole-v1
agents:
  ppo: {algo: PPO, timesteps: 128, params: {n_steps: 64}}
seeds: 2
tickets: {sparsities: [0.5], prune_per_round: 0.5, extremes: 1, retrain_seeds: 2}
evaluation: {every: 64, episodes: 1}
score: auc
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A scheduler, and one worker of two threads below its nanny, as plain `dask worker` starts it."""
    number, folder = free_port(), tmp_path_factory.mktemp("cluster")
    with scheduler(number, folder), worker(number, folder, "--nthreads", "2"):
        yield number


def run(port: int, specs: list[RunSpec], **settings: Any) -> tuple[list[RunRecord], list[RunEvent]]:
    """Records in the order of the specs."""
    events: list[RunEvent] = []
    notify = settings.pop("notify", lambda event: None)
    train = executor_of(f"tcp://127.0.0.1:{port}")
    found = list(train(specs, notify=lambda event: (events.append(event), notify(event))[0], **settings))
    assert len(found) == len(specs)
    by_id = {one.spec.run_id: one for one in found}
    return [by_id[one.run_id] for one in specs], events


def contents(folder: Path) -> dict[str, tuple[object, ...]]:
    """Of a store, times aside."""
    return {
        one.spec.run_id: (
            *everything_but_times(one),
            {name: array.tolist() for name, array in one.measurements.items()},
        )
        for one in Store(folder).records()
    }


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def train(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rlaudit", "train", "small.yaml", *arguments],
        cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def train_to_the_end(*arguments: str, folder: Path) -> int:
    with train(*arguments, folder=folder) as program:
        program.communicate(timeout=600)
    return program.returncode


# ---------------------------------------------------------------- the same records


def test_two_workers_one_killed_in_the_middle_give_the_records_of_this_machine(port: int, tmp_path: Path) -> None:
    specs = [spec(seed, timesteps=2500, evaluation=EvaluationPlan(1000, 1)) for seed in range(4)]
    running: set[str] = set()
    with worker(port, tmp_path, "--nthreads", "1", "--no-nanny") as victim:
        processes: list[psutil.Process] = []

        def kill_when_all_train(event: RunEvent) -> None:
            if event.kind == "progress" and event.steps:
                running.add(event.spec.run_id)
            elif event.kind != "started":
                running.discard(event.spec.run_id)
            if len(running) == 3 and not processes:
                processes.extend(psutil.Process(victim.pid).children(recursive=True))
                os.kill(victim.pid, signal.SIGKILL)

        records, events = run(port, specs, notify=kill_when_all_train)
        assert len(processes) >= 3  # the server that forks, its tracker, and the run
        wait_until(lambda: not any(is_alive(one.pid) for one in processes), seconds=60)
    local = {one.spec.run_id: one for one in run_local(specs, workers=2)}
    expected = [everything_but_times(local[one.run_id]) for one in specs]
    assert expected == list(map(everything_but_times, records))
    assert {"done"} == {one.status for one in records}
    kinds = Counter(event.kind for event in events if event.kind not in ("progress", "waiting"))
    assert {"started": 4, "retried": 1, "finished": 4} == kinds
    assert "its worker was lost" == next(event.message for event in events if event.kind == "retried")
    assert specs == [one.spec for one in records]


def test_a_staged_experiment_ends_in_the_store_of_this_machine(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tickets.yaml").write_text(TICKETS)
    for out, executor in (("here", "local"), ("there", f"tcp://127.0.0.1:{port}")):
        result = CliRunner().invoke(main, ["train", "tickets.yaml", "--out", out, "--executor", executor, "-q"])
        assert 0 == result.exit_code, result.output
    assert 14 == len(contents(Path("there")))
    assert contents(Path("here")) == contents(Path("there"))
    assert names("here/memo") == names("there/memo")  # one disk, used by both


# ---------------------------------------------------------------- trouble


def test_trouble_of_a_run_is_that_of_this_machine(port: int, tmp_path: Path) -> None:
    specs = [
        trouble("Raises", 0), trouble("Dies", 1, flag=str(tmp_path / "flag")), trouble("Dies", 2), trouble("Sleeps", 3),
        spec(4), spec(5, env_id="no_such_module:Env-v0"),
    ]  # fmt: skip
    limit = 20.0
    records, events = run(port, [*specs[:3], replace(specs[3], timeout=5.0), *specs[4:]], timeout=limit, retries=1)
    assert ["failed", "done", "failed", "failed", "done", "failed"] == [one.status for one in records]
    said = [(one.error or "").splitlines()[-1] for one in records if one.error]
    assert [
        "ValueError: the simulator broke at step 50",
        "the worker process was killed by signal 9 (after 2 tries)",
        "TimeoutError: stopped after 5 s of wall time",
        "ModuleNotFoundError: No module named 'no_such_module'",
    ] == [line.partition(". ")[0] for line in said]
    assert {1: 1, 2: 1} == Counter(event.spec.seed for event in events if event.kind == "retried")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_runs_end_with_the_client(port: int, tmp_path: Path, signal_number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    env = f"{{id: 'trouble_envs:Sleeps-v0', kwargs: {{pid_file: '{pid_file}'}}}}"
    (tmp_path / "small.yaml").write_text(SMALL.replace("task: CartPole-v1", f"task: {env}"))
    program = train("--seeds", "2", "--executor", f"tcp://127.0.0.1:{port}", folder=tmp_path)
    wait_until(lambda: pid_file.exists() and pid_file.read_text(), seconds=600)
    pid = int(pid_file.read_text())
    os.killpg(program.pid, signal_number)
    _, errors = program.communicate(timeout=60)
    assert (130 if signal_number == signal.SIGINT else -9) == program.returncode
    assert "Traceback" not in errors
    wait_until(lambda: not is_alive(pid), seconds=60)


def test_a_scheduler_that_is_killed_in_the_middle_costs_what_was_in_progress(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    number = free_port()
    arguments = ["--out", "there", "--executor", f"tcp://127.0.0.1:{number}"]
    with ExitStack() as stack, scheduler(number, tmp_path) as process:
        program = stack.enter_context(train(*arguments, folder=tmp_path))
        assert program.stderr is not None
        for line in program.stderr:
            if line.startswith("No worker"):
                break
        assert f"No worker yet (dask worker tcp://127.0.0.1:{number} starts one).\n" == line
        with worker(number, tmp_path, "--nthreads", "1"):
            for line in program.stderr:
                if line.startswith("[1/4]"):
                    break
            process.kill()
            errors = program.stderr.read()
            assert 2 == program.wait(timeout=120)
    assert f"Error: the scheduler at tcp://127.0.0.1:{number} is not there any more." in errors
    assert 1 == errors.count("\n")
    assert 1 <= len(Store(tmp_path / "there").records()) < 4
    with scheduler(number, tmp_path), worker(number, tmp_path, "--nthreads", "2"):
        assert 0 == train_to_the_end(*arguments, folder=tmp_path)
    assert 0 == train_to_the_end("--out", "here", folder=tmp_path)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_scheduler_that_does_not_answer_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(ConfigError) as error:
        next(executor_of(address)([spec()]))
    assert str(error.value).startswith(f"--executor {address}: no Dask scheduler answers there (")
    assert str(error.value).endswith(f"Start one: dask scheduler --port {address.rpartition(':')[2]}")


def test_other_versions_over_there_are_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = dask.versions(dask_task.PACKAGES)
    monkeypatch.setattr(dask, "versions", lambda packages: {**ours, "torch": "1.0", "mujoco": "not installed"})
    with pytest.raises(ExecutorError) as error:
        run(port, [spec()])
    assert f"has torch {ours['torch']}, and here is torch 1.0: its runs would not be the same to the bit" in str(
        error.value
    )


def test_a_worker_without_this_rlaudit_is_refused_and_survives(port: int, tmp_path: Path) -> None:
    (tmp_path / "rlaudit").mkdir()
    (tmp_path / "rlaudit" / "__init__.py").touch()
    arguments = ["worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--no-dashboard"]
    other = dask_builder.dask(*arguments, folder=tmp_path, environment={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)})
    with other as process, Client(f"tcp://127.0.0.1:{port}", set_as_default=False) as client:
        client.wait_for_workers(2)
        with pytest.raises(ExecutorError, match=r"rlaudit.*The scheduler and every worker need rlaudit as it is here"):
            run(port, [spec()])
        assert process.poll() is None


# ---------------------------------------------------------------- disks


def test_without_a_shared_disk_what_runs_share_stays_with_the_worker(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def elsewhere(memo: str) -> Iterator[str]:
        yield str(tmp_path / "memo" / "gone.token")

    monkeypatch.setattr(dask, "_token", elsewhere)
    monkeypatch.chdir(tmp_path)
    Path("tickets.yaml").write_text(TICKETS)
    executor = ["--executor", f"tcp://127.0.0.1:{port}"]
    listed = CliRunner().invoke(main, ["train", "tickets.yaml", "--out", "there", "--list-commands"])
    (masked, *_) = [line.split()[-1] for line in listed.stdout.splitlines()[4:]]
    result = CliRunner().invoke(main, ["train", "tickets.yaml", "--out", "there", "--only", masked, *executor])
    assert 0 == result.exit_code, result.output
    assert "memo" not in names("there")


def test_a_token_is_seen_on_this_disk_and_leaves_nothing(tmp_path: Path) -> None:
    with dask._token(str(tmp_path / "memo")) as token:
        assert dask_task._sees(token)
    assert not dask_task._sees(token)
    assert not dask_task._sees("")
    assert [] == list(tmp_path.iterdir())


def test_a_failure_where_the_folder_of_the_config_is_missing_says_so(tmp_path: Path) -> None:
    there, gone = (spec(folder=str(folder)) for folder in (tmp_path, tmp_path / "gone"))
    failed = record(there, status="failed", error="Traceback\nModuleNotFoundError: No module named 'mine'\n")
    assert failed.error == dask_task._home(failed, there).error
    said = (dask_task._home(failed, gone).error or "").splitlines()[-1]
    assert said.startswith("ModuleNotFoundError: No module named 'mine' [on ")
    assert said.endswith(f"which has no {tmp_path / 'gone'}]")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["tpc://host:8786", "loca", "slurm.yaml"])
def test_an_executor_that_is_none_is_refused_with_all_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match=r"give one of local, serial, tcp://HOST:PORT, .*, slurm:FILE\.yaml"):
        executor_of(name)


def test_a_file_of_a_scheduler_is_read_or_refused(port: int, tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    with pytest.raises(ConfigError, match=r"cannot be read: No such file.* dask scheduler --scheduler-file"):
        next(executor_of(f"file:{path}")([spec()]))
    path.write_text("[]")
    with pytest.raises(ConfigError, match="is no file of a scheduler"):
        next(executor_of(f"file:{path}")([spec()]))
    path.write_text(f'{{"address": "tcp://127.0.0.1:{port}"}}')
    assert "done" == next(executor_of(f"file:{path}")([spec()])).status
