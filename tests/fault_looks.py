"""What the fault bench sees of a results folder, of a command, and of its workers."""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from program_builder import is_alive

from rlaudit.events import EVENTS
from rlaudit.seeds import derive, run_seeds
from rlaudit.store import Store

PATIENCE = 3000  # seconds; twelve runs take ten on an idle machine


def finished(command: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code and what it said."""
    try:
        said, _ = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
    return command.returncode, said


def env_seed(seed: int) -> int:
    """Of the one environment in which a run is trained."""
    return derive(run_seeds(seed).env, "env", 0)


def names(store: Store) -> set[str]:
    return {path.name for path in (store.root / "runs").glob("*")}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def still_alive(faults: Path) -> list[int]:
    """Workers, ten seconds later."""
    pids = {int(line.split()[1]) for line in lines(faults / "starts")}
    end = time.monotonic() + 10
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.1)
    return alive


def content(store: Store) -> Mapping[str, object]:
    """Every file below a results folder, without times; the log of what happened is another one each time."""
    return {
        str(path.relative_to(store.root)): _without_times(path)
        for path in sorted(store.root.rglob("*"))
        if path.is_file() and path.name != EVENTS
    }


def _without_times(path: Path) -> object:
    if path.name == "meta.json":
        meta: dict[str, Any] = json.loads(path.read_text())
        del meta["seconds"], meta["sha256"]["monitor.csv"]
        return meta
    if path.name == "monitor.csv":
        return [line.rsplit(",", 1)[0] for line in lines(path)]
    return path.read_bytes()


def differences(expected: Mapping[str, object], actual: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*expected, *actual} if expected.get(name) != actual.get(name))


def left_behind(store: Store) -> list[str]:
    return [path.name for folder in ("tmp", "locks") for path in (store.root / folder).glob("*")]
