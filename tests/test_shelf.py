"""One contract for every test on the shelf: shapes, laws, both sides and each, and an answer to degenerate input."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlaudit.comparisons import COMPARISONS, PAIRED
from rlaudit.types import Alternative, Comparison

EVERY = pytest.mark.parametrize("test", COMPARISONS)
UNPAIRED = [test for test in COMPARISONS if test not in PAIRED]
SHUFFLED_INTERVAL = {"almost_stochastic_order"}  # its interval is a bootstrap beside an exact p: no duality, no laws
ARRAYS = ("effect", "low", "high", "statistic", "df", "p_value", "mc_error")
OPPOSITE: dict[Alternative, Alternative] = {"two-sided": "two-sided", "greater": "less", "less": "greater"}
SIDES = pytest.mark.parametrize("side", OPPOSITE)


def run(
    test: str,
    a: np.ndarray,
    b: np.ndarray,
    alpha: float = 0.05,
    n_resamples: int = 999,
    side: Alternative = "two-sided",
    interval: bool = True,
) -> Comparison:
    rng = np.random.default_rng(0)
    return COMPARISONS[test](a, b, alpha=alpha, rng=rng, n_resamples=n_resamples, alternative=side, interval=interval)


def groups(test: str, n_a: int, n_b: int, rows: int = 0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Of equal size where the test pairs them."""
    rng = np.random.default_rng(seed)
    batch = (rows,) if rows else ()
    return rng.lognormal(1, 1, (*batch, n_a)), rng.lognormal(0, 1, (*batch, n_a if test in PAIRED else n_b))


def assert_same_p(one: Comparison, other: Comparison) -> None:
    """To rounding, or within five standard errors where it is simulated."""
    gap = np.abs(one.p_value - other.p_value)
    assert (gap <= 1e-9 + 5 * np.hypot(one.mc_error, other.mc_error)).all(), (one.p_value, other.p_value)


def is_exact(test: str, result: Comparison) -> bool:
    """Nothing about it is random."""
    return test not in SHUFFLED_INTERVAL and not result.mc_error.any()


# ---------------------------------------------------------------- batches


@EVERY
@SIDES
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3)])
def test_results_have_the_shape_of_the_batch(test: str, shape: tuple[int, ...], side: Alternative) -> None:
    a, b = (np.random.default_rng(i).normal(0, 1, (*shape, 4 + (i if test not in PAIRED else 0))) for i in range(2))
    result = run(test, a, b, side=side)
    for name in ARRAYS:
        assert getattr(result, name).shape == shape, name
    assert (result.test, result.alternative) == (test, side)
    assert (result.correlation is not None) == (test in PAIRED)


@EVERY
@pytest.mark.parametrize(("n_a", "n_b"), [(2, 2), (3, 5), (5, 5), (8, 9)])
def test_a_batch_gives_what_its_rows_give_one_by_one(test: str, n_a: int, n_b: int) -> None:
    a, b = groups(test, n_a, n_b, rows=20)
    batch, rows = run(test, a, b), [run(test, *pair) for pair in zip(a, b, strict=True)]
    names = ("effect", "low", "high", "statistic", "df", "p_value") if is_exact(test, batch) else ("effect", "df")
    for name in names:
        one_by_one = [getattr(row, name) for row in rows]
        np.testing.assert_allclose(getattr(batch, name), one_by_one, rtol=1e-9, atol=1e-9, err_msg=name)
    for i, row in enumerate(rows):
        assert abs(row.p_value - batch.p_value[i]) <= 1e-9 + 5 * np.hypot(row.mc_error, batch.mc_error[i])


@EVERY
def test_a_tied_batch_gives_what_its_rows_give_one_by_one(test: str) -> None:
    x = np.random.default_rng(0).integers(0, 3, (30, 10)).astype(float)
    batch = run(test, x[:, :5], x[:, 5:])
    for i, row in enumerate(x):
        alone = run(test, row[:5], row[5:])
        assert abs(alone.p_value - batch.p_value[i]) <= 1e-9 + 5 * np.hypot(alone.mc_error, batch.mc_error[i])


@EVERY
def test_leaving_the_interval_out_changes_no_p_value(test: str) -> None:
    a, b = groups(test, 6, 7, rows=10)
    assert_same_p(run(test, a, b), run(test, a, b, interval=False))


@EVERY
def test_the_same_stream_gives_the_same_answer(test: str) -> None:
    a, b = groups(test, 25, 25)
    assert run(test, a, b).p_value == run(test, a, b).p_value


# ---------------------------------------------------------------- laws

scores = arrays(np.float64, (2, 4), elements=st.integers(-50, 50).map(lambda x: x / 8))


@EVERY
@SIDES
@given(x=scores)
@settings(max_examples=25, deadline=None)
def test_swapping_the_agents_swaps_the_result(test: str, side: Alternative, x: np.ndarray) -> None:
    there, back = run(test, x[0], x[1], side=side), run(test, x[1], x[0], side=OPPOSITE[side])
    assert_same_p(there, back)
    middle = 2 * there.null_effect
    np.testing.assert_allclose(there.effect, middle - back.effect, atol=1e-9)
    if is_exact(test, there):
        np.testing.assert_allclose([there.low, there.high], [middle - back.high, middle - back.low], atol=1e-7)
        np.testing.assert_array_equal(there.direction, -back.direction)


@EVERY
@given(x=scores, shift=st.sampled_from([-1e6, 3.5, 1e9]), exponent=st.integers(-30, 30))
@settings(max_examples=25, deadline=None)
def test_neither_unit_nor_origin_of_the_scores_matters(test: str, x: np.ndarray, shift: float, exponent: int) -> None:
    plain = run(test, x[0], x[1])
    scale = 2.0**exponent
    scaled, shifted = run(test, *(x * scale)), run(test, *(x + shift))
    np.testing.assert_allclose([scaled.p_value, shifted.p_value], plain.p_value, rtol=1e-9)
    unit = scale if plain.null_effect == 0 else 1  # a probability has no unit
    np.testing.assert_allclose([scaled.low / unit, shifted.low], plain.low, atol=1e-6)


@EVERY
@given(x=scores, order=st.permutations(range(4)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_seeds_does_not_matter(test: str, x: np.ndarray, order: list[int]) -> None:
    other = x[1][order] if test in PAIRED else x[1]
    assert_same_p(run(test, x[0][order], other), run(test, x[0], x[1]))


@EVERY
@given(x=scores)
@settings(max_examples=25, deadline=None)
def test_one_side_is_never_more_than_half_of_what_both_claim(test: str, x: np.ndarray) -> None:
    """p of the better side is at most that of both sides; and both single sides cannot be small together."""
    both, greater, less = (run(test, x[0], x[1], side=side) for side in OPPOSITE)
    slack = 1e-9 + 5 * float(np.hypot(both.mc_error, greater.mc_error))
    assert min(greater.p_value, less.p_value) <= both.p_value + slack
    if test != "kolmogorov_smirnov":  # distribution functions that cross deviate both ways
        assert greater.p_value + less.p_value >= 1 - 2 * slack


@EVERY
@SIDES
@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_an_interval_excludes_no_difference_exactly_where_p_is_at_most_alpha(
    test: str, side: Alternative, n: int
) -> None:
    if test in SHUFFLED_INTERVAL:
        return
    x = np.random.default_rng(n).lognormal(0, 1, (300, 2 * n)) + np.repeat([1.0, 0.0], n)
    x[::3] = np.round(x[::3])  # ties
    result = run(test, x[:, :n], x[:, n:], side=side)
    assert not np.isnan(result.low).any()
    excluded = (result.low > result.null_effect + 1e-9) | (result.high < result.null_effect - 1e-9)
    np.testing.assert_array_equal(excluded, result.p_value <= 0.05)


@EVERY
@SIDES
@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_no_p_value_is_below_the_smallest_attainable_one(test: str, side: Alternative, n: int) -> None:
    x = np.random.default_rng(1).normal(0, 1, (1_000, 2 * n)) + np.repeat([1.0, 0.0], n)
    result = run(test, x[:, :n], x[:, n:], side=side, interval=False, n_resamples=199)
    assert result.p_value.min() >= result.min_p * (1 - 1e-9)
    assert result.p_value.max() <= 1


@EVERY
def test_a_one_sided_test_rejects_only_its_own_side(test: str) -> None:
    a, b = np.random.default_rng(0).normal([[4.0], [0.0]], 1, (2, 10))
    assert run(test, a, b, side="greater").p_value < 0.01
    assert run(test, a, b, side="less").p_value > 0.9


# ---------------------------------------------------------------- degenerate input


@EVERY
@SIDES
def test_two_groups_of_the_same_constant_do_not_differ(test: str, side: Alternative) -> None:
    result = run(test, np.full(5, 0.1), np.full(5, 0.1), side=side)
    assert float(result.p_value) == 1
    assert result.direction == 0 or np.isnan(result.direction)
    assert np.isnan(result.effect) or result.effect == pytest.approx(result.null_effect)


@EVERY
@pytest.mark.parametrize("n", [2, 3, 5])
def test_two_different_constants_prove_no_more_than_a_permutation_test_can(test: str, n: int) -> None:
    result = run(test, np.full(n, 0.3), np.full(n, 0.1))
    smallest = 2 / 2**n if test in PAIRED else {2: 1 / 3, 3: 0.1, 5: 2 / 252}[n]
    assert float(result.p_value) >= smallest * (1 - 1e-9)
    assert result.direction == 1


@EVERY
@SIDES
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (1, 5), (5, 1)])
def test_one_seed_decides_nothing(test: str, side: Alternative, n_a: int, n_b: int) -> None:
    if test in PAIRED and n_a != n_b:
        return
    result = run(test, *(np.arange(n) + offset for n, offset in ((n_a, 100.0), (n_b, 0.0))), side=side)
    assert result.p_value > 0.05
    assert result.min_p > 0.05
    if test not in SHUFFLED_INTERVAL:
        assert result.low <= result.null_effect <= result.high


@EVERY
def test_one_constant_group_is_tested_like_any_other(test: str) -> None:
    result = run(test, np.full(6, 500.0), np.array([100.0, 130.0, 90.0, 140.0, 110.0, 120.0]))
    assert 0 <= result.p_value < 0.05
    assert result.direction == 1


@EVERY
def test_an_offset_of_1e12_changes_nothing_that_the_data_still_hold(test: str) -> None:
    x = np.random.default_rng(0).integers(0, 1000, (2, 6)) / 128.0  # exact at 1e12, whose grid is 1/8192
    plain, far = run(test, x[0], x[1]), run(test, x[0] + 1e12, x[1] + 1e12)
    assert far.p_value == pytest.approx(float(plain.p_value), rel=1e-9)
    assert far.effect == pytest.approx(float(plain.effect), rel=1e-9)


# ---------------------------------------------------------------- size


# VmHWM is the peak of this process alone; ru_maxrss would be inherited from the one that started it.
_LARGE = """
import re, sys
import numpy as np
from rlaudit.comparisons import COMPARISONS
rng = np.random.default_rng(0)
n_rows, n = map(int, sys.argv[2:4])
shape = (n_rows, n) if n_rows > 1 else (n,)
a, b = rng.normal(0.1, 1, shape), rng.normal(0, 1, shape)
found = COMPARISONS[sys.argv[1]](a, b, alpha=0.05, rng=rng, n_resamples=int(sys.argv[4]), interval=n_rows == 1)
assert (found.p_value <= 0.05).mean() < 0.2 if n_rows > 1 else found.p_value < 0.05 and found.direction == 1
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024)
"""


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize(("n_rows", "n", "n_resamples"), [(1, 10_000, 999), (100_000, 5, 99)])
def test_ten_thousand_seeds_or_a_hundred_thousand_splits_take_less_than_a_gigabyte(
    test: str, n_rows: int, n: int, n_resamples: int
) -> None:
    arguments = [sys.executable, "-c", _LARGE, test, str(n_rows), str(n), str(n_resamples)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1_000


_BITS = """
import hashlib
import numpy as np
from rlaudit.comparisons import COMPARISONS
x = np.random.default_rng(0).lognormal(0, 1, (40, 2, 30))
for name, test in COMPARISONS.items():
    digest = hashlib.sha256()
    for n in (5, 12, 30):
        rng = np.random.default_rng(0)
        found = test(x[:, 0, :n], x[:, 1, :n], alpha=0.05, rng=rng, n_resamples=1999, interval=name[:3] != "alm")
        for array in (found.p_value, found.low, found.high, found.statistic):
            digest.update(array.tobytes())
    print(name, digest.hexdigest())
"""


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_bits() -> None:
    def digests(threads: str) -> str:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = os.environ | dict.fromkeys(names, threads)
        return subprocess.run([sys.executable, "-c", _BITS], env=env, capture_output=True, text=True, check=True).stdout

    one, two = digests("1"), digests("2")
    assert len(one.splitlines()) == len(COMPARISONS)
    assert one == two
