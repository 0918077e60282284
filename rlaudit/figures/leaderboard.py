"""Many agents in order: which places are still open, who beats whom, and how often few seeds name another leader."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rlaudit.figures.style import (
    BLUE,
    COLOURS,
    DASHES,
    HALF,
    INK,
    MUTED,
    ORANGE,
    WIDE,
    canvas,
    empty,
    end_labels,
    percent_axis,
    plain_numbers,
    short,
    sizes_axis,
    styled,
)  # fmt: skip
from rlaudit.results import Leaderboard, MatrixCell
from rlaudit.wording import percent

MOST_RANKED, MOST_LINES, MOST_IN_MATRIX = 30, 8, 10  # agents that a picture holds; the tables have all
MOST_BANDS = 3  # more of them would hide each other
MANY = 6  # from so many agents on a matrix takes the whole width


@styled
def rank_intervals(board: Leaderboard) -> Figure:
    """For each agent the place it has, and the places that are still open; at the right how often it comes first."""
    shown = board.agents[:MOST_RANKED]
    figure, ax = canvas(HALF, 1.2 + 0.36 * max(len(shown), 2))
    for row, one in enumerate(shown):
        colour = BLUE if one.rank_low == 1 else MUTED
        ax.plot([one.rank_low, one.rank_high], [row, row], color=colour, linewidth=7, alpha=0.35)
        ax.plot([one.rank], [row], "o", color=colour, markersize=8)
        ax.text(
            1.04, row, percent(one.first), transform=ax.get_yaxis_transform(), va="center", color=INK, fontsize=9
        )  # fmt: skip
    ax.text(1.04, -0.85, "comes first", transform=ax.get_yaxis_transform(), va="bottom", color=MUTED, fontsize=9)
    ax.set_yticks(range(len(shown)), [short(one.agent, 18) for one in shown])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0.6, len(board.agents) + 0.4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_title("place, and the places still open")
    ax.set(xlabel="place (1 is best)", ylabel="")
    return figure


@styled
def first_place(board: Leaderboard) -> Figure:
    """How often n seeds an agent name the leader of the full pools, with an interval over seeds."""
    figure, ax = canvas(HALF, 3.5)
    if not board.first_place:
        empty(ax, "too few seeds to draw from")
        return figure
    sizes = [one.n_seeds for one in board.first_place]
    for one in board.first_place:
        if one.low is not None and one.high is not None:
            ax.plot([one.n_seeds] * 2, [one.low, one.high], color=BLUE, linewidth=5, alpha=0.25)
    ax.plot(sizes, [one.share for one in board.first_place], color=BLUE, marker="o")
    lot = 1 / len(board.agents)
    ax.axhline(lot, color=INK, linewidth=1, linestyle=DASHES[1])
    sizes_axis(ax, sizes)
    ax.set_ylim(0, 1.04)
    ax.set_title("draws that name the same leader")
    ax.set(xlabel="seeds an agent" + (" and task" if board.n_tasks > 1 else ""))
    end_labels(ax, ax.get_xlim()[1], [(lot, "by lot", INK)])
    percent_axis(ax)
    return figure


# ---------------------------------------------------------------- who beats whom


@styled
def agent_matrix(board: Leaderboard) -> Figure:
    """How often a run of the row's agent beats one of the column's; framed and bold where the order is decided."""
    names = [one.agent for one in board.agents[:MOST_IN_MATRIX]]
    n, cells = len(names), {(cell.a, cell.b): cell for cell in board.matrix}
    many = n > MANY
    figure, ax = canvas(WIDE if many else HALF, 1.3 + (0.46 if many else 0.52) * max(n, 3))
    if not cells:
        empty(ax, "no pairs to compare")
        return figure
    for row, a in enumerate(names):
        for column, b in enumerate(names):
            if (a, b) in cells:
                _cell(ax, row, column, cells[a, b], turned=False)
            elif (b, a) in cells:
                _cell(ax, row, column, cells[b, a], turned=True)
    ax.set_xlim(-0.5, n - 0.5)
    ax.set_ylim(n - 0.5, -0.5)
    length = 12 if n <= 4 else 9
    ax.set_xticks(range(n), [short(name, length) for name in names])
    ax.set_yticks(range(n), [short(name, 16) for name in names])
    ax.tick_params(axis="both", labelcolor=INK)
    if n > 4:
        ax.tick_params(axis="x", labelrotation=30)
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title("a run of the row beats one of the column")
    return figure


def _cell(ax: Axes, row: int, column: int, cell: MatrixCell, *, turned: bool) -> None:
    share = cell.better if cell.better is None or not turned else 1 - cell.better
    if share is not None:
        colour, strength = (BLUE if share >= 0.5 else ORANGE), abs(share - 0.5)
        ax.add_patch(
            Rectangle(
                (column - 0.46, row - 0.46), 0.92, 0.92, facecolor=colour, alpha=0.05 + 0.9 * strength, linewidth=0
            )
        )
    if cell.decided:
        ax.add_patch(Rectangle((column - 0.44, row - 0.44), 0.88, 0.88, fill=False, edgecolor=INK, linewidth=1.6))
    text = "–" if share is None else percent(share)
    weight = "bold" if cell.decided else "normal"
    ax.text(column, row, text, ha="center", va="center", color=INK, fontsize=9, fontweight=weight)


# ---------------------------------------------------------------- profiles


@styled
def performance_profiles(board: Leaderboard) -> Figure:
    """The share of an agent's runs above each normalised score; the higher line is the better agent."""
    figure, ax = canvas(WIDE, 3.6)
    if not board.profiles:
        empty(ax, "one task: no profile")
        return figure
    for place, line in enumerate(board.profiles[:MOST_LINES]):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[(place + place // len(COLOURS)) % len(DASHES)]
        if place < MOST_BANDS:
            ax.fill_between(line.tau, line.low, line.high, color=colour, alpha=0.12, linewidth=0)
        ax.plot(line.tau, line.share, color=colour, linestyle=dash, label=short(line.agent))
    ax.set_ylim(0, 1.02)
    ax.set_title("share of runs above a score")
    ax.set(xlabel="normalised score")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    plain_numbers(ax, "x")
    percent_axis(ax)
    return figure
