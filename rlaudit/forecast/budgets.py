"""CPU-minutes into seeds and back. The arms of all claims share a budget; those with the fewest seeds come first."""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, floor, inf, log10

from rlaudit.forecast.nouns import Arm, Purchase
from rlaudit.power import MOST_SEEDS

_ROWS = 5  # budgets that are shown unless some are asked for; and what there is already
_STEPS = (1, 2, 5)


def runs_to(n_seeds: int, arms: Sequence[Arm]) -> int:
    """Runs still to be trained until every arm has so many seeds."""
    return sum(max(0, n_seeds - arm.n_seeds) for arm in arms)


def minutes_to(n_seeds: int, arms: Sequence[Arm]) -> float | None:
    """What they cost; None where the price of one of them is not known."""
    prices = [(max(0, n_seeds - arm.n_seeds), arm.minutes) for arm in arms]
    if any(price is None for more, price in prices if more):
        return None
    return float(sum(more * (price or 0.0) for more, price in prices))


def buy(minutes: float, arms: Sequence[Arm]) -> Purchase:
    """The most seeds an agent that the budget reaches; it must be priced."""
    least = min(arm.n_seeds for arm in arms)
    levels = range(least, MOST_SEEDS + 1)
    affordable = bisect_right(levels, minutes * (1 + 1e-9), key=lambda n: minutes_to(n, arms) or 0.0)
    level = levels[max(0, affordable - 1)]
    return Purchase(minutes, level, runs_to(level, arms))


def priced(arms: Sequence[Arm]) -> bool:
    """Every run has a price."""
    return all(arm.minutes is not None for arm in arms)


def ladder(arms: Sequence[Arm], needed: int, planned: int | None = None) -> tuple[Purchase, ...]:
    """Round budgets up to the one that buys `needed` seeds an agent; what there is and `planned` are rows, too.

    Without prices the rows are round numbers of seeds.
    """
    least, known = min(arm.n_seeds for arm in arms), priced(arms)
    if known:
        top = minutes_to(max(needed, least + 1), arms) or 0.0
        rows = [buy(minutes, arms) for minutes in _round_numbers(top)]
    else:
        rows = [Purchase(None, n, runs_to(n, arms)) for n in map(ceil, _round_numbers(max(needed, 5)))]
    for n in (least, planned or least):
        rows.append(Purchase(minutes_to(n, arms) if known else None, n, runs_to(n, arms)))
    by_seeds = {row.n_seeds: row for row in rows if row.n_seeds >= max(2, least)}
    return tuple(by_seeds[n] for n in sorted(by_seeds))


def _round_numbers(top: float) -> list[float]:
    """1, 2, 5, 10, ...: the first that is not below `top`, and those before it."""
    power = floor(log10(top)) if 0 < top < inf else 0
    steps = [step * 10.0**p for p in range(power - 3, power + 2) for step in _STEPS]
    end = next(place for place, step in enumerate(steps) if step >= top * (1 - 1e-9))
    return steps[max(0, end - _ROWS + 1) : end + 1]
