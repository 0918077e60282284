"""Files and folders of strangers: opened with care, walked with a bound, errors in words."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from rlaudit.errors import ImportFormatError, did_you_mean

MAX_FILES = 200_000  # that a walk looks at; a home folder is not meant
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
    """Every file below `folder`, sorted, hidden ones and links to folders left out.

    Raises ImportFormatError beyond MAX_FILES.
    """
    n_files = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        n_files += len(names)
        if n_files > MAX_FILES:
            raise ImportFormatError(f"{folder} holds more than {MAX_FILES:,} files. Name the folder of the runs.")
        yield from (Path(at, name) for name in sorted(names) if not name.startswith("."))


def first_file(path: Path, *endings: str) -> Path | None:
    """`path` itself where it is a file, else the first file below that ends so; None where there is none."""
    if not path.is_dir():
        return path if path.is_file() and path.name.endswith(endings) else None
    try:
        return next((file for file in walk(path) if file.name.endswith(endings)), None)
    except (OSError, ImportFormatError):
        return None
