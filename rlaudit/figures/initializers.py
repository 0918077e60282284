"""Initializers: a row for each scheme, a colour for each gain of the last layer; and what that gain does."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.style import (
    COLOURS,
    HALF,
    INK,
    MARKERS,
    MUTED,
    WIDE,
    canvas,
    empty,
    plain_numbers,
    short,
    styled,
)  # fmt: skip
from rlaudit.results import Initializers
from rlaudit.results.initializers import GainEffect, Start

_MOST_LETTERS = 12  # more would leave no room for the points; the table has them all


@styled
def initializers(found: Initializers) -> Figure:
    """Every seed, the means with their intervals, and at the right the letters: those that share one are undecided."""
    rows = _by_scheme(found)
    gains = found.last_gains
    figure, ax = canvas(WIDE, 1.3 + 0.26 * sum(max(1, len(starts)) for starts in rows.values()))
    step = 0.8 / max(len(gains), 1)
    for row, starts in enumerate(rows.values()):
        for start in starts:
            place = gains.index(start.last_gain) if start.last_gain is not None else (len(gains) - 1) / 2
            _start(ax, row + step * (place - (len(gains) - 1) / 2), start, _colour(found, start), _marker(found, start))
    ax.set_yticks(range(len(rows)), [short(scheme) for scheme in rows])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    ax.text(1.015, 1.0, "letters", transform=ax.transAxes, va="bottom", color=MUTED, fontsize=9)
    ax.set_title(f"{short(found.agent)} from every initializer, the best scheme first")
    handles = [
        ax.plot(
            [], [], MARKERS[place % len(MARKERS)], color=COLOURS[place % len(COLOURS)], label=f"last gain {gain:g}"
        )[0]
        for place, gain in enumerate(gains)
    ]
    if handles:
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=min(len(handles), 5))
    plain_numbers(ax, "x")
    return figure


def _by_scheme(found: Initializers) -> dict[str, list[Start]]:
    """In the order of each scheme's best start."""
    rows: dict[str, list[Start]] = {}
    for start in found.starts:
        rows.setdefault(start.scheme, []).append(start)
    return rows


def _place(found: Initializers, start: Start) -> int | None:
    return None if start.last_gain is None else found.last_gains.index(start.last_gain)


def _colour(found: Initializers, start: Start) -> str:
    place = _place(found, start)
    return MUTED if place is None else COLOURS[place % len(COLOURS)]


def _marker(found: Initializers, start: Start) -> str:
    return MARKERS[(_place(found, start) or 0) % len(MARKERS)]


def _start(ax: Axes, y: float, start: Start, colour: str, marker: str) -> None:
    ax.plot(start.scores, [y] * len(start.scores), marker, color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
    if start.low is not None and start.high is not None:
        ax.plot([start.low, start.high], [y, y], color=colour, linewidth=2.4, solid_capstyle="butt")
    ax.plot([start.mean], [y], marker, color=colour, markersize=7, markeredgecolor=INK, markeredgewidth=0.6)
    ax.text(
        1.015, y, _letters(start.letters), transform=ax.get_yaxis_transform(), va="center", color=colour, fontsize=9
    )


def _letters(letters: Sequence[str]) -> str:
    return "".join(letters) if len(letters) <= _MOST_LETTERS else f"{letters[0]} … {letters[-1]}"


@styled
def gain_effects(found: Initializers) -> Figure:
    """For each scheme how much a smaller last gain changes the mean, with intervals that hold together."""
    effects = found.gain_effects
    figure, ax = canvas(HALF, 1.4 + 0.3 * max(2, len(effects)))
    if not effects:
        empty(ax, "one last gain: nothing to compare")
        return figure
    several = len({effect.last_gain for effect in effects}) > 1
    for row, effect in enumerate(effects):
        colour = COLOURS[0] if _is_decided(effect) else MUTED
        ax.plot([effect.low, effect.high], [row, row], color=colour, linewidth=2.4)
        ax.plot([effect.effect], [row], "o", color=colour)
    ax.axvline(0, color=INK, linewidth=1)
    names = [short(one.scheme, 18) + (f", {one.last_gain:g}" if several else "") for one in effects]
    ax.set_yticks(range(len(effects)), names)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(effects) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    smaller = "a smaller last gain" if several else f"a last gain of {effects[0].last_gain:g}"
    ax.set_title(f"what {smaller} adds")
    ax.set(xlabel=f"mean, less the mean with {effects[0].against:g}")
    plain_numbers(ax, "x")
    return figure


def _is_decided(effect: GainEffect) -> bool:
    return effect.low > 0 or effect.high < 0
