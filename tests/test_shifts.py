"""Order statistics of all differences: listed where they are few, searched for where they are many."""

from collections.abc import Callable

import numpy as np
import pytest

from rlaudit.comparisons import shifts
from rlaudit.comparisons.shifts import agree_with_p, hodges_lehmann, ordered_differences

SCORES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "wide": lambda rng, n: rng.lognormal(0, 9, n),
    "huge": lambda rng, n: 1e150 * rng.normal(0, 1, n),
    "tied": lambda rng, n: rng.integers(0, 5, n).astype(float),
    "far": lambda rng, n: 1e12 + rng.integers(0, 99, n) / 128,
    "constant": lambda rng, n: np.full(n, 0.3),
}


@pytest.mark.parametrize("scores", SCORES)
def test_searching_finds_what_listing_finds(scores: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = SCORES[scores](rng, 300), SCORES[scores](rng, 290)
    expected = np.sort(np.subtract.outer(a, b).ravel())
    places = [0, 7, 40_000, expected.size // 2, expected.size - 1]
    monkeypatch.setattr(shifts, "_LISTED", 0)
    for few in (0, 1_000, 10**6):
        monkeypatch.setattr(shifts, "_FEW", few)
        found = ordered_differences(a[None], b[None], places)[:, 0]
        np.testing.assert_allclose(found, expected[places], rtol=1e-13, atol=1e-13 * np.ptp(expected))


def test_searching_does_not_lose_the_sign_of_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "_LISTED", 0)
    monkeypatch.setattr(shifts, "_FEW", 0)
    a = np.array([[1.0, 1.0 + 2**-52, 7.0]])
    b = np.array([[1.0, 9.0]])
    found = ordered_differences(a, b, range(6))[:, 0]
    np.testing.assert_array_equal(found > 0, np.sort(np.subtract.outer(a[0], b[0]).ravel()) > 0)


def test_ten_thousand_seeds_a_side_have_a_median_difference() -> None:
    a, b = np.random.default_rng(0).normal([[3.0], [0.0]], 1, (2, 10_000))
    assert float(hodges_lehmann(a[None], b[None])[0]) == pytest.approx(3, abs=0.06)


@pytest.mark.parametrize(
    ("significant", "side", "expected"),
    [(True, 1, (2, 3)), (True, -1, (-1, -1)), (True, 0, (2, -1)), (False, 1, (0, 3))],
)
def test_the_interval_is_made_to_agree_with_p(significant: bool, side: int, expected: tuple[float, float]) -> None:
    """All differences of these scores: -1, 0, 2, 3, ..."""
    a, b = np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]])
    low, high = agree_with_p(np.zeros(1), np.full(1, 3.0), a, b, np.array([significant]), np.array([side]))
    assert (low[0], high[0]) == expected


def test_an_interval_on_the_wrong_side_of_0_is_extended_to_it() -> None:
    a = np.zeros((2, 3))
    low, high = agree_with_p(np.array([1.0, -5.0]), np.array([2.0, -4.0]), a, a, np.zeros(2, bool), np.ones(2, int))
    np.testing.assert_array_equal([low, high], [[0, -5], [2, 0]])
