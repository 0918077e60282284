"""The order of the agents over several tasks: scores on one scale, an aggregate for each agent, every pair compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import isfinite
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from rlaudit.aggregate import AGGREGATES, aggregate_tasks, performance_profiles, probability_of_improvement
from rlaudit.aggregate import normalise as put_on_one_scale
from rlaudit.aggregate.pools import Pool, pool_of
from rlaudit.aggregate.resample import resamples
from rlaudit.comparisons import holm
from rlaudit.comparisons.moments import flat_p, smallest_p
from rlaudit.errors import RlauditError, did_you_mean
from rlaudit.leaderboard.first_place import OF_RUNS, first_places, sizes_up_to
from rlaudit.leaderboard.order import Standing, first_place, in_order, leaders, ranked
from rlaudit.results import AggregateValue, Leaderboard, MatrixCell, ProfileLine
from rlaudit.seeds import generator
from rlaudit.types import Floats, ScoreTable

References = Mapping[str, tuple[float, float]]

_FEW_RUNS = 12  # of an agent: up to here the middle half is six runs or fewer, and the mean ranks;
_FEW_TASKS = 5  # so it does below, where two modes of the scores give an IQM's standard error away (see `_p_value`)
_RESAMPLES = 9_999  # for intervals of aggregates and profiles, and of P(improvement) in up to 10 pairs;
_FEWEST = 1_999  # of more pairs fewer: then the standard error of an end is 3 % of its distance
_SPREAD = 1_999  # for the standard error of an IQM: known to 1.6 %
_POINTS = 51  # of a profile


def board_over(table: ScoreTable, given: References, *, alpha: float, n_draws: int, seed: int) -> Leaderboard | None:
    """None where fewer than two agents share two tasks. Other tasks than these might order the agents otherwise.

    Of tasks that some agent lacks nobody's runs count; an agent that lacks more than half of all is left out instead.
    """
    scored = [arm for arm in table.arms if len(arm.scores) >= 2]
    agents = [a for a in table.agents if 2 * sum(arm.agent == a for arm in scored) >= len(table.tasks)]
    found = {(arm.agent, arm.task): arm for arm in scored}
    tasks = [task for task in table.tasks if all((agent, task) in found for agent in agents)]
    if len(agents) < 2 or len(tasks) < 2:
        return None
    _check_names(table.tasks, given)
    used = replace(table, arms=tuple(found[agent, task] for agent in agents for task in tasks), curves=(), episodes=())
    references, normalisation = _references(used, given)
    scaled = put_on_one_scale(used, references)
    return replace(
        _board(scaled, alpha=alpha, n_draws=n_draws, seed=seed),
        normalisation=normalisation,
        left_out=tuple(sorted(set(table.agents) - set(agents))),
    )


def _check_names(tasks: Sequence[str], given: References) -> None:
    """More references than tasks are welcome; another name where a task has none is a slip."""
    missing = [task for task in tasks if task not in given]
    for name in given:
        if missing and name not in tasks:
            raise RlauditError(
                f"audit.normalise: {name!r} is no task of these runs, and {missing[0]!r} has no reference scores."
                f"{did_you_mean(name, missing)}"
            )


def _references(table: ScoreTable, given: References) -> tuple[References, str]:
    """The config's, else the worst and the best score that any agent reached on the task."""
    seen: dict[str, tuple[float, float]] = {}
    flat = 0
    for task in table.tasks:
        if task not in given:
            scores = np.concatenate([arm.scores for arm in table.arms if arm.task == task])
            low, high = float(scores.min()), float(scores.max())
            worst, best = (low, high) if table.higher_is_better else (high, low)
            if low == high:  # then every run is at the best score seen
                flat += 1
                worst -= (1 if table.higher_is_better else -1) * max(1.0, abs(best))
            seen[task] = worst, best
    n_given, n_tasks = len(table.tasks) - len(seen), len(table.tasks)
    part = f" on {n_given} of {n_tasks} tasks; on the others" if n_given else ""
    words = f"reference scores of the config{part if seen else ''}" if n_given else ""
    if seen:
        words += (
            " 0 for the worst and 1 for the best score that any of these agents reached on the task, so that other "
            "agents, or one more run, would change it"
        )
    if flat:
        words += f"; on {flat} {'task' if flat == 1 else 'tasks'} all scores are equal, and count as 1"
    return {**given, **seen}, words.strip()


def _board(table: ScoreTable, *, alpha: float, n_draws: int, seed: int) -> Leaderboard:
    pools = {agent: pool_of([arm for arm in table.arms if arm.agent == agent], True) for agent in table.agents}
    n_runs = min(sum(pool.sizes) for pool in pools.values())
    statistic = "iqm" if n_runs > _FEW_RUNS and len(table.tasks) >= _FEW_TASKS else "mean"
    aggregates = _aggregates(table, alpha, seed)
    ordered = in_order([Standing(one.agent, one.value, one.low, one.high) for one in aggregates[statistic]])
    n_seeds = min(min(pool.sizes) for pool in pools.values())
    cells = _cells(table, ordered, {a: _spread(a, pool, statistic, seed) for a, pool in pools.items()}, alpha, seed)
    shares = first_places(
        {agent: pool.scores for agent, pool in pools.items()},
        leaders(ordered),
        sizes_up_to(n_seeds),
        OF_RUNS[statistic],
        n_draws=n_draws,
        seed=seed,
        name="",
    )
    return Leaderboard(
        task="",
        n_tasks=len(table.tasks),
        n_seeds=n_seeds,
        by={"iqm": "IQM of the normalised scores", "mean": "mean of the normalised scores"}[statistic],
        agents=ranked(ordered, cells, shares[n_seeds], sign=1),
        first_place=first_place(shares),
        matrix=cells,
        profiles=_profiles(table, [one.agent for one in ordered], alpha, seed),
        aggregates=tuple(one for name in aggregates for one in _by(ordered, aggregates[name])),
        n_pairs=len(cells),
        n_decided=sum(cell.decided != 0 for cell in cells),
    )


def _of_one(table: ScoreTable, agent: str) -> ScoreTable:
    """By itself, with a random stream of its own: the order of the agents changes no number."""
    return replace(table, arms=tuple(arm for arm in table.arms if arm.agent == agent))


# ---------------------------------------------------------------- aggregates and profiles


def _aggregates(table: ScoreTable, alpha: float, seed: int) -> dict[str, list[AggregateValue]]:
    """Of each agent, with the stretched stratified bootstrap of `aggregate_tasks`."""
    found: dict[str, list[AggregateValue]] = {name: [] for name in AGGREGATES}
    for agent in table.agents:
        rng = generator(seed, "leaderboard", "aggregates", agent)
        every = aggregate_tasks(
            _of_one(table, agent), statistics=list(AGGREGATES), level=1 - alpha, n_resamples=_RESAMPLES, rng=rng
        )
        for one in every:
            low, high = (end if isfinite(end) else None for end in (one.low, one.high))
            note = "; ".join(one.notes)
            found[one.statistic].append(AggregateValue(agent, one.statistic, one.value, low, high, note))
    return found


def _by(ordered: Sequence[Standing], values: Sequence[AggregateValue]) -> list[AggregateValue]:
    place = {one.agent: i for i, one in enumerate(ordered)}
    return sorted(values, key=lambda one: place[one.agent])


def _profiles(table: ScoreTable, agents: Sequence[str], alpha: float, seed: int) -> tuple[ProfileLine, ...]:
    """From the lowest score to that which one run in a hundred exceeds: far outliers would squeeze the picture."""
    scores = np.concatenate([arm.scores for arm in table.arms])
    tau = np.linspace(scores.min(), np.quantile(scores, 0.99), _POINTS)
    lines = []
    for agent in agents:
        rng = generator(seed, "leaderboard", "profile", agent)
        (one,) = performance_profiles(_of_one(table, agent), tau, level=1 - alpha, n_resamples=_RESAMPLES, rng=rng)
        lines.append(
            ProfileLine(
                agent, *(tuple(np.round(x, 4).tolist()) for x in (one.thresholds, one.share, one.low, one.high))
            )
        )
    return tuple(lines)


# ---------------------------------------------------------------- pairs


class Spread(NamedTuple):
    """How sure an agent's value is."""

    variance: float
    df: float
    n_seeds: int  # on the task with the fewest


def _spread(agent: str, pool: Pool, statistic: str, seed: int) -> Spread:
    """The squared standard error of a mean over tasks in closed form, of an IQM by the stratified bootstrap.

    The bootstrap's is too small by (n - 1) / n and is multiplied back, as `aggregate.intervals.Sampling.stretch` does.
    Degrees of freedom: Satterthwaite 1946 (Biometrics Bulletin 2, 110-114), for a sum of independent variances.
    """
    n = np.array(pool.sizes, dtype=np.float64)
    shares = np.array([_variance(x) for x in pool.scores]) / (n - 1)
    df = float(shares.sum() ** 2 / (shares**2 / (n - 1)).sum()) if shares.any() else float((n - 1).sum())
    if statistic == "mean":
        return Spread(float(shares.sum()) / len(n) ** 2, df, min(pool.sizes))
    rng = generator(seed, "leaderboard", "spread", agent)
    values = [AGGREGATES[statistic](pool, draws) for (draws,) in resamples([pool.sizes], _SPREAD, rng)]
    variance = _variance(np.concatenate(values)) * (1 / n).sum() / ((n - 1) / n**2).sum()
    return Spread(float(variance), df, min(pool.sizes))


def _variance(x: Floats) -> float:
    """Exactly 0 where all are equal: 0.1, 0.1, 0.1 are not, measured from their mean."""
    return float((x - x[0]).var())


def _cells(
    table: ScoreTable, ordered: Sequence[Standing], spreads: Mapping[str, Spread], alpha: float, seed: int
) -> tuple[MatrixCell, ...]:
    """Every agent against those behind it; the family of Holm's correction are these pairs."""
    pairs = list(combinations(ordered, 2))
    adjusted = holm([_p_value(a.value - b.value, spreads[a.agent], spreads[b.agent]) for a, b in pairs])
    n_resamples = max(_FEWEST, _RESAMPLES * 10 // max(len(pairs), 10))
    cells = []
    for (a, b), p in zip(pairs, adjusted.tolist(), strict=True):
        rng = generator(seed, "leaderboard", "improvement", a.agent, b.agent)
        won = probability_of_improvement(table, a.agent, b.agent, level=1 - alpha, n_resamples=n_resamples, rng=rng)
        cells.append(MatrixCell(a.agent, b.agent, won.value, won.low, won.high, p, int(p <= alpha)))
    return tuple(cells)


def _p_value(gap: float, a: Spread, b: Spread) -> float:
    """Two-sided, as Welch's t test: for one task and means it is that test.

    Families of 4 equal agents with even one wrong call, of 1,000 tables each (alpha .05, scores between the worst and
    the best seen; 2, 5 and 26 tasks with 3, 5 and 10 seeds): mean .01-.05 for normal, log-normal and bimodal scores;
    IQM .02-.04 for normal, .00-.03 for log-normal and .04-.07 for bimodal ones, and .075 on 2 tasks with 10 seeds.
    """
    variance = a.variance + b.variance
    if variance == 0:
        return float(flat_p(np.array(gap), smallest_p(a.n_seeds, b.n_seeds)))
    df = variance**2 / (a.variance**2 / a.df + b.variance**2 / b.df)
    return float(2 * stdtr(df, -abs(gap) / np.sqrt(variance)))
