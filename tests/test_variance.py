"""Variance components: held by closed forms and another library, by simulation with known shares, and by laws."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sources_builder import CHAOS, MAINS, MIXED, NOISY, drawn

from rlaudit.types import Floats
from rlaudit.variance import Anova, anova, balanced, fitted, share

RNG = np.random.default_rng
TERMS = ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), ())
EACH = np.eye(8, dtype=bool)


def table(seed: int = 0, shape: tuple[int, ...] = (4, 3, 5), shares: tuple[float, ...] = MIXED) -> Anova:
    return anova(*drawn(shares, shape, RNG(seed)), 20)


def shares_of(found: Anova) -> list[float]:
    variances = fitted(found)
    return (variances / variances.sum()).tolist()


# ---------------------------------------------------------------- oracles


def test_two_by_two_by_hand() -> None:
    """Row means 2 and 6, column means 3 and 5, and nothing left over."""
    found = anova(np.array([[1.0, 3.0], [5.0, 7.0]]))
    assert ((0,), (1,), (0, 1)) == found.terms
    assert [16.0, 4.0, 0.0] == pytest.approx(found.mean_squares.tolist())
    assert [8.0, 2.0, 0.0] == pytest.approx(found.components.tolist())
    assert [0.8, 0.2, 0.0] == pytest.approx(shares_of(found))


def test_mean_squares_are_those_of_an_analysis_of_variance_elsewhere() -> None:
    pandas = pytest.importorskip("pandas")
    formula = pytest.importorskip("statsmodels.formula.api")
    from statsmodels.stats.anova import anova_lm

    scores, _ = drawn(MIXED, (4, 3, 5), RNG(0))
    levels = np.indices(scores.shape).reshape(3, -1)
    frame = pandas.DataFrame({**dict(zip("abc", levels, strict=True)), "y": scores.ravel()})
    theirs = anova_lm(formula.ols("y ~ C(a) + C(b) + C(c) + C(a):C(b) + C(a):C(c) + C(b):C(c)", frame).fit())
    found = anova(scores)
    assert theirs["mean_sq"].tolist() == pytest.approx(found.mean_squares.tolist())
    assert theirs["df"].tolist() == pytest.approx(found.df.tolist())


def test_the_fit_maximises_the_restricted_likelihood_also_where_an_estimate_is_negative() -> None:
    """Written out with the covariance matrix of all 30 scores, and searched by an optimiser."""
    scores = drawn((0.5, 0.0, 0.5), (6, 5), RNG(3))[0]
    assert anova(scores).components[1] < 0
    rows, columns = (np.equal.outer(level, level) for level in np.indices(scores.shape).reshape(2, -1))
    centred = np.linalg.svd(np.eye(30) - 1 / 30)[0][:, :29]  # contrasts: what is left without the mean
    y, parts = centred.T @ scores.ravel(), [centred.T @ each @ centred for each in (rows, columns, rows & columns)]

    def surprise(variances: Floats) -> float:
        covariance = sum(each * part for each, part in zip(variances, parts, strict=True))
        return float(np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y))

    best = optimize.minimize(surprise, [0.4, 0.1, 0.4], bounds=[(0, None), (0, None), (1e-6, None)], tol=1e-12)
    assert best.x.tolist() == pytest.approx(fitted(anova(scores)).tolist(), abs=1e-4)


def test_components_of_a_grid_are_pairwise_products() -> None:
    """E[(y - y')^2] / 2 over runs that differ in one factor alone is every component with that factor."""
    scores, _ = drawn(MIXED, (4, 3, 5), RNG(1))
    found = anova(scores)
    for axis in range(3):
        with_it = sum(part for term, part in zip(found.terms, found.components, strict=True) if axis in term)
        assert scores.var(axis=axis, ddof=1).mean() == pytest.approx(with_it)


def test_the_total_is_the_mean_squared_difference_of_runs_that_share_no_level() -> None:
    scores, _ = drawn(MIXED, (3, 3, 2), RNG(2))
    cells = list(np.ndindex(scores.shape))
    apart = [(a, b) for a, b in combinations(cells, 2) if all(i != j for i, j in zip(a, b, strict=True))]
    assert np.mean([(scores[a] - scores[b]) ** 2 / 2 for a, b in apart]) == pytest.approx(anova(scores).total)


# ---------------------------------------------------------------- truth


def test_estimates_at_20_levels_are_within_a_twentieth_on_average_and_the_unbiased_ones_are_unbiased() -> None:
    """One estimate of a main effect of .3 has a standard error of .07 with 19 degrees of freedom, whatever one does."""
    for truth in (CHAOS, MIXED, NOISY):
        tables = [table(seed, (20, 20, 20), truth) for seed in range(40)]
        shares = np.array([shares_of(one) for one in tables])
        assert np.abs(shares.mean(axis=0) - truth).max() < 0.05
        assert np.median(np.abs(shares - truth), axis=0).max() < 0.065
        assert np.median(np.abs(shares - truth), axis=0)[np.array(truth) != 0.3].max() < 0.05
        error = np.std([one.components for one in tables], axis=0) / 40**0.5
        assert (np.abs(np.mean([one.components for one in tables], axis=0) - truth) < 4 * error + 1e-9).all()


@pytest.mark.parametrize("tails", ["normal", "bimodal"])
@pytest.mark.parametrize("shape", [(5, 5, 5), (3, 3, 3), (10, 4, 4)])
def test_intervals_hold_the_true_shares(shape: tuple[int, ...], tails: str) -> None:
    """95 % promised; .90 on average would be twice the errors. 3.5 standard errors of 120 tables are .07."""
    found = np.array([covered(truth, shape, tails, 120) for truth in (CHAOS, MIXED, MAINS, NOISY)])
    assert found.mean() > 0.94
    assert found.min() > 0.88


def test_intervals_are_a_little_too_narrow_where_effects_are_as_skewed_as_an_exponential_distribution() -> None:
    """Two in three true shares still lie in more than 95 % of their intervals."""
    found = np.array([covered(truth, (5, 5, 5), "skewed", 120) for truth in (CHAOS, MIXED, MAINS, NOISY)])
    assert 0.93 < found.mean()
    assert 0.82 < found.min()


def test_a_bootstrap_over_levels_would_not_do() -> None:
    """Resampled levels repeat, and equal levels have equal interactions: half of the true shares of .8 lie outside."""
    rng, hits = RNG(2), 0
    for _ in range(50):
        scores, noise = drawn(CHAOS, (5, 5, 5), rng)
        drawn_anew = [np.ix_(*rng.integers(0, 5, (3, 5))) for _ in range(100)]
        tables = [anova(scores[at], noise[at], 20) for at in drawn_anew]
        low, high = np.quantile([one.components[6] / one.total for one in tables], [0.025, 0.975])
        hits += low <= 0.8 <= high
    assert hits / 50 < 0.75


def covered(truth: tuple[float, ...], shape: tuple[int, ...], tails: str, n: int) -> list[float]:
    rng, hits = RNG(1), np.zeros(8)
    for _ in range(n):
        found = share(anova(*drawn(truth, shape, rng, tails), 20), EACH)
        hits += [one.low - 1e-9 <= part <= one.high + 1e-9 for one, part in zip(found, truth, strict=True)]
    return (hits / n).tolist()


# ---------------------------------------------------------------- laws

TABLES = st.tuples(st.integers(0, 2**32 - 1), st.tuples(*[st.integers(2, 5)] * 3)).map(
    lambda drawn_: drawn(MIXED, drawn_[1], RNG(drawn_[0]))
)


def numbers(scores: Floats, noise: Floats) -> list[float]:
    return [end for one in share(anova(scores, noise, 20), EACH) for end in one]


@settings(max_examples=30, deadline=None)
@given(TABLES, st.floats(-1e4, 1e4), st.floats(1e-2, 1e3), st.booleans())
def test_shift_scale_and_sign_change_no_share(
    drawn_: tuple[Floats, Floats], shift: float, scale: float, negative: bool
) -> None:
    scores, noise = drawn_
    moved = shift + scale * (-scores if negative else scores)
    assert numbers(scores, noise) == pytest.approx(numbers(moved, scale**2 * noise), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(TABLES, st.integers(0, 100))
def test_the_order_of_levels_means_nothing(drawn_: tuple[Floats, Floats], seed: int) -> None:
    order = np.ix_(*[RNG(seed).permutation(n) for n in drawn_[0].shape])
    assert numbers(*drawn_) == pytest.approx(numbers(drawn_[0][order], drawn_[1][order]), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(TABLES, st.sampled_from(list(permutations(range(3)))))
def test_factors_may_change_their_places(drawn_: tuple[Floats, Floats], places: tuple[int, ...]) -> None:
    scores, noise = drawn_
    before = dict(zip(TERMS, share(anova(scores, noise, 20), EACH), strict=True))
    after = share(anova(scores.transpose(places), noise.transpose(places), 20), EACH)
    for term, one in zip(TERMS, after, strict=True):
        assert before[tuple(sorted(places[axis] for axis in term))] == pytest.approx(one, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(TABLES, st.floats(0.5, 0.99))
def test_shares_add_up_to_one_and_lie_within_intervals_that_grow_with_their_level(
    drawn_: tuple[Floats, Floats], level: float
) -> None:
    found = anova(*drawn_, 20)
    narrow, wide = share(found, EACH, level), share(found, EACH, 0.99)
    assert 1 == pytest.approx(sum(one.estimate for one in narrow))
    for inner, outer in zip(narrow, wide, strict=True):
        assert 0 <= outer.low <= inner.low + 1e-6
        assert inner.low <= inner.estimate <= inner.high
        assert inner.high <= outer.high + 1e-6 <= 1 + 1e-5


@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_estimates_are_the_unbiased_ones_where_none_is_negative(drawn_: tuple[Floats, Floats]) -> None:
    found = anova(*drawn_, 20)
    if (found.components > 1e-3).all():
        assert found.components.tolist() == pytest.approx(fitted(found).tolist(), rel=1e-4)


def test_all_of_it_is_all_of_it_and_parts_of_it_add_up() -> None:
    found = table()
    whole, first, rest = share(found, [[True] * 8, [True] * 3 + [False] * 5, [False] * 3 + [True] * 5])
    assert (1.0, 1.0, 1.0) == pytest.approx(whole)
    assert 1 == pytest.approx(first.estimate + rest.estimate)
    assert 1 == pytest.approx(first.low + rest.high)  # whoever knows one knows the other


def test_noise_that_differs_between_runs_is_known_less_well() -> None:
    scores, noise = drawn(NOISY, (5, 5, 5), RNG(0))
    alike, unlike = anova(scores, np.full_like(noise, noise.mean()), 20), anova(scores, noise**4, 20)
    assert 125 * 19 == alike.tail_df[-1] > unlike.tail_df[-1]


def test_without_noise_the_last_interaction_holds_it() -> None:
    scores, noise = drawn(MIXED, (4, 4, 4), RNG(0))
    with_it, without = anova(scores, noise, 20), anova(scores)
    assert TERMS[:-1] == without.terms
    assert with_it.components[6:].sum() == pytest.approx(without.components[6])
    assert with_it.total == pytest.approx(without.total)


# ---------------------------------------------------------------- odd tables


def test_equal_scores_have_nothing_to_share() -> None:
    found = anova(np.full((3, 3, 3), 500.0), np.zeros((3, 3, 3)), 20)
    assert 0 == fitted(found).sum()
    with pytest.raises(ValueError, match="all scores are equal"):
        share(found, EACH)


def test_a_factor_that_does_nothing_has_exactly_nothing() -> None:
    scores = np.repeat(drawn((0.5, 0.5, 0.0), (4, 4), RNG(0))[0][:, :, None], 3, axis=2)
    found = share(anova(scores), np.eye(7))
    assert [0.0] * 4 == pytest.approx([found[term].high for term in (2, 4, 5, 6)], abs=1e-12)
    assert 1 == pytest.approx(sum(found[term].estimate for term in (0, 1, 3)))


def test_one_level_is_refused() -> None:
    with pytest.raises(ValueError, match="two levels"):
        anova(np.ones((3, 1, 3)))


# ---------------------------------------------------------------- runs that are missing


def kept(there: np.ndarray) -> list[list[int]] | None:
    found = balanced(there)
    return None if found is None else [levels.tolist() for levels in found]


def test_nothing_goes_where_nothing_is_missing() -> None:
    assert [[0, 1], [0, 1, 2], [0, 1]] == kept(np.ones((2, 3, 2), bool))


def test_one_missing_run_costs_a_level_of_the_factor_with_most_levels() -> None:
    there = np.ones((10, 4, 4), bool)
    there[7, 1, 2] = False
    assert [[0, 1, 2, 3, 4, 5, 6, 8, 9], [0, 1, 2, 3], [0, 1, 2, 3]] == kept(there)


def test_a_level_at_which_all_fails_goes_alone() -> None:
    there = np.ones((5, 5, 5), bool)
    there[:, 3, :] = False
    assert [[0, 1, 2, 3, 4], [0, 1, 2, 4], [0, 1, 2, 3, 4]] == kept(there)


def test_two_levels_of_each_must_be_left() -> None:
    there = np.ones((2, 2, 2), bool)
    there[0, 0, 0] = False
    assert kept(there) is None
    assert kept(np.zeros((5, 5, 5), bool)) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.3))
def test_every_combination_of_what_is_kept_is_there(seed: int, share_missing: float) -> None:
    there = RNG(seed).random((5, 4, 3)) >= share_missing
    found = balanced(there)
    if found is not None:
        assert there[np.ix_(*found)].all()
        assert min(map(len, found)) >= 2
