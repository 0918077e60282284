"""An audit whose seeds were added until it was settled: its looks, and whether they stand as they were written down."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rlaudit.results.sequential import Look, LookState, PairLook

WINNERS = (LookState.A_BETTER, LookState.B_BETTER)


@dataclass(frozen=True)
class LookPlan:
    """What is declared before the first seed is trained; a change after a look costs the looks their level."""

    design: Literal["sequential", "anytime"]
    batch: int  # seeds an agent between two looks
    n_looks: int
    futility: float | None
    alpha: float
    score: str
    higher_is_better: bool
    agents: tuple[str, ...]
    tasks: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Seeds an agent at each look."""
        return tuple(self.batch * (place + 1) for place in range(self.n_looks))


@dataclass(frozen=True)
class LoggedLook:
    """A line of looks.jsonl: a look as it was made."""

    time: str  # ISO 8601, UTC
    look: Look
    plan: LookPlan
    runs: tuple[str, ...]  # run ids of the first seed of every agent and task: what was looked at
    n_later: int = 0  # runs with later seeds that were there already: the look was made in retrospect


@dataclass(frozen=True)
class Overturned:
    """A look said one thing when it was made, and the runs that are there now say another."""

    number: int
    agent_a: str
    agent_b: str
    task: str
    logged: LookState
    now: LookState | None  # None: the runs of this look are not there, or an earlier look ends it now


@dataclass(frozen=True)
class Sequential:
    """The looks, what they cost and saved, and what has changed since they were made."""

    plan: LookPlan
    looks: tuple[Look, ...]  # as the runs that are there give them
    more: tuple[tuple[str, str, int], ...]  # (agent, task, seeds wanted in all) of what would be trained next
    n_runs: int  # trained for these looks, failed ones among them
    times: tuple[str | None, ...] = ()  # when each of the looks was made first; None: not written down
    overturned: tuple[Overturned, ...] = ()
    redrawn: tuple[int, ...] = ()  # looks whose numbers have changed, but no state
    first_plan: LookPlan | None = None  # of the first look, where it was another than `plan`
    in_retrospect: tuple[int, ...] = ()  # looks that were made when later seeds were there already

    @property
    def n_most(self) -> int:
        """Runs, where it is looked to the end."""
        return self.plan.sizes[-1] * len(self.plan.agents) * len(self.plan.tasks)

    @property
    def settled(self) -> bool:
        """Nothing more would be trained."""
        return not self.more

    @property
    def beforehand(self) -> bool:
        """Whether the log bears out that looks were declared before their seeds were trained."""
        return all(time is not None for time in self.times) and not self.in_retrospect

    @property
    def redesigned(self) -> bool:
        """The looks were changed after the first of them, in more than when a pair is given up: that names nobody."""
        return self.first_plan is not None and replace(self.first_plan, futility=self.plan.futility) != self.plan

    def series(self) -> list[list[PairLook]]:
        """The looks at each pair, in the order of the pairs."""
        series: dict[tuple[str, str, str], list[PairLook]] = {}
        for look in self.looks:
            for pair in look.pairs:
                series.setdefault((pair.agent_a, pair.agent_b, pair.task), []).append(pair)
        return list(series.values())

    def ends(self) -> Iterator[tuple[Look, PairLook]]:
        """The last look at each pair, in the order of the pairs."""
        last = {(pair.agent_a, pair.agent_b, pair.task): (look, pair) for look in self.looks for pair in look.pairs}
        yield from last.values()

    def doubt(self, pair: PairLook) -> str:
        """Why a winner does not stand; empty where it does."""
        if self.redesigned:
            return "the looks were changed after the first of them"
        named = (pair.agent_a, pair.agent_b, pair.task)
        if any((one.agent_a, one.agent_b, one.task) == named for one in self.overturned):
            return "a look said something else when it was made"
        return ""
