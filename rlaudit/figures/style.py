"""How every figure looks: two widths, one type size, a colour-blind palette, and greys that the page can exchange."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import matplotlib
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

HALF, WIDE = 5.2, 7.8  # inches; the page shows both at the same scale, so that type has one size everywhere

# Stand-ins: `to_svg` puts a CSS variable in the place of each, so that dark mode needs no second drawing.
INK, MUTED, RULE, PAPER = "#1c2024", "#687076", "#d7dbdf", "#fdfcfb"
BLUE, ORANGE, GREEN, RED, PINK, BROWN, *_ = sns.color_palette("colorblind").as_hex()
COLOURS = (BLUE, ORANGE, GREEN, RED, PINK, BROWN)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 2, 1, 2, 1, 2)),
)  # fmt: skip
_TICKS = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)

# `Any` keys: the newest matplotlib types them one by one, older ones do not.
STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],  # for the layout only; it comes with matplotlib, so that every machine agrees
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlepad": 9,
    "axes.labelsize": 9.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "text.color": INK,
    "text.parse_math": False,  # an agent may be called "$lr$"
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "hatch.linewidth": 0.8,
}
styled = matplotlib.rc_context(STYLE)  # a decorator: `rc_context` enters anew at each call


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure outside of pyplot, so that nothing is kept alive or shared."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def short(name: str, length: int = 22) -> str:
    """Names from files can be long; the tables give them in full."""
    one_line = " ".join(name.split())
    return one_line if len(one_line) <= length else one_line[: length - 1].rstrip() + "…"


def percent_axis(ax: Axes) -> None:
    """Shares as percentages."""
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def plain_numbers(ax: Axes, which: str) -> None:
    """1,200 and not 1.2e3; matplotlib's own formatter would also put an offset above the axis."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: "0" if abs(value) < 1e-12 else _plain(value)))


def _plain(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−") if abs(value) >= 10 else f"{value:.3g}".replace("-", "−")


def sizes_axis(ax: Axes, sizes: Sequence[int]) -> None:
    """Seeds a side, on a logarithmic scale, with a number at each size where there is room for it."""
    usual = [n for n in sizes if n in _TICKS]
    named = list(sizes) if len(sizes) <= 6 or len(usual) < 2 else usual
    ax.set_xscale("log")
    ax.set_xticks(named, [f"{n:,}" for n in named])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(min(sizes) / 1.12, max(sizes) * 1.12)


def end_labels(ax: Axes, x: float, labels: Sequence[tuple[float, str, str]]) -> None:
    """Names lines at their right ends: (y, text, colour), pushed apart where they would overlap."""
    low, high = ax.get_ylim()
    places = _apart([(y - low) / (high - low or 1) for y, _, _ in labels], 0.075)
    for place, (_, text, colour) in zip(places, labels, strict=True):
        ax.annotate(
            text, (x, low + place * (high - low)), xytext=(8, 0), textcoords="offset points", color=colour,
            va="center", annotation_clip=False, fontsize=9,
        )  # fmt: skip


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """The same places, moved as little as keeps neighbours `gap` apart: pushed up from below, then back as a whole."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda i: places[i])
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    excess = max(0.0, max(moved, default=0.0) - 1.0)
    return [place - excess for place in moved]


def empty(ax: Axes, why: str) -> None:
    """A frame that says why there is nothing in it."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=MUTED)
