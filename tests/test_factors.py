"""Two crossed factors: shares of the variance of a score."""

import numpy as np
import pytest

from rlaudit.aggregate.factors import variance_parts


def truth(means: np.ndarray, sd: np.ndarray) -> np.ndarray:
    first = means.mean(axis=1) - means.mean()
    second = means.mean(axis=0) - means.mean()
    both = means - means.mean() - first[:, None] - second
    parts = np.array([(effect**2).mean() for effect in (first, second, both, sd)])
    shares: np.ndarray = parts / parts.sum()
    return shares


def cells(means: np.ndarray, sd: np.ndarray, n_seeds: int, rng: np.random.Generator) -> list[list[np.ndarray]]:
    return [
        [mean + s * rng.standard_normal(n_seeds) for mean, s in zip(*row, strict=True)]
        for row in zip(means, sd, strict=True)
    ]


def unequal(rows: int, columns: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return scale * rng.standard_normal((rows, columns)), np.exp(0.5 * rng.standard_normal((rows, columns)))


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("shape", [(11, 2), (11, 1), (4, 3)])
def test_intervals_hold_the_true_shares_and_estimates_are_unbiased(shape: tuple[int, int], scale: float) -> None:
    means, sd = unequal(*shape, scale)
    rng = np.random.default_rng(1)
    tables = [variance_parts(cells(means, sd, 10, rng), 0.95) for _ in range(400)]
    true = truth(means, sd)
    parts = np.array([[(part.low <= share <= part.high, part.share) for part, share in zip(found, true, strict=True)]
                      for found in tables if found])  # fmt: skip
    assert (parts[:, :, 0].mean(axis=0) > 0.88).all()  # of 400: one that holds .80 would give .80 +- .02
    np.testing.assert_allclose(parts[:, :, 1].mean(axis=0), true, atol=0.03)  # none is shown below zero


def test_an_effect_that_is_there_is_told_from_one_that_is_not() -> None:
    means = np.array([[0.0, 3.0], [0.0, 3.0], [0.0, 3.0]])
    found = variance_parts(cells(means, np.ones((3, 2)), 10, np.random.default_rng(2)), 0.95)
    assert found is not None
    scheme, gain, both, seeds = found
    assert gain.low > 0.5
    assert scheme.low == both.low == 0
    assert scheme.high < 0.1
    assert seeds.share + gain.share + scheme.share + both.share == pytest.approx(1, abs=0.03)


def test_an_effect_that_only_both_have_together_is_neither_ones_own() -> None:
    found = variance_parts(
        cells(np.array([[0.0, 9.0], [9.0, 0.0]]), np.ones((2, 2)), 10, np.random.default_rng(2)), 0.95
    )
    assert found is not None
    assert found[2].low > 0.8
    assert found[0].share < 0.02 > found[1].share


def test_the_unit_and_the_origin_of_the_score_change_nothing() -> None:
    rng = np.random.default_rng(3)
    table = cells(np.arange(6.0).reshape(3, 2), np.ones((3, 2)), 6, rng)
    moved = [[1e9 - 1e3 * cell for cell in row] for row in table]
    assert np.array(variance_parts(table, 0.95)) == pytest.approx(np.array(variance_parts(moved, 0.95)), abs=1e-4)


def test_nothing_is_said_of_equal_scores_or_of_two_seeds() -> None:
    assert variance_parts([[np.ones(5)], [np.ones(5)]], 0.95) is None
    assert variance_parts([[np.array([1.0, 2.0])], [np.arange(5.0)]], 0.95) is None


def test_cells_without_spread_leave_nothing_to_the_seeds() -> None:
    found = variance_parts([[np.ones(5)], [np.zeros(5)]], 0.95)
    assert found is not None
    assert (found[0].share, found[3].share) == (1.0, 0.0)
