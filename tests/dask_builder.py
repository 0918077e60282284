"""A Dask cluster on the loopback, started by Dask's own command line; all of it ends with the block."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

TESTS = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def dask(
    *arguments: str, folder: Path, environment: Mapping[str, str] = ENVIRONMENT
) -> Iterator[subprocess.Popen[bytes]]:
    """`dask scheduler ...` or `dask worker ...`, in a process group of its own."""
    command = [str(Path(sys.executable).with_name("dask")), *arguments]
    with (folder / f"{arguments[0]}-{free_port()}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def scheduler(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--dashboard-address", "127.0.0.1:0"]
    with dask("scheduler", *arguments, folder=folder) as process:
        for _ in range(600):
            with closing(socket.socket()) as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process


def worker(port: int, folder: Path, *arguments: str) -> "contextmanager[subprocess.Popen[bytes]]":  # type: ignore[valid-type]
    return dask("worker", f"tcp://127.0.0.1:{port}", "--no-dashboard", *arguments, folder=folder)  # type: ignore[return-value]
