"""What a process and its descendants hold in memory, from Linux's /proc.

Resident memory counts: a limit of the address space (RLIMIT_AS) would count what torch reserves and never touches.
Pages that several processes share count in parts (PSS): a forked worker shows 240 MB of resident memory, of which 80
are its own. PSS takes 30 ms to read, so it is looked up only where plain resident memory is over the limit.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

CAN_TELL = sys.platform == "linux"
_PAGE = os.sysconf("SC_PAGE_SIZE") if CAN_TELL else 0
_UNITS = {"GB": 10**9, "MB": 10**6, "KB": 10**3}


def started(pid: int) -> str:
    """When a process was started: with its number the identity of a process; empty where there is none."""
    return fields[19] if len(fields := _stat(pid)) > 19 else ""


def held(pid: int, limit: int) -> int:
    """Bytes that a process and its descendants hold; up to `limit` an upper bound is enough, above it is exact."""
    family = list(_family(pid))
    bound = sum(map(_resident, family))
    return bound if bound <= limit else sum(map(_proportional, family))


def in_words(n_bytes: int) -> str:
    """`2.1 GB`."""
    unit = next((unit for unit, size in _UNITS.items() if n_bytes >= size), "")
    return f"{n_bytes / _UNITS[unit]:.3g} {unit}" if unit else f"{n_bytes} bytes"


def _family(pid: int) -> Iterator[int]:
    children, todo = _children(int(time.monotonic())), [pid]
    while todo:
        yield (one := todo.pop())
        todo += children.get(one, [])


@lru_cache(maxsize=1)
def _children(second: int) -> dict[int, list[int]]:
    """Of all processes. Looked up once a second for all runs: it takes 15 ms where there are a hundred processes."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - what is wanted are names
        if name.isdecimal() and (fields := _stat(int(name))):
            children.setdefault(int(fields[1]), []).append(int(name))
    return children


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything: state, parent, ...; none where it is gone."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _proportional(pid: int) -> int:
    """Plain resident memory where the system does not tell."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


def _read(path: str) -> str:
    """Nothing where the process is gone, or is somebody else's."""
    with suppress(OSError), open(path, errors="replace") as file:  # noqa: PTH123 - of all processes
        return file.read()
    return ""
