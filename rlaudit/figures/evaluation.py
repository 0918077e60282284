"""Seeds or evaluation episodes: where the variance of scores comes from, and what more of each would buy."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from rlaudit.figures.style import BLUE, HALF, INK, ORANGE, canvas, empty, short, styled
from rlaudit.results import EvaluationNoise
from rlaudit.wording import percent

_MOST = 12  # agents in one picture
_TWICE_THE_SEEDS = 1 - 0.5**0.5


@styled
def evaluation_noise(noises: Sequence[EvaluationNoise]) -> Figure:
    """A bar for each agent: the shares of the variance of a score that come from the seed, and from its evaluation."""
    shown = [one for one in noises if one.share is not None][:_MOST]
    figure, ax = canvas(HALF, 1.5 + 0.42 * max(2, len(shown)))
    if not shown:
        empty(ax, "all seeds have the same score")
        return figure
    several = len({one.task for one in shown}) > 1
    for row, one in enumerate(shown):
        assert one.share is not None
        ax.barh(row, one.share, height=0.62, color=ORANGE, linewidth=0)
        ax.barh(row, 1 - one.share, left=one.share, height=0.62, color=BLUE, alpha=0.8, linewidth=0)
        if one.low is not None and one.high is not None:
            ax.plot([one.low, one.high], [row, row], color=INK, linewidth=2.2)
        ax.annotate(percent(one.share), (1, row), xytext=(6, 0), textcoords="offset points", va="center", color=ORANGE,
                    annotation_clip=False)  # fmt: skip
    names = [short(one.agent, 16) + (f", {short(one.task, 14)}" if several else "") for one in shown]
    ax.set_yticks(range(len(shown)), names)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set(xlim=(0, 1), ylim=(len(shown) - 0.4, -1.1))
    ax.text(0, -0.62, "evaluation noise", color=ORANGE, va="center", fontsize=9)
    ax.text(1, -0.62, "differences between seeds", color=BLUE, va="center", ha="right", fontsize=9)
    ax.set_title("what the variance of scores is made of")
    ax.grid(visible=False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    return figure


@styled
def more_of_what(noise: EvaluationNoise) -> Figure:
    """By how much the standard error of one agent's mean shrinks with more episodes, and with more seeds."""
    figure, ax = canvas(HALF, 2.34)
    if noise.doubled is None or noise.endless is None:
        empty(ax, "nothing to gain: all seeds have the same score")
        return figure
    bars = (
        ("twice the episodes", noise.doubled, noise.doubled_low, noise.doubled_high, ORANGE),
        ("endless episodes", noise.endless, noise.endless_low, noise.endless_high, ORANGE),
        ("twice the seeds", _TWICE_THE_SEEDS, None, None, BLUE),
    )
    for row, (_, value, low, high, colour) in enumerate(bars):
        ax.barh(row, value, height=0.62, color=colour, alpha=0.85, linewidth=0)
        if low is not None and high is not None:
            ax.plot([low, high], [row, row], color=INK, linewidth=2.2)
        ax.annotate(percent(value), (max(value, high or 0), row), xytext=(6, 0), textcoords="offset points",
                    va="center", color=colour)  # fmt: skip
    ax.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set(ylim=(len(bars) - 0.4, -0.6), xlim=(0, min(1.0, 1.2 * max(bar[3] or bar[1] for bar in bars))))
    ax.set_title(f"how much surer the mean of {short(noise.agent)} gets")
    ax.set(xlabel="smaller standard error of the mean")
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    return figure
