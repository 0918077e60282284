"""The shelf of two-sample tests. A new one is a function with the signature of `types.Compare` and a line here."""

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from rlaudit.comparisons.bootstrap import (
    bootstrap_bca,
    bootstrap_expanded,
    bootstrap_percentile,
    bootstrap_pivotal,
    bootstrap_t,
)
from rlaudit.comparisons.corrections import CORRECTIONS, benjamini_hochberg, holm
from rlaudit.comparisons.distributions import almost_stochastic_order, kolmogorov_smirnov
from rlaudit.comparisons.effects import EFFECTS
from rlaudit.comparisons.equivalence import equivalence, non_inferiority, tost
from rlaudit.comparisons.paired import paired_bootstrap, paired_t, sign_flip
from rlaudit.comparisons.parametric import student, welch, yuen
from rlaudit.comparisons.permutations import permutation
from rlaudit.comparisons.ranks import mann_whitney, rank_t
from rlaudit.comparisons.step_down import max_t, max_t_tasks
from rlaudit.comparisons.studentised import permutation_studentised
from rlaudit.comparisons.superiority import brunner_munzel, probability_better
from rlaudit.errors import NotEnoughSeeds, RlauditError, did_you_mean
from rlaudit.seeds import generator
from rlaudit.types import Alternative, Compare, Comparison, Floats

__all__ = [
    "COMPARISONS",
    "CORRECTIONS",
    "EFFECTS",
    "PAIRED",
    "almost_stochastic_order",
    "benjamini_hochberg",
    "bootstrap_bca",
    "bootstrap_expanded",
    "bootstrap_percentile",
    "bootstrap_pivotal",
    "bootstrap_t",
    "brunner_munzel",
    "compare",
    "equivalence",
    "holm",
    "kolmogorov_smirnov",
    "mann_whitney",
    "max_t",
    "max_t_tasks",
    "non_inferiority",
    "paired_bootstrap",
    "paired_t",
    "permutation",
    "permutation_studentised",
    "probability_better",
    "rank_t",
    "sign_flip",
    "student",
    "tost",
    "welch",
    "yuen",
]

COMPARISONS: dict[str, Compare] = {
    "welch": welch,
    "student": student,
    "yuen": yuen,
    "permutation": permutation,
    "permutation_studentised": permutation_studentised,
    "bootstrap_percentile": bootstrap_percentile,
    "bootstrap_pivotal": bootstrap_pivotal,
    "bootstrap_expanded": bootstrap_expanded,
    "bootstrap_t": bootstrap_t,
    "bootstrap_bca": bootstrap_bca,
    "mann_whitney": mann_whitney,
    "brunner_munzel": brunner_munzel,
    "rank_t": rank_t,
    "kolmogorov_smirnov": kolmogorov_smirnov,
    "almost_stochastic_order": almost_stochastic_order,
    "paired_t": paired_t,
    "sign_flip": sign_flip,
    "paired_bootstrap": paired_bootstrap,
}
PAIRED = frozenset({"paired_t", "sign_flip", "paired_bootstrap"})  # a[i] and b[i] belong together; as many of each


def compare(
    a: ArrayLike,
    b: ArrayLike,
    test: str = "welch",
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    rng: np.random.Generator | None = None,
    n_resamples: int = 9999,
    interval: bool = True,
) -> Comparison:
    """Tests a (..., n_a) against b (..., n_b), one score per seed along the last axis.

    `alternative` "greater" asks whether a scores higher, "less" whether b does. The paired tests take a[..., i] and
    b[..., i] for a pair: decide on them before looking, and only where the runs do share something. Without `interval`
    the ends may be NaN, where they cost more than the p-values.

    Raises RlauditError where a score is no finite number, and NotEnoughSeeds where there is none. Without `rng` the
    random numbers are those of a fixed stream, so that the same call gives the same answer.
    """
    if test not in COMPARISONS:
        raise RlauditError(f"{test!r} is not a test.{did_you_mean(test, COMPARISONS)} (rlaudit list tests)")
    if alternative not in get_args(Alternative):
        choices = get_args(Alternative)
        raise RlauditError(f"alternative = {alternative!r}: give one of {choices}.{did_you_mean(alternative, choices)}")
    if not 0 < alpha < 1:
        raise RlauditError(f"alpha = {alpha!r}: give a level between 0 and 1, such as 0.05")
    if n_resamples < 1:
        raise RlauditError(f"n_resamples = {n_resamples!r}: give at least 1, better 9999")
    a, b = _check_samples(a, "a"), _check_samples(b, "b")
    try:
        shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    except ValueError:
        raise RlauditError(f"a {a.shape} and b {b.shape}: all axes but the last must agree") from None
    if test in PAIRED and a.shape[-1] != b.shape[-1]:
        raise RlauditError(f"{test} pairs a[i] with b[i]: a has {a.shape[-1]} scores and b {b.shape[-1]}")
    a, b = np.broadcast_to(a, shape + a.shape[-1:]), np.broadcast_to(b, shape + b.shape[-1:])
    rng = rng or generator(0, "compare", test)
    return COMPARISONS[test](
        a, b, alpha=alpha, rng=rng, n_resamples=n_resamples, alternative=alternative, interval=interval
    )


_LARGEST = 1e150  # its square is still a number


def _check_samples(values: ArrayLike, name: str) -> Floats:
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RlauditError(f"{name} is no array of numbers: {error}") from None
    if scores.ndim == 0 or scores.size == 0:
        raise NotEnoughSeeds(f"{name} has no scores: give at least one number per seed, along the last axis")
    if not np.isfinite(scores).all():
        where = [int(i) for i in np.argwhere(~np.isfinite(scores))[0]]
        raise RlauditError(
            f"{name}{where} is {scores[tuple(where)]}: every seed needs a finite score. "
            "Leave failed seeds out on purpose, or give them the score of a failure."
        )
    if np.abs(scores).max() > _LARGEST:
        raise RlauditError(f"{name} has scores beyond {_LARGEST:g}: divide all scores by a constant first")
    return scores
