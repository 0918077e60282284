"""Many pairs of agents at one level, and the chance of even one wrong call."""

from itertools import combinations

import numpy as np
import pytest

from rlaudit.comparisons import step_down as module
from rlaudit.comparisons import welch
from rlaudit.comparisons.corrections import holm
from rlaudit.comparisons.step_down import _across_tasks, _every_deal, max_t, max_t_tasks
from rlaudit.comparisons.studentised import permutation_studentised


def every_pair(n_agents: int) -> list[tuple[int, int]]:
    return list(combinations(range(n_agents), 2))


def run(groups: list[np.ndarray], pairs: list[tuple[int, int]] | None = None, n_resamples: int = 499) -> np.ndarray:
    rng = np.random.default_rng(0)
    return max_t(groups, every_pair(len(groups)) if pairs is None else pairs, rng=rng, n_resamples=n_resamples)


def normal(means: tuple[float, ...], n: int, rows: int = 0, seed: int = 0) -> list[np.ndarray]:
    shape = (rows, n) if rows else (n,)
    rng = np.random.default_rng(seed)
    return [rng.normal(mean, 1, shape) for mean in means]


def t_of(x: np.ndarray, y: np.ndarray) -> float:
    return float(abs(x.mean() - y.mean()) / np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y)))


# ---------------------------------------------------------------- what it computes


@pytest.mark.parametrize(("n_a", "n_b"), [(5, 5), (4, 9), (12, 12)])
def test_one_pair_needs_no_correction(n_a: int, n_b: int) -> None:
    rng = np.random.default_rng(n_a)
    a, b = rng.normal(1, 1, n_a), rng.normal(0, 1, n_b)
    alone = permutation_studentised(a, b, alpha=0.05, rng=rng, n_resamples=9, interval=False).p_value
    assert float(alone) == float(run([a, b])[0])


def test_three_agents_by_hand() -> None:
    """The pair's own p-value, or that of all three being alike where it is larger: 1,680 deals, one at a time."""
    groups = normal((0, 0.5, 2), 3)
    pool, pairs = np.concatenate(groups), every_pair(3)
    top = []
    for first in combinations(range(9), 3):
        for second in combinations(sorted(set(range(9)) - set(first)), 3):
            third = sorted(set(range(9)) - set(first) - set(second))
            top.append(max(t_of(pool[list(x)], pool[list(y)]) for x, y in combinations((first, second, third), 2)))
    observed = max(t_of(groups[i], groups[j]) for i, j in pairs)
    all_alike = (np.array(top) >= observed - 1e-9).mean()
    own = [float(run([groups[i], groups[j]])[0]) for i, j in pairs]
    np.testing.assert_allclose(np.maximum(own, all_alike), run(groups), rtol=1e-12)


def test_two_pairs_that_share_no_agent_are_judged_by_the_smaller_of_two_p_values() -> None:
    groups = normal((0, 2, 0, 1), 5)
    own = np.array([float(run([groups[i], groups[j]])[0]) for i, j in ((0, 1), (2, 3))])
    expected = np.maximum(own, 1 - (1 - own.min()) ** 2)
    np.testing.assert_allclose(expected, run(groups, [(0, 1), (2, 3)]), rtol=1e-12)


def test_every_deal_is_there_once() -> None:
    deals = _every_deal([2, 1, 2])
    assert (30, 5) == deals.shape
    assert 30 == len(np.unique(deals, axis=0))
    assert (np.sort(deals, axis=1) == [0, 0, 1, 2, 2]).all()


def test_listing_and_drawing_the_deals_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = normal((0, 0.5, 1), 3, rows=20)
    listed = run(groups)
    monkeypatch.setattr(module, "_LISTED", 0)
    drawn = run(groups, n_resamples=4_999)
    assert np.abs(drawn - listed).max() < 0.03
    assert np.abs(drawn - listed).max() > 0


def test_adjusted_p_values_are_at_least_those_of_the_pairs() -> None:
    groups = normal((0, 0.5, 1, 1.5), 5, rows=50)
    own = np.stack([run([groups[i], groups[j]])[:, 0] for i, j in every_pair(4)], axis=-1)
    assert (run(groups) >= own - 1e-12).all()


def test_the_names_of_the_agents_do_not_matter() -> None:
    groups, pairs = normal((0, 1, 2), 3), every_pair(3)
    turned = run(groups[::-1], [(2 - i, 2 - j) for i, j in pairs])
    np.testing.assert_allclose(turned, run(groups), rtol=1e-12)


def test_neither_unit_nor_origin_of_the_scores_matters() -> None:
    groups = [np.round(64 * x) / 64 for x in normal((0, 1, 2), 4)]
    for other in ([1e-3 * x for x in groups], [x + 1e9 for x in groups]):
        np.testing.assert_array_equal(run(groups), run(other))


def test_a_constant_agent_far_from_the_others_is_called() -> None:
    groups = [np.full(6, 500.0), *normal((0, 0), 6)]
    p = run(groups, n_resamples=999)
    assert (p[:2] <= 0.05).all()
    assert p[2] > 0.05


def test_agents_that_are_all_constant_do_not_break_it() -> None:
    assert (run([np.full(3, 0.1)] * 3) == 1).all()
    p = run([np.full(4, 0.1), np.full(4, 0.2), np.full(4, 0.2)])
    assert (p >= 2 / 70).all()
    assert p[2] == 1


def test_one_seed_decides_nothing_and_no_seed_is_no_comparison() -> None:
    groups = [*normal((0, 5), 5), np.array([99.0]), np.empty(0)]
    p = run(groups)
    assert p[0] <= 0.05
    assert p[1] == p[3] == 1
    assert np.isnan(p[[2, 4, 5]]).all()


def test_more_than_eight_agents_get_holm() -> None:
    groups, pairs = normal((0,) * 8 + (4,), 6), every_pair(9)
    own = [float(run([groups[i], groups[j]])[0]) for i, j in pairs]
    np.testing.assert_allclose(holm(own), run(groups), rtol=1e-12)


def test_no_pairs_have_no_p_values() -> None:
    assert (3, 0) == run(normal((0, 0), 4, rows=3), []).shape


# ---------------------------------------------------------------- tasks


def test_one_task_is_a_family_of_its_own() -> None:
    groups = normal((0, 1, 3), 5)
    rng = np.random.default_rng(0)
    alone = max_t(groups, every_pair(3), rng=rng.spawn(1)[0], n_resamples=499)
    together = max_t_tasks([groups], every_pair(3), rng=np.random.default_rng(0), n_resamples=499)
    np.testing.assert_array_equal(alone, together[0])


def test_with_one_pair_a_task_it_is_holm_over_the_tasks() -> None:
    p = np.random.default_rng(0).random((9, 1)) ** 3
    np.testing.assert_allclose(holm(p[:, 0]), _across_tasks(p)[:, 0], rtol=1e-12)


def test_across_tasks_every_choice_of_tasks_is_tried() -> None:
    """Closed testing word for word: k times the smallest of the p-values that k tasks still have to offer."""
    within = np.random.default_rng(1).random((4, 3)) ** 2
    for t, k in np.ndindex(4, 3):
        others = [s for s in range(4) if s != t]
        choices = (chosen for size in range(4) for chosen in combinations(others, size))
        levels = [(1 + len(c)) * min([within[t, k], *(within[s].max() for s in c)]) for c in choices]
        assert min(1, max(levels)) == pytest.approx(_across_tasks(within)[t, k])


def test_a_task_that_an_agent_never_ran_still_counts_in_the_family() -> None:
    tasks = [normal((0, 9), 6, seed=seed) for seed in range(3)]
    tasks[1][1] = np.empty(0)
    p = max_t_tasks(tasks, [(0, 1)], rng=np.random.default_rng(0), n_resamples=99)
    assert np.isnan(p[1, 0])
    np.testing.assert_allclose([3 * 2 / 924] * 2, p[[0, 2], 0])


# ---------------------------------------------------------------- the chance of one wrong call

ROWS = 1_500  # standard error .0056 at .05: .10 would be 9 of them away
NULLS = {
    "all alike": (0.0, 0.0, 0.0),
    "two of three alike, one far away": (0.0, 0.0, 100.0),
    "two of three alike, one near": (0.0, 0.0, 1.5),
    "two and two alike": (0.0, 0.0, 2.0, 2.0),
}


def family_error(groups: list[np.ndarray], means: tuple[float, ...]) -> float:
    alike = [means[i] == means[j] for i, j in every_pair(len(means))]
    return float((run(groups, n_resamples=199)[:, alike] <= 0.05).any(axis=1).mean())


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("shape", ["normal", "log-normal"])
def test_one_family_in_twenty_has_a_wrong_call_whichever_agents_differ(null: str, n: int, shape: str) -> None:
    """Measured .043-.052 with 4,000 families; a published tool has .10-.12."""
    rng, means = np.random.default_rng(n), NULLS[null]
    draw = {"normal": rng.normal, "log-normal": rng.lognormal}[shape]
    groups = [mean + draw(0, 1, (ROWS, n)) for mean in means]
    assert 0.02 <= family_error(groups, means) <= 0.066


@pytest.mark.parametrize(("n", "error"), [(5, 0.090), (10, 0.059)])
def test_unequal_variances_cost_something_with_few_seeds(n: int, error: float) -> None:
    """sd 1, 1, 3: not alike, though no mean differs. As for any permutation test, it passes as seeds are added."""
    rng = np.random.default_rng(n)
    groups = [rng.normal(0, sd, (2_000, n)) for sd in (1, 1, 3)]
    assert error == pytest.approx(family_error(groups, (0, 0, 0)), abs=0.017)


@pytest.mark.parametrize(("n", "ours", "holms"), [(5, 0.378, 0.291), (10, 0.697, 0.642)])
def test_it_finds_more_than_holm_over_welch(n: int, ours: float, holms: float) -> None:
    """Three agents, one standard deviation apart: the share of the pairs called different."""
    groups = normal((0, 1, 2), n, rows=ROWS)
    p = [
        welch(groups[i], groups[j], alpha=0.05, rng=np.random.default_rng(0), n_resamples=1).p_value
        for i, j in every_pair(3)
    ]
    assert ours == pytest.approx((run(groups, n_resamples=199) <= 0.05).mean(), abs=0.025)
    assert holms == pytest.approx((np.array([holm(row) for row in np.transpose(p)]) <= 0.05).mean(), abs=0.025)
