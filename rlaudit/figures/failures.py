"""Seeds that stand apart, and what a comparison says without them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.seeds import beside
from rlaudit.figures.style import (
    BLUE,
    HALF,
    INK,
    MUTED,
    ORANGE,
    RED,
    WIDE,
    canvas,
    empty,
    end_labels,
    plain_numbers,
    short,
    styled,
)  # fmt: skip
from rlaudit.results import Arm, Carrier, FailureAudit, Outlier, PairAudit
from rlaudit.types import SeedLabel
from rlaudit.wording import p_text

_NAMED = 3  # outliers of an agent
FAILED = "failed, put at the worst score of the task"
_KINDS: dict[str, dict[str, Any]] = {
    "finished": {"s": 18, "color": BLUE, "alpha": 0.6, "linewidth": 0},
    "stuck: fell behind early": {"s": 42, "color": ORANGE, "marker": "v", "linewidth": 0},
    "outlier": {"s": 42, "color": RED, "marker": "D", "linewidth": 0},
    FAILED: {"s": 46, "color": INK, "marker": "x", "linewidth": 1.6},
}


@styled
def seeds_apart(arms: Sequence[Arm], audits: Sequence[FailureAudit] = ()) -> Figure:
    """Every seed; outliers, stuck and failed ones with marks of their own."""
    figure, ax = canvas(WIDE, 1.35 + 0.62 * len(arms))
    audit_of = {(audit.agent, audit.task): audit for audit in audits}
    shown = [_draw_arm(ax, row, arm, audit_of.get((arm.agent, arm.task))) for row, arm in enumerate(arms)]
    if not any(shown):
        empty(ax, "no seed has a score")
        return figure
    ax.set_yticks(range(len(arms)), [short(arm.agent) for arm in arms])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(arms) - 0.4, -0.7)
    if "outlier" in set().union(*shown):
        ax.margins(x=0.12)  # room for a name
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)
    ax.set(xlabel="score of a seed", ylabel="")
    plain_numbers(ax, "x")
    seen = {kind for kinds in shown for kind in kinds}
    marks = [ax.scatter([], [], **style) for kind, style in _KINDS.items() if kind in seen]
    figure.legend(
        marks, [kind for kind in _KINDS if kind in seen], loc="outside upper left", ncols=2, handletextpad=0.2
    )
    return figure


def _draw_arm(ax: Axes, row: int, arm: Arm, audit: FailureAudit | None) -> set[str]:
    """Draws one agent and says which kinds of seeds it has."""
    outliers, stuck = (audit.outliers, audit.stuck) if audit else ((), None)
    kind_of: dict[SeedLabel, str] = {one.seed: "outlier" for one in outliers}
    kind_of.update({run.seed: "stuck: fell behind early" for run in (stuck.runs if stuck else ())})
    kinds = [kind_of.get(seed, "finished") for seed in arm.seeds]
    places = beside(row, arm.scores)
    for kind in set(kinds):
        points = [(score, y) for score, y, one in zip(arm.scores, places, kinds, strict=True) if one == kind]
        ax.scatter(*zip(*points, strict=True), zorder=3 + (kind != "finished"), **_KINDS[kind])
    named: list[float] = []
    width = 0.1 * (max(arm.scores) - min(arm.scores)) if outliers else 0.0  # of a name
    for one in outliers[:_NAMED]:
        if all(abs(one.score - score) > width for score in named):
            _name(ax, one, places[arm.seeds.index(one.seed)])
            named.append(one.score)
    if not arm.failed or audit is None or audit.floor is None:
        return set(kinds)
    ax.scatter([audit.floor] * len(arm.failed), beside(row, [audit.floor] * len(arm.failed)), zorder=5,
               **_KINDS[FAILED])  # fmt: skip
    return {*kinds, FAILED}


def _name(ax: Axes, one: Outlier, y: float) -> None:
    """On the side that is away from the other seeds."""
    low = one.distance < 0
    ax.annotate(
        short(f"seed {one.seed}", 18), (one.score, y), xytext=(-8 if low else 8, 0), textcoords="offset points",
        fontsize=8, color=RED, ha="right" if low else "left", va="center", annotation_clip=False,
    )  # fmt: skip


@styled
def stuck_runs(arm: Arm, audit: FailureAudit | None = None) -> Figure:
    """Learning curves of the runs that fell behind, and the region in which one more of the others is expected."""
    figure, ax = canvas(HALF, 3.5)
    ax.set_title(f"{short(arm.agent, 24)}: mean of each tenth of training")
    stuck = audit.stuck if audit else None
    if stuck is None:
        empty(ax, "no run is stuck")
        return figure
    band = [
        (x, middle, 2 * middle - edge, edge)
        for x, middle, edge in zip(stuck.steps, stuck.others, stuck.edge, strict=True)
        if middle is not None and edge is not None
    ]
    ends = []
    if band:
        x, middles, tops, bottoms = zip(*band, strict=True)
        ax.fill_between(x, bottoms, tops, color=BLUE, alpha=0.15, linewidth=0)
        ax.plot(x, middles, color=BLUE)
        ends.append((middles[-1], f"{arm.n_seeds - len(stuck.runs)} others", BLUE))
    lines = [[(x, y) for x, y in zip(stuck.steps, run.curve, strict=True) if y is not None] for run in stuck.runs]
    for line in filter(None, lines):
        ax.plot(*zip(*line, strict=True), color=ORANGE, linewidth=1.3, marker="v", markersize=4)
        ends = [*ends[:1], (line[-1][1], f"{len(stuck.runs)} stuck", ORANGE)]
    ax.set(xlabel="timesteps", ylabel="")
    plain_numbers(ax, "x")
    plain_numbers(ax, "y")
    ax.locator_params(axis="x", nbins=5)
    end_labels(ax, stuck.steps[-1], ends)
    return figure


@styled
def without_seeds(pair: PairAudit, carrier: Carrier | None = None) -> Figure:
    """The difference with all seeds, and with some of them changed: intervals below each other, with their p-values."""
    rows = list(_rows(pair, carrier))
    figure, ax = canvas(WIDE, 1.15 + 0.36 * len(rows))
    for place, row in enumerate(rows):
        colour = RED if row.turns else BLUE if place else INK
        if row.low is not None and row.high is not None:
            ax.plot([row.low, row.high], [place, place], color=colour, linewidth=2)
        if row.effect is not None:
            ax.plot([row.effect], [place], "D" if row.turns else "o", color=colour, markersize=7)
        text = p_text(row.p_value) + (": the verdict turns" if row.turns else "")
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center", color=RED if row.turns else MUTED)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(rows)), [row.name for row in rows])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set_title(f"{short(pair.a, 24)} − {short(pair.b, 24)}")
    ax.set(xlabel="difference of the means", ylabel="")
    plain_numbers(ax, "x")
    return figure


class _Row(NamedTuple):
    name: str
    effect: float | None
    low: float | None
    high: float | None
    p_value: float | None
    turns: bool = False


def _rows(pair: PairAudit, carrier: Carrier | None) -> Iterator[_Row]:
    result = pair.tests[pair.decided_by]
    if carrier is None:
        yield _Row("all seeds", pair.effect, pair.low, pair.high, result.p_value)
        return
    ends = (pair.low, pair.high) if carrier.agent else (result.low, result.high)
    failed = any(one.change == "failed" for one in carrier.others)
    yield _Row("all that finished" if failed else "all seeds", carrier.effect, *ends, carrier.p_value)
    whose = f" of {short(carrier.agent, 14)}" if carrier.agent else " of both"
    yield _Row(
        f"without seed {short(str(carrier.seed), 12)}{whose}", carrier.effect_without, carrier.low_without,
        carrier.high_without, carrier.p_without, carrier.turns,
    )  # fmt: skip
    for one in carrier.others:
        name = CHANGES[one.change, one.n_changed == 1].format(n=one.n_changed)
        yield _Row(name, one.effect, one.low, one.high, one.p_value, one.turns)


CHANGES = {
    ("farthest outlier", True): "without the farthest outlier",
    ("outliers", True): "without the outlier",
    ("outliers", False): "without all {n} outliers",
    ("stuck", True): "without the stuck run",
    ("stuck", False): "without {n} stuck runs",
    ("failed", True): "failed seed as the worst score",
    ("failed", False): "{n} failed seeds as the worst score",
}
