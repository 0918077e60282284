"""Power from a pilot's own seeds."""

from dataclasses import replace

import numpy as np
import pytest
from shared_data import finals

from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.pools import fresh_seeds, with_replacement
from rlaudit.power import (
    seeds_for_power,
    simulated_power,
    simulated_seeds_needed,
    simulated_smallest_effect,
    smallest_effect,
    welch_power,
)

ALPHA = 0.05


def normal_pilot(n_seeds: int, d: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Of exactly this effect, mean 0 and sd 1."""
    x = np.random.default_rng(seed).standard_normal((2, n_seeds))
    x = (x - x.mean(1, keepdims=True)) / x.std(1, ddof=1, keepdims=True)
    return x[0] + d, x[1]


# ---------------------------------------------------------------- fresh seeds


def test_fresh_seeds_of_a_small_pilot_have_its_mean_and_its_sample_variance() -> None:
    scores = np.random.default_rng(0).normal(300, 100, 6)
    drawn = fresh_seeds(scores, (400_000,), np.random.default_rng(1))
    assert scores.mean() == pytest.approx(drawn.mean(), abs=1)
    assert scores.std(ddof=1) == pytest.approx(drawn.std(), rel=0.01)
    assert len(np.unique(drawn)) == 400_000


def test_fresh_seeds_of_a_large_pilot_are_its_own() -> None:
    scores = np.random.default_rng(0).normal(0, 1, 30)
    assert np.isin(fresh_seeds(scores, (99, 5), np.random.default_rng(0)), scores).all()


def test_scores_that_several_seeds_share_stay_shared_and_mean_and_variance_stay_the_same() -> None:
    scores = np.array([500.0, 500.0, 500.0, 120.0, 333.0, 78.0])
    drawn = fresh_seeds(scores, (50_000, 3), np.random.default_rng(0))
    assert (50_000, 3) == drawn.shape
    ceiling = scores.mean() + (500 - scores.mean()) * np.sqrt(6 / 5)
    assert 0.5 == pytest.approx(np.isclose(drawn, ceiling).mean(), abs=0.01)
    assert scores.mean() == pytest.approx(drawn.mean(), rel=0.01)
    assert scores.std(ddof=1) == pytest.approx(drawn.std(), rel=0.01)


def test_with_replacement_every_seed_is_as_likely() -> None:
    drawn = with_replacement(np.arange(4.0), (40_000,), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn.astype(int)) / 40_000, 0.25, atol=0.01)


# ---------------------------------------------------------------- power at n


def test_a_large_normal_pilot_gives_the_power_of_the_formula() -> None:
    pilot = normal_pilot(5_000, 1.0)
    for found in simulated_power(*pilot, (3, 5, 10, 20), n_draws=20_000):
        assert float(welch_power(1, found.n, ALPHA)) == pytest.approx(found.power, abs=0.015)
        assert found.mc_error == pytest.approx(np.sqrt(found.power * (1 - found.power) / 20_000))


def test_small_pilots_are_right_on_average_for_a_known_effect() -> None:
    """Drawn as they are, without smoothing and stretching, five seeds would claim .646."""
    found = [simulated_power(*normal_pilot(5, 1.0, seed), (10,), n_draws=1_000)[0].power for seed in range(40)]
    assert float(welch_power(1, 10, ALPHA)) == pytest.approx(np.mean(found), abs=0.03)


@pytest.mark.parametrize("n_seeds", [5, 20])
def test_the_interval_over_seeds_holds_the_true_power(n_seeds: int) -> None:
    """Measured .91 and .91 over 150 pilots; 60 pilots of .91 hold it in fewer than 48 with a chance of .003."""
    rng, truth, covered = np.random.default_rng(1), float(welch_power(1, 10, ALPHA)), 0
    for _ in range(60):
        found = simulated_power(rng.normal(1, 1, n_seeds), rng.normal(0, 1, n_seeds), (10,), n_draws=1_000, rng=rng)[0]
        covered += found.low <= truth <= found.high
    assert covered >= 48


def test_five_seeds_hardly_know_their_power_and_many_do() -> None:
    few, many = (simulated_power(*normal_pilot(n, 1.0), (10,))[0] for n in (5, 1_000))
    assert few.high - few.low > 0.6
    assert many.high - many.low < 0.2


@pytest.mark.parametrize(("test", "power"), [("welch", 0.302), ("permutation", 0.456)])
def test_any_test_of_the_shelf_may_be_asked(test: str, power: float) -> None:
    found = simulated_power(finals("sac"), finals("td3"), (5,), test=test, n_draws=20_000)[0]
    assert power == pytest.approx(found.power, abs=0.012)
    assert found.low < found.power < found.high


def test_type_m_is_about_the_means_whatever_the_test_estimates() -> None:
    """A test of ranks estimates P(A > B), which is no gap to exaggerate."""
    found = simulated_power(finals("sac"), finals("td3"), (5,), test="mann_whitney")[0]
    assert 1.3 == pytest.approx(found.type_m, abs=0.2)


def test_a_small_effect_is_found_rarely_often_with_the_wrong_sign_and_exaggerated() -> None:
    """STATISTICS.md, d = .5: n = 3 right .050, type S .089, type M 3.44."""
    found = simulated_power(*normal_pilot(20_000, 0.5), (3,), n_draws=200_000)[0]
    assert 0.089 == pytest.approx(found.type_s, abs=0.01)
    assert 3.44 == pytest.approx(found.type_m, abs=0.06)
    assert 0.050 == pytest.approx(found.power * (1 - found.type_s), abs=0.003)


def test_equal_means_have_no_sign_and_nothing_to_exaggerate() -> None:
    found = simulated_power(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1]), (5,))[0]
    assert (None, None, 0.0) == (found.type_s, found.type_m, found.wrong_sign)


def test_a_paired_test_sees_what_the_pairs_share() -> None:
    luck, noise = np.random.default_rng(0).standard_normal((2, 40)) * [[5], [1]]
    a, b = luck + noise + 1, luck
    paired, unpaired = (simulated_power(a, b, (12,), test=test)[0].power for test in ("paired_t", "welch"))
    assert paired > 0.7 > 0.2 > unpaired


def test_the_numbers_of_one_size_do_not_depend_on_the_others() -> None:
    pilot = normal_pilot(8, 1.0)
    alone, among = simulated_power(*pilot, (7,))[0], simulated_power(*pilot, (3, 7, 9))[1]
    assert alone == among
    assert alone != simulated_power(*pilot, (7,), rng=np.random.default_rng(1))[0]


def test_a_shift_and_a_scale_change_no_power() -> None:
    a, b = normal_pilot(8, 1.0)
    plain, moved = (simulated_power(x, y, (5,))[0] for x, y in ((a, b), (3 * a + 7, 3 * b + 7)))
    for name in ("power", "low", "high", "wrong_sign"):
        assert getattr(plain, name) == pytest.approx(getattr(moved, name), abs=2e-3)


def test_one_drawn_seed_finds_nothing() -> None:
    found = simulated_power(*normal_pilot(8, 3.0), (1,))[0]
    assert (0.0, 0.0, 0.0, None, None) == (found.power, found.low, found.high, found.type_s, found.type_m)


def test_constant_pilots_claim_what_the_test_claims() -> None:
    """Welch gives two different constants the p of the permutation test: 2/70 with four seeds, .1 with three."""
    found = simulated_power(np.ones(4), np.zeros(4), (3, 4))
    assert [0.0, 1.0] == [one.power for one in found]


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], [3.0])])
def test_a_pilot_of_one_seed_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(NotEnoughSeeds, match="a pilot of one seed"):
        simulated_power(np.array(a), np.array(b), (5,))


def test_a_pilot_with_nan_and_an_unknown_test_are_refused_as_everywhere() -> None:
    with pytest.raises(RlauditError, match="every seed needs a finite score"):
        simulated_power(np.array([1.0, np.nan]), np.array([1.0, 2.0]), (5,))
    with pytest.raises(RlauditError, match="Did you mean 'welch'"):
        simulated_power(np.array([1.0, 3.0]), np.array([1.0, 2.0]), (5,), test="welsh")
    with pytest.raises(RlauditError, match="one score per seed, on one axis"):
        simulated_power(np.ones((2, 3)), np.ones((2, 3)), (5,))
    with pytest.raises(RlauditError, match=r"pairs a\[i\] with b\[i\]"):
        simulated_power(np.array([1.0, 3.0]), np.array([1.0, 2.0, 4.0]), (5,), test="paired_t")


# ---------------------------------------------------------------- seeds needed


@pytest.mark.parametrize("d", [0.8, 1.5])
def test_a_large_normal_pilot_needs_as_many_seeds_as_the_formula_says(d: float) -> None:
    found = simulated_seeds_needed(*normal_pilot(4_000, d), n_draws=8_000)
    assert seeds_for_power(d, 0.8, ALPHA) == pytest.approx(found.n, abs=1)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.n <= found.high  # type: ignore[operator]


def test_sac_against_td3_needs_seventeen_seeds_by_its_own_distribution() -> None:
    """The formula for normal seeds says 20."""
    found = simulated_seeds_needed(finals("sac"), finals("td3"), n_draws=10_000)
    assert 17 == pytest.approx(found.n, abs=1)
    assert found.low == pytest.approx(10, abs=3)
    assert found.high is not None
    assert 30 < found.high < 70


def test_five_seeds_exclude_no_number() -> None:
    found = simulated_seeds_needed(finals("sac")[:5], finals("td3")[:5], n_draws=1_000, most=100)
    assert found.n is not None
    assert found.low is not None
    assert (found.low < found.n, found.high) == (True, None)


def test_no_difference_needs_more_seeds_than_there_are() -> None:
    same = np.array([1.0, 2, 3, 4, 5])
    assert simulated_seeds_needed(same, same, n_draws=500, most=50).n is None


def test_more_power_needs_more_seeds() -> None:
    pilot = normal_pilot(500, 1.0)
    half, most = (simulated_seeds_needed(*pilot, power=power, n_draws=2_000).n for power in (0.5, 0.95))
    assert half < most  # type: ignore[operator]


# ---------------------------------------------------------------- smallest effect


@pytest.mark.parametrize("n", [5, 20])
def test_a_large_normal_pilot_gives_the_smallest_effect_of_the_formula(n: int) -> None:
    found = simulated_smallest_effect(*normal_pilot(4_000, 0.3), n, n_draws=6_000)
    assert smallest_effect(n, 0.8, ALPHA) == pytest.approx(found.in_sd, rel=0.02)
    assert found.low <= found.effect <= found.high  # type: ignore[operator]


def test_the_smallest_effect_is_in_units_of_the_score_and_not_of_the_difference_seen() -> None:
    a, b = normal_pilot(10, 1.0)
    plain, other = simulated_smallest_effect(a, b, 5), simulated_smallest_effect(100 * a + 50, 100 * b, 5)
    assert 100 * plain.effect == pytest.approx(other.effect, rel=1e-3)  # type: ignore[operator]
    assert plain.in_sd == pytest.approx(other.in_sd, rel=1e-3)


def test_the_effect_found_has_the_power_that_was_asked_for() -> None:
    sac, td3 = finals("sac"), finals("td3")
    found = simulated_smallest_effect(sac, td3, 10, n_draws=8_000)
    again = simulated_power(sac - sac.mean() + found.effect, td3 - td3.mean(), (10,), n_draws=20_000)
    assert 0.8 == pytest.approx(again[0].power, abs=0.015)


@pytest.mark.parametrize(("n", "test"), [(1, "welch"), (3, "permutation"), (3, "mann_whitney")])
def test_where_the_test_cannot_reject_no_effect_is_large_enough(n: int, test: str) -> None:
    found = simulated_smallest_effect(*normal_pilot(6, 1.0), n, test=test, n_draws=200)
    assert (None, None, None, None) == (found.effect, found.low, found.high, found.in_sd)


def test_results_are_frozen_and_the_same_at_every_call() -> None:
    pilot = normal_pilot(6, 1.0)
    found = simulated_smallest_effect(*pilot, 5, n_draws=500)
    assert found == simulated_smallest_effect(*pilot, 5, n_draws=500) == replace(found)
