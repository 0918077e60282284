"""Many agents in order, on one task and over many: how sure is the first place?"""

from collections.abc import Mapping, Sequence

from rlaudit.leaderboard.one_task import board_of
from rlaudit.leaderboard.over_tasks import board_over
from rlaudit.results import Leaderboard, PairAudit
from rlaudit.types import ScoreTable

__all__ = ["leaderboards"]


def leaderboards(
    table: ScoreTable,
    pairs: Sequence[PairAudit],
    *,
    normalise: Mapping[str, tuple[float, float]],
    alpha: float,
    n_draws: int,
    seed: int,
    correction: str = "holm",
) -> tuple[Leaderboard, ...]:
    """One for all tasks together where there are several, then one a task, those of most agents first.

    Empty without two agents on a task. `correction` is that of the pairs' adjusted p-values.
    """
    together = board_over(table, normalise, alpha=alpha, n_draws=n_draws, seed=seed)
    boards = [
        board_of(table, task, pairs, alpha=alpha, n_draws=n_draws, seed=seed, correction=correction)
        for task in table.tasks
    ]
    found = sorted((board for board in boards if board), key=lambda board: -len(board.agents))
    return (*([together] if together else []), *found)
