"""The log of what happened: a line a write, never glued, never fatal, and a reader that takes what it can."""

import json
import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import spec
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit import events
from rlaudit.events import EVENTS, Log, Reader, logged
from rlaudit.history import History
from rlaudit.results.sequential import Look, LookState, PairLook
from rlaudit.status import status_of
from rlaudit.store import Store
from rlaudit.terminal import StatusView, console
from rlaudit.types import RunEvent

KINDS = (
    "began", "planned", "started", "progress", "retried", "finished", "failed", "look", "ended", "gave_up",
    "interrupted", "waiting",
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / EVENTS


def lines(path: Path) -> list[dict[str, Any]]:
    """Two writers may leave an empty one between them."""
    return [json.loads(line) for line in path.read_bytes().splitlines() if line]


def kinds(path: Path) -> list[str]:
    return [line["kind"] for line in lines(path)]


# ---------------------------------------------------------------- writing


def test_a_run_is_told_from_its_start_to_its_end(path: Path) -> None:
    log = Log(path)
    log.plan([spec(0), spec(1)], n_missing=2)
    log.notify(RunEvent("planned", spec(0)))
    log.notify(RunEvent("started", spec(0)))
    log.notify(RunEvent("retried", spec(0), message="killed by signal 9"))
    log.notify(RunEvent("failed", spec(0), message="ValueError: broken"))
    log.notify(RunEvent("started", spec(1)))
    log.notify(RunEvent("finished", spec(1), 200))
    assert ["began", "planned", "started", "retried", "failed", "started", "finished"] == kinds(path)
    failed, finished = lines(path)[4], lines(path)[6]
    assert ("ValueError: broken", 2) == (failed["message"], failed["tries"])
    assert (spec(1).run_id, "a2c", "CartPole-v1", 1, 1) == tuple(
        finished[name] for name in ("run", "agent", "task", "seed", "tries")
    )
    assert 0 <= finished["seconds"] < 60


def test_every_line_has_a_format_a_time_and_its_process(path: Path) -> None:
    one, other = Log(path), Log(path)
    one.write("ended")
    other.write("ended")
    assert {events.FORMAT} == {line["v"] for line in lines(path)}
    assert all(line["time"].endswith("Z") for line in lines(path))
    assert [one.session] * 2 + [other.session] * 2 == [line["session"] for line in lines(path)]


def test_a_kind_that_nobody_knows_yet_is_written_with_its_message(path: Path) -> None:
    Log(path).notify(RunEvent("paused", spec(0), message="process 12 trains it"))  # type: ignore[arg-type]
    assert ("paused", "process 12 trains it", "a2c") == tuple(
        lines(path)[-1][name] for name in ("kind", "message", "agent")
    )


def test_progress_is_thinned_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of two runs that report four times a second."""
    clock = iter(range(10**9))
    monkeypatch.setattr("rlaudit.events.time.monotonic", lambda: next(clock) / 8)
    log = Log(path)
    for run in (spec(0), spec(1)):
        log.notify(RunEvent("started", run))
    for step in range(4 * 3600):  # an hour, and then the size of a day
        for run in (spec(0), spec(1)):
            log.notify(RunEvent("progress", run, step))
    assert 2 * 3600 / 21 < kinds(path).count("progress") <= 2 * 3600 / 20
    assert 24 * path.stat().st_size < 2 * 0.55e6


def test_many_runs_at_once_share_a_line_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("rlaudit.events.time.monotonic", lambda: now)
    log, runs = Log(path), [spec(seed) for seed in range(100)]
    for run in runs:
        log.notify(RunEvent("started", run))
    for second in range(6, 306):
        now = float(second)
        for run in runs:
            log.notify(RunEvent("progress", run, second))
    assert 300 == kinds(path).count("progress")


def test_looks_are_kept_field_by_field_and_without_nan(path: Path) -> None:
    pair = PairLook("a", "b", "t", 5, 5, math.nan, None, np.inf, 0.25, None, None, LookState.OPEN)
    Log(path).look(Look(2, (pair,)))
    look = lines(path)[-1]["look"]
    assert (2, "open", None, None, 0.25) == (
        look["number"], *(look["pairs"][0][name] for name in ("state", "effect", "high", "p_value"))
    )  # fmt: skip


def test_anything_can_be_said(path: Path) -> None:
    odd = {"a": np.float64(2.5), "b": np.arange(2), 3: {1}, "d": "\ud800\n", "e": Path("x"), "f": "y" * 10_000}
    Log(path).write("odd", what=odd)
    what = lines(path)[-1]["what"]
    assert (2.5, [0, 1], "{1}", "\ud800\n", "x") == tuple(what[key] for key in ("a", "b", "3", "d", "e"))
    assert len(what["f"]) < 1000


@pytest.mark.parametrize(
    ("error", "end"),
    [(None, "ended"), (KeyboardInterrupt, "interrupted"), (ValueError, "gave_up"), (SystemExit, "gave_up")],
)
def test_the_end_of_a_process_is_written_whatever_it_is(
    path: Path, error: type[BaseException] | None, end: str
) -> None:
    with pytest.raises(error) if error else logged(path.parent / "other", {}), logged(path.parent, {}) as log:  # type: ignore[attr-defined]
        log.write("look")
        if error:
            raise error("the disk")
    assert ["began", "look", end] == kinds(path)
    if end == "gave_up":
        assert "the disk" == lines(path)[-1]["message"]


def test_where_nothing_happens_nothing_is_written(path: Path) -> None:
    with logged(path.parent, {}):
        pass
    assert not path.exists()


# ---------------------------------------------------------------- trouble


def test_a_torn_line_is_never_glued_to_the_next(path: Path) -> None:
    Log(path).write("ended")
    whole = path.read_bytes()
    for n in range(1, 40):
        path.write_bytes(whole + whole[:n])
        Log(path).write("ended")
        reader = Reader(path)
        assert 4 == len(list(reader.more()))
        assert 1 == reader.n_unreadable


def test_two_processes_write_one_log(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from rlaudit.events import Log\n"
        "log = Log(Path(sys.argv[1]))\n"
        "for i in range(500): log.write('look', look={'number': i, 'text': 'x' * (i % 400)})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]
    assert [0, 0, 0] == [writer.wait() for writer in writers]
    found = lines(path)  # every line is whole
    assert 3 * 501 == len(found)
    for session in {line["session"] for line in found}:
        mine = [line["look"]["number"] for line in found if line["session"] == session and line["kind"] == "look"]
        assert list(range(500)) == mine


@pytest.mark.parametrize("place", ["a folder", "in a file", "full disk"])
def test_a_log_that_cannot_be_written_is_said_once_and_costs_nothing(
    path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    if place == "a folder":
        path.mkdir()
    elif place == "in a file":
        path.write_text("")
        path = path / EVENTS
    else:
        path = Path("/dev/full")
        if not path.exists():
            pytest.skip("no /dev/full here")
    log = Log(path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            log.notify(RunEvent("started", spec(0)))
    assert 1 == len(caplog.records)
    assert "cannot be written" in caplog.text
    assert "Training goes on" in caplog.text


def test_after_a_full_disk_it_goes_on_where_it_can(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = Log(path), os.write
    log.write("look")
    monkeypatch.setattr("rlaudit.events.os.write", lambda handle, line: write(handle, line[: len(line) // 2]))
    log.write("look")
    monkeypatch.undo()
    log.write("ended")
    reader = Reader(path)
    assert ["began", "look", "ended"] == [event["kind"] for event in reader.more()]
    assert 1 == reader.n_unreadable


def test_a_reader_that_looks_while_somebody_writes_sees_whole_lines_only(path: Path) -> None:
    log, seen, stop = Log(path), [], threading.Event()

    def write() -> None:
        for number in range(300):
            log.write("look", look={"number": number})
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    reader = Reader(path)
    while not stop.is_set():
        seen += [event["look"]["number"] for event in reader.more() if event["kind"] == "look"]
    writer.join()
    seen += [event["look"]["number"] for event in reader.more() if event["kind"] == "look"]
    assert list(range(300)) == seen
    assert 0 == reader.n_unreadable


# ---------------------------------------------------------------- reading


def test_a_log_that_is_not_there_says_nothing(path: Path) -> None:
    assert [] == list(Reader(path).more())


def test_a_log_that_was_begun_anew_is_read_from_its_start(path: Path) -> None:
    reader = Reader(path)
    Log(path).write("look", look={"number": 1, "text": "x" * 400})
    assert 2 == len(list(reader.more()))
    path.unlink()
    Log(path).write("ended")
    assert ["began", "ended"] == [event["kind"] for event in reader.more()]


def drawn(path: Path) -> str:
    """Everything that `rlaudit status` does with a log."""
    reader, history = Reader(path), History()
    for event in reader.more():
        history.tell(event)
    status = status_of(history, Store(path.parent), 1e9, reader.n_unreadable)
    out = console(sys.stderr)
    with out.capture() as capture:
        out.print(StatusView(status))
    return capture.get()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_behind_a_log_raise(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    path = tmp_path_factory.mktemp("log") / EVENTS
    log = Log(path)
    log.plan([spec(0)], 1)
    log.notify(RunEvent("started", spec(0)))
    with path.open("ab") as file:
        file.write(tail)
    log.notify(RunEvent("failed", spec(0), message="ValueError: broken"))
    reader = Reader(path)
    assert {"began", "planned", "started", "failed"} <= {event["kind"] for event in reader.more()}
    assert "0 of 1 runs done" in drawn(path)


names = ("v", "time", "session", "run", "agent", "task", "seed", "timesteps", "steps", "seconds", "tries", "message",
         "pid", "birth", "host", "command", "cwd", "arms", "look", "number", "pairs", "state",
         "p_value", "e_value")  # fmt: skip
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["2026-11-28T10:03:42.123Z", "0001-01-01T00:00:00+23:59", "r", "s", "open"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
    max_leaves=8,
)
odd_lines = st.dictionaries(st.sampled_from(names), anything, max_size=8)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(KINDS), odd_lines), max_size=12))
def test_no_line_of_any_kind_raises_whatever_its_fields_hold(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, dict[str, Any]]]
) -> None:
    path = tmp_path_factory.mktemp("log") / EVENTS
    path.write_text("".join(json.dumps({**fields, "kind": kind}) + "\n" for kind, fields in told))
    assert drawn(path)


def nested(depth: int) -> Iterator[str]:
    yield "[" * depth
    yield '{"kind":' * depth
    yield '{"kind": "look", "look": ' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize("line", [*nested(100_000), "1" * 10_000, '"\\ud800"', "null", "{}", '{"kind": 1}'], ids=len)
def test_a_line_that_is_no_event_is_counted(path: Path, line: str) -> None:
    path.write_text(f"{line}\n")
    Log(path).write("ended")
    reader = Reader(path)
    assert 2 == len(list(reader.more()))
    assert 1 == reader.n_unreadable
    assert "One line is left out of the log" in drawn(path)
