"""The section: Who is first, and how sure is that?"""

from collections.abc import Iterator, Sequence

from rlaudit.figures.leaderboard import MANY, MOST_BANDS, MOST_IN_MATRIX, MOST_LINES, MOST_RANKED
from rlaudit.report.parts import FigureHtml, Rows, SectionHtml, Table, ends, figure, level, shares
from rlaudit.results import FEW, Audit, Leaderboard
from rlaudit.wording import number, on, percent, several


def leaderboards(audit: Audit) -> SectionHtml | None:
    """Who is first, and how sure is that?"""
    if not audit.leaderboards:
        return None
    board = audit.leaderboards[0]
    return SectionHtml(
        "leaderboard",
        "Who is first, and how sure is that?",
        tuple(_sentences(audit, board)),
        tuple(_figures(audit, board)),
        tuple(_tables(audit, board)),
        tuple(_method(audit, board)),
    )


def _singles(audit: Audit) -> list[Leaderboard]:
    """The boards of single tasks, where there are several tasks."""
    found = [board for board in audit.leaderboards if board.n_tasks == 1]
    return found if len(audit.leaderboards) > 1 else []


def _where(board: Leaderboard) -> str:
    return f" over {board.n_tasks} tasks" if board.n_tasks > 1 else on(board.task)


def _sentences(audit: Audit, board: Leaderboard) -> Iterator[str]:
    best, open_to = board.agents[0], board.candidates
    tied = [one.agent for one in board.agents if one.rank == 1]
    leads = f"{several(tied)} tie for the first place" if len(tied) > 1 else f"{best.agent} leads"
    others = "and" if len(tied) == len(open_to) else f"but {several(open_to)}"
    if len(open_to) == 1:
        yield (
            f"{best.agent} is first of {len(board.agents)} agents{_where(board)}, and these seeds leave no other first "
            f"place open ({level(audit)}, all places together)."
        )
    else:
        yield (
            f"Nobody knows yet: {leads}{_where(board)}, {others} may each be first "
            f"({level(audit)}, all places together)."
        )
    if len(tied) < len(board.agents):
        yield _chances(board, best.agent if len(tied) == 1 else "one of them")
    if board.n_tasks > 1:
        yield from _over_tasks(audit, board)
    singles = _singles(audit)
    if singles:
        certain = sum(len(one.candidates) == 1 for one in singles)
        tasks = f"{certain or 'none'} of {len(singles)} tasks"
        yield f"Task by task: one agent is certainly first on {tasks}; see the table."
    if board.left_out:
        why = "two scores on half of the tasks" if board.n_tasks > 1 else "two scores"
        yield f"Left out, for want of {why}: {several(board.left_out)}."
    n_failed = sum(arm.n_failed for arm in audit.arms)
    if n_failed:
        yield f"Failed seeds ({n_failed}) have no score and do not count: an agent that fails often looks too good."


def _chances(board: Leaderboard, whose: str) -> str:
    """What fewer, and as many, fresh seeds would say."""
    sizes = sorted({one.n_seeds for n in (FEW, board.n_seeds) if (one := board.at(n))})
    said: list[str] = []
    fresh = " fresh seeds" + (" a task" if board.n_tasks > 1 else "")
    for n in sizes:
        one = board.at(n)
        assert one is not None
        seeds = f"{n}{'' if said else fresh}{', as many as here,' if n == board.n_seeds else ''}"
        said.append(f"{seeds} would put {whose} first in {percent(one.share)} of draws ({shares(one.low, one.high)})")
    return f"If the full pools told the truth, {', and '.join(said)}." if said else ""


def _over_tasks(audit: Audit, board: Leaderboard) -> Iterator[str]:
    n_tasks = len({arm.task for arm in audit.arms})
    if board.n_tasks < n_tasks:
        yield f"Only the {board.n_tasks} of {n_tasks} tasks count on which all of these agents have two scores."
    if board.normalisation:
        yield f"One scale for all tasks: {board.normalisation}."


# ---------------------------------------------------------------- figures


def _figures(audit: Audit, board: Leaderboard) -> Iterator[FigureHtml]:
    shown = board.agents[:MOST_RANKED]
    yield figure(
        "rank_intervals",
        "first",
        f"Places of the agents{_where(board)}. "
        + "; ".join(
            f"{one.agent}: place {one.rank}, open {_places(one.rank_low, one.rank_high)}, first in {percent(one.first)}"
            for one in shown
        )
        + ".",
        board,
        caption=(
            f"Dot: place by the {board.by}. Bar: every place that these seeds leave open; blue may be first. Comes "
            f"first: share of draws of {board.n_seeds} fresh seeds in which the agent leads."
            + (f" The first {MOST_RANKED} of {len(board.agents)}." if len(board.agents) > MOST_RANKED else "")
        ),
    )
    if board.first_place:
        words = "; ".join(f"{one.n_seeds} seeds: {percent(one.share)}" for one in board.first_place)
        yield figure(
            "first_place",
            "first",
            f"How often n seeds name the leader of all seeds{_where(board)}. {words}.",
            board,
            caption="How often n seeds an agent name the leader of all seeds. Bars: 95 % over seeds.",
        )
    if board.matrix and not board.is_pair:
        yield _matrix(board)
    if board.profiles:
        yield _profiles(audit, board)


def _places(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _matrix(board: Leaderboard) -> FigureHtml:
    words = "; ".join(
        f"{cell.a} beats {cell.b}: {percent(cell.better)}{', decided' if cell.decided else ''}" for cell in board.matrix
    )
    n = len(board.agents)
    cut = f" The first {MOST_IN_MATRIX} of {n} agents." if n > MOST_IN_MATRIX else ""
    caption = (
        "How often a random run of the row beats one of the column"
        + (", mean over the tasks" if board.n_tasks > 1 else "")
        + f"; ties count half. Framed: which of the two has the better {board.by} is decided, all pairs together.{cut}"
    )
    title = f"{board.n_decided} of {board.n_pairs} pairs of {n} agents are decided. {words}."
    return figure("agent_matrix", "first", title, board, caption=caption, wide=min(n, MOST_IN_MATRIX) > MANY)


def _profiles(audit: Audit, board: Leaderboard) -> FigureHtml:
    lines = board.profiles[:MOST_LINES]
    words = "; ".join(
        f"{line.agent}: {percent(line.share[len(line.tau) // 2])} of runs above {number(line.tau[len(line.tau) // 2])}"
        for line in lines
    )
    cut = f" The first {MOST_LINES} of {len(board.profiles)} agents." if len(board.profiles) > MOST_LINES else ""
    caption = (
        "How many of an agent's runs, on all tasks together, score above each value: the higher line is better; where "
        f"lines cross, neither is. Bands: {level(audit)}, point by point"
        f"{f', of the first {MOST_BANDS}' if len(lines) > MOST_BANDS else ''}.{cut}"
    )
    return figure("performance_profiles", "first", f"Performance profiles. {words}.", board, caption=caption, wide=True)


# ---------------------------------------------------------------- tables


def _tables(audit: Audit, board: Leaderboard) -> Iterator[Table]:
    head = (
        "place", "agent", board.by, f"{level(audit)} interval", "places open", "comes first", "95 % over seeds",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            one.rank, one.agent, one.value, ends(one.low, one.high), _places(one.rank_low, one.rank_high),
            percent(one.first), shares(one.first_low, one.first_high),
        )
        for one in board.agents
    )  # fmt: skip
    yield Table(f"the order{_where(board)}", head, rows)
    if board.matrix:
        yield _pairs(audit, board)
    if board.aggregates:
        yield _aggregates(audit, board)
    singles = _singles(audit)
    if singles:
        yield _tasks(singles)


def _pairs(audit: Audit, board: Leaderboard) -> Table:
    head = ("A", "B", "A beats B", f"{level(audit)} interval", "adjusted p", "decided")
    rows: Rows = tuple(
        (
            cell.a, cell.b, percent(cell.better), shares(cell.low, cell.high), cell.p_adjusted,
            {1: f"{cell.a} is better", -1: f"{cell.b} is better"}.get(cell.decided, "no"),
        )
        for cell in board.matrix
    )  # fmt: skip
    return Table(f"agent against agent{_where(board)}", head, rows)


def _aggregates(audit: Audit, board: Leaderboard) -> Table:
    head = ("agent", "aggregate", "value", f"{level(audit)} interval", "note")
    rows: Rows = tuple(
        (one.agent, one.statistic.replace("_", " "), one.value, ends(one.low, one.high), one.note)
        for one in board.aggregates
    )
    return Table("aggregates over the tasks", head, rows)


def _tasks(boards: Sequence[Leaderboard]) -> Table:
    """Single tasks. Both numbers of seeds where the pools hold more than five."""
    head = (
        "task", "leads", "may be first", f"{FEW} seeds name it", "95 % over seeds", "as many fresh seeds name it",
        "seeds", "pairs decided",
    )  # fmt: skip
    return Table("task by task", head, tuple(_task_row(board) for board in boards))


def _task_row(board: Leaderboard) -> tuple[str | int | float | None, ...]:
    few, all_of_them = board.at(FEW), board.at(board.n_seeds)
    few = few if few and few.n_seeds == FEW else None
    return (
        board.task,
        several([one.agent for one in board.agents if one.rank == 1]),
        several(board.candidates),
        percent(few.share) if few else None,
        shares(few.low, few.high) if few else None,
        percent(all_of_them.share) if all_of_them else None,
        board.n_seeds,
        f"{board.n_decided} of {board.n_pairs}",
    )


# ---------------------------------------------------------------- method


def _method(audit: Audit, board: Leaderboard) -> Iterator[str]:
    family = (
        f"the {board.n_pairs} pairs over these tasks, corrected together (Holm 1979)"
        if board.n_tasks > 1
        else f"the verdicts of this audit on every pair ({audit.family}; where that is a false discovery rate, Holm)"
    )
    yield (
        "Open places: from one more than the agents that are better to the last but those that are worse, by "
        f"{family}; all of them hold together at {level(audit)} (Mogstad, Romano, Shaikh and Wilhelm 2024)."
    )
    yield (
        "Comes first: n seeds an agent are drawn from the pools, with replacement, and ranked again; who ties shares "
        "the place. The full pools are taken for the truth, which flatters their leader: chance put it there too. "
        "Intervals: the same with pools redrawn seed by seed, and stretched, the more so the fewer seeds they hold."
    )
    if board.n_tasks > 1:
        yield (
            "Aggregates, profiles and the chance to beat: stratified bootstrap over runs (Agarwal et al. 2021), "
            "stretched for few runs (Hesterberg 2015). The tasks are taken as they are: others might order the agents "
            "otherwise. A decided pair differs in the aggregate by a t test, whose standard error is that of a mean "
            "over tasks, or the bootstrap's for an IQM."
        )
    if _singles(audit):
        yield "Single tasks: by the mean, and by the verdicts of the audit, whose family is all of its comparisons."
