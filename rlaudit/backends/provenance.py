"""What the bits of a run depend on beside its spec: versions, files, the processor."""

import hashlib
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

MAX_BYTES = 2**26  # of a file that is hashed; beyond it is data, not a program


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Of Python and of packages, by the names under which they are imported."""
    return {"python": platform.python_version(), **{package: _version(package) for package in dict.fromkeys(packages)}}


def machine() -> dict[str, str]:
    """Where it ran."""
    return {"platform": platform.platform(), "cpu": _cpu(), "host": platform.node()}


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """`sha256 of ppo.py` -> 64 hex digits; files that are too large, or gone, are left out."""
    found = {}
    for path in paths:
        try:
            if path.stat().st_size <= MAX_BYTES:
                found[f"sha256 of {path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue
    return found


def _version(package: str) -> str:
    try:
        return metadata.version(package.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return "not installed"  # run from its source


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
