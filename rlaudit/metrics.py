"""One pair by many metrics: does the conclusion depend on how a score is made of a learning curve?"""

from collections.abc import Sequence

from rlaudit.results import MetricView, PairAudit
from rlaudit.types import ScoreTable


def metric_views(table: ScoreTable, pairs: Sequence[PairAudit], *, alpha: float, seed: int) -> tuple[MetricView, ...]:
    """Every pair by every metric that its curves allow; empty without learning curves."""
    return ()
