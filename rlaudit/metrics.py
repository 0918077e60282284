"""One pair by many metrics: does the conclusion depend on how a score is made of a learning curve?

Whoever looks at many metrics and reports the best one has many chances to be wrong. Between two groups of one and the
same agent Welch's test finds a difference in 2.9 % (SAC, 5 against 5 seeds), 2.9 % (TD3) and 4.2 % (random walks of 60
points) of cases by the last evaluation, but by at least one of 20, 20 and 19 metrics in 20 %, 11 % and 18 %; with 10
against 10 seeds in 19 %, 12 % and 19 %; in 34 % for 60 points that correlate by .9. So the verdict stays with the
metric that was named beforehand, and the others are shown with p-values that hold for all of them together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rlaudit.comparisons import COMPARISONS, PAIRED, holm
from rlaudit.comparisons.moments import moments
from rlaudit.curves import align, curve_max_t
from rlaudit.errors import RlauditError
from rlaudit.results import MetricChoice, MetricView, PairAudit
from rlaudit.rounding import settled
from rlaudit.seeds import generator
from rlaudit.types import ArmCurves, ArmScores, Floats, Ints, ScoreTable, SeedLabel, Verdict

CUTS = (0.25, 0.5, 0.75, 1.0)  # of the steps that both agents trained
LAST = (5, 10)  # evaluations
_SHOWN = 10  # pairs whose metrics are listed: those that depend on the metric most; of 600 pairs nobody reads 10,000
_DIRECT = frozenset({"welch", "student", "yuen", "mann_whitney", "rank_t", "brunner_munzel", "paired_t"})
_EDGE = 0.05  # of the stretch: a run that ends so little earlier has finished
_N_DEALS = 9_999
_EVEN = 1.25  # times as many seeds; beyond it no deals of seeds between agents that may spread differently


def metric_views(table: ScoreTable, pairs: Sequence[PairAudit], *, alpha: float, seed: int) -> tuple[MetricChoice, ...]:
    """Every pair by every metric that its curves allow, the one that depends on the choice most first.

    Empty without learning curves. By the deciding test of the pair, or by Welch's where that one resamples. Nothing
    here touches the pair's verdict.
    """
    curves = {(arm.agent, arm.task): arm for arm in table.curves}
    looked = []
    for pair in pairs:
        a, b = (curves.get((agent, pair.task)) for agent in (pair.a, pair.b))
        if a and b:
            metrics = _metrics(table, a, b, paired=pair.decided_by in PAIRED)
            if len(metrics) > 1:
                looked.append(_look(pair, metrics, table.higher_is_better, alpha))
    looked.sort(key=lambda one: _depends(one.choice), reverse=True)
    listed = [_survivors(one, alpha, seed) for one in looked[:_SHOWN]]
    return (*listed, *(replace(one.choice, views=()) for one in looked[_SHOWN:]))


def _depends(choice: MetricChoice) -> tuple[float, ...]:
    both = min(choice.significant_a, choice.significant_b) > 0
    gains = [view.gain for view in choice.views if view.gain is not None]
    spread = max(gains) - min(gains) if gains else 0.0
    return both, choice.depends, choice.turned_at_end / choice.n_at_end, choice.turned / choice.n_metrics, spread


# ---------------------------------------------------------------- scores from curves


class _Metric(NamedTuple):
    """One way to make a score: by it one number per seed, NaN where a run does not reach so far."""

    name: str
    until: float  # share of the steps
    a: Floats  # (n_a,)
    b: Floats  # (n_b,)
    asked: bool = False


def _metrics(table: ScoreTable, a: ArmCurves, b: ArmCurves, *, paired: bool) -> list[_Metric]:
    """The metric of the audit first, then those of the curves that say something else and that two seeds have."""
    x, y = table.arm(a.agent, a.task), table.arm(b.agent, b.task)
    seeds = (x.seeds, y.seeds)
    if paired:
        seeds = (tuple(seed for seed in x.seeds if seed in set(y.seeds)),) * 2
    asked = _Metric(table.metric, 1.0, _scores_of(x, seeds[0]), _scores_of(y, seeds[1]), asked=True)
    try:
        a, b = align(a, b)
    except RlauditError:  # no stretch of steps that both have
        return [asked]
    values = [_rows_of(arm, own) for arm, own in zip((a, b), seeds, strict=True)]
    found = [asked]
    for until, stop in _stops(a.steps):
        both = (curve_scores(a.steps[:stop], part[:, :stop], table.higher_is_better) for part in values)
        for (name, of_a), of_b in zip(next(both).items(), next(both).values(), strict=True):
            of_a, of_b = settled(of_a, of_b)
            found.append(_Metric(name, until, of_a, of_b))
    return [one for one in found if one.asked or (_is_new(one, asked) and _usable(one))]


def _scores_of(arm: ArmScores, seeds: Sequence[SeedLabel]) -> Floats:
    return arm.scores[[arm.seeds.index(seed) for seed in seeds]]


def _rows_of(arm: ArmCurves, seeds: Sequence[SeedLabel]) -> Floats:
    """(n_seeds, n_points) in the order of `seeds`; NaN for a seed without a curve.

    Runs that begin or end within a twentieth of the stretch of its ends get their nearest evaluation there.
    """
    place = {seed: row for row, seed in enumerate(arm.seeds)}
    values = np.full((len(seeds), len(arm.steps)), np.nan)
    edge = _EDGE * (arm.steps[-1] - arm.steps[0])
    for row, seed in zip(values, seeds, strict=True):
        if seed in place:
            curve = arm.values[place[seed]]
            seen = np.flatnonzero(~np.isnan(curve))
            if len(seen):
                first, last = seen[0], seen[-1]
                row[:] = curve
                row[:first][arm.steps[first] - arm.steps[:first] <= edge] = curve[first]
                row[last + 1 :][arm.steps[last + 1 :] - arm.steps[last] <= edge] = curve[last]
    return values


def _stops(steps: Ints) -> Iterator[tuple[float, int]]:
    """How many evaluations lie within each share of the training; each number once."""
    seen = 0
    for until in CUTS:
        stop = int(np.searchsorted(steps, until * steps[-1] * (1 + 1e-9), side="right"))
        if stop > seen:
            seen = stop
            yield until, stop


def curve_scores(steps: Ints, values: Floats, higher_is_better: bool = True) -> dict[str, Floats]:
    """Metric -> (n_seeds,) from curves (n_seeds, n_points); as in `scores`. NaN where a run lacks an evaluation.

    The mean of the last k takes part where there are 2 k evaluations or more: of fewer it is nearly the area.
    """
    n = values.shape[1]
    found = {"last": values[:, -1]}
    found |= {f"last {k}": values[:, -k:].mean(axis=1) for k in LAST if n >= 2 * k}
    if n > 1:
        moved = values - values[:, :1]  # so that equal curves have equal areas to the bit, which no product of BLAS has
        weights = np.diff(steps) / (2 * (steps[-1] - steps[0]))
        found["auc"] = values[:, 0] + ((moved[:, 1:] + moved[:, :-1]) * weights).sum(axis=1)
        found["best"] = values.max(axis=1) if higher_is_better else values.min(axis=1)
    return found


def _is_new(one: _Metric, asked: _Metric) -> bool:
    """Neither the audit's own metric by its name, nor its numbers by another."""
    if one.until < 1:
        return True
    same = np.array_equal(one.a, asked.a) and np.array_equal(one.b, asked.b)
    return one.name != asked.name and not same


def _usable(one: _Metric) -> bool:
    return all(np.isfinite(side).sum() > 1 for side in (one.a, one.b))


# ---------------------------------------------------------------- the tests


class _Looked(NamedTuple):
    choice: MetricChoice
    metrics: Sequence[_Metric]


def _look(pair: PairAudit, metrics: Sequence[_Metric], higher_is_better: bool, alpha: float) -> _Looked:
    test = pair.decided_by if pair.decided_by in _DIRECT else "welch"
    views = _views(metrics, test, 1 if higher_is_better else -1, alpha)
    asked, at_end = views[0], [view for view in views if view.until == 1]
    ahead = [view.gain for view in views if view.gain is not None]
    wins_a, wins_b = (sum(view.verdict == won for view in views) for won in (Verdict.A_BETTER, Verdict.B_BETTER))
    turned_at_end = sum(view.verdict != asked.verdict for view in at_end)
    # agents that differ after training, and not yet early on, are no contradiction
    depends = turned_at_end > 0 or min(wins_a, wins_b) > 0 or (wins_a + wins_b > 0 and asked.verdict.is_open)
    choice = MetricChoice(
        a=pair.a,
        b=pair.b,
        task=pair.task,
        test=test,
        asked=asked.metric,
        verdict=asked.verdict,
        n_metrics=len(views),
        ahead_a=sum(gain > 0 for gain in ahead),
        ahead_b=sum(gain < 0 for gain in ahead),
        significant_a=wins_a,
        significant_b=wins_b,
        turned=sum(view.verdict != asked.verdict for view in views),
        n_at_end=len(at_end),
        turned_at_end=turned_at_end,
        depends=depends,
        views=views,
    )
    return _Looked(choice, metrics)


def _views(metrics: Sequence[_Metric], test: str, sign: int, alpha: float) -> tuple[MetricView, ...]:
    """In the order of the metrics; those that the same seeds have are tested at once."""
    a, b = (np.array([getattr(metric, side) for metric in metrics]) for side in ("a", "b"))
    seen_a, seen_b = ~np.isnan(a), ~np.isnan(b)
    groups: dict[bytes, list[int]] = {}
    for place, seen in enumerate(np.hstack([seen_a, seen_b])):
        groups.setdefault(seen.tobytes(), []).append(place)
    views = {}
    for places in groups.values():
        x, y = a[places][:, seen_a[places[0]]], b[places][:, seen_b[places[0]]]
        for place, numbers in zip(places, _test(x, y, test, alpha), strict=True):
            views[place] = _view(metrics[place], numbers, sign, alpha)
    return tuple(views[place] for place in range(len(metrics)))


class _Numbers(NamedTuple):
    n_a: int
    n_b: int
    effect: float
    low: float
    high: float
    sd: float
    p: float
    direction: float


def _test(x: Floats, y: Floats, test: str, alpha: float) -> Iterator[_Numbers]:
    """Metrics (n_metrics, n_a) and (n_metrics, n_b), all at once."""
    rng = np.random.default_rng(0)  # which none of the tests in _DIRECT asks
    welch = COMPARISONS["welch"](x, y, alpha=alpha, rng=rng, n_resamples=0)
    decided = COMPARISONS[test](x, y, alpha=alpha, rng=rng, n_resamples=0, interval=False) if test != "welch" else welch
    found = moments(x, y)
    sd = np.sqrt((found.var_a + found.var_b) / 2)
    columns = (welch.effect, welch.low, welch.high, sd, decided.p_value, decided.direction)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield _Numbers(x.shape[1], y.shape[1], *row)


def _view(metric: _Metric, found: _Numbers, sign: int, alpha: float) -> MetricView:
    low, high = (end if np.isfinite(end) else None for end in (found.low, found.high))
    gains = [None if end is None or not found.sd else sign * end / found.sd for end in (low, high)]
    p = found.p if np.isfinite(found.p) else None
    verdict = Verdict.UNDECIDED
    if p is not None and p <= alpha and found.direction:
        verdict = Verdict.A_BETTER if found.direction * sign > 0 else Verdict.B_BETTER
    return MetricView(
        metric=metric.name,
        until=metric.until,
        asked=metric.asked,
        n_a=found.n_a,
        n_b=found.n_b,
        effect=found.effect,
        low=low,
        high=high,
        gain=sign * found.effect / found.sd if found.sd else None,
        gain_low=gains[0] if sign > 0 else gains[1],
        gain_high=gains[1] if sign > 0 else gains[0],
        p_value=p,
        verdict=verdict,
    )


def _survivors(one: _Looked, alpha: float, seed: int) -> MetricChoice:
    """With p-values that hold for all metrics together, and never below those of the test itself.

    Max-T deals whole seeds anew between the agents, so that metrics that rise and fall together cost little. Paired
    tests and agents of unequal numbers get Holm's, which costs more: where the 5 seeds of 5 v 15 spread three times as
    wide, some of 13 metrics without a difference survives max-T in 14 %, Holm's in 3 %; 6 v 9 in 13 and 4 %.
    """
    choice, views = one.choice, one.choice.views
    raw = np.array([np.nan if view.p_value is None else view.p_value for view in views])
    fewer, more = sorted((views[0].n_a, views[0].n_b))
    if choice.test in PAIRED or more > _EVEN * fewer:
        adjusted, error = holm(raw), 0.0
    else:
        sides = sorted([(choice.a, "a"), (choice.b, "b")])
        x, y = (np.column_stack([getattr(metric, side) for metric in one.metrics]) for _, side in sides)
        rng = generator(seed, "metrics", *(agent for agent, _ in sides), choice.task)
        found = curve_max_t(x, y, rng=rng, n_resamples=_N_DEALS)
        adjusted = np.maximum(found.adjusted, raw)
        error = 1.96 * np.sqrt(alpha * (1 - alpha) / _N_DEALS) if found.mc_error else 0.0
    listed = tuple(
        replace(view, p_adjusted=None if np.isnan(p) else float(p), survives=bool(p <= alpha - error))
        for view, p in zip(views, adjusted, strict=True)
    )
    return replace(choice, views=listed)
