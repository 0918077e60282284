"""What loose habits would have concluded."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from rlaudit.figures.style import BLUE, DASHES, INK, MUTED, RED, RULE, WIDE, short, styled
from rlaudit.results import ProcedureAudit, ProcedureRates
from rlaudit.wording import label_of, percent


@styled
def habits(tried: ProcedureAudit) -> Figure:
    """Each habit on one agent against itself, where any winner is false, and on two agents: right, none, wrong."""
    compared = any(one.right for one in tried.rates)
    figure = Figure(figsize=(WIDE, 1.1 + 0.31 * max(len(tried.rates), 2)), layout="constrained")
    panels = figure.subplots(1, 2 if compared else 1, sharey=True, squeeze=False)[0]
    for row, one in enumerate(tried.rates):
        _false(panels[0], row, one, tried.alpha)
        if compared:
            _told_apart(panels[1], row, one)
    panels[0].axvline(tried.alpha, color=INK, linewidth=1.2, linestyle=DASHES[1])
    panels[0].set_title("one agent against itself")
    panels[0].set_yticks(range(len(tried.rates)), [_label(one, tried.reference) for one in tried.rates])
    panels[0].set_ylim(len(tried.rates) - 0.4, -1.1)
    _above(panels[0], (tried.alpha, "left", f"alpha, {percent(tried.alpha)}", INK))
    if compared:
        panels[1].set_title(f"{short(tried.a, 12)} against {short(tried.b or '', 12)}")
        _above(panels[1], (0, "left", "right", BLUE), (0.5, "center", "no winner", MUTED), (1, "right", "wrong", RED))
    panels[0].set_xlabel("draws with a winner: all of them false")
    for ax in panels:
        _shares(ax)
    return figure


def _label(one: ProcedureRates, reference: str) -> str:
    return label_of(one.procedure) + (" (decides this audit)" if one.procedure == reference else "")


def _false(ax: Axes, row: int, one: ProcedureRates, alpha: float) -> None:
    share = one.false_positives
    low, high = (share.value if end is None else end for end in (share.low, share.high))
    colour = MUTED if one.always else RED if one.beyond(alpha) else BLUE
    ax.barh(row, share.value, height=0.62, color=colour, alpha=0.35 if one.always else 0.85, linewidth=0)
    if high > low:
        ax.plot([low, high], [row, row], color=INK, linewidth=1.3)
    inside = high > 0.8
    said = f"{percent(share.value)}, by construction" if one.always and share.value == 1 else percent(share.value)
    ax.annotate(
        said, (0.1 if inside else max(high, alpha), row), (5, 0), textcoords="offset points", va="center", fontsize=8.5
    )


def _told_apart(ax: Axes, row: int, one: ProcedureRates) -> None:
    if one.right is None or one.wrong is None:
        return
    right, wrong = one.right.value, one.wrong.value
    ax.barh(row, right, height=0.62, color=BLUE, alpha=0.85, linewidth=0)
    ax.barh(row, 1 - right - wrong, left=right, height=0.62, color=RULE, linewidth=0)
    ax.barh(row, wrong, left=1 - wrong, height=0.62, color=RED, linewidth=0)


def _above(ax: Axes, *words: tuple[float, str, str, str]) -> None:
    """(x, alignment, text, colour): what a line or a part of the bars means."""
    aside = {"left": 3, "center": 0, "right": -3}  # points
    for x, align, text, colour in words:
        ax.annotate(
            text, (x, -0.5), (aside[align], 0), textcoords="offset points", ha=align, va="bottom", color=colour,
            fontsize=8.5,
        )  # fmt: skip


def _shares(ax: Axes) -> None:
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    first, _, last = ax.get_xticklabels()  # the last of one panel keeps away from the first of the next
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    ax.tick_params(axis="y", labelcolor=INK)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set(ylabel="")
