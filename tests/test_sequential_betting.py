"""Evidence that may be looked at after every seed."""

from itertools import product

import numpy as np
import pytest

from rlaudit.sequential.betting import Betting, wealth


def differences(n: int, seed: int = 0, gain: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(gain, 1, n)


def every_sign(d: np.ndarray) -> np.ndarray:
    """The wealth (2^n, n) under all signs that fair coins could give these differences."""
    signs = np.array(list(product((-1, 1), repeat=len(d))))
    return np.array([sum(wealth(np.abs(d) * row, np.zeros(len(d)))) for row in signs])


def test_the_game_is_fair() -> None:
    """Whatever the sizes of the differences are, the wealth is 1 on average, at every seed."""
    for d in (differences(8), np.array([1.0, 0, 5, 5, 100, 0.01, -3, 7]), np.ones(8)):
        np.testing.assert_allclose(every_sign(d).mean(axis=0), 1)


def test_agents_that_are_alike_ever_reach_one_over_alpha_with_a_chance_below_alpha() -> None:
    """All 4,096 signs: Ville's bound, and not by far."""
    for level in (0.05, 0.1, 0.2):
        reached = (every_sign(differences(12)).max(axis=1) >= 1 / level).mean()
        assert level / 4 < reached <= level


def test_the_wealth_lies_with_the_agent_that_scores_higher() -> None:
    d = differences(30, gain=1.0)
    up, down = wealth(d, np.zeros(30))
    assert up[-1] > 20 > 0.5 > down[-1]
    np.testing.assert_allclose(wealth(-d, np.zeros(30)), (down, up))


def test_nothing_is_bet_on_a_seed_that_failed_on_either_side_and_none_on_a_draw() -> None:
    a, b = differences(6), differences(6, seed=1)
    short = wealth(a, b)
    a, b = np.insert(a, [0, 3], np.nan), np.insert(b, [0, 3], [1.0, 2.0])
    b[6] = np.nan
    long = wealth(np.insert(a, 6, 9.0), np.insert(b, 6, np.nan))
    assert np.isfinite(long).all()
    assert [0.5, 0.5] == [long[0][0], long[1][0]]
    np.testing.assert_allclose(long[0][4], short[0][2])
    np.testing.assert_allclose(np.full((2, 4), 0.5), wealth(np.full(4, 500.0), np.full(4, 500.0)))


def test_only_differences_count_in_units_of_their_size() -> None:
    a, b = differences(10), differences(10, seed=1)
    np.testing.assert_allclose(wealth(a, b), wealth(7 * a + 3, 7 * b + 3))


def test_a_winner_between_two_looks_has_won() -> None:
    """The wealth may be lost again by the look; it was reached all the same."""
    d = np.concatenate([np.ones(9), -np.ones(6)])
    batches = [(d[:5], np.zeros(5)), (d[5:], np.zeros(10))]
    up, down = wealth(d, np.zeros(15))
    assert up[8] + down[8] >= 20 > up[-1] + down[-1]
    test = Betting(batches, 0.05, (0.5, 1.0))
    assert [0, 1] == [test.side(0), test.side(1)]
    assert 1 <= test.strengths(1, (1,), exactly=True).max()


def test_z_is_that_of_fair_signs() -> None:
    test = Betting([(np.array([1.0, -2.0, np.nan, 3.0]), np.zeros(4))], 0.05, (1.0,))
    assert 2 / np.sqrt(14) == pytest.approx(test.z(0))
