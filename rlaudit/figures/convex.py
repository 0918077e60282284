"""The control in which luck must vanish: where runs from different initial weights end, and how they get there."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from rlaudit.figures.style import BLUE, COLOURS, HALF, INK, MUTED, ORANGE, WIDE, canvas, empty, short, styled
from rlaudit.results import CONVEX_SPREAD, HIDDEN_SPREAD, Convex, Surface

_NOTHING = 1e-17  # where a distance of exactly 0 is drawn


@styled
def loss_distances(one: Convex) -> Figure:
    """A point for each run: how far its final loss lies above the lowest of its model, on a logarithmic axis."""
    rows = [(surface, arm) for surface in one.surfaces for arm in surface.arms if arm.distances]
    figure, ax = canvas(WIDE, 1.5 + 0.34 * max(2, len(rows)))
    if not rows:
        empty(ax, "no run has a loss")
        return figure
    spread = np.linspace(-0.22, 0.22, 5)
    for row, (surface, arm) in enumerate(rows):
        shown = np.maximum(arm.distances, _NOTHING)
        offsets = np.resize(spread, len(shown))
        colour, marker = (BLUE, "o") if surface.is_convex else (ORANGE, "s")
        ax.plot(shown, row + offsets, marker, color=colour, alpha=0.65, markersize=5, markeredgewidth=0)
    ax.set_xscale("log")
    ax.set(xlim=(_NOTHING / 3, 1), ylim=(len(rows) - 0.4, -1.3))
    ax.axvline(CONVEX_SPREAD, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    ax.axvline(HIDDEN_SPREAD, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    for at, text, side in ((CONVEX_SPREAD, "luck has vanished", "right"), (HIDDEN_SPREAD, "luck", "left")):
        ax.annotate(text, (at, -0.85), xytext=(-6 if side == "right" else 6, 0), textcoords="offset points",
                    ha=side, va="center", color=MUTED)  # fmt: skip
    ax.set_yticks(range(len(rows)), [short(arm.scheme, 18) for _, arm in rows])
    ax.tick_params(axis="y", labelcolor=INK)
    ticks = [_NOTHING, 1e-14, 1e-11, CONVEX_SPREAD, HIDDEN_SPREAD, 1e-2, 1]
    ax.set_xticks(ticks, ["0", *(f"{tick:.0e}".replace("e-0", "e-").replace("-", "−") for tick in ticks[1:-1]), "1"])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="final loss, above the lowest of the model")
    ax.set_title("where runs from different initial weights end")
    ax.grid(visible=False)
    _name_models(ax, rows)
    return figure


def _name_models(ax: Axes, rows: Sequence[tuple[Surface, object]]) -> None:
    """Beside the first arm of each model."""
    seen: set[bool] = set()
    for row, (surface, _) in enumerate(rows):
        if surface.is_convex not in seen:
            seen.add(surface.is_convex)
            name, colour = ("convex model", BLUE) if surface.is_convex else ("hidden layer", ORANGE)
            ax.annotate(name, (1, row), xycoords=("axes fraction", "data"), xytext=(6, 0), color=colour,
                        textcoords="offset points", va="center", annotation_clip=False)  # fmt: skip


@styled
def loss_paths(surface: Surface) -> Figure:
    """The losses of a few runs along their iterations, above the lowest final loss of the model."""
    figure, ax = canvas(HALF, 3.0)
    if not surface.paths:
        empty(ax, "no run has a loss curve")
        return figure
    schemes = list(dict.fromkeys(path.scheme for path in surface.paths))
    for path in surface.paths:
        colour = COLOURS[schemes.index(path.scheme) % len(COLOURS)]
        above = np.maximum(np.array(path.losses) - surface.lowest, _NOTHING)
        ax.plot(1 + np.array(path.iterations), above, color=colour, alpha=0.7, linewidth=1.2)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1e-17, 30)
    powers = (0, -4, -8, -12, -16)
    ax.set_yticks([10.0**power for power in powers], ["1", *(f"1e−{-power}" for power in powers[1:])])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_locator(NullLocator())
    ticks = [10**k for k in range(7) if 10**k <= 1.5 * max(path.iterations[-1] for path in surface.paths)]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    for place, scheme in enumerate(schemes):
        ax.plot([], [], color=COLOURS[place % len(COLOURS)], label=short(scheme, 16))
    ax.legend(loc="lower left", ncols=1)
    ax.set(xlabel="iterations")
    ax.set_title("convex model: loss above the minimum" if surface.is_convex else "hidden layer: loss above the lowest")
    return figure
