"""Specs of programs, and how to see whether a process still lives."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builders import spec

from rlaudit.executors import run_serial
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

LINE: Mapping[str, Any] = {"pattern": "return={return}"}


def program(folder: Path, command: str, seed: int = 3, result: Mapping[str, Any] = LINE, **changes: Any) -> RunSpec:
    """A run of a command whose config stands in `folder`; blocks of its params are given by their names."""
    names = ("environment", "params", "labels")
    blocks = {"result": result, **{name: changes.pop(name) for name in names if name in changes}}
    fields: dict[str, Any] = {"agent": "mine", "env_id": "Grid-v0", "timesteps": 100, "evaluation": EvaluationPlan()}
    return spec(seed, **{**fields, **changes}, algo=command, backend="command", params=blocks, folder=str(folder))


def outcome(of: RunSpec) -> RunRecord:
    (record,) = run_serial([of])
    return record


def is_alive(pid: int) -> bool:
    """A zombie has ended: nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
