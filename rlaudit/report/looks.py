"""Seeds that were added until it was settled: when did it stop, and why?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, KeyFigure, Rows, SectionHtml, Table, ends, figure, full_name, level
from rlaudit.results import Audit, LookPlan, LookState, PairLook, Sequential
from rlaudit.results.looks import WINNERS
from rlaudit.wording import evidence_text, is_are, label_of, listed, look_says, number, on, percent

_DRAWN = 6  # pairs, as many as the figure has; the table has all


def when_it_stopped(audit: Audit) -> SectionHtml | None:
    """Every look at every pair; None where the number of seeds was fixed."""
    found = audit.sequential
    if found is None:
        return None
    return SectionHtml(
        "looks",
        "When did it stop, and why?",
        tuple(_sentences(audit, found)),
        tuple(_figures(audit, found, "section")),
        (_looks_table(audit, found), _fixed_table(audit)),
        tuple(_method(audit, found)),
    )


def _sentences(audit: Audit, found: Sequential) -> Iterator[str]:
    said = [f"{_words(pair, found)} at look {look.number}{on(_task(audit, pair))}" for look, pair in found.ends()]
    yield f"{'; '.join(said[:_DRAWN]) or 'No look has been made yet'}. {_took(found)}"
    plan, beforehand = found.plan, " before their seeds were trained" if found.beforehand else ""
    yield (
        f"Declared{beforehand}: {plan.n_looks} looks, at {_sizes(plan)} seeds an agent; all "
        f"looks at all pairs together name a wrong winner with a chance of at most {100 * plan.alpha:g} %."
    )
    if any(pair.state in WINNERS for _, pair in found.ends()):
        yield (
            "A difference at the moment of stopping is too large on average, since seeds were added until it showed: "
            "report its interval, which holds at all looks together."
        )
    if n := _n_failed(audit):
        yield (
            f"{n} of the {found.n_runs} runs {'have' if n > 1 else 'has'} failed. Failed seeds enter no look: its "
            "differences are those of the seeds that finished."
        )


def _took(found: Sequential) -> str:
    if not found.settled:
        n = len(found.more)
        return (
            f"It has taken {found.n_runs:,} of at most {found.n_most:,} runs; {n} {is_are(n)} to be trained further: "
            + (f"{listed(f'{agent}{on(task)}' for agent, task, _ in found.more[:_DRAWN])}.")
        )
    saved = found.n_most - found.n_runs
    return f"It took {found.n_runs:,} of at most {found.n_most:,} runs" + (f": {saved:,} saved." if saved else ".")


def _sizes(plan: LookPlan) -> str:
    sizes = [*map(str, plan.sizes)]
    return listed(sizes if len(sizes) <= 8 else [*sizes[:3], "...", sizes[-1]])


def _words(pair: PairLook, found: Sequential) -> str:
    if found.doubt(pair):
        return f"{pair.agent_a} against {pair.agent_b} is left undecided, for {found.doubt(pair)},"
    return f"{look_says(pair.state, pair.agent_a, pair.agent_b)} ({evidence_text(pair.p_value, pair.e_value)})"


def _task(audit: Audit, pair: PairLook) -> str:
    return pair.task if len({arm.task for arm in audit.arms}) > 1 else ""


# ---------------------------------------------------------------- figures and tables


def _figures(audit: Audit, found: Sequential, key: str) -> Iterator[FigureHtml]:
    series = found.series()
    if not series:
        return
    drawn = series[:_DRAWN]
    said = "; ".join(
        f"{full_name(look_says(last.state, last.agent_a, last.agent_b), last.task)} at look {len(seen)}, "
        f"difference {number(last.effect)} {ends(last.low, last.high)}"
        for seen in drawn
        for last in seen[-1:]
    )
    more = f" The first {_DRAWN} of {len(series)} pairs." if len(drawn) < len(series) else ""
    caption = (
        f"The difference of the means at each look, with the {level(audit)} interval that holds at all looks and pairs "
        "together (cut where it leaves the picture). Filled: where it stopped. Grey ground: seeds that were "
        f"declared and not needed.{more}"
    )
    yield figure("looks", key, f"Looks at pairs of agents. {said}.", found, caption=caption, wide=True)


def _looks_table(audit: Audit, found: Sequential) -> Table:
    evidence = "e" if found.plan.design == "anytime" else "p"
    head = (
        "look", "made", "A", "B", "task", "seeds of A", "seeds of B", "A − B", f"{level(audit)} interval", evidence,
        "chance of a winner later", "says",
    )  # fmt: skip
    times = found.times or (None,) * len(found.looks)
    rows: Rows = tuple(
        (
            look.number, _time(made), pair.agent_a, pair.agent_b, pair.task, pair.n_a, pair.n_b, pair.effect,
            ends(pair.low, pair.high), _evidence(pair), percent(pair.chance) if pair.chance is not None else None,
            look_says(pair.state, pair.agent_a, pair.agent_b),
        )
        for look, made in zip(found.looks, times, strict=True)
        for pair in look.pairs
    )  # fmt: skip
    return Table("every look, as the runs that are there give it", head, rows)


def _time(made: str | None) -> str:
    """`2026-11-28 10:04`; a look that nobody wrote down says so."""
    return made[:16].replace("T", " ") if made else "not written down"


def _evidence(pair: PairLook) -> float | None:
    return pair.p_value if pair.e_value is None else pair.e_value


def _fixed_table(audit: Audit) -> Table:
    head = ("A", "B", "task", "test", "p, not valid", "about", "estimate")
    rows: Rows = tuple(
        (pair.a, pair.b, pair.task, label_of(name), one.p_value, one.estimand, one.effect)
        for pair in audit.comparisons
        for name, one in pair.tests.items()
        if name != pair.decided_by
    )
    return Table("what tests for a fixed number of seeds would say: a description, not valid after looking", head, rows)


def _method(audit: Audit, found: Sequential) -> Iterator[str]:
    if found.plan.design == "anytime":
        yield (
            "A bet for every pair, on which agent scores higher with its next seed: e is the factor by which the "
            "stake has grown. If the agents are alike, it ever reaches 1 / alpha with a chance of at most alpha "
            "(Ville 1939), however often it is looked at. Pairs share alpha by closed testing (Vovk "
            "and Wang 2021), tasks equally."
        )
    else:
        yield (
            "Exact permutation tests at every look: each batch of seeds is dealt anew among its two agents, and alpha "
            "is spent in step with the seeds (Lan and DeMets 1983). Pairs share it by closed testing (Marcus, Peritz "
            "and Gabriel 1976), tasks equally. p counts all looks so far and all pairs. “Alike” means alike in every "
            "way. Agents with one mean and unequal spreads are not: with a standard deviation three times the other's, "
            "7 % of such designs at alpha = 5 % named a winner."
        )
    futility = found.plan.futility
    if futility is not None:
        yield (
            "From the second look on a pair is given up where the chance of a winner by the last look is below "
            f"{percent(futility)}, were the difference seen (and a standard error more) the true one. That names "
            "nobody."
        )
    yield (
        f"Family: {audit.family}. Tests and intervals for a fixed number of seeds are wrong more often than they say "
        "where seeds were added until something showed: verdicts, differences and intervals of pairs here are those of "
        "the looks. Not shown, because only a fixed number of seeds could answer it: how many seeds would do, what "
        "fewer seeds would have said, which single seed a verdict hangs on, other metrics, and an order of all agents."
    )
    yield (
        "Intervals hold for all pairs and all looks together. An end at 0 is not in the interval of a pair that has a "
        "winner: many pairs are told apart together a little before each by itself."
    )
    yield "Every look is written into looks.jsonl as it is made, and computed anew from the runs for this report."


# ---------------------------------------------------------------- first screen and terminal


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    found = audit.sequential
    assert found is not None
    plan = found.plan
    yield f"{len(plan.agents)} agents"
    yield plan.tasks[0] if len(plan.tasks) == 1 else f"{len(plan.tasks)} tasks"
    yield f"{len(found.looks)} of {plan.n_looks} looks, {plan.batch} seeds an agent each"
    if n := _n_failed(audit):
        yield f"{n} failed"
    yield f"score: {audit.metric}, {'higher' if audit.higher_is_better else 'lower'} is better"
    if "quick" in audit.provenance:
        yield f"quick: {audit.provenance['quick']}"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """What came of it first, and what it took."""
    found = audit.sequential
    assert found is not None
    stopped = [*found.ends()]
    if len(stopped) == 1:
        _, pair = stopped[0]
        beside = f"{level(audit)} interval at all looks {ends(pair.low, pair.high)}"
        evidence = evidence_text(pair.p_value, pair.e_value)
        label = f"{pair.agent_a} − {pair.agent_b}, at the last look"
        yield KeyFigure(label, number(pair.effect), f"{beside}; {evidence}")
    elif stopped:
        won = sum(pair.state in WINNERS and not found.doubt(pair) for _, pair in stopped)
        left = len(stopped) - won
        others = "the other is" if left == 1 else "the others are"
        beside = f"{others} undecided, which does not make them equal" if left else audit.family
        yield KeyFigure("pairs with a winner", f"{won} of {len(stopped)}", beside)
    yield KeyFigure("looks made", f"{len(found.looks)} of {found.plan.n_looks}", _state(found))
    counts = sorted(arm.n_seeds + arm.n_failed for arm in audit.arms)
    if counts:
        shown = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
        yield KeyFigure("seeds an agent", shown, f"of at most {found.plan.sizes[-1]} that were declared")
    yield KeyFigure("runs", f"{found.n_runs:,} of {found.n_most:,}", _saved(found, _n_failed(audit)))


def _state(found: Sequential) -> str:
    return "it is settled: nothing more is trained" if found.settled else "not settled: more would be trained"


def _n_failed(audit: Audit) -> int:
    return sum(arm.n_failed for arm in audit.arms)


def _saved(found: Sequential, n_failed: int) -> str:
    failed = f"; {n_failed} failed, in no look" if n_failed else ""
    if not found.settled:
        return f"so far{failed}"
    return f"{found.n_most - found.n_runs:,} saved{failed}"


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The looks."""
    assert audit.sequential is not None
    return tuple(_figures(audit, audit.sequential, "first")), ""


def table(audit: Audit) -> Table:
    """The last look at each pair; for the terminal."""
    found = audit.sequential
    assert found is not None
    head = (
        "pair",
        "A − B",
        f"{level(audit)} interval",
        "e" if found.plan.design == "anytime" else "p",
        "look",
        "seeds",
        "says",
    )
    rows = tuple(
        (
            full_name(f"{pair.agent_a} / {pair.agent_b}", _task(audit, pair)), number(pair.effect),
            ends(pair.low, pair.high), number(_evidence(pair), 2), f"{look.number} of {found.plan.n_looks}",
            f"{pair.n_a} / {pair.n_b}", _short(pair, found),
        )
        for look, pair in found.ends()
    )  # fmt: skip
    return Table("the last look at each pair", head, rows)


def _short(pair: PairLook, found: Sequential) -> str:
    if found.doubt(pair):
        return "in doubt"
    return {
        LookState.A_BETTER: "A better",
        LookState.B_BETTER: "B better",
        LookState.OPEN: "goes on",
        LookState.FUTILE: "given up",
        LookState.UNDECIDED: "undecided",
    }[pair.state]
