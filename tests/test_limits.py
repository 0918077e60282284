"""Limits: memory and failures. What is over them ends with one clear reason, and everything else goes on."""

import os
import sys
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import record, spec
from click.testing import CliRunner
from program_builder import is_alive, program, wait_until
from test_store import failed

from rlaudit import store as store_module
from rlaudit import training
from rlaudit.cli import main
from rlaudit.config import load_config
from rlaudit.config_values import n_bytes
from rlaudit.errors import ConfigError, StoreError, TooManyFailures
from rlaudit.executors import EXECUTORS, local, resident, run_local
from rlaudit.sharing import Share
from rlaudit.store import Store
from rlaudit.types import RunEvent, RunRecord, RunSpec

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
MB = 1_000_000
HOG = """
import os, subprocess, sys, time
if sys.argv[2:]:
    open(sys.argv[1], "w").write(str(os.getpid()))
    held = bytearray(b"x") * 300_000_000
    time.sleep(1000)
subprocess.run([sys.executable, "-S", *sys.argv, "child"])
"""


# ---------------------------------------------------------------- memory


@linux
def test_a_process_is_known_by_its_number_and_its_start() -> None:
    assert resident.started(os.getpid()) == resident.started(os.getpid())
    assert resident.started(os.getpid()).isdecimal()
    assert "" == resident.started(2**22 + 1)


@linux
def test_what_a_process_holds_counts_what_it_touches_not_what_it_reserves() -> None:
    before = resident.held(os.getpid(), 0)
    reserved = np.empty(500 * MB, np.uint8)
    assert abs(resident.held(os.getpid(), 0) - before) < 50 * MB
    reserved[: 200 * MB] = 1
    assert 150 * MB < resident.held(os.getpid(), 0) - before < 250 * MB


@linux
def test_the_bound_is_no_less_than_the_exact_figure() -> None:
    assert resident.held(os.getpid(), 10**15) >= 0.9 * resident.held(os.getpid(), 0) > 10 * MB


@linux
def test_a_run_over_its_memory_is_stopped_with_the_figures_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "hog.py").write_text(HOG)
    hog = program(tmp_path, "python hog.py {folder}/pid{seed}", memory=200 * MB)
    good = program(tmp_path, "echo return=1 {seed}", seed=1)
    events: list[RunEvent] = []
    records = {one.spec.seed: one for one in run_local([hog, good], workers=2, memory=10**12, notify=events.append)}
    assert {"failed", "done"} == {one.status for one in records.values()}
    reason = (records[hog.seed].error or "").splitlines()[-1]
    assert reason.startswith("MemoryError: stopped at ")
    assert reason.endswith(" MB of 200 MB resident memory")
    assert 200 < float(reason.split()[3]) < 600
    assert "retried" not in {event.kind for event in events}
    child = int((tmp_path / f"pid{hog.seed}").read_text())
    wait_until(lambda: not is_alive(child))


def test_a_limit_that_cannot_be_watched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.resident, "CAN_TELL", False)
    with pytest.raises(ConfigError, match="only Linux tells what a run holds"):
        list(run_local([spec()], memory=10**9))
    with pytest.raises(ConfigError, match="only Linux tells what a run holds"):
        list(run_local([spec(memory=10**9)]))


@pytest.mark.parametrize(
    ("said", "expected"),
    [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), (500_000_000, 5 * 10**8), ("300mb", 3 * 10**8), ("2e9", None),
     ("-1GB", None), ("2 GBit", None), (True, None), ("", None), ("1KB", None), (0, None), ("10 EB", None)],
)  # fmt: skip
def test_a_size_is_bytes_or_a_number_with_a_unit(said: object, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="such as 2GB"):
            n_bytes(said)
    else:
        assert expected == n_bytes(said)


def test_a_size_is_said_in_the_unit_that_fits() -> None:
    assert ["2.1 GB", "2 GB", "512 MB", "12 bytes"] == [
        resident.in_words(n) for n in (2_100_000_000, 2 * 10**9, 512_400_000, 12)
    ]


def test_a_wrong_size_is_one_message_on_the_command_line_and_in_a_config(tmp_path: Path) -> None:
    config = written(tmp_path, "memory: 2 gigs, ")
    with pytest.raises(ConfigError, match=r"agents\.a\.memory = '2 gigs' is no size; give bytes.*such as 2GB"):
        load_config(config)
    result = CliRunner().invoke(main, ["train", str(config), "--memory", "much"])
    assert (2, True) == (result.exit_code, "'much' is no size; give bytes" in result.output)


def test_agents_that_differ_in_their_limits_alone_are_the_same_agent(tmp_path: Path) -> None:
    config = written(tmp_path, "", more="\n  b: {algo: A2C, timesteps: 100, memory: 2GB, timeout: 9}")
    with pytest.raises(ConfigError, match=r"is agents\.a under another name"):
        load_config(config)


def test_limits_do_not_rename_a_run(tmp_path: Path) -> None:
    config, _ = load_config(written(tmp_path, "memory: 2GB, timeout: 60, "))
    limited = training.planned(config, Store(tmp_path))[0]
    assert (2 * 10**9, 60.0) == (limited.memory, limited.timeout)
    plain, _ = load_config(written(tmp_path, ""))
    assert limited.run_id == training.planned(plain, Store(tmp_path))[0].run_id


def written(folder: Path, keys: str, more: str = "") -> Path:
    path = folder / "x.yaml"
    path.write_text(f"name: x\ntask: CartPole-v1\nagents:\n  a: {{{keys}algo: A2C, timesteps: 100}}{more}\nseeds: 20\n")
    return path


# ---------------------------------------------------------------- failures


Trained = Callable[..., list[RunEvent]]


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Trains twenty runs of which those of `failing` fail, two at a time, without a trainer.

    What `others` do is done as soon as they are waited for.
    """
    config, source = load_config(written(tmp_path, ""))
    monkeypatch.setattr(training, "check", lambda specs, source: None)

    def train(
        failing: Iterable[int], store: Store, others: Callable[[], None] = lambda: None, **how: Any
    ) -> list[RunEvent]:
        events: list[RunEvent] = []

        def notify(event: RunEvent) -> None:
            events.append(event)
            if event.kind == "waiting":
                others()

        def two_at_a_time(
            specs: Iterable[RunSpec], *, claim: Callable[[RunSpec], bool], **rest: object
        ) -> Generator[RunRecord, None, None]:
            mine = (one for one in specs if claim(one))
            while two := list(islice(mine, 2)):
                for one in two:
                    yield failed(record(one)) if one.seed in failing else record(one)

        monkeypatch.setitem(EXECUTORS, "two", two_at_a_time)  # type: ignore[arg-type]
        training.train(config, source, store, training.Training("two", notify=notify, **how))
        return events

    return train


def counts(store: Store) -> tuple[int, int]:
    """Done and failed."""
    found = [one.status for one in store.records()]
    return found.count("done"), found.count("failed")


def test_after_so_many_failures_no_run_starts_and_those_under_way_finish(trained: Trained, tmp_path: Path) -> None:
    store = Store(tmp_path / "my results")
    with pytest.raises(TooManyFailures) as stopped:
        trained({2, 4, 6, 7, 9}, store, max_failures=3)
    assert (4, 4) == counts(store)  # seed 7 was under way with seed 6
    first, second = str(stopped.value).splitlines()
    (third,) = stopped.value.__notes__
    assert "4 runs failed, the last one a, seed 7: ValueError: no" == first
    assert f"No further run was started (--max-failures 3); 12 of 20 runs are missing in {store.root}." == second
    assert "--retry-failed trains the failed ones again, --keep-going" in third
    assert third.endswith(f"rlaudit audit '{store.root}' audits what is there.")
    assert not (store.root / "locks").exists()


def test_the_same_again_goes_on_with_what_is_missing_then_tries_the_failed_ones(
    trained: Trained, tmp_path: Path
) -> None:
    store = Store(tmp_path / "results")
    with pytest.raises(TooManyFailures):
        trained({2, 4}, store, max_failures=2)
    trained({2, 4, 9}, store, max_failures=2)
    assert (17, 3) == counts(store)
    trained({9}, store, max_failures=2, retry_failed=True)
    assert (19, 1) == counts(store)
    trained(set(), store, max_failures=2, retry_failed=True)
    assert (20, 0) == counts(store)


def test_the_last_failure_stops_nothing_where_nothing_is_missing(trained: Trained, tmp_path: Path) -> None:
    trained({18, 19}, Store(tmp_path / "results"), max_failures=2)
    assert (18, 2) == counts(Store(tmp_path / "results"))


def test_whatever_fails_it_keeps_going_where_that_is_wanted(trained: Trained, tmp_path: Path) -> None:
    trained(range(20), Store(tmp_path / "results"), max_failures=None)
    assert (0, 20) == counts(Store(tmp_path / "results"))


@pytest.mark.parametrize(("options", "expected"), [((), 10), (("--max-failures", "3"), 3), (("--keep-going",), None)])
def test_the_command_ends_with_4_and_says_it(
    options: tuple[str, ...], expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(config: object, source: object, store: object, how: training.Training) -> None:
        assert expected == how.max_failures
        error = TooManyFailures("so many")
        error.add_note("go on so")
        raise error

    monkeypatch.setattr(training, "train", stop)
    result = CliRunner().invoke(main, ["train", str(written(tmp_path, "")), "--quiet", *options])
    assert (4, True) == (result.exit_code, result.output.endswith("Error: so many\ngo on so\n")), result.output


def test_limits_stand_in_the_provenance_of_an_audit(tmp_path: Path) -> None:
    config, _ = load_config(written(tmp_path, "memory: 2GB, timeout: 60, ", more="\n  b: {algo: PPO, timesteps: 100}"))
    a = "60 s of wall time, 2 GB of resident memory"
    assert {"limits of a run": f"a: {a}; b: none"} == training.limits(config, training.Training())
    a = "20 s of wall time, 2 GB of resident memory"
    shorter = training.limits(config, training.Training(timeout=20))
    assert {"limits of a run": f"a: {a}; b: 20 s of wall time"} == shorter
    plain, _ = load_config(written(tmp_path, ""))
    assert {} == training.limits(plain, training.Training())
    assert {"limits of a run": "1 s of wall time"} == training.limits(plain, training.Training(timeout=1))


# ---------------------------------------------------------------- runs of others


def test_runs_of_others_are_waited_for_and_that_is_said_once(trained: Trained, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    config, _ = load_config(tmp_path / "x.yaml")
    others, theirs = Share(store), training.planned(config, store)[3:5]
    assert all(map(others.take, theirs))

    def finish() -> None:
        for one in theirs:
            store.add(record(one))
            others.give_back(one)

    events = trained(set(), store, finish)
    assert (20, 0) == counts(store)
    assert ["2 runs are being trained by another process; waiting"] == [
        event.message for event in events if event.kind == "waiting"
    ]
    assert not {one.run_id for one in theirs} & {event.spec.run_id for event in events if event.kind == "planned"}


def test_runs_that_another_process_gave_up_are_trained(trained: Trained, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    config, _ = load_config(tmp_path / "x.yaml")
    others = Share(store)
    assert others.take(training.planned(config, store)[0])
    trained(set(), store, others.close)
    assert (20, 0) == counts(store)


# ---------------------------------------------------------------- stores


def test_a_store_without_room_is_found_before_anything_is_trained(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(files: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "write_verified", full)
    with pytest.raises(StoreError, match=r"a run cannot be written: No space left.*Free some space"):
        trained(set(), Store(tmp_path / "results"))
    assert [] == [path for path in (tmp_path / "results").rglob("*") if path.is_file()]


def test_a_store_that_is_read_only_says_so(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(store_module, "make_directory", refuse)
    with pytest.raises(StoreError, match=r"Read-only file system\. Make the folder writable or choose another"):
        trained(set(), Store(tmp_path / "results"))
