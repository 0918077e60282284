"""Agent against agent: the verdicts, and what a handful of seeds would have made of them."""

from collections.abc import Iterator

from rlaudit.comparisons.moments import smallest_p
from rlaudit.findings.words import adjusted, level, versus
from rlaudit.results import Audit, PairAudit, TestResult, hardest_pair
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import decided_of, interval, name_of, number, on, p_text, percent

_MANY_PAIRS = 6  # up to here each pair gets a sentence of its own
_WRONG_WARN = 0.025  # share of draws that name the worse agent


def verdicts(audit: Audit) -> Iterator[Finding]:
    """Each comparison, or a sum of them where they are many."""
    if len(audit.comparisons) > _MANY_PAIRS:
        yield _summary_of_many(audit)
        return
    for pair in audit.comparisons:
        yield _verdict(audit, pair)


def _seeds(test: TestResult, n_a: int, n_b: int) -> str:
    if test.n_pairs is None:
        return f"{n_a} against {n_b} seeds"
    return f"{test.n_pairs} pairs of seeds with a correlation of {number(test.correlation, 2)}"


def _verdict(audit: Audit, pair: PairAudit) -> Finding:
    n_a, n_b = (audit.arm(agent, pair.task).n_seeds for agent in (pair.a, pair.b))
    test = pair.tests[pair.decided_by]
    numbers = (
        f"difference of the means {number(pair.effect)}, {level(audit)} interval {interval(pair.low, pair.high)}, "
        f"{name_of(pair.decided_by)} {p_text(test.p_value)}{adjusted(pair, audit)}, {_seeds(test, n_a, n_b)}"
    )
    evidence = {
        "effect": pair.effect, "low": pair.low, "high": pair.high, "p_value": test.p_value,
        "p_adjusted": pair.p_adjusted, "n_a": n_a, "n_b": n_b,
        "seeds_needed": pair.seeds_needed.n if pair.seeds_needed else None,
    }  # fmt: skip
    if pair.verdict.has_winner:
        better, worse = (pair.a, pair.b) if pair.verdict == Verdict.A_BETTER else (pair.b, pair.a)
        how = "higher" if audit.higher_is_better else "lower"
        sentence = f"{better} scores {how} than {worse}{on(pair.task)} ({numbers})."
        nearest = min((pair.low, pair.high), key=lambda end: abs(end or 0.0))
        step = f"Report the interval with the difference: these runs do not rule out one of {number(nearest)}."
        return Finding(f"{versus(pair)}: {better} is better", sentence, Level.OK, evidence, step)
    if pair.verdict == Verdict.EQUIVALENT:
        sentence = f"{pair.a} and {pair.b}{on(pair.task)} are equivalent within {number(pair.margin)} ({numbers})."
        step = "Say equivalent, with the margin beside it; it does not mean that there is no difference."
        return Finding(f"{versus(pair)}: equivalent", sentence, Level.OK, evidence, step)
    opening = "Undecided" if pair.verdict == Verdict.UNDECIDED else "Unstable"
    sentence = f"{opening}: {versus(pair)}: {pair.reason} ({numbers})."
    return Finding(f"{versus(pair)}: {opening.lower()}", sentence, Level.UNSAFE, evidence, _seeds_advice(pair))


def _seeds_advice(pair: PairAudit) -> str:
    needed = pair.seeds_needed
    if pair.effect == pair.low == pair.high == 0:
        return "Look for a ceiling that both have reached, and for a seed that is not used; more seeds will not help."
    if needed is None or needed.n is None:
        return "The means hardly differ: ask whether they are equivalent within a margin that matters to you."
    return (
        f"Do not conclude yet. If the difference seen is the true one, about {needed.n:,} seeds an agent find it with "
        f"{percent(needed.power)} power; these runs pin that number only to {needed.range}."
    )


def _summary_of_many(audit: Audit) -> Finding:
    open_pairs = [pair for pair in audit.comparisons if pair.verdict.is_open]
    n = len(audit.comparisons)
    return Finding(
        f"{n} comparisons, {len(open_pairs)} undecided",
        f"{decided_of(n, len(open_pairs), 'comparison')} ({audit.family}).",
        Level.UNSAFE if open_pairs else Level.OK,
        {"n_comparisons": n, "n_undecided": len(open_pairs)},
        "Train more seeds of the agents that matter, or compare fewer."
        if open_pairs
        else "Report each with its interval.",
    )


def hopeless_designs(audit: Audit) -> Iterator[Finding]:
    """Numbers of seeds with which the exact test can never reach alpha, whatever the scores."""
    hopeless = []
    for pair in audit.comparisons:
        n_a, n_b = (audit.arm(agent, pair.task).n_seeds for agent in (pair.a, pair.b))
        best = smallest_p(n_a, n_b)
        if best > audit.alpha:
            hopeless.append((best, n_a, n_b, pair))
    if hopeless:
        best, n_a, n_b, pair = max(hopeless, key=lambda one: one[0])
        sentence = (
            f"{n_a} against {n_b} seeds cannot show a difference between {pair.a} and {pair.b}{on(pair.task)}: "
            f"even with every seed of one above every seed of the other, the exact test says p = {best:.2g}"
            f"{_and_others(len(hopeless) - 1)}."
        )
        title = f"{versus(pair)}: too few seeds for any answer"
        evidence = {"min_p": best, "n_comparisons": len(hopeless)}
        yield Finding(title, sentence, Level.UNSAFE, evidence, "Train at least 4 seeds an agent, better 20.")


def _and_others(n: int) -> str:
    return f"; {n} more {'comparison has' if n == 1 else 'comparisons have'} the same trouble" if n else ""


def tests_disagree(audit: Audit) -> Iterator[Finding]:
    """Welch's test and the exact permutation test on different sides of alpha."""
    torn = []
    for pair in audit.comparisons:
        p_values = {name: test.p_value for name in ("welch", "permutation") if (test := pair.tests.get(name))}
        welch, exact = p_values.get("welch"), p_values.get("permutation")
        if welch is not None and exact is not None and (welch <= audit.alpha) != (exact <= audit.alpha):
            torn.append((abs(welch - exact), welch, exact, pair))
    if torn:
        _, welch, exact, pair = max(torn, key=lambda one: one[0])
        sentence = (
            f"Welch's t test ({p_text(welch)}) and the permutation test ({p_text(exact)}) disagree on "
            f"{versus(pair)}: the answer hangs on the choice of the test{_and_others(len(torn) - 1)}."
        )
        evidence = {"welch": welch, "permutation": exact, "n_comparisons": len(torn)}
        yield Finding(f"{versus(pair)}: the tests disagree", sentence, Level.WARN, evidence, _seeds_advice(pair))


def few_seeds(audit: Audit) -> Iterator[Finding]:
    """What a handful of seeds would have concluded of the decided pair (any, if none is) that they mislead most."""
    pair = hardest_pair(audit.comparisons)
    subset = pair.at_few() if pair else None
    if pair is None or subset is None:
        return
    decided = pair.verdict.has_winner
    n, test = subset.group_size, subset.tests[pair.decided_by]
    lower, higher = (pair.b, pair.a) if (pair.effect or 0) > 0 else (pair.a, pair.b)
    exaggeration = (
        f", and where it does, the difference looks {number(test.type_m, 2)} times as large as it is"
        if decided and test.type_m and test.type_m >= 1.05  # else nobody knows how large it is
        else ""
    )
    known = (
        f"All seeds together show that {higher} scores higher than {lower}{on(pair.task)}; {n} seeds an agent"
        if decided
        else f"If the means of all seeds told the truth about {higher} and {lower}{on(pair.task)}, {n} seeds an agent"
    )
    enough = subset.wrong_sign < _WRONG_WARN and test.right >= 0.8
    yield Finding(
        f"{n} seeds an agent: {versus(pair)}",
        f"{known} would show it ({name_of(pair.decided_by)}) in {percent(test.right)} of draws{exaggeration}. In "
        f"{percent(subset.wrong_sign)} of draws {lower} would have the higher mean.",
        Level.OK if enough else Level.WARN,
        {"group_size": n, "wrong_sign": subset.wrong_sign, "right": test.right, "type_m": test.type_m},
        f"{n} seeds an agent are enough for a difference as large as this one; report all seeds all the same."
        if enough
        else f"Do not judge these agents by {n} seeds.",
    )
