"""Agent a against agent b: what would a few seeds an agent have concluded, if the full pools told the truth?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlaudit.comparisons import PAIRED
from rlaudit.comparisons.paired import paired_scores
from rlaudit.pools import draw_from_each, interval_over_pools, with_replacement
from rlaudit.power.simulated import experiments
from rlaudit.results import Subset, SubsetTest
from rlaudit.same_agent import CLOSED_FORM
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Floats

_GRID = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
_POOLS, _DRAWS_EACH = 100, 200  # for the interval over seeds; fewer draws where few are asked for
_BLOCK = 2**22  # scores of an agent held at once: 32 MB; beyond it, from 420 seeds an agent on, fewer draws
_RESAMPLED_SHARE = 0.4  # of the draws, for tests that resample inside each: 4,000 of 10,000, standard error .008


def subset_sizes(n_seeds: int) -> tuple[int, ...]:
    """Every n from 2 to 10, then ever wider steps, up to half of the smaller pool, which is always among them."""
    half = n_seeds // 2
    return tuple(sorted({*(n for n in _GRID if n <= half), *([half] if half >= 2 else [])}))


def audit_subsets(
    a: ArmScores, b: ArmScores, *, tests: Sequence[str], alpha: float, n_draws: int, seed: int
) -> tuple[Subset, ...]:
    """A `Subset` for each size; empty where the pools' means agree (no right answer) or hold fewer than four seeds."""
    if a.scores.mean() == b.scores.mean():
        return ()
    sizes = subset_sizes(min(len(a.scores), len(b.scores)))
    return tuple(audit_subset(a, b, size, tests=tests, alpha=alpha, n_draws=n_draws, seed=seed) for size in sizes)


def audit_subset(
    a: ArmScores, b: ArmScores, size: int, *, tests: Sequence[str], alpha: float, n_draws: int, seed: int
) -> Subset:
    """What `size` seeds an agent would have concluded, over at most `n_draws` draws from the pools."""
    stream, n_draws = ("few seeds", a.agent, b.agent, a.task, size), min(n_draws, max(1, _BLOCK // size))
    truth = float(a.scores.mean() - b.scores.mean())
    drawn_a = with_replacement(a.scores, (n_draws, size), generator(seed, *stream, "a"))
    drawn_b = with_replacement(b.scores, (n_draws, size), generator(seed, *stream, "b"))
    effects = drawn_a.mean(-1) - drawn_b.mean(-1)
    results = {}
    for test in tests:
        drawn = (drawn_a, drawn_b)
        if test in PAIRED:
            drawn = _pairs_with_replacement(a, b, (n_draws, size), generator(seed, *stream, "pairs"))
        results[test] = _conclusions(test, *drawn, truth, alpha, generator(seed, *stream, test))
    wrong_sign = float((effects * truth < 0).mean())
    each = min(_DRAWS_EACH, max(50, n_draws // 50), max(1, _BLOCK // (_POOLS * size)))
    wrong_signs, rights = _other_pools(a.scores, b.scores, size, each, truth, alpha, generator(seed, *stream, "pools"))
    wrong_low, wrong_high = interval_over_pools(wrong_sign, wrong_signs)
    if "welch" in results:
        right_low, right_high = interval_over_pools(results["welch"].right, rights)
        results["welch"] = replace(results["welch"], right_low=right_low, right_high=right_high)
    return Subset(size, n_draws, wrong_sign, wrong_low, wrong_high, results)


def _pairs_with_replacement(
    a: ArmScores, b: ArmScores, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    x, y = paired_scores(a, b)
    drawn = rng.integers(0, len(x), shape)
    return x[drawn], y[drawn]


def _conclusions(test: str, a: Floats, b: Floats, truth: float, alpha: float, rng: np.random.Generator) -> SubsetTest:
    if test not in CLOSED_FORM:
        fewer = max(1, int(_RESAMPLED_SHARE * len(a)))
        a, b = a[:fewer], b[:fewer]
    found = experiments(test, a, b, alpha, rng)
    return SubsetTest(
        right=float(found.right(truth).mean()),
        wrong=float(found.wrong(truth).mean()),
        undecided=float((~found.significant).mean()),
        type_m=found.type_m(truth),
    )


def _other_pools(
    a: Floats, b: Floats, size: int, each: int, truth: float, alpha: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(n_pools,) twice: wrong signs, and Welch's right conclusions, of pools that might as well have been seen."""

    def drawn(scores: Floats) -> Floats:
        return draw_from_each(with_replacement(scores, (_POOLS, len(scores)), rng), each, size, rng)

    found = experiments("welch", drawn(a), drawn(b), alpha, rng)
    return (found.gap * truth < 0).mean(-1), found.right(truth).mean(-1)
