"""What the seeds of every agent look like."""

from collections.abc import Iterator

from rlaudit.report.first_screen import strip_caption
from rlaudit.report.parts import (
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    figure,
    full_name,
    level,
    on_task,
    shares,
    striking_split,
)
from rlaudit.results import Arm, Audit
from rlaudit.wording import interval, listed, number

_FEW_ARMS = 3  # up to here the answer describes each
_DRAWN_TASKS = 4  # more tasks than this: one picture, and the table


def what_seeds_look_like(audit: Audit) -> SectionHtml | None:
    """Every seed of every agent, a picture for each task; None where no runs are independent seeds."""
    if not audit.arms:
        return None
    return SectionHtml(
        "seeds",
        "What do my seeds look like?",
        tuple(_sentences(audit)),
        tuple(_figures(audit)),
        (_table(audit),),
        (
            f"Interval of the mean: Student, level {level(audit)}. IQM, the interquartile mean (Agarwal et al. "
            "2021): the mean of the middle half of the seeds, with a percentile bootstrap over seeds, which is too "
            "narrow below about 20 seeds. Failure rate: Clopper-Pearson.",
        ),
    )


def _sentences(audit: Audit) -> Iterator[str]:
    scored = [arm for arm in audit.arms if arm.scores]
    if not scored:
        yield "No seed has a score."
    elif len(scored) <= _FEW_ARMS:
        yield " ".join(f"{on_task(audit, arm.agent, arm.task)}: {_words(audit, arm)}." for arm in scored)
    else:
        widest = max(scored, key=lambda arm: arm.sd or 0.0)
        name = on_task(audit, widest.agent, widest.task)
        yield f"The seeds differ most for {name}: {_words(audit, widest)}. The table has the others."
    failed = [arm for arm in audit.arms if arm.n_failed]
    if failed:
        counts = listed(f"{arm.n_failed} of {on_task(audit, arm.agent, arm.task)}" for arm in failed[:8])
        yield f"Failed seeds have no score and are in none of these means: {counts}."
    if any(len(arm.scores) < 4 for arm in scored):
        yield "The IQM of fewer than four seeds is their mean."


def _words(audit: Audit, arm: Arm) -> str:
    if not arm.scores:
        return "no score"
    return (
        f"{arm.n_seeds} seeds from {number(min(arm.scores))} to {number(max(arm.scores))}, mean {number(arm.mean)} "
        f"({level(audit)} interval {interval(arm.low, arm.high)}), standard deviation {number(arm.sd)}"
    )


def _figures(audit: Audit) -> Iterator[FigureHtml]:
    tasks = list(dict.fromkeys(arm.task for arm in audit.arms))
    if len(tasks) > _DRAWN_TASKS:
        split = striking_split(audit)
        tasks = [split.task if split else tasks[0]]
    for place, task in enumerate(tasks):
        arms = [arm for arm in audit.arms if arm.task == task]
        title = f"{full_name('Scores', task)}. " + "; ".join(f"{arm.agent}: {_words(audit, arm)}" for arm in arms) + "."
        yield figure("seed_strip", str(place), title, arms, caption=strip_caption(audit, task), wide=True)


def _table(audit: Audit) -> Table:
    head = (
        "agent", "task", "seeds", "failed", "mean", "interval", "sd", "median", "IQM", "IQM interval",
        "failure rate, 95 %",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            arm.agent, arm.task, arm.n_seeds, arm.n_failed, arm.mean, interval(arm.low, arm.high), arm.sd, arm.median,
            arm.iqm, interval(arm.iqm_low, arm.iqm_high), shares(arm.failure_low, arm.failure_high),
        )
        for arm in audit.arms
    )  # fmt: skip
    return Table("each agent in numbers", head, rows)
