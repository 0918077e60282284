"""Files and folders of strangers: opened with care, walked with a bound, errors in words."""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean

MAX_FILES = 200_000  # that a walk looks at; a home folder is not meant
MAX_BYTES = 2**30  # unpacked, of the arrays of a file
GZIP = b"\x1f\x8b"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns the errors of opening and unpacking into ImportFormatError."""
    try:
        yield
    except FileNotFoundError:
        raise ImportFormatError(f"{path}: no such file.{near(path)}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFormatError(f"{path} cannot be read: {error}. Is it complete?") from None


def refuse_odd(path: Path) -> None:
    """Raises ImportFormatError for what is neither a file nor a folder: nothing at all, a pipe, a device."""
    with readable(path):
        mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ImportFormatError(f"{path} is neither a file nor a folder. Write what it gives into a file first.")


def near(path: Path) -> str:
    """The neighbour that was meant, if one is near."""
    siblings = [entry.name for entry in islice(path.parent.iterdir(), 1000)] if path.parent.is_dir() else []
    suggestion = did_you_mean(path.name, siblings)
    return suggestion if "Did you mean" in suggestion else ""


def head(path: Path, n_bytes: int = 4) -> bytes:
    """The first bytes; OSError where there is no such file."""
    with path.open("rb") as stream:
        return stream.read(n_bytes)


def walk(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, sorted, hidden ones, links to folders, pipes and devices left out.

    A link into nothing is there: a run must not vanish with it. Raises ImportFormatError beyond MAX_FILES.
    """
    n_files = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        n_files += len(names)
        if n_files > MAX_FILES:
            raise ImportFormatError(f"{folder} holds more than {MAX_FILES:,} files. Name the folder of the runs.")
        visible = (Path(at, name) for name in sorted(names) if not name.startswith("."))
        yield from (file for file in visible if not _is_endless(file))


def _is_endless(file: Path) -> bool:
    """Whether reading it may never end."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:  # whoever opens it says what is wrong with it
        return False


def first_file(path: Path, *endings: str) -> Path | None:
    """`path` itself where it is a file, else the first file below that ends so; None where there is none."""
    if not path.is_dir():
        return path if path.is_file() and path.name.endswith(endings) else None
    try:
        return next((file for file in walk(path) if file.name.endswith(endings)), None)
    except (OSError, ImportFormatError):
        return None


def load_arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    """The arrays of an .npz by their names, or the one of an .npy under ""; numbers, booleans and text only.

    Nothing is unpickled, and nothing larger than its header says or than MAX_BYTES is unpacked. Raises
    ImportFormatError.
    """
    with readable(path):
        if head(path) == b"\x93NUM":
            with path.open("rb") as stream:
                return {"": _array(path, stream, path.stat().st_size)}
        try:
            with zipfile.ZipFile(path) as archive:
                return _members(path, archive)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # encrypted, or packed in a new way
            raise ImportFormatError(f"{path}: found {_short(error)}, expected an .npz of NumPy.") from None


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    total = sum(member.file_size for member in archive.infolist())
    if total > MAX_BYTES:
        raise ImportFormatError(f"{path} unpacks to more than {MAX_BYTES / 2**30:g} GiB.")
    arrays = {}
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            with archive.open(member) as stream:
                arrays[member.filename.removesuffix(".npy")] = _array(path, stream, member.file_size)
    if not arrays:
        raise ImportFormatError(f"{path}: a zip archive without arrays, expected an .npz of NumPy.")
    return arrays


def _array(path: Path, stream: IO[bytes], size: int) -> NDArray[Any]:
    """The header is checked before its shape is believed."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        shape, fortran, dtype = readers[np.lib.format.read_magic(stream)](stream, max_header_size=10_000)
        if dtype.kind not in "biufUS":
            raise ImportFormatError(f"{path}: found an array of {dtype}, expected numbers; pickles are not read.")
        if min(shape, default=0) < 0 or prod(shape) * max(dtype.itemsize, 1) > size:
            raise ImportFormatError(f"{path}: its header promises {shape} numbers, more than it holds. Is it complete?")
        flat = np.frombuffer(stream.read(prod(shape) * dtype.itemsize), dtype, prod(shape)) if dtype.itemsize else None
        array = np.zeros(shape, dtype) if flat is None else flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ImportFormatError(f"{path} cannot be read as a NumPy array: {_short(error)}. Is it complete?") from None
    return array


def _short(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 120 else text[:117] + "..."
