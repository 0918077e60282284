"""What loose habits would have concluded from these runs."""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, SectionHtml, Table, figure, full_name, shares
from rlaudit.results import Audit, Estimate, ProcedureAudit, ProcedureRates
from rlaudit.wording import label_of, listed, percent

_NAMED = 3  # habits in the answer; the picture has all
_DRAWS = (
    "One agent against itself: two disjoint groups of its seeds, drawn without replacement (with replacement where the "
    "pool is too small, see the table); of two agents, each in half of the draws. Two agents: seeds drawn with "
    "replacement from both pools, whose means by the score of this audit count as the truth; a task picked afterwards "
    "is judged by its own means. Intervals: the same with pools that were redrawn seed by seed. In simulations with 10 "
    "to 40 seeds those of false winners held the truth in 98 to 100 % of cases (very skewed scores: from 88 % on), "
    "those of right and wrong winners in 91 to 100 % (from 55 % on)."
)
_HABITS = (
    "The better half: twice the runs of one agent, of which the better half is reported. Adding seeds: Welch’s test "
    "after every seed from the third up to twice the number, until p falls below alpha. Any point: Welch at each point "
    "of the learning curve. Evaluations as samples: the last ten of each seed (half of a shorter curve). Choosing the "
    "metric: score, last ten evaluations, area, best. Tuned: five variants that change nothing, the best reported on "
    "the seeds that chose it. Habits that favour one agent favour each in half of the draws."
)
_SOURCES = (
    "Type S and type M errors: Gelman and Carlin 2014. Picked runs: Henderson et al. 2018. Looking again and again: "
    "Armitage et al. 1969. Overlapping intervals: Schenker and Gentleman 2001. Intervals without false winners are no "
    "virtue by themselves: see how seldom such a rule finds the better agent."
)


def habits(audit: Audit) -> SectionHtml | None:
    """What would loose habits have concluded?"""
    tried = audit.procedures
    if tried is None or not tried.rates:
        return None
    return SectionHtml(
        "habits",
        "What would loose habits have concluded?",
        tuple(_sentences(audit, tried)),
        (_figure(tried),),
        (_table(tried),),
        (_DRAWS, _HABITS, _SOURCES),
    )


def _sentences(audit: Audit, tried: ProcedureAudit) -> Iterator[str]:
    most, reference = tried.habits()[:_NAMED], tried.of(tried.reference)
    if most:
        told = listed(f"“{label_of(one.procedure)}” in {_with_interval(one.false_positives)}" for one in most)
        once = (
            f"; {label_of(tried.reference)}, once, in {percent(reference.false_positives.value)}" if reference else ""
        )
        yield (
            f"Between two groups of {tried.group_size} seeds of one and the same agent, a winner would have been found "
            f"by {told} of draws{once}."
        )
    always = [one for one in tried.rates if one.always]
    if always:
        names = listed(f"“{label_of(one.procedure)}”" for one in always)
        wrong = [one.wrong.value for one in always if one.wrong]
        yield (
            f"Rules such as {names} always name a winner, unless the scores tie: between two groups of one agent they "
            "are wrong by construction."
            + (
                f" Of {tried.a} against {tried.b} they name the agent with the worse mean over all seeds in "
                f"{listed(map(percent, wrong))} of draws."
                if wrong
                else ""
            )
        )
    pair = next((p for p in audit.comparisons if (p.a, p.b, p.task) == (tried.a, tried.b, tried.task)), None)
    if pair and pair.verdict.is_open and tried.better:
        yield (
            f"All seeds together do not decide between {tried.a} and {tried.b}: “right” only means “as the means of "
            "the full pools”."
        )
    if tried.skipped:
        yield f"Not tried: {'; '.join(f'{label_of(name)} ({why})' for name, why in tried.skipped.items())}."


def _with_interval(share: Estimate) -> str:
    around = "" if share.low is None else f" ({shares(share.low, share.high)})"
    return f"{percent(share.value)}{around}"


def _figure(tried: ProcedureAudit) -> FigureHtml:
    who = full_name(f"{tried.a} and {tried.b}" if tried.b else tried.a, tried.task)
    words = "; ".join(f"{label_of(one.procedure)} {_in_words(one)}" for one in tried.rates)
    title = f"Habits of concluding from {tried.group_size} seeds an agent of {who}: {words}."
    caption = (
        f"{who}, {tried.group_size} seeds an agent. Left: how often a habit names a winner between two groups of one "
        "agent; any is false. Lines: 95 % over seeds; red: all of the line is above alpha; grey: names a winner by "
        "construction."
    )
    if any(one.right for one in tried.rates):
        caption += " Right: what the habit makes of the two agents."
    return figure("habits", "tried", title, tried, caption=caption, wide=True)


def _in_words(one: ProcedureRates) -> str:
    said = f"{percent(one.false_positives.value)} false winners"
    return (
        f"{said}, {percent(one.right.value)} right, {percent(one.wrong.value)} wrong"
        if one.right and one.wrong
        else said
    )


def _table(tried: ProcedureAudit) -> Table:
    head = (
        "habit", "false winners", "95 % over seeds", "right", "95 % over seeds", "wrong", "95 % over seeds",
        "wrong among its winners", "95 % over seeds", "times the difference", "draws", "seeds drawn twice",
    )  # fmt: skip
    rows = tuple(
        (
            label_of(one.procedure), *_cells(one.false_positives), *_cells(one.right), *_cells(one.wrong),
            *_cells(one.type_s), one.type_m.value if one.type_m else None, one.n_draws, "yes" if one.replaced else "no",
        )
        for one in tried.rates
    )  # fmt: skip
    return Table(f"habits of concluding, {tried.group_size} seeds an agent", head, rows)


def _cells(share: Estimate | None) -> tuple[str | None, str | None]:
    if share is None:
        return None, None
    return percent(share.value), None if share.low is None else shares(share.low, share.high)
