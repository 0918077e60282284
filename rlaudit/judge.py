"""What the runs say of the claims that a config states. "Undecided" is the default."""

from collections.abc import Sequence

import numpy as np

from rlaudit.claims import ParsedClaim, parse
from rlaudit.comparisons import holm, welch
from rlaudit.results import Claim
from rlaudit.types import Floats, ScoreTable
from rlaudit.wording import number, p_text


def judge(texts: Sequence[str], table: ScoreTable, alpha: float, *, seed: int = 0) -> tuple[Claim, ...]:
    """One state per claim and task, from one-sided Welch tests; all claims share the level alpha (Holm 1979).

    `a > b` is tested at alpha / 2 a side, as a two-sided test is; `a >= b - m` (non-inferiority) and
    `a == b within m` (equivalence, two one-sided tests: Schuirmann 1987) at alpha.
    """
    parsed = [parse(text, table.agents, table.tasks) for text in texts]
    judged = [(claim, task) for claim in parsed for task in ([claim.task] if claim.task else _shared(claim, table))]
    p_values = np.array([_p_values(claim, task, table) for claim, task in judged]).reshape(-1, 2)
    supported, contradicted = (holm(p_values[:, side]) <= alpha for side in (0, 1))
    return tuple(
        _claim(claim, task, table, p, yes, no)
        for (claim, task), p, yes, no in zip(judged, p_values, supported, contradicted, strict=True)
    )


def _shared(claim: ParsedClaim, table: ScoreTable) -> Sequence[str]:
    """The tasks on which both agents have runs; all of them where there is none, so that the claim is not lost."""
    ran = {(arm.agent, arm.task) for arm in table.arms}
    return [task for task in table.tasks if {(claim.a, task), (claim.b, task)} <= ran] or table.tasks


def _scores(agent: str, task: str, table: ScoreTable) -> Floats:
    return next((arm.scores for arm in table.arms if (arm.agent, arm.task) == (agent, task)), np.empty(0))


def _p_values(claim: ParsedClaim, task: str, table: ScoreTable) -> tuple[float, float]:
    """Evidence for the claim, and against it."""
    margin = claim.margin or 0.0
    above_floor, below_floor = _p_beyond(claim, task, table, -margin)
    if claim.relation == ">":
        return min(1.0, 2 * above_floor), min(1.0, 2 * below_floor)
    if claim.relation == ">=":
        return above_floor, below_floor
    above_ceiling, below_ceiling = _p_beyond(claim, task, table, margin)
    return max(above_floor, below_ceiling), min(1.0, 2 * min(below_floor, above_ceiling))


def _p_beyond(claim: ParsedClaim, task: str, table: ScoreTable, bound: float) -> tuple[float, float]:
    """One-sided Welch p-values of "a is better than b by more than `bound`", and of "by less"."""
    sign = 1 if table.higher_is_better else -1
    a, b = (sign * _scores(agent, task, table) for agent in (claim.a, claim.b))
    if min(len(a), len(b)) < 2:
        return 1.0, 1.0
    rng = np.random.default_rng(0)  # which Welch's test does not ask
    above = welch(a - bound, b, alpha=0.05, rng=rng, n_resamples=0, alternative="greater")
    below = welch(a - bound, b, alpha=0.05, rng=rng, n_resamples=0, alternative="less")
    return float(above.p_value), float(below.p_value)


def _claim(claim: ParsedClaim, task: str, table: ScoreTable, p: Floats, yes: bool, no: bool) -> Claim:
    a, b = (_scores(agent, task, table) for agent in (claim.a, claim.b))
    gap = float(a.mean() - b.mean()) if len(a) and len(b) else None
    numbers = f"mean difference {number(gap)}, {len(a)} against {len(b)} seeds"
    text = claim.text if claim.task or len(table.tasks) == 1 else f"{claim.text} on {task}"
    if yes:
        return Claim(text, "supported", f"{p_text(float(p[0]))} for it ({numbers})")
    if no:
        return Claim(text, "contradicted", f"{p_text(float(p[1]))} against it ({numbers})")
    return Claim(text, "undecided", f"{p_text(float(p[0]))} for it, {p_text(float(p[1]))} against it ({numbers})")
