"""What a section is made of, and the choices that several sections share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup

from rlaudit.figures import FIGURES, to_svg
from rlaudit.results import Audit, PairAudit, SplitAudit
from rlaudit.types import Verdict
from rlaudit.wording import interval, number, percent

Cell: TypeAlias = str | int | float | None
Rows: TypeAlias = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class FigureHtml:
    """A drawn figure; its caption says how to read it."""

    svg: Markup
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """The numbers behind a section. A cell that is a number is sorted as one and shown with `number`."""

    caption: str
    head: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True)
class SectionHtml:
    """One question and its answer. All texts are plain: the template escapes them."""

    id: str
    question: str
    answer: tuple[str, ...]  # paragraphs; the first one answers
    figures: tuple[FigureHtml, ...] = ()
    tables: tuple[Table, ...] = ()
    method: tuple[str, ...] = ()  # how it was computed, with sources
    open_tables: bool = False  # a section that is its table


@dataclass(frozen=True)
class KeyFigure:
    """One number with its interval, large, on the first screen."""

    label: str
    value: str
    beside: str  # the interval, and what the number rests on


@dataclass(frozen=True)
class Page:
    """What an experiment of the laboratory puts on the first screen, and its table for the terminal."""

    identity: Callable[[Audit], Iterable[str]]  # what was done, in a few words each
    key_figures: Callable[[Audit], Iterable[KeyFigure]]  # the most telling first; four are shown
    pictures: Callable[[Audit], tuple[tuple[FigureHtml, ...], str]]  # and their common caption
    table: Callable[[Audit], Table]


Section: TypeAlias = Callable[[Audit], SectionHtml | None]


def figure(name: str, key: str, title: str, *parts: object, caption: str = "", wide: bool = False) -> FigureHtml:
    """Draws FIGURES[name]. `key` tells several of one kind apart; `title` is the alternative text, with the numbers."""
    svg = to_svg(FIGURES[name](*parts), f"{name.replace('_', '-')}-{key}", title)
    return FigureHtml(Markup(svg), caption, wide)


# ---------------------------------------------------------------- choices


def striking_split(audit: Audit) -> SplitAudit | None:
    """That of the arm whose own groups differ most: the one that is drawn where there is room for one."""
    return max(audit.at_few(), key=lambda one: one.relative_gap.p95 if one.relative_gap else 0, default=None)


def splits_of(audit: Audit, one: SplitAudit) -> tuple[SplitAudit, ...]:
    """All group sizes of the same arm, the smallest first."""
    mine = [split for split in audit.splits if (split.agent, split.task) == (one.agent, one.task)]
    return tuple(sorted(mine, key=lambda split: split.group_size))


# ---------------------------------------------------------------- words


def full_name(agent: str, task: str) -> str:
    """`a2c on CartPole-v1`; arrays in memory have no task."""
    return f"{agent} on {task}" if task else agent


def on_task(audit: Audit, agent: str, task: str) -> str:
    """`a2c`, and `a2c on CartPole-v1` where there is more than one task."""
    return full_name(agent, task) if len({arm.task for arm in audit.arms}) > 1 else agent


def versus(audit: Audit, pair: PairAudit) -> str:
    """`a2c against ppo`, with the task where there are several."""
    return on_task(audit, f"{pair.a} against {pair.b}", pair.task)


def level(audit: Audit) -> str:
    """`95 %`: the level of the intervals."""
    return f"{100 * (1 - audit.alpha):g} %"


def shares(low: float | None, high: float | None) -> str:
    """`3.1 % to 12 %`; an interval that cannot be said says so."""
    return "interval not known" if low is None or high is None else f"{percent(low)} to {percent(high)}"


def verdict_words(pair: PairAudit) -> str:
    """The verdict on a pair, in words that name the agent."""
    return {
        Verdict.A_BETTER: f"{pair.a} is better",
        Verdict.B_BETTER: f"{pair.b} is better",
        Verdict.EQUIVALENT: "equivalent within the margin",
        Verdict.UNDECIDED: "undecided",
        Verdict.UNSTABLE: "unstable",
    }[pair.verdict]


def ends(low: float | None, high: float | None) -> str:
    """`[-6.1, 120]`, or nothing where there is no interval."""
    return "" if low is None and high is None else interval(low, high)


def rounded(values: Sequence[float | None]) -> str:
    """Numbers of one row, side by side."""
    return " / ".join(number(value) for value in values)
