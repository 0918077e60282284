"""What a few seeds an agent would have concluded."""

import numpy as np
import pytest
from shared_data import finals

from rlaudit.few_seeds import audit_subset, audit_subsets, subset_sizes
from rlaudit.results import Subset
from rlaudit.types import ArmScores

TESTS = ("welch", "permutation")


def arm(name: str, scores: np.ndarray) -> ArmScores:
    return ArmScores(name, "task", tuple(range(len(scores))), scores)


def subset(
    a: np.ndarray, b: np.ndarray, size: int, tests: tuple[str, ...] = ("welch",), n_draws: int = 20_000
) -> Subset:
    return audit_subset(arm("a", a), arm("b", b), size, tests=tests, alpha=0.05, n_draws=n_draws, seed=0)


@pytest.fixture(scope="module")
def sac_td3() -> dict[int, Subset]:
    sac, td3 = finals("sac"), finals("td3")
    return {n: subset(sac, td3, n, TESTS if n == 5 else ("welch",)) for n in (2, 3, 5, 10, 20, 50)}


@pytest.mark.parametrize(("n", "power"), [(5, 0.302), (10, 0.637), (20, 0.838), (50, 0.978)])
def test_welch_finds_sac_better_as_often_as_measured(sac_td3: dict[int, Subset], n: int, power: float) -> None:
    assert power == pytest.approx(sac_td3[n].tests["welch"].right, abs=0.008)


def test_the_permutation_test_finds_sac_better_with_five_seeds_as_often_as_measured(sac_td3: dict[int, Subset]) -> None:
    assert 0.456 == pytest.approx(sac_td3[5].tests["permutation"].right, abs=0.012)


@pytest.mark.parametrize(("n", "share"), [(2, 0.115), (3, 0.090), (5, 0.059), (10, 0.027)])
def test_few_seeds_name_the_worse_agent_as_often_as_measured(sac_td3: dict[int, Subset], n: int, share: float) -> None:
    assert share == pytest.approx(sac_td3[n].wrong_sign, abs=0.008)


@pytest.mark.parametrize(("n", "factor"), [(3, 1.49), (5, 1.42), (10, 1.23)])
def test_significant_gaps_exaggerate_as_much_as_measured(sac_td3: dict[int, Subset], n: int, factor: float) -> None:
    assert factor == pytest.approx(sac_td3[n].tests["welch"].type_m, abs=0.03)


def test_the_shares_of_all_conclusions_add_up_to_one(sac_td3: dict[int, Subset]) -> None:
    for found in sac_td3.values():
        for test in found.tests.values():
            assert 1 == pytest.approx(test.right + test.wrong + test.undecided)


@pytest.mark.parametrize(("n", "power"), [(5, 0.266), (10, 0.559), (20, 0.868)])
def test_power_on_normal_seeds_is_that_of_the_literature(n: int, power: float) -> None:
    rng = np.random.default_rng(0)
    found = subset(1 + rng.standard_normal(20_000), rng.standard_normal(20_000), n)
    assert power == pytest.approx(found.tests["welch"].right, abs=0.02)


def test_a_swap_of_the_agents_changes_no_conclusion() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(10, 3, 30), rng.normal(8, 3, 30)
    forth, back = subset(a, b, 5), subset(b, a, 5)
    assert forth.tests["welch"].right == pytest.approx(back.tests["welch"].right, abs=0.02)
    assert forth.wrong_sign == pytest.approx(back.wrong_sign, abs=0.015)


def test_shares_lie_within_their_intervals_over_seeds() -> None:
    rng = np.random.default_rng(2)
    found = subset(rng.normal(1, 1, 20), rng.normal(0, 1, 20), 5)
    welch = found.tests["welch"]
    assert found.wrong_sign_low <= found.wrong_sign <= found.wrong_sign_high
    assert welch.right_low <= welch.right <= welch.right_high


def test_the_interval_over_seeds_covers_the_true_wrong_sign_rate() -> None:
    """d = .8, n = 5: the worse agent wins in Phi(-.8 sqrt(5/2)) = 10.3 % of experiments; nominal coverage 95 %."""
    rng, covered = np.random.default_rng(3), 0
    for _ in range(100):
        found = subset(rng.normal(0.8, 1, 30), rng.normal(0, 1, 30), 5, n_draws=500)
        covered += found.wrong_sign_low <= 0.103 <= found.wrong_sign_high
    assert covered >= 88


def test_equal_means_have_no_right_answer() -> None:
    a, b = arm("a", np.array([1.0, 2, 3, 4])), arm("b", np.array([4.0, 3, 2, 1]))
    assert () == audit_subsets(a, b, tests=("welch",), alpha=0.05, n_draws=500, seed=0)


def test_every_small_size_is_looked_at_and_half_of_the_pool_too() -> None:
    assert (2, 3, 4, 5, 6, 7, 8, 9, 10) == subset_sizes(20)
    assert (2, 3) == subset_sizes(7)
    assert 96 == subset_sizes(192)[-1]
    assert () == subset_sizes(3)


def test_large_subsets_are_drawn_less_often_so_that_memory_stays_bounded() -> None:
    """10,000 seeds an agent: the whole audit peaks at 520 MB, and took 3.9 GB with 10,000 draws of 1,000 seeds."""
    a, b = (np.random.default_rng(i).normal(0.1 * i, 1, 2_000) for i in range(2))
    assert (subset(a, b, 400, n_draws=10_000).n_draws, subset(a, b, 1_000, n_draws=10_000).n_draws) == (10_000, 4_194)
