"""Numbers into sentences. Each rule looks at a finished audit and says what its numbers carry, and no more.

Levels: `ok`, the numbers carry a conclusion; `warn`, they do so with a caveat; `unsafe`, a conclusion would go
beyond them. The rules stand in the order of their weight; findings are sorted by level, then by rule.
"""

from collections.abc import Callable, Iterator

from rlaudit.comparisons.moments import smallest_p
from rlaudit.results import FEW, Audit, PairAudit, SplitTest, TestResult
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import interval, name_of, number, on, p_text, percent

_MANY_PAIRS = 6  # up to here each pair gets a sentence of its own
_LUCK_WARN, _LUCK_UNSAFE = 0.10, 0.50  # same-agent gap (95th percentile, share of the mean) that people would publish
_WRONG_WARN = 0.025  # share of draws that name the worse agent
Rule = Callable[[Audit], Iterator[Finding]]


def find(audit: Audit) -> tuple[Finding, ...]:
    """All findings, the most important first."""
    found = [finding for rule in RULES for finding in rule(audit)]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.level]))


_ORDER = {Level.UNSAFE: 0, Level.WARN: 1, Level.OK: 2}


# ---------------------------------------------------------------- claims and failures


def claims(audit: Audit) -> Iterator[Finding]:
    """What the runs say of each stated claim."""
    levels = {"supported": Level.OK, "contradicted": Level.UNSAFE, "undecided": Level.UNSAFE}
    for claim in audit.claims:
        title = f"Claim {claim.state}: {claim.text}"
        yield Finding(title, f"The claim '{claim.text}' is {claim.state}: {claim.reason}.", levels[claim.state], {})


def failures(audit: Audit) -> Iterator[Finding]:
    """Seeds without a score: how many, how many there may be, and whether they decide a comparison."""
    failed = [arm for arm in audit.arms if arm.n_failed]
    turned = [pair for pair in audit.comparisons if pair.imputed and not pair.imputed.agrees]
    for arm in failed:
        n = arm.n_seeds + arm.n_failed
        sentence = (
            f"{arm.n_failed} of {n} seeds of {arm.agent}{on(arm.task)} failed and have no score "
            f"(failure rate {percent(arm.n_failed / n)}, 95 % interval {percent(arm.failure_low)} to "
            f"{percent(arm.failure_high)}). Its numbers speak only of the seeds that finished."
        )
        evidence = {"n_failed": arm.n_failed, "n": n, "low": arm.failure_low, "high": arm.failure_high}
        yield Finding(
            f"{arm.agent}: failed seeds", sentence, Level.WARN, evidence, "Look into the failures before you average."
        )
    for pair in turned:
        imputed = pair.imputed
        assert imputed is not None
        yield Finding(
            f"{_versus(pair)}: the failed seeds decide",
            f"With the failed seeds counted as the worst score reached ({number(imputed.floor)}), the comparison of "
            f"{pair.a} and {pair.b}{on(pair.task)} turns: difference {number(imputed.effect)}, "
            f"{p_text(imputed.p_value)} instead of {p_text(pair.tests[pair.decided_by].p_value)}.",
            Level.UNSAFE,
            {"effect": imputed.effect, "p_value": imputed.p_value},
            "Report both, or make the failed seeds finish.",
        )
    if not failed:
        arm = min(audit.arms, key=lambda one: one.n_seeds)
        yield Finding(
            "No seed failed",
            f"No seed failed. With {arm.n_seeds} seeds an agent, a failure rate of up to {percent(arm.failure_high)} "
            "could still go unseen (95 % bound).",
            Level.OK,
            {"n": arm.n_seeds, "high": arm.failure_high},
        )


# ---------------------------------------------------------------- agent against agent


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
        f"difference of the means {number(pair.effect)}, {_level(audit)} interval {interval(pair.low, pair.high)}, "
        f"{name_of(pair.decided_by)} {p_text(test.p_value)}{_adjusted(pair, audit)}, {_seeds(test, n_a, n_b)}"
    )
    evidence = {
        "effect": pair.effect, "low": pair.low, "high": pair.high, "p_value": test.p_value,
        "p_adjusted": pair.p_adjusted, "n_a": n_a, "n_b": n_b, "seeds_needed": pair.seeds_needed.n,
    }  # fmt: skip
    if pair.verdict.has_winner:
        better, worse = (pair.a, pair.b) if pair.verdict == Verdict.A_BETTER else (pair.b, pair.a)
        how = "higher" if audit.higher_is_better else "lower"
        sentence = f"{better} scores {how} than {worse}{on(pair.task)} ({numbers})."
        return Finding(f"{_versus(pair)}: {better} is better", sentence, Level.OK, evidence)
    if pair.verdict == Verdict.EQUIVALENT:
        sentence = f"{pair.a} and {pair.b}{on(pair.task)} are equivalent within {number(pair.margin)} ({numbers})."
        return Finding(f"{_versus(pair)}: equivalent", sentence, Level.OK, evidence)
    opening = "Undecided" if pair.verdict == Verdict.UNDECIDED else "Unstable"
    sentence = f"{opening}: {_versus(pair)}: {pair.reason} ({numbers})."
    return Finding(f"{_versus(pair)}: {opening.lower()}", sentence, Level.UNSAFE, evidence, _seeds_advice(pair))


def _seeds_advice(pair: PairAudit) -> str:
    needed = pair.seeds_needed
    if needed.n is None:
        return "The means hardly differ: ask whether they are equivalent within a margin that matters to you."
    low = needed.low or 2
    range_ = f"{low:,} to {needed.high:,}" if needed.high is not None else f"{low:,} or more, without a limit"
    return (
        f"Do not conclude yet. If the difference seen is the true one, about {needed.n:,} seeds an agent find it with "
        f"{percent(needed.power)} power; these runs pin that number only to {range_}."
    )


def _summary_of_many(audit: Audit) -> Finding:
    open_pairs = [pair for pair in audit.comparisons if pair.verdict.is_open]
    n = len(audit.comparisons)
    return Finding(
        f"{n} comparisons, {len(open_pairs)} undecided",
        f"{n - len(open_pairs)} of {n} comparisons are decided, {len(open_pairs)} are not ({audit.family}).",
        Level.UNSAFE if open_pairs else Level.OK,
        {"n_comparisons": n, "n_undecided": len(open_pairs)},
        "Train more seeds of the agents that matter, or compare fewer." if open_pairs else "",
    )


def hopeless_designs(audit: Audit) -> Iterator[Finding]:
    """Numbers of seeds with which the exact test can never reach alpha, whatever the scores."""
    for pair in audit.comparisons:
        n_a, n_b = (audit.arm(agent, pair.task).n_seeds for agent in (pair.a, pair.b))
        best = smallest_p(n_a, n_b)
        if best > audit.alpha:
            sentence = (
                f"{n_a} against {n_b} seeds cannot show a difference between {pair.a} and {pair.b}{on(pair.task)}: "
                f"even with every seed of one above every seed of the other, the exact test says p = {best:.2g}."
            )
            title = f"{_versus(pair)}: too few seeds for any answer"
            yield Finding(title, sentence, Level.UNSAFE, {"min_p": best}, "Train at least 4 seeds an agent, better 20.")


def tests_disagree(audit: Audit) -> Iterator[Finding]:
    """Welch's test and the exact permutation test on different sides of alpha."""
    for pair in audit.comparisons:
        p_values = {name: test.p_value for name in ("welch", "permutation") if (test := pair.tests.get(name))}
        welch, exact = p_values.get("welch"), p_values.get("permutation")
        if welch is None or exact is None or (welch <= audit.alpha) == (exact <= audit.alpha):
            continue
        sentence = (
            f"Welch's t test ({p_text(welch)}) and the permutation test ({p_text(exact)}) disagree on "
            f"{_versus(pair)}: the answer hangs on the choice of the test."
        )
        yield Finding(f"{_versus(pair)}: the tests disagree", sentence, Level.WARN, p_values, _seeds_advice(pair))


def few_seeds(audit: Audit) -> Iterator[Finding]:
    """What a handful of seeds would have concluded of the decided pair (any, if none is) that they mislead most."""
    pairs = [(pair, subset) for pair in audit.comparisons if (subset := pair.at_few())]
    if not pairs:
        return
    decided = [one for one in pairs if one[0].verdict.has_winner]
    pair, subset = max(decided or pairs, key=lambda one: one[1].wrong_sign)
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
    yield Finding(
        f"{n} seeds an agent: {_versus(pair)}",
        f"{known} would show it ({name_of(pair.decided_by)}) in {percent(test.right)} of draws{exaggeration}. In "
        f"{percent(subset.wrong_sign)} of draws {lower} would have the higher mean.",
        Level.OK if subset.wrong_sign < _WRONG_WARN and test.right >= 0.8 else Level.WARN,
        {"group_size": n, "wrong_sign": subset.wrong_sign, "right": test.right, "type_m": test.type_m},
        f"Do not judge these agents by {n} seeds." if subset.wrong_sign >= _WRONG_WARN or test.right < 0.8 else "",
    )


# ---------------------------------------------------------------- one agent against itself


def luck_floor(audit: Audit) -> Iterator[Finding]:
    """How large a gap between two groups of seeds of one and the same agent looks."""
    shown = [split for split in audit.at_few() if split.relative_gap]
    if not shown:
        return
    split = max(shown, key=lambda one: one.relative_gap.p95 if one.relative_gap else 0)
    relative = split.relative_gap
    assert relative is not None
    alone = not audit.comparisons  # a comparison has a verdict of its own, which takes the spread into account
    unsafe = alone and relative.p95 >= _LUCK_UNSAFE
    level = Level.UNSAFE if unsafe else Level.WARN if relative.p95 >= _LUCK_WARN else Level.OK
    tail = f", by {percent(relative.p95)} or more in one of twenty" if split.n_splits >= 20 else ""
    yield Finding(
        f"The same agent, {split.group_size} seeds against {split.group_size}",
        f"Two groups of {split.group_size} seeds of {split.agent}{on(split.task)} differ by {percent(relative.median)} "
        f"of the mean in the median split{tail}, and by {percent(relative.max)} in the worst of {split.n_splits:,} "
        "splits.",
        level,
        {"group_size": split.group_size, "median": relative.median, "p95": relative.p95, "max": relative.max},
        f"A gain below {percent(relative.p95)} between {split.group_size}-seed averages is within the reach of luck."
        if level != Level.OK
        else "",
    )


def honest_tests(audit: Audit) -> Iterator[Finding]:
    """Tests that call one agent two more often than alpha, beyond what other pools of seeds would vary."""
    for name in dict.fromkeys(name for split in audit.splits for name in split.tests):
        rows = [(split, split.tests[name]) for split in audit.splits if split.group_size >= 4]
        too_often = [(split, test) for split, test in rows if test.low is not None and test.low > audit.alpha]
        if too_often:
            split, test = max(too_often, key=lambda row: row[1].rate)
            deciding = any(pair.decided_by == name for pair in audit.comparisons)
            yield Finding(
                f"{name_of(name, capital=True)} finds differences that are not there",
                f"{name_of(name, capital=True)} calls two groups of {split.group_size} seeds of one agent "
                f"({split.agent}{on(split.task)}) "
                f"different in {percent(test.rate)} of splits{_over_seeds(test)}; it promises {percent(audit.alpha)}."
                + ("" if test.constant else f" Normal seeds would give {percent(test.expected)}."),
                Level.UNSAFE if deciding else Level.WARN,
                {"rate": test.rate, "low": test.low, "high": test.high, "expected": test.expected},
                "Use Welch's t test, the exact permutation test or the expanded bootstrap instead.",
            )


def _over_seeds(test: SplitTest) -> str:
    if test.constant:
        return ", whatever their scores"
    return f" (95 % over seeds: {percent(test.low)} to {percent(test.high)})"


def small_pools(audit: Audit) -> Iterator[Finding]:
    """A pool of N seeds says little about groups of more than N / 4."""
    small = [arm for arm in audit.arms if 0 < arm.n_seeds < 4 * FEW]
    if small:
        arm = min(small, key=lambda one: one.n_seeds)
        largest = max((split.group_size for split in audit.splits if split.agent == arm.agent), default=None)
        reach = f"at most {largest} a side, and what the splits show varies much from one such pool to the next"
        reach = reach if largest else "no split into two groups at all"
        yield Finding(
            "A small pool",
            f"{arm.agent}{on(arm.task)} has {arm.n_seeds} seeds: they allow {reach}. Groups of {FEW} want at least "
            f"{4 * FEW} seeds.",
            Level.WARN,
            {"n_seeds": arm.n_seeds, "largest_group": largest},
            f"Train {4 * FEW} seeds an agent.",
        )


def provenance(audit: Audit) -> Iterator[Finding]:
    """Runs that are missing, or were made with different versions."""
    missing = audit.provenance.get("missing_runs")
    if missing:
        sentence = f"{missing} planned runs are missing; the numbers speak of those that are there."
        yield Finding("Missing runs", sentence, Level.WARN, {}, "Run the audit on the config to train them.")
    places = ("runs: host", "runs: platform", "runs: cpu")
    mixed = [name for name, value in audit.provenance.items() if " | " in value and name not in places]
    if mixed:
        sentence = (
            f"The runs were not all made with the same versions ({', '.join(mixed)}): they may differ for that alone."
        )
        yield Finding("Mixed versions", sentence, Level.WARN, {name: audit.provenance[name] for name in mixed})


RULES: tuple[Rule, ...] = (
    claims, failures, hopeless_designs, verdicts, tests_disagree, few_seeds, luck_floor, honest_tests, small_pools,
    provenance,
)  # fmt: skip


# ---------------------------------------------------------------- words


def _versus(pair: PairAudit) -> str:
    return f"{pair.a} against {pair.b}{on(pair.task)}"


def _level(audit: Audit) -> str:
    return f"{100 * (1 - audit.alpha):g} %"


def _adjusted(pair: PairAudit, audit: Audit) -> str:
    if len(audit.comparisons) < 2 or pair.p_adjusted is None:
        return ""
    return f" ({p_text(pair.p_adjusted)} among {len(audit.comparisons)} comparisons)"


# ---------------------------------------------------------------- exit code


def exit_code(audit: Audit, *, gate: bool) -> int:
    """What a script may rely on: 0 fine, 1 a conclusion does not hold, 4 runs failed, 3 (`gate` only) inconclusive."""
    states = {claim.state for claim in audit.claims}
    turned = any(pair.imputed and not pair.imputed.agrees for pair in audit.comparisons)
    if "contradicted" in states or (gate and turned):
        return 1
    if any(arm.n_failed for arm in audit.arms):
        return 4
    open_pairs = any(pair.verdict.is_open for pair in audit.comparisons)
    inconclusive = "undecided" in states if states else open_pairs
    return 3 if gate and inconclusive else 0
