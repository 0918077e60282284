"""What a handful of seeds would have concluded, and how much they would have overstated it."""

from collections.abc import Iterator

from rlaudit.report.parts import (
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    figure,
    shares,
    versus,
)
from rlaudit.results import Audit, PairAudit, Subset, hardest_pair
from rlaudit.wording import label_of, name_of, number, percent

_DRAWS = (
    "n seeds are drawn from each agent's pool, with replacement, thousands of times; the full pools are taken for the "
    "truth. Intervals: the same with pools that were redrawn seed by seed."
)
_NOTHING = "Nothing can be said: the pools hold fewer than four seeds, or their means agree: there is no right answer."


def few_seeds(audit: Audit) -> SectionHtml | None:
    """For the pair that few seeds get wrong most often."""
    pair = hardest_pair(audit.comparisons)
    if pair is None:
        return None
    question, subset = "What would a few seeds have concluded?", pair.at_few()
    if subset is None:
        return SectionHtml("few-seeds", question, (_NOTHING,))
    return SectionHtml(
        "few-seeds",
        question,
        tuple(_sentences(audit, pair, subset)),
        (_conclusions(audit, pair), _orders(pair)),
        (_table(audit),),
        (
            _DRAWS,
            "Right: significant, in the direction of the full pools. Wrong: significant, in the other direction. "
            "The order of the means needs no test.",
        ),
    )


def _sentences(audit: Audit, pair: PairAudit, subset: Subset) -> Iterator[str]:
    test = subset.tests.get(pair.decided_by)
    yield (
        f"{versus(audit, pair)}: with {subset.group_size} seeds an agent the two means stand in the other order than "
        f"those of all seeds in {percent(subset.wrong_sign)} of "
        f"draws{_around(subset.wrong_sign_low, subset.wrong_sign_high)}."
    )
    if test:
        yield (
            f"{name_of(pair.decided_by, capital=True)} finds the difference in {percent(test.right)} of "
            f"draws{_around(test.right_low, test.right_high)}, is undecided in {percent(test.undecided)}, and names "
            f"the other agent in {percent(test.wrong)}."
        )
    if pair.verdict.is_open:
        yield "Even the full pools do not decide here: “right” only means “as the full pools”."
    if len(audit.comparisons) > 1:
        yield (
            "Of the pairs that all seeds decide (of all pairs, if they decide none) this is the one that few seeds get "
            "wrong most often; the table has the others."
        )


def _around(low: float | None, high: float | None) -> str:
    return f" ({shares(low, high)})" if low is not None and high is not None else ""


def _conclusions(audit: Audit, pair: PairAudit) -> FigureHtml:
    shown = [(one.group_size, one.tests[pair.decided_by]) for one in pair.subsets if pair.decided_by in one.tests]
    words = "; ".join(
        f"{n} seeds: right {percent(one.right)}, undecided {percent(one.undecided)}, wrong {percent(one.wrong)}"
        for n, one in shown
    )
    title = f"What {name_of(pair.decided_by)} would have concluded on {pair.a} against {pair.b}. {words}."
    caption = f"{versus(audit, pair)}: what {name_of(pair.decided_by)} says of n seeds an agent."
    return figure("few_seeds", "hardest", title, pair, caption=caption)


def _orders(pair: PairAudit) -> FigureHtml:
    words = "; ".join(f"{one.group_size} seeds: {percent(one.wrong_sign)}" for one in pair.subsets)
    title = f"How often n seeds put {pair.a} and {pair.b} in the other order than all seeds. {words}."
    caption = "How often the means of n seeds stand in the other order than those of all seeds. Bars: 95 % over seeds."
    return figure("wrong_sign", "hardest", title, pair, caption=caption)


def _table(audit: Audit) -> Table:
    head = (
        "A", "B", "task", "seeds an agent", "test", "right", "undecided", "wrong", "means in the other order",
        "times too large, if significant",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            pair.a, pair.b, pair.task, one.group_size, label_of(name), percent(test.right), percent(test.undecided),
            percent(test.wrong), percent(one.wrong_sign), test.type_m,
        )
        for pair in audit.comparisons
        for one in pair.subsets
        for name, test in one.tests.items()
    )  # fmt: skip
    return Table("what n seeds would have concluded", head, rows)


# ---------------------------------------------------------------- exaggeration


def how_exaggerated(audit: Audit) -> SectionHtml | None:
    """Type M errors of small samples."""
    pair = hardest_pair(audit.comparisons)
    subset = pair.at_few() if pair else None
    if pair is None or subset is None or pair.decided_by not in subset.tests:
        return None
    return SectionHtml(
        "exaggeration",
        "If it is significant, how exaggerated is it?",
        tuple(_size_sentences(audit, pair, subset)),
        (_sizes(audit, pair),),
        (_size_table(pair),),
        (_DRAWS, "Type M error: Gelman and Carlin 2014. The difference of the full pools is itself uncertain."),
    )


def _size_sentences(audit: Audit, pair: PairAudit, subset: Subset) -> Iterator[str]:
    times, n = subset.tests[pair.decided_by].type_m, subset.group_size
    if times is None:
        yield f"With {n} seeds an agent no draw of {versus(audit, pair)} was significant."
        return
    yield (
        f"{versus(audit, pair)}: where {n} seeds an agent give a significant difference, it is on average "
        f"{number(times, 2)} times as large as that of the full pools."
    )
    if times >= 1.1:
        yield "When power is low, only draws that overshoot are significant: expect a repetition to show less."


def _sizes(audit: Audit, pair: PairAudit) -> FigureHtml:
    words = "; ".join(f"{n} seeds: {number(times, 2)} times" for n, times in _type_m(pair) if times is not None)
    title = (
        f"How much a significant difference of {pair.a} and {pair.b} overstates that of the full pools. "
        f"{words or 'Never significant'}."
    )
    caption = f"{versus(audit, pair)}: mean size of the significant differences, in units of that of the full pools."
    return figure("exaggeration", "hardest", title, pair, caption=caption)


def _type_m(pair: PairAudit) -> list[tuple[int, float | None]]:
    return [(one.group_size, one.tests[pair.decided_by].type_m) for one in pair.subsets if pair.decided_by in one.tests]


def _size_table(pair: PairAudit) -> Table:
    head = ("seeds an agent", "times too large, if significant")
    return Table(f"exaggeration, {label_of(pair.decided_by)}", head, tuple(_type_m(pair)))
