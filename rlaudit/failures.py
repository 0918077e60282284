"""Runs that failed, runs that never learned, and single seeds that a conclusion hangs on."""

from collections.abc import Sequence

from rlaudit.results import Carrier, FailureAudit, PairAudit
from rlaudit.types import ScoreTable


def audit_failures(table: ScoreTable) -> tuple[FailureAudit, ...]:
    """One for each agent and task."""
    return ()


def carriers(table: ScoreTable, pairs: Sequence[PairAudit], *, alpha: float, seed: int) -> tuple[Carrier, ...]:
    """The seed of each pair whose removal moves the comparison most."""
    return ()
