"""What an import understood of somebody's files."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReadNote:
    """How something was read (`rule`), what was `left_out` and why, or what should make a reader doubt (`warning`)."""

    kind: Literal["rule", "left_out", "warning"]
    text: str


@dataclass(frozen=True)
class ReadArm:
    """One agent on one task, as it was found."""

    agent: str
    task: str
    n_seeds: int  # failed ones included
    n_failed: int
    points: tuple[int, int]  # fewest and most points of a curve; 0 where there is only a score
    last_steps: tuple[int, int]  # the timestep at which the shortest and the longest run ends; 0 where unknown


@dataclass(frozen=True)
class Reading:
    """Agents x tasks x seeds x points, and the notes."""

    sources: tuple[str, ...]
    formats: tuple[str, ...]  # one for each source
    arms: tuple[ReadArm, ...]
    notes: tuple[ReadNote, ...] = ()

    @property
    def summary(self) -> str:
        """`2 agents x 1 task x 192 to 193 seeds x 400 points`."""
        n_agents, n_tasks = len({arm.agent for arm in self.arms}), len({arm.task for arm in self.arms})
        points = _span((n for arm in self.arms for n in arm.points), "point")
        return " x ".join(
            (
                _count(n_agents, "agent"),
                _count(n_tasks, "task"),
                _span((arm.n_seeds for arm in self.arms), "seed"),
                "1 score" if points == "0 points" else points,
            )
        )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("s" if n != 1 else "")


def _span(counts: Iterable[int], noun: str) -> str:
    """`5 seeds`, `5 to 10 seeds`."""
    low, *_, high = sorted([*counts] * 2) or (0, 0)
    return _count(high, noun) if low == high else f"{low:,} to {_count(high, noun)}"
