"""Files that last: written, synced, and read back, because a full disk can truncate a file without an error."""

import contextlib
import ctypes
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

_MANY = 100  # files from which on one call for all of them is quicker than one for each


def write_verified(files: Iterable[tuple[Path, bytes]]) -> None:
    """Writes files, all on one disk, and makes them and their names last; their directories are made where needed.

    Raises OSError, also where a file does not read back as it was written.
    """
    written: dict[Path, bytes] = {}
    directories: dict[Path, None] = {}
    for path, content in files:
        if path.parent not in directories:
            path.parent.mkdir(exist_ok=True)
            directories[path.parent] = None
        path.write_bytes(content)
        written[path] = hashlib.sha256(content).digest()
    sync(list(written))
    for path, digest in written.items():
        if hashlib.sha256(path.read_bytes()).digest() != digest:
            raise OSError(f"{path.name} does not read back as it was written")
    sync(list(directories))


def sync(paths: Sequence[Path]) -> None:
    """Makes files, or the names in directories, last.

    Many at once by Linux's syncfs, which reports what could not be written like fsync does: 40,000 calls of fsync took
    20 s on an idle machine and 100 s on a busy one, syncfs 2 s.
    """
    many = len(paths) >= _MANY and os.name == "posix"
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if many else None
    if syncfs is None:
        for path in paths:
            _fsync(path)
        return
    handle = os.open(paths[0], os.O_RDONLY)
    try:
        if syncfs(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(handle)


def _fsync(path: Path) -> None:
    """Of a file, or of a directory's names; without effect where a directory cannot be opened."""
    with contextlib.suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def only_process(path: Path) -> Iterator[None]:
    """Waits until no other process is inside. The system opens the lock of a process that died."""
    import fcntl

    make_directory(path.parent)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


class Lock(NamedTuple):
    """A lock that this process holds."""

    path: Path
    file: IO[bytes]

    def release(self) -> None:
        """Opens it, and removes its file while nobody else can have it."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.file.close()


def lock_at_once(path: Path) -> Lock | None:
    """The lock of a file that is made for it; None where another process holds it.

    The system opens the lock of a process that died. Where a file system (or the system) knows no locks, everybody gets
    one. Raises OSError where the file cannot be made.
    """
    while True:
        make_directory(path.parent)
        with contextlib.suppress(FileNotFoundError):  # the folder went away just now
            file = path.open("ab")
            if not _locked(file):
                file.close()
                return None
            if _is_still(file, path):
                return Lock(path, file)
            file.close()  # the one that held it before has removed it


def _locked(file: IO[bytes]) -> bool:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        pass
    return True


def _is_still(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def make_directory(path: Path) -> None:
    """With its parents; again where another process has just removed an empty one of them."""
    for _ in range(9):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            path.mkdir(parents=True, exist_ok=True)
            return
    path.mkdir(parents=True, exist_ok=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this machine still runs, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def birth(pid: int) -> int | None:
    """When a process started, in the system's own ticks: tells it from a later one of the same number.

    None where it has ended, and on systems that do not say.
    """
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if state == "Z" else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None
