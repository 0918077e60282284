"""Resamples as counts."""

from itertools import product
from math import factorial, prod

import numpy as np
import pytest

from rlaudit.aggregate import resample
from rlaudit.aggregate.resample import Draws, draw_counts, observed, resamples


def drawn(sizes: list[int], n: int, over: resample.Over = "runs", seed: int = 0) -> Draws:
    ((draws,),) = resamples([sizes], n, np.random.default_rng(seed), over)
    return draws


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 10, 15, 16, 40, 300])
def test_every_resample_draws_as_many_runs_as_there_are(n: int) -> None:
    counts = draw_counts(n, 1001, np.random.default_rng(0))
    assert counts.shape == (n, 1001)
    assert (counts.sum(axis=0, dtype=int) == n).all()


@pytest.mark.parametrize("n", [2, 5, 7, 10, 15, 16, 20])
def test_a_run_is_drawn_as_often_as_the_multinomial_says(n: int) -> None:
    """Mean 1, variance 1 - 1/n, covariance -1/n; 200,000 resamples know them to .01."""
    cov = np.cov(draw_counts(n, 200_000, np.random.default_rng(n)).astype(float))
    np.testing.assert_allclose(cov, np.eye(n) - 1 / n, atol=0.015)


@pytest.mark.parametrize("n", [3, 4])
def test_outcomes_have_their_multinomial_probabilities(n: int) -> None:
    counts, total = draw_counts(n, 100_000, np.random.default_rng(0)), 0.0
    for cell in product(range(n + 1), repeat=n):
        if sum(cell) == n:
            p = factorial(n) / prod(map(factorial, cell)) / n**n
            share = (counts == np.array(cell)[:, None]).all(axis=0).mean()
            assert share == pytest.approx(p, abs=5 * np.sqrt(p / 100_000))
            total += p
    assert total == pytest.approx(1)


def test_two_tasks_and_two_agents_are_drawn_apart() -> None:
    ((a, b),) = resamples([[5, 5], [5, 5]], 20_000, np.random.default_rng(0))
    one = [task.counts[0].astype(float) for draws in (a, b) for task in draws.tasks]
    assert np.abs(np.corrcoef(one) - np.eye(4)).max() < 0.03


def test_over_tasks_every_place_has_a_task_and_its_runs_are_drawn_anew() -> None:
    draws = drawn([3, 16, 5], 2_000, "tasks")
    filled = np.zeros((3, 2_000), int)
    for task, n in zip(draws.tasks, (3, 16, 5), strict=True):
        assert (task.counts.sum(axis=0, dtype=int) == n).all()
        filled[task.places, task.resamples] += 1
    assert (filled == 1).all()
    for counts, task, n in zip(draws.run_counts(), draws.tasks, (3, 16, 5), strict=True):
        times = np.bincount(task.resamples, minlength=2_000)
        np.testing.assert_array_equal(counts.sum(axis=0, dtype=int), n * times)


def test_both_agents_meet_on_the_same_drawn_tasks() -> None:
    ((a, b),) = resamples([[3, 4], [6, 2]], 50, np.random.default_rng(0), "tasks")
    for x, y in zip(a.tasks, b.tasks, strict=True):
        np.testing.assert_array_equal(x.places, y.places)
        np.testing.assert_array_equal(x.resamples, y.resamples)


def test_as_observed_every_run_counts_once() -> None:
    assert [task.counts.tolist() for task in observed([1, 3]).tasks] == [[[1]], [[1], [1], [1]]]


@pytest.mark.parametrize("over", ["runs", "tasks"])
def test_chunks_make_as_many_resamples_as_were_asked_for(over: resample.Over, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "_CHUNK", 64)
    widths = [draws.width for (draws,) in resamples([[3, 4]], 150, np.random.default_rng(0), over)]
    assert widths == [64, 64, 22]


def test_many_runs_make_narrow_chunks() -> None:
    (draws,) = next(resamples([[10_000] * 4], 2_000, np.random.default_rng(0)))
    assert draws.width * 40_000 <= 2**25


@pytest.mark.parametrize("n", [5, 10, 20])
def test_a_chunk_depends_on_its_own_stream_alone(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "_CHUNK", 64)
    streams = np.random.default_rng(0).spawn(3)
    for (draws,), stream in zip(resamples([[n]], 160, np.random.default_rng(0)), streams, strict=True):
        np.testing.assert_array_equal(draws.tasks[0].counts, draw_counts(n, draws.width, stream))
