"""Files and folders of strangers: opened with care, walked with a bound, errors in words."""

import gzip
import json
import os
import stat
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean

MAX_FILES = 200_000  # that a walk looks at; a home folder is not meant
MAX_BYTES = 2**30  # unpacked, of the arrays or the text of a file: some 25,000,000 rows
MAX_LINE = 2**20  # bytes; no honest row is longer, and a file without line ends must not fill the memory
MAX_JSON = 2**27  # bytes, unpacked: "[],[],..." takes 20 times its size in memory
_TRIED = 20  # files of a folder that a recogniser looks at
_START = 2**16  # bytes of a text that a recogniser looks at
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


def files_of(path: Path, fits: Callable[[Path], bool], *endings: str) -> list[Path]:
    """`path` itself where it is a file, else the files below that end so and that `fits` takes."""
    return [file for file in walk(path) if file.name.endswith(endings) and fits(file)] if path.is_dir() else [path]


def some_fit(path: Path, fits: Callable[[Path], bool], *endings: str) -> bool:
    """Whether `fits` takes `path`, or one of the first files below that end so; never raises."""
    try:
        if not path.is_dir():
            return fits(path)
        return any(map(fits, islice((file for file in walk(path) if file.name.endswith(endings)), _TRIED)))
    except (OSError, ImportFormatError):
        return False


# ---------------------------------------------------------------- text


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where it is gzipped, whatever it is called."""
    return cast(IO[bytes], gzip.open(path)) if head(path)[:2] == GZIP else path.open("rb")


def start(path: Path) -> str:
    """The first part of a text for a recogniser; "" for what is no text, or cannot be read."""
    try:
        with opened(path) as stream:
            first = stream.read(_START)
        return "" if b"\0" in first else first.decode("utf-8-sig", errors="ignore")
    except (OSError, EOFError, zlib.error):
        return ""


def text_lines(path: Path, stream: IO[bytes]) -> Iterator[str]:
    """Decoded one by one, so that a wrong byte has a line."""
    total = number = 0
    while raw := stream.readline(MAX_LINE):
        total, number = total + len(raw), number + 1
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            raise ImportFormatError(f"{path}:{number}: the line is longer than {MAX_LINE:,} bytes; is this a table?")
        if total > MAX_BYTES:
            raise ImportFormatError(
                f"{path} holds more than {MAX_BYTES / 2**30:g} GiB of text. Thin the curves, or drop columns."
            )
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            found = f"found the byte 0x{raw[error.start]:02x} at column {error.start + 1}, expected UTF-8"
            raise ImportFormatError(f"{path}:{number}: {found}. Save the file as UTF-8.") from None


def load_json(path: Path) -> Any:
    """What a JSON file holds, also gzipped; NaN and Infinity are read, a key that stands twice is refused.

    Raises ImportFormatError for what is no JSON, nested too deeply, or larger than MAX_JSON.
    """
    with readable(path), opened(path) as stream:
        raw = stream.read(MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise ImportFormatError(
            f"{path} holds more than {MAX_JSON / 2**20:g} MiB of JSON. Split it, or thin the curves."
        )
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise ImportFormatError(f"{place}: found no JSON here ({error.msg}). Is the file complete?") from None
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"{path}: found the byte 0x{raw[error.start]:02x}, expected JSON as UTF-8.") from None
    except _Twice as twice:
        raise ImportFormatError(
            f"{path}: the key {cut(repr(twice.args[0]))} stands twice in one object. Keep one."
        ) from None
    except (RecursionError, MemoryError, ValueError) as error:  # ValueError: a whole number of thousands of digits
        raise ImportFormatError(f"{path} cannot be read as JSON: {_short(error)}.") from None


class _Twice(Exception):
    """A key of which one value would be lost."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _Twice(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return content


def cut(text: str, length: int = 60) -> str:
    """A stranger's words, short."""
    return text if len(text) <= length else text[: length - 3] + "..."


# ---------------------------------------------------------------- arrays


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
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:  # or encrypted
            raise ImportFormatError(f"{path}: found {_short(error)}, expected an .npz of NumPy.") from None


def array_names(path: Path) -> list[str]:
    """The names of an npz's arrays; none for all else. Raises OSError."""
    if head(path) != b"PK\x03\x04":
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return []


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    total = sum(member.file_size for member in archive.infolist())
    if total > MAX_BYTES:
        raise ImportFormatError(f"{path} unpacks to more than {MAX_BYTES / 2**30:g} GiB.")
    arrays: dict[str, NDArray[Any]] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name in arrays:
            raise ImportFormatError(f"{path}: the array {cut(repr(name))} is there twice.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others have errors of their own
            raise NotImplementedError("a member that is packed in another way than NumPy's")
        if member.filename.endswith(".npy"):
            with archive.open(member) as stream:
                arrays[name] = _array(path, stream, member.file_size)
    if not arrays:
        raise ImportFormatError(f"{path}: a zip archive without arrays, expected an .npz of NumPy.")
    return arrays


def _array(path: Path, stream: IO[bytes], size: int) -> NDArray[Any]:
    """The header is checked before its shape is believed."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings(action="ignore"):  # that a header was written by Python 2
            shape, fortran, dtype = readers[np.lib.format.read_magic(stream)](stream, max_header_size=10_000)
        if dtype.kind not in "biufUS":
            raise ImportFormatError(f"{path}: found an array of {dtype}, expected numbers; pickles are not read.")
        if min(shape, default=0) < 0 or prod(shape) * max(dtype.itemsize, 1) > size:
            raise ImportFormatError(f"{path}: its header promises {shape} numbers, more than it holds. Is it complete?")
        if stream.tell() + prod(shape) * dtype.itemsize != size:
            raise ImportFormatError(f"{path}: its header promises {shape} numbers, and it holds others. Is it whole?")
        flat = np.frombuffer(stream.read(prod(shape) * dtype.itemsize), dtype, prod(shape)) if dtype.itemsize else None
        array = np.zeros(shape, dtype) if flat is None else flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, KeyError, SyntaxError, TokenError, TypeError, RecursionError, MemoryError) as error:
        raise ImportFormatError(f"{path} cannot be read as a NumPy array: {_short(error)}. Is it complete?") from None
    return array


def _short(error: BaseException) -> str:
    return cut(" ".join(f"{type(error).__name__}: {error}".split()), 120)
