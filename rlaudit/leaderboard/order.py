"""From values and decided pairs to places, with an interval for each place."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rlaudit.leaderboard.first_place import Shares
from rlaudit.results import FirstPlace, MatrixCell, RankedAgent
from rlaudit.types import Floats


class Standing(NamedTuple):
    """What an agent is ranked by: higher is better, whatever the scores mean."""

    agent: str
    value: float
    low: float | None
    high: float | None


def in_order(standings: Sequence[Standing]) -> list[Standing]:
    """The best first; those that tie by name, so that the order of the table changes nothing.

    Values are compared to twelve digits: the means of 0.1, 0.2, 0.3 and of 0.2, 0.2, 0.2 are a tie.
    """
    rounded = [one._replace(value=float(f"{one.value:.12g}")) for one in standings]
    return sorted(rounded, key=lambda one: (-one.value, one.agent))


def rank_intervals(better: Floats) -> tuple[list[int], list[int]]:
    """Simultaneous intervals of the ranks from pairs that were decided: better[i, j] is 1 where i is better than j.

    Mogstad, Romano, Shaikh & Wilhelm 2024 (Inference for ranks with applications to mobility across neighbourhoods
    and academic achievement across countries, Review of Economic Studies 91, 476-518): a rank lies in [1 + number of
    agents that are better, K - number of agents that are worse]. If even one wrong call among all pairs has a chance
    of at most alpha, then all K intervals hold together with at least 1 - alpha. Who is better than a better one is
    better too, whether or not that pair was decided by itself.
    """
    better = better.copy()
    for through in range(len(better)):
        better = np.maximum(better, np.outer(better[:, through], better[through]))
    n_better, n_worse = better.sum(axis=0), better.sum(axis=1)
    return [1 + int(n) for n in n_better], [len(better) - int(n) for n in n_worse]


def ranked(
    ordered: Sequence[Standing], cells: Sequence[MatrixCell], firsts: Shares, sign: int
) -> tuple[RankedAgent, ...]:
    """`ordered` with ranks, rank intervals and chances to be first; `sign` turns the values back into scores."""
    place = {one.agent: i for i, one in enumerate(ordered)}
    better = np.zeros((len(ordered), len(ordered)))
    for cell in cells:
        if cell.decided:
            a, b = (cell.a, cell.b) if cell.decided > 0 else (cell.b, cell.a)
            better[place[a], place[b]] = 1
    return tuple(
        _ranked(one, 1 + sum(other.value > one.value for other in ordered), low, high, firsts, sign)
        for one, low, high in zip(ordered, *rank_intervals(better), strict=True)
    )


def _ranked(one: Standing, rank: int, low: int, high: int, firsts: Shares, sign: int) -> RankedAgent:
    ends = (one.low, one.high) if sign > 0 else (_turned(one.high), _turned(one.low))
    return RankedAgent(one.agent, sign * one.value, *ends, rank, low, high, *firsts.first[one.agent])


def _turned(end: float | None) -> float | None:
    return None if end is None else -end


def first_place(shares: Mapping[int, Shares]) -> tuple[FirstPlace, ...]:
    """How often the leader is named, for each number of seeds."""
    return tuple(FirstPlace(n, *one.right) for n, one in shares.items())


def leaders(ordered: Sequence[Standing]) -> list[str]:
    """Who is first in the full pools: several where they tie."""
    return [one.agent for one in ordered if one.value == ordered[0].value]
