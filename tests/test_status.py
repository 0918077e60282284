"""`rlaudit status`: what is done, failed, running and to come, who works on it, and how long it will take."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from builders import record, spec
from click.testing import CliRunner, Result

from rlaudit.cli import main
from rlaudit.events import EVENTS, Log
from rlaudit.results.sequential import Look, LookState, PairLook
from rlaudit.status import Status, Watch
from rlaudit.store import Store
from rlaudit.terminal import console, print_status, status_line
from rlaudit.types import RunEvent, RunSpec

TESTS = Path(__file__).parent
SLOW = """\
name: slow
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 1500}
  ppo: {algo: PPO, timesteps: 100000000}
seeds: 2
evaluation: {episodes: 2}
"""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        monkeypatch.setattr("rlaudit.events.time.monotonic", lambda: self.now)
        monkeypatch.setattr("rlaudit.events._now", self.text)

    def text(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Training:
    """What a training of these runs leaves behind, step by step."""

    def __init__(self, root: Path, clock: Clock, specs: list[RunSpec]) -> None:
        self.store, self.log, self.clock = Store(root), Log(root / EVENTS), clock
        self.log.plan(specs, len(specs))

    def start(self, *specs: RunSpec) -> None:
        for one in specs:
            self.log.notify(RunEvent("started", one))

    def finish(self, one: RunSpec, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.store.add(record(one))
        self.log.notify(RunEvent("finished", one, one.timesteps))

    def fail(self, one: RunSpec, reason: str, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.store.add(record(one, status="failed", error=f"Traceback\n{reason}"))
        self.log.notify(RunEvent("failed", one, message=reason))

    def status(self) -> Status:
        return Watch(self.store.root).look(self.clock.now)


def shown(status: Status, width: int = 80, monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    out = console(sys.stdout)
    out.width = width
    with out.capture() as capture:
        print_status(status, out)
    return capture.get()


def counts(status: Status) -> tuple[int | None, int, int, int, int]:
    return status.planned, status.done, status.failed, status.n_running, status.to_come


def gone(log: Path, **fields: Any) -> None:
    """Changes what the first line says of the process that wrote the log."""
    first, *rest = log.read_text().splitlines()
    log.write_text("\n".join([json.dumps({**json.loads(first), **fields}), *rest, ""]))


# ---------------------------------------------------------------- counts


def test_each_run_is_counted_once(tmp_path: Path, clock: Clock) -> None:
    specs = [spec(seed) for seed in range(6)]
    training = Training(tmp_path, clock, specs)
    training.start(specs[0], specs[1])
    training.finish(specs[0], seconds=10)
    training.start(specs[2])
    training.fail(specs[1], "ValueError: broken", seconds=5)
    training.start(specs[3])
    status = training.status()
    assert (6, 1, 1, 2, 2) == counts(status)
    assert [2, 3] == [seed.seed for seed in status.running]
    assert ("ValueError: broken", 1, 1) == (
        status.failures[0].reason, status.failures[0].seed, status.failures[0].tries
    )  # fmt: skip


def test_agents_and_tasks_are_counted_apart(tmp_path: Path, clock: Clock) -> None:
    specs = [spec(seed, agent=agent, task=task, env_kwargs={"of": agent + task})
             for agent in "ab" for task in "xy" for seed in range(2)]  # fmt: skip
    training = Training(tmp_path, clock, specs)
    training.start(specs[0], specs[7])
    training.finish(specs[7])
    status = training.status()
    assert [("a", "x", 0, 1, 1), ("a", "y", 0, 0, 2), ("b", "x", 0, 0, 2), ("b", "y", 1, 0, 1)] == [
        (arm.agent, arm.task, arm.done, arm.running, arm.to_come) for arm in status.arms
    ]
    assert "a on x, seed 0" in shown(status)


def test_the_store_is_the_truth(tmp_path: Path, clock: Clock) -> None:
    """The line on a run's end may be lost: a full disk, a power cut."""
    specs = [spec(seed) for seed in range(3)]
    training = Training(tmp_path, clock, specs)
    training.start(*specs)
    training.store.add(record(specs[0]))
    training.log.notify(RunEvent("finished", specs[1]))  # and its record was deleted since
    assert (3, 1, 0, 1, 1) == counts(training.status())


def test_a_failed_run_that_is_tried_again_runs(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.start(spec(0))
    training.fail(spec(0), "ValueError: broken")
    training.start(spec(0))
    assert (1, 0, 0, 1, 0) == counts(training.status())
    training.finish(spec(0))
    assert (1, 1, 0, 0, 0) == counts(training.status())


def test_runs_of_an_older_plan_are_told_apart(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0), spec(1)])
    training.finish(spec(0))
    training.finish(spec(1))
    training.log.plan([spec(1), spec(2)], 1)
    status = training.status()
    assert (2, 1, 0, 0, 1) == counts(status)
    assert 1 == status.others
    assert "1 further runs" not in shown(status)
    assert "One further run is stored" in shown(status)


def test_a_folder_without_a_log_is_counted_from_its_store(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(record(spec(0)))
    store.add(record(spec(1), status="failed", error="Traceback\nValueError: broken"))
    status = Watch(tmp_path).look(time.time())
    assert (None, 1, 1, 0, 0) == counts(status)
    assert [("ValueError: broken", 1)] == [(failed.reason, failed.seed) for failed in status.failures]
    assert "It has no log" in shown(status)


# ---------------------------------------------------------------- who works on it


def test_a_process_that_lives_works_on_it(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.start(spec(0))
    clock.now += 600
    (process,) = training.status().processes
    assert ("working", os.getpid(), 600) == (process.state, process.pid, process.seconds_since_start)
    assert f"Process {os.getpid()} of this machine works on it, for 10 min so far." in shown(training.status())


@pytest.mark.parametrize("other", [{"birth": 1}, {"pid": 2**22 + 1}, {"pid": 2**22 + 1, "birth": None}])
def test_a_process_that_is_gone_was_killed_also_where_another_has_its_number(
    tmp_path: Path, clock: Clock, other: dict[str, Any]
) -> None:
    training = Training(tmp_path, clock, [spec(0), spec(1)])
    training.start(spec(0))
    gone(training.log.path, command="rlaudit train x.yaml", cwd="/somewhere else", **other)
    status = training.status()
    assert ("killed", (2, 0, 0, 0, 2)) == (status.processes[0].state, counts(status))
    text = shown(status)
    assert "ended without a word" in text
    assert text.endswith("To go on:\n    cd '/somewhere else' && rlaudit train x.yaml\n")


def test_a_process_of_another_machine_cannot_be_asked(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.start(spec(0))
    gone(training.log.path, host="node7", pid=5)
    clock.now += 180
    status = training.status()
    assert ("unknown", True, 1) == (status.processes[0].state, status.is_worked_on, status.n_running)
    assert "Perhaps process 5 of node7 works on it" in shown(status)
    assert "last sign of life 3 min ago" in " ".join(shown(status).split())


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        ("ended", "", "the last one to work on it ended 2 min ago"),
        ("interrupted", "", "was interrupted 2 min ago"),
        ("gave_up", "no space left", "gave up 2 min ago: no space left"),
    ],
)
def test_an_end_is_said_as_it_was(tmp_path: Path, clock: Clock, kind: str, message: str, said: str) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.log.write(kind, **({"message": message} if message else {}))
    clock.now += 120
    assert said in " ".join(shown(training.status()).split())
    assert "To go on:" in shown(training.status())


def test_two_processes_are_both_shown_with_their_seeds(tmp_path: Path, clock: Clock) -> None:
    specs = [spec(seed) for seed in range(4)]
    one = Training(tmp_path, clock, specs)
    other = Training(tmp_path, clock, specs)
    one.start(specs[0])
    other.start(specs[1])
    status = one.status()
    assert (2, 2) == (len(status.processes), status.n_running)


def test_what_a_process_waits_for_is_said_until_it_goes_on(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.log.notify(RunEvent("waiting", spec(0), message="1 run is being trained by another process"))
    assert "It waits: 1 run is being trained by another process." in " ".join(shown(training.status()).split())
    training.start(spec(0))
    assert "It waits" not in shown(training.status())


# ---------------------------------------------------------------- time left


def test_before_a_run_has_finished_there_is_no_estimate(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0), spec(1)])
    training.start(spec(0))
    assert training.status().left is None
    assert "no estimate yet" in shown(training.status())


def test_what_is_missing_takes_as_long_as_what_has_finished(tmp_path: Path, clock: Clock) -> None:
    """Ten runs of 60 s, two at a time: after two, eight are left, in four rounds."""
    specs = [spec(seed) for seed in range(10)]
    training = Training(tmp_path, clock, specs)
    training.start(specs[0], specs[1])
    training.finish(specs[0], seconds=60)
    training.finish(specs[1])
    training.start(specs[2], specs[3])
    left = training.status().left
    assert left is not None
    assert (240, 2, 2, False) == (left.seconds, left.n_finished, left.at_once, left.is_rough)
    clock.now += 30
    training.log.notify(RunEvent("progress", specs[2], 100))  # of 200: half of it
    assert "about 4 min" in shown(training.status())
    half = training.status().left
    assert half is not None
    assert 225 == half.seconds


def test_an_agent_without_a_finished_run_is_judged_by_steps_and_the_estimate_called_rough(
    tmp_path: Path, clock: Clock
) -> None:
    one, other = spec(0), spec(0, agent="long", timesteps=2000)
    training = Training(tmp_path, clock, [one, other])
    training.start(one)
    training.finish(one, seconds=60)
    training.start(other)
    left = training.status().left
    assert left is not None
    assert (600, True) == (left.seconds, left.is_rough)


def test_where_nobody_works_nothing_is_estimated(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0), spec(1)])
    training.start(spec(0))
    training.finish(spec(0), seconds=60)
    training.log.write("interrupted")
    assert training.status().left is None
    assert "Time left" not in shown(training.status())


def test_clocks_that_jump_give_no_negative_times(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.start(spec(0))
    clock.now -= 1e5
    status = training.status()
    assert (0, 0) == (status.running[0].seconds, status.processes[0].seconds_since_sign)


# ---------------------------------------------------------------- how it looks


@pytest.mark.parametrize("width", [60, 80, 100])
def test_many_agents_with_long_names_fit_the_width(tmp_path: Path, clock: Clock, width: int) -> None:
    specs = [
        spec(seed, agent=f"an agent with a very long label that says all about it, number {i}", params={"of": i})
        for i in range(30) for seed in range(2)
    ]  # fmt: skip
    training = Training(tmp_path, clock, specs)
    training.start(*specs[:25])
    for one in specs[:4]:
        training.finish(one)
    training.fail(specs[5], "ValueError: " + "a long reason " * 50)
    training.log.notify(RunEvent("retried", specs[6], message="the worker process was killed by signal 9"))
    pair = PairLook("a", "b", "t", 5, 5, 1.0, 0.5, 1.5, 0.034, None, None, LookState.A_BETTER)
    training.log.look(Look(1, (pair,)))
    text = shown(training.status(), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    flat = " ".join(text.split())
    assert "... and 10 more; `--json` has them all." in flat
    assert "(try 2)" in flat
    assert "Look 1: a is better than b (p = 0.034)." in flat


def test_labels_cannot_paint_the_terminal(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0, agent="\x1b[31m[bold]red")])
    training.start(spec(0, agent="\x1b[31m[bold]red"))
    assert "?[31m[bold]red" in shown(training.status())


# ---------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["status", *map(str, arguments)])


def test_no_results_folder_is_one_message(tmp_path: Path) -> None:
    done = run(tmp_path / "none")
    assert 2 == done.exit_code
    assert "no results folder" in done.stderr
    assert 2 == run(tmp_path).exit_code


def test_a_config_stands_for_its_results(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(SLOW)
    assert "results/slow: no results folder" in run("x.yaml").stderr
    training = Training(Path("results/slow"), clock, [spec(0)])
    training.store.write_text("config.yaml", SLOW)
    assert "results/slow: 0 of 1 runs done" in run("x.yaml").stdout
    assert "results/slow: 0 of 1 runs done" in run("results/slow/config.yaml").stdout


def test_json_holds_everything(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0), spec(1)])
    training.start(spec(0))
    training.log.look({"number": 1, "pairs": []})
    found = json.loads(run(tmp_path, "--json").stdout)
    assert ("rlaudit.status/1", False, True, 2, 1) == tuple(
        found[name] for name in ("schema", "is_complete", "is_worked_on", "planned", "n_running")
    )
    assert [{"number": 1, "pairs": []}] == found["looks"]
    assert os.getpid() == found["processes"][0]["pid"]
    assert platform.node() == found["running"][0]["host"]


def test_following_ends_when_nobody_works_on_it_and_says_a_line_for_each_change(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, [spec(0)])
    training.finish(spec(0))
    training.log.write("ended")
    assert f"{status_line(training.status())}\n" == run(tmp_path, "--follow").stdout
    assert 1 == len(run(tmp_path, "--follow", "--json").stdout.splitlines())


def test_ten_thousand_runs_are_told_in_two_seconds_and_without_heavy_libraries(tmp_path: Path, clock: Clock) -> None:
    specs = [spec(seed, agent=agent, params={"of": agent}) for agent in "abcde" for seed in range(2000)]
    training = Training(tmp_path, clock, specs)
    for one in specs[:9000]:
        training.start(one)
        (tmp_path / "runs" / f"x__seed{one.seed}__{one.run_id}").mkdir(parents=True)
        training.log.notify(RunEvent("finished", one))
    heavy = "{'torch', 'scipy', 'pandas', 'matplotlib', 'pydantic', 'gymnasium'}"
    code = (
        "import sys, time\nfrom rlaudit.cli import main\n"
        f"try:\n    main(['status', {str(tmp_path)!r}])\n"
        f"except SystemExit:\n    sys.exit(str(time.process_time()) + ' ' + str({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    seconds, loaded = done.stderr.split(maxsplit=1)
    assert "9,000 of 10,000 runs done" in " ".join(done.stdout.split())
    assert "set()" == loaded.strip()
    assert float(seconds) < 5  # measured: 0.54 s of CPU


# ---------------------------------------------------------------- real training


def ask(folder: Path) -> dict[str, Any]:
    """From a process of its own, as from another terminal."""
    command = [sys.executable, "-m", "rlaudit", "status", "results/slow", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ask_until(folder: Path, wanted: Any, seconds: float = 120.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while not (folder / "results" / "slow" / EVENTS).exists() or not wanted(found := ask(folder)):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


def started(folder: Path) -> subprocess.Popen[str]:
    (folder / "slow.yaml").write_text(SLOW)
    return subprocess.Popen(
        [sys.executable, "-m", "rlaudit", "train", "slow.yaml", "--workers", "2"],
        cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_training_is_watched_from_outside_and_its_end_is_told(tmp_path: Path, signal_number: signal.Signals) -> None:
    training = started(tmp_path)
    try:
        found = ask_until(tmp_path, lambda found: found["done"] == 2 and len(found["running"]) == 2)
        assert (4, 0, 0) == (found["planned"], found["failed"], found["to_come"])
        assert ["ppo", "ppo"] == [seed["agent"] for seed in found["running"]]
        assert [("working", training.pid)] == [(one["state"], one["pid"]) for one in found["processes"]]
        assert found["left"]["is_rough"]
        found = ask_until(tmp_path, lambda found: any(seed["steps"] for seed in found["running"]))
    finally:
        os.killpg(training.pid, signal_number)
        training.communicate(timeout=30)
    found = ask(tmp_path)
    expected = "killed" if signal_number == signal.SIGKILL else "interrupted"
    assert [expected] == [one["state"] for one in found["processes"]]
    assert (2, 0, 2) == (found["done"], found["n_running"], found["to_come"])
    said = subprocess.run(
        [sys.executable, "-m", "rlaudit", "status", "results/slow"], cwd=tmp_path, capture_output=True, text=True
    ).stdout
    assert said.endswith("To go on:\n    rlaudit train slow.yaml --workers 2\n")
