"""How often a habit names a winner: of two groups of one agent, and of two agents.

One agent against itself: disjoint groups without replacement where the pool is large enough, which is unbiased for
fresh seeds. Two agents: with replacement from both pools, whose means count as the truth. In either case the same is
asked of pools that were redrawn seed by seed, for an interval over seeds.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rlaudit import splits
from rlaudit.comparisons.patterns import BLOCK, blocks
from rlaudit.procedures.habits import Conclusion
from rlaudit.procedures.views import Pool
from rlaudit.results import Estimate
from rlaudit.types import Floats, Ints

_POOLS = 100  # redrawn, for the interval over seeds
_EACH = (20, 60)  # draws from each of them: fewest, most
_NOISE_OFF = 0.75  # see _share
_EFFORT = 2**22  # numbers looked at for that, where the fewest draws do not already take more
_MOST = 2**22  # positions held at once: 32 MB; beyond it there are fewer draws

Conclude: TypeAlias = Callable[..., Conclusion]  # (a, b, *, alpha, rng): see habits.py
_Bools: TypeAlias = NDArray[np.bool_]


class Duel(NamedTuple):
    """Groups of n_a seeds from x against groups of n_b seeds from y, in a share of the draws."""

    x: Pool
    y: Pool | None  # None: both from x, the same agent
    sizes: tuple[int, int]
    sign: int = 1  # -1: x is the audit's second agent
    same_seeds: bool = False  # x and y hold the same seeds in the same order, which are drawn as pairs


class Draws(NamedTuple):
    """Conclusions about draws from the pools themselves (n_draws,), and from redrawn pools (n_pools, n_each)."""

    winner: NDArray[np.int8]
    effect: Floats
    view: Ints
    others: NDArray[np.int8]
    others_view: Ints


def fits(duel: Duel) -> bool:
    """Two groups without a shared seed."""
    return duel.y is not None or min(block.shape[1] for block in duel.x) >= sum(duel.sizes)


def fought(conclude: Conclude, duels: Sequence[Duel], *, alpha: float, n_draws: int, rng: np.random.Generator) -> Draws:
    """All duels, each in its share of the draws."""
    share = -(-n_draws // len(duels))
    parts = [_fought(conclude, duel, alpha, share, rng) for duel in duels]
    ours, others = zip(*parts, strict=True)
    joined = [np.concatenate(column) for column in zip(*ours, strict=True)]
    beside = [np.concatenate(column, axis=1) for column in zip(*others, strict=True)]
    return Draws(joined[0], joined[1], joined[2], beside[0], beside[1])


def _fought(
    conclude: Conclude, duel: Duel, alpha: float, n_draws: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.generic]], list[NDArray[np.generic]]]:
    """Winner, effect and view of the draws of one duel, and winner and view from redrawn pools (n_pools, n_each)."""
    n_views, n_positions = sum(map(len, duel.x)), len(duel.x) * sum(duel.sizes)
    width = n_views * sum(duel.sizes)
    n_draws = max(1, min(n_draws, _MOST // n_positions))
    fewest, most = _EACH
    each = max(1, min(max(fewest, min(most, _EFFORT // (_POOLS * width))), _MOST // (_POOLS * n_positions)))
    a, b = _positions(duel, n_draws, each, rng)
    found = []
    for rows in blocks(n_draws + _POOLS * each, width, BLOCK // 4):
        mine = conclude(_taken(duel.x, a, rows), _taken(duel.y or duel.x, b, rows), alpha=alpha, rng=rng)
        view = np.zeros(len(mine.winner), np.int64) if mine.view is None else mine.view
        found.append((duel.sign * mine.winner, duel.sign * mine.effect, view))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    others = [one[n_draws:].reshape(_POOLS, each) for one in (columns[0], columns[2])]
    return [one[:n_draws] for one in columns], others


def _taken(pool: Pool, positions: Sequence[Ints], rows: slice) -> Floats:
    """(n_views, n_draws, n_seeds), or (n_draws, n_seeds) where there is one view."""
    taken = [np.take(block, drawn[rows], axis=1) for block, drawn in zip(pool, positions, strict=True)]
    views = taken[0] if len(taken) == 1 else np.concatenate(taken)
    return views[0] if len(views) == 1 else views


# ---------------------------------------------------------------- which seeds are drawn


def _positions(duel: Duel, n_draws: int, each: int, rng: np.random.Generator) -> tuple[list[Ints], list[Ints]]:
    """Positions (n_draws + n_pools * n_each, n_seeds) in each block of both pools."""
    n_a, n_b = duel.sizes
    if duel.y is None:
        both = [_drawn(block.shape[1], n_a + n_b, n_draws, each, True, rng) for block in duel.x]
        return [one[:, :n_a] for one in both], [one[:, n_a:] for one in both]
    a = [_drawn(block.shape[1], n_a, n_draws, each, False, rng) for block in duel.x]
    if duel.same_seeds:
        return a, a
    return a, [_drawn(block.shape[1], n_b, n_draws, each, False, rng) for block in duel.y]


def _drawn(n_seeds: int, size: int, n_draws: int, each: int, disjoint: bool, rng: np.random.Generator) -> Ints:
    """From the pool itself, and below that from redrawn pools: seeds as they are, for all they have belongs together.

    Groups of a redrawn pool may share a seed. Against disjoint groups that costs little: 10 normal seeds, 5 v 5, Welch
    names a winner in .041 of the draws instead of .044, adding seeds up to 10 in .135 instead of .144.
    """
    if disjoint and n_seeds >= size:
        own = splits.draw(n_seeds, size, n_draws, rng)
    else:
        own = rng.integers(0, n_seeds, (n_draws, size))
    pools = rng.integers(0, n_seeds, (_POOLS, n_seeds))
    picked = np.take_along_axis(pools, rng.integers(0, n_seeds, (_POOLS, each * size)), axis=1)
    return np.concatenate([own, picked.reshape(-1, size)])


# ---------------------------------------------------------------- shares of the draws


def false_positives(draws: Draws) -> Estimate:
    """Any winner."""
    return _share(draws.winner != 0, draws.others != 0)


def against(draws: Draws, truths: Floats) -> dict[str, Estimate | None]:
    """right, wrong, type_s and type_m, if truths (n_views,) are the true differences.

    Their intervals hold the true rates in .91-1.00 of pools of 10 to 40 normal seeds a standard deviation apart, of
    log-normal ones in .55-1.00 (Welch, and the better mean; 5 seeds an agent). Type M gets none: redrawn pools of one
    pair know nothing of how far its own difference is off, and held the true factor in .68-.82.
    """
    truth, others = truths[draws.view], truths[draws.others_view]
    right, wrong = draws.winner * truth > 0, draws.winner * truth < 0
    o_right, o_wrong = draws.others * others > 0, draws.others * others < 0
    names = right | wrong
    return {
        "right": _share(right, o_right),
        "wrong": _share(wrong, o_wrong),
        "type_s": _share_of(wrong, names, o_wrong, o_right | o_wrong),
        "type_m": Estimate(float(np.abs(draws.effect[names] / truth[names]).mean())) if names.any() else None,
    }


def _share(own: _Bools, others: _Bools) -> Estimate:
    """The share among our own draws, and an interval from the shares of redrawn pools.

    Their 60 draws each add noise; three quarters of it are taken off, as if there were 240. So intervals hold the true
    false-positive rate in 1.00 (normal), .88-1.00 (log-normal), .98-1.00 (bimodal) of pools of 10, 20 and 40 seeds:
    Welch, adding seeds, bars of one SE, best 5 of 10. With all of it they are 1.2 to 1.6 times as wide and hold
    it in .98-1.00; without any, in .79-1.00.
    """
    value, shares, (_, each) = float(own.mean()), others.mean(axis=1), others.shape
    spread, noise = float(shares.var(ddof=1)), float((shares * (1 - shares)).mean()) / max(each - 1, 1)
    calm = max(spread - _NOISE_OFF * noise, (1 - _NOISE_OFF) * noise)
    shares = shares.mean() + (shares - shares.mean()) * np.sqrt(calm / spread if spread else 0.0)
    few = (own.sum() + 2) / (len(own) + 4)  # so that a share of 0 has an end above it (Agresti and Coull 1998)
    reach = 1.96 * float(np.sqrt(calm + few * (1 - few) / len(own)))
    low, high = np.quantile(shares, [0.025, 0.975])
    return Estimate(value, max(0.0, min(float(low), value - reach)), min(1.0, max(float(high), value + reach)))


def _share_of(part: _Bools, whole: _Bools, others_part: _Bools, others_whole: _Bools) -> Estimate | None:
    """sum(part) / sum(whole), and its percentiles over redrawn pools, with the noise of their few draws.

    None where the whole is nothing.
    """
    if not whole.any():
        return None
    value = float(part.sum() / whole.sum())
    below = others_whole.sum(axis=1)
    shares = others_part.sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(shares, [0.025, 0.975]) if len(shares) else (0.0, value)
    none_seen = min(1.0, 3 / float(whole.sum())) if value == 0 else 0.0  # rule of three (Hanley, Lippman-Hand 1983)
    return Estimate(value, min(float(low), value), max(float(high), value, none_seen))
