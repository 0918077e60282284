"""The arithmetic of tickets: rounds of pruning, planned contrasts, and how much of a lucky gap survives.

Weights that are chosen because their runs were the best were, on average, lucky in everything else, too: their new runs
fall back towards the mean (Galton 1886, "Regression towards mediocrity"). If the initial weights explain the share rho
of the variance between runs, rho of the gap is expected to survive; if they explain nothing, nothing does. The gap that
they were chosen by is known, so that the share is the gap of the new runs divided by a constant, and without bias: the
new runs had no part in the choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import atanh, ceil, isfinite, log, sqrt, tanh

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from rlaudit.aggregate import mean_interval
from rlaudit.comparisons import COMPARISONS, holm
from rlaudit.pairs import finite
from rlaudit.results import Contrast, Relived, Survival
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Comparison, Floats, Verdict

_DECIDER = "sign_flip"  # exact where nothing differs; arms of one lineage are alike in all but what is asked about
_HALF = 0.5  # of the gap: above it "mostly the weights", below it "mostly the path"
_N_RESAMPLES = 9_999


def rounds(sparsities: Sequence[float], per_round: float) -> dict[float, list[float]]:
    """For each of the rising `sparsities` all sparsities on the way to it, its own the last.

    No round takes more than the share `per_round` of the weights that are left; those between two sparsities take
    equal shares: {0.8: [0.552786, 0.8]} for .6 a round.
    """
    path: list[float] = []
    found = {}
    for sparsity in sparsities:
        kept = 1 - (path[-1] if path else 0.0)
        left = (1 - sparsity) / kept
        n = max(1, ceil(log(left) / log(1 - per_round) - 1e-9))
        path += [round(1 - kept * left ** (i / n), 6) for i in range(1, n)] + [sparsity]
        found[sparsity] = list(path)
    return found


def extremes(scores: Floats, k: int, *, higher_is_better: bool) -> tuple[list[int], list[int]]:
    """Places of the k best scores, the best first, and of the k worst, the worst last; equal scores keep their order.

    Where there are fewer than 2k scores the two stay apart: half of them each at most.
    """
    k = min(k, len(scores) // 2)
    order = np.argsort(-scores if higher_is_better else scores, kind="stable").tolist()
    return order[:k], order[len(order) - k :]


# ---------------------------------------------------------------- planned contrasts


def contrast(
    ticket: ArmScores, other: ArmScores, *, sparsity: float, against: str, alpha: float, seed: int
) -> Contrast:
    """The ticket against another arm, lineage by lineage; `p_adjusted` and the verdict come with the family."""
    a, b = _pairs(ticket, other)
    if len(a) < 2:
        nothing = dict.fromkeys(
            ("effect", "low", "high", "p_value", "p_adjusted", "min_p", "correlation", "paired_t_p", "welch_p")
        )
        return Contrast(sparsity, against, len(a), **nothing, verdict=Verdict.UNDECIDED)

    def tested(test: str) -> Comparison:
        rng = generator(seed, "tickets", ticket.agent, other.agent, test)
        return COMPARISONS[test](a, b, alpha=alpha, rng=rng, n_resamples=_N_RESAMPLES)

    found = tested(_DECIDER)
    return Contrast(
        sparsity=sparsity,
        against=against,
        n_pairs=len(a),
        effect=float(found.effect),
        low=finite(found.low),
        high=finite(found.high),
        p_value=float(found.p_value),
        p_adjusted=None,
        min_p=found.min_p,
        correlation=None if found.correlation is None or len(a) < 3 else finite(found.correlation),
        paired_t_p=float(tested("paired_t").p_value),
        welch_p=float(tested("welch").p_value),
        verdict=Verdict.UNDECIDED,
    )


def _pairs(a: ArmScores, b: ArmScores) -> tuple[Floats, Floats]:
    """(n_pairs,) twice: the lineages that both have."""
    of_b: Mapping[object, float] = dict(zip(b.seeds, b.scores.tolist(), strict=True))
    shared = [(score, of_b[seed]) for seed, score in zip(a.seeds, a.scores.tolist(), strict=True) if seed in of_b]
    first, second = np.array(shared).reshape(-1, 2).T
    return first, second


def judged(contrasts: Sequence[Contrast], alpha: float, *, higher_is_better: bool) -> list[Contrast]:
    """All planned contrasts of an audit, together at alpha (Holm 1979)."""
    adjusted = holm([np.nan if one.p_value is None else one.p_value for one in contrasts])
    return [_judged(one, float(p), alpha, higher_is_better) for one, p in zip(contrasts, adjusted, strict=True)]


def _judged(one: Contrast, p: float, alpha: float, higher_is_better: bool) -> Contrast:
    if not isfinite(p) or one.effect is None:
        return one
    better = (one.effect > 0) == higher_is_better
    verdict = Verdict.UNDECIDED if p > alpha else Verdict.A_BETTER if better else Verdict.B_BETTER
    return replace(one, p_adjusted=p, verdict=verdict)


# ---------------------------------------------------------------- weights or path


def relived(
    seed: int | str, original: float, scores: Sequence[float], n_failed: int, lucky: bool, alpha: float
) -> Relived:
    """One set of initial weights and its new runs."""
    x = np.array(scores, np.float64)
    low, high = (finite(end) for end in mean_interval(x, 1 - alpha)) if len(x) > 1 else (None, None)
    mean = float(x.mean()) if len(x) else None
    return Relived(seed, lucky, original, tuple(x.tolist()), n_failed, mean, low, high)


def survival(weights: Sequence[Relived], alpha: float) -> Survival | None:
    """How much of the gap of the original runs is left; None without two new runs of each, or without a gap.

    For these weights: Welch's interval with each set of weights as a group of its own, df of Satterthwaite (1946). For
    weights in general: Welch's interval of the means of the weights, which are then the sample.
    """
    if any(len(one.scores) < 2 for one in weights):
        return None
    lucky, unlucky = ([one for one in weights if one.lucky == side] for side in (True, False))
    if not lucky or not unlucky:
        return None
    gap = float(np.mean([one.original for one in lucky]) - np.mean([one.original for one in unlucky]))
    if gap == 0:
        return None
    means = [np.array([np.mean(one.scores) for one in side]) for side in (lucky, unlucky)]
    retrained = float(means[0].mean() - means[1].mean())
    parts = [
        (_mean_variance(one.scores) / len(side) ** 2, len(one.scores) - 1) for side in (lucky, unlucky) for one in side
    ]
    low, high, p = _welch(retrained, parts, alpha)
    many = min(map(len, means)) > 1
    general = _welch(retrained, [(_mean_variance(x), len(x) - 1) for x in means], alpha) if many else None
    share_low, share_high = sorted((low / gap, high / gap))
    general_low, general_high = sorted((general[0] / gap, general[1] / gap)) if general else (None, None)
    return Survival(
        n_weights=len(lucky),
        n_runs=sum(len(one.scores) for one in weights),
        gap=gap,
        retrained=retrained,
        p_value=p,
        share=retrained / gap,
        low=share_low,
        high=share_high,
        general_low=general_low,
        general_high=general_high,
        mostly="weights" if share_low > _HALF else "path" if share_high < _HALF else "undecided",
        carried=share_low > 0,
    )


def _mean_variance(values: Sequence[float] | Floats) -> float:
    """The squared standard error of their mean."""
    return float(np.var(values, ddof=1)) / len(values)


def _welch(effect: float, parts: Sequence[tuple[float, int]], alpha: float) -> tuple[float, float, float]:
    """Interval and two-sided p-value of an effect whose variance is a sum of parts with so many degrees of freedom."""
    total = float(sum(part for part, _ in parts))
    if total == 0:
        return effect, effect, float(effect == 0)
    df = total**2 / sum(part**2 / df for part, df in parts)
    reach = sqrt(total) * float(stdtrit(df, 1 - alpha / 2))
    return effect - reach, effect + reach, 2 * float(stdtr(df, -abs(effect) / sqrt(total)))


def correlation(a: ArmScores, b: ArmScores, alpha: float) -> tuple[float | None, float | None, float | None]:
    """Of two arms over the lineages that both have, with Fisher's interval (1921, Metron 1); None where unknown."""
    x, y = _pairs(a, b)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None, None, None
    r = float(np.corrcoef(x, y)[0, 1])
    z, reach = atanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)), float(ndtri(1 - alpha / 2)) / sqrt(len(x) - 3)
    return r, tanh(z - reach), tanh(z + reach)
