"""What other tools and papers got wrong, held against this one. Each test names where, and what they said."""

import numpy as np
import pytest
from scipy import stats
from shared_data import finals

from rlaudit.comparisons import compare
from rlaudit.pairs import PairSettings, audit_pairs
from rlaudit.power import welch_power
from rlaudit.scores import from_mapping
from rlaudit.types import Verdict


def test_five_against_five_is_not_decided_where_the_exact_p_is_above_alpha() -> None:
    """AdaStop 0.1.3 (n = 5, K = 1, alpha .05) calls a larger. With one look its test rejects up to p = .095, and calls
    8 % of 2,000 pairs of equal agents different."""
    a, b = [1.9, 1.2, 0.8, 1.4, 0.3], [0.7, 0.1, 1.0, -0.4, 0.2]
    p = float(compare(a, b, "permutation").p_value)
    assert p == pytest.approx(18 / 252)
    assert p == pytest.approx(stats.permutation_test((a, b), lambda x, y: np.mean(x) - np.mean(y)).pvalue)


@pytest.mark.parametrize("test", ["permutation", "permutation_studentised", "sign_flip", "kolmogorov_smirnov"])
def test_no_verdict_changes_with_the_auditors_own_seed_where_the_test_is_exact(test: str) -> None:
    """A published tool flips one of its tutorial's verdicts with the seed of its own random numbers."""
    a, b = np.random.default_rng(0).normal([[1.0], [0.0]], 1, (2, 8))
    answers = {float(compare(a, b, test, rng=np.random.default_rng(seed)).p_value) for seed in range(5)}
    assert len(answers) == 1


def test_a_simulated_p_value_beside_alpha_is_called_unstable_and_not_a_winner() -> None:
    x = np.random.default_rng(2).normal(0, 1, (2, 30))
    a, b = x - x.mean(axis=1, keepdims=True)
    edge = float(compare(a, b).high)  # the gap at which Welch's p is .05
    settings = PairSettings(("permutation",), 0.05, None, True, n_draws=100, seed=0)
    verdicts = set()
    for gap in edge * np.linspace(0.9, 1.1, 21):
        pair = audit_pairs(from_mapping({"a": a + gap, "b": b}), settings)[0]
        result = pair.tests["permutation"]
        assert result.p_value is not None
        near = abs(result.p_value - 0.05) < 1.96 * result.mc_error
        assert (pair.verdict == Verdict.UNSTABLE) == near
        verdicts.add(pair.verdict)
    assert verdicts == {Verdict.UNDECIDED, Verdict.UNSTABLE, Verdict.A_BETTER}


def test_power_is_two_sided_and_not_central() -> None:
    """Colas et al. 2018 print .49 for their example (1,382 between the means, sd 1,341 and 990, five seeds each): a
    one-sided critical value and a t distribution moved aside. The two-sided noncentral t gives .365, Welch .345."""
    se, df = np.sqrt((1341**2 + 990**2) / 5), 7.36
    printed = stats.t.sf(stats.t.ppf(0.95, df) - 1382 / se, df)
    assert printed == pytest.approx(0.49, abs=0.002)
    assert stats.nct.sf(stats.t.ppf(0.975, df), df, 1382 / se) == pytest.approx(0.365, abs=0.001)
    rng = np.random.default_rng(0)
    found = compare(rng.normal(1382, 1341, (50_000, 5)), rng.normal(0, 990, (50_000, 5)))
    assert ((found.p_value <= 0.05) & (found.effect > 0)).mean() == pytest.approx(0.345, abs=0.01)
    assert float(welch_power(1382 / (se * np.sqrt(5 / 2)), 5, 0.05)) == pytest.approx(0.345, abs=0.01)


def test_not_significant_is_never_called_equal() -> None:
    """Adaptive tools read an exhausted budget as "equal"."""
    settings = PairSettings(("welch",), 0.05, None, True, n_draws=100, seed=0)
    pair = audit_pairs(from_mapping({"sac": finals("sac")[:5], "td3": finals("td3")[:5]}), settings)[0]
    assert pair.verdict == Verdict.UNDECIDED
