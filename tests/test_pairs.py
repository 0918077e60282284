"""Agent against agent: one verdict, from the test that was named beforehand."""

import numpy as np
import pytest
from scipy import stats
from shared_data import finals
from statsmodels.stats.multitest import multipletests

from rlaudit.comparisons import EFFECTS
from rlaudit.errors import NotEnoughSeeds
from rlaudit.pairs import PairSettings, audit_pairs, family
from rlaudit.results import PairAudit
from rlaudit.types import ArmScores, ScoreTable, Verdict

RNG = np.random.default_rng


def settings(**changes: object) -> PairSettings:
    given = {"tests": ("welch", "permutation"), "alpha": 0.05, "margin": None, "higher_is_better": True}
    return PairSettings(**{**given, "n_draws": 100, "seed": 0, **changes})  # type: ignore[arg-type]


def table(
    scores: dict[str, np.ndarray], failed: dict[str, tuple[int, ...]] | None = None, higher: bool = True
) -> ScoreTable:
    arms = [
        ArmScores(agent, "task", tuple(range(len(x))), x, (failed or {}).get(agent, ())) for agent, x in scores.items()
    ]
    return ScoreTable("final", tuple(arms), higher)


def only(scores: dict[str, np.ndarray], **changes: object) -> PairAudit:
    (pair,) = audit_pairs(table(scores), settings(**changes))
    return pair


FAR = {"a": RNG(0).normal(10, 1, 12), "b": RNG(1).normal(5, 1, 12)}
NEAR = {"a": RNG(0).normal(10, 1, 8), "b": RNG(1).normal(10.2, 1, 8)}


def test_sac_against_td3_gives_the_published_numbers() -> None:
    pair = only({"SAC": finals("sac"), "TD3": finals("td3")}, tests=("welch", "mann_whitney"))
    welch = pair.tests["welch"]
    assert [9.112843603500535, 376.42834, 4.844e-18] == pytest.approx(
        [welch.statistic, welch.df, welch.p_value], rel=1e-3
    )
    assert [1032.6, 1600.8] == pytest.approx([pair.low, pair.high], abs=0.05)
    assert 0.8334412780656304 == pytest.approx(pair.p_a_better, rel=1e-6)
    assert 0.929 == pytest.approx(pair.cohen_d, abs=5e-4)
    assert 30884 == pair.tests["mann_whitney"].statistic
    assert 1.082e-29 == pytest.approx(pair.tests["mann_whitney"].p_value, rel=1e-3)
    assert pair.verdict == Verdict.A_BETTER


def test_the_better_agent_is_named_whichever_comes_first() -> None:
    assert only(FAR).verdict == Verdict.A_BETTER
    assert only({"b": FAR["b"], "a": FAR["a"]}).verdict == Verdict.B_BETTER


def test_a_lower_score_wins_where_lower_is_better() -> None:
    (pair,) = audit_pairs(table(FAR, higher=False), settings(higher_is_better=False))
    assert pair.verdict == Verdict.B_BETTER
    assert pair.effect == pytest.approx(FAR["a"].mean() - FAR["b"].mean())
    assert pair.p_a_better < 0.1


def test_not_significant_is_undecided_and_never_equivalent() -> None:
    pair = only(NEAR)
    assert pair.verdict == Verdict.UNDECIDED
    assert "does not make them equal" in pair.reason


def test_equivalence_needs_a_margin_that_the_interval_clears() -> None:
    assert only(NEAR, margin=3.0).verdict == Verdict.EQUIVALENT
    assert only(NEAR, margin=0.1).verdict == Verdict.UNDECIDED


def test_the_first_test_decides() -> None:
    assert only(FAR, tests=("permutation", "welch")).decided_by == "permutation"


def test_a_design_that_cannot_reject_says_so() -> None:
    pair = only({"a": np.array([9.0, 10, 11]), "b": np.array([1.0, 2, 3])}, tests=("permutation",))
    assert pair.verdict == Verdict.UNDECIDED
    assert "never reach alpha (at best p = 0.1)" in pair.reason


def test_constant_scores_are_compared_without_a_division_by_zero() -> None:
    assert only({"a": np.full(5, 500.0), "b": np.full(5, 500.0)}).verdict == Verdict.UNDECIDED
    apart = only({"a": np.full(5, 500.0), "b": np.full(5, 23.0)})
    assert apart.tests["welch"].p_value == pytest.approx(2 / 252)  # no smaller than the permutation test can say


def test_all_comparisons_share_the_level() -> None:
    """Two agents apart at p = .03 are undecided among ten comparisons."""
    agents = {f"x{i}": RNG(i).normal(0, 1, 10) for i in range(5)}
    pairs = audit_pairs(table(agents), settings(tests=("welch",)))
    raw = np.array([pair.tests["welch"].p_value for pair in pairs])
    assert 10 == len(pairs)
    np.testing.assert_allclose(
        [pair.p_adjusted for pair in pairs], np.minimum.reduce([_holm(raw), np.ones(10)]), rtol=1e-12
    )


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return adjusted


def test_a_pair_that_is_apart_on_its_own_but_not_among_many_says_so() -> None:
    rng = RNG(0)
    agents = {f"x{i}": rng.normal(0, 1, 10) for i in range(5)}
    agents["y"] = agents["x0"] + 1.05 * agents["x0"].std(ddof=1)
    pairs = audit_pairs(table(agents), settings(tests=("welch",)))
    (pair,) = [one for one in pairs if (one.a, one.b) == ("x0", "y")]
    assert pair.tests["welch"].p_value <= 0.05 < pair.p_adjusted
    assert pair.verdict == Verdict.UNDECIDED
    assert "on its own, but not among all comparisons" in pair.reason


def test_a_simulated_p_value_near_alpha_is_unstable() -> None:
    """Permutation of 30 against 30 seeds is simulated: p = .05 with a standard error of .002."""
    rng = RNG(1)
    a = rng.normal(0, 1, 30)
    for shift in np.linspace(0.40, 0.62, 60):
        pair = only({"a": a + shift * a.std(), "b": RNG(2).permutation(a)}, tests=("permutation",))
        result = pair.tests["permutation"]
        near = abs(result.p_value - 0.05) < 1.96 * result.mc_error
        assert near == (pair.verdict == Verdict.UNSTABLE)
        if near:
            return
    raise AssertionError("no shift came near alpha")


def test_false_verdicts_over_all_pairs_stay_within_alpha() -> None:
    """Six equal agents, 15 pairs: any verdict is false. At most 15 of 120 at 5 % (99.9 %); 45 without Holm."""
    rng, wrong = RNG(7), 0
    for _ in range(120):
        pairs = audit_pairs(table({f"x{i}": rng.normal(0, 1, 3) for i in range(6)}), settings(tests=("welch",)))
        wrong += any(pair.verdict != Verdict.UNDECIDED for pair in pairs)
    assert wrong <= 15


def test_failed_seeds_are_imputed_at_the_worst_score_and_may_turn_the_result() -> None:
    (pair,) = audit_pairs(table(FAR, {"a": (100, 101, 102, 103, 104, 105)}), settings())
    floor = min(FAR["a"].min(), FAR["b"].min())
    expected = stats.ttest_ind(np.append(FAR["a"], [floor] * 6), FAR["b"], equal_var=False)
    assert floor == pair.imputed.floor
    assert expected.pvalue == pytest.approx(pair.imputed.p_value)
    assert pair.imputed.agrees == (expected.pvalue <= 0.05)


def test_failed_seeds_do_not_turn_what_is_undecided_among_all_comparisons_anyway() -> None:
    a, b = np.arange(8.0), np.arange(8.0) + 2.9
    alone, together = ({"a": a, "b": b}, {"a": a, "b": b, "c": a + 1, "d": a + 1.5})
    failed = {"b": (100,)}
    pairs = [audit_pairs(table(scores, failed), settings())[0] for scores in (alone, together)]
    assert pairs[0].tests["welch"].p_value < 0.05 < pairs[0].imputed.p_value
    assert [False, True] == [pair.imputed.agrees for pair in pairs]


def test_agents_with_one_score_are_left_out() -> None:
    assert () == audit_pairs(table({"a": FAR["a"], "b": np.array([1.0])}), settings())


def test_agents_on_different_tasks_are_never_compared() -> None:
    arms = (ArmScores("a", "one", (0, 1), np.array([1.0, 2])), ArmScores("b", "two", (0, 1), np.array([3.0, 4])))
    assert () == audit_pairs(ScoreTable("final", arms), settings())


def test_the_family_is_named() -> None:
    assert "one comparison at alpha = 0.05" == family(1, 0.05)
    assert family(15, 0.01).startswith("15 comparisons of this audit together at alpha = 0.01 (Holm")


# ---------------------------------------------------------------- corrections

SIX = {name: RNG(i).normal(100 + 2 * i, 3, 10) for i, name in enumerate(("a", "b", "c", "d"))}


def adjusted(scores: dict[str, np.ndarray], correction: str, **changes: object) -> np.ndarray:
    given = settings(tests=("permutation_studentised",), correction=correction, **changes)
    return np.array([pair.p_adjusted for pair in audit_pairs(table(scores), given)])


def test_each_correction_is_the_one_that_is_asked_for() -> None:
    p = [pair.tests["welch"].p_value for pair in audit_pairs(table(SIX), settings())]
    corrected = audit_pairs(table(SIX), settings(correction="benjamini_hochberg"))
    np.testing.assert_allclose([pair.p_adjusted for pair in corrected], multipletests(p, method="fdr_bh")[1])
    max_t = adjusted(SIX, "max_t")
    assert (max_t <= adjusted(SIX, "holm") + 0.01).all()
    assert (max_t < adjusted(SIX, "holm") - 0.001).any()


def test_max_t_of_one_pair_is_its_own_p_value() -> None:
    (pair,) = audit_pairs(table(NEAR), settings(tests=("permutation_studentised",), correction="max_t"))
    assert pair.p_adjusted == pair.tests["permutation_studentised"].p_value


def test_no_pair_is_decided_by_the_simulation_of_max_t() -> None:
    """Its p-values among several agents are simulated although each test is exact."""
    for gap in np.linspace(0.8, 1.6, 9):
        scores = {name: RNG(i).normal(0, 1, 8) + gap * (name == "c") for i, name in enumerate(("a", "b", "c"))}
        pairs = audit_pairs(table(scores), settings(tests=("permutation_studentised",), correction="max_t"))
        for pair in pairs:
            assert pair.p_adjusted is not None
            near = abs(pair.p_adjusted - 0.05) < 1.96 * np.sqrt(pair.p_adjusted / 9_999)
            assert (pair.verdict == Verdict.UNSTABLE) == near


@pytest.mark.parametrize(("correction", "words"), [("benjamini_hochberg", "false discovery rate"), ("max_t", "max-T")])
def test_the_family_names_its_correction(correction: str, words: str) -> None:
    assert words in family(3, 0.05, correction)


# ---------------------------------------------------------------- effects and pairs


def test_effects_have_intervals_and_agree_with_the_verdicts_numbers() -> None:
    pair = only(FAR)
    assert pair.effects["difference"].value == pytest.approx(pair.effect)
    assert (pair.effects["difference"].low, pair.effects["difference"].high) == pytest.approx((pair.low, pair.high))
    assert pair.effects["p_a_better"].value == pair.p_a_better
    assert set(pair.effects) == set(EFFECTS)


def paired_arms(n: int = 12) -> ScoreTable:
    base = RNG(0).normal(0, 1, n)
    a = ArmScores("a", "task", tuple(range(n)), base + RNG(1).normal(0.6, 0.4, n))
    b = ArmScores("b", "task", tuple(range(2, n + 2)), np.append(base[2:], [0.1, -0.2]) + RNG(2).normal(0, 0.4, n))
    return ScoreTable("final", (a, b))


def test_paired_tests_take_the_seeds_that_both_have_and_tell_their_correlation() -> None:
    (pair,) = audit_pairs(paired_arms(), settings(tests=("paired_t", "welch"), n_draws=2_000))
    a, b = (arm.scores for arm in paired_arms().arms)
    oracle = stats.ttest_rel(a[2:], b[:-2])
    assert pair.tests["paired_t"].p_value == pytest.approx(oracle.pvalue)
    assert pair.tests["paired_t"].n_pairs == 10
    assert pair.tests["paired_t"].correlation == pytest.approx(np.corrcoef(a[2:], b[:-2])[0, 1])
    assert pair.tests["welch"].n_pairs is None
    assert pair.subsets[-1].tests["paired_t"].right > pair.subsets[-1].tests["welch"].right + 0.2


def test_agents_without_common_seeds_have_no_pairs() -> None:
    arms = (ArmScores("a", "task", (0, 1), np.array([1.0, 2])), ArmScores("b", "task", (2, 3), np.array([3.0, 4])))
    with pytest.raises(NotEnoughSeeds, match=r"'a' and 'b' on task share 0 seed\(s\).*needs 2"):
        audit_pairs(ScoreTable("final", arms), settings(tests=("paired_t",)))


def test_a_failed_seed_keeps_its_place_in_its_pair() -> None:
    a = ArmScores("a", "task", (0, 1, 2, 3), np.array([5.0, 6, 7, 8]))
    b = ArmScores("b", "task", (0, 1, 2), np.array([4.0, 5.1, 5.9]), failed=(3,))
    (pair,) = audit_pairs(ScoreTable("final", (a, b)), settings(tests=("paired_t",)))
    assert pair.tests["paired_t"].n_pairs == 3
    assert pair.imputed is not None
    assert pair.imputed.p_value == pytest.approx(stats.ttest_rel([5, 6, 7, 8], [4, 5.1, 5.9, 4]).pvalue)
