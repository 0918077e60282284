"""Does the same seed give the same run?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Where: TypeAlias = Literal[
    "initial weights", "reset", "environment", "agent", "learning", "evaluation", "one step", "unknown"
]
Kind: TypeAlias = Literal["same", "seed", "change", "source"]
WHERE: Mapping[str, str] = {  # what the first difference says about who made it
    "initial weights": "the weights differ before the first step: the agent's initialisation",
    "reset": "the first observations differ: the environment's reset",
    "environment": "equal actions got another answer: the environment",
    "agent": "equal observations and weights got other actions: the agent's sampling",
    "learning": "equal experience gave other weights: the agent's learning",
    "evaluation": "training is the same throughout: the evaluation",
    "one step": "several things differ at once, too late in the run to tell which was first",
    "unknown": "nothing was seen of the way there",
}


@dataclass(frozen=True)
class Difference:
    """The first thing that two runs do not share."""

    step: int | None  # timesteps done when it is first seen; None: the trial does not tell
    after: int | None  # timesteps done when everything was last seen equal; None: never
    channel: str  # "observations", "actions", "rewards", "weights", "evaluation", "training episodes", "final return"
    where: Where


@dataclass(frozen=True)
class Trial:
    """Two runs side by side: that of the seed and another one, or two in which the same source is held still."""

    name: str  # "again", "pool", "other env", "clock", ...
    label: str  # "again in a fresh process"
    kind: Kind  # must agree; must not; tells what the run depends on; a source of the twins' difference
    steps: int  # timesteps that were compared
    first: Difference | None  # None: equal to the bit
    channels: Mapping[str, int | None]  # the step at which each is first seen to differ; None: never
    error: str = ""  # of a run that failed: nothing was compared

    @property
    def equal(self) -> bool:
        return self.first is None and not self.error


@dataclass(frozen=True)
class Draw:
    """A generator that the environment draws from and that does not belong to it."""

    name: str  # "random", "numpy", "torch", "MyEnv.rng"
    resets: int  # of those that were watched, how many drew from it
    steps: int  # of those that were watched
    watched: int  # steps


@dataclass(frozen=True)
class Reproduction:
    """One agent on one task, trained again from the same seeds, and with one thing changed at a time."""

    agent: str
    task: str
    seed: int | str
    traced: bool  # observations, actions, rewards and weights were followed; else curves and returns alone
    steps: int  # timesteps of the run
    trials: tuple[Trial, ...]
    sources: tuple[str, ...]  # names of what makes two trials agree when it is held still
    together: bool = False  # ... all of them at once, and none alone
    draws: tuple[Draw, ...] = ()
    left_behind: tuple[str, ...] = ()  # files that stay where the run worked
    unchanged: tuple[str, ...] = ()  # what no trial changes
    n_failed: int = 0  # runs, of any trial
    error: str = ""  # of the first run that failed

    def of(self, kind: Kind) -> tuple[Trial, ...]:
        """The trials of one kind that could be compared."""
        return tuple(trial for trial in self.trials if trial.kind == kind and not trial.error)

    @property
    def difference(self) -> Trial | None:
        """The first trial under equal conditions that is not the same run."""
        return next((trial for trial in self.of("same") if not trial.equal), None)

    @property
    def unused_seed(self) -> bool:
        """Another seed gives the same run."""
        return any(trial.name == "other seed" and trial.equal for trial in self.of("seed"))

    @property
    def reproducible(self) -> bool | None:
        """The same seed gives the same run, and another seed another one; None: nothing could be compared."""
        if not self.of("same"):
            return None
        return self.difference is None and not self.unused_seed
