"""What few seeds and loose habits make of real runs: the targets of STATISTICS.md, section 3, that have no module yet.

Others are in the tests of their modules: sizes and splits in test_calibration.py and test_same_agent.py, power in
test_power.py, drawing few seeds in test_few_seeds.py and test_power_simulated.py.
"""

import numpy as np
import pytest
from shared_data import curves, finals

from rlaudit import splits
from rlaudit.comparisons import COMPARISONS
from rlaudit.power import retrodesign, simulated_power
from rlaudit.types import Comparison

ALPHA = 0.05
ROWS = 40_000  # standard error .0025 at .5, .0018 at .15


def compared(a: np.ndarray, b: np.ndarray, test: str = "welch") -> Comparison:
    return COMPARISONS[test](a, b, alpha=ALPHA, rng=np.random.default_rng(0), n_resamples=999, interval=False)


def same_agent(source: str, n_seeds: int, n_rows: int = ROWS) -> np.ndarray:
    """(n_rows, n_seeds): different runs of one agent in each row, or normal seeds."""
    rng = np.random.default_rng(n_seeds)
    if source == "normal":
        return rng.standard_normal((n_rows, n_seeds))
    pool = finals(source)
    return pool[splits.draw(len(pool), n_seeds, n_rows, rng)]


# ---------------------------------------------------------------- SAC against TD3


@pytest.fixture(scope="module")
def few() -> dict[int, object]:
    sizes = (2, 3, 5, 10, 20, 50)
    return dict(zip(sizes, simulated_power(finals("sac"), finals("td3"), sizes, n_draws=40_000), strict=True))


@pytest.mark.parametrize(("n", "right"), [(5, 0.302), (10, 0.637), (20, 0.838), (50, 0.978)])
def test_welch_finds_sac_better_with_n_seeds(few: dict[int, object], n: int, right: float) -> None:
    assert right == pytest.approx(few[n].power * (1 - few[n].type_s), abs=0.008)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "share"), [(2, 0.115), (3, 0.090), (5, 0.059), (10, 0.027)])
def test_the_means_of_n_seeds_have_the_wrong_sign(few: dict[int, object], n: int, share: float) -> None:
    assert share == pytest.approx(few[n].wrong_sign, abs=0.006)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "factor"), [(3, 1.49), (5, 1.42), (10, 1.23)])
def test_what_welch_finds_with_n_seeds_is_exaggerated(few: dict[int, object], n: int, factor: float) -> None:
    assert factor == pytest.approx(few[n].type_m, abs=0.02)  # type: ignore[attr-defined]


def test_the_exact_permutation_test_finds_half_as_much_again_as_welch_with_five_seeds() -> None:
    """Two-sided at .05, both of them. Welch is timid on these runs (same-agent rate .024), this one is not (.048)."""
    rng = np.random.default_rng(0)
    a, b = (rng.choice(finals(agent), (20_000, 5)) for agent in ("sac", "td3"))
    found = compared(a, b, "permutation")
    right = (found.p_value <= ALPHA) & (found.direction > 0)
    assert 0.456 == pytest.approx(right.mean(), abs=0.012)


@pytest.mark.parametrize(
    ("effect", "se", "power", "type_s", "type_m"), [(0.1, 3.28, 0.0504, 0.464, 76.69), (2, 8.1, 0.057, 0.240, 9.54)]
)
def test_retrodesign_is_as_published(effect: float, se: float, power: float, type_s: float, type_m: float) -> None:
    assert (power, type_s, type_m) == pytest.approx(retrodesign(effect, se, ALPHA), rel=2e-3, abs=5e-4)


# ---------------------------------------------------------------- loose habits


@pytest.mark.parametrize(("source", "by_ten", "by_twenty"), [("normal", 0.148, 0.210), ("td3", 0.118, 0.185)])
def test_adding_seeds_until_p_is_small_finds_something(source: str, by_ten: float, by_twenty: float) -> None:
    """Welch at every n from 3, the same agent on both sides, stopping at the first p < .05."""
    x = same_agent(source, 40)
    a, b = x[:, :20], x[:, 20:]
    found = [compared(a[:, :n], b[:, :n]).p_value < ALPHA for n in range(3, 21)]
    assert by_ten == pytest.approx(np.any(found[:8], axis=0).mean(), abs=0.012)
    assert by_twenty == pytest.approx(np.any(found, axis=0).mean(), abs=0.012)


@pytest.mark.parametrize(("source", "share"), [("sac", 0.14), ("td3", 0.15), ("normal", 0.226)])
def test_the_best_five_of_ten_beat_five_plain_seeds_of_the_same_agent(source: str, share: float) -> None:
    x = same_agent(source, 15)
    found = compared(np.sort(x[:, :10], axis=1)[:, 5:], x[:, 10:])
    assert share == pytest.approx(((found.p_value < ALPHA) & (found.effect > 0)).mean(), abs=0.012)


@pytest.mark.parametrize("source", ["normal", "sac", "td3"])
@pytest.mark.parametrize(("n", "low", "high"), [(5, 0.20, 0.24), (3, 0.25, 0.28)])
def test_error_bars_of_one_standard_error_miss_each_other(source: str, n: int, low: float, high: float) -> None:
    """With ddof 1; divided by n instead they would miss each other in 26-31 % (n = 5) and 33-39 % (n = 3)."""
    x = same_agent(source, 2 * n)
    a, b = x[:, :n], x[:, n:]
    bars = (a.std(axis=1, ddof=1) + b.std(axis=1, ddof=1)) / np.sqrt(n)
    apart = (np.abs(a.mean(axis=1) - b.mean(axis=1)) > bars).mean()
    assert low - 0.005 <= apart <= high + 0.005  # the figures are rounded to whole percents


@pytest.mark.parametrize(("agent", "share"), [("sac", 0.47), ("td3", 0.58)])
def test_evaluations_counted_as_seeds_find_something_in_one_agent(agent: str, share: float) -> None:
    """5 runs x 10 evaluations as 50 samples a side; the evaluations are the last ten of each learning curve."""
    pool = curves(agent)
    pool = pool[~np.isnan(pool).any(axis=1)][:, -10:]
    groups = pool[splits.draw(len(pool), 10, 10_000, np.random.default_rng(0))].reshape(-1, 2, 50)
    assert share == pytest.approx((compared(groups[:, 0], groups[:, 1]).p_value < ALPHA).mean(), abs=0.02)
