"""Looks at seeds that are added: when a pair stopped, and why."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from rlaudit.figures.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    RULE,
    WIDE,
    empty,
    plain_numbers,
    short,
    styled,
)  # fmt: skip
from rlaudit.results import LookState, PairLook, Sequential
from rlaudit.wording import evidence_text

_MOST = 6  # pairs in one picture
_COLUMNS = {1: 1, 2: 2, 4: 2}  # pairs -> panels side by side; of other numbers three
_TICKS = 8
_ENDS = {  # state -> colour, marker, word
    LookState.A_BETTER: (BLUE, "D", ""),
    LookState.B_BETTER: (ORANGE, "D", ""),
    LookState.OPEN: (MUTED, "o", "goes on"),
    LookState.FUTILE: (MUTED, "X", "given up"),
    LookState.UNDECIDED: (MUTED, "X", "undecided"),
}


@styled
def looks(found: Sequential) -> Figure:
    """A panel a pair, six at most: the difference with its interval at each look, and where it stopped."""
    pairs, sizes = found.series()[:_MOST], found.plan.sizes
    n = max(1, len(pairs))
    columns = _COLUMNS.get(n, 3)
    rows = -(-n // columns)
    figure = Figure(figsize=(WIDE, 0.5 + 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, seen in zip(axes, [*pairs, *[()] * (len(axes) - len(pairs))], strict=True):
        if seen:
            _panel(ax, seen, sizes)
        else:
            empty(ax, "" if pairs else "no look yet")
    return figure


def _panel(ax: Axes, seen: Sequence[PairLook], sizes: Sequence[int]) -> None:
    low, high = _limits(seen)
    ax.set_ylim(low, high)
    ax.axhline(0, color=INK, linewidth=1)
    for size in sizes:
        ax.axvline(size, color=RULE, linewidth=0.6)
    for n, one in zip(sizes, seen, strict=False):
        _look(ax, n, one, last=one is seen[-1])
    stop = sizes[len(seen) - 1]
    if stop < sizes[-1] and seen[-1].state != LookState.OPEN:
        ax.axvspan(stop, sizes[-1] * 1.05, color=RULE, alpha=0.45, linewidth=0)
        ax.text(
            (stop + sizes[-1]) / 2, low + 0.04 * (high - low), "not trained", color=MUTED, ha="center", fontsize=8.5
        )
    step = -(-len(sizes) // _TICKS)
    ax.set_xticks(sizes[step - 1 :: step], [f"{n:,}" for n in sizes[step - 1 :: step]])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sizes[0] - 0.06 * sizes[-1], sizes[-1] * 1.06)
    plain_numbers(ax, "y")
    ax.set_title(_title(seen[-1]), color=_ENDS[seen[-1].state][0] if seen[-1].state != LookState.OPEN else INK)
    ax.set(xlabel="seeds an agent", ylabel=f"{short(seen[-1].agent_a, 14)} − {short(seen[-1].agent_b, 14)}")


def _look(ax: Axes, n: int, one: PairLook, *, last: bool) -> None:
    colour, marker, _ = _ENDS[one.state]
    low, high = ax.get_ylim()
    if one.effect is None:
        return
    ends = (low if one.low is None else max(one.low, low), high if one.high is None else min(one.high, high))
    ax.plot([n, n], ends, color=colour, linewidth=3 if last else 1.8, solid_capstyle="butt", alpha=0.8)
    ax.plot([n], [one.effect], marker, color=colour, markerfacecolor=colour if last else PAPER,
            markersize=8 if last else 5.5, clip_on=False)  # fmt: skip


def _title(one: PairLook) -> str:
    winner = {LookState.A_BETTER: one.agent_a, LookState.B_BETTER: one.agent_b}.get(one.state)
    word = f"{short(winner, 18)} is better" if winner is not None else _ENDS[one.state][2]
    return f"{word}, {evidence_text(one.p_value, one.e_value)}"


def _limits(seen: Sequence[PairLook]) -> tuple[float, float]:
    """Every difference, and every interval that is not many times wider than the narrowest."""
    effects = [one.effect for one in seen if one.effect is not None]
    ends = [(one.low, one.high) for one in seen if one.low is not None and one.high is not None]
    reach = 2.5 * min((high - low for low, high in ends), default=0.0)
    inside = [end for low, high in ends if high - low <= reach for end in (low, high)]
    values = [0.0, *effects, *inside]
    margin = 0.15 * (max(values) - min(values)) or 1.0
    return min(values) - margin, max(values) + margin
