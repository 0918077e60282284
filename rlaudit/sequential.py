"""Which seeds are worth training next: looks at what is there, says who is better or goes on. Pure; never trains."""

from dataclasses import dataclass
from typing import Literal

from rlaudit.results.sequential import Look
from rlaudit.types import ScoreTable


@dataclass(frozen=True)
class Design:
    """When is looked, and at what price; declared before the first seed is trained."""

    seeds: tuple[int, ...]  # all that may be needed, in their order
    batch: int  # seeds an agent between two looks
    kind: Literal["group_sequential", "anytime"]
    alpha: float  # chance of even one wrong winner, over all looks, pairs and tasks
    futility: float | None  # stop where the chance of a winner by the last look is below; None: never


@dataclass(frozen=True)
class Decision:
    """What has been seen, and who needs more seeds."""

    looks: tuple[Look, ...]  # those whose batches are complete: trained or failed
    more: tuple[tuple[str, str, int], ...]  # (agent, task, seeds wanted in all) of arms that go on; none: stop


def next_look(table: ScoreTable, design: Design) -> Decision:
    """Looks at each complete batch in turn, as if the later ones were not there."""
    raise NotImplementedError
