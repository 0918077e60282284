"""Seeds that were added until it was settled: who won at which look, what it cost, whether the looks still stand."""

from collections.abc import Iterator
from dataclasses import asdict

from rlaudit.findings.words import level
from rlaudit.results import Audit, Look, LookPlan, LookState, Overturned, PairLook, Sequential
from rlaudit.results.looks import WINNERS
from rlaudit.types import Finding, Level
from rlaudit.wording import evidence_text, interval, listed, look_says, number, on, percent

_MANY = 6  # up to here each pair gets a sentence of its own


def looks(audit: Audit) -> Iterator[Finding]:
    """What has changed since; each pair, or a sum where they are many; what it took."""
    found = audit.sequential
    if found is None:
        return
    yield from _changed(found)
    if not found.looks:
        yield _none_yet(found)
        return
    ends = [*found.ends()]
    if len(ends) > _MANY:
        yield _summary(ends, found)
    else:
        yield from (_pair(audit, look, pair, found) for look, pair in ends)
    yield _cost(found, sum(arm.n_failed for arm in audit.arms))


def _none_yet(found: Sequential) -> Finding:
    batch = found.plan.batch
    return Finding(
        "No look has been made",
        f"No look has been made yet: the first one is at {batch} seeds of each agent, and not all of them are there.",
        Level.UNSAFE,
        {"n_runs": found.n_runs, "batch": batch},
        "Run the audit on the config: it trains them, and goes on until it is settled.",
    )


# ---------------------------------------------------------------- pairs


def _pair(audit: Audit, look: Look, pair: PairLook, found: Sequential) -> Finding:
    name = f"{pair.agent_a} against {pair.agent_b}{on(pair.task)}"
    numbers = (
        f"difference of the means {number(pair.effect)}, {level(audit)} interval {interval(pair.low, pair.high)}, "
        f"{evidence_text(pair.p_value, pair.e_value)}, {pair.n_a} against {pair.n_b} seeds"
    )
    evidence = {
        "look": look.number, "n_looks": found.plan.n_looks, "n_a": pair.n_a, "n_b": pair.n_b, "effect": pair.effect,
        "low": pair.low, "high": pair.high, "p_value": pair.p_value, "e_value": pair.e_value, "state": str(pair.state),
    }  # fmt: skip
    if doubt := found.doubt(pair):
        return Finding(f"{name}: undecided", f"Undecided: {name}: {doubt} ({numbers}).", Level.UNSAFE, evidence, _FRESH)
    if pair.state in WINNERS:
        better, worse = (
            (pair.agent_a, pair.agent_b) if pair.state == LookState.A_BETTER else (pair.agent_b, pair.agent_a)
        )
        how = "higher" if audit.higher_is_better else "lower"
        at = f"Look {look.number} of {found.plan.n_looks}"
        sentence = f"{at}: {better} scores {how} than {worse}{on(pair.task)} ({numbers})."
        return Finding(f"{name}: {better} is better", sentence, Level.OK, evidence, _REPORTED)
    sentence = f"Undecided: {name}: {_why_open(look, pair, found)} ({numbers})."
    return Finding(f"{name}: undecided", sentence, Level.UNSAFE, evidence, _OPEN_STEPS[pair.state])


_FRESH = "Judge these agents once on fresh seeds alone: another `first` seed, and looks that are not changed."
_REPORTED = (
    "Report the interval, and the looks that were declared. A difference at the moment of stopping is too large on "
    "average: seeds were added until it showed."
)
_OPEN_STEPS = {
    LookState.OPEN: "Run the audit on the config: it trains the next seeds and looks again.",
    LookState.FUTILE: "Name no winner, and do not call them equal. The looks that are left may still be made (seeds."
    "futility: false).",
    LookState.UNDECIDED: "Name no winner, and do not call them equal. The looks have spent alpha: whoever wants to go "
    "on declares new looks at fresh seeds.",
}  # fmt: skip


def _why_open(look: Look, pair: PairLook, found: Sequential) -> str:
    if pair.state == LookState.OPEN:
        return f"look {look.number} of {found.plan.n_looks} does not tell them apart, and it goes on"
    if pair.state == LookState.UNDECIDED:
        return f"the last of {found.plan.n_looks} looks does not tell them apart"
    chance = f"a chance of {percent(pair.chance)} for" if pair.chance is not None else "little chance of"
    return f"look {look.number} of {found.plan.n_looks} gave it up, with {chance} a winner by the last look"


def _summary(ends: list[tuple[Look, PairLook]], found: Sequential) -> Finding:
    won = [(look, pair) for look, pair in ends if pair.state in WINNERS and not found.doubt(pair)]
    n_open = sum(pair.state == LookState.OPEN for _, pair in ends)
    n, k = len(ends), len(won)
    first = f", the first at look {min(look.number for look, _ in won)}" if won else ""
    left = {True: "", False: f" {n - k - n_open} ended undecided"}[k + n_open == n]
    going = f" {n_open} would be looked at again" if n_open else ""
    rest = f";{left}{' and' if left and going else ''}{going}" if left or going else ""
    return Finding(
        f"{n} pairs, {n - k} without a winner",
        f"{k or 'Not one'} of {n} pairs {'has' if k == 1 or not k else 'have'} a winner{first}{rest}.",
        Level.OK if k == n else Level.UNSAFE,
        {"n_pairs": n, "n_winners": k, "n_open": n_open},
        _REPORTED if won else _OPEN_STEPS[LookState.OPEN if n_open else LookState.UNDECIDED],
    )


# ---------------------------------------------------------------- what it took


def _cost(found: Sequential, n_failed: int) -> Finding:
    plan, n, most = found.plan, found.n_runs, found.n_most
    saved = most - n
    declared = "were declared before their seeds were trained" if found.beforehand else "are declared"
    shared = f"{_declared(plan)} {declared}"
    failed = f" {n_failed} of the runs failed: they count as trained and enter no look." if n_failed else ""
    if found.settled:
        left = f"{saved:,} were not needed" if saved else "none was saved"
        took = f"It took {n:,} of at most {most:,} runs: {left}."
    else:
        took = f"It has taken {n:,} of at most {most:,} runs, and goes on with {_arms(len(found.more))}."
    return Finding(
        "What it took",
        f"{took} {shared}; all of them together wrong with a chance of at most {100 * plan.alpha:g} %.{failed}",
        Level.WARN if n_failed or not found.settled else Level.OK,
        {"n_runs": n, "n_most": most, "saved": saved if found.settled else None, "n_failed": n_failed},
        "Say how many looks there were. Tests and intervals for a fixed number of seeds do not hold on these runs.",
    )


def _arms(n: int) -> str:
    return "one agent" if n == 1 else f"{n} agents and tasks"


def _declared(plan: LookPlan) -> str:
    seeds = "seed" if plan.batch == 1 else f"{plan.batch} seeds"
    return f"{plan.n_looks} looks, one after every {seeds} an agent,"


# ---------------------------------------------------------------- what has changed


def _changed(found: Sequential) -> Iterator[Finding]:
    changes = _differences(found.first_plan, found.plan) if found.first_plan else []
    if found.redesigned:
        yield Finding(
            "The looks were changed after the first",
            f"The looks were changed after the first of them was made: {'; '.join(changes)}. Whoever changes them "
            "after looking can be wrong more often than alpha says, so that no winner stands.",
            Level.UNSAFE,
            {"n_changes": len(changes)},
            _FRESH,
        )
    elif changes:
        yield Finding(
            "When a pair is given up was changed",
            f"After the first look it was changed when a pair is given up: {'; '.join(changes)}. That names nobody, "
            "and makes no wrong winner likelier.",
            Level.WARN,
            {"n_changes": len(changes)},
            "Say so beside the result.",
        )
    if found.in_retrospect:
        numbers = found.in_retrospect
        which = f"s {listed(numbers)} were" if len(numbers) > 1 else f" {numbers[0]} was"
        yield Finding(
            "Looks in retrospect",
            f"Look{which} made when later seeds were there already. Alpha holds for looks that were declared before "
            "anybody saw these scores, and the log cannot show that they were.",
            Level.WARN,
            {"n_looks": len(found.in_retrospect)},
            "Say when the looks were declared; if it was after a look at the scores, repeat them on fresh seeds.",
        )
    if found.overturned:
        one, n = found.overturned[0], len(found.overturned)
        more = f" {n - 1} more {'has' if n == 2 else 'have'} changed as well." if n > 1 else ""
        yield Finding(
            "A look is not what it was",
            f"{_overturned(one)}: a failed seed was trained again since, or a run was deleted or replaced.{more} What "
            "was seen stays in looks.jsonl; no winner is named where the two differ.",
            Level.UNSAFE,
            {"look": one.number, "logged": str(one.logged), "now": str(one.now) if one.now else None, "n": n},
            "Find out which runs have changed. " + _FRESH,
        )
    elif found.redrawn:
        several = len(found.redrawn) > 1
        yield Finding(
            "Numbers of a look have changed",
            f"Look{'s' if several else ''} {listed(found.redrawn)} {'have' if several else 'has'} other numbers than "
            "when made, with the same outcome: a failed seed was trained again since, or a run was replaced.",
            Level.WARN,
            {"n_looks": len(found.redrawn)},
            "Say so beside the result.",
        )


def _overturned(one: Overturned) -> str:
    said = look_says(one.logged, one.agent_a, one.agent_b)
    now = (
        f"the runs that are there now say: {look_says(one.now, one.agent_a, one.agent_b)}"
        if one.now
        else "the runs that are there now give no such look"
    )
    return f"Look {one.number} said when it was made: {said}{on(one.task)}; {now}"


def _differences(before: LookPlan, now: LookPlan) -> list[str]:
    """`batch was 5, is 3`."""
    old, new = asdict(before), asdict(now)
    names = {"n_looks": "looks"}
    return [f"{names.get(key, key)} was {_said(old[key])}, is {_said(new[key])}" for key in old if old[key] != new[key]]


def _said(value: object) -> str:
    return (
        listed(value) if isinstance(value, tuple | list) else f"{value:g}" if isinstance(value, float) else str(value)
    )
