"""The order of agents over several tasks: one scale, one aggregate, every pair."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaderboard_tables import boards, normal, places, table_of
from scipy import stats

from rlaudit.aggregate import iqm
from rlaudit.aggregate.pools import Pool
from rlaudit.aggregate.resample import observed
from rlaudit.aggregate.statistics import AGGREGATES
from rlaudit.comparisons import holm
from rlaudit.errors import RlauditError
from rlaudit.leaderboard.over_tasks import _p_value, _spread
from rlaudit.results import MatrixCell


def test_tasks_that_some_agent_lacks_count_for_nobody() -> None:
    pools = dict(normal((2, 1, 0), 4, 6))
    del pools["b", "task 3"]
    together, *single = boards(table_of(pools))
    assert (3, 4) == (together.n_tasks, len(single))
    assert 2 == len(single[3].agents)


def test_an_agent_that_lacks_more_than_half_of_the_tasks_is_left_out_instead() -> None:
    pools = {**normal((2, 1, 0), 4, 6), ("z", "task 0"): [9, 9, 9]}
    together = boards(table_of(pools))[0]
    assert 4 == together.n_tasks
    assert ("z",) == together.left_out


def test_two_agents_on_several_tasks_have_a_leaderboard() -> None:
    together, *single = boards(table_of(normal((1, 0), 3, 6)))
    assert (3, 2, 3) == (together.n_tasks, len(together.agents), len(single))


def test_agents_that_share_no_two_tasks_are_ordered_task_by_task_only() -> None:
    pools = {(agent, task): [1.0, 2, 3] for task, agents in (("s", "abc"), ("t", "def")) for agent in agents}
    found = boards(table_of(pools))
    assert ["s", "t"] == [board.task for board in found]


def test_scores_are_put_between_the_references_of_the_config() -> None:
    pools = {
        (agent, task): [base + k, base + k + 2]
        for k, agent in enumerate("abc")
        for task, base in (("s", 0), ("t", 100))
    }
    together = boards(table_of(pools), normalise={"s": (0, 10), "t": (100, 110)})[0]
    assert {"a": 0.1, "b": 0.2, "c": 0.3} == pytest.approx({one.agent: one.value for one in together.agents})
    assert "reference scores of the config" == together.normalisation


def test_without_references_the_worst_and_the_best_score_seen_are_the_scale_and_it_says_so() -> None:
    pools = {
        (agent, task): [base + k, base + k + 2]
        for k, agent in enumerate("abc")
        for task, base in (("s", 0), ("t", 100))
    }
    together = boards(table_of(pools), normalise={"s": (0, 10)})[0]
    assert 0.2 * 0.5 + 0.5 * 0.5 == pytest.approx(together.agents[1].value)
    assert "config on 1 of 2 tasks; on the others 0 for the worst" in together.normalisation
    assert "other agents, or one more run, would change it" in together.normalisation


def test_references_upside_down_are_refused() -> None:
    table = table_of(normal((1, 0), 2, 4))
    with pytest.raises(RlauditError, match="give the worse one first"):
        boards(table, normalise={"task 0": (10, 0), "task 1": (0, 10)})


def test_references_of_a_task_that_is_not_there_are_refused_where_another_has_none() -> None:
    table = table_of(normal((1, 0), 2, 4))
    with pytest.raises(RlauditError, match=r"'tusk 1' is no task of these runs.* Did you mean 'task 1'"):
        boards(table, normalise={"task 0": (0, 10), "tusk 1": (0, 10)})
    assert boards(table, normalise={"task 0": (0, 10), "task 1": (0, 10), "more": (0, 1)})[0].agents


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_task_on_which_all_scores_are_equal_counts_as_one_for_everybody(higher_is_better: bool) -> None:
    pools = {**normal((2, 1, 0), 2, 6), **{(agent, "flat"): [7.0] * 6 for agent in "abc"}}
    together = boards(table_of(pools, higher_is_better))[0]
    assert together.normalisation.endswith("on 1 task all scores are equal, and count as 1")
    assert "ca"[higher_is_better] == together.agents[0].agent
    assert all(one.value >= 1 / 3 for one in together.agents)


def test_few_runs_or_few_tasks_are_ranked_by_the_mean_and_more_by_the_iqm() -> None:
    by = {shape: boards(table_of(normal((1, 0), *shape)))[0].by for shape in ((5, 2), (4, 20), (5, 3))}
    assert {(5, 2): "mean", (4, 20): "mean", (5, 3): "IQM"} == {shape: words.split()[0] for shape, words in by.items()}


def test_values_are_the_aggregates_of_the_scaled_runs() -> None:
    pools = normal((1, 0.5, 0), 5, 4)
    together = boards(table_of(pools), normalise={f"task {t}": (0, 10) for t in range(5)})[0]
    for one in together.agents:
        runs = np.concatenate([x / 10 for (agent, _), x in pools.items() if agent == one.agent])
        assert iqm(runs) == pytest.approx(one.value)
        found = {v.statistic: v.value for v in together.aggregates if v.agent == one.agent}
        assert {"mean", "median", "iqm", "optimality_gap"} == set(found)
        assert runs.mean() == pytest.approx(found["mean"])
        assert (1 - runs).mean() == pytest.approx(found["optimality_gap"])


def test_the_chance_to_beat_is_the_share_of_won_pairs_of_runs() -> None:
    pools = normal((1, 0.5, 0), 2, 4)
    together = boards(table_of(pools))[0]
    assert 3 == together.n_pairs
    for cell in together.matrix:
        won = [np.mean(np.subtract.outer(pools[cell.a, t], pools[cell.b, t]) > 0) for t in ("task 0", "task 1")]
        assert np.mean(won) == pytest.approx(cell.better)
        assert cell.low <= cell.better <= cell.high


@settings(max_examples=10, deadline=None)
@given(st.permutations("abc"), st.lists(st.floats(0.1, 100), min_size=3, max_size=3))
def test_tasks_may_be_rescaled_with_their_references_and_agents_renumbered(
    order: list[str], scales: list[float]
) -> None:
    pools = normal((1, 0.5, 0), 3, 4)
    one = boards(table_of(pools), normalise={f"task {t}": (-2, 3) for t in range(3)}, n_draws=50)[0]
    scaled = {(agent, f"task {t}"): 5 + scales[t] * pools[agent, f"task {t}"] for agent in order for t in range(3)}
    references = {f"task {t}": (5 - 2 * scale, 5 + 3 * scale) for t, scale in enumerate(scales)}
    other = boards(table_of(scaled), normalise=references, n_draws=50)[0]
    assert places(one) == places(other)
    assert [x.value for x in one.agents] == pytest.approx([x.value for x in other.agents])
    assert [x.first for x in one.agents] == pytest.approx([x.first for x in other.agents])
    assert [c.p_adjusted for c in one.matrix] == pytest.approx([c.p_adjusted for c in other.matrix])


def test_the_order_over_tasks_turns_round_where_lower_is_better() -> None:
    pools = normal((1, 0.5, 0), 5, 4)
    up = boards(table_of(pools))[0]
    down = boards(table_of({key: -x for key, x in pools.items()}, higher_is_better=False))[0]
    assert up == down


# ---------------------------------------------------------------- pairs over several tasks


def pool(*tasks: np.ndarray) -> Pool:
    return Pool(tuple(np.sort(task) for task in tasks))


def test_on_one_task_the_means_are_compared_as_by_welch() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.5, 1, 6), rng.normal(0, 3, 11)
    p = _p_value(a.mean() - b.mean(), _spread("a", pool(a), "mean", 0), _spread("b", pool(b), "mean", 0))
    assert stats.ttest_ind(a, b, equal_var=False).pvalue == pytest.approx(p, rel=1e-9)


def test_over_tasks_the_error_of_a_mean_is_that_of_a_mean_of_independent_means() -> None:
    rng = np.random.default_rng(1)
    tasks = [rng.normal(0, s, n) for s, n in ((1, 4), (5, 9), (0.1, 3))]
    variances = np.array([stats.sem(x) ** 2 for x in tasks])
    found = _spread("a", pool(*tasks), "mean", 0)
    assert variances.sum() / 9 == pytest.approx(found.variance)
    assert variances.sum() ** 2 / (variances**2 / [3, 8, 2]).sum() == pytest.approx(found.df)


def test_the_error_of_an_iqm_is_that_of_a_bootstrap_made_by_hand() -> None:
    rng = np.random.default_rng(2)
    tasks = rng.normal(0, 1, (5, 4))
    drawn = np.stack([x[rng.integers(0, 4, (20_000, 4))] for x in tasks], axis=1).reshape(20_000, 20)
    assert iqm(drawn).var() * 4 / 3 == pytest.approx(_spread("a", pool(*tasks), "iqm", 0).variance, rel=0.1)


def test_runs_without_any_spread_do_not_decide_beyond_what_their_number_allows() -> None:
    """2 v 2 seeds without spread: p = 1/3, as the exact test says, and never 0."""
    flat = {("a", "s"): [2, 2], ("a", "t"): [2, 2], ("b", "s"): [1, 1], ("b", "t"): [1, 1]}
    (cell,) = boards(table_of(flat))[0].matrix
    assert MatrixCell("a", "b", 1.0, cell.low, cell.high, pytest.approx(1 / 3), 0) == cell
    even = {key: [1.0, 1.0] for key in flat}
    assert 1 == boards(table_of(even))[0].matrix[0].p_adjusted


@pytest.mark.parametrize("n_tasks", [2, 5])
def test_constant_scores_that_have_no_exact_mean_have_no_spread_either(n_tasks: int) -> None:
    """The mean of 0.1, 0.1, 0.1 is 0.10000000000000002; p is that of 3 v 3 seeds, 0.1, for the mean and for the IQM."""
    pools = {(agent, f"task {t}"): [x] * 3 for agent, x in (("a", 0.3), ("b", 0.1)) for t in range(n_tasks)}
    (cell,) = boards(table_of(pools), normalise={f"task {t}": (0, 0.7) for t in range(n_tasks)})[0].matrix
    assert 0.1 == pytest.approx(cell.p_adjusted)


BIMODAL = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "bimodal": lambda rng, shape: np.where(rng.random(shape) < 0.6, 0, 3) + 0.3 * rng.standard_normal(shape),
}


@pytest.mark.parametrize(
    ("kind", "statistic", "n_tasks", "measured"),
    [("normal", "mean", 2, 44), ("bimodal", "mean", 2, 53), ("normal", "iqm", 5, 34), ("bimodal", "iqm", 5, 55)],
)
def test_four_equal_agents_seldom_have_a_decided_pair(kind: str, statistic: str, n_tasks: int, measured: int) -> None:
    """Of 1,200 families with 5 seeds 60 may; with alpha = .1 they are 81, 89, 60 and 87."""
    rng, wrong = np.random.default_rng(4), 0
    for table in range(1_200):
        runs = BIMODAL[kind](rng, (4, n_tasks, 5)) * rng.uniform(0.5, 2, (n_tasks, 1))
        pools = [pool(*agent) for agent in runs]
        values = [float(AGGREGATES[statistic](one, observed(one.sizes))[0]) for one in pools]
        spreads = [_spread(str(i), one, statistic, table) for i, one in enumerate(pools)]
        pairs = combinations(range(4), 2)
        wrong += min(holm([_p_value(values[i] - values[j], spreads[i], spreads[j]) for i, j in pairs])) <= 0.05
    assert wrong <= measured + 3 * measured**0.5
