"""Fresh seeds of an agent of whose distribution no more is known than a pool of its seeds."""

import numpy as np

from rlaudit.types import Floats

SMALL = 30  # from 40 seeds on smoothing does more harm than good on skewed scores: power off by .23 instead of .19


def with_replacement(scores: Floats, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Fresh seeds of an agent whose distribution is the pool.

    Without replacement the draws would come too close to the pool: SAC against TD3 with 50 of 192 seeds, Welch
    finds the difference in .995 instead of .980 of the draws.
    """
    return scores[rng.integers(0, len(scores), shape)]


def resampled_pools(scores: Floats, n_pools: int, rng: np.random.Generator) -> Floats:
    """(n_pools, n_seeds): pools that might as well have been seen, smoothed.

    Without smoothing a seed drawn twice could stand in both groups of a split. Scores that several seeds share pull
    the mean towards them, which no comparison of a pool with itself can see.
    """
    return _smoothed(scores, (n_pools, len(scores)), rng, scores.mean(), scores.std(ddof=1))


def fresh_seeds(scores: Floats, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """As `with_replacement` from 30 seeds on; from fewer, smoothed draws with their mean and their sd (ddof 1).

    Welch's power at n = 10 from pilots of 5 normal seeds with just d = 1: .543 on average, where .556 is right, and
    .646 if the five were drawn as they are. Stretching to that sd moves a ceiling too, but all draws that reach it.
    """
    if len(scores) >= SMALL:
        return with_replacement(scores, shape, rng)
    values, counts = np.unique(scores, return_counts=True)
    free = values[counts == 1] if (counts == 1).any() else values
    drawn, mean = _smoothed(scores, shape, rng, free.mean(), free.std()), scores.mean()
    stretched: Floats = mean + (drawn - mean) * np.sqrt(len(scores) / (len(scores) - 1))
    return stretched


def _smoothed(scores: Floats, shape: tuple[int, ...], rng: np.random.Generator, middle: float, sd: float) -> Floats:
    """Drawn with replacement, smoothed by a normal kernel that keeps mean and variance of scores around `middle`.

    Bandwidth N^(-1/5) sd (Silverman 1986). Scores that several seeds share (the ceiling of a task) are real atoms and
    stay as they are.
    """
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    n_seeds, bandwidth = len(scores), len(scores) ** -0.2
    picked = rng.integers(0, n_seeds, shape)
    noise = bandwidth * sd * rng.standard_normal(shape)
    kept = middle + (scores[picked] - middle + noise) / np.sqrt(1 + bandwidth**2)
    return np.where(counts[index][picked] > 1, scores[picked], kept)


def other_pools(scores: Floats, n_pools: int, rng: np.random.Generator) -> Floats:
    """(n_pools, n_seeds): pools that might as well have been seen, as wide as the few seeds leave open.

    Drawn with replacement alone they are too narrow, and half of those of two seeds have no spread at all. So each is
    stretched from the pool's mean, by sqrt(n / chi^2 with n - 1 degrees of freedom): its mean is then spread like
    Student's t, whose sd of the seeds is unknown too. A score that several seeds share at an end is a floor or a
    ceiling, and no pool passes it.
    """
    n, mean = len(scores), scores.mean()
    wider = np.sqrt(n / rng.chisquare(n - 1, (n_pools, 1)))
    pools: Floats = mean + wider * (with_replacement(scores, (n_pools, n), rng) - mean)
    for end, cut in ((scores.min(), np.maximum), (scores.max(), np.minimum)):
        if (scores == end).sum() > 1:
            pools = cut(pools, end)
    return pools


def draw_from_each(pools: Floats, each: int, size: int, rng: np.random.Generator) -> Floats:
    """(n_pools, n_draws, size): a few fresh seeds at a time from each of the pools (n_pools, n_seeds)."""
    n_pools, n_seeds = pools.shape
    picked = rng.integers(0, n_seeds, (n_pools, each * size))
    return np.take_along_axis(pools, picked, axis=1).reshape(n_pools, each, size)


def interval_over_pools(share: float, shares: Floats) -> tuple[float, float]:
    """95 % over seeds (bootstrap percentiles), never without the share itself."""
    low, high = np.quantile(shares, [0.025, 0.975])
    return min(float(low), share), max(float(high), share)
