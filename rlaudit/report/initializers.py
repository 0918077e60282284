"""The section: Does the initializer matter?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, KeyFigure, Rows, SectionHtml, Table, figure, full_name, level, shares
from rlaudit.results import Audit, Initializers
from rlaudit.results.initializers import Start
from rlaudit.wording import interval, metric_name, number, percent, several

_CAPTION = (
    "Small: every seed. Large: the mean, with its {level} interval. Letters: two initializers that share one are not "
    "told apart, which does not make them equal; two that share none are."
)


def does_the_initializer_matter(audit: Audit) -> SectionHtml | None:
    """Each agent on each task; None where the experiment was another one."""
    if not audit.initializers:
        return None
    return SectionHtml(
        "initializers",
        "Does the initializer matter?",
        tuple(sentence for one in audit.initializers for sentence in _sentences(audit, one)),
        tuple(drawn for one in audit.initializers for drawn in _figures(audit, one)),
        tuple(made for one in audit.initializers for made in (_grid(audit, one), _order(audit, one), _pairs(one))),
        (
            f"Every pair of initializers: the studentised permutation test (Janssen 1997); {audit.family}: with up to "
            "eight initializers max-T in closed testing (Westfall & Young 1993), with more Holm's step-down (1979). "
            "Letters: a compact letter display (Piepho 2004) of these calls; a letter stands for a set in which no "
            "pair is told apart and to which nothing can be added. Places still open: Mogstad et al. 2024.",
            "Last gain: a factor on the last layers that choose the actions; those of critics keep theirs. Intervals "
            "of its effects: Welch, with Bonferroni over all of them. Shares of the variance: what the two factors, "
            "their combination and the seeds make of the variance of a score, were the initializer picked by lot; the "
            "noise of the means is taken out; 95 % intervals by a jackknife over seeds. Zeros are left out of both: "
            "any last gain gives the same weights.",
            "The seeds have the same names for all initializers and are not paired: their weights have nothing in "
            "common. The best of many is flattered; the size of that is how much the leader of a fresh draw of seeds "
            "exceeds its own pool's mean. It shows nothing about other agents, tasks or budgets.",
        ),
    )


def _who(audit: Audit, one: Initializers) -> str:
    return full_name(one.agent, one.task)


def _sentences(audit: Audit, one: Initializers) -> Iterator[str]:
    who, n, leaders = _who(audit, one), len(one.starts), one.leaders
    best, worst = one.starts[0], one.starts[-1]
    if one.n_decided:
        yield (
            f"Yes, for {who} with {one.timesteps:,} steps: {one.n_decided:,} of {len(one.matrix):,} pairs of "
            f"initializers are told apart. The means run from {number(worst.mean)} ({worst.label}) to "
            f"{number(best.mean)} ({best.label})."
        )
    else:
        yield f"Open, for {who}: not one of {len(one.matrix):,} pairs is told apart, which does not make them equal."
    if len(leaders) > 1:
        yield (
            f"Which is the best is open: {len(leaders)} of {n} may each be ({several(leaders, 8)}). {_optimism(one)}"
        ).strip()
    else:
        sentence = f"The best is {best.label}: each of the others is worse beyond the luck of seeds."
        yield f"{sentence} {_optimism(one)}".strip()
    yield from _factors(one)
    yield f"All this is about {metric_name(audit.metric)}. {_ceiling(one)}"
    if one.left_out:
        yield f"Left out, with fewer than two scores: {several(one.left_out)}."


def _optimism(one: Initializers) -> str:
    if not one.optimism:
        return ""
    return (
        f"The best of {len(one.starts)} looks better than it is, by {number(one.optimism, 2)} or more on average: "
        "train the one you choose again with fresh seeds."
    )


def _factors(one: Initializers) -> Iterator[str]:
    alone = [part for part in one.shares if part.last_gain is not None]
    if alone:
        words = "; ".join(
            f"with a last gain of {part.last_gain:g} {percent(part.share)} ({shares(part.low, part.high)})"
            for part in alone
        )
        aside = " (zeros aside)" if any(start.last_gain is None for start in one.starts) else ""
        yield f"How much of the variance of a score is the scheme{aside}: {words}."
    whole = [part for part in one.shares if part.last_gain is None]
    if whole:
        words = ", ".join(f"{part.of} {percent(part.share)} ({shares(part.low, part.high)})" for part in whole)
        yield f"Over all last gains: {words}."
    decided = [effect.scheme for effect in one.gain_effects if effect.low > 0 or effect.high < 0]
    if one.gain_effects:
        n = len(one.gain_effects)
        yield (
            f"The last gain is a factor of its own: it changes the mean for {len(decided) or 'none'} of {n} schemes"
            f"{f' ({several(decided)})' if decided else ''}; for the others that is undecided."
            if len(decided) < n
            else f"The last gain is a factor of its own: it changes the mean for all {n} schemes."
        )


def _ceiling(one: Initializers) -> str:
    return (
        f"{percent(one.at_best)} of the runs have the best score there is; among those it can tell nothing apart."
        if one.at_best > 1 / sum(len(start.scores) for start in one.starts)
        else "Another score may order them otherwise: a final evaluation looks at one moment and forgets who was there "
        "first."
    )


# ---------------------------------------------------------------- pictures and tables


def _figures(audit: Audit, one: Initializers) -> Iterator[FigureHtml]:
    yield _picture(audit, one, f"section-{audit.initializers.index(one)}")
    if one.gain_effects:
        words = "; ".join(
            f"{effect.scheme} {number(effect.effect)} {interval(effect.low, effect.high)}"
            for effect in one.gain_effects
        )
        title = f"What a smaller last gain adds to the mean of {_who(audit, one)}. {words}."
        caption = f"{_who(audit, one)}. Lines: intervals that hold together at {level(audit)}; grey ones are undecided."
        yield figure("gain_effects", str(audit.initializers.index(one)), title, one, caption=caption)


def _picture(audit: Audit, one: Initializers, key: str) -> FigureHtml:
    words = "; ".join(f"{start.label} {number(start.mean)} {''.join(start.letters)}" for start in one.starts)
    title = f"Scores of {_who(audit, one)} by initializer, mean and letters of each. {words}."
    caption = f"{_who(audit, one)}. {_CAPTION.format(level=level(audit))}"
    return figure("initializers", key, title, one, caption=caption, wide=True)


def _grid(audit: Audit, one: Initializers) -> Table:
    """A row for each scheme, a column for each last gain."""
    gains = one.last_gains
    cells = {(start.scheme, start.last_gain): start for start in one.starts}
    rows: Rows = tuple(
        (scheme, *(_in_cell(cells.get((scheme, gain)) or cells.get((scheme, None))) for gain in gains or (None,)))
        for scheme in dict.fromkeys(start.scheme for start in one.starts)
    )
    head = tuple(f"last gain {gain:g}" for gain in gains) or ("any last gain",)
    return Table(f"{_who(audit, one)}: mean, {level(audit)} interval and letters", ("initializer", *head), rows)


def _in_cell(start: Start | None) -> str:
    if start is None:
        return "–"
    failed = f", {start.n_failed} failed" if start.n_failed else ""
    return f"{number(start.mean)} {interval(start.low, start.high)} {''.join(start.letters)}{failed}"


def _order(audit: Audit, one: Initializers) -> Table:
    head = ("initializer", "place", "places open", "mean", "interval", "seeds", "failed", "comes first", "letters")
    rows: Rows = tuple(
        (
            start.label, start.rank, f"{start.rank_low} to {start.rank_high}", start.mean,
            interval(start.low, start.high), len(start.scores), start.n_failed, percent(start.first),
            " ".join(start.letters),
        )
        for start in one.starts
    )  # fmt: skip
    return Table(f"{_who(audit, one)}: the order", head, rows)


def _pairs(one: Initializers) -> Table:
    means = {start.label: start.mean for start in one.starts}
    rows: Rows = tuple(
        (
            cell.a, cell.b, means[cell.a] - means[cell.b], percent(cell.better), cell.p_adjusted,
            "told apart" if cell.decided else "undecided",
        )
        for cell in one.matrix
    )  # fmt: skip
    head = ("better mean", "other", "difference", "a run of it beats one of the other", "adjusted p", "verdict")
    return Table(f"{full_name(one.agent, one.task)}: every pair", head, rows)


# ---------------------------------------------------------------- the first screen and the terminal


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    agents, tasks = (
        list(dict.fromkeys(getattr(one, name) for one in audit.initializers)) for name in ("agent", "task")
    )
    yield several(agents, 3)
    yield f"on {several(tasks, 3)}"
    for one in audit.initializers[:1]:
        schemes = len({start.scheme for start in one.starts})
        yield f"{schemes} initializers, {len(one.last_gains) or 1} gains of the last layer"
    counts = sorted({arm.n_seeds for arm in audit.arms})
    yield f"{counts[0]} seeds each" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds each"
    failed = sum(arm.n_failed for arm in audit.arms)
    if failed:
        yield f"{failed} failed"
    yield f"score: {audit.metric}, {'higher' if audit.higher_is_better else 'lower'} is better"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """The most telling first."""
    for one in audit.initializers[:1]:
        n = len(one.matrix)
        beside = f"{_who(audit, one)}; the others are undecided, which does not make them equal"
        yield KeyFigure("pairs of initializers told apart", f"{one.n_decided:,} of {n:,}", beside)
        leaders = one.leaders
        beside = f"all places together at {level(audit)}; {one.starts[0].label} leads"
        yield KeyFigure("may each be the best", f"{len(leaders)} of {len(one.starts)}", beside)
        for part in sorted((part for part in one.shares if part.last_gain is not None), key=lambda part: -part.share)[
            :1
        ]:
            beside = f"{shares(part.low, part.high)}; with a last gain of {part.last_gain:g}"
            yield KeyFigure("of the variance of a score is the scheme", percent(part.share), beside)
        for effect in sorted(one.gain_effects, key=lambda effect: -abs(effect.effect))[:1]:
            beside = f"{interval(effect.low, effect.high)}, instead of {effect.against:g}; the largest effect of it"
            label = f"change of the mean by a last gain of {effect.last_gain:g}, {effect.scheme}"
            yield KeyFigure(label, number(effect.effect), beside)
        if one.optimism:
            label = f"by which the best of {len(one.starts)} looks better than it is, or more"
            yield KeyFigure(label, number(one.optimism, 2), "train it again with fresh seeds")
        best = one.starts[0]
        beside = f"{level(audit)} interval {interval(best.low, best.high)}, {len(best.scores)} seeds"
        yield KeyFigure(f"mean of {best.label}, which leads", number(best.mean), beside)
        label = f"of draws of as many fresh seeds in which {best.label} leads again"
        yield KeyFigure(label, percent(best.first), "if these seeds told the truth about all of them")


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The picture of the first screen."""
    return tuple(_picture(audit, one, "first") for one in audit.initializers[:1]), ""


def table(audit: Audit) -> Table:
    """Scheme by last gain, of each agent on each task; for the terminal, too."""
    tables = [_grid(audit, one) for one in audit.initializers]
    if not tables:
        return Table("", (), ())
    if len(tables) == 1:
        return tables[0]
    head = max((made.head for made in tables), key=len)
    rows: Rows = tuple(
        (f"{_who(audit, one)}, {row[0]}", *row[1:])
        for one, made in zip(audit.initializers, tables, strict=True)
        for row in made.rows
    )
    return Table("mean, interval and letters", head, rows)
