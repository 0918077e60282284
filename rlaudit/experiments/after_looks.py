"""What may be said of agents after optional stopping: the looks decide, and all else describes.

Seeds were added until the looks were satisfied, so that tests for a fixed number of seeds do not keep their level on
them, and intervals of the final pools do not cover. Verdicts, effects and intervals of pairs are those of the looks;
the other tests are kept as descriptions, and what only a fixed number of seeds could answer is left out.
"""

from collections.abc import Sequence
from dataclasses import replace

from rlaudit.looks import KINDS
from rlaudit.results import Audit, EffectSize, Look, LookState, PairAudit, PairLook, Sequential, TestResult
from rlaudit.types import Verdict

_VERDICTS = {LookState.A_BETTER: Verdict.A_BETTER, LookState.B_BETTER: Verdict.B_BETTER}
_REASONS = {
    LookState.A_BETTER: "look {number} tells them apart",
    LookState.B_BETTER: "look {number} tells them apart",
    LookState.OPEN: "look {number} does not tell them apart, and the next seeds are not trained yet",
    LookState.FUTILE: "look {number} stopped it, since the seeds left would hardly settle it",
    LookState.UNDECIDED: "the last look does not tell them apart, which does not make them equal",
}


def after_looks(alone: Audit, pairs: Sequence[PairAudit], found: Sequential) -> Audit:
    """`alone`: the agents one by one; `pairs`: compared as if the number of seeds had been fixed."""
    ends = {(pair.agent_a, pair.agent_b, pair.task): (look, pair) for look, pair in found.ends()}
    return replace(
        alone,
        family=family(found),
        comparisons=tuple(_judged(pair, ends.get((pair.a, pair.b, pair.task)), found) for pair in pairs),
        sequential=found,
    )


def family(found: Sequential) -> str:
    """What shares the level alpha, in words."""
    k, n_tasks = len(found.plan.agents), len(found.plan.tasks)
    n = k * (k - 1) // 2 * n_tasks
    pairs = "one pair" if n == 1 else f"all {n} pairs"
    return f"{found.plan.n_looks} looks at {pairs} together at alpha = {found.plan.alpha:g}"


def _judged(pair: PairAudit, end: tuple[Look, PairLook] | None, found: Sequential) -> PairAudit:
    decider = KINDS[found.plan.design]
    verdict, reason = _verdict(end, found)
    result = _result(end[1] if end else None, pair)
    return replace(
        pair,
        effect=result.effect,
        low=result.low,
        high=result.high,
        p_a_better_low=None,
        p_a_better_high=None,
        verdict=verdict,
        reason=reason,
        decided_by=decider,
        p_adjusted=result.p_value,
        p_equivalent=None,
        tests={decider: result, **{name: one for name, one in pair.tests.items() if name != decider}},
        subsets=(),
        seeds_needed=None,
        power_curve=(),
        imputed=None,
        effects={name: EffectSize(effect.value, None, None) for name, effect in pair.effects.items()},
    )


def _verdict(end: tuple[Look, PairLook] | None, found: Sequential) -> tuple[Verdict, str]:
    if end is None:
        return Verdict.UNDECIDED, "no look has been made yet"
    look, pair = end
    if doubt := found.doubt(pair):
        return Verdict.UNDECIDED, doubt
    return _VERDICTS.get(pair.state, Verdict.UNDECIDED), _REASONS[pair.state].format(number=look.number)


def _result(one: PairLook | None, pair: PairAudit) -> TestResult:
    """As a test's result: 1 / e is a p-value at all looks together (Ville 1939)."""
    if one is None:
        return TestResult(None, None, None, None, None, None, 0.0, 0, pair.effect)
    p = one.p_value if one.e_value is None else min(1.0, 1 / one.e_value) if one.e_value else 1.0
    direction = (one.effect > 0) - (one.effect < 0) if one.effect is not None else 0
    return TestResult(one.e_value, None, p, one.low, one.high, None, 0.0, direction, one.effect)
