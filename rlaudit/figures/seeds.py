"""What the seeds look like, and what they say of one agent against itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from rlaudit.figures.style import (
    BLUE,
    COLOURS,
    DASHES,
    HALF,
    INK,
    MARKERS,
    MUTED,
    ORANGE,
    PAPER,
    RED,
    WIDE,
    canvas,
    empty,
    end_labels,
    percent_axis,
    plain_numbers,
    short,
    sizes_axis,
    styled,
)  # fmt: skip
from rlaudit.results import Arm, SplitAudit
from rlaudit.wording import label_of, percent

_GAPS = (("median", "median", BLUE), ("p95", "95th percentile", ORANGE), ("max", "worst", RED))
_COLUMNS = 3  # panels side by side
_RATES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
_CROSSES = 6  # more failed seeds than this are a number only
_NAMED_ARMS = 3  # up to here the lowest and the highest seed are named


@styled
def seed_strip(arms: Sequence[Arm]) -> Figure:
    """Every seed as a point, quartiles as a box, the IQM with its interval; failed seeds at the right."""
    figure, ax = canvas(WIDE, 1.0 + 0.72 * len(arms))
    if not any(arm.scores for arm in arms):
        empty(ax, "no seed has a score")
        return figure
    for row, arm in enumerate(arms):
        _row(ax, row, arm, BLUE, named=len(arms) <= _NAMED_ARMS)
    ax.set_yticks(range(len(arms)), [short(arm.agent) for arm in arms])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(arms) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_title(short(arms[0].task, 60))
    ax.set(xlabel="score of a seed", ylabel="")
    plain_numbers(ax, "x")
    return figure


def _row(ax: Axes, row: int, arm: Arm, colour: str, *, named: bool) -> None:
    if arm.scores:
        sns.boxplot(
            x=list(arm.scores), y=[row] * len(arm.scores), orient="h", native_scale=True, width=0.42, color=PAPER,
            saturation=1, showfliers=False, linecolor=MUTED, linewidth=0.9, ax=ax,
        )  # fmt: skip
        ax.scatter(arm.scores, beside(row, arm.scores), s=20, color=colour, alpha=0.75, linewidth=0, zorder=3)
    if arm.iqm is not None:
        if arm.iqm_low is not None and arm.iqm_high is not None:
            ax.plot([arm.iqm_low, arm.iqm_high], [row + 0.34] * 2, color=RED, linewidth=1.6, zorder=4)
        ax.plot([arm.iqm], [row + 0.34], marker="D", color=RED, markersize=5, zorder=5)
    if named and len(arm.scores) > 1:
        _name_ends(ax, row, arm)
    if arm.n_failed:
        text = f"{'× ' * min(arm.n_failed, _CROSSES)} {arm.n_failed} failed"
        ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", color=RED)


def beside(row: int, scores: Sequence[float]) -> list[float]:
    """Places across the row by the golden ratio: spread out, and the same at every run (a jitter would not be)."""
    order = {i: place for place, i in enumerate(sorted(range(len(scores)), key=lambda i: scores[i]))}
    return [row + 0.3 * ((0.618034 * order[i]) % 1 - 0.5) for i in range(len(scores))]


def _name_ends(ax: Axes, row: int, arm: Arm) -> None:
    ends = {arm.scores.index(min(arm.scores)): "left", arm.scores.index(max(arm.scores)): "right"}
    for i, side in ends.items():
        label = short(f"seed {arm.seeds[i]}", 18)
        ax.annotate(
            label, (arm.scores[i], row - 0.3), ha="left" if side == "left" else "right", va="bottom", fontsize=8,
            color=MUTED, annotation_clip=False,
        )  # fmt: skip


@styled
def gap_by_group_size(splits: Sequence[SplitAudit]) -> Figure:
    """The gap between two groups of one agent's seeds: median, 95th percentile and worst, against seeds a side.

    In shares of the pool's mean where there is one, in units of the score otherwise.
    """
    figure, ax = canvas(HALF, 3.5)
    if not any(split.gap.max for split in splits):
        empty(ax, "all seeds have the same score")
        return figure
    sizes, relative = [split.group_size for split in splits], all(split.relative_gap for split in splits)
    units = [split.relative_gap.p95 / split.gap.p95 if split.relative_gap and split.gap.p95 else 1 for split in splits]
    units = units if relative else [1.0] * len(splits)
    ends = []
    for place, (field, name, colour) in enumerate(_GAPS):
        gaps = [getattr(split.gap, field) * unit for split, unit in zip(splits, units, strict=True)]
        ax.plot(sizes, gaps, color=colour, marker=MARKERS[place], linestyle=DASHES[place])
        ends.append((gaps[-1], name, colour))
    expected = [split.normal_gap.p95 * unit for split, unit in zip(splits, units, strict=True)]
    ax.plot(sizes, expected, "s", markerfacecolor="none", markeredgecolor=MUTED, markersize=9, linestyle="none")
    ax.set_ylim(bottom=0)
    sizes_axis(ax, sizes)
    percent_axis(ax) if relative else plain_numbers(ax, "y")
    ax.set_title("gap between the two means" + (", of the mean" if relative else ""))
    ax.set(xlabel="seeds a side")
    end_labels(ax, sizes[-1], ends)
    return figure


@styled
def p_histogram(split: SplitAudit, alpha: float = 0.05) -> Figure:
    """p-values of the deciding test over all splits of one agent; honest ones fill every bin alike."""
    figure, ax = canvas(HALF, 3.2)
    total = sum(split.p_histogram) or 1
    n_bins = len(split.p_histogram)
    for place, count in enumerate(split.p_histogram):
        small = (place + 1) / n_bins <= alpha + 1e-9
        ax.bar(
            (place + 0.5) / n_bins, count / total, width=0.86 / n_bins, color=RED if small else BLUE, alpha=0.85,
            linewidth=0,
        )  # fmt: skip
    ax.axhline(1 / n_bins, color=INK, linewidth=1.1, linestyle=DASHES[1])
    ax.set_ylim(0, 1.15 * max(max(split.p_histogram) / total, 1 / n_bins))
    ax.set_title("share of the splits")
    ax.set(xlabel="p-value", ylabel="", xlim=(0, 1))
    end_labels(ax, 1, [(1 / n_bins, "uniform", INK)])
    percent_axis(ax)
    return figure


@styled
def false_positives(splits: Sequence[SplitAudit], alpha: float = 0.05) -> Figure:
    """How often each test calls one agent two, against seeds a side: a panel for each test; hollow: normal seeds."""
    names = list(dict.fromkeys(name for split in splits for name in split.tests))
    n_rows = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(WIDE, 0.5 + 1.75 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for place, (ax, name) in enumerate(zip(panels, names, strict=False)):
        _test_panel(ax, splits, name, place, alpha)
    for ax in panels[len(names) :]:
        ax.set_visible(False)
    panels[0].set_yscale("function", functions=(np.sqrt, np.square))  # small rates matter, large ones must fit
    tops = [test.high or test.rate for split in splits for test in split.tests.values()]
    panels[0].set_ylim(0, min(1.0, 1.1 * max(*tops, 2 * alpha)))
    panels[0].set_yticks([tick for tick in _RATES if tick <= max(*tops, alpha)])
    panels[0].yaxis.set_minor_locator(NullLocator())
    percent_axis(panels[0])
    sizes_axis(panels[0], [split.group_size for split in splits])
    figure.supxlabel("seeds a side", fontsize=9.5, color=MUTED)
    return figure


def _test_panel(ax: Axes, splits: Sequence[SplitAudit], name: str, place: int, alpha: float) -> None:
    shown = [(split.group_size, split.tests[name]) for split in splits if name in split.tests]
    sizes = [size for size, _ in shown]
    style: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)]}
    ax.axhline(alpha, color=INK, linewidth=1, linestyle=DASHES[1], zorder=1)
    ax.vlines(sizes, [_or(one.low, one.rate) for _, one in shown], [_or(one.high, one.rate) for _, one in shown],
              color=style["color"], linewidth=4, alpha=0.3)  # fmt: skip
    ax.plot(sizes, [one.rate for _, one in shown], linestyle=DASHES[place % len(DASHES)], clip_on=False, **style)
    ax.plot(sizes, [one.expected for _, one in shown], "o", markerfacecolor="none", color=MUTED, markersize=9)
    ax.set_title(label_of(name))


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


@styled
def wrong_winner(splits: Sequence[SplitAudit]) -> Figure:
    """How often the better of two agents has the lower mean: true gain (in standard deviations) by seeds a side."""
    gains = [gain for gain, _ in splits[0].wrong_winner][::-1] if splits else []
    figure, ax = canvas(HALF, 1.1 + 0.4 * max(len(gains), 2))
    if not gains:
        empty(ax, "no group size fits the pool")
        return figure
    shares = [[dict(split.wrong_winner).get(gain, float("nan")) for split in splits] for gain in gains]
    # From nothing to red: the page's own paper shows through where the share is small, in light and dark.
    fading = LinearSegmentedColormap.from_list("fading", [to_rgba(RED, 0.02), to_rgba(RED, 0.75)])
    sns.heatmap(shares, cmap=fading, vmin=0, vmax=0.5, cbar=False, linewidths=2, linecolor="none", ax=ax)
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            ax.text(column + 0.5, row + 0.5, percent(share), ha="center", va="center", fontsize=9.5)
    ax.set_xticks([i + 0.5 for i in range(len(splits))], [str(split.group_size) for split in splits], rotation=0)
    ax.set_yticks([i + 0.5 for i in range(len(gains))], [f"{gain:g} sd" for gain in gains], rotation=0)
    ax.set(xlabel="seeds an agent", ylabel="true gain")
    ax.grid(visible=False)
    return figure
