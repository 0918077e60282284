"""Tickets: what masks and weights are worth, and what is left of luck when it is drawn anew."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.style import (
    BLUE,
    COLOURS,
    DASHES,
    HALF,
    INK,
    MARKERS,
    MUTED,
    ORANGE,
    canvas,
    empty,
    end_labels,
    plain_numbers,
    short,
    styled,
)  # fmt: skip
from rlaudit.results import Relived, TicketArm, Tickets
from rlaudit.wording import percent

_BESIDE = 0.035  # between the bars of two arms at one sparsity
_TRIED, _ANEW = 0.0, 1.0  # columns of the second picture
_LABELS = {
    "again": "no mask, same weights",
    "ticket": "ticket",
    "new weights": "its mask, new weights",
    "permuted mask": "permuted mask, its weights",
    "random mask": "random mask, new weights",
}


@styled
def tickets_by_sparsity(one: Tickets) -> Figure:
    """The mean score of each arm at each sparsity with its interval, and the dense runs from the same weights."""
    figure, ax = canvas(HALF, 3.6)
    lines = {name: [arm for arm in one.arms if arm.name == name and arm.mean is not None] for name in _LABELS}
    drawn = [name for name in _LABELS if lines[name]]
    sparsities = one.sparsities
    if drawn in ([], ["again"]):
        empty(ax, "no masked run is there yet")
        return figure
    ends = []
    for place, name in enumerate(drawn):
        colour = INK if name == "again" else COLOURS[place - 1]
        if name == "again":
            _level(ax, lines[name][0])
        else:
            _line(ax, lines[name], sparsities, place, colour)
        ends.append((lines[name][-1].mean or 0.0, _LABELS[name], colour))
    ax.set_xticks(range(len(sparsities)), [percent(sparsity) for sparsity in sparsities])
    ax.set_xlim(-0.25, len(sparsities) - 1 + 4 * _BESIDE)
    ax.set_title(f"mean score of {short(one.agent)}")
    ax.set(xlabel="weights of hidden layers that are zero")
    plain_numbers(ax, "y")
    end_labels(ax, len(sparsities) - 1 + 3 * _BESIDE, ends)
    return figure


def _level(ax: Axes, arm: TicketArm) -> None:
    if arm.low is not None and arm.high is not None:
        ax.axhspan(arm.low, arm.high, color=MUTED, alpha=0.15, linewidth=0)
    ax.axhline(arm.mean or 0.0, color=INK, linewidth=1.2, linestyle=DASHES[2])


def _line(ax: Axes, arms: Sequence[TicketArm], sparsities: Sequence[float], place: int, colour: str) -> None:
    xs = [sparsities.index(arm.sparsity) + (place - 2.5) * _BESIDE for arm in arms]
    ax.plot(xs, [arm.mean or 0.0 for arm in arms], color=colour, marker=MARKERS[place - 1], linestyle=DASHES[place - 1])
    for x, arm in zip(xs, arms, strict=True):
        if arm.low is not None and arm.high is not None:
            ax.plot([x, x], [arm.low, arm.high], color=colour, linewidth=1.4)


@styled
def luck_drawn_anew(one: Tickets) -> Figure:
    """Lucky and unlucky weights: the run that they were chosen by, and new runs from the same weights."""
    figure, ax = canvas(HALF, 3.6)
    shown = [weights for weights in one.relived if weights.mean is not None]
    if not shown:
        empty(ax, "no weights have been trained again yet")
        return figure
    for place, weights in enumerate(shown):
        _weights(ax, weights, (place - (len(shown) - 1) / 2) / len(shown), BLUE if weights.lucky else ORANGE)
    again = one.arm("again")
    if again.mean is not None:
        ax.axhline(again.mean, color=MUTED, linewidth=1, linestyle=DASHES[2], zorder=0)
    ax.set_xticks([_TRIED, _ANEW], ["the run they\nwere chosen by", "the same weights,\nall else new"])
    ax.tick_params(axis="x", labelcolor=INK)
    ax.set_xlim(-0.3, 1.3)
    ax.set_title(f"score of {short(one.agent)}")
    plain_numbers(ax, "y")
    ends = [(_mean(shown, side), text, colour) for side, text, colour in _SIDES if any(w.lucky == side for w in shown)]
    if again.mean is not None:
        ends.append((again.mean, "all weights", MUTED))
    end_labels(ax, 1.28, ends)
    return figure


_SIDES = ((True, "lucky", BLUE), (False, "unlucky", ORANGE))


def _weights(ax: Axes, one: Relived, beside: float, colour: str) -> None:
    left, right = _TRIED + 0.2 * beside, _ANEW + 0.5 * beside
    ax.plot([left, right], [one.original, one.mean or 0.0], color=colour, linewidth=1, alpha=0.6)
    ax.plot([left], [one.original], marker="o" if one.lucky else "s", color=colour, linestyle="none")
    ax.scatter([right] * len(one.scores), one.scores, s=9, color=colour, alpha=0.45, linewidth=0)
    if one.low is not None and one.high is not None:
        ax.plot([right, right], [one.low, one.high], color=colour, linewidth=1.8)
    ax.plot([right], [one.mean or 0.0], marker="D", color=colour, markersize=5, linestyle="none")


def _mean(shown: Sequence[Relived], lucky: bool) -> float:
    """Where the label stands: in the middle of its marks."""
    places = [weights.mean or 0.0 for weights in shown if weights.lucky == lucky]
    return sum(places) / len(places)
