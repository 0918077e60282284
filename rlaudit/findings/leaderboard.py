"""The order of many agents."""

from collections.abc import Iterator

from rlaudit.findings.words import level
from rlaudit.results import FEW, Audit, Leaderboard
from rlaudit.types import Finding, Level
from rlaudit.wording import interval, is_are, number, on, percent, several

_WRONG_WARN = 0.05  # share of draws that name another leader


def leaderboards(audit: Audit) -> Iterator[Finding]:
    """Whether the first place is the true one, how often few seeds miss it, and on how many single tasks it is sure."""
    if not audit.leaderboards or audit.leaderboards[0].is_pair:  # the verdict on a pair has said it
        return
    board, *others = audit.leaderboards
    yield _first_place(audit, board)
    yield from _few_seeds(board)
    if len(others) > 1 or (others and board.n_tasks == 1):
        yield _task_by_task(others if board.n_tasks > 1 else [board, *others])


def _where(board: Leaderboard) -> str:
    return f" over {board.n_tasks} tasks together" if board.n_tasks > 1 else on(board.task)


def _first_place(audit: Audit, board: Leaderboard) -> Finding:
    best, n = board.agents[0], len(board.agents)
    mine = f"{board.by} {number(best.value)}, {level(audit)} interval {interval(best.low, best.high)}"
    evidence = {
        "n_agents": n, "n_candidates": len(board.candidates), "value": best.value, "low": best.low, "high": best.high,
        "rank_low": best.rank_low, "rank_high": best.rank_high, "n_decided": board.n_decided, "n_pairs": board.n_pairs,
    }  # fmt: skip
    if len(board.candidates) == 1:
        return Finding(
            f"First place{_where(board)}: {best.agent}",
            f"{best.agent} is first of {n} agents{_where(board)} ({mine}): each of the others is worse beyond the luck "
            f"of seeds (all places together at {level(audit)}).",
            Level.OK,
            evidence,
            "Report the order with its rank intervals: the places behind the first may still be open.",
        )
    pairs = f"{board.n_decided or 'none'} of {board.n_pairs} pairs of agents {is_are(board.n_decided or 1)} decided"
    return Finding(
        f"The first place{_where(board)} is open",
        f"{_leading(board, mine)} may each be first{_where(board)}: "
        f"{pairs if board.n_pairs > 1 else 'they are not told apart'} (all places together at {level(audit)}).",
        Level.UNSAFE,
        evidence,
        f"Do not name a winner; train more seeds of {several(board.candidates)}, or report them as leading together.",
    )


def _leading(board: Leaderboard, mine: str) -> str:
    tied, open_to = [one.agent for one in board.agents if one.rank == 1], several(board.candidates)
    if len(tied) == 1:
        return f"{tied[0]} leads ({mine}), but {open_to}"
    others = f"but {open_to}" if len(tied) < len(board.candidates) else "and"
    return f"{several(tied)} tie for the best place ({mine}), {others}"


def _few_seeds(board: Leaderboard) -> Iterator[Finding]:
    """What a board of five seeds an agent would have looked like."""
    few, tied = board.at(FEW), sum(one.rank == 1 for one in board.agents)
    if few is None or tied == len(board.agents):
        return
    other = 1 - few.share
    known = "" if len(board.candidates) == 1 else "If the means of all seeds told the truth, "
    range_ = "" if few.low is None or few.high is None else f" (95 % over seeds: {_range(1 - few.high, 1 - few.low)})"
    opening = f"{known}{few.n_seeds} seeds an agent{' and task' if board.n_tasks > 1 else ''} would name another leader"
    enough = other < _WRONG_WARN and len(board.candidates) == 1
    do = "would do" if few.low is not None and few.low > 1 - _WRONG_WARN else "may do"
    yield Finding(
        f"{few.n_seeds} seeds an agent: who leads{_where(board)}",
        f"{opening[0].upper()}{opening[1:]}{_where(board)} in {percent(other)} of draws{range_}.",
        Level.OK if enough else Level.WARN,
        {"n_seeds": few.n_seeds, "another_leader": other, "low": _less(few.high), "high": _less(few.low)},
        f"{few.n_seeds} seeds an agent {do} to name this leader; report all seeds all the same."
        if enough
        else f"Do not read who is best off a table of {few.n_seeds} seeds an agent.",
    )


def _range(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"


def _less(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _task_by_task(boards: list[Leaderboard]) -> Finding:
    certain = [board for board in boards if len(board.candidates) == 1]
    n, k = len(boards), len(certain)
    others = f"; on {n - k} several may be" if k < n else ""
    return Finding(
        f"Task by task: {k or 'none'} of {n} first places {is_are(k or 1)} certain",
        f"One agent is first beyond the luck of seeds on {k or 'none'} of {n} tasks{others} (all comparisons of the "
        "audit together).",
        Level.OK if k == n else Level.WARN,
        {"n_tasks": n, "n_certain": k},
        "Report the leader of each task with the places that are open."
        if k == n
        else "Do not count wins by task: most such wins may be luck."
        if 2 * k < n
        else "Count only the certain first places as wins.",
    )
