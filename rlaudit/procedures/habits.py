"""The habits themselves: batches of draws in, the winners that somebody would have named out.

Scores come oriented, so that more is better. A habit sees a (n_draws, n_a) against b (n_draws, n_b), one number a
seed; or, where it looks at several numbers, (n_views, n_draws, n_a) and (n_views, n_draws, n_b): the points of a
curve, metrics, tasks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from rlaudit.comparisons.moments import Moments, centre, moments, smallest_p
from rlaudit.comparisons.parametric import t_test, welch_error
from rlaudit.power.simulated import experiments
from rlaudit.types import Floats, Ints

VARIANTS = 5  # of one agent that somebody tunes
FIRST_LOOK = 3  # seeds an agent at which somebody who adds seeds first tests


class Conclusion(NamedTuple):
    """What a habit makes of each draw. All arrays (n_draws,)."""

    winner: NDArray[np.int8]  # 1: a, -1: b, 0: none
    effect: Floats  # the difference a - b that it would report
    view: Ints | None = None  # which of its views it reports; None: the only one


def small_p(a: Floats, b: Floats, alpha: float) -> tuple[Floats, Floats]:
    """(...) Welch's p where it is at most alpha, something above alpha elsewhere; and the difference of the means.

    |t| below the quantile of the most degrees of freedom that there can be is never significant: without the p-values
    of those 400 points of 1,000 draws take .03 s instead of .09.
    """
    found, n_a, n_b = moments(a, b), a.shape[-1], b.shape[-1]
    p = np.ones_like(found.effect)
    if min(n_a, n_b) < 2:
        return p, found.effect
    least = float(stdtrit(n_a + n_b - 2, 1 - alpha / 2)) * (1 - 1e-9)
    near = np.abs(found.effect) >= least * np.sqrt(found.var_a / n_a + found.var_b / n_b)
    few = Moments(*(values[near] for values in found))
    se, df = welch_error(few, n_a, n_b)
    p[near] = t_test("welch", few.effect, se, df, smallest_p(n_a, n_b), alpha, "two-sided", interval=False).p_value
    return p, found.effect


def _named(effect: Floats, says_so: NDArray[np.bool_]) -> Conclusion:
    return Conclusion((np.sign(effect) * says_so).astype(np.int8), effect)


def _welch(a: Floats, b: Floats, alpha: float) -> Conclusion:
    p, effect = small_p(a, b, alpha)
    return _named(effect, p <= alpha)


def _gap(a: Floats, b: Floats) -> Floats:
    """mean(a) - mean(b); 0 where they are equal but for rounding, as seeds at a ceiling are."""
    gap, tie = moments(a, b).effect, centre(a, b)[2]
    return np.where(np.abs(gap) > tie, gap, 0.0)


# ---------------------------------------------------------------- one look at one number a seed


def mean_higher(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """The agent with the better mean is better: no test at all."""
    gap = _gap(a, b)
    return _named(gap, gap != 0)


def top_run(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """The agent with the best single run is better."""
    gap = a.max(axis=-1) - b.max(axis=-1)
    return _named(gap, gap != 0)


def error_bars_sd(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Mean and bars of one standard deviation (ddof 1): they do not overlap."""
    return _apart(a, b, 1.0, 1.0)


def error_bars_se(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Mean and bars of one standard error: they do not overlap."""
    return _apart(a, b, a.shape[-1] ** -0.5, b.shape[-1] ** -0.5)


def error_bars_ci(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Each mean in its own t interval of 1 - alpha: the two do not overlap. Stricter than a test at alpha.

    Schenker and Gentleman 2001 (The American Statistician 55).
    """
    reach = [stdtrit(max(n - 1, 1), 1 - alpha / 2) * n**-0.5 for n in (a.shape[-1], b.shape[-1])]
    return _apart(a, b, *map(float, reach))


def _apart(a: Floats, b: Floats, per_sd_a: float, per_sd_b: float) -> Conclusion:
    """One seed has no bar, and shows nothing."""
    found, gap = moments(a, b), _gap(a, b)
    bars = per_sd_a * np.sqrt(found.var_a) + per_sd_b * np.sqrt(found.var_b)
    return _named(gap, (np.abs(gap) > bars) & (min(a.shape[-1], b.shape[-1]) > 1))


# ---------------------------------------------------------------- more seeds than are reported


def best_k_of_n(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Twice as many runs of one agent, of which the better half is reported; Welch (Henderson et al. 2018, sec. 4)."""
    kept = b.shape[-1]
    return _welch(np.partition(a, -kept, axis=-1)[..., -kept:], b, alpha)


def adding_seeds(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Welch after each seed from the third on, up to twice as many, until p <= alpha (Armitage et al. 1969)."""
    _, effect = small_p(a, b, alpha)
    winner = np.zeros(len(effect), np.int8)
    for n in range(FIRST_LOOK, a.shape[-1] + 1):
        going_on = np.flatnonzero(winner == 0)
        p, gap = small_p(a[going_on, :n], b[going_on, :n], alpha)
        stops = p <= alpha
        winner[going_on[stops]] = np.sign(gap[stops])
        effect[going_on[stops]] = gap[stops]
    return Conclusion(winner, effect)


def tune_and_report(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Five variants of one agent that change nothing; the best is reported on the seeds it was chosen by; Welch."""
    variants = a.reshape(len(a), VARIANTS, -1)
    best = variants.mean(axis=-1).argmax(axis=-1)
    return _welch(variants[np.arange(len(a)), best], b, alpha)


# ---------------------------------------------------------------- several numbers a seed


def evaluations_as_samples(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """The last evaluations of each seed, counted as if each were a seed; Welch."""
    pooled_a, pooled_b = (np.moveaxis(one, 0, 1).reshape(one.shape[1], -1) for one in (a, b))
    return _welch(pooled_a, pooled_b, alpha)


def best_checkpoint(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """The best evaluation of one agent's curve (view 1) against the last one of the other's (view 0); Welch."""
    return _welch(a[1], b[0], alpha)


def smallest_of_several(a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """Welch on every view; the smallest p speaks, and nobody counts the others."""
    p, effect = small_p(a, b, alpha)
    view = p.argmin(axis=0)
    chosen = view, np.arange(p.shape[1])
    return _named(effect[chosen], p[chosen] <= alpha)._replace(view=view)


# ---------------------------------------------------------------- registered tests


def by_test(test: str, a: Floats, b: Floats, *, alpha: float, rng: np.random.Generator) -> Conclusion:
    """A registered test, once, on one number a seed."""
    found = experiments(test, a, b, alpha, rng)
    return Conclusion((np.nan_to_num(found.direction) * found.significant).astype(np.int8), found.gap)
