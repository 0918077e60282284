"""What the runs say of stated claims: differences, and where each claim holds."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlaudit.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    RED,
    WIDE,
    plain_numbers,
    short,
    styled,
)  # fmt: skip
from rlaudit.results import Claim

_LOOKS = {  # state -> colour, marker
    "supported": (BLUE, "D"), "contradicted": (RED, "X"), "undecided": (MUTED, "o"), "fragile": (ORANGE, "s"),
}  # fmt: skip
_REACH = 3  # an end of an interval that lies so many times beyond all differences and bounds leaves the picture


@styled
def claim_intervals(claims: Sequence[Claim], higher_is_better: bool = True) -> Figure:
    """The difference behind each claim with the interval that decides, on the ground where the claim holds."""
    tasks = list(dict.fromkeys(claim.task for claim in claims))
    rows = [[claim for claim in claims if claim.task == task] for task in tasks]
    figure = Figure(figsize=(WIDE, 0.6 + sum(0.42 * len(mine) + 0.62 for mine in rows)), layout="constrained")
    axes = figure.subplots(len(tasks), 1, squeeze=False, height_ratios=[len(mine) + 0.6 for mine in rows])[:, 0]
    for ax, task, mine in zip(axes, tasks, rows, strict=True):
        _panel(ax, mine, 1 if higher_is_better else -1)
        ax.set_title(short(task, 60) if len(tasks) > 1 else "green: where the claim holds")
    better = "A's mean minus B's" if higher_is_better else "B's mean minus A's (lower is better)"
    axes[-1].set_xlabel(f"how much better A is: {better}")
    return figure


def _panel(ax: Axes, claims: Sequence[Claim], sign: int) -> None:
    low, high = _limits(claims, sign)
    ax.set_xlim(low, high)
    for row, claim in enumerate(claims):
        start, end = _holds(claim)
        left, right = max(start, low), min(end, high)
        ax.fill_between([left, right], row - 0.4, row + 0.4, color=GREEN, alpha=0.14, linewidth=0)
        for bound in (start, end):
            if low < bound < high:
                ax.plot([bound, bound], [row - 0.4, row + 0.4], color=GREEN, linewidth=1.4)
        _difference(ax, row, claim, sign)
        ax.annotate(claim.state, (1, row), xycoords=ax.get_yaxis_transform(), xytext=(8, 0),
                    textcoords="offset points", color=_LOOKS[claim.state][0], va="center",
                    annotation_clip=False)  # fmt: skip
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(claims)), [short(_words(claim), 40) for claim in claims])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(claims) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    plain_numbers(ax, "x")


def _words(claim: Claim) -> str:
    """Without the task, which stands above."""
    return claim.text.removesuffix(f" on {claim.task}")


def _holds(claim: Claim) -> tuple[float, float]:
    """From where to where the claim is true."""
    margin = claim.margin or 0.0
    return -margin, margin if claim.relation == "==" else float("inf")


def _difference(ax: Axes, row: int, claim: Claim, sign: int) -> None:
    """Filled where the claim is decided; below a fragile one what is left without the seeds that carry it."""
    colour, marker = _LOOKS[claim.state]
    if claim.effect is None:
        ax.text(0.5, row, "too few seeds", transform=ax.get_yaxis_transform(), ha="center", va="center", color=MUTED)
        return
    flip = claim.removal if claim.state == "fragile" else None
    at = row - 0.14 if flip else row
    if claim.low is not None and claim.high is not None:
        ax.plot([sign * claim.low, sign * claim.high], [at, at], color=colour, linewidth=2)
    face = PAPER if claim.state == "undecided" else colour
    ax.plot([sign * claim.effect], [at], marker, color=colour, markersize=7, markerfacecolor=face)
    if flip and flip.effect is not None and flip.low is not None and flip.high is not None:
        ax.plot(
            [sign * flip.low, sign * flip.high], [row + 0.2] * 2, color=colour, linewidth=1.2, linestyle=(0, (4, 2))
        )
        ax.plot([sign * flip.effect], [row + 0.2], marker, color=colour, markersize=5, markerfacecolor=PAPER)


def _limits(claims: Sequence[Claim], sign: int) -> tuple[float, float]:
    """Room for all differences, bounds and intervals, but for ends far away."""
    points = [0.0, *(sign * claim.effect for claim in claims if claim.effect is not None)]
    points += [bound for claim in claims for bound in _holds(claim) if abs(bound) < float("inf")]
    low, high = min(points), max(points)
    reach = _REACH * (high - low or 1.0)
    intervals = [
        sign * end
        for claim in claims
        for one in (claim, claim.removal if claim.state == "fragile" else None)
        for end in ((one.low, one.high) if one else ())
        if end is not None
    ]
    low = max(min([low, *intervals]), low - reach)
    high = min(max([high, *intervals]), high + reach)
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room
