"""wandb: not written yet."""

from pathlib import Path

from rlaudit.errors import ImportFormatError
from rlaudit.importers.nouns import Found, Hints


def read(path: Path, hints: Hints) -> Found:
    """Not written yet."""
    raise ImportFormatError(f"{path}: not written yet")


def fits(path: Path) -> bool:
    """Not written yet."""
    return False
