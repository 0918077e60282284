"""The section: Where does the variance come from?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, KeyFigure, SectionHtml, Table, figure, full_name, level, shares
from rlaudit.results import Audit, ShareOf, Sources
from rlaudit.wording import label_of, listed, number, percent

_DRAWN = 6  # agents with figures of their own; the tables have all


def where_variance_comes_from(audit: Audit) -> SectionHtml | None:
    """Each agent's variance taken apart; None where the experiment was another one."""
    known = [one for one in audit.sources if one.together]
    if not known:
        return None
    return SectionHtml(
        "sources",
        "Where does the variance come from?",
        tuple(text for one in known[:_DRAWN] for text in _sentences(audit, one)),
        tuple(drawn for one in known[:_DRAWN] for drawn in _figures(audit, one, "section")),
        (_components(audit), _streams(audit)),
        (
            "Every level of the initial weights was trained with every level of the environment's seed and of the "
            "algorithm's, so that runs share their seeds on purpose: they are no sample of independent runs, and no "
            "interval of a mean is given. Sampling is all that the algorithm draws: actions, minibatches, exploration, "
            "replay. “Alone” is a main effect: what a seed does whatever the others are. “Together” are interactions: "
            "what it does only with these seeds of the others.",
            "Crossed random effects (Searle, Casella and McCulloch 1992), restricted maximum likelihood with no "
            "component below zero; the column “unbiased” has the classical estimates, of which one that is really "
            "zero comes out negative half of the time. Training is deterministic given its three seeds, so that "
            "nothing but the noise of evaluation is mixed with the interaction of all three, and the episodes of each "
            "run tell how much that is.",
            f"Intervals: {level(audit)}, modified large-sample (Graybill and Wang 1980; Ting et al. 1990), wider where "
            "effects have heavy tails. In simulations of 3 to 10 levels a stream 95 % intervals hold the true share in "
            "92 to 100 % of cases for normal effects and for effects in two clusters, and in 88 to 100 % for very "
            "skewed ones. Few levels make them wide: that is what few levels can say. A bootstrap over levels is not "
            "used: it misses the true share of the interaction in up to half of the cases.",
            "This holds for one agent on one task at one length of training. Other agents, other tasks and other "
            "hyper-parameters can have other sources.",
        ),
    )


def _sentences(audit: Audit, one: Sources) -> Iterator[str]:
    assert one.together is not None
    name = _name(audit, one)
    yield (
        f"{name}: {one.together.words} of the variance of its scores belongs to no source alone, but to combinations "
        f"of weights, environment and sampling. Alone, the initial weights explain {one.streams[0].alone.words}, the "
        f"environment {one.streams[1].alone.words}, the sampling {one.streams[2].alone.words}"
        + (f"; {one.noise.words} is noise of the {one.n_episodes} evaluation episodes." if one.noise else ".")
    )
    only = listed([f"{percent(each.only_this.share**0.5)} for the {label_of(each.stream)}" for each in one.streams])
    left = listed([f"{percent(each.without_this.share**0.5)}" for each in one.streams])
    yield (
        f"Let only one of the three vary, and the standard deviation is still this much of the whole: {only}. Fix only "
        f"one of them, and it is {left}. Where both are near 100 %, no seed is “the” cause: training is so sensitive "
        "that any change leads to another result."
    )
    yield (
        "So a fixed seed buys repeatability and no smaller variance, beyond what that stream explains alone. The same "
        "seeds for two agents help no more than that, either, and less where the agents react to them differently."
    )


def _figures(audit: Audit, one: Sources, where: str) -> Iterator[FigureHtml]:
    yield _parts_figure(audit, one, where)
    words = "; ".join(
        f"{label_of(each.stream)}: {each.only_this.as_sd.words} if it alone varies, "
        f"{each.without_this.as_sd.words} if it alone is fixed"
        for each in one.streams
    )
    caption = (
        f"{_name(audit, one)}. 100 % is the standard deviation when all three seeds are new: {number(one.sd)}. Lines: "
        f"{level(audit)} intervals. What varies alone still has its interactions with the seeds that are held."
    )
    title = f"What is left of the standard deviation of {_name(audit, one)}. {words}."
    yield figure("one_stream_fixed", f"{where}-{audit.sources.index(one)}", title, one, caption=caption)


def _parts_figure(audit: Audit, one: Sources, key: str) -> FigureHtml:
    words = "; ".join(f"{part.name}: {part.of_total.words}" for part in one.components)
    caption = (
        f"{_name(audit, one)}, {one.n_analysed} runs. Top: all of the variance of a score; below, its parts. Lines: "
        f"{level(audit)} intervals."
    )
    title = f"What the variance of the scores of {_name(audit, one)} is made of. {words}."
    return figure("variance_sources", f"{key}-{audit.sources.index(one)}", title, one, caption=caption)


def _components(audit: Audit) -> Table:
    interval = f"{level(audit)} interval"
    head = ("agent", "task", "part", "df", "mean square", "unbiased variance", "share", interval, "failed as the worst")
    rows = tuple(
        (
            one.agent, one.task, part.name, part.df, part.mean_square, part.variance, percent(part.of_total.share),
            shares(part.of_total.low, part.of_total.high),
            percent(one.imputed[place].share) if one.imputed else None,
        )
        for one in audit.sources for place, part in enumerate(one.components)
    )  # fmt: skip
    return Table("Analysis of variance", head, rows)


def _streams(audit: Audit) -> Table:
    interval = f"{level(audit)} interval"
    head = ("agent", "task", "stream", "levels", "alone", interval, "sd if only this varies", interval,
            "sd if only this is fixed", interval)  # fmt: skip
    rows = tuple(
        (
            one.agent, one.task, label_of(each.stream), len(each.levels), percent(each.alone.share),
            shares(each.alone.low, each.alone.high), *_sd_cells(each.only_this), *_sd_cells(each.without_this),
        )
        for one in audit.sources for each in one.streams
    )  # fmt: skip
    return Table("Streams of random numbers; standard deviations as parts of that with all three seeds new", head, rows)


# ---------------------------------------------------------------- first screen and terminal


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    agents, tasks = ({getattr(one, name) for one in audit.sources} for name in ("agent", "task"))
    yield "1 agent" if len(agents) == 1 else f"{len(agents)} agents"
    yield next(iter(tasks)) if len(tasks) == 1 else f"{len(tasks)} tasks"
    for crossed in dict.fromkeys(" × ".join(map(str, one.levels.values())) for one in audit.sources):
        yield f"{crossed} weights × environment × sampling"
    if n_failed := sum(one.n_failed for one in audit.sources):
        yield f"{n_failed} failed"
    yield f"score: {audit.metric}"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """The most telling first."""
    known = [one for one in audit.sources if one.together]
    for one in known[:1]:
        assert one.together is not None
        whose = f" ({_name(audit, one)})" if len(known) > 1 else ""
        largest = max(one.streams, key=lambda each: each.alone.share)
        left = largest.without_this
        yield _key("of the variance belongs to no source alone", audit, one.together, whose)
        yield _key(f"of the variance: the {label_of(largest.stream)} alone", audit, largest.alone, whose)
        label = f"of the standard deviation are left with the {label_of(largest.stream)} fixed"
        yield _key(label, audit, ShareOf(left.share**0.5, left.low**0.5, left.high**0.5), whose)
        if one.noise:
            more = f"; {one.n_episodes} episodes a run{whose}"
            yield _key("of the variance is noise of evaluation", audit, one.noise, more)


def _key(label: str, audit: Audit, part: ShareOf, more: str) -> KeyFigure:
    return KeyFigure(label, percent(part.share), f"{level(audit)} interval {shares(part.low, part.high)}{more}")


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The parts of the variance, and of one agent what is left of it."""
    known = [one for one in audit.sources if one.together]
    if len(known) == 1:
        return tuple(_figures(audit, known[0], "first")), ""
    return tuple(_parts_figure(audit, one, "first") for one in known[:2]), ""


def table(audit: Audit) -> Table:
    """A row for each part of each agent; for the terminal, too."""
    head = ("variance of a score", "share", f"{level(audit)} interval", "sd if only this varies")
    return Table("Sources of variance", head, tuple(row for one in audit.sources for row in _rows(audit, one)))


def _rows(audit: Audit, one: Sources) -> Iterator[tuple[str, ...]]:
    if one.pairs is None or one.triple is None:
        yield _name(audit, one), "n/a", "", ""
        return
    whose = f"{_name(audit, one)}, " if len(audit.sources) > 1 else ""
    for each in one.streams:
        cells = (percent(each.alone.share), shares(each.alone.low, each.alone.high))
        yield f"{whose}{label_of(each.stream)} alone", *cells, percent(each.only_this.share**0.5)
    rest = "all three together" if one.noise else "all three together, and evaluation"
    for name, part in (("two of them together", one.pairs), (rest, one.triple.of_total), ("evaluation", one.noise)):
        if part:
            yield f"{whose}{name}", percent(part.share), shares(part.low, part.high), ""


# ---------------------------------------------------------------- words


def _name(audit: Audit, one: Sources) -> str:
    """With the task where there are several."""
    return full_name(one.agent, one.task) if len({each.task for each in audit.sources}) > 1 else one.agent


def _sd_cells(part: ShareOf) -> tuple[str, str]:
    return percent(part.as_sd.share), shares(part.as_sd.low, part.as_sd.high)
