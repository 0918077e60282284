"""Habits of concluding that go wrong on these runs."""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def habits(audit: Audit) -> Iterator[Finding]:
    """Ways to conclude that find winners where there are none, or name the wrong one."""
    yield from ()
