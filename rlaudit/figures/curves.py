"""Learning curves of one agent against itself: the picture that started the discussion (Henderson et al. 2018)."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.style import BLUE, DASHES, HALF, ORANGE, canvas, empty, end_labels, plain_numbers, styled
from rlaudit.results import GroupCurves

_Lines = Sequence[Sequence[float | None]]


@styled
def same_agent_curves(curves: GroupCurves, limits: tuple[float, float] | None = None) -> Figure:
    """Mean, band of one standard deviation and a thin line per seed, for two groups of seeds of the same agent.

    `limits` of the score axis, so that the median and the worst split can be compared.
    """
    figure, ax = canvas(HALF, 3.2)
    if not any(value is not None for value in chain(*curves.a, *curves.b)):
        empty(ax, "no evaluations to draw")
        return figure
    ends = [
        _group(ax, curves.steps, curves.a, BLUE, 0),
        _group(ax, curves.steps, curves.b, ORANGE, 1),
    ]
    ax.set_title(f"{curves.which} split: percentile {_ordinal(curves.percentile)}")
    ax.set(xlabel="training steps", ylabel="")
    if limits:
        ax.set_ylim(*limits)
    plain_numbers(ax, "x")
    plain_numbers(ax, "y")
    ax.locator_params(axis="x", nbins=5)
    ax.margins(x=0)
    colours = (BLUE, ORANGE)
    labels = [
        (y, f"{curves.group_size} seeds", colour) for y, colour in zip(ends, colours, strict=True) if y is not None
    ]
    end_labels(ax, curves.steps[-1], labels)
    return figure


def _group(ax: Axes, steps: Sequence[int], lines: _Lines, colour: str, place: int) -> float | None:
    """Draws one group; returns where its mean line ends."""
    for line in lines:
        ax.plot(steps, np.array(line, float), color=colour, linewidth=0.7, alpha=0.45, solid_joinstyle="round")
    values = np.array(lines, float)
    x, y = np.tile(steps, len(lines)), values.ravel()
    shown = np.isfinite(y)
    if not shown.any():
        return None
    sns.lineplot(
        x=x[shown], y=y[shown], errorbar="sd", color=colour, linewidth=2.2, linestyle=DASHES[place], ax=ax,
        err_kws={"alpha": 0.16, "linewidth": 0},
    )  # fmt: skip
    return float(ax.lines[-1].get_ydata()[-1])  # type: ignore[index,arg-type]


def _ordinal(percentile: float) -> str:
    return f"{percentile:.0f}" if percentile in (0, 100) else f"{min(percentile, 99.9):.3g}"
