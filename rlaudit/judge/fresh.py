"""What fresh seeds would say of a claim: the chance that a repetition supports it, and how many would decide it."""

from bisect import bisect_left

import numpy as np
from scipy.special import chdtri

from rlaudit.claims import ParsedClaim
from rlaudit.comparisons.moments import moments
from rlaudit.comparisons.parametric import welch_error
from rlaudit.judge.evidence import Levels, deciding_interval, evidence
from rlaudit.pools import draw_from_each, resampled_pools
from rlaudit.power import MOST_SEEDS, seeds_for_power, seeds_needed, welch_power
from rlaudit.results import SeedsNeeded
from rlaudit.types import Floats

_MOST_POOLS, _FEWEST_POOLS = 2_000, 200  # standard error of a chance at most .011, .035 with 20,000 seeds an agent
_MOST_DRAWS = 8_000_000  # seeds over all pools
_BLOCK = 1_000_000  # seeds at a time: 8 MB an array, of which about six are alive
_SURE = 0.95  # of the range of the spread


def repetition(claim: ParsedClaim, a: Floats, b: Floats, level: float, rng: np.random.Generator) -> float | None:
    """The chance that as many fresh seeds of both agents support the claim at the same level; None with one seed.

    Predictive: pools that might as well have been seen are drawn anew, then a repetition from each, so that it carries
    the uncertainty of the effect and needs no interval: about 1/2 at p = .05 (Goodman 1992, Statistics in Medicine 11).
    Killeen 2005 (Psychological Science 16) averages the same way, with no prior knowledge of the effect; Miller 2009
    (Psychonomic Bulletin & Review 16) shows what that costs. Normal seeds, true rate / mean of the chance over all
    experiments / over those that came out significant: d = .5, n = 10 .18 / .31 / .66; n = 20 .34 / .40 / .67; d = 1,
    n = 10 .56 / .55 / .72; n = 20 .87 / .75 / .81. So it is right on average where any effect is as likely, drawn
    towards 1/2 where the effect is fixed, and too high for claims picked *because* they came out significant.
    """
    n_a, n_b = len(a), len(b)
    if min(n_a, n_b) < 2:
        return None
    n_pools = int(np.clip(_MOST_DRAWS // (n_a + n_b), _FEWEST_POOLS, _MOST_POOLS))
    size, supported = max(1, _BLOCK // (n_a + n_b)), 0
    for start in range(0, n_pools, size):
        many = min(size, n_pools - start)
        found = moments(_repeated(a, many, rng), _repeated(b, many, rng))
        supported += int((evidence(claim, found, n_a, n_b, in_favour=True) <= level).sum())
    return (supported + 0.5) / (n_pools + 1)  # so many draws show no certainty


def _repeated(scores: Floats, n_pools: int, rng: np.random.Generator) -> Floats:
    """(n_pools, n_seeds): from each of the pools as many seeds as it has.

    A pool drawn from n seeds has, on average, (n - 1) / n of their variance, and a repetition drawn from it again. Both
    are stretched: without it the chance at p = .05 is .63 for five normal seeds an agent, where .55 is right; with it
    .51 (.51 for .50 at ten, .52 for .48 at twenty).
    """
    stretch = np.sqrt(len(scores) / (len(scores) - 1))
    pools = scores.mean() + stretch * (resampled_pools(scores, n_pools, rng) - scores.mean())
    middle = pools.mean(axis=-1, keepdims=True)
    return draw_from_each(middle + stretch * (pools - middle), 1, len(scores), rng)[:, 0]


# ---------------------------------------------------------------- seeds that would decide it


def seeds_to_decide(claim: ParsedClaim, a: Floats, b: Floats, levels: Levels, power: float = 0.8) -> SeedsNeeded:
    """Seeds an agent with which the claim's own test decides it, if difference and spread are those seen.

    `>` needs the power of the two-sided test for the difference, `>=` that of the one-sided test for difference plus
    margin: a two-sided one at twice the level, but for a tail that does not count at such power. The level is that of
    the side on which the runs lie, and the range that of the interval which decides.
    """
    if claim.relation == "==":
        return _seeds_for_equality(claim, a, b, levels, power)
    above = a + (claim.margin or 0.0)
    level = levels.in_favour if above.mean() >= b.mean() else levels.against
    return seeds_needed(above, b, power, level if claim.relation == ">" else 2 * level)


def _seeds_for_equality(claim: ParsedClaim, a: Floats, b: Floats, levels: Levels, power: float) -> SeedsNeeded:
    """Over all differences and spreads that the runs leave: each in its own interval."""
    found, n_a, n_b = moments(a, b), len(a), len(b)
    sd, margin = float(np.sqrt((found.var_a + found.var_b) / 2)), claim.margin or 0.0
    low, high = deciding_interval(claim, found, n_a, n_b, levels, "supported")
    assert low is not None
    assert high is not None
    df, tail = float(welch_error(found, n_a, n_b)[1]), (1 - _SURE) / 2
    spreads = [sd * float(np.sqrt(df / chdtri(df, share))) for share in (tail, 1 - tail)]
    nearest = min(max(low, 0.0), high)
    corners = [_both_tests(effect, margin, s, levels, power) for effect in (nearest, low, high) for s in spreads]
    known = [n for n in corners if n is not None]
    on_the_margin = any(low <= bound <= high for bound in (-margin, margin))
    return SeedsNeeded(
        power=power,
        n=_both_tests(float(found.effect), margin, sd, levels, power),
        low=min(known, default=None),
        high=None if on_the_margin or len(known) < len(corners) else max(known),
    )


def _both_tests(effect: float, margin: float, sd: float, levels: Levels, power: float) -> int | None:
    """Seeds with which both one-sided tests support `==`; or with which it is contradicted, where it is not true.

    P(both) = P(one) + P(other) - P(either), and at such power always one of them rejects.
    """
    room = margin - abs(effect)
    if room <= 0:
        return seeds_for_power(-room / sd, power, levels.against)
    gains = np.array([room, margin + abs(effect)]) / sd
    n = 2 + bisect_left(
        range(2, MOST_SEEDS + 1), power, key=lambda n: float(welch_power(gains, n, 2 * levels.in_favour).sum() - 1)
    )
    return n if n <= MOST_SEEDS else None
