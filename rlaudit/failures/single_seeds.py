"""What a comparison would say without one of its seeds, or with those that stand apart left out or filled in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Literal, NamedTuple

import numpy as np

from rlaudit.comparisons import COMPARISONS, CORRECTIONS, PAIRED
from rlaudit.comparisons.moments import moments
from rlaudit.comparisons.paired import paired_scores
from rlaudit.pairs import N_RESAMPLES
from rlaudit.results import Carrier, FailureAudit, PairAudit, Redone
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Comparison, Floats, Ints, SeedLabel, Verdict

_EVERY = 20  # seeds up to which a test other than a t test tries each;
_CANDIDATES = 8  # of more those that move the p-value of the t test most: a permutation test of 20v20 takes .06 s
_NEAREST = 100  # pairs nearest to alpha, where the deciding test is no t test


@dataclass(frozen=True, eq=False)
class Family:
    """All comparisons of an audit, which share the level alpha."""

    p_values: Floats  # (n_pairs,) of the deciding test
    alpha: float
    correction: str
    seed: int

    def side(self, place: int, p: float, direction: float, error: float) -> int | None:
        """1 or -1 where comparison `place` finds a difference if its p-value is `p`, else 0.

        None where the simulation of p cannot tell, and where there is no p.
        """
        p_values = self.p_values.copy()
        p_values[place] = p
        adjusted = float(CORRECTIONS[self.correction](p_values)[place])
        if np.isnan(p) or (error and abs(adjusted - self.alpha) < 1.96 * error * max(1.0, adjusted / p)):
            return None
        return int(direction) if adjusted <= self.alpha else 0

    def turns(self, place: int, pair: PairAudit, after: "Outcome") -> bool:
        """Whether the verdict on the difference is another one."""
        before = pair.tests[pair.decided_by]
        sides = (
            self.side(place, self.p_values[place], before.direction, before.mc_error),
            self.side(place, float(after.p), float(after.direction), float(after.error)),
        )
        return None not in sides and sides[0] != sides[1]


class Outcome(NamedTuple):
    """What a test says. All (...)."""

    p: Floats
    direction: Floats
    error: Floats


class Groups(NamedTuple):
    """The scores of both agents; of the seeds that both have, in the same order, where the deciding test pairs them."""

    x: Floats  # (n_x,)
    y: Floats  # (n_y,)
    seeds_x: tuple[SeedLabel, ...]
    seeds_y: tuple[SeedLabel, ...]


def groups_of(pair: PairAudit, a: ArmScores, b: ArmScores) -> Groups:
    """Raises NotEnoughSeeds where a paired test finds fewer than two pairs."""
    if pair.decided_by not in PAIRED:
        return Groups(a.scores, b.scores, a.seeds, b.seeds)
    shared = tuple(seed for seed in a.seeds if seed in set(b.seeds))
    return Groups(*paired_scores(a, b), shared, shared)


def family_of(pairs: Sequence[PairAudit], alpha: float, correction: str, seed: int) -> Family:
    """max-T has no formula for one changed p-value: Holm stands in, before and after the change."""
    p_values = [pair.tests[pair.decided_by].p_value for pair in pairs]
    numbers = np.array([np.nan if p is None else p for p in p_values])
    return Family(numbers, alpha, correction if correction in CORRECTIONS else "holm", seed)


def looked_at(pairs: Sequence[PairAudit], family: Family) -> list[int]:
    """Places of the pairs whose verdict is about a difference; those nearest to alpha where tests take long."""
    places = [
        place
        for place, pair in enumerate(pairs)
        if pair.verdict != Verdict.EQUIVALENT and not np.isnan(family.p_values[place])
    ]
    if places and pairs[0].decided_by != t_test_of(pairs[0]):
        adjusted = CORRECTIONS[family.correction](family.p_values)
        places.sort(key=lambda place: abs(log(max(float(adjusted[place]), 1e-300) / family.alpha)))
        places = sorted(places[:_NEAREST])
    return places


def t_test_of(pair: PairAudit) -> str:
    """That which gives the intervals, and the order in which seeds are tried."""
    return "paired_t" if pair.decided_by in PAIRED else "welch"


def run(test: str, x: Floats, y: Floats, family: Family, pair: PairAudit, *, interval: bool) -> Comparison:
    """x (..., n_x) against y (..., n_y)."""
    rng = generator(family.seed, "carrier", pair.a, pair.b, pair.task, test)
    return COMPARISONS[test](x, y, alpha=family.alpha, rng=rng, n_resamples=N_RESAMPLES, interval=interval)


def finite(value: Floats) -> float | None:
    """An end that cannot be said is None."""
    return float(value) if np.isfinite(value) else None


def cohen_d(x: Floats, y: Floats) -> float | None:
    """The difference of the means in units of the root mean square sd, as in `PairAudit`."""
    found = moments(x, y)
    sd = float(np.sqrt((found.var_a + found.var_b) / 2))
    return float(found.effect) / sd if sd else None


# ---------------------------------------------------------------- without one seed


def carrier(pair: PairAudit, place: int, groups: Groups, family: Family) -> Carrier | None:
    """The seed whose removal moves p most to the other side; None where no agent has a third seed."""
    before, n_x, paired = pair.tests[pair.decided_by], len(groups.x), pair.decided_by in PAIRED
    places = np.arange(n_x) if n_x > 2 else np.arange(0)
    if not paired and len(groups.y) > 2:
        places = np.concatenate([places, n_x + np.arange(len(groups.y))])
    if not len(places):
        return None
    now = family.side(place, family.p_values[place], before.direction, before.mc_error)
    for test in dict.fromkeys((t_test_of(pair), pair.decided_by)):
        outcome = _without_each(test, groups, places, family, pair)
        order = np.argsort(-_moved(outcome, now), kind="stable")[: _EVERY if len(places) <= _EVERY else _CANDIDATES]
        places, outcome = places[order], Outcome(*(part[order] for part in outcome))
    at, best = int(places[0]), Outcome(*(part[0] for part in outcome))
    of_x = at < n_x
    x = np.delete(groups.x, at) if of_x else groups.x
    y = np.delete(groups.y, at if paired else at - n_x) if paired or not of_x else groups.y
    t_test = run(t_test_of(pair), x, y, family, pair, interval=True)
    score = groups.x[at] - groups.y[at] if paired else groups.x[at] if of_x else groups.y[at - n_x]
    return Carrier(
        a=pair.a,
        b=pair.b,
        task=pair.task,
        agent="" if paired else pair.a if of_x else pair.b,
        seed=groups.seeds_x[at] if of_x else groups.seeds_y[at - n_x],
        score=float(score),
        effect=float(moments(groups.x, groups.y).effect),
        effect_without=float(t_test.effect),
        low_without=finite(t_test.low),
        high_without=finite(t_test.high),
        p_value=float(family.p_values[place]),
        p_without=float(best.p),
        cohen_d_without=cohen_d(x, y),
        turns=family.turns(place, pair, best),
    )


def _moved(outcome: Outcome, now: int | None) -> Floats:
    """How far p goes to the other side of alpha (n_places,): up, and down again beyond no difference; or just down."""
    away = np.where(outcome.direction == now, outcome.p, 2 - outcome.p) if now else -outcome.p
    return np.nan_to_num(away, nan=-np.inf)


def _without_each(test: str, groups: Groups, places: Ints, family: Family, pair: PairAudit) -> Outcome:
    """The test without the seed at each of the places: those of y follow on those of x."""
    x, y, n_x = groups.x, groups.y, len(groups.x)
    if test in PAIRED:
        return _outcome(run(test, _left_out(x, places), _left_out(y, places), family, pair, interval=False))
    found, of_x = np.full((3, len(places)), np.nan), places < n_x
    if of_x.any():
        rows = _left_out(x, places[of_x])
        every = np.broadcast_to(y, (len(rows), len(y)))
        found[:, of_x] = _outcome(run(test, rows, every, family, pair, interval=False))
    if not of_x.all():
        rows = _left_out(y, places[~of_x] - n_x)
        every = np.broadcast_to(x, (len(rows), n_x))
        found[:, ~of_x] = _outcome(run(test, every, rows, family, pair, interval=False))
    return Outcome(*found)


def _left_out(scores: Floats, places: Ints) -> Floats:
    """(n_places, n - 1): the scores without the one at each place."""
    others = np.arange(len(scores) - 1)
    left: Floats = scores[others + (others >= places[:, None])]
    return left


def _outcome(result: Comparison) -> Outcome:
    return Outcome(result.p_value, np.nan_to_num(result.direction), result.mc_error)


# ---------------------------------------------------------------- without those that stand apart

Change = Literal["farthest outlier", "outliers", "stuck", "failed"]


def redone(
    pair: PairAudit, place: int, a: ArmScores, b: ArmScores, audits: Sequence[FailureAudit], family: Family
) -> Iterator[Redone]:
    """The comparison with outliers and stuck runs left out, and with failed seeds filled in."""
    outliers = [(audit.agent, one) for audit in audits for one in audit.outliers]
    stuck = {(audit.agent, one.seed) for audit in audits if audit.stuck for one in audit.stuck.runs}
    groups: dict[Change, set[tuple[str, SeedLabel]]] = {"stuck": stuck}
    groups["outliers"] = {(agent, one.seed) for agent, one in outliers}
    if len(outliers) > 1:
        agent, farthest = max(outliers, key=lambda item: abs(item[1].distance))
        groups["farthest outlier"] = {(agent, farthest.seed)}
    for change in ("farthest outlier", "outliers", "stuck"):
        names = groups.get(change)
        if names:
            yield from _compared(pair, place, _without(a, names), _without(b, names), change, len(names), family)
    if pair.imputed:
        floor, n_failed = pair.imputed.floor, len(a.failed) + len(b.failed)
        for again in _compared(pair, place, _filled(a, floor), _filled(b, floor), "failed", n_failed, family):
            yield replace(again, p_value=pair.imputed.p_value, turns=not pair.imputed.agrees)


def _without(arm: ArmScores, names: set[tuple[str, SeedLabel]]) -> ArmScores:
    stays = [place for place, seed in enumerate(arm.seeds) if (arm.agent, seed) not in names]
    return replace(arm, seeds=tuple(arm.seeds[place] for place in stays), scores=arm.scores[stays])


def _filled(arm: ArmScores, floor: float) -> ArmScores:
    scores = np.append(arm.scores, np.full(len(arm.failed), floor))
    return replace(arm, seeds=(*arm.seeds, *arm.failed), scores=scores, failed=())


def _compared(
    pair: PairAudit, place: int, a: ArmScores, b: ArmScores, change: Change, n_changed: int, family: Family
) -> Iterator[Redone]:
    """Nothing where fewer than two seeds of an agent are left."""
    shared = len(set(a.seeds) & set(b.seeds)) if pair.decided_by in PAIRED else min(len(a.seeds), len(b.seeds))
    if shared < 2:
        return
    x, y, *_ = groups_of(pair, a, b)
    t_test = run(t_test_of(pair), x, y, family, pair, interval=True)
    outcome = _outcome(run(pair.decided_by, x, y, family, pair, interval=False))
    yield Redone(
        change=change,
        n_changed=n_changed,
        effect=float(moments(x, y).effect),
        low=finite(t_test.low),
        high=finite(t_test.high),
        p_value=float(outcome.p),
        turns=family.turns(place, pair, outcome),
        cohen_d=cohen_d(x, y),
    )
