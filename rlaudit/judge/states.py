"""The state of each claim that is stated, with the seeds that carry it. "Undecided" is the default."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rlaudit.claims import ParsedClaim, asked
from rlaudit.comparisons import holm
from rlaudit.comparisons.moments import Moments, moments
from rlaudit.judge.evidence import Levels, deciding_interval, evidence, holm_levels
from rlaudit.judge.flips import Changed, Question, smallest_flip
from rlaudit.judge.fresh import repetition, seeds_to_decide
from rlaudit.results import Claim, Flip
from rlaudit.results.claims import Decision
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Floats, ScoreTable, SeedLabel
from rlaudit.wording import number, p_text

_MOST_NAMED = 5  # seeds in a sentence


class _Case(NamedTuple):
    """One claim on one task; the scores are turned so that a higher one is better."""

    claim: ParsedClaim
    task: str
    a: Floats
    b: Floats
    seeds_a: tuple[SeedLabel, ...]
    seeds_b: tuple[SeedLabel, ...]
    sign: int
    n_failed: tuple[int, int]  # seeds of a and of b without a score


def judge(texts: Sequence[str], table: ScoreTable, alpha: float, *, seed: int = 0) -> tuple[Claim, ...]:
    """One state per claim and task, from one-sided Welch tests; all claims share the level alpha (Holm 1979).

    `a > b` is tested at alpha / 2 a side, as a two-sided test is; `a >= b - m` and `a == b within m` at alpha. A
    decided claim is fragile where a handful of seeds carries it, or where it turns with the failed seeds counted as the
    worst score reached. The same claim stated twice counts once.
    """
    arms = [(arm.agent, arm.task) for arm in table.arms]
    cases = [_case(claim, task, table) for claim, task in asked(texts, arms)]
    p_values = np.array([_p_values(case) for case in cases]).reshape(-1, 2)
    adjusted = np.array([holm(side) for side in p_values.T]).T
    levels = [Levels(*pair) for pair in zip(*(holm_levels(side, alpha) for side in p_values.T), strict=True)]
    return tuple(
        _judged(case, p, among, level, len(cases), seed)
        for case, p, among, level in zip(cases, p_values, adjusted, levels, strict=True)
    )


def handful(n_a: int, n_b: int) -> int:
    """So few seeds should not carry a claim: one, or one in twenty of the smaller group, but five at most.

    One seed may be an accident at any n, and one accident in twenty is a rate that not even 59 seeds without any
    exclude (Clopper-Pearson). In a large pool it is no weakness that a share of them could be picked: with 2,000 seeds,
    d = .2 and t = 6 the 73 that count most flip the claim.

    Measured on `a > b` with normal seeds, share of the supported claims that are called fragile, at n = 10, 20, 30:
    d = 1.5 .10 .01 .00; d = 2 .02 .00 .00; d = 1 .23 .08 .03; nothing to find (d = 0) .51 .44 .42. With 3 or 5 seeds
    an agent hardly any claim stands without each of them: d = 2 .97 and .34 (exponential seeds, d = 1.5: .41 at n = 5,
    .08 at 10).
    """
    return max(1, min(5, min(n_a, n_b) // 20))


# ---------------------------------------------------------------- what is asked


def _case(claim: ParsedClaim, task: str, table: ScoreTable) -> _Case:
    sign = 1 if table.higher_is_better else -1
    arms = {(arm.agent, arm.task): arm for arm in table.arms}
    a, b = (arms.get((agent, task), ArmScores(agent, task, (), np.empty(0))) for agent in (claim.a, claim.b))
    failed = len(a.failed), len(b.failed)
    return _Case(claim, task, sign * a.scores, sign * b.scores, a.seeds, b.seeds, sign, failed)


def _p_values(case: _Case) -> tuple[float, float]:
    """In favour of the claim, and against it."""
    n_a, n_b = len(case.a), len(case.b)
    if min(n_a, n_b) < 2:
        return 1.0, 1.0
    found = moments(case.a, case.b)
    in_favour, against = (evidence(case.claim, found, n_a, n_b, in_favour=side) for side in (True, False))
    return float(in_favour), float(against)


# ---------------------------------------------------------------- what is said


def _judged(case: _Case, p: Floats, adjusted: Floats, levels: Levels, n_claims: int, seed: int) -> Claim:
    claim, n_a, n_b = case.claim, len(case.a), len(case.b)
    decision = _decision(p, levels)
    found = moments(case.a, case.b) if min(n_a, n_b) > 0 else None
    low, high = _interval(case, found, n_a, n_b, levels, decision) if found else (None, None)
    level = levels.against if decision == "contradicted" else levels.in_favour
    flips = _flips(case, decision, levels) if decision else ()
    carried = flips[0] if flips and flips[0].n is not None and flips[0].n <= handful(n_a, n_b) else None
    imputed = _decision(_p_values(_imputed(case)), levels) if found and sum(case.n_failed) else decision
    turned = decision is not None and imputed != decision
    rng = generator(seed, "claim", claim.a, claim.relation, claim.b, str(claim.margin), case.task)
    return Claim(
        text=claim.text,
        state="fragile" if carried or turned else decision or "undecided",
        reason=_reason(case, decision, adjusted, n_claims, imputed, carried),
        a=claim.a,
        b=claim.b,
        task=case.task,
        n_a=n_a,
        n_b=n_b,
        effect=case.sign * float(found.effect) if found else None,
        low=low,
        high=high,
        margin=claim.margin,
        p_for=float(adjusted[0]),
        p_against=float(adjusted[1]),
        flips=flips,
        repetition=repetition(claim, case.a, case.b, levels.in_favour, rng),
        seeds_needed=seeds_to_decide(claim, case.a, case.b, levels) if _spread(found, n_a, n_b) else None,
        relation=claim.relation,
        decision=decision,
        level=level,
        hangs_on_failed=turned,
    )


def _decision(p: Sequence[float] | Floats, levels: Levels) -> Decision | None:
    return "supported" if p[0] <= levels.in_favour else "contradicted" if p[1] <= levels.against else None


def _spread(found: Moments | None, n_a: int, n_b: int) -> bool:
    """Without any nobody can say how many seeds it takes."""
    return found is not None and min(n_a, n_b) > 1 and bool(found.var_a + found.var_b > 0)


def _interval(
    case: _Case, found: Moments, n_a: int, n_b: int, levels: Levels, decision: Decision | None
) -> tuple[float | None, float | None]:
    """In units of the score, as it was given."""
    low, high = deciding_interval(case.claim, found, n_a, n_b, levels, decision)
    if case.sign > 0:
        return low, high
    return (-high if high is not None else None), (-low if low is not None else None)


def _flips(case: _Case, decision: Decision, levels: Levels) -> tuple[Flip, ...]:
    supported = decision == "supported"
    question = Question(case.claim, supported, levels.in_favour if supported else levels.against)
    hows: tuple[Literal["removed"], Literal["replaced"]] = ("removed", "replaced")
    return tuple(
        _flip(case, how, *smallest_flip(question, case.a, case.b, replaced=how == "replaced"), decision, levels)
        for how in hows
    )


def _flip(
    case: _Case, how: Literal["removed", "replaced"], found: Changed | None, exact: bool, decision: Decision,
    levels: Levels,
) -> Flip:  # fmt: skip
    if found is None:
        return Flip(how, None, exact)
    low, high = _interval(case, found.left, found.n_a, found.n_b, levels, decision)
    of_a = [(case.claim.a, case.seeds_a[i]) for i in found.a]
    of_b = [(case.claim.b, case.seeds_b[i]) for i in found.b]
    effect = case.sign * float(found.left.effect)
    return Flip(how, len(of_a) + len(of_b), exact, (*of_a, *of_b), effect, low, high)


def _imputed(case: _Case) -> _Case:
    """With every failed seed at the worst score that either agent reached."""
    floor = min(case.a.min(), case.b.min())
    a, b = (np.append(x, [floor] * more) for x, more in zip((case.a, case.b), case.n_failed, strict=True))
    return case._replace(a=a, b=b)


def _reason(
    case: _Case,
    decision: Decision | None,
    adjusted: Floats,
    n_claims: int,
    imputed: Decision | None,
    carried: Flip | None,
) -> str:
    """What follows "supported: ..."; of a fragile claim also what it would have been."""
    n_a, n_b = len(case.a), len(case.b)
    if min(n_a, n_b) < 2:
        return f"{n_a} against {n_b} seeds cannot say how much seeds differ"
    in_favour, against = (f"{p_text(float(p))} {side} it" for p, side in zip(adjusted, ("for", "against"), strict=True))
    gap = case.sign * float(moments(case.a, case.b).effect)
    among = f" among {n_claims} claims" if n_claims > 1 else ""
    says = {"supported": in_favour, "contradicted": against, None: f"{in_favour}, {against}"}[decision]
    failed = _of_failed(sum(case.n_failed), decision, imputed)
    reason = f"{says}{among} (mean difference {number(gap)}, {n_a} against {n_b} seeds{failed})"
    turned = decision is not None and imputed != decision
    if not (carried or turned):
        return reason
    without = f"without {named(carried.seeds)}" if carried else "with the failed seeds counted as the worst"
    return f"it would be {decision}, {reason}, but not {without}"


def _of_failed(n: int, decision: Decision | None, imputed: Decision | None) -> str:
    """Failed seeds are never dropped silently."""
    if not n:
        return ""
    turned = (
        "" if imputed == decision else f": counted as the worst score reached, the claim is {imputed or 'undecided'}"
    )
    return f"; {n} failed {'seed is' if n == 1 else 'seeds are'} left out{turned}"


def named(seeds: Sequence[tuple[str, SeedLabel]]) -> str:
    """`seed 3 of ppo and seed 29 of ddpg`; the first five of many."""
    words = [f"seed {seed} of {agent}" for agent, seed in seeds[:_MOST_NAMED]]
    if len(seeds) > _MOST_NAMED:
        words.append(f"{len(seeds) - _MOST_NAMED} more")
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
