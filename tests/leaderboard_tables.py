"""Tables of several agents, and their leaderboards."""

from collections.abc import Mapping, Sequence

import numpy as np

from rlaudit.leaderboard import leaderboards
from rlaudit.pairs import PairSettings, audit_pairs
from rlaudit.results import Leaderboard
from rlaudit.types import ArmScores, ScoreTable

Scores = Mapping[tuple[str, str], Sequence[float] | np.ndarray]


def table_of(scores: Scores, higher_is_better: bool = True) -> ScoreTable:
    arms = [ArmScores(agent, task, tuple(range(len(x))), np.asarray(x)) for (agent, task), x in scores.items()]
    return ScoreTable("final", tuple(arms), higher_is_better)


def normal(means: Sequence[float], n_tasks: int, n_seeds: int, seed: int = 0) -> Scores:
    rng = np.random.default_rng(seed)
    names = "abcdefghij"
    return {(names[k], f"task {t}"): rng.normal(m, 1, n_seeds) for k, m in enumerate(means) for t in range(n_tasks)}


def boards(
    table: ScoreTable,
    *,
    normalise: Mapping[str, tuple[float, float]] | None = None,
    n_draws: int = 500,
    correction: str = "holm",
    test: str = "welch",
) -> tuple[Leaderboard, ...]:
    asked = PairSettings((test,), 0.05, None, table.higher_is_better, n_draws=50, seed=0, correction=correction)
    pairs = audit_pairs(table, asked)
    return leaderboards(
        table, pairs, normalise=normalise or {}, alpha=0.05, n_draws=n_draws, seed=0, correction=correction
    )


def places(board: Leaderboard) -> dict[str, tuple[int, int, int]]:
    return {one.agent: (one.rank, one.rank_low, one.rank_high) for one in board.agents}
