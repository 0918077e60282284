"""Many agents in order, on one task and over many: how sure is the first place?"""

from collections.abc import Mapping, Sequence

from rlaudit.results import Leaderboard, PairAudit
from rlaudit.types import ScoreTable


def leaderboards(
    table: ScoreTable,
    pairs: Sequence[PairAudit],
    *,
    normalise: Mapping[str, tuple[float, float]],
    alpha: float,
    n_draws: int,
    seed: int,
) -> tuple[Leaderboard, ...]:
    """One for all tasks together where there are several, then one a task; empty below three agents on one task."""
    return ()
