"""How far each trial is the same run."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rlaudit.figures.style import BLUE, INK, MUTED, ORANGE, WIDE, canvas, empty, plain_numbers, short, styled
from rlaudit.results import Reproduction, Trial
from rlaudit.wording import on

_GROUPS = {
    "same": "must be the same run",
    "seed": "must be another run",
    "change": "one circumstance changed: still the same run?",
    "source": "two trials each, with one source held still",
}


@styled
def same_run(one: Reproduction) -> Figure:
    """A row for each trial and a bar along its steps: one colour while it is the same run, another one from then on."""
    rows = _rows(one.trials)
    figure, ax = canvas(WIDE, 1.1 + 0.27 * max(3, len(rows)))
    if not rows:
        empty(ax, "no trial could be compared")
        return figure
    reach = max(trial.steps for trial in one.trials) or 1
    for y, row in enumerate(rows):
        if isinstance(row, Trial):
            _bar(ax, y, row, reach)
        else:
            ax.text(0, y + 0.1, row, color=MUTED, va="center", fontsize=9)
    places = [(y, row) for y, row in enumerate(rows) if isinstance(row, Trial)]
    ax.set_yticks([y for y, _ in places], [short(row.label, 44) for _, row in places])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set(xlim=(0, reach * 1.3), ylim=(len(rows) - 0.4, -0.7), xlabel="timesteps")
    ax.grid(visible=False)
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= reach])
    plain_numbers(ax, "x")
    ax.set_title(f"{short(one.agent)}{on(short(one.task))}, seed {one.seed}: how far each trial is the same run")
    handles = [Line2D([], [], color=colour, linewidth=7) for colour in (BLUE, ORANGE)]
    figure.legend(handles, ["the same to the bit", "another run"], loc="outside lower right", ncols=2)
    return figure


def _rows(trials: Sequence[Trial]) -> list[Trial | str]:
    """Each group under its name."""
    rows: list[Trial | str] = []
    for kind, title in _GROUPS.items():
        mine = [trial for trial in trials if trial.kind == kind and not trial.error]
        rows += [title, *mine] if mine else []
    return rows


def _bar(ax: Axes, y: int, trial: Trial, reach: int) -> None:
    first = trial.first
    end = max(trial.steps, reach / 200)
    same = end if first is None else min(end, first.after or 0)
    ax.barh(y, same, height=0.6, color=BLUE, linewidth=0)
    ax.barh(y, end - same, left=same, height=0.6, color=ORANGE, linewidth=0)
    said = "same" if first is None else f"{first.channel}, step {'?' if first.step is None else f'{first.step:,}'}"
    ax.annotate(said, (end, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5,
                color=BLUE if first is None else ORANGE)  # fmt: skip
