"""What few seeds make of real runs: the targets of STATISTICS.md, section 3, that have no module yet.

Others are in the tests of their modules: sizes and splits in test_calibration.py and test_same_agent.py, power in
test_power.py, drawing few seeds in test_few_seeds.py and test_power_simulated.py, loose habits in
test_procedure_rates.py.
"""

import numpy as np
import pytest
from shared_data import finals

from rlaudit.comparisons import COMPARISONS
from rlaudit.power import retrodesign, simulated_power
from rlaudit.types import Comparison

ALPHA = 0.05


def compared(a: np.ndarray, b: np.ndarray, test: str = "welch") -> Comparison:
    return COMPARISONS[test](a, b, alpha=ALPHA, rng=np.random.default_rng(0), n_resamples=999, interval=False)


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
