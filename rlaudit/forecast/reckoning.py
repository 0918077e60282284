"""For each claim the seeds that it takes; for each budget the claims in reach."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count

import numpy as np

from rlaudit.config import AuditSettings
from rlaudit.errors import ConfigError
from rlaudit.forecast.budgets import buy, ladder, minutes_to, priced, runs_to
from rlaudit.forecast.chances import Chance, Stake, chance_of, normal_power, possible_truths
from rlaudit.forecast.nouns import Arm, Design, Forecast, InReach, Need, Pilot, PlannedClaim, Purchase, Reach
from rlaudit.forecast.stated import Chosen
from rlaudit.plan import smallest_p
from rlaudit.power import MOST_SEEDS, retrodesign
from rlaudit.seeds import generator
from rlaudit.wording import on

GAINS = (0.5, 1.0, 1.5)  # in standard deviations between seeds: small, plain, large
FAR = 1_000  # seeds an agent; a claim that needs more is answered with a margin, too
_HALVINGS = 60
_MIRRORED = ("permutation", "permutation_studentised", "mann_whitney", "kolmogorov_smirnov", "sign_flip")


@dataclass(frozen=True)
class _Prospect:
    """A claim and its chance with n_a against n_b seeds; without a chance the claim says why."""

    claim: PlannedClaim
    arms: tuple[Arm, ...]
    chance: Callable[[int, int], Chance] | None = None
    stake: Stake | None = None  # None: a gain that is assumed, or nothing can be said


def reckon(
    name: str,
    chosen: Chosen,
    pilots: Sequence[Pilot],
    arms: Mapping[tuple[str, str], Arm],
    settings: AuditSettings,
    *,
    budgets: Sequence[float] = (),
    power: float = 0.8,
    planned: int | None = None,
) -> Forecast:
    """Every claim at every budget. Where no budget is named, `planned` seeds an agent are among the rows.

    Each claim is planned at alpha / n_family, below which Holm's correction (1979) never goes.
    """
    alpha = settings.alpha / chosen.n_family
    prospects = [_prospect(claim, pilots, arms, alpha, settings) for claim in chosen.claims]
    if all(one.chance is None for one in prospects) and len({arm.agent for arm in arms.values()}) > 1:
        prospects += [_assumed(gain, tuple(arms.values()), alpha) for gain in GAINS]
    needs = [_need(one, power) if one.chance else None for one in prospects]
    shared = tuple({(arm.agent, arm.task): arm for one in prospects if one.chance for arm in one.arms}.values())
    purchases = _purchases(shared, budgets, filter(None, needs), planned) if shared else ()
    return Forecast(
        name=name,
        alpha=settings.alpha,
        n_family=chosen.n_family,
        power=power,
        higher_is_better=settings.higher_is_better,
        margin=settings.margin,
        arms=shared,
        purchases=purchases,
        claims=tuple(_planned(one, need, purchases, power) for one, need in zip(prospects, needs, strict=True)),
        hopeless=tuple(_hopeless(settings.tests, alpha, shared, purchases, chosen.claims)),
        notes=chosen.notes,
    )


# ---------------------------------------------------------------- claims


def _prospect(
    claim: PlannedClaim,
    pilots: Sequence[Pilot],
    arms: Mapping[tuple[str, str], Arm],
    alpha: float,
    settings: AuditSettings,
) -> _Prospect:
    known = {(pilot.agent, pilot.task): pilot for pilot in pilots}
    names = (claim.a, claim.task), (claim.b, claim.task)
    if missing := [f"{agent}{on(task)}" for agent, task in names if (agent, task) not in known]:
        return _Prospect(replace(claim, reason=f"there are no two seeds of {' and of '.join(missing)}"), ())
    sign = 1 if settings.higher_is_better else -1
    a, b = (_turned(known[at], sign) for at in names)
    if a.sd == b.sd == 0:
        return _Prospect(replace(claim, reason="the seeds of either agent score all the same: no spread is known"), ())
    stake = Stake(claim.relation, claim.margin or 0.0, a, b, alpha)
    rng = generator(settings.seed, "forecast", claim.a, claim.b, claim.task)
    return _Prospect(_seen(claim, stake, sign), tuple(arms[at] for at in names), cache(chance_of(stake, rng)), stake)


def _turned(pilot: Pilot, sign: int) -> Pilot:
    """So that higher is better."""
    return replace(pilot, mean=sign * pilot.mean, scores=None if pilot.scores is None else sign * pilot.scores)


def _seen(claim: PlannedClaim, stake: Stake, sign: int) -> PlannedClaim:
    """With what the pilot says of the gap, in the user's direction."""
    se, df = stake.error
    sd = sign * float(np.sqrt((stake.a.sd**2 + stake.b.sd**2) / 2))
    in_sd = sorted(possible_truths(stake._replace(relation=">", margin=0.0))[1:, 0] / sd)
    type_m = retrodesign(stake.gap, se, stake.alpha, df)[2] if stake.gap > 0 and claim.relation == ">" else np.inf
    return replace(
        claim,
        gap=sign * stake.gap,
        gap_in_sd=stake.gap / sd,
        low_in_sd=float(in_sd[0]),
        high_in_sd=float(in_sd[1]),
        type_m=float(type_m) if np.isfinite(type_m) else None,
    )


def _assumed(gain: float, arms: tuple[Arm, ...], alpha: float) -> _Prospect:
    """Where nothing is known of the agents: a gain that somebody may hope for, of normal seeds; nothing to doubt."""
    stake = Stake(">", 0.0, Pilot("", "", 2, gain, 1.0), Pilot("", "", 2, 0.0, 1.0), alpha)

    def chance(n_a: int, n_b: int) -> Chance:
        power = float(normal_power(stake, np.array([[gain, 0.0]]), n_a, n_b)[0]) if min(n_a, n_b) > 1 else 0.0
        return Chance(power, None, None)

    return _Prospect(PlannedClaim(f"a true gain of {gain:g} sd", gap_in_sd=gain), arms, cache(chance))


# ---------------------------------------------------------------- seeds and budgets


def _need(one: _Prospect, power: float) -> Need:
    chance = one.chance
    assert chance is not None

    def fewest(end: Callable[[Chance], float | None]) -> int | None:
        sizes = range(2, MOST_SEEDS + 1)
        place = bisect_left(sizes, True, key=lambda n: (end(chance(n, n)) or 0.0) >= power)
        return sizes[place] if place < len(sizes) else None

    def price(n: int | None) -> float | None:
        return None if n is None else minutes_to(n, one.arms)

    n, low, high = fewest(lambda at: at.power), fewest(lambda at: at.high), fewest(lambda at: at.low)
    runs = None if n is None else runs_to(n, one.arms)
    return Need(n, low, high, runs, price(n), price(low), price(high))


def _purchases(
    arms: Sequence[Arm], budgets: Sequence[float], needs: Iterable[Need], planned: int | None
) -> tuple[Purchase, ...]:
    if not budgets:
        near = [need.n for need in needs if need.n is not None and need.n <= FAR]
        return ladder(arms, max(near, default=100), planned)
    if not priced(arms):
        unknown = ", ".join(dict.fromkeys(arm.agent for arm in arms if arm.minutes is None))
        raise ConfigError(f"--budget: what a run of {unknown} costs is not known; give --cost MINUTES")
    return tuple(buy(minutes, arms) for minutes in sorted(set(budgets)))


def _planned(one: _Prospect, need: Need | None, purchases: Sequence[Purchase], power: float) -> PlannedClaim:
    if need is None:
        return one.claim
    reaches = tuple(_reach(one, row.n_seeds, power) for row in purchases)
    far = need.n is None or need.n > FAR
    return replace(
        one.claim,
        need=need,
        reaches=reaches,
        margin_in_reach=_margin_in_reach(one.stake, reaches[-1], power) if far and one.stake else None,
    )


def _reach(one: _Prospect, n_seeds: int, power: float) -> Reach:
    assert one.chance is not None
    n_a, n_b = (max(n_seeds, arm.n_seeds) for arm in one.arms) if one.stake else (n_seeds, n_seeds)
    found = one.chance(n_a, n_b)
    at_worst = found.power if found.low is None else found.low
    state: InReach = "reachable" if at_worst >= power else "perhaps" if found.power >= power else "not"
    return Reach(n_a, n_b, found.power, found.low, found.high, state)


def _margin_in_reach(stake: Stake, largest: Reach, power: float) -> float | None:
    """The smallest margin with which two one-sided tests have this power, the pilot's gap being the true one."""
    if stake.relation != ">" or min(largest.n_a, largest.n_b) < 2:
        return None
    equal = stake._replace(relation="==")

    def enough(margin: float) -> bool:
        return bool(normal_power(equal, np.array([[stake.gap, margin]]), largest.n_a, largest.n_b)[0] >= power)

    low, high = abs(stake.gap), abs(stake.gap) + stake.error[0]
    while not enough(high):
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


# ---------------------------------------------------------------- designs that cannot reject


def least_p(test: str, n: int, sides: int) -> float:
    """The smallest p of n against n seeds; one-sided it is half of the two-sided one where both mirror each other."""
    if sides == 2:
        return smallest_p(test, n)
    return smallest_p(test, n) / 2 if test in _MIRRORED else 0.0


def _hopeless(
    tests: Sequence[str],
    alpha: float,
    arms: Sequence[Arm],
    purchases: Sequence[Purchase],
    claims: Sequence[PlannedClaim],
) -> Iterable[Design]:
    """Tests of the audit to which these numbers of seeds leave no say; one-sided where a margin is at stake.

    Where some agent has more seeds, as if all had as many: fewer cannot do more.
    """
    most = max((arm.n_seeds for arm in arms), default=0)
    sizes = sorted({n for n in (max(row.n_seeds, most) for row in purchases) if n > 1})
    for sides in sorted({1 if claim.relation in (">=", "==") else 2 for claim in claims} or {2}):
        for test in tests:
            for n in [n for n in sizes if least_p(test, n, sides) > alpha]:
                enough = next(size for size in count(2) if least_p(test, size, sides) <= alpha)
                yield Design(test, n, least_p(test, n, sides), sides, enough)
