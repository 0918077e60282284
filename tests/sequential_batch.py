"""Many pairs of agents at once: which of them a group-sequential test at one level would ever tell apart.

Half of the numbers of the package's own walk over the laws of sums, at a tenth of its time. It spares null streams in
which nothing happens the way through `next_look`, and a test holds it against that.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from rlaudit.comparisons.patterns import every_pattern
from rlaudit.sequential.laws import _KEPT, _STEPS
from rlaudit.types import Floats, Ints

_HALF = int(_STEPS) + 3  # steps to each side
_WIDTH = 2 * _HALF + 1
_FAST = next_fast_len(_WIDTH, real=True)


def ever_crossed(a: Floats, b: Floats, level: float) -> NDArray[np.bool_]:
    """(n_rows,) from scores (n_rows, n_looks, n) each, where no batch is without spread; alpha is spent evenly."""
    n_looks, n = a.shape[1:]
    sums = _all_sums(np.concatenate([a, b], axis=2), n)
    assert sums.shape[2] ** 2 > _KEPT, "small batches are summed up without a grid"
    crossed, spent, values, mass = _first_look(sums[:, 0], level / n_looks)
    reach, step = np.abs(values * (mass > 0)).max(axis=1), np.zeros(len(a))
    observed = sums[:, 0, :1]
    for k in range(1, n_looks):
        batch = sums[:, k]
        step = np.maximum(step, (reach + np.abs(batch).max(axis=1)) / _STEPS)
        old, new = np.rint(values / step[:, None]).astype(int), np.rint(batch / step[:, None]).astype(int)
        at = np.rint(observed[:, 0] / step).astype(int) + new[:, 0]
        half = np.abs(np.where(mass > 0, old, 0)).max(axis=1) + np.abs(new).max(axis=1)
        mass = _convolved(_binned(old, mass), _binned(new, np.full(batch.shape, 1 / batch.shape[1])))
        cut, more = _cut(mass, half, level * (k + 1) / n_looks - spent)
        crossed |= np.abs(at) >= cut
        spent, reach = spent + more, (cut - 1) * step
        places = np.arange(-_HALF, _HALF + 1)
        mass = np.where(np.abs(places) < cut[:, None], mass, 0)
        values, observed = places * step[:, None], (at * step)[:, None]
    return crossed


def _all_sums(pool: Floats, n: int) -> Floats:
    """(n_rows, n_looks, n_deals), the observed one first."""
    pool = pool - pool[..., :1]
    patterns, _ = every_pattern(2 * n, n)
    sums = (pool - pool.mean(axis=2, keepdims=True)) @ patterns
    return np.concatenate([sums, -sums], axis=2)


def _first_look(sums: Floats, allowed: float) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Crossed and spent (n_rows,), and what is left (n_rows, n_deals): sums and their masses."""
    size, n_deals = np.abs(sums), sums.shape[1]
    tie = 1e-9 * size.max(axis=1, keepdims=True)
    falling = -np.sort(-size, axis=1)
    ends = np.diff(falling, axis=1, append=-1) < -tie
    n_beyond = np.arange(1, n_deals + 1)
    n_cut = np.where(ends & (n_beyond / n_deals <= allowed + 1e-12), n_beyond, 0).max(axis=1)
    bound = np.where(n_cut, np.take_along_axis(falling, np.maximum(n_cut - 1, 0)[:, None], axis=1)[:, 0], np.inf)
    kept = size < bound[:, None] - tie
    return ~kept[:, 0], n_cut / n_deals, sums, np.where(kept, 1 / n_deals, 0)


def _binned(places: Ints, mass: Floats) -> Floats:
    rows = np.arange(len(places))[:, None] * _WIDTH
    inside = np.clip(places + _HALF, 0, _WIDTH - 1)  # what lies outside has been cut
    return np.bincount((rows + inside).ravel(), mass.ravel(), len(places) * _WIDTH).reshape(-1, _WIDTH)


def _convolved(one: Floats, two: Floats) -> Floats:
    both = irfft(rfft(one, _FAST) * rfft(two, _FAST), _FAST)
    return np.maximum(np.roll(both, -_HALF, axis=1)[:, :_WIDTH], 0)


def _cut(mass: Floats, half: Ints, allowed: Floats) -> tuple[Ints, Floats]:
    """From how many steps on the sums are cut (n_rows,), and what that takes."""
    far = mass[:, :_HALF] + mass[:, :_HALF:-1]  # _HALF, ..., 1 steps away
    tails = np.cumsum(far, axis=1)
    n_cut = (tails <= allowed[:, None] + 1e-12).sum(axis=1)
    taken = np.where(n_cut, np.take_along_axis(tails, np.maximum(n_cut - 1, 0)[:, None], axis=1)[:, 0], 0)
    return np.minimum(_HALF + 1 - n_cut, half + 1), taken
