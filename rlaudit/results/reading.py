"""What an import understood of somebody's files."""

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
