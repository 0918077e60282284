"""Executors: the same bits whoever trains, one seed's trouble stays its own, and nothing ever hangs or survives."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import record, spec

from rlaudit.backends import BACKENDS
from rlaudit.executors import EXECUTORS, available_cores, run_local, run_serial
from rlaudit.types import Backend, Progress, RunEvent, RunRecord, RunSpec

TESTS = Path(__file__).parent


def hashes(records: list[RunRecord]) -> dict[str, str]:
    return {one.spec.run_id: one.weights_sha256 for one in records}


def trouble(kind: str, seed: int = 0, timesteps: int = 200, **env_kwargs: Any) -> RunSpec:
    return spec(seed, env_id=f"trouble_envs:{kind}-v0", env_kwargs=env_kwargs, timesteps=timesteps)


def run(specs: list[RunSpec], **settings: Any) -> tuple[dict[int | str, RunRecord], list[RunEvent]]:
    events: list[RunEvent] = []
    records = list(run_local(specs, workers=2, notify=events.append, **settings))
    assert len(records) == len(specs)
    return {one.spec.seed: one for one in records}, events


def is_alive(pid: int) -> bool:
    """A zombie has ended: nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


# ---------------------------------------------------------------- the same results


def test_serial_one_and_two_workers_give_the_same_weights_to_the_bit() -> None:
    specs = [spec(seed) for seed in range(2)] + [spec(2, algo="PPO", params={"n_steps": 64})]
    serial = hashes(list(run_serial(specs)))
    assert len(set(serial.values())) == 3
    assert hashes(list(run_local(specs, workers=1))) == serial
    assert hashes(list(run_local(specs, workers=2))) == serial


@pytest.mark.parametrize("name", EXECUTORS)
def test_no_specs_give_no_records(name: str) -> None:
    assert list(EXECUTORS[name]([])) == []


def test_there_is_at_least_one_core() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("name", EXECUTORS)
def test_events_tell_each_run_from_start_to_end(name: str) -> None:
    events: list[RunEvent] = []
    list(EXECUTORS[name]([spec(0, timesteps=3000), trouble("Raises", 1)], notify=events.append))
    for seed, end in ((0, "finished"), (1, "failed")):
        kinds = [event.kind for event in events if event.spec.seed == seed]
        assert (kinds[0], kinds[-1]) == ("started", end)
        assert set(kinds[1:-1]) <= {"progress"}
    steps = [event.steps for event in events if event.spec.seed == 0 and event.kind == "progress"]
    assert steps == sorted(steps)
    assert 0 < steps[-1] <= 3000
    assert "the simulator broke" in next(event.message for event in events if event.kind == "failed")


def test_executors_and_backends_load_no_trainer_before_they_train() -> None:
    code = "import sys, rlaudit.executors; sys.exit(str({'torch', 'gymnasium', 'pebble'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TESTS.parent, check=False)
    assert done.stderr.strip() == "set()"


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_run_that_fails_is_a_failed_record_and_the_others_finish(name: str) -> None:
    specs = [spec(0), trouble("Raises", 1), trouble("Exits", 2), spec(3)]
    records = {one.spec.seed: one for one in EXECUTORS[name](specs)}
    assert {seed: one.status for seed, one in records.items()} == {0: "done", 1: "failed", 2: "failed", 3: "done"}
    assert (records[1].error or "").endswith("ValueError: the simulator broke at step 50")
    assert (records[2].error or "").endswith("SystemExit: no licence")


@pytest.mark.parametrize("last_words", [True, False])
def test_every_spec_of_a_batch_gets_a_record_whatever_the_backend_does(
    last_words: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
        assert len(specs) == 3
        yield record(specs[1])
        if last_words:
            raise RuntimeError("lost the others")

    monkeypatch.setitem(BACKENDS, "lockstep", Backend(train, lambda spec: [], "for this test", batch_size=3))
    records = {one.spec.seed: one for one in run_serial([spec(seed, backend="lockstep") for seed in range(3)])}
    assert {seed: one.status for seed, one in records.items()} == {0: "failed", 1: "done", 2: "failed"}
    assert ("lost the others" if last_words else "no record for this run") in (records[0].error or "")


def test_a_run_over_its_time_is_stopped_and_costs_only_itself() -> None:
    started = time.monotonic()
    records, _ = run([trouble("Sleeps", 0), spec(1)], timeout=8.0)
    assert (records[0].error or "").endswith("TimeoutError: stopped after 8 s of wall time")
    assert records[1].status == "done"
    assert time.monotonic() - started < 60


def test_a_worker_killed_in_mid_training_is_tried_again_and_gives_the_same_bits(tmp_path: Path) -> None:
    flagged: dict[str, Any] = {"flag": str(tmp_path / "flag")}
    records, events = run([trouble("Dies", 0, **flagged), spec(1)])
    kinds = Counter((event.spec.seed, event.kind) for event in events if event.kind != "progress")
    assert kinds == {(0, "started"): 1, (0, "retried"): 1, (0, "finished"): 1, (1, "started"): 1, (1, "finished"): 1}
    (undisturbed,) = run_serial([trouble("Dies", 0, **flagged)])  # the flag is there now
    assert records[0].weights_sha256 == undisturbed.weights_sha256


def test_a_worker_that_dies_each_time_becomes_a_failed_record_with_signal_and_last_words() -> None:
    records, events = run([trouble("Dies", 0), spec(1)], retries=2)
    assert [event.kind for event in events].count("retried") == 2
    assert records[0].status == "failed"
    assert (records[0].error or "").splitlines()[-2:] == [
        "last words",
        "the worker process was killed by signal 9 (after 3 tries)",
    ]
    assert records[1].status == "done"


def test_what_an_environment_prints_does_not_reach_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run([trouble("Dies", 0, flag=str(tmp_path / "flag"))])
    assert capfd.readouterr() == ("", "")


# ---------------------------------------------------------------- the ends of workers and parents


def test_closing_the_generator_ends_its_workers(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    records = run_local([trouble("Sleeps", 0, pid_file=str(pid_file)), spec(1), spec(2)], workers=2)
    assert next(records).status == "done"
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    pid = int(pid_file.read_text())
    assert is_alive(pid)
    records.close()  # type: ignore[attr-defined]
    wait_until(lambda: not is_alive(pid), seconds=5)


def script(tmp_path: Path, body: str) -> subprocess.Popen[str]:
    """A user's program: no `__main__` guard, and it says each time that it is run."""
    path = tmp_path / "program.py"
    path.write_text(f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS.parent)]!r}
open({str(tmp_path / "starts")!r}, "a").write("started\\n")
from builders import record, spec
from rlaudit.executors import run_local
{body}
""")
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_a_program_without_a_main_guard_is_not_run_again_by_the_workers(tmp_path: Path) -> None:
    program = script(tmp_path, "print([record.status for record in run_local([spec(0), spec(1)], workers=2)])")
    assert program.communicate(timeout=60)[0].strip() == "['done', 'done']"
    assert (tmp_path / "starts").read_text() == "started\n"


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_no_worker_outlives_its_parent(tmp_path: Path, signal_number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    kwargs = {"pid_file": str(pid_file)}
    program = script(
        tmp_path,
        f"list(run_local([spec(env_id='trouble_envs:Sleeps-v0', env_kwargs={kwargs!r})], workers=1))",
    )
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    pid = int(pid_file.read_text())
    if signal_number == signal.SIGINT:
        os.killpg(program.pid, signal_number)  # as a terminal does: to the workers as well
    else:
        os.kill(program.pid, signal_number)
    _, errors = program.communicate(timeout=10)
    assert program.returncode == -signal_number
    wait_until(lambda: not is_alive(pid), seconds=5)
    if signal_number == signal.SIGINT:
        assert errors.splitlines()[-1] == "KeyboardInterrupt"
        assert errors.count("Traceback") == 1
