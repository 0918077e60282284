"""Agent against agent: every test with all seeds, one verdict, and what fewer seeds would have said.

The verdict comes from one test that was named before anybody looked, corrected for the number of comparisons.
"Not significant" is never "equal": equality needs an equivalence test with a margin that the user named.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from rlaudit.comparisons import COMPARISONS, CORRECTIONS, EFFECTS, PAIRED, max_t_tasks, probability_better, tost
from rlaudit.comparisons.paired import paired_scores
from rlaudit.few_seeds import audit_subsets
from rlaudit.power import cohen_d_interval, seeds_needed, welch_power
from rlaudit.results import EffectSize, Imputed, PairAudit, TestResult
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Comparison, Floats, ScoreTable, Verdict
from rlaudit.wording import name_of

N_RESAMPLES = 9_999  # (1 + 9,999) alpha is a whole number
POWER_GAINS = (0.5, 1.0, 1.5)  # true gains, in standard deviations between seeds
POWER_SIZES = (*range(2, 21), 25, 30, 40, 50, 70, 100)


@dataclass(frozen=True)
class PairSettings:
    """How agents are compared. The first test decides."""

    tests: Sequence[str]
    alpha: float
    margin: float | None
    higher_is_better: bool
    n_draws: int
    seed: int
    correction: str = "holm"  # of `comparisons.corrections`, or "max_t"


def audit_pairs(table: ScoreTable, settings: PairSettings) -> tuple[PairAudit, ...]:
    """Every pair of agents on every task; agents with fewer than two scores are left out, for nothing can be said."""
    arms = [arm for arm in table.arms if len(arm.scores) >= 2]
    pairs = [(a, b) for a, b in combinations(arms, 2) if a.task == b.task]
    audited = [_audit_pair(a, b, settings) for a, b in pairs]
    return _with_verdicts(audited, _adjusted(audited, arms, settings), settings)


_FAMILIES = {
    "holm": "together at alpha = {alpha:g} (Holm 1979)",
    "benjamini_hochberg": "with a false discovery rate of {alpha:g} (Benjamini & Hochberg 1995)",
    "max_t": "together at alpha = {alpha:g} (step-down max-T over permutations: Westfall & Young 1993)",
}


def family(n_comparisons: int, alpha: float, correction: str = "holm") -> str:
    """Which comparisons share the level alpha, in words."""
    if n_comparisons < 2:
        return f"one comparison at alpha = {alpha:g}"
    return f"{n_comparisons} comparisons of this audit {_FAMILIES[correction].format(alpha=alpha)}"


def _audit_pair(a: ArmScores, b: ArmScores, settings: PairSettings) -> PairAudit:
    """The pair without its verdict, which depends on the other pairs."""
    results = {test: _run(test, a, b, settings) for test in settings.tests}
    welch = results.get("welch") or _run("welch", a, b, settings)
    sign = 1 if settings.higher_is_better else -1
    p_better = probability_better(sign * a.scores, sign * b.scores, settings.alpha)
    decider = settings.tests[0]
    return PairAudit(
        a=a.agent,
        b=b.agent,
        task=a.task,
        effect=float(welch.effect),
        low=finite(welch.low),
        high=finite(welch.high),
        cohen_d=finite(cohen_d_interval(a.scores, b.scores, 1 - settings.alpha)[0]),
        p_a_better=finite(p_better[0]),
        p_a_better_low=finite(p_better[1]),
        p_a_better_high=finite(p_better[2]),
        verdict=Verdict.UNDECIDED,
        reason="",
        decided_by=decider,
        p_adjusted=None,
        margin=settings.margin,
        p_equivalent=float(tost(a.scores, b.scores, settings.margin)) if settings.margin else None,
        tests={test: _test_result(result, a, b) for test, result in results.items()},
        subsets=audit_subsets(
            a, b, tests=settings.tests, alpha=settings.alpha, n_draws=settings.n_draws, seed=settings.seed
        ),
        seeds_needed=seeds_needed(a.scores, b.scores, alpha=settings.alpha),
        power_curve=power_curve(settings.alpha),
        imputed=_imputed(a, b, results[decider], settings),
        effects=_effects(a, b, settings),
    )


def _run(test: str, a: ArmScores, b: ArmScores, settings: PairSettings) -> Comparison:
    rng = generator(settings.seed, "pair", a.agent, b.agent, a.task, test)
    x, y = paired_scores(a, b) if test in PAIRED else (a.scores, b.scores)
    return COMPARISONS[test](x, y, alpha=settings.alpha, rng=rng, n_resamples=N_RESAMPLES)


def _test_result(result: Comparison, a: ArmScores, b: ArmScores) -> TestResult:
    paired = result.correlation is not None
    return TestResult(
        effect=finite(result.effect),
        estimand=result.estimand,
        n_pairs=len(set(a.seeds) & set(b.seeds)) if paired else None,
        correlation=finite(result.correlation),
        statistic=finite(result.statistic),
        df=finite(result.df),
        p_value=finite(result.p_value),
        low=finite(result.low),
        high=finite(result.high),
        min_p=result.min_p,
        mc_error=float(result.mc_error),
        direction=int(np.nan_to_num(result.direction)),
    )


def _effects(a: ArmScores, b: ArmScores, settings: PairSettings) -> dict[str, EffectSize]:
    sizes = {name: effect(a.scores, b.scores, alpha=settings.alpha) for name, effect in EFFECTS.items()}
    return {name: EffectSize(*map(finite, size)) for name, size in sizes.items()}


def finite(value: Floats | float | None) -> float | None:
    """A number that can be said, or None."""
    return float(value) if value is not None and np.isfinite(value) else None


@lru_cache(maxsize=8)
def power_curve(alpha: float) -> tuple[tuple[float, int, float], ...]:
    """(true gain in sd, seeds an agent, power): the same for every pair."""
    return tuple((gain, n, float(welch_power(gain, n, alpha))) for gain in POWER_GAINS for n in POWER_SIZES)


def _imputed(a: ArmScores, b: ArmScores, without: Comparison, settings: PairSettings) -> Imputed | None:
    if not (a.failed or b.failed):
        return None
    worst = np.min if settings.higher_is_better else np.max
    floor = float(worst(np.concatenate([a.scores, b.scores])))
    a, b = (_filled(arm, floor) for arm in (a, b))
    result = _run(settings.tests[0], a, b, settings)
    significant, before = result.p_value <= settings.alpha, without.p_value <= settings.alpha
    agrees = bool(significant == before and (not significant or result.direction == without.direction))
    return Imputed(floor, float(a.scores.mean() - b.scores.mean()), float(result.p_value), agrees)


def _filled(arm: ArmScores, floor: float) -> ArmScores:
    scores = np.append(arm.scores, np.full(len(arm.failed), floor))
    return replace(arm, seeds=(*arm.seeds, *arm.failed), scores=scores, failed=())


# ---------------------------------------------------------------- the verdict


class _Adjusted(NamedTuple):
    """A p-value among all comparisons, and its standard error from the audit's own random numbers."""

    p: float | None
    error: float


def _with_verdicts(
    pairs: Sequence[PairAudit], adjusted: Sequence[_Adjusted], settings: PairSettings
) -> tuple[PairAudit, ...]:
    equivalent = _corrected([pair.p_equivalent for pair in pairs], "holm")
    decided = []
    for place, (pair, (p_adjusted, error), p_equivalent) in enumerate(zip(pairs, adjusted, equivalent, strict=True)):
        imputed = _imputed_among(pairs, place, settings)
        judged = replace(pair, p_adjusted=p_adjusted, p_equivalent=p_equivalent, imputed=imputed)
        verdict, reason = decide(judged, settings, error)
        decided.append(replace(judged, verdict=verdict, reason=reason))
    return tuple(decided)


def _imputed_among(pairs: Sequence[PairAudit], place: int, settings: PairSettings) -> Imputed | None:
    """What is undecided among all comparisons anyway does not turn. The others stay as they are; max-T as Holm."""
    imputed = pairs[place].imputed
    if imputed is None:
        return None
    correction = "holm" if settings.correction == "max_t" else settings.correction
    before = [pair.tests[pair.decided_by].p_value for pair in pairs]
    after = [imputed.p_value if i == place else p for i, p in enumerate(before)]
    adjusted = [_corrected(p_values, correction)[place] for p_values in (before, after)]
    sides = [p is not None and p <= settings.alpha for p in adjusted]
    return replace(imputed, agrees=sides[0] == sides[1] and (imputed.agrees or not sides[1]))


def _adjusted(pairs: Sequence[PairAudit], arms: Sequence[ArmScores], settings: PairSettings) -> Sequence[_Adjusted]:
    results = [pair.tests[pair.decided_by] for pair in pairs]
    if settings.correction != "max_t":
        adjusted = _corrected([result.p_value for result in results], settings.correction)
        return [_Adjusted(p, _scaled_error(p, result)) for p, result in zip(adjusted, results, strict=True)]
    if len(pairs) < 2:
        return [_Adjusted(result.p_value, result.mc_error) for result in results]
    return _max_t(pairs, arms, settings)


def _corrected(p_values: Sequence[float | None], correction: str) -> list[float | None]:
    """None stays None, and counts: a comparison without an answer belongs to the family all the same."""
    adjusted = CORRECTIONS[correction](np.array([np.nan if p is None else p for p in p_values]))
    return [finite(p) for p in adjusted]


def _scaled_error(p_adjusted: float | None, result: TestResult) -> float:
    """The correction multiplies a p-value, and with it the error of its simulation."""
    factor = (p_adjusted or 0) / result.p_value if result.p_value else 1.0
    return result.mc_error * max(1.0, factor)


def _max_t(pairs: Sequence[PairAudit], arms: Sequence[ArmScores], settings: PairSettings) -> list[_Adjusted]:
    """A p-value of k tasks is k times one of B deals, so that its error is at most sqrt(k p / B)."""
    agents, tasks = (list(dict.fromkeys(names)) for names in zip(*((arm.agent, arm.task) for arm in arms), strict=True))
    scores = {(arm.agent, arm.task): arm.scores for arm in arms}
    table = [[scores.get((agent, task), np.empty(0)) for agent in agents] for task in tasks]
    places = list(combinations(range(len(agents)), 2))
    found = max_t_tasks(table, places, rng=generator(settings.seed, "max_t"), n_resamples=N_RESAMPLES)
    place = {frozenset((agents[i], agents[j])): k for k, (i, j) in enumerate(places)}
    p_values = [float(found[tasks.index(pair.task), place[frozenset((pair.a, pair.b))]]) for pair in pairs]
    return [_Adjusted(finite(p), float(np.sqrt(len(tasks) * p / N_RESAMPLES))) for p in p_values]


def decide(pair: PairAudit, settings: PairSettings, error: float) -> tuple[Verdict, str]:
    """The verdict and the reason for it, from adjusted p-values alone; `error` is the standard error of p_adjusted."""
    alpha, result, test = settings.alpha, pair.tests[pair.decided_by], name_of(pair.decided_by)
    if pair.margin is not None and pair.p_equivalent is not None and pair.p_equivalent <= alpha:
        return Verdict.EQUIVALENT, f"the difference is within {pair.margin:g} (two one-sided tests)"
    if pair.effect == pair.low == pair.high == 0:
        return Verdict.UNDECIDED, "every seed of both has the same score, so that there is nothing to tell apart"
    if pair.p_adjusted is None or result.p_value is None or not result.direction:
        return Verdict.UNDECIDED, f"{test} gives no result on these scores"
    if error and abs(pair.p_adjusted - alpha) < 1.96 * error:
        return Verdict.UNSTABLE, "the simulated p-value lies so near alpha that another simulation could turn it"
    if result.min_p is not None and result.min_p > alpha:
        return Verdict.UNDECIDED, f"with so few seeds {test} can never reach alpha (at best p = {result.min_p:.3g})"
    if pair.p_adjusted > alpha >= result.p_value:
        return Verdict.UNDECIDED, f"{test} tells them apart on its own, but not among all comparisons of this audit"
    if pair.p_adjusted > alpha:
        return Verdict.UNDECIDED, f"{test} does not tell them apart, which does not make them equal"
    better_a = (result.direction > 0) == settings.higher_is_better
    return (Verdict.A_BETTER if better_a else Verdict.B_BETTER), f"{test} tells them apart"
