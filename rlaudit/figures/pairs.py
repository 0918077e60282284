"""Agent against agent: the effect, what few seeds would have said, and how many it takes."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.seeds import beside
from rlaudit.figures.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    HALF,
    INK,
    MARKERS,
    MUTED,
    ORANGE,
    PAPER,
    RED,
    RULE,
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
from rlaudit.results import Arm, PairAudit
from rlaudit.wording import label_of


@styled
def estimation(pair: PairAudit, a: Arm, b: Arm) -> Figure:
    """Every seed of both agents, and beside them the difference of the means with its interval and the margin."""
    figure = Figure(figsize=(HALF, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(5, 3))
    size = 26 if max(len(a.scores), len(b.scores)) <= 60 else 8
    for row, (arm, colour, marker) in enumerate(((a, BLUE, "o"), (b, ORANGE, "s"))):
        left.scatter(beside(row, arm.scores), arm.scores, s=size, color=colour, marker=marker, alpha=0.75, linewidth=0)
        if arm.mean is not None:
            left.plot([row - 0.28, row + 0.28], [arm.mean] * 2, color=INK, linewidth=2, solid_capstyle="butt")
    left.set_xticks([0, 1], [short(a.agent, 14), short(b.agent, 14)])
    left.set_xlim(-0.6, 1.6)
    left.tick_params(axis="x", labelcolor=INK)
    left.set_title("every seed, and the means")
    plain_numbers(left, "y")
    _effect(right, pair)
    return figure


def _effect(ax: Axes, pair: PairAudit) -> None:
    ax.set_title("difference")
    if pair.effect is None:
        empty(ax, "cannot be said")
        return
    ax.axhline(0, color=INK, linewidth=1)
    if pair.margin:
        ax.axhspan(-pair.margin, pair.margin, color=GREEN, alpha=0.14, linewidth=0)
        ax.text(0.98, pair.margin, "margin", transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=GREEN)
    if pair.low is not None and pair.high is not None:
        ax.plot([0, 0], [pair.low, pair.high], color=INK, linewidth=2)
    ax.plot([0], [pair.effect], "D", color=INK, markersize=7)
    ax.set_xlim(-1, 1)
    ax.set_xticks([0], [f"{short(pair.a, 9)} − {short(pair.b, 9)}"])
    plain_numbers(ax, "y")


@styled
def forest(pairs: Sequence[PairAudit]) -> Figure:
    """All differences of the means with their intervals; filled where the audit decided, hollow where it did not."""
    figure, ax = canvas(WIDE, 0.9 + 0.34 * len(pairs))
    several = len({pair.task for pair in pairs}) > 1
    for row, pair in enumerate(pairs):
        if pair.effect is None:
            continue
        undecided = pair.verdict.is_open
        colour = MUTED if undecided else BLUE
        if pair.low is not None and pair.high is not None:
            ax.plot([pair.low, pair.high], [row, row], color=colour, linewidth=1.6)
        ax.plot([pair.effect], [row], "o" if undecided else "D", color=colour, markersize=6,
                markerfacecolor=PAPER if undecided else colour)  # fmt: skip
    ax.axvline(0, color=INK, linewidth=1)
    names = [f"{short(pair.a, 14)} − {short(pair.b, 14)}" for pair in pairs]
    tasks = [f", {short(pair.task, 16)}" if several else "" for pair in pairs]
    ax.set_yticks(range(len(pairs)), [name + task for name, task in zip(names, tasks, strict=True)])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set(xlabel="difference of the means", ylabel="")
    plain_numbers(ax, "x")
    return figure


@styled
def few_seeds(pair: PairAudit) -> Figure:
    """What n seeds an agent would have concluded: shares of right, undecided and wrong, stacked."""
    figure, ax = canvas(HALF, 3.5)
    shown = [
        (subset.group_size, subset.tests[pair.decided_by]) for subset in pair.subsets if pair.decided_by in subset.tests
    ]
    if not shown:
        empty(ax, "too few seeds to draw groups from")
        return figure
    x = range(len(shown))
    right, undecided, wrong = ([getattr(test, name) for _, test in shown] for name in ("right", "undecided", "wrong"))
    middle = [r + u for r, u in zip(right, undecided, strict=True)]
    ax.bar(x, right, width=0.8, color=BLUE, alpha=0.85)
    ax.bar(x, undecided, width=0.8, bottom=right, color=RULE)
    ax.bar(x, wrong, width=0.8, bottom=middle, color=RED, linewidth=0)
    every = -(-len(shown) // 10)
    ax.set_xticks(list(x)[::every], [f"{size:,}" for size, _ in shown][::every])
    ax.set(xlabel="seeds an agent", ylim=(0, 1), xlim=(-0.6, len(shown) - 0.4))
    ax.set_title(f"what {label_of(pair.decided_by)} would have said")
    percent_axis(ax)
    ax.grid(visible=False)
    last = shown[-1][1]
    ends = [(last.right / 2, "right", BLUE), (last.right + last.undecided / 2, "undecided", MUTED), (1.0, "wrong", RED)]
    end_labels(ax, len(shown) - 0.5, ends)
    return figure


@styled
def wrong_sign(pair: PairAudit) -> Figure:
    """How often the agent with the lower pool mean has the higher mean of n seeds, with an interval over seeds."""
    figure, ax = canvas(HALF, 3.5)
    if not pair.subsets:
        empty(ax, "too few seeds to draw groups from")
        return figure
    sizes = [subset.group_size for subset in pair.subsets]
    ax.plot(sizes, [subset.wrong_sign for subset in pair.subsets], color=RED, marker="o")
    for subset in pair.subsets:
        if subset.wrong_sign_low is not None and subset.wrong_sign_high is not None:
            ax.plot(
                [subset.group_size] * 2,
                [subset.wrong_sign_low, subset.wrong_sign_high],
                color=RED,
                linewidth=1,
                alpha=0.6,
            )
    ax.axhline(0.5, color=INK, linewidth=1, linestyle=DASHES[1])
    ax.set_title("draws that name the other agent")
    ax.set(xlabel="seeds an agent", ylim=(0, max(0.55, *(subset.wrong_sign_high or 0 for subset in pair.subsets))))
    sizes_axis(ax, sizes)
    end_labels(ax, sizes[-1] * 1.12, [(0.5, "coin flip", INK)])
    percent_axis(ax)
    return figure


@styled
def power(pair: PairAudit) -> Figure:
    """Power of Welch's test against seeds an agent for three true gains, and the seeds that the gain seen needs."""
    figure, ax = canvas(HALF, 3.6)
    gains = sorted({gain for gain, _, _ in pair.power_curve})
    sizes = sorted({n for _, n, _ in pair.power_curve})
    needed = pair.seeds_needed
    if not sizes or needed is None:
        empty(ax, "no power curve")
        return figure
    for place, gain in enumerate(gains):
        line = [(n, share) for g, n, share in pair.power_curve if g == gain]
        ax.plot(*zip(*line, strict=True), color=COLOURS[place], linestyle=DASHES[place], marker=MARKERS[place],
                markevery=3)  # fmt: skip
        middle = min(line, key=lambda point: abs(point[1] - 0.45))
        aside = (-6, 4, "right") if place == len(gains) - 1 else (9, -4, "left")  # the steepest has room on its left
        ax.annotate(f"{gain:g} sd", middle, aside[:2], textcoords="offset points", ha=aside[2], color=COLOURS[place])
    ax.axhline(needed.power, color=INK, linewidth=1, linestyle=DASHES[1])
    sizes_axis(ax, sizes)
    ax.set_ylim(0, 1.02)
    if needed.n is not None:
        _cross_hair(ax, needed.n, needed.low, needed.high, needed.power)
    percent_axis(ax)
    ax.set_title("power, for a true gain of so many sd")
    ax.set(xlabel="seeds an agent")
    return figure


def _cross_hair(ax: Axes, n: int, low: int | None, high: int | None, power: float) -> None:
    """The seeds needed on the line of the power asked for; where the interval leaves the picture an arrow says so."""
    left, right = ax.get_xlim()
    right = max(right, min(2.5 * n, 20 * right))
    ax.set_xlim(left, right)
    end = high if high is not None and high < right else None
    ax.plot(
        [max(low or 2, left), end or right / 1.02],
        [power, power],
        color=RED,
        linewidth=4,
        alpha=0.35,
        solid_capstyle="butt",
    )
    if end is None:
        ax.plot([right / 1.03], [power], marker=">", color=RED, markersize=7, clip_on=False)
    if n < right:
        ax.plot([n, n], [0, power], color=RED, linewidth=1.2)
        ax.plot([n], [power], "o", color=RED, markersize=7)
        ax.annotate(f"{n:,} seeds", (n, 0.06), xytext=(6, 0), textcoords="offset points", color=RED)


@styled
def exaggeration(pair: PairAudit) -> Figure:
    """How many times a significant difference overstates that of the full pools (type M), against seeds an agent."""
    figure, ax = canvas(HALF, 3.5)
    tests = {
        name: [(s.group_size, s.tests[name].type_m) for s in pair.subsets if name in s.tests] for name in _shown(pair)
    }
    lines = {name: [(n, m) for n, m in line if m is not None] for name, line in tests.items()}
    lines = {name: line for name, line in lines.items() if line}
    if not lines:
        empty(ax, "no draw of so few seeds is significant")
        return figure
    ends = []
    for place, (name, line) in enumerate(lines.items()):
        ax.plot(*zip(*line, strict=True), color=COLOURS[place], marker=MARKERS[place], linestyle=DASHES[place])
        ends.append((line[-1][1], label_of(name), COLOURS[place]))
    ax.axhline(1, color=INK, linewidth=1, linestyle=DASHES[1])
    sizes_axis(ax, sorted({n for line in lines.values() for n, _ in line}))
    ax.set_ylim(0, 1.1 * max(1.5, *(m for line in lines.values() for _, m in line)))
    ax.set_title("times too large, if significant")
    ax.set(xlabel="seeds an agent")
    end_labels(ax, ax.get_xlim()[1], [*ends, (1.0, "full pools", INK)])
    return figure


def _type_m(pair: PairAudit, test: str) -> list[tuple[int, float]]:
    shown = [(one.group_size, one.tests[test].type_m) for one in pair.subsets if test in one.tests]
    return [(n, times) for n, times in shown if times is not None]


def _shown(pair: PairAudit) -> list[str]:
    """The deciding test and the exact one; the others would lie upon them."""
    return list(dict.fromkeys([pair.decided_by, "permutation"]))
