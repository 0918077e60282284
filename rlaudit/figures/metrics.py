"""One pair by many metrics."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    RULE,
    WIDE,
    canvas,
    empty,
    plain_numbers,
    short,
    styled,
)
from rlaudit.results import MetricChoice, MetricView
from rlaudit.types import Verdict
from rlaudit.wording import percent

_NAMES = {  # in the order of the rows
    "final": "final evaluation",
    "last": "last evaluation",
    "last 5": "mean of the last 5",
    "last 10": "mean of the last 10",
    "auc": "area under the curve",
    "best": "best evaluation",
}


@styled
def metric_choice(choice: MetricChoice) -> Figure:
    """The gain of a over b by every metric, a panel for each part of the training: filled where it is significant."""
    shown = [(view, view.gain) for view in choice.views if view.gain is not None]
    if not shown:
        figure, ax = canvas(WIDE, 1.2)
        empty(ax, "no spread between seeds to measure a difference by")
        return figure
    parts = sorted({view.until for view, _ in shown})
    asked = next((view.metric for view, _ in shown if view.asked), None)
    rows = sorted({view.metric for view, _ in shown}, key=lambda row: (row != asked, [*_NAMES, row].index(row)))
    figure = Figure(figsize=(WIDE, 1.55 + 0.34 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(parts), sharex=True, sharey=True, squeeze=False)[0]
    for ax, until in zip(panels, parts, strict=True):
        for view, gain in shown:
            if view.until == until:
                _view(ax, rows.index(view.metric), view, gain)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_title("all of training" if until == 1 else f"first {percent(until)}")
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.locator_params(axis="x", nbins=4)
        plain_numbers(ax, "x")
    _frame(figure, panels[0], choice, [_name(row, asked) for row in rows])
    return figure


def _view(ax: Axes, row: int, view: MetricView, gain: float) -> None:
    """Colour and side say who is ahead, the filling whether it is significant, the square which one was asked for."""
    colour = {Verdict.A_BETTER: BLUE, Verdict.B_BETTER: ORANGE}.get(view.verdict, MUTED)
    if view.asked:
        ax.axhspan(row - 0.45, row + 0.45, color=RULE, alpha=0.6, linewidth=0, zorder=0)
    if view.gain_low is not None and view.gain_high is not None:
        ax.plot([view.gain_low, view.gain_high], [row, row], color=colour, linewidth=1.6)
    ax.plot([gain], [row], "s" if view.asked else "o", color=colour, markersize=6.5,
            markerfacecolor=colour if view.verdict.has_winner else PAPER)  # fmt: skip


def _name(metric: str, asked: str | None) -> str:
    return short(_NAMES.get(metric, metric)) + (" (asked)" if metric == asked else "")


def _frame(figure: Figure, first: Axes, choice: MetricChoice, names: list[str]) -> None:
    first.set_yticks(range(len(names)), names)
    first.tick_params(axis="y", labelcolor=INK)
    first.set_ylim(len(names) - 0.4, -0.6)
    reach = max(abs(end) for end in first.get_xlim())
    first.set_xlim(-reach, reach)
    figure.supxlabel(
        f"←  {short(choice.b)} better  ·  difference in standard deviations between seeds  ·  "
        f"{short(choice.a)} better  →",
        fontsize=9.5, color=MUTED,
    )  # fmt: skip
