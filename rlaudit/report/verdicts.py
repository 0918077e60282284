"""Agent against agent: effects with intervals, every test, the verdicts; and how many seeds a verdict would need."""

from collections.abc import Iterator

from rlaudit.report.first_screen import estimation_figure
from rlaudit.report.parts import (
    FigureHtml,
    Rows,
    SectionHtml,
    Table,
    ends,
    figure,
    full_name,
    level,
    shares,
    verdict_words,
    versus,
)  # fmt: skip
from rlaudit.results import Audit, PairAudit, SeedsNeeded, hardest_pair
from rlaudit.wording import decided_of, interval, label_of, name_of, number, p_text, percent

_ESTIMATED = 2  # pairs that get an estimation plot of their own; more of them share one picture
_FOREST = 30  # rows of that picture; the table has all


def a_against_b(audit: Audit) -> SectionHtml | None:
    """Every pair of agents."""
    pairs = audit.comparisons
    if not pairs:
        return None
    return SectionHtml(
        "a-against-b",
        f"{pairs[0].a} against {pairs[0].b}?" if len(pairs) == 1 else "A against B?",
        tuple(_sentences(audit)),
        tuple(_figures(audit)),
        (_pair_table(audit), _effects_table(audit), _tests_table(audit)),
        (
            f"The verdict comes from {name_of(pairs[0].decided_by)} with all seeds, named before anybody looked; "
            f"family: {audit.family}. Interval of the difference: Welch. “Equivalent” comes only from two one-sided "
            "tests (Schuirmann 1987) with the margin that you name.",
            "P(A better): the chance that a random seed of A beats one of B, ties count half; 75 % is a usual "
            "threshold for “meaningful” (Bouthillier et al. 2021).",
        ),
    )


def _sentences(audit: Audit) -> Iterator[str]:
    pairs = audit.comparisons
    undecided = [pair for pair in pairs if pair.verdict.is_open]
    if len(pairs) <= _ESTIMATED:
        for pair in pairs:
            yield _pair_sentence(audit, pair)
            yield from _pairing(audit, pair)
    else:
        yield f"{decided_of(len(pairs), len(undecided), 'pair')} ({audit.family})."
    if undecided:
        yield "Undecided does not mean equal: the runs are compatible with every difference inside the interval."
    for pair in pairs:
        if pair.imputed and (len(pairs) <= _ESTIMATED or not pair.imputed.agrees):
            yield _imputed_sentence(audit, pair)


def _pair_sentence(audit: Audit, pair: PairAudit) -> str:
    chance = (
        f" A random seed of {pair.a} beats one of {pair.b} with {percent(pair.p_a_better)} probability "
        f"({shares(pair.p_a_better_low, pair.p_a_better_high)})."
        if pair.p_a_better is not None
        else ""
    )
    return (
        f"{versus(audit, pair)}: {verdict_words(pair)}; {pair.reason}. The means differ by {number(pair.effect)}, "
        f"{level(audit)} interval {interval(pair.low, pair.high)}.{chance}"
    )


def _pairing(audit: Audit, pair: PairAudit) -> Iterator[str]:
    paired = next((one for one in pair.tests.values() if one.n_pairs is not None), None)
    if paired:
        yield (
            f"{versus(audit, pair)}: paired tests take the {paired.n_pairs} seeds that both have for pairs; the "
            f"correlation of their scores is {number(paired.correlation, 2)}. Without one pairing gains nothing, and "
            "it is honest only where it was decided before anybody looked."
        )


def _imputed_sentence(audit: Audit, pair: PairAudit) -> str:
    imputed = pair.imputed
    assert imputed is not None
    return (
        f"{versus(audit, pair)}: with each failed seed counted as the worst score reached ({number(imputed.floor)}) "
        f"the conclusion {'stays' if imputed.agrees else 'changes'}: difference {number(imputed.effect)}, "
        f"{p_text(imputed.p_value)}."
    )


def _figures(audit: Audit) -> Iterator[FigureHtml]:
    if len(audit.comparisons) <= _ESTIMATED:
        yield from (estimation_figure(audit, pair, str(i)) for i, pair in enumerate(audit.comparisons))
        return
    pairs = sorted(audit.comparisons, key=_p)[:_FOREST]
    rows = "; ".join(
        f"{full_name(f'{one.a} − {one.b}', one.task)} {number(one.effect)} {ends(one.low, one.high)}" for one in pairs
    )
    few = (
        f" The {_FOREST} with the smallest p of {len(audit.comparisons)}."
        if len(pairs) < len(audit.comparisons)
        else ""
    )
    caption = (
        f"Differences of the means with {level(audit)} intervals, each for itself. Filled: decided, after the "
        f"correction for {len(audit.comparisons)} comparisons; hollow: undecided.{few}"
    )
    yield figure("forest", "all", f"Differences of the means. {rows}.", pairs, caption=caption, wide=True)


def _p(pair: PairAudit) -> float:
    p = pair.tests[pair.decided_by].p_value
    return 1.0 if p is None else p


def _pair_table(audit: Audit) -> Table:
    head = (
        "A", "B", "task", "A − B", f"{level(audit)} interval", "in sd", "P(A better)", "p", "p, adjusted",
        "p, equivalence", "verdict",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            pair.a, pair.b, pair.task, pair.effect, interval(pair.low, pair.high), pair.cohen_d,
            percent(pair.p_a_better), pair.tests[pair.decided_by].p_value, pair.p_adjusted, pair.p_equivalent,
            verdict_words(pair),
        )
        for pair in audit.comparisons
    )  # fmt: skip
    return Table("verdicts", head, rows)


_EFFECTS = {
    "difference": "difference of the means",
    "relative_difference": "relative difference of the means",
    "hedges_g": "Hedges g, in sd",
    "p_a_better": "P(A > B)",
    "cliffs_delta": "Cliff's delta",
    "iqm_difference": "difference of the interquartile means",
}


def _effects_table(audit: Audit) -> Table:
    head = ("A", "B", "task", "effect", "estimate", f"{level(audit)} interval")
    rows: Rows = tuple(
        (pair.a, pair.b, pair.task, _EFFECTS.get(name, name), one.value, interval(one.low, one.high))
        for pair in audit.comparisons
        for name, one in pair.effects.items()
    )
    return Table("effects", head, rows)


def _tests_table(audit: Audit) -> Table:
    head: tuple[str, ...] = (
        "A", "B", "task", "test", "statistic", "df", "p", "about", "estimate", "interval", "smallest possible p",
        "simulation error of p",
    )  # fmt: skip
    tests = [(pair, name, one) for pair in audit.comparisons for name, one in pair.tests.items()]
    rows: Rows = tuple(
        (
            pair.a, pair.b, pair.task, label_of(name), one.statistic, one.df, one.p_value, one.estimand, one.effect,
            ends(one.low, one.high), one.min_p, one.mc_error,
        )
        for pair, name, one in tests
    )  # fmt: skip
    if any(one.n_pairs is not None for _, _, one in tests):
        head = (*head, "pairs", "their correlation")
        rows = tuple((*row, one.n_pairs, one.correlation) for row, (_, _, one) in zip(rows, tests, strict=True))
    return Table("every test, with all seeds, not adjusted", head, rows)


# ---------------------------------------------------------------- how many seeds


def how_many_seeds(audit: Audit) -> SectionHtml | None:
    """Power curves, and the seeds that the gap seen would need."""
    pair = hardest_pair(audit.comparisons)
    if pair is None or pair.seeds_needed is None or not pair.power_curve:
        return None
    return SectionHtml(
        "how-many-seeds",
        "How many seeds do I need?",
        (_needed_sentence(audit, pair, pair.seeds_needed), _usual_sentence(pair)),
        (_power_figure(pair, pair.seeds_needed),),
        (_needed_table(audit), _power_table(pair)),
        (
            "Two-sided Welch test, noncentral t, equal numbers of seeds. The interval carries the uncertainty of "
            "gap and spread: it comes from the 95 % interval of the standardised difference.",
            "Power at the gap seen is no verdict on these runs: a gap that happened to be large promises too much.",
        ),
    )


def _needed_sentence(audit: Audit, pair: PairAudit, needed: SeedsNeeded) -> str:
    d = pair.cohen_d
    if needed.n is None:
        return (
            f"{versus(audit, pair)}: the gap seen is so small that no reasonable number of seeds finds it. Ask rather "
            "whether the agents are equivalent within a margin that matters to you."
        )
    size = f" ({number(abs(d), 2)} standard deviations)" if d is not None else ""
    return (
        f"{versus(audit, pair)}: if the gap seen{size} is the true one, about {needed.n:,} seeds an agent find it with "
        f"{percent(needed.power)} power. These runs pin that number only to {needed.range}."
    )


def _usual_sentence(pair: PairAudit) -> str:
    at_five = sorted((gain, share) for gain, n, share in pair.power_curve if n == 5)
    words = listed_gains(at_five)
    return f"With five seeds an agent, a true gain of {words}." if words else ""


def listed_gains(cells: list[tuple[float, float]]) -> str:
    """`0.5 sd is found in 9.3 % of experiments, one of 1 sd in 27 %`."""
    words = [f"{gain:g} sd is found in {percent(share)}" for gain, share in cells]
    return " of experiments, one of ".join(words[:2]) + "".join(f", one of {word}" for word in words[2:])


def _power_figure(pair: PairAudit, need: SeedsNeeded) -> FigureHtml:
    gains = sorted({gain for gain, _, _ in pair.power_curve})
    needed = f"{need.n:,} ({need.range})" if need.n is not None else "no finite number"
    at_five = listed_gains(sorted((gain, share) for gain, n, share in pair.power_curve if n == 5))
    title = (
        f"Power of Welch's test against seeds an agent, for true gains of {', '.join(f'{gain:g}' for gain in gains)} "
        f"standard deviations; with five seeds {at_five}. Seeds needed for the gap of {pair.a} and {pair.b}: {needed}."
    )
    caption = (
        "Dashed: the power asked for. On it: the seeds that the gap seen needs, with the interval that these runs "
        "leave; an arrow where it goes on."
    )
    return figure("power", "hardest", title, pair, caption=caption)


def _needed_table(audit: Audit) -> Table:
    head = ("A", "B", "task", "gap seen, in sd", "power", "seeds an agent", "at least", "at most")
    rows: Rows = tuple(
        (one.a, one.b, one.task, one.cohen_d, percent(need.power), need.n, need.low, need.high)
        for one in audit.comparisons
        if (need := one.seeds_needed)
    )
    return Table("seeds needed", head, rows)


def _power_table(pair: PairAudit) -> Table:
    cells = {(gain, n): share for gain, n, share in pair.power_curve}
    gains, sizes = (sorted({cell[i] for cell in cells}) for i in (0, 1))
    rows: Rows = tuple((int(n), *(percent(cells.get((gain, int(n)))) for gain in gains)) for n in sizes)
    return Table("power of Welch's t test", ("seeds an agent", *(f"{gain:g} sd" for gain in gains)), rows)
