"""Initializers in order: which are told apart, how much the scheme and the last gain matter, and how sure the best is.

Every pair of initializers of an agent on a task is compared; all pairs of an audit are one family, stepped down
(`comparisons.step_down`). That two are not told apart never makes them equal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rlaudit.aggregate import mean_interval
from rlaudit.aggregate.factors import variance_parts
from rlaudit.comparisons import COMPARISONS, max_t_tasks, probability_better
from rlaudit.comparisons.letters import clusters, names
from rlaudit.leaderboard.first_place import first_places, mean
from rlaudit.leaderboard.order import Standing, in_order, leaders, ranked
from rlaudit.pools import with_replacement
from rlaudit.results import Initializers, MatrixCell
from rlaudit.results.initializers import GainEffect, Start, VarianceShare
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Floats

N_RESAMPLES = 9_999  # of a permutation test that is not exact
_DRAWS = 2_000  # standard error of a share at most .011
_SOURCES = ("scheme", "last gain", "scheme with last gain", "seeds")


@dataclass(frozen=True)
class Candidate:
    """The scores of one way to draw the weights."""

    arm: ArmScores
    scheme: str
    last_gain: float | None  # None: any gives the same weights


@dataclass(frozen=True)
class Layout:
    """One agent on one task, with all of its candidates."""

    agent: str
    task: str
    timesteps: int
    candidates: tuple[Candidate, ...]

    @property
    def scored(self) -> tuple[Candidate, ...]:
        """Those of which something can be said."""
        return tuple(one for one in self.candidates if len(one.arm.scores) >= 2)


def n_pairs(layouts: Sequence[Layout]) -> int:
    """Comparisons of the audit."""
    return sum(len(one.scored) * (len(one.scored) - 1) // 2 for one in layouts)


def compare_initializers(
    layouts: Sequence[Layout], *, alpha: float, seed: int, higher_is_better: bool
) -> tuple[Initializers, ...]:
    """One for each layout with two candidates that have two scores; the layouts have as many candidates each."""
    sign = 1 if higher_is_better else -1
    layouts = [one for one in layouts if len(one.scored) >= 2]
    return tuple(
        _compared(layout, p_values, effects, alpha, seed, sign)
        for layout, p_values, effects in zip(
            layouts, adjusted_p_values(layouts, seed), _gain_effects(layouts, alpha), strict=True
        )
    )


def adjusted_p_values(layouts: Sequence[Layout], seed: int) -> list[dict[frozenset[str], float]]:
    """Of each pair of labels of each layout, adjusted over the family of all of them."""
    most = max((len(one.candidates) for one in layouts), default=0)
    pairs = list(combinations(range(most), 2))
    pools = [[_scores_if_any(one, i) for i in range(most)] for one in layouts]
    rng = generator(seed, "initializers", "pairs")
    adjusted = max_t_tasks(pools, pairs, rng=rng, n_resamples=N_RESAMPLES) if pools else np.empty((0, 0))
    found = []
    for layout, row in zip(layouts, adjusted, strict=True):
        labels = [one.arm.agent for one in layout.candidates]
        inside = [(pair, p) for pair, p in zip(pairs, row.tolist(), strict=True) if pair[1] < len(labels)]
        found.append({frozenset((labels[i], labels[j])): p for (i, j), p in inside})
    return found


def _scores_if_any(layout: Layout, place: int) -> Floats:
    """One score is none: nothing can be said of it."""
    scores = layout.candidates[place].arm.scores if place < len(layout.candidates) else np.empty(0)
    return scores if len(scores) >= 2 else np.empty(0)


def _compared(
    layout: Layout,
    p_values: dict[frozenset[str], float],
    effects: tuple[GainEffect, ...],
    alpha: float,
    seed: int,
    sign: int,
) -> Initializers:
    pools = {one.arm.agent: sign * one.arm.scores for one in layout.scored}
    ordered = in_order([_standing(label, scores, alpha) for label, scores in pools.items()])
    matrix = tuple(_cell(a, b, pools, p_values, alpha) for a, b in combinations([one.agent for one in ordered], 2))
    sets, letters = _clusters([one.agent for one in ordered], matrix)
    scores = np.concatenate(list(pools.values()))
    return Initializers(
        agent=layout.agent,
        task=layout.task,
        timesteps=layout.timesteps,
        starts=tuple(_starts(layout, ordered, pools, matrix, letters, seed, sign)),
        clusters=sets,
        matrix=matrix,
        n_decided=sum(cell.decided != 0 for cell in matrix),
        gain_effects=effects,
        shares=tuple(_shares(layout, 1 - alpha)),
        optimism=_optimism(list(pools.values()), generator(seed, "optimism", layout.agent, layout.task)),
        at_best=float((scores == scores.max()).mean()),
        left_out=tuple(one.arm.agent for one in layout.candidates if len(one.arm.scores) < 2),
    )


# ---------------------------------------------------------------- order and clusters


def _standing(label: str, scores: Floats, alpha: float) -> Standing:
    ordered = np.sort(scores)  # so that equal scores in another order have an equal mean
    low, high = mean_interval(ordered, 1 - alpha)
    return Standing(label, float(ordered[0] + (ordered - ordered[0]).mean()), float(low), float(high))


def _cell(a: str, b: str, pools: dict[str, Floats], p_values: dict[frozenset[str], float], alpha: float) -> MatrixCell:
    """`a` has the better mean: a pair that is decided is decided for it, since t has the sign of the difference."""
    better, low, high = probability_better(pools[a], pools[b], alpha)
    p = p_values[frozenset((a, b))]
    return MatrixCell(a, b, float(better), float(low), float(high), p, int(p <= alpha))


def _clusters(
    labels: Sequence[str], matrix: Sequence[MatrixCell]
) -> tuple[tuple[tuple[str, ...], ...], dict[str, tuple[str, ...]]]:
    """Sets of labels, and the letters of each label; the letters run from the best to the worst."""
    place = {label: i for i, label in enumerate(labels)}
    different = np.zeros((len(labels), len(labels)), bool)
    for cell in matrix:
        i, j = place[cell.a], place[cell.b]
        different[i, j] = different[j, i] = cell.decided != 0
    sets = clusters(different)
    named = list(zip(names(len(sets)), sets, strict=True))
    letters = {label: tuple(name for name, one in named if i in one) for i, label in enumerate(labels)}
    return tuple(tuple(labels[i] for i in one) for one in sets), letters


def _starts(
    layout: Layout,
    ordered: Sequence[Standing],
    pools: dict[str, Floats],
    matrix: Sequence[MatrixCell],
    letters: dict[str, tuple[str, ...]],
    seed: int,
    sign: int,
) -> Iterator[Start]:
    by_label = {one.arm.agent: one for one in layout.candidates}
    n_seeds = min(map(len, pools.values()))
    drawn = first_places(
        {label: (scores,) for label, scores in pools.items()}, leaders(ordered), [n_seeds], mean,
        n_draws=_DRAWS, seed=seed, name=f"{layout.agent} {layout.task}",
    )  # fmt: skip
    for place in ranked(ordered, matrix, drawn[n_seeds], sign):
        one = by_label[place.agent]
        yield Start(
            label=place.agent,
            scheme=one.scheme,
            last_gain=one.last_gain,
            mean=place.value,
            low=place.low,
            high=place.high,
            rank=place.rank,
            rank_low=place.rank_low,
            rank_high=place.rank_high,
            first=place.first,
            letters=letters[place.agent],
            scores=tuple(one.arm.scores.tolist()),
            n_failed=len(one.arm.failed),
        )


def _optimism(pools: Sequence[Floats], rng: np.random.Generator) -> float:
    """Mean of the leader of a draw, less the mean of its pool: what fresh seeds of the winner would take away.

    The pools stand for the truth, and spread wider than it: of 23 equal candidates it finds seven tenths.
    """
    drawn = np.array([with_replacement(pool, (_DRAWS, len(pool)), rng).mean(axis=-1) for pool in pools])
    truth = np.array([pool.mean() for pool in pools])
    best = drawn.argmax(axis=0)
    return max(0.0, float((drawn[best, np.arange(_DRAWS)] - truth[best]).mean()))


# ---------------------------------------------------------------- the two factors


def _grid(layout: Layout) -> dict[str, dict[float, Floats]]:
    """Scheme -> last gain -> scores, of schemes for which the gain means anything."""
    grid: dict[str, dict[float, Floats]] = {}
    for one in layout.scored:
        if one.last_gain is not None:
            grid.setdefault(one.scheme, {})[one.last_gain] = one.arm.scores
    return grid


def _gain_effects(layouts: Sequence[Layout], alpha: float) -> list[tuple[GainEffect, ...]]:
    """Welch's intervals at level 1 - alpha / m, where the audit has m of them: they hold together (Bonferroni)."""
    wanted = [
        (place, scheme, gain, cells)
        for place, layout in enumerate(layouts)
        for scheme, cells in _grid(layout).items()
        for gain in sorted(cells)[:-1]
    ]
    found: list[list[GainEffect]] = [[] for _ in layouts]
    for place, scheme, gain, cells in wanted:
        rng = generator(0, "welch")  # draws nothing
        test = COMPARISONS["welch"](
            cells[gain], cells[max(cells)], alpha=alpha / len(wanted), rng=rng, n_resamples=N_RESAMPLES
        )
        ends = (float(test.effect), float(test.low), float(test.high))
        found[place].append(GainEffect(scheme, gain, max(cells), *ends))
    return [tuple(one) for one in found]


def _shares(layout: Layout, level: float) -> Iterator[VarianceShare]:
    """Over schemes that have every gain and three scores with each: of all of them, and at each gain alone."""
    grid = {
        scheme: {gain: scores for gain, scores in cells.items() if len(scores) > 2}
        for scheme, cells in _grid(layout).items()
    }
    gains = sorted({gain for cells in grid.values() for gain in cells})
    whole = [[cells[gain] for gain in gains] for cells in grid.values() if len(cells) == len(gains)]
    if len(whole) < 2:
        return
    if len(gains) > 1 and (parts := variance_parts(whole, level)):
        for source, part in zip(_SOURCES, parts, strict=True):
            yield VarianceShare(source, None, *part)
    for place, gain in enumerate(gains):
        if parts := variance_parts([[row[place]] for row in whole], level):
            yield VarianceShare(_SOURCES[0], gain, *parts[0])
