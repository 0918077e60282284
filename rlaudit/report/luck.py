"""One agent against itself: how different its seeds can make it look, and how often that crowns the worse agent."""

from collections.abc import Iterator

from rlaudit.report.first_screen import curves_figure
from rlaudit.report.parts import (
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    figure,
    full_name,
    on_task,
    splits_of,
    striking_split,
)
from rlaudit.results import Audit, SplitAudit
from rlaudit.wording import number, percent

DEALING = (
    "A split deals the seeds of one agent into two disjoint groups of n; all splits are looked at where there are at "
    "most 100,000, otherwise a random sample. Both groups are the same agent, so that every difference is luck."
)
_GAP = (
    "The gap is |mean of one group − mean of the other|; the relative gap is divided by |mean of all seeds|. For "
    "normal seeds of standard deviation s the median gap with n a side is about 0.95 s / √n, the 95th percentile "
    "2.77 s / √n. Pictures of this kind: Henderson et al. 2018, figure 5; Colas et al. 2018."
)
_TOO_SMALL = "No pool holds two groups of seeds: an agent needs at least four. Nothing can be said about luck here."
_NO_GAP = (
    "Not at all: the seeds of each agent have one and the same score. That is no promise for other seeds; it is what a "
    "ceiling or floor of the score looks like, and a program that does not use its seed."
)
_OTHER_ARMS = 4  # further arms whose worst split is drawn; the table has all of them


def how_different(audit: Audit) -> SectionHtml | None:
    """The luck floor; other experiments deal no groups."""
    question = "How different can the same agent look?"
    split = striking_split(audit)
    if split is None:
        return SectionHtml("same-agent", question, (_TOO_SMALL,)) if audit.experiment == "audit" else None
    if not any(one.gap.max for one in audit.splits):
        return SectionHtml("same-agent", question, (_NO_GAP,), tables=(_gap_table(audit),), method=(DEALING,))
    return SectionHtml(
        "same-agent",
        question,
        tuple(_gap_sentences(audit, split)),
        (_gap_figure(audit, split), *_other_curves(audit, split)),
        (_gap_table(audit),),
        (DEALING, _GAP),
    )


def _gap_sentences(audit: Audit, split: SplitAudit) -> Iterator[str]:
    n, gap, relative = split.group_size, split.gap, split.relative_gap
    opening = (
        f"The same agent, {n} seeds against {n}: two groups of {on_task(audit, split.agent, split.task)} differ by"
    )
    normal = f"Normal seeds with the same spread would give {number(split.normal_gap.p95)} in one split of twenty."
    if relative is None:
        yield (
            f"{opening} {number(gap.median)} in the median split, by {number(gap.p95)} or more in one split of "
            f"twenty, and by {number(gap.max)} in the worst of {split.n_splits:,}. There is no mean to set this "
            f"against. {normal}"
        )
    else:
        yield (
            f"{opening} {percent(relative.median)} of the mean in the median split, by {percent(relative.p95)} or "
            f"more in one split of twenty, and by {percent(relative.max)} in the worst of {split.n_splits:,}."
        )
        yield (
            f"So a gain below {percent(relative.p95)} ({number(gap.p95)}) between two averages of {n} seeds is within "
            f"the reach of luck. {normal}"
        )
    yield "The worst of many splits is expected to look striking; the median split is what usually happens." + (
        f" In {percent(split.any_significant)} of pools of as many normal seeds, Welch's t test calls at least one of "
        "the splits significant, without any difference."
        if split.any_significant is not None
        else ""
    )


def _gap_figure(audit: Audit, split: SplitAudit) -> FigureHtml:
    splits = splits_of(audit, split)
    numbers = "; ".join(
        f"{one.group_size} seeds: {number(one.gap.median)}, {number(one.gap.p95)}, {number(one.gap.max)}"
        for one in splits
    )
    title = (
        f"Gap between two groups of {full_name(split.agent, split.task)}: median, 95th percentile, worst. {numbers}."
    )
    caption = (
        f"{on_task(audit, split.agent, split.task)} against itself. Hollow: the 95th percentile that normal seeds of "
        "the same spread would have. Four times the seeds halve the gap."
    )
    return figure("gap_by_group_size", "striking", title, splits, caption=caption)


def _other_curves(audit: Audit, split: SplitAudit) -> Iterator[FigureHtml]:
    """The worst split of the other arms, as small multiples, where they are few."""
    shown = (split.agent, split.task)
    others = [one for one in audit.curves if (one.agent, one.task) != shown and one.which == "worst"]
    for one in others if len(others) <= _OTHER_ARMS else ():
        drawn = curves_figure(audit, one, [one])
        name = on_task(audit, one.agent, one.task)
        yield FigureHtml(drawn.svg, f"{name} against itself, {one.group_size} seeds a side. {drawn.caption}")


def _gap_table(audit: Audit) -> Table:
    head = (
        "agent", "task", "seeds a side", "splits", "which", "median gap", "95th percentile", "worst",
        "normal seeds: 95th", "median, of the mean", "95th, of the mean", "worst, of the mean",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            one.agent, one.task, one.group_size, one.n_splits, "all" if one.exhaustive else "sampled", one.gap.median,
            one.gap.p95, one.gap.max, one.normal_gap.p95, *_relative(one),
        )
        for one in audit.splits
    )  # fmt: skip
    return Table("gaps between two groups of seeds of the same agent", head, rows)


def _relative(one: SplitAudit) -> tuple[str | None, ...]:
    gap = one.relative_gap
    return (percent(gap.median), percent(gap.p95), percent(gap.max)) if gap else (None, None, None)


# ---------------------------------------------------------------- the wrong winner


def worse_agent_wins(audit: Audit) -> SectionHtml | None:
    """True gain by number of seeds."""
    split = striking_split(audit)
    if split is None or not split.wrong_winner:
        return None
    return SectionHtml(
        "wrong-winner",
        "How often does the worse agent win?",
        (_wrong_sentence(audit, split), "No test is involved: this is what looking at two means does."),
        (_wrong_figure(audit, split),),
        (_wrong_table(audit, split),),
        (
            DEALING,
            "To one group of each split the gain is added; the other has the better mean all the same where the gap "
            "of the split exceeds the gain, in one of the two orders.",
        ),
    )


def _wrong_sentence(audit: Audit, split: SplitAudit) -> str:
    gain, share = min(split.wrong_winner, key=lambda cell: abs(cell[0] - 0.5))
    sentence = (
        f"If another agent with the spread of {on_task(audit, split.agent, split.task)} were truly {gain:g} standard "
        f"deviations better, {split.group_size} seeds each would still name the worse one in {percent(share)} of "
        "comparisons"
    )
    largest = splits_of(audit, split)[-1]
    more = dict(largest.wrong_winner).get(gain)
    return f"{sentence}, {largest.group_size} seeds in {percent(more)}." if largest is not split else f"{sentence}."


def _wrong_figure(audit: Audit, split: SplitAudit) -> FigureHtml:
    splits = splits_of(audit, split)
    cells = "; ".join(
        f"{one.group_size} seeds: " + ", ".join(f"{percent(share)} at {gain:g} sd" for gain, share in one.wrong_winner)
        for one in splits
    )
    name = full_name(split.agent, split.task)
    title = f"How often the worse agent has the better mean, with the spread of {name}. {cells}."
    caption = (
        f"With the spread of {on_task(audit, split.agent, split.task)}. Rows: how much better the better agent truly "
        "is, in standard deviations between seeds. A coin would say 50 %."
    )
    return figure("wrong_winner", "striking", title, splits, caption=caption)


def _wrong_table(audit: Audit, split: SplitAudit) -> Table:
    head = ("agent", "task", "seeds an agent", *(f"{gain:g} sd" for gain, _ in split.wrong_winner))
    rows: Rows = tuple(
        (one.agent, one.task, one.group_size, *(percent(share) for _, share in one.wrong_winner))
        for one in audit.splits
    )
    return Table("share of comparisons that name the worse agent", head, rows)
