"""What importers speak: runs as somebody's files tell them, and what was understood or left out on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, SeedLabel, TrainingEpisodes, frozen_array

Sort = Literal["score", "evaluations", "training"]


@dataclass(frozen=True)
class Hints:
    """What the user says of a source that the source does not say itself. Each is a flag of the command line."""

    format: str | None = None  # a name of IMPORTERS; None: recognised by content
    columns: Mapping[str, str] = field(default_factory=dict)  # ours -> theirs: {"agent": "algo", "score": "return"}
    axes: tuple[str, ...] = ()  # of a bare array: ("seed",), ("seed", "step"), ("step", "seed"), ("seed", "task")
    every: int | None = None  # timesteps between the points of a curve that has no steps
    metric: str | None = None  # the quantity to take, as the source calls it: a TensorBoard tag, a W&B metric
    names: str | None = None  # how to read the name of a run or file: "{task}__{agent}__{seed}__{*}"
    agent: str | None = None  # the agent's label, where the source names none
    task: str | None = None  # the task's label, where the source names none
    until: int | None = None  # take every run up to this timestep; those that end before have failed
    skip: tuple[str, ...] = ()  # agents and tasks to leave out, by their labels

    def given(self) -> tuple[str, ...]:
        """The names of the fields that say something."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) not in (None, (), {}))

    def flags(self) -> list[str]:
        """As the command line takes them."""
        single = {"format": self.format, "axes": ",".join(self.axes) or None, "every": self.every,
                  "metric": self.metric, "names": self.names, "agent-name": self.agent, "task-name": self.task,
                  "until": self.until}  # fmt: skip
        pairs = [(name, value) for name, value in single.items() if value is not None]
        pairs += [(f"{ours}-column", theirs) for ours, theirs in self.columns.items()]
        pairs += [("skip", name) for name in self.skip]
        return [word for name, value in pairs for word in (f"--{name}", str(value))]


@dataclass(frozen=True, eq=False)
class Run:
    """One run as the files tell it: nothing scored, nothing compared with other runs yet.

    `sort` says what the numbers are: a single `score` (in `final`); `evaluations` at `steps`, of one or more episodes
    each; or `training` episodes, one number for each, that ended at `steps`. A source of smoothed training returns
    (stable-baselines3's rollout/ep_rew_mean) counts as evaluations: its last point is already a mean.
    """

    agent: str
    task: str
    seed: SeedLabel
    place: str  # the file, or file and line, that it comes from
    sort: Sort
    steps: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # (n_points,) ascending
    returns: Floats = field(default_factory=lambda: np.empty((0, 1)))  # (n_points, n_episodes), one column unless evals
    final: Floats = field(default_factory=lambda: np.empty(0))  # (n_final_episodes,) an evaluation after training
    lengths: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # (n_points,) of training episodes, or empty
    seconds: Floats = field(default_factory=lambda: np.empty(0))  # (n_points,) since the start, or empty
    error: str | None = None  # why it failed, where the source says so
    training: TrainingEpisodes = field(default_factory=TrainingEpisodes)  # beside evaluations, where both are logged

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", frozen_array(self.steps, np.int64))
        object.__setattr__(self, "returns", frozen_array(self.returns))
        object.__setattr__(self, "final", frozen_array(self.final))


@dataclass(frozen=True, eq=False)
class Found:
    """What one source holds, in order of appearance."""

    runs: tuple[Run, ...]
    notes: tuple[ReadNote, ...] = ()


class Format(NamedTuple):
    """A format of results: one line of IMPORTERS."""

    read: Callable[[Path, Hints], Found]  # raises ImportFormatError with everything that is wrong
    fits: Callable[[Path], bool]  # looks at names and first bytes, never reads everything, never raises
    help: str
    hints: tuple[str, ...] = ()  # fields of Hints that it heeds, beside those that the border heeds itself
