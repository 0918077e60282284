"""Sums over batches whose scores are dealt anew: against all paths listed one by one."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaudit.comparisons import permutation
from rlaudit.sequential import laws
from rlaudit.sequential.laws import added, cut, of_batch
from rlaudit.sequential.permuted import Permuted

Batches = list[tuple[np.ndarray, np.ndarray]]
SIX = [(5, 5)] * 6


def batches(seed: int, sizes: list[tuple[int, int]], gain: float = 0.0, whole: bool = False) -> Batches:
    rng = np.random.default_rng(seed)
    drawn = [(rng.normal(gain, 1, n_a), rng.normal(0, 1, n_b)) for n_a, n_b in sizes]
    return [(np.rint(2 * a), np.rint(2 * b)) for a, b in drawn] if whole else drawn


def looks(data: Batches, level: float = 0.05) -> list[int]:
    """The side that has been found by each look; the level is spent in equal parts."""
    test = Permuted(data, level, [(k + 1) / len(data) for k in range(len(data))])
    return [test.side(k) for k in range(len(data))]


def p_value(data: Batches) -> float:
    """By the last look."""
    test = Permuted(data, 0.05, [(k + 1) / len(data) for k in range(len(data))])
    return 0.05 / float(test.strengths(len(data) - 1, (1,), exactly=True)[0])


# ---------------------------------------------------------------- against a listing


def every_deal(a: np.ndarray, b: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The observed one first."""
    pool, places = np.concatenate([a, b]), range(len(a) + len(b))
    return [(pool[list(x)], pool[[i for i in places if i not in x]]) for x in combinations(places, len(a))]


def weighted(a: np.ndarray, b: np.ndarray) -> float:
    return float(len(a) * len(b) / (len(a) + len(b)) * (a.mean() - b.mean())) if len(a) and len(b) else 0.0


def by_listing(data: Batches, level: float) -> list[int]:
    """Every path of deals, one at a time: at which look, and to which side, the observed one crosses."""
    paths = product(*[[weighted(*deal) for deal in every_deal(a, b)] for a, b in data])
    sums = np.array(list(paths)).cumsum(axis=1)
    alive, spent, sides = np.ones(len(sums), bool), 0.0, [0] * len(data)
    for k in range(len(data)):
        size = np.round(np.abs(sums[:, k]), 9)
        for bound in np.unique(size[alive]):
            out = alive & (size >= bound)
            if spent + out.mean() <= level * (k + 1) / len(data) + 1e-12:
                spent, alive = spent + out.mean(), alive & ~out
                if out[0]:
                    sides[k:] = [int(np.sign(sums[0, k]))] * (len(data) - k)
                break
    return sides


SIZES = [[(3, 3), (3, 3)], [(2, 2), (2, 2), (2, 2)], [(3, 2), (2, 3), (3, 3)], [(3, 3), (3, 0), (3, 3)]]


@pytest.mark.parametrize("whole", [False, True], ids=["reals", "ties"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_looks_are_those_of_all_paths_listed_one_by_one(sizes: list[tuple[int, int]], whole: bool) -> None:
    crossed = 0
    for seed in range(10):
        for level in (0.05, 0.2, 0.4):
            data = batches(seed, sizes, gain=1.5 * (seed % 3), whole=whole)
            expected = by_listing(data, level)
            assert expected == looks(data, level)
            crossed += expected[-1] != 0
    assert crossed > 5


@pytest.mark.parametrize("kept", [0, laws._KEPT], ids=["grid", "one by one"])
@pytest.mark.parametrize("sizes", [[(3, 3), (3, 3)], [(3, 2), (3, 2), (2, 2)]], ids=str)
def test_of_all_deals_of_the_same_scores_no_more_cross_than_the_level_allows(
    monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[int, int]], kept: int
) -> None:
    """However coarse the grid is: that is what makes the rounding harmless."""
    monkeypatch.setattr(laws, "_KEPT", kept)
    for seed, steps in ((0, 256.37), (1, 5.3)):
        monkeypatch.setattr(laws, "_STEPS", steps)
        data = batches(seed, sizes, whole=seed == 1)
        paths = list(product(*[every_deal(a, b) for a, b in data]))
        crossed = np.mean([looks(list(path), 0.3)[-1] != 0 for path in paths])
        assert 0 < crossed <= 0.3


@pytest.mark.parametrize("n", [3, 5, 8])
def test_one_look_is_the_exact_permutation_test(n: int) -> None:
    rng = np.random.default_rng(n)
    for whole in (False, True):
        ((a, b),) = batches(n, [(n, n)], 1.0, whole)
        exact = permutation(a, b, alpha=0.05, rng=rng, n_resamples=99, interval=False)
        assert float(exact.p_value) == pytest.approx(p_value([(a, b)]), rel=1e-9)
        assert (float(exact.p_value) <= 0.05) == (looks([(a, b)])[0] != 0)


def test_a_large_batch_is_counted_on_a_grid_that_hardly_matters() -> None:
    for n in (9, 15, 20):
        ((a, b),) = batches(n, [(n, n)], 0.6)
        exact = permutation(a, b, alpha=0.05, rng=np.random.default_rng(0), n_resamples=99, interval=False)
        assert float(exact.p_value) == pytest.approx(p_value([(a, b)]), rel=0.02)


def test_the_grid_hardly_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = [p_value(batches(seed, SIX[:4], 0.4)) for seed in range(6)]
    monkeypatch.setattr(laws, "_STEPS", 2000.37)
    np.testing.assert_allclose([p_value(batches(seed, SIX[:4], 0.4)) for seed in range(6)], coarse, rtol=0.04)


# ---------------------------------------------------------------- laws


def test_what_is_cut_and_what_is_left_add_up() -> None:
    law = of_batch(*batches(0, [(5, 5)])[0])
    for batch in batches(1, SIX):
        found = cut(law, 0.01)
        assert law.mass.sum() == pytest.approx(found.spent + found.rest.mass.sum())
        assert 0 <= found.spent <= 0.01
        law = added(found.rest, of_batch(*batch))
        assert law.step > 0  # 252 x 252 sums are too many to keep


def test_batches_without_spread_show_nothing_and_spoil_nothing() -> None:
    flat = (np.full(5, 500.0), np.full(5, 500.0))
    assert [0] * 6 == looks([flat] * 6)
    informative = batches(0, SIX[:4], 3.0)
    assert 1 == looks([flat, *informative])[-1]
    assert 1 == looks([informative[0], flat, *informative[1:], flat])[-1]


def test_a_late_outlier_does_not_undo_what_has_been_found_and_breaks_nothing() -> None:
    data = batches(0, SIX, 3.0)
    wild = (np.array([0.0, 0, 0, 0, -1e9]), np.zeros(5))
    assert looks(data)[2] == looks([*data[:3], wild])[-1] == 1
    assert 0 == looks([*batches(1, SIX[:3]), wild, *batches(2, SIX[:2])])[-1]


streams = st.tuples(st.integers(0, 10_000), st.sampled_from([0.0, 0.7, 1.5]), st.booleans())


@settings(max_examples=15, deadline=None)
@given(streams, st.sampled_from([1e-3, 0.3, 7.0, 1e6]), st.sampled_from([0.0, -3.3, 1e4]))
def test_scale_and_origin_of_the_scores_change_nothing(
    stream: tuple[int, float, bool], scale: float, shift: float
) -> None:
    data = batches(stream[0], [(5, 5), (4, 5), (5, 5)], stream[1], stream[2])
    changed = [(scale * a + shift, scale * b + shift) for a, b in data]
    assert looks(data) == looks(changed)
    assert p_value(data) == pytest.approx(p_value(changed), rel=1e-3)


@settings(max_examples=15, deadline=None)
@given(streams)
def test_swapping_the_agents_or_the_sign_mirrors_every_look(stream: tuple[int, float, bool]) -> None:
    data = batches(stream[0], [(5, 5), (4, 5), (5, 5)], stream[1], stream[2])
    mirrored = [-side for side in looks(data)]
    assert mirrored == looks([(b, a) for a, b in data])
    assert mirrored == looks([(-a, -b) for a, b in data])


@settings(max_examples=15, deadline=None)
@given(streams, st.randoms(use_true_random=False))
def test_the_order_of_seeds_within_a_batch_changes_nothing(stream: tuple[int, float, bool], random: object) -> None:
    data = batches(stream[0], SIX[:3], stream[1], stream[2])
    rng = np.random.default_rng(random.randrange(10**6))  # type: ignore[attr-defined]
    assert looks(data) == looks([(rng.permutation(a), rng.permutation(b)) for a, b in data])


# ---------------------------------------------------------------- p-values


def test_the_p_value_is_the_least_level_at_which_the_looks_would_have_decided() -> None:
    shares, decided, lower = [(k + 1) / 4 for k in range(4)], 0, 0
    for seed in range(12):
        data = batches(seed, SIX[:4], 0.5 * (seed % 4))
        test = Permuted(data, 0.05, shares)
        for look in range(4):
            p = 0.05 / float(test.strengths(look, (1, 3), exactly=True)[0])
            assert (p <= 0.05) == (test.side(look) != 0)
            assert (p < 1) == (Permuted(data, min(p, 0.999), shares).side(look) != 0)
            lower += Permuted(data, 0.99 * p, shares).side(look) != 0
            decided += p <= 0.05
    assert decided > 5
    assert lower <= 4  # of 48: a lower level may decide sooner, since more of it is left


def test_p_values_never_rise_from_look_to_look() -> None:
    for seed in range(20):
        test = Permuted(batches(seed, SIX, 0.3), 0.05, [(k + 1) / 6 for k in range(6)])
        strengths = [float(test.strengths(look, (1,), exactly=True)[0]) for look in range(6)]
        assert strengths == sorted(strengths)
