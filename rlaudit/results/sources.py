"""Which randomness matters?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rlaudit.types import SeedLabel
from rlaudit.wording import label_of, percent

Stream: TypeAlias = Literal["init", "env", "algo"]
STREAMS: tuple[Stream, ...] = ("init", "env", "algo")


@dataclass(frozen=True)
class ShareOf:
    """A part of the variance of a score, from 0 to 1, with its interval at level 1 - alpha."""

    share: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """`96 % (46 % to 100 %)`."""
        return f"{percent(self.share)} ({percent(self.low)} to {percent(self.high)})"

    @property
    def as_sd(self) -> "ShareOf":
        """The same part of a standard deviation."""
        return ShareOf(*(end**0.5 for end in (self.share, self.low, self.high)))


@dataclass(frozen=True)
class Component:
    """One line of the analysis of variance."""

    streams: tuple[Stream, ...]  # whose levels come together; none: the noise of evaluation
    df: int
    mean_square: float
    variance: float  # unbiased; may come out negative where there is hardly any
    of_total: ShareOf  # by restricted maximum likelihood, none negative; they add up to 1

    @property
    def name(self) -> str:
        """`initial weights x environment`."""
        return " x ".join(map(label_of, self.streams)) or "noise of evaluation"


@dataclass(frozen=True)
class StreamShare:
    """What one stream does to the scores by itself, and what it does where the others are held."""

    stream: Stream
    levels: tuple[int, ...]  # those that were analysed
    unused: bool  # runs that differ in nothing else end with the same weights
    alone: ShareOf  # its main effect: what is the same whatever the other streams are
    only_this: ShareOf  # variance that is left, of all, when only this stream varies; with the noise of evaluation
    without_this: ShareOf  # ... when all but this stream vary


@dataclass(frozen=True)
class CrossedRun:
    """One run; it shares each of its seeds with others, so that runs are no sample of independent scores."""

    seed: SeedLabel
    levels: tuple[int, ...]  # of weights, environment and algorithm
    score: float | None  # None: the run failed
    weights_sha256: str = ""


@dataclass(frozen=True)
class Sources:
    """One agent on one task: where the variance of its scores comes from."""

    agent: str
    task: str
    levels: Mapping[Stream, int]  # planned
    runs: tuple[CrossedRun, ...]
    n_missing: int  # planned, and not trained yet
    n_left_out: int  # finished runs at levels that were dropped to keep every combination
    dropped: tuple[str, ...]  # those levels: "env 3"
    n_episodes: int | None  # of the evaluation of each run; None: its noise is part of the interaction of all streams
    mean: float | None = None  # of the runs analysed
    sd: float | None = None  # of a run with three new seeds; None: nothing can be said
    components: tuple[Component, ...] = ()  # none where levels are too few, or all scores equal
    streams: tuple[StreamShare, ...] = ()
    pairs: ShareOf | None = None  # all interactions of two streams
    together: ShareOf | None = None  # all interactions, of two streams and of three
    noise: ShareOf | None = None  # of evaluation
    floor: float | None = None  # the worst score, which failed runs count as in what follows; None: none failed
    imputed: tuple[ShareOf, ...] = ()  # of the components in their order, with all runs

    @property
    def n_failed(self) -> int:
        """Runs without a score."""
        return sum(run.score is None for run in self.runs)

    @property
    def n_analysed(self) -> int:
        """Runs in the table that was taken apart."""
        return len(self.runs) - self.n_failed - self.n_left_out

    @property
    def triple(self) -> Component | None:
        """The interaction of all streams; with the noise of evaluation where that is not known."""
        return next((one for one in self.components if len(one.streams) == len(STREAMS)), None)
