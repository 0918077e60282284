"""Conclusions that depend on how a score is made of a learning curve."""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def metric_choice(audit: Audit) -> Iterator[Finding]:
    """Pairs whose verdict changes with the metric."""
    yield from ()
