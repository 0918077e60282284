"""Running a program: its output read as it comes and kept within bounds, its end certain whatever happens to us."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from rlaudit.backends import command_launcher

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
LAST_LINES = 20
MAX_LINE = 2**16  # bytes; what is longer is cut, and no number is read from it
SHOWN_LINE = 200  # characters of a line that are shown
_CHUNK = 2**16
_LOOK = 0.5  # seconds of silence after which one looks whether the launcher is still there
_PATIENCE = command_launcher.GRACE + 3  # seconds until a launcher that should have ended is killed

OnLine = Callable[[str], None]


class Ended(NamedTuple):
    """How a program ended."""

    code: int  # exit code, or -n where signal n killed it
    seconds: float  # CPU, its descendants' included
    last_lines: tuple[str, ...]  # of both outputs, as they came

    def how(self) -> str:
        """In words, with the last thing that it said."""
        said = f": {self.last_lines[-1]}" if self.last_lines else ", without a word"
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"the program was killed by {signal.Signals(-self.code).name}{said}"
        return f"the program ended with exit code {self.code}{said}"


def run(
    command: Sequence[str], scratch: Path, out: Path, environment: Mapping[str, str], on_line: OnLine | None
) -> Ended:
    """Runs `command` in the folder `out` until it ends; `on_line` gets each line of its standard output.

    Standard error is not mixed in: a warning in the middle of a line would tear a number. An exception here, SIGTERM
    included (an executor's timeout), ends the program; its last lines then go to our own standard error.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", command_launcher.__file__, str(scratch), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=out,
        env=dict(environment),
        start_new_session=True,  # Ctrl-C in the terminal is for us
    )
    last: deque[str] = deque(maxlen=LAST_LINES)
    try:
        with _terminable():
            _read(process, on_line, last)
            _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        sys.stderr.write("".join(f"{line}\n" for line in last))
        sys.stderr.flush()
        _end(process)
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            _open(stream).close()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, usage.ru_utime + usage.ru_stime, tuple(last))


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM as an exception, so that what is under way is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("terminated"))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Breaks the lifeline: the launcher does the rest."""
    _open(process.stdin).close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _open(stream: "IO[bytes] | None") -> "IO[bytes]":
    assert stream is not None  # all three are pipes
    return stream


# ---------------------------------------------------------------- output


def _read(process: "subprocess.Popen[bytes]", on_line: OnLine | None, last: "deque[str]") -> None:
    """Until both outputs are closed, which the launcher sees to when the program has ended; or the launcher is gone."""
    with selectors.DefaultSelector() as selector:
        selector.register(_open(process.stdout), selectors.EVENT_READ, _Splitter(on_line, last))
        selector.register(_open(process.stderr), selectors.EVENT_READ, _Splitter(None, last))
        while selector.get_map():
            ready = selector.select(timeout=_LOOK)
            if not ready and _has_ended(process.pid):  # killed: orphans of the program may hold the outputs open
                return
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                key.data.feed(chunk or b"\n")  # the end of the output ends its last line
                if not chunk:
                    selector.unregister(key.fileobj)


def _has_ended(pid: int) -> bool:
    """Without reaping it, where the system can tell."""
    return hasattr(os, "waitid") and bool(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG))


@dataclass
class _Splitter:
    """Chunks into lines; a carriage return ends one as well, so that progress bars are lines."""

    on_line: OnLine | None
    last: "deque[str]"
    rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        *lines, rest = (self.rest + chunk.replace(b"\r", b"\n")).split(b"\n")
        self.rest = rest[: MAX_LINE + 1]
        self.last.extend(_shown(line) for line in lines[-2 * LAST_LINES :] if line.strip())
        if self.on_line is None:
            return
        for line in lines:
            if len(line) <= MAX_LINE:
                self.on_line(line.decode(errors="replace"))


def _shown(line: bytes) -> str:
    text = line[: 4 * SHOWN_LINE].decode(errors="replace").rstrip()
    printable = "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
    return printable if len(printable) <= SHOWN_LINE else printable[: SHOWN_LINE - 3] + "..."
