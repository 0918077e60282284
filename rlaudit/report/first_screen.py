"""The first screen: what was audited, the verdict in words, four key figures with their intervals, one picture."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rlaudit.report.laboratory import page_of
from rlaudit.report.parts import (
    FigureHtml,
    KeyFigure,
    ends,
    figure,
    full_name,
    level,
    on_task,
    shares,
    striking_split,
    verdict_words,
    versus,
)  # fmt: skip
from rlaudit.results import Audit, GroupCurves, PairAudit, hardest_pair
from rlaudit.types import Finding, Level
from rlaudit.wording import label_of, number, p_text, percent

WORDS = {Level.UNSAFE: "Do not conclude", Level.WARN: "Conclude with care", Level.OK: "The conclusion holds"}
CONSEQUENCES = {
    Level.UNSAFE: "A conclusion from these runs would go beyond what their numbers carry.",
    Level.WARN: "The numbers carry a conclusion, with the caveat above.",
    Level.OK: "The numbers carry this conclusion, at the level that was asked for.",
}


@dataclass(frozen=True)
class FirstScreen:
    """Everything above the fold."""

    identity: tuple[str, ...]
    level: Level
    word: str
    finding: Finding
    consequence: str
    key_figures: tuple[KeyFigure, ...]
    pictures: tuple[FigureHtml, ...]
    picture_caption: str


def first_screen(audit: Audit) -> FirstScreen:
    """Built from the first finding, which is the most important one."""
    finding = (
        audit.findings[0] if audit.findings else Finding("Nothing to say", "There is nothing to say.", Level.WARN, {})
    )
    page = page_of(audit)
    candidates = page.key_figures(audit) if page else (one for make in KEY_FIGURES for one in make(audit))
    pictures, caption = page.pictures(audit) if page else _pictures(audit)
    return FirstScreen(
        identity=tuple(page.identity(audit) if page else _identity(audit)),
        level=finding.level,
        word=WORDS[finding.level],
        finding=finding,
        consequence=CONSEQUENCES[finding.level],
        key_figures=tuple(_first(candidates, 4)),
        pictures=pictures,
        picture_caption=caption,
    )


def _first(figures: Iterable[KeyFigure], n: int) -> Iterator[KeyFigure]:
    for _, one in zip(range(n), figures, strict=False):
        yield one


def _identity(audit: Audit) -> Iterator[str]:
    agents, tasks = ({getattr(arm, name) for arm in audit.arms} for name in ("agent", "task"))
    counts = sorted({arm.n_seeds for arm in audit.arms})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    yield _plural(len(agents), "agent")
    if tasks != {""}:
        yield next(iter(tasks)) if len(tasks) == 1 else _plural(len(tasks), "task")
    yield f"{seeds} seeds each"
    failed = sum(arm.n_failed for arm in audit.arms)
    if failed:
        yield f"{failed} failed"
    metric = "" if audit.metric == "score" else f": {audit.metric}"
    yield f"score{metric}, {'higher' if audit.higher_is_better else 'lower'} is better"
    if "quick" in audit.provenance:
        yield f"quick: {audit.provenance['quick']}"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


# ---------------------------------------------------------------- key figures, the most telling first


def _effect(audit: Audit) -> Iterator[KeyFigure]:
    if len(audit.comparisons) == 1:
        pair = audit.comparisons[0]
        p = p_text(pair.tests[pair.decided_by].p_value)
        beside = f"{level(audit)} interval {ends(pair.low, pair.high)}; {label_of(pair.decided_by)} {p}"
        yield KeyFigure(f"{pair.a} − {pair.b}, difference of the means", number(pair.effect), beside)


def _decided(audit: Audit) -> Iterator[KeyFigure]:
    if len(audit.comparisons) > 1:
        undecided = [pair for pair in audit.comparisons if pair.verdict.is_open]
        n = len(audit.comparisons)
        others = "the others are undecided, which does not make them equal; " if undecided else ""
        yield KeyFigure("comparisons decided", f"{n - len(undecided)} of {n}", others + audit.family)


def _luck(audit: Audit) -> Iterator[KeyFigure]:
    split = striking_split(audit)
    if split and split.relative_gap:
        gap = split.relative_gap
        beside = (
            f"of the mean, one split in twenty or more; median {percent(gap.median)}, worst {percent(gap.max)} "
            f"({on_task(audit, split.agent, split.task)})"
        )
        n = split.group_size
        yield KeyFigure(f"gap by luck alone, {n} seeds against {n} of one agent", percent(gap.p95), beside)


def _wrong_order(audit: Audit) -> Iterator[KeyFigure]:
    pair = hardest_pair(audit.comparisons)
    subset = pair.at_few() if pair else None
    if pair and subset:
        label = f"of draws of {subset.group_size} seeds name {_loser(pair)}"
        beside = f"95 % interval over seeds {shares(subset.wrong_sign_low, subset.wrong_sign_high)}"
        yield KeyFigure(label, percent(subset.wrong_sign), beside + _which(audit, pair))


def _loser(pair: PairAudit) -> str:
    decided = pair.verdict.has_winner
    return "the worse agent" if decided else "the agent that is behind in the full pools"


def _which(audit: Audit, pair: PairAudit) -> str:
    return f" ({versus(audit, pair)})" if len(audit.comparisons) > 1 else ""


def _needed(audit: Audit) -> Iterator[KeyFigure]:
    pair = hardest_pair(audit.comparisons)
    if pair and (needed := pair.seeds_needed):
        value = f"{needed.n:,}" if needed.n is not None else "no finite number"
        top = f"{needed.high:,}" if needed.high is not None else "no limit"
        beside = (
            f"these runs pin it to {needed.low or 2:,} … {top}" if needed.n is not None else "the means hardly differ"
        )
        label = f"seeds an agent for {percent(needed.power)} power, if the difference seen is true"
        yield KeyFigure(label, value, beside + _which(audit, pair))


def _mean(audit: Audit) -> Iterator[KeyFigure]:
    for arm in audit.arms[:1]:
        beside = f"{level(audit)} interval {ends(arm.low, arm.high)}, {arm.n_seeds} seeds, sd {number(arm.sd)}"
        yield KeyFigure(f"mean score of {on_task(audit, arm.agent, arm.task)}", number(arm.mean), beside)


def _wrong_winner(audit: Audit) -> Iterator[KeyFigure]:
    split = striking_split(audit)
    share = dict(split.wrong_winner).get(0.5) if split else None
    if split and share is not None:
        label = f"of draws of {split.group_size} seeds name the worse agent, were another truly 0.5 sd better"
        yield KeyFigure(label, percent(share), f"with the spread of {on_task(audit, split.agent, split.task)}")


def _false_positives(audit: Audit) -> Iterator[KeyFigure]:
    for split in audit.at_few()[:1]:
        for name, test in list(split.tests.items())[:1]:
            beside = f"95 % interval over seeds {shares(test.low, test.high)}; alpha promises {percent(audit.alpha)}"
            yield KeyFigure(f"of same-agent splits that {label_of(name)} calls different", percent(test.rate), beside)


def _seeds(audit: Audit) -> Iterator[KeyFigure]:
    for arm in audit.arms[:1]:
        n = arm.n_seeds + arm.n_failed
        beside = f"95 % interval of the failure rate {shares(arm.failure_low, arm.failure_high)}"
        yield KeyFigure(f"seeds of {on_task(audit, arm.agent, arm.task)} failed", f"{arm.n_failed} of {n}", beside)


KEY_FIGURES: tuple[Callable[[Audit], Iterator[KeyFigure]], ...] = (
    _effect, _decided, _luck, _wrong_order, _needed, _mean, _wrong_winner, _false_positives, _seeds,
)  # fmt: skip


# ---------------------------------------------------------------- the picture


def _pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    split = striking_split(audit)
    shown = [one for one in audit.curves if split and (one.agent, one.task) == (split.agent, split.task)]
    if split and shown:
        name, n = on_task(audit, split.agent, split.task), split.group_size
        caption = (
            f"The same agent twice: {name}, {n} seeds against {n} other seeds. Lines: mean; bands: one standard "
            f"deviation between the seeds; thin: every seed. The worst of {split.n_splits:,} splits is expected to "
            "look striking; the median split is what usually happens."
        )
        return tuple(curves_figure(audit, one, shown) for one in shown), caption
    if len(audit.comparisons) == 1:
        pair = audit.comparisons[0]
        return (estimation_figure(audit, pair, "first"),), ""
    if any(arm.scores for arm in audit.arms):
        task = audit.arms[0].task
        arms = [arm for arm in audit.arms if arm.task == task]
        title = f"{full_name('Scores of the seeds', task)}: " + "; ".join(
            f"{arm.agent} {number(arm.mean)}" for arm in arms
        )
        return (figure("seed_strip", "first", title, arms, wide=True),), strip_caption(audit, task)
    return (), ""


def strip_caption(audit: Audit, task: str) -> str:
    """What stands in a seed strip."""
    return (
        f"{full_name('Every seed', task)}. Box: quartiles, whiskers to the farthest seed within 1.5 box lengths. Below "
        f"it, a diamond: IQM, the mean of the middle half, with its {level(audit)} interval."
    )


def curves_figure(audit: Audit, curves: GroupCurves, together: Iterable[GroupCurves]) -> FigureHtml:
    """One split as learning curves, on the score axis of all that are shown together."""
    values = [v for one in together for line in (*one.a, *one.b) for v in line if v is not None]
    split = next(one for one in audit.splits if _same(one, curves))
    named = split.median_split if curves.which == "median" else split.worst_split
    title = (
        f"Learning curves of {full_name(curves.agent, curves.task)}, two groups of {curves.group_size} seeds of the "
        f"same agent, {curves.which} split (percentile {curves.percentile:.4g}): group means {number(named.mean_a)} "
        f"and {number(named.mean_b)}, gap {number(named.gap)}."
    )
    limits = (min(values), max(values)) if values and min(values) < max(values) else None
    gap = (
        f" ({percent(named.gap / abs(pool))} of the mean)"
        if (pool := audit.arm(curves.agent, curves.task).mean)
        else ""
    )
    caption = f"Scores {number(named.mean_a)} and {number(named.mean_b)}: a gap of {number(named.gap)}{gap}."
    key = f"{audit.curves.index(curves)}"
    return figure("same_agent_curves", key, title, curves, limits, caption=caption)


def _same(split: object, curves: GroupCurves) -> bool:
    return all(getattr(split, name) == getattr(curves, name) for name in ("agent", "task", "group_size"))


def estimation_figure(audit: Audit, pair: PairAudit, key: str) -> FigureHtml:
    """The estimation plot of one pair."""
    a, b = (audit.arm(agent, pair.task) for agent in (pair.a, pair.b))
    title = (
        f"{full_name(f'{pair.a} against {pair.b}', pair.task)}: means {number(a.mean)} and {number(b.mean)}, "
        f"difference {number(pair.effect)}, interval {ends(pair.low, pair.high)}; {verdict_words(pair)}."
    )
    caption = (
        f"{versus(audit, pair)}. Left: every seed, the line is the mean. Right: the difference of the means with its "
        f"{level(audit)} interval{', and the margin within which you call them equivalent' if pair.margin else ''}."
    )
    return figure("estimation", key, title, pair, a, b, caption=caption)
