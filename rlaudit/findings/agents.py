"""One agent against itself, and the runs behind it."""

from collections.abc import Iterator

from rlaudit.results import FEW, Arm, Audit, SplitTest
from rlaudit.rounding import TOLERANCE
from rlaudit.types import Finding, Level
from rlaudit.wording import name_of, number, on, percent, several

_MOST_TWINS = 3  # findings
_LUCK_WARN, _LUCK_UNSAFE = 0.10, 0.50  # same-agent gap (95th percentile, share of the mean) that people would publish


def twins(audit: Audit) -> Iterator[Finding]:
    """Two seeds, one run: they are one sample, and somebody does not use the seed."""
    for one in audit.twins[:_MOST_TWINS]:
        others = len(audit.twins) - _MOST_TWINS
        more = f" {others} more such groups of seeds were found." if one is audit.twins[0] and others > 0 else ""
        seeds = several([str(seed) for seed in one.seeds])
        yield Finding(
            "Two seeds, one run",
            f"The seeds {seeds} of {one.agent}{on(one.task)} gave the same run, to the bit. They are one sample and "
            f"count here as {len(one.seeds)}: every interval and every p-value of this agent is too good.{more}",
            Level.UNSAFE,
            {"n": len(one.seeds)},
            "Find out what does not use the seed: rlaudit reproduce changes one stream of random numbers at a time.",
        )


def luck_floor(audit: Audit) -> Iterator[Finding]:
    """How large a gap between two groups of seeds of one and the same agent looks."""
    shown = [split for split in audit.at_few() if split.relative_gap and split.gap.max]
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
        else "A gain that you claim should be larger than these gaps.",
    )


def no_seed_effect(audit: Audit) -> Iterator[Finding]:
    """Agents whose seeds all have one score: nothing wrong with arithmetic, but seldom what a random process gives."""
    flat = [arm for arm in audit.arms if arm.n_seeds > 1 and len(set(arm.scores)) == 1]
    if not flat or audit.convex:  # there it is what must be
        return
    arm = max(flat, key=lambda one: one.n_seeds)
    more = f" It is so for {len(flat)} of {len(audit.arms)} agents and tasks." if len(flat) > 1 else ""
    different = len(set(arm.weights_sha256)) > 1
    yield Finding(
        f"{arm.agent}: no seed effect",
        f"All {arm.n_seeds} seeds of {arm.agent}{on(arm.task)} have one score, {number(arm.scores[0])}, to one "
        f"part in {1 / TOLERANCE:,.0f}: no effect of the seed.{more} {_why_flat(arm)} Up to "
        f"{percent(1 - 0.05 ** (1 / arm.n_seeds))} of other seeds may score otherwise all the same (95 % bound).",
        Level.WARN,
        {"n_seeds": arm.n_seeds, "score": arm.scores[0], "n_flat": len(flat), "weights_differ": different},
        "Check that the seed reaches the program, and whether the score has a ceiling or a floor that all have reached."
        if not different
        else "Choose a score that can tell runs apart, such as the area under the learning curve, or a harder task.",
    )


def _why_flat(arm: Arm) -> str:
    """What the weights tell, where rlaudit has trained the runs."""
    n = len(set(arm.weights_sha256))
    if n > 1:
        return "Their weights differ, so that the seed is used: the score is at its limit, or all end in one optimum."
    if n == 1:
        return "Their weights are equal to the bit: the seed is not used."
    return "That is what a ceiling or floor of the score looks like, and a program that does not use its seed."


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
    if small and audit.experiment == "audit":  # others deal no seeds into groups
        arm = min(small, key=lambda one: one.n_seeds)
        largest = max((split.group_size for split in audit.splits if split.agent == arm.agent), default=None)
        reach = f"at most {largest} a side, and what the splits show varies much from one such pool to the next"
        reach = reach if largest else "no split into two groups at all"
        seeds = "1 seed: it allows" if arm.n_seeds == 1 else f"{arm.n_seeds} seeds: they allow"
        yield Finding(
            "A small pool",
            f"{arm.agent}{on(arm.task)} has {seeds} {reach}. Groups of {FEW} want at least {4 * FEW} seeds.",
            Level.WARN,
            {"n_seeds": arm.n_seeds, "largest_group": largest},
            f"Train {4 * FEW} seeds an agent.",
        )


def provenance(audit: Audit) -> Iterator[Finding]:
    """Runs that are missing, or were made with different versions."""
    missing = audit.provenance.get("missing_runs")
    if missing:
        sentence = f"{missing} planned runs are missing; the numbers speak of those that are there."
        yield Finding(
            "Missing runs",
            sentence,
            Level.WARN,
            {"missing_runs": missing},
            "Run the audit on the config to train them.",
        )
    if n_looks := audit.provenance.get("looks"):
        yield Finding(
            "Looks were made at these runs",
            f"These runs were looked at while seeds were added ({n_looks} such looks are in looks.jsonl). Tests for a "
            "fixed number of seeds do not keep their level on them.",
            Level.WARN,
            {"n_looks": n_looks},
            "Audit them with the looks that were declared, or train fresh seeds: --seeds 100-119.",
        )
    places = ("runs: host", "runs: platform", "runs: cpu")
    mixed = [name for name, value in audit.provenance.items() if " | " in value and name not in places]
    if mixed:
        sentence = (
            f"The runs were not all made with the same versions ({', '.join(mixed)}): they may differ for that alone."
        )
        evidence = {name: audit.provenance[name] for name in mixed}
        step = "Train all agents with one set of versions before you compare them."
        yield Finding("Mixed versions", sentence, Level.WARN, evidence, step)
