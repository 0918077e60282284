"""The section: More seeds or more evaluation episodes?"""

from collections.abc import Iterator, Sequence

from rlaudit.report.parts import FigureHtml, Rows, SectionHtml, Table, figure, on_task, shares
from rlaudit.results import Audit, EvaluationNoise
from rlaudit.wording import more_seeds, percent

_DRAWN = 12


def evaluation_noise(audit: Audit) -> SectionHtml | None:
    """For the agent whose evaluation is noisiest, and a bar for each."""
    noises = sorted(
        (one for one in audit.evaluation_noise if one.share is not None), key=lambda one: one.share or 0, reverse=True
    )
    if not noises:
        return None
    return SectionHtml(
        "evaluation-noise",
        "More seeds or more evaluation episodes?",
        tuple(_sentences(audit, noises)),
        tuple(_figures(audit, noises)),
        (_table(noises),),
        (
            "One-way random effects (Searle, Casella and McCulloch 1992): the variance of the scores of an agent is "
            "that between seeds plus that between the episodes of a seed, divided by their number. A difference that "
            "comes out below zero counts as no variance between seeds, so that small ones are overestimated on "
            "average.",
            "Intervals: 95 %, a jackknife over seeds (Arvesen and Schmitz 1970). In simulations with 5 to 50 seeds "
            "they hold the true share in 94 to 97 % of cases for normal returns and for returns with a ceiling, and "
            "in 74 to 91 % for very skewed ones.",
            "Episodes are cheap and need no new training; but the noise of an evaluation is only one part of the "
            "standard error, and more seeds shrink both.",
        ),
    )


def _sentences(audit: Audit, noises: Sequence[EvaluationNoise]) -> Iterator[str]:
    one = noises[0]
    name = on_task(audit, one.agent, one.task)
    most = f" Of the {len(noises)} scores it is the noisiest." if len(noises) > 1 else ""
    if not one.share:
        yield f"More seeds: all episodes of a seed of {name} gave the same return, so that more of them teach nothing."
        return
    yield (
        f"{_answer(one)} {name}: {percent(one.share)} of the variance of a seed's score is noise of its "
        f"{one.n_episodes} evaluation episodes ({shares(one.low, one.high)}).{most}"
    )
    twice = (
        f"Twice the episodes would shrink the standard error of its mean by {percent(one.doubled)} "
        f"({shares(one.doubled_low, one.doubled_high)}), twice the seeds by 29 %."
    )
    if one.seeds_worth is None:
        yield f"{twice} Its seeds differ no more than such evaluations would make equal seeds differ."
    else:
        yield (
            f"{twice} Endless episodes would shrink it by {percent(one.endless)}, as much as "
            f"{more_seeds(one.seeds_worth)} on top of the {one.n_seeds}.{_enough(one)}"
        )
    if audit.metric != "final":
        yield f"This is about the final evaluation; the scores of this audit are made another way ({audit.metric})."


def _answer(one: EvaluationNoise) -> str:
    """Decided only where the interval does not reach beyond a tenth."""
    if one.high is not None and one.high <= 0.1:
        return "More seeds."
    if (one.share or 0) > 0.1:
        return "Both."
    return "More seeds, as far as can be said."


def _enough(one: EvaluationNoise) -> str:
    if one.episodes_enough is None or one.episodes_enough == one.n_episodes:
        return ""
    if one.episodes_enough < one.n_episodes:
        several = "episode" if one.episodes_enough == 1 else "episodes"
        return f" {one.episodes_enough} {several} of each would have kept the noise to a tenth."
    return f" It takes about {one.episodes_enough:,} episodes of each to bring the noise down to a tenth."


def _figures(audit: Audit, noises: Sequence[EvaluationNoise]) -> Iterator[FigureHtml]:
    words = "; ".join(
        f"{on_task(audit, one.agent, one.task)}: {percent(one.share)} ({shares(one.low, one.high)})"
        for one in noises[:_DRAWN]
    )
    caption = "Shares of the variance of a seed's score. Line: 95 % interval of the noise."
    if len(noises) > _DRAWN:
        caption += f" The {_DRAWN} noisiest of {len(noises)}."
    title = f"Share of the variance of a seed's score that is evaluation noise. {words}."
    yield figure("evaluation_noise", "all", title, noises, caption=caption)
    one = noises[0]
    name = on_task(audit, one.agent, one.task)
    title = (
        f"How much the standard error of the mean of {name} shrinks: by {percent(one.doubled)} with twice the "
        f"episodes, by {percent(one.endless)} with endless ones, by 29 % with twice the seeds."
    )
    caption = f"{name}: what more episodes for the same seeds would buy, and what more seeds. Lines: 95 % intervals."
    yield figure("more_of_what", "noisiest", title, one, caption=caption)


def _table(noises: Sequence[EvaluationNoise]) -> Table:
    head = (
        "agent", "task", "seeds", "episodes", "variance between seeds", "variance between episodes",
        "noise in a score", "95 %", "twice the episodes", "endless episodes", "worth so many seeds",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            one.agent, one.task, one.n_seeds, one.n_episodes, one.var_seeds, one.var_episodes, percent(one.share),
            shares(one.low, one.high), percent(one.doubled), percent(one.endless), one.seeds_worth,
        )
        for one in noises
    )  # fmt: skip
    return Table("evaluation noise, the noisiest first", head, rows)
