"""What the runs say of stated claims."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rlaudit.claims import parse
from rlaudit.comparisons import holm, welch
from rlaudit.comparisons.moments import moments
from rlaudit.judge import judge
from rlaudit.judge.evidence import Levels, evidence, holm_levels
from rlaudit.judge.flips import Question, smallest_flip
from rlaudit.judge.fresh import repetition, seeds_to_decide
from rlaudit.judge.states import handful
from rlaudit.power import seeds_needed, welch_power
from rlaudit.types import ArmScores, ScoreTable

RNG = np.random.default_rng
CLAIMS = ("a > b", "a >= b - 1", "a == b within 1.5")


def claim(text: str):
    return parse(text, ("a", "b"), ("task",))


def table(a: np.ndarray, b: np.ndarray, higher: bool = True) -> ScoreTable:
    arms = [ArmScores(name, "task", tuple(range(len(x))), x) for name, x in (("a", a), ("b", b))]
    return ScoreTable("final", tuple(arms), higher)


APART = table(RNG(0).normal(110, 5, 20), RNG(1).normal(100, 5, 20))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("a > b", "supported"),
        ("b > a", "contradicted"),
        ("a >= b - 5", "supported"),
        ("b >= a - 30", "supported"),
        ("b >= a - 2", "contradicted"),
        ("a == b within 30", "supported"),
        ("a == b within 2", "contradicted"),
        ("b >= a - 9", "undecided"),
        ("a == b within 9", "undecided"),
    ],
)
def test_a_claim_is_judged_by_its_own_test(text: str, state: str) -> None:
    (judged,) = judge([text], APART, 0.05)
    assert state == judged.state
    assert "20 against 20 seeds" in judged.reason


def test_lower_is_better_turns_a_claim_round() -> None:
    (judged,) = judge(["b > a"], table(APART.arms[0].scores, APART.arms[1].scores, higher=False), 0.05)
    assert "supported" == judged.state


def test_a_claim_about_no_task_is_judged_on_each() -> None:
    arms = [ArmScores(agent, task, (0, 1, 2), np.arange(3.0)) for agent in "ab" for task in ("one", "two")]
    assert ["a > b on one", "a > b on two"] == [
        one.text for one in judge(["a > b"], ScoreTable("final", tuple(arms)), 0.05)
    ]


def test_a_task_that_one_agent_never_ran_is_left_out() -> None:
    arms = [ArmScores(*names, (0, 1, 2), np.arange(3.0)) for names in (("a", "one"), ("b", "one"), ("a", "two"))]
    table_ = ScoreTable("final", tuple(arms))
    assert ["a > b on one"] == [one.text for one in judge(["a > b"], table_, 0.05)]
    assert ["undecided"] == [one.state for one in judge(["a > b on two"], table_, 0.05)]


def test_one_seed_leaves_a_claim_undecided() -> None:
    (judged,) = judge(["a > b"], table(np.array([9.0]), np.array([1.0, 2.0])), 0.05)
    assert "undecided" == judged.state


def test_constant_seeds_support_no_more_than_a_permutation_test_could() -> None:
    """Three equal scores against two: one arrangement in ten, and no claim at alpha = .05."""
    for text in ("a > b", "a >= b - 1", "a == b within 3"):
        (judged,) = judge([text], table(np.full(3, 5.0), np.full(2, 3.0)), 0.05)
        assert judged.state == "undecided"


# ---------------------------------------------------------------- laws


def p_of(text: str, a: np.ndarray, b: np.ndarray, supported: bool) -> float:
    """The same p-value by scipy."""
    one = claim(text)
    margin = one.margin or 0.0

    def p(bound: float, side: str) -> float:
        return float(stats.ttest_ind(a - bound, b, equal_var=False, alternative=side).pvalue)

    inwards, outwards = ("greater", "less") if supported else ("less", "greater")
    if one.relation == "==":
        both = p(-margin, inwards), p(margin, outwards)
        return max(both) if supported else 2 * min(both)
    return (2 if one.relation == ">" else 1) * p(-margin, inwards)


def experiments(n: int, many: int, seed: int, gap: float = 0.0) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = RNG(seed)
    return [(rng.normal(gap, 1, n), rng.normal(0, 1, n)) for _ in range(many)]


@pytest.mark.parametrize("text", CLAIMS)
def test_evidence_is_that_of_scipy(text: str) -> None:
    for a, b in experiments(7, 20, 0, 0.7):
        for side in (True, False):
            found = evidence(claim(text), moments(a, b), 7, 7, in_favour=side)
            assert min(1.0, p_of(text, a, b, side)) == pytest.approx(float(found), rel=1e-9)


@given(st.lists(st.floats(0, 1), max_size=7))
def test_a_p_value_within_its_level_is_one_that_holm_rejects(p_values: list[float]) -> None:
    for p, adjusted, level in zip(p_values, holm(p_values), holm_levels(p_values, 0.05), strict=True):
        if abs(adjusted - 0.05) > 1e-12:
            assert (adjusted <= 0.05) == (p <= level)


def test_the_level_of_a_claim_does_not_depend_on_its_own_p_value() -> None:
    others = [0.001, 0.02, 0.03, 0.6]
    assert {0.05 / 4} == {holm_levels([p, *others], 0.05)[0] for p in (1e-9, 0.0101, 0.2, 1.0)}


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("text", CLAIMS)
def test_an_interval_is_clear_of_the_bound_exactly_where_the_claim_is_decided(text: str, higher: bool) -> None:
    one, seen = claim(text), set()
    margin, sign = one.margin or 0.0, 1 if higher else -1
    for i in range(60):
        rng = RNG(i)
        a, b = sign * rng.normal((i % 7 - 3) * 1.4, 1, 9), sign * rng.normal(0, 1, 7)
        judged = judge([text, "b >= a - 2"], table(a, b, higher), 0.05)[0]
        low, high = sorted((sign * judged.low, sign * judged.high))
        inside = -margin < low and (one.relation != "==" or high < margin)
        beside = high < -margin or (one.relation == "==" and low > margin)
        assert ("supported" if inside else "contradicted" if beside else None) == judged.decision
        seen.add(judged.decision)
    assert {"supported", "contradicted", None} == seen


def test_turning_the_scale_round_changes_nothing_but_signs() -> None:
    for a, b in experiments(8, 10, 1, 1.2):
        for text in CLAIMS:
            (up,), (down,) = judge([text], table(a, b), 0.05), judge([text], table(-a, -b, False), 0.05)
            assert (up.state, up.p_for, up.repetition) == (down.state, down.p_for, down.repetition)
            assert [flip.seeds for flip in up.flips] == [flip.seeds for flip in down.flips]
            np.testing.assert_allclose([up.effect, up.low], [-down.effect, -down.high])


def test_the_opposite_claim_is_contradicted_by_the_same_seeds() -> None:
    for a, b in experiments(8, 10, 2, 1.5):
        (forth,), (back,) = judge(["a > b"], table(a, b), 0.05), judge(["b > a"], table(a, b), 0.05)
        assert {("supported", "contradicted"), (None, None)} >= {(forth.decision, back.decision)}
        assert (forth.state == "fragile") == (back.state == "fragile")
        assert [set(flip.seeds) for flip in forth.flips] == [set(flip.seeds) for flip in back.flips]


def test_shift_and_scale_change_no_state_and_no_seed() -> None:
    for a, b in experiments(8, 6, 3, 1.5):
        (plain,) = judge(["a >= b - 1"], table(a, b), 0.05)
        (scaled,) = judge(["a >= b - 1000"], table(1e7 + 1000 * a, 1e7 + 1000 * b), 0.05)
        assert plain.state == scaled.state
        assert [flip.seeds for flip in plain.flips] == [flip.seeds for flip in scaled.flips]


def test_a_claim_stated_twice_counts_once() -> None:
    assert 1 == len(judge(["a > b", "a > b", "a > b on task"], APART, 0.05))


# ---------------------------------------------------------------- flips


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
@pytest.mark.parametrize("text", CLAIMS)
def test_the_named_seeds_flip_a_claim_and_no_smaller_set_does(text: str, replaced: bool) -> None:
    """Against brute force with scipy, for 8 and 7 seeds."""
    one, flipped = claim(text), 0
    for i in range(24):
        rng = RNG(i)
        gap = {">": 1.4, ">=": 0.4, "==": 0.0}[one.relation]
        a = rng.exponential(1, 8) + (gap if i % 4 else -gap - 2 * (one.margin or 0))
        b = rng.exponential(1, 7)
        for supported in (True, False):
            if p_of(text, a, b, supported) > 0.05:
                continue
            found, exact = smallest_flip(Question(one, supported, 0.05), a, b, replaced=replaced)
            assert exact
            reach = len(found.a) + len(found.b) if found else 2  # a fifth of twice seven
            if found:
                flipped += 1
                assert max(ends_of(text, a, b, found.a, found.b, supported, replaced)) > 0.05
            sets = (chosen for k in range(1, reach + (found is None)) for chosen in combinations(range(15), k))
            for chosen in sets:
                of_a, of_b = (tuple(i for i in chosen if i < 8), tuple(i - 8 for i in chosen if i >= 8))
                assert max(ends_of(text, a, b, of_a, of_b, supported, replaced)) <= 0.05
    assert flipped >= 4


def ends_of(
    text: str, a: np.ndarray, b: np.ndarray, of_a: tuple[int, ...], of_b: tuple[int, ...], supported: bool,
    replaced: bool,
) -> list[float]:  # fmt: skip
    """p after the change; after both changes where the seeds of `==` may rise or fall."""
    if not replaced:
        return [p_of(text, np.delete(a, of_a), np.delete(b, of_b), supported)]
    worst = [(a.min(), b.max()), (a.max(), b.min())]
    both = worst if "==" in text else worst[:1] if supported else worst[1:]
    found = []
    for at_a, at_b in both:
        x, y = a.copy(), b.copy()
        x[list(of_a)], y[list(of_b)] = at_a, at_b
        found.append(p_of(text, x, y, supported))
    return found


def test_a_search_finds_sets_as_small_as_trying_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 against 20 seeds, up to four: 162 of 162 supported claims of equality, 109 of 109 of a difference."""
    question, n_found = Question(claim("a > b"), True, 0.05), 0
    for a, b in experiments(20, 20, 5, 0.9):
        if p_of("a > b", a, b, True) > 0.05:
            continue
        every, exact = smallest_flip(question, a, b, replaced=False)
        with monkeypatch.context() as patched:
            patched.setattr("rlaudit.judge.flips._MOST_PAIRS", 0)
            patched.setattr("rlaudit.judge.flips._MOST_SETS", 0)
            searched, sure = smallest_flip(question, a, b, replaced=False)
        if every and exact:
            n_found += 1
            assert len(every.a) + len(every.b) == len(searched.a) + len(searched.b)
            assert sure == (len(every.a) + len(every.b) == 1)
    assert n_found >= 5


def test_hundreds_of_seeds_are_searched_and_the_found_set_flips() -> None:
    ((a, b),) = experiments(150, 1, 6, 0.5)
    found, exact = smallest_flip(Question(claim("a > b"), True, 0.05), a, b, replaced=False)
    assert not exact
    assert p_of("a > b", np.delete(a, found.a), np.delete(b, found.b), True) > 0.05
    assert p_of("a > b", np.delete(a, found.a[:-1]), np.delete(b, found.b), True) <= 0.05


def test_two_seeds_cannot_carry_a_claim() -> None:
    (judged,) = judge(["a > b"], table(np.array([100.0, 100.1]), RNG(0).normal(0, 1, 20)), 0.05)
    assert ("fragile", "supported", 1) == (judged.state, judged.decision, judged.removal.n)
    assert "it would be supported" in judged.reason


def test_a_fragile_claim_names_its_seeds_and_what_is_left_without_them() -> None:
    a, b = np.append(RNG(0).normal(0, 1, 19), 0.0), np.append(RNG(1).normal(0, 1, 19), -3.0)
    a += 0.61 - a.mean() + b.mean()
    (judged,) = judge(["a > b"], table(a, b), 0.05)
    assert ("fragile", (("b", 19),)) == (judged.state, judged.removal.seeds)
    left = stats.ttest_ind(a, b[:-1], equal_var=False)
    expected = (a.mean() - b[:-1].mean(), *left.confidence_interval(0.95))
    np.testing.assert_allclose(expected, (judged.removal.effect, judged.removal.low, judged.removal.high))
    assert judged.removal.low < 0 < judged.low
    assert "but not without seed 19 of b" in judged.reason


@pytest.mark.parametrize(("n_a", "n_b", "seeds"), [(2, 2, 1), (39, 500, 1), (40, 40, 2), (193, 192, 5)])
def test_a_handful_is_one_seed_or_one_in_twenty_and_five_at_most(n_a: int, n_b: int, seeds: int) -> None:
    assert seeds == handful(n_a, n_b) == handful(n_b, n_a)


def share_fragile(n: int, gap: float, many: int, seed: int) -> float:
    """Of the supported claims among many experiments."""
    rng = RNG(seed)
    a, b = rng.normal(gap, 1, (many, n)), rng.normal(0, 1, (many, n))
    p = welch(a, b, alpha=0.05, rng=rng, n_resamples=0, alternative="greater").p_value
    question = Question(claim("a > b"), True, 0.05)
    supported = np.flatnonzero(p <= 0.025)
    found = [smallest_flip(question, a[i], b[i], replaced=False)[0] for i in supported[:150]]
    return float(np.mean([one is not None and len(one.a) + len(one.b) <= handful(n, n) for one in found]))


def test_true_strong_claims_are_seldom_fragile_and_false_ones_often() -> None:
    """Measured with 1,500 experiments: d = 1.5 .10, .01 at n = 10, 20; d = 2 .02 at 10; d = 0 .51 and .44."""
    assert share_fragile(10, 1.5, 200, 0) <= 0.17
    assert share_fragile(20, 1.5, 160, 1) <= 0.05
    assert share_fragile(10, 2.0, 160, 2) <= 0.07
    assert share_fragile(10, 0.0, 6_000, 3) >= 0.38


# ---------------------------------------------------------------- fresh seeds


def chance(a: np.ndarray, b: np.ndarray, seed: int = 0, text: str = "a > b") -> float:
    return repetition(claim(text), a, b, 0.05, RNG(seed))


@pytest.mark.parametrize("n", [5, 10, 20, 40])
def test_a_claim_at_p_05_has_an_even_chance_to_be_supported_again(n: int) -> None:
    """Goodman 1992. Over 20 experiments each, moved until p is .05."""
    chances = []
    for a, b in experiments(n, 20, n):
        low = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95).low
        chances.append(chance(a - low, b))
    assert 0.51 == pytest.approx(np.mean(chances), abs=0.05)


def test_the_chance_is_right_on_average_where_every_effect_is_as_likely() -> None:
    """True gains uniform over 6 standard errors either side; where .3-.7 is said, the true rate is as much."""
    rng, said, true = RNG(7), [], []
    for _ in range(400):
        gap = rng.uniform(-6, 6) * (2 / 12) ** 0.5
        said.append(chance(rng.normal(gap, 1, 12), rng.normal(0, 1, 12), int(rng.integers(1 << 30))))
        true.append(float(welch_power(gap, 12, 0.05)) if gap > 0 else 0.0)
    middle = (np.array(said) > 0.3) & (np.array(said) < 0.7)
    assert middle.sum() >= 25
    assert np.mean(true) == pytest.approx(np.mean(said), abs=0.035)
    assert np.mean(np.array(true)[middle]) == pytest.approx(np.mean(np.array(said)[middle]), abs=0.13)


@pytest.mark.parametrize(("n", "gap", "mean"), [(10, 1.0, 0.55), (20, 0.5, 0.40), (20, 1.0, 0.75)])
def test_the_mean_chance_is_near_the_true_rate_and_above_it_among_the_significant(
    n: int, gap: float, mean: float
) -> None:
    """Drawn towards 1/2 where the effect is fixed; too high where one looks only at what came out (Miller 2009)."""
    said, significant = [], []
    for i, (a, b) in enumerate(experiments(n, 200, n, gap)):
        said.append(chance(a, b, i))
        significant.append(p_of("a > b", a, b, True) <= 0.05)
    true = float(welch_power(gap, n, 0.05))
    assert mean == pytest.approx(np.mean(said), abs=0.07)
    assert true == pytest.approx(np.mean(said), abs=0.19)
    if true < 0.6:
        assert np.mean(np.array(said)[significant]) > true + 0.1


def test_the_chance_of_a_repetition_asks_the_test_of_the_claim() -> None:
    ((a, b),) = experiments(20, 1, 8)
    assert chance(a, b, text="a == b within 3") > 0.95
    assert chance(a + 3, b, text="a >= b - 1") > 0.99
    assert chance(a - 3, b) < 0.01


def test_a_chance_is_never_certain_and_none_with_one_seed() -> None:
    assert 0.999 < chance(np.arange(9.0) + 1000, np.arange(9.0)) < 1
    assert chance(np.full(9, 5.0), np.full(9, 5.0)) < 0.001
    assert repetition(claim("a > b"), np.array([1.0]), np.arange(3.0), 0.05, RNG(0)) is None


def test_blocks_of_pools_do_not_change_the_chance_beyond_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ((a, b),) = experiments(20, 1, 9, 0.6)
    whole = chance(a, b)
    monkeypatch.setattr("rlaudit.judge.fresh._BLOCK", 4_000)
    assert whole == pytest.approx(chance(a, b), abs=0.05)


def test_seeds_needed_for_a_difference_are_those_of_the_two_sided_test() -> None:
    ((a, b),) = experiments(15, 1, 10, 0.8)
    assert seeds_needed(a, b) == seeds_to_decide(claim("a > b"), a, b, Levels(0.05, 0.05))


@pytest.mark.parametrize(
    ("text", "gap"), [("a > b", 0.9), ("a >= b - 1", -0.2), ("a == b within 1", 0.25), ("a == b within 1", -1.8)]
)
def test_the_seeds_named_decide_a_claim_with_the_power_promised(text: str, gap: float) -> None:
    """4,000 experiments with the gap and the spread of the pilot as the truth: standard error .006."""
    ((a, b),) = experiments(25, 1, 11)
    a, b = (x / x.std(ddof=1) for x in (a, b))
    a, b = a - a.mean() + gap, b - b.mean()
    n = seeds_to_decide(claim(text), a, b, Levels(0.05, 0.05)).n
    rng = RNG(12)
    found = moments(rng.normal(gap, 1, (4_000, n)), rng.normal(0, 1, (4_000, n)))
    rate = (evidence(claim(text), found, n, n, in_favour=gap > -1) <= 0.05).mean()
    assert 0.8 == pytest.approx(rate, abs=0.035)
    assert rate > 0.78


def test_the_range_of_the_seeds_needed_holds_their_number_and_knows_no_end_on_the_margin() -> None:
    for text in CLAIMS:
        for a, b in experiments(12, 12, 13, 0.6):
            needed = seeds_to_decide(claim(text), a, b, Levels(0.05, 0.05))
            assert needed.low <= (needed.n or 1e9) <= (needed.high or 1e9)
    (a, b), far = experiments(12, 1, 14)[0], claim("a == b within 1")
    assert seeds_to_decide(far, a - a.mean() + 1 + b.mean(), b, Levels(0.05, 0.05)).high is None


def test_the_seeds_needed_have_the_level_of_the_side_on_which_the_runs_lie() -> None:
    """The claim at alpha / 3, what speaks against it at alpha: a true contradiction is decided at the latter."""
    ((a, b),) = experiments(15, 1, 10, -1.8)
    for text in ("a > b", "a >= b - 1"):
        assert 1 == len({seeds_to_decide(claim(text), a, b, Levels(level, 0.05)) for level in (0.01, 0.05)})


def test_the_audit_seed_moves_only_the_chance_and_that_by_little() -> None:
    for text in CLAIMS:
        found = [judge([text], APART, 0.05, seed=seed)[0] for seed in range(5)]
        assert 1 == len({replace(one, repetition=None).text + one.state + repr(one.flips) for one in found})
        assert np.ptp([one.repetition for one in found]) <= 0.06
