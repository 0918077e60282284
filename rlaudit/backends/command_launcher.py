"""Runs one program and sees to its end: `python -I -S command_launcher.py SCRATCH PROGRAM ARGUMENT...`.

It stands between rlaudit and the program so that nothing survives: standard input is a lifeline, and when it breaks,
because a run is over its time or because rlaudit was killed (kill -9 included), the program's whole process group gets
SIGTERM, then SIGKILL, and SCRATCH is removed. What a program leaves running when it ends is killed as well. On Linux
that reaches processes that went into a session of their own (they are adopted: PR_SET_CHILD_SUBREAPER), and the
program dies with this launcher, should somebody kill that. The launcher ends as the program ended, by the same exit
code or signal. It is a script of its own, without imports from rlaudit: it costs 0.05 s of CPU.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main(scratch: str, command: list[str]) -> int:
    """Exit code for the caller; 127 where the program cannot be started."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127
    broken = threading.Event()
    threading.Thread(target=_watch_lifeline, args=(program.pid, broken), daemon=True).start()
    _await_end(program.pid)
    _signal_group(program.pid, signal.SIGKILL)  # not reaped yet, so that the number still means this group
    code = program.wait()
    _kill_adopted()
    if broken.is_set():  # nobody is left who would read results
        shutil.rmtree(scratch, ignore_errors=True)
    return code


def _watch_lifeline(group: int, broken: threading.Event) -> None:
    os.read(0, 1)  # nobody ever writes: this returns when the other end is closed
    broken.set()
    _signal_group(group, signal.SIGTERM)
    time.sleep(GRACE)
    _signal_group(group, signal.SIGKILL)


def _await_end(pid: int) -> None:
    """Waits without reaping, where the system can."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_adopted() -> None:
    """Orphans of the program become children of this process; killing one may bring others."""
    while orphans := _children():
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Of this process; none where there is no /proc."""
    if sys.platform != "linux":
        return []
    return [
        int(entry.name)
        for entry in os.scandir("/proc")
        if entry.name.isdecimal() and _parent(entry.path) == os.getpid()
    ]


def _parent(process: str) -> int:
    """0 where it is gone."""
    try:
        with open(f"{process}/stat", errors="replace") as stat:  # noqa: PTH123 - pathlib takes 10 ms to import
            return int(stat.read().rpartition(")")[2].split()[1])  # behind a name that may hold anything
    except OSError:
        return 0


def die_with_parent() -> None:
    """From now on this process is killed when its parent ends, where the system can do that."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _end_like(code: int) -> None:
    """By the same signal, without a second core dump; else by the exit code."""
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
    os._exit(code & 255)


if __name__ == "__main__":
    _end_like(main(sys.argv[1], sys.argv[2:]))
