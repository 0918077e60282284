"""What is declared before the first seed is trained."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

SPENDING = {"steady": 1.0, "late": 3.0}  # of alpha a share t^rho may be spent by a share t of the seeds: as Pocock's
# bounds, or nearly as O'Brien & Fleming's. SAC v TD3, 6 looks at 5 seeds each: both .92, with 14.5 and 17.1 seeds


@dataclass(frozen=True)
class Design:
    """When is looked, and at what price."""

    seeds: tuple[int, ...]  # all that may be needed, in their order
    batch: int  # seeds an agent between two looks
    kind: Literal["group_sequential", "anytime"]
    alpha: float  # chance of even one wrong winner, over all looks, pairs and tasks
    futility: float | None  # stop where the chance of a winner by the last look is below; None: never
    spending: Literal["steady", "late"] = "steady"  # how fast alpha may be spent; of a group-sequential test
    arms: tuple[tuple[str, str], ...] = ()  # (agent, task) of all that take part; none: those of the table

    @cached_property
    def batches(self) -> tuple[tuple[int, ...], ...]:
        """The seeds of each look; the last may be fewer."""
        return tuple(self.seeds[start : start + self.batch] for start in range(0, len(self.seeds), self.batch))

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """Of alpha, that may be spent by each look."""
        seen = np.cumsum([len(seeds) for seeds in self.batches])
        return tuple(float(n / len(self.seeds)) ** SPENDING[self.spending] for n in seen)
