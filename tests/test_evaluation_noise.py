"""Evaluation noise: held by closed forms, by simulation with known components, and by laws."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rlaudit.evaluation_noise import audit_evaluation, share_interval
from rlaudit.pipeline import load_scores
from rlaudit.results import EvaluationNoise
from rlaudit.types import ArmEpisodes, ScoreTable

RNG = np.random.default_rng


def noise(returns: np.ndarray) -> EvaluationNoise:
    (found,) = audited(returns)
    return found


def audited(returns: np.ndarray) -> tuple[EvaluationNoise, ...]:
    arm = ArmEpisodes("a", "task", tuple(range(len(returns))), np.asarray(returns, float))
    return audit_evaluation(ScoreTable("final", (), episodes=(arm,)))


def draws(n_sets: int, n_seeds: int, n_episodes: int, between: float, within: float, seed: int = 0) -> np.ndarray:
    rng = RNG(seed)
    seeds = np.sqrt(between) * rng.standard_normal((n_sets, n_seeds, 1))
    return seeds + np.sqrt(within) * rng.standard_normal((n_sets, n_seeds, n_episodes))


# ---------------------------------------------------------------- oracles


def test_with_as_many_episodes_of_each_seed_the_share_is_one_over_the_f_of_an_analysis_of_variance() -> None:
    returns = draws(1, 8, 5, 1, 2)[0]
    assert 1 / stats.f_oneway(*returns).statistic == pytest.approx(noise(returns).share)


def test_the_components_are_those_of_the_expected_mean_squares() -> None:
    returns = draws(1, 6, 4, 3, 1)[0]
    between = 4 * returns.mean(axis=1).var(ddof=1)
    within = returns.var(axis=1, ddof=1).mean()
    found = noise(returns)
    assert within == pytest.approx(found.var_episodes)
    assert (between - within) / 4 == pytest.approx(found.var_seeds)
    assert (6, 4) == (found.n_seeds, found.n_episodes)


def test_known_components_are_found_on_average() -> None:
    found = [noise(returns) for returns in draws(400, 20, 5, 4, 10)]
    assert 10 == pytest.approx(np.mean([one.var_episodes for one in found]), abs=0.3)  # standard error .08
    assert 4 == pytest.approx(np.mean([one.var_seeds for one in found]), abs=0.35)  # standard error .1


def test_with_unequal_numbers_of_episodes_the_components_are_still_right_on_average() -> None:
    """Also where the noisy seeds are those with few episodes, as when evaluations last so many steps."""
    rng, spread = RNG(1), np.repeat([3.0, 1.0], 10)[:, None]
    returns = 2 * rng.standard_normal((400, 20, 1)) + spread * rng.standard_normal((400, 20, 8))
    returns[:, :10, 3:] = np.nan
    found = [noise(one) for one in returns]
    assert 5 == pytest.approx(np.mean([one.var_episodes for one in found]), abs=0.25)  # pooled squares: 2.8
    assert 4 == pytest.approx(np.mean([one.var_seeds for one in found]), abs=0.35)
    assert round(20 / (10 / 3 + 10 / 8)) == found[0].n_episodes


def test_no_difference_between_seeds_is_overestimated_on_average_and_never_negative() -> None:
    found = [noise(returns) for returns in draws(300, 10, 5, 0, 10)]
    assert all(one.var_seeds >= 0 for one in found)
    assert 0.2 < np.mean([one.var_seeds for one in found]) < 0.6  # truncated at 0; each is about 0 +- .9
    assert 100 < sum(one.share == 1 for one in found) < 250


def test_twice_the_episodes_shrink_the_standard_error_as_much_as_predicted() -> None:
    """Variance 1 between seeds, 8 between the 4 episodes of each: the share is 2 / 3."""
    found = noise(draws(1, 20_000, 4, 1, 8)[0])
    means = {k: draws(20_000, 10, k, 1, 8, seed=k).mean(axis=(1, 2)).std() for k in (4, 8)}
    assert 1 - np.sqrt(2 / 3) == pytest.approx(found.doubled, abs=0.01)
    assert 1 - means[8] / means[4] == pytest.approx(found.doubled, abs=0.02)
    assert 1 - np.sqrt(1 / 3) == pytest.approx(found.endless, abs=0.02)


def test_endless_episodes_are_worth_the_seeds_that_give_the_same_standard_error() -> None:
    found = noise(draws(1, 12, 4, 1, 8)[0])
    total = found.var_seeds + found.var_episodes / 4
    assert found.var_seeds / 12 == pytest.approx(total / (12 + found.seeds_worth))


def test_enough_episodes_bring_the_noise_to_a_tenth_and_one_fewer_does_not() -> None:
    found = noise(draws(1, 12, 4, 1, 8)[0])

    def share(n_episodes: int) -> float:
        return found.var_episodes / n_episodes / (found.var_seeds + found.var_episodes / n_episodes)

    assert share(found.episodes_enough) <= 0.1 < share(found.episodes_enough - 1)


# ---------------------------------------------------------------- the interval


def covered(returns: np.ndarray, truth: float) -> float:
    means, each = returns.mean(axis=2), returns.var(axis=2, ddof=1) / returns.shape[2]
    ends = [share_interval(*one) for one in zip(means, each, strict=True)]
    assert all(low is not None for low, _ in ends)
    return float(np.mean([low <= truth <= high for low, high in ends]))


@pytest.mark.parametrize(("n_seeds", "n_episodes"), [(5, 10), (10, 10), (20, 20), (50, 5)])
@pytest.mark.parametrize("within", [0.1, 1.0, 10.0])
def test_the_interval_holds_the_share_of_normal_returns(n_seeds: int, n_episodes: int, within: float) -> None:
    """95 % promised; 3 standard errors of 1,000 sets are .021. An F interval with half the degrees would not pass."""
    truth = within / n_episodes / (1 + within / n_episodes)
    assert 0.95 == pytest.approx(covered(draws(1000, n_seeds, n_episodes, 1, within), truth), abs=0.025)


def test_the_interval_holds_the_share_of_returns_with_a_ceiling() -> None:
    """CartPole: many seeds at 500, with no noise at all; the truth from 200,000 seeds."""

    def cut(n_sets: int, n_seeds: int, seed: int) -> np.ndarray:
        rng = RNG(seed)
        level = rng.normal(5.7, 0.55, (n_sets, n_seeds, 1))
        return np.minimum(500, np.exp(rng.normal(level, 1.2, (n_sets, n_seeds, 10))))

    many = cut(1, 200_000, 1)[0]
    truth = (many.var(axis=1, ddof=1) / 10).mean() / many.mean(axis=1).var()
    assert 0.955 == pytest.approx(covered(cut(1000, 10, 2), truth), abs=0.025)


def test_the_interval_is_too_narrow_where_noise_differs_wildly_and_much_less_so_than_that_of_f() -> None:
    """Standard deviations of episodes that are log-normal over seeds: .84 as the docstring says, F .53."""
    rng = RNG(3)
    spread = np.exp(rng.normal(0, 1, (1000, 20, 1)) - 1)
    returns = rng.standard_normal((1000, 20, 1)) + spread * rng.standard_normal((1000, 20, 20))
    assert 0.84 == pytest.approx(covered(returns, 1 / 21), abs=0.035)
    f = 20 * returns.mean(axis=2).var(axis=1, ddof=1) / returns.var(axis=2, ddof=1).mean(axis=1)
    low, high = (stats.f.ppf(q, 19, 380) / f for q in (0.025, 0.975))
    assert 0.53 == pytest.approx(((low <= 1 / 21) & (1 / 21 <= high)).mean(), abs=0.05)


def test_the_interval_is_the_jackknife_of_the_logarithm() -> None:
    returns = draws(1, 7, 4, 1, 3)[0]
    means, each = returns.mean(axis=1), returns.var(axis=1, ddof=1) / 4

    def log_share(keep: np.ndarray) -> float:
        return float(np.log(each[keep].mean() / means[keep].var(ddof=1)))

    left_out = np.array([log_share(np.arange(7) != i) for i in range(7)])
    error = np.sqrt(6 / 7 * ((left_out - left_out.mean()) ** 2).sum())
    reach = stats.t.ppf(0.975, 6) * error
    expected = np.exp(log_share(np.arange(7) >= 0) + np.array([-reach, reach]))
    assert np.minimum(expected, 1).tolist() == pytest.approx(share_interval(means, each))


# ---------------------------------------------------------------- laws

RETURNS = st.integers(0, 2**32 - 1).map(lambda seed: draws(1, 6, 4, 2, 1, seed)[0])


def numbers(found: EvaluationNoise) -> list[float]:
    return [found.share, found.low, found.high, found.doubled, found.endless]  # type: ignore[list-item]


@settings(max_examples=40, deadline=None)
@given(RETURNS, st.integers(0, 100))
def test_the_order_of_seeds_and_of_episodes_means_nothing(returns: np.ndarray, seed: int) -> None:
    mixed = RNG(seed).permuted(RNG(seed).permutation(returns), axis=1)
    assert numbers(noise(returns)) == pytest.approx(numbers(noise(mixed)), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(RETURNS, st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.booleans())
def test_shift_scale_and_sign_change_no_share(returns: np.ndarray, shift: float, scale: float, negative: bool) -> None:
    moved = shift + scale * (-returns if negative else returns)
    found = noise(moved)
    assert numbers(noise(returns)) == pytest.approx(numbers(found), rel=1e-4)
    assert scale**2 * noise(returns).var_episodes == pytest.approx(found.var_episodes, rel=1e-4)


def test_episodes_that_are_missing_count_for_nothing() -> None:
    returns = draws(1, 6, 4, 2, 1)[0]
    padded = np.column_stack([np.full((6, 2), np.nan), returns])
    assert noise(returns) == noise(padded)
    assert noise(returns) == noise(np.vstack([padded, np.full(6, np.nan)]))


# ---------------------------------------------------------------- nothing to say


def test_episodes_that_all_agree_have_no_noise_and_no_interval() -> None:
    found = noise(np.repeat([[1.0], [2.0], [4.0]], 5, axis=1))
    assert (0.0, 0.0, None, None) == (found.var_episodes, found.share, found.low, found.high)
    assert (0.0, 0.0, 0.0, None) == (found.doubled, found.endless, found.seeds_worth, found.episodes_enough)


def test_constant_scores_have_no_share() -> None:
    found = noise(np.full((5, 10), 0.1 + 0.2) + 1e9)
    assert (0.0, 0.0) == (found.var_seeds, found.var_episodes)
    assert (None,) * 6 == (found.share, found.low, found.high, found.doubled, found.endless, found.episodes_enough)


def test_seeds_with_the_same_mean_are_told_apart_by_noise_alone() -> None:
    found = noise(np.array([[1.0, 3], [0.0, 4], [2.0, 2]]))
    assert (1.0, 0.0, None) == (found.share, found.var_seeds, found.low)
    assert (None, None) == (found.seeds_worth, found.episodes_enough)


def test_nothing_is_said_of_one_episode_or_of_one_seed() -> None:
    assert () == audited(np.array([[1.0], [2.0], [3.0]]))
    assert () == audited(np.array([[1.0, 2.0, 3.0]]))
    assert () == audited(np.array([[1.0, 2.0], [3.0, np.nan]]))
    assert () == audited(np.full((3, 2), np.nan))


def test_two_seeds_and_a_single_noisy_one_have_no_interval() -> None:
    two = noise(np.array([[1.0, 2.0], [5.0, 9.0]]))
    assert two.share is not None
    assert two.low is None
    ceiling = np.full((6, 4), 500.0)
    ceiling[0, 0] = 100
    assert noise(ceiling).low is None


def test_seeds_with_one_episode_take_the_noise_of_the_others() -> None:
    found = noise(np.array([[1.0, 3.0], [10.0, 14.0], [5.0, np.nan]]))
    assert 5 == pytest.approx(found.var_episodes)  # (2 + 8) / 2, for all three
    assert (1 + 4 + 5) / 3 / np.var([2, 12, 5], ddof=1) == pytest.approx(found.share)


def test_the_quickstart_has_hardly_any_evaluation_noise() -> None:
    table = load_scores(Path(__file__).parents[1] / "results" / "quickstart")
    first, second = audit_evaluation(table)
    assert (20, 20) == (first.n_seeds, first.n_episodes)
    assert [0.01187, 0.00417, 0.03378] == pytest.approx([first.share, first.low, first.high], abs=1e-5)
    assert [0.01381, 0.00346, 0.28004] == pytest.approx([second.share, second.doubled, second.seeds_worth], abs=1e-5)
    assert first.var_seeds + first.var_episodes / 20 == pytest.approx(table.arms[0].scores.var(ddof=1))
