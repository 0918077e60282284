"""The order of the agents on one task, by their means and by the verdicts of the audit on every pair."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np

from rlaudit.aggregate import mean_interval
from rlaudit.comparisons import holm
from rlaudit.leaderboard.first_place import first_places, mean, sizes_up_to
from rlaudit.leaderboard.order import Standing, first_place, in_order, leaders, ranked
from rlaudit.results import FEW, Leaderboard, MatrixCell, PairAudit
from rlaudit.types import ArmScores, ScoreTable, Verdict

_FEWEST = 1000  # draws on a task among many: standard error of a share at most .016

Decided: TypeAlias = Mapping[frozenset[str], tuple[PairAudit, float | None]]  # the pair, and its adjusted p-value


def board_of(
    table: ScoreTable,
    task: str,
    pairs: Sequence[PairAudit],
    *,
    alpha: float,
    n_draws: int,
    seed: int,
    correction: str,
) -> Leaderboard | None:
    """None without two agents that have two scores. A task among several carries no matrix, and two sizes only.

    The ranks read the verdicts of the audit, whose family is all of its comparisons: so the rank intervals of all
    tasks hold together. Only a false discovery rate promises no such thing: then Holm judges the same p-values.
    """
    arms = [arm for arm in table.arms if arm.task == task]
    scored = [arm for arm in arms if len(arm.scores) >= 2]
    if len(scored) < 2:
        return None
    sign, alone = (1 if table.higher_is_better else -1), len(table.tasks) == 1
    pools = {arm.agent: (sign * arm.scores,) for arm in scored}
    ordered = in_order([_standing(arm, sign, alpha) for arm in scored])
    n_seeds = min(len(arm.scores) for arm in scored)
    cells = _cells(ordered, _on_task(pairs, task, correction), alpha)
    sizes = sizes_up_to(n_seeds) if alone else sorted({min(FEW, n_seeds), n_seeds})
    n_draws = n_draws if alone else max(_FEWEST, n_draws // len(table.tasks))
    shares = first_places(pools, leaders(ordered), sizes, mean, n_draws=n_draws, seed=seed, name=task)
    return Leaderboard(
        task=task,
        n_tasks=1,
        n_seeds=n_seeds,
        by="mean",
        agents=ranked(ordered, cells, shares[n_seeds], sign),
        first_place=first_place(shares),
        matrix=cells if alone else (),
        n_pairs=len(cells),
        n_decided=sum(cell.decided != 0 for cell in cells),
        left_out=tuple(sorted(arm.agent for arm in arms if len(arm.scores) < 2)),
    )


def _standing(arm: ArmScores, sign: int, alpha: float) -> Standing:
    scores = np.sort(sign * arm.scores)  # so that equal scores in another order have an equal mean
    low, high = mean_interval(scores, 1 - alpha)
    return Standing(arm.agent, float(scores[0] + (scores - scores[0]).mean()), float(low), float(high))


def _on_task(pairs: Sequence[PairAudit], task: str, correction: str) -> Decided:
    adjusted = [pair.p_adjusted for pair in pairs]
    if correction == "benjamini_hochberg":
        p_values = [pair.tests[pair.decided_by].p_value for pair in pairs]
        stepped = holm(np.array([np.nan if p is None else p for p in p_values]))
        adjusted = [None if np.isnan(p) else float(p) for p in stepped]
    return {
        frozenset((pair.a, pair.b)): (pair, p) for pair, p in zip(pairs, adjusted, strict=True) if pair.task == task
    }


def _cells(ordered: Sequence[Standing], decided: Decided, alpha: float) -> tuple[MatrixCell, ...]:
    """Every agent against those behind it."""
    cells = []
    for a, b in combinations(ordered, 2):
        pair, p_adjusted = decided[frozenset((a.agent, b.agent))]
        chance, low, high = pair.p_a_better, pair.p_a_better_low, pair.p_a_better_high
        if pair.a != a.agent:
            chance, low, high = (None if share is None else 1 - share for share in (chance, high, low))
        won = Verdict.A_BETTER if pair.a == a.agent else Verdict.B_BETTER
        # A test of ranks may contradict the means that give the order; then it decides nothing about the means.
        agrees = pair.verdict == won and a.value > b.value and p_adjusted is not None and p_adjusted <= alpha
        cells.append(MatrixCell(a.agent, b.agent, chance, low, high, p_adjusted, int(agrees)))
    return tuple(cells)
