"""One agent against itself: how different two groups of its seeds look, and how often a test believes it.

Everything here holds for one and the same agent, so that every "significant" difference is a false positive.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import comb, floor

import numpy as np

from rlaudit import splits
from rlaudit.comparisons import COMPARISONS
from rlaudit.pools import resampled_pools
from rlaudit.power import welch_power
from rlaudit.results import NamedSplit, SplitAudit, SplitTest, Spread
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Comparison, Floats, Splits

# Over all splits of untied scores these reject a constant share: they are the permutation distribution itself, ...
_DEALT = frozenset({"permutation", "permutation_studentised", "almost_stochastic_order"})
# ... or look at ranks alone.
FIXED_BY_CONSTRUCTION = _DEALT | {"mann_whitney", "rank_t", "brunner_munzel", "kolmogorov_smirnov"}
# Microseconds a split, so that more of them can be afforded.
CLOSED_FORM = frozenset({"welch", "student", "yuen", "rank_t", "brunner_munzel", "paired_t"})
GAINS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)  # true gains, in standard deviations between seeds
P_BINS = 20
N_RESAMPLES = 999  # inside one split: (1 + 999) alpha is a whole number for the usual levels
_SELF_TEST = 4_000  # splits, where the rate is known beforehand: standard error .0034 at .05
_FEWEST_DEALT = 50  # splits of each pool behind an interval over seeds, however large the table
_NORMAL_PAIRS = 10_000  # behind a simulated "expected" rate: standard error .002 at .05


def audit_splits(
    arm: ArmScores, group_size: int, *, tests: Sequence[str], alpha: float, n_splits: int, seed: int
) -> SplitAudit:
    """What the splits of one pool into two groups of `group_size` seeds say; the first test is the deciding one.

    Where there are more than 100,000 splits, `n_splits` are sampled. Raises ValueError where the pool holds fewer
    than two groups.
    """
    stream = ("same agent", arm.agent, arm.task, group_size)
    dealt = splits.deal(len(arm.scores), group_size, n_sampled=n_splits, rng=generator(seed, *stream, "deal"))
    groups = arm.scores[dealt.groups]
    gaps = groups[:, 0].mean(-1) - groups[:, 1].mean(-1)
    p_values = dict(_p_values(tests, groups, alpha, n_splits, seed, stream))
    most = max(_FEWEST_DEALT, n_splits // 10)
    results = {
        test: _split_test(test, arm.scores, p_values[test], group_size, alpha, most, seed, stream) for test in tests
    }
    gap, pool_mean, sd = _spread(gaps), abs(float(arm.scores.mean())), _sd(arm.scores)
    return SplitAudit(
        agent=arm.agent,
        task=arm.task,
        group_size=group_size,
        n_splits=len(gaps),
        exhaustive=dealt.exhaustive,
        n_effective=results[tests[0]].n_effective,
        gap=gap,
        relative_gap=Spread(gap.median / pool_mean, gap.p95 / pool_mean, gap.max / pool_mean) if pool_mean else None,
        normal_gap=_normal_gap(sd, len(arm.scores), dealt, generator(seed, *stream, "normal")),
        tests=results,
        any_significant=any_significant(len(arm.scores), group_size, alpha) if dealt.exhaustive else None,
        p_histogram=tuple(np.histogram(p_values[tests[0]], P_BINS, (0, 1))[0].tolist()),
        wrong_winner=_wrong_winner(gaps, sd),
        median_split=_named_split(arm, dealt, gaps, 0.5),
        worst_split=_named_split(arm, dealt, gaps, 1.0),
    )


# ---------------------------------------------------------------- how different they look


def _spread(gaps: Floats) -> Spread:
    median, p95, largest = np.quantile(np.abs(gaps), [0.5, 0.95, 1])
    return Spread(float(median), float(p95), float(largest))


def _sd(scores: Floats) -> float:
    """Measured from the first, so that equal scores have exactly none."""
    return float((scores - scores[0]).std(ddof=1))


def _normal_gap(sd: float, n_seeds: int, dealt: Splits, rng: np.random.Generator) -> Spread:
    """The same spread for normal seeds of the same sd: mean of 20 pools dealt alike."""
    pools = rng.normal(0, sd, (20, n_seeds))
    spreads = [_spread(pool[dealt.groups].mean(-1) @ [1, -1]) for pool in pools]
    return Spread(*(float(np.mean([getattr(one, name) for one in spreads])) for name in ("median", "p95", "max")))


def _wrong_winner(gaps: Floats, sd: float) -> tuple[tuple[float, float], ...]:
    """If one group truly gained g sd: how often would the other still have the higher mean?

    Both orders of a split count, so that a gap beyond the gain misleads in one of two. The covariance of disjoint
    groups makes up for drawing without replacement: the variance of the gap is that of fresh seeds, 2 sd^2 / n.
    """
    return tuple((gain, float((np.abs(gaps) > gain * sd).mean() / 2)) for gain in GAINS)


def _named_split(arm: ArmScores, dealt: Splits, gaps: Floats, quantile: float) -> NamedSplit:
    sizes = np.abs(gaps)
    chosen = int(np.argsort(sizes, kind="stable")[min(len(sizes) - 1, floor(quantile * len(sizes)))])
    a, b = dealt.groups[chosen] if gaps[chosen] >= 0 else dealt.groups[chosen][::-1]
    scores_a, scores_b = arm.scores[a], arm.scores[b]
    welch = _run("welch", scores_a, scores_b, 0.05, np.random.default_rng(0))
    return NamedSplit(
        a=tuple(arm.seeds[i] for i in a),
        b=tuple(arm.seeds[i] for i in b),
        mean_a=float(scores_a.mean()),
        mean_b=float(scores_b.mean()),
        gap=float(sizes[chosen]),
        percentile=100 * float((sizes <= sizes[chosen]).mean()),
        welch_p=float(welch.p_value),
    )


# ---------------------------------------------------------------- how often a test believes it


def _run(test: str, a: Floats, b: Floats, alpha: float, rng: np.random.Generator) -> Comparison:
    return COMPARISONS[test](a, b, alpha=alpha, rng=rng, n_resamples=N_RESAMPLES, interval=False)


def _p_values(
    tests: Sequence[str], groups: Floats, alpha: float, n_splits: int, seed: int, stream: tuple[str | int, ...]
) -> Iterator[tuple[str, Floats]]:
    """All splits for tests in closed form; at most `n_splits` of them, drawn at random, for the others."""
    few = _thinned(groups, n_splits, generator(seed, *stream, "thin"))
    fewest = _thinned(few, _SELF_TEST, generator(seed, *stream, "thin", "self-test"))
    for test in tests:
        known = test in _DEALT and test != tests[0]  # its rate is known beforehand: a self-test of the code
        tested = groups if test in CLOSED_FORM else fewest if known else few
        yield test, _run(test, tested[:, 0], tested[:, 1], alpha, generator(seed, *stream, test)).p_value


def _thinned(groups: Floats, n: int, rng: np.random.Generator) -> Floats:
    return groups if len(groups) <= n else groups[rng.choice(len(groups), n, replace=False)]


def _split_test(
    test: str,
    scores: Floats,
    p_values: Floats,
    group_size: int,
    alpha: float,
    most: int,
    seed: int,
    stream: tuple[str | int, ...],
) -> SplitTest:
    rate = float((p_values <= alpha).mean())
    expected = expected_rate(test, group_size, alpha)
    constant = test in FIXED_BY_CONSTRUCTION and len(np.unique(scores)) == len(scores)
    if constant:  # over all splits it is the constant; what is off comes from those that were sampled
        low, high, n_effective = min(rate, expected), max(rate, expected), None
    else:
        rng = generator(seed, *stream, test, "pools")
        others = rates_of_other_pools(test, scores, group_size, alpha, rng, most)
        low, high = interval_over_seeds(rate, others)
        n_effective = effective_experiments(rate, others)
    return SplitTest(
        rate=rate,
        low=low,
        high=high,
        n_effective=n_effective,
        expected=expected,
        min_p=smallest_p(test, group_size, alpha),
        constant=constant,
    )


def effective_experiments(rate: float, rates: Floats) -> float | None:
    """How many independent experiments would pin the rate as well: p (1 - p) / variance over pools of seeds.

    The splits of one pool are dependent, so that 10,000 of them are not 10,000 experiments. None where the rates
    of all pools agree, as they do when no split is ever significant: then nothing can be said.
    """
    variance = float(rates.var(ddof=1))
    return rate * (1 - rate) / variance if variance > 0 and 0 < rate < 1 else None


def rates_of_other_pools(
    test: str, scores: Floats, group_size: int, alpha: float, rng: np.random.Generator, most: int = 300
) -> Floats:
    """(n_pools,) the split rate of pools that might as well have been seen: a smoothed bootstrap over seeds.

    At most `most` splits are dealt from each. Their noise is left in, on the safe side: with the fewest, 50, intervals
    are about a seventh wider for 10 seeds dealt 5 v 5.
    """
    n_pools, dealt_each = (100, min(most, 300)) if test in CLOSED_FORM else (50, min(most, 200))
    if min(smallest_p(name, group_size, alpha) for name in (test, "permutation")) > alpha:
        return np.zeros(n_pools)  # no p-value can be so small, nor that of two constant groups, which is exact
    pools = resampled_pools(scores, n_pools, rng)
    positions = splits.draw(len(scores), 2 * group_size, dealt_each, rng)
    groups = pools[:, positions].reshape(-1, 2, group_size)
    p_values = _run(test, groups[:, 0], groups[:, 1], alpha, rng).p_value
    rates: Floats = (p_values.reshape(n_pools, dealt_each) <= alpha).mean(1)
    return rates


def interval_over_seeds(rate: float, rates: Floats) -> tuple[float, float]:
    """95 % for the rate of all pools: the wider, on either side, of the bootstrap's percentiles and of 1.96 sd.

    Either alone covers the true rate in 90 to 100 % of pools of 10 to 40 seeds (normal, log-normal, bimodal and
    SAC scores, n = 5 and 10), both together in 98 to 100 %, at hardly more width.
    """
    low, high = np.quantile(rates, [0.025, 0.975])
    reach = 1.96 * float(rates.std(ddof=1))
    return max(0.0, min(float(low), rate - reach)), min(1.0, max(float(high), rate + reach))


# ---------------------------------------------------------------- what chance alone predicts


@lru_cache(maxsize=256)
def exact_rate(test: str, group_size: int, alpha: float) -> float | None:
    """The constant share of all splits of untied scores that it rejects; None: no constant, or too many splits."""
    if test in _DEALT:  # two-sided p-values are multiples of 2 / C(2n, n)
        arrangements = comb(2 * group_size, group_size)
        return 2 * floor(alpha * arrangements / 2 + 1e-9) / arrangements
    if test not in FIXED_BY_CONSTRUCTION or group_size > 6:
        return None
    groups = splits.every_split(2 * group_size, group_size).reshape(-1, 2, group_size).astype(np.float64)
    return _rate(test, groups, alpha)


@lru_cache(maxsize=256)
def expected_rate(test: str, group_size: int, alpha: float) -> float:
    """The rate of this test for normal seeds of one agent: exact where it is a constant, else simulated."""
    if test == "welch":
        return float(welch_power(0.0, group_size, alpha))  # its own false-positive rate for normal seeds
    if test == "student":
        return alpha
    exact = exact_rate(test, group_size, alpha)
    if exact is not None:
        return exact
    return _rate(
        test, generator(0, "expected", test, group_size).standard_normal((_NORMAL_PAIRS, 2, group_size)), alpha
    )


def _rate(test: str, groups: Floats, alpha: float) -> float:
    p_values = _run(test, groups[:, 0], groups[:, 1], alpha, generator(0, "expected", test)).p_value
    return float((p_values <= alpha).mean())


@lru_cache(maxsize=256)
def smallest_p(test: str, group_size: int, alpha: float) -> float:
    """The smallest p-value that the test can give with so few seeds."""
    probe = np.arange(group_size, dtype=np.float64)
    return _run(test, probe, probe + 0.5, alpha, np.random.default_rng(0)).min_p


@lru_cache(maxsize=256)
def any_significant(n_seeds: int, group_size: int, alpha: float) -> float | None:
    """Share of normal pools in which Welch calls at least one split significant: the worst split looks striking.

    None where there are too many splits to try them all on 50 pools within 1,000,000 tests.
    """
    n_pools = min(200, 1_000_000 // splits.count(n_seeds, group_size))
    if n_pools < 50:
        return None
    rng = generator(0, "any significant", n_seeds, group_size)
    positions = splits.every_split(n_seeds, group_size).reshape(-1, 2, group_size)
    hits = 0
    for pool in rng.standard_normal((n_pools, n_seeds)):
        groups = pool[positions]
        hits += bool((_run("welch", groups[:, 0], groups[:, 1], alpha, rng).p_value <= alpha).any())
    return hits / n_pools
