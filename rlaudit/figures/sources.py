"""Where the variance of scores comes from: its parts, and what is left of it where seeds are fixed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from rlaudit.figures.style import BLUE, BROWN, GREEN, HALF, INK, MUTED, ORANGE, PINK, canvas, empty, short, styled
from rlaudit.results import ShareOf, Sources
from rlaudit.wording import label_of, percent

_COLOURS = {"init": BLUE, "env": GREEN, "algo": PINK, "pairs": BROWN, "all": MUTED, "noise": ORANGE}
_HEIGHT = 0.62


@styled
def variance_sources(sources: Sources) -> Figure:
    """One bar for all of the variance, and its parts below it with their intervals."""
    parts = _parts(sources)
    figure, ax = canvas(HALF, 1.1 + 0.36 * (len(parts) + 1))
    if not parts:
        empty(ax, "nothing to take apart")
        return figure
    left = 0.0
    for row, (name, _, part) in enumerate(parts, 1):
        colour = _COLOURS[name]
        ax.barh(0, part.share, left=left, height=0.8, color=colour, linewidth=0)
        ax.barh(row, part.share, height=_HEIGHT, color=colour, linewidth=0)
        ax.plot([part.low, part.high], [row, row], color=INK, linewidth=1.6)
        _at_end(ax, row, percent(part.share))
        left += part.share
    ax.set_yticks(range(len(parts) + 1), [f"variance of {short(sources.agent, 16)}", *(text for _, text, _ in parts)])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.axhline(0.55, color=MUTED, linewidth=0.6)
    ax.set(xlim=(0, 1), ylim=(len(parts) + 0.5, -0.55))
    ax.set_title("what the variance of scores is made of")
    _percent(ax)
    return figure


@styled
def one_stream_fixed(sources: Sources) -> Figure:
    """The standard deviation that is left when one stream alone varies, and when it alone is fixed."""
    figure, ax = canvas(HALF, 2.6)
    if not sources.streams:
        empty(ax, "nothing to take apart")
        return figure
    for row, one in enumerate(sources.streams):
        for part, shift, marker, face in ((one.only_this, -0.16, "o", INK), (one.without_this, 0.16, "s", "none")):
            value, low, high = (end**0.5 for end in (part.share, part.low, part.high))
            colour = _COLOURS[one.stream]
            ax.plot([low, high], [row + shift] * 2, color=colour, linewidth=2)
            ax.plot([value], [row + shift], marker, color=colour, markerfacecolor=colour if face == INK else "none",
                    markeredgewidth=1.6, markersize=7)  # fmt: skip
            _at_end(ax, row + shift, percent(value))
    ax.axvline(1, color=MUTED, linewidth=0.8)
    ax.set_yticks(range(len(sources.streams)), [label_of(one.stream) for one in sources.streams])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set(xlim=(0, 1.02), ylim=(len(sources.streams) - 0.4, -0.95))
    ax.text(0.02, -0.7, "● only this one varies   □ only this one is fixed", color=INK, va="center", fontsize=9)
    ax.set_title("what is left of the standard deviation")
    _percent(ax)
    return figure


def _parts(sources: Sources) -> list[tuple[str, str, ShareOf]]:
    """(key, words, share), which add up to all of it."""
    triple = sources.triple
    if triple is None or sources.pairs is None:
        return []
    rest = "all three together" if sources.noise else "all three, and evaluation"
    return [
        *((one.stream, f"{label_of(one.stream)} alone", one.alone) for one in sources.streams),
        ("pairs", "two of them together", sources.pairs),
        ("all", rest, triple.of_total),
        *([("noise", "noise of evaluation", sources.noise)] if sources.noise else []),
    ]


def _at_end(ax: Axes, row: float, text: str) -> None:
    ax.annotate(text, (1, row), xytext=(8, 0), textcoords="offset points", va="center", annotation_clip=False)


def _percent(ax: Axes) -> None:
    ax.grid(visible=False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
