"""Faults of the command itself. Python imports this at its start, in the command and in all that it starts.

`$RLAUDIT_FAULT` is "KIND AT FOLDER": what happens when the command touches something in the results folder for the
AT-th time (opens, renames, makes or removes it). The moment is a count, so that a busy machine is hit there as well.
"""

import errno
import os
import pathlib
import random
import signal
import sys
import time
from typing import Any

TOUCHES = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.truncate")
_real, _offset, _hours = time.time, 0.0, random.Random(7)


def jump() -> None:
    """The wall clock of this process, up to two days back or forth."""
    global _offset
    _offset = 3600.0 * _hours.uniform(-48, 48)
    time.time = lambda: _real() + _offset
    time.time_ns = lambda: int(1e9 * (_real() + _offset))


def _refuse(event: str, args: Any, number: int) -> None:
    """As the system does: what needs space, or changes something, fails; the rest goes on."""
    writes = event == "os.mkdir" or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR))
    if writes or (number == errno.EROFS and event != "open"):
        raise OSError(number, os.strerror(number), str(args[0]))


def _truncate() -> None:
    """A disk that keeps half of a file and says nothing."""
    write = pathlib.Path.write_bytes
    pathlib.Path.write_bytes = lambda self, data: write(self, data[: len(data) // 2]) and len(data)  # type: ignore


def _watch(kind: str, at: int, folder: str) -> None:
    count = 0

    def hook(event: str, args: Any) -> None:
        nonlocal count
        if event not in TOUCHES or not args or not f"{args[0]}/".startswith(f"{folder}/"):
            return
        count += 1
        if count == at or (kind == "clock" and count % at == 0):
            with pathlib.Path(os.environ["RLAUDIT_FAULTS"], "injected").open("a") as file:
                file.write(f"{kind} {count}\n")
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif kind == "clock":
                jump()
            elif kind == "truncate":
                _truncate()
        if count >= at and kind in ("ENOSPC", "EROFS"):
            _refuse(event, args, getattr(errno, kind))

    sys.addaudithook(hook)


if "RLAUDIT_FAULT" in os.environ and sys.orig_argv[1:3] == ["-m", "rlaudit"]:
    _kind, _at, _folder = os.environ["RLAUDIT_FAULT"].split(" ", 2)
    _watch(_kind, int(_at), _folder)
