"""What `rlaudit plan` answers; `rlaudit plan --json` prints a `Forecast` field by field, None where nothing is known.

Format history: rlaudit.plan/1.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rlaudit.claims import Relation
from rlaudit.types import Floats

SCHEMA = "rlaudit.plan/1"
InReach: TypeAlias = Literal["reachable", "perhaps", "not"]


@dataclass(frozen=True, eq=False)
class Pilot:
    """What is known of an agent on a task before more is trained."""

    agent: str
    task: str
    n: int  # seeds with a score
    mean: float
    sd: float  # ddof 1
    scores: Floats | None = None  # (n,); None: only these numbers are known
    n_failed: int = 0


@dataclass(frozen=True)
class Price:
    """CPU seconds of one run of an agent on a task, and how they are known."""

    agent: str
    task: str
    seconds: float
    basis: str


@dataclass(frozen=True)
class Runs:
    """What a config plans, and how much of it is stored."""

    n_agents: int
    n_tasks: int
    n_seeds: int
    n_runs: int
    n_missing: int
    store: str
    workers: int
    prices: tuple[Price, ...]  # of a run, for each agent and task
    seconds: float | None  # CPU time of what is missing; None: not known
    wall_seconds: float | None


@dataclass(frozen=True)
class Arm:
    """An agent on a task for which seeds would be bought."""

    agent: str
    task: str
    n_seeds: int  # there already, and counted
    minutes: float | None  # CPU-minutes of one more run
    mean: float | None = None  # of the pilot
    sd: float | None = None


@dataclass(frozen=True)
class Purchase:
    """What a budget buys: seeds for all arms, those with the fewest first."""

    minutes: float | None  # the budget in CPU-minutes; None: the price of a run is not known
    n_seeds: int  # seeds an agent; an agent that has more already keeps them
    n_runs: int  # runs still to be trained for that


@dataclass(frozen=True)
class Reach:
    """What becomes of a claim with the seeds of the purchase in the same place."""

    n_a: int
    n_b: int
    power: float
    low: float | None  # 95 % interval over what the pilot leaves open; None: the gain is an assumption
    high: float | None
    state: InReach  # reachable: `low` has the power asked for; perhaps: `power` has it


@dataclass(frozen=True)
class Need:
    """Seeds an agent that give the power asked for, and what is still to be trained for them."""

    n: int | None  # None: more than 100,000
    low: int | None  # if the true gap is at the better end of what the pilot leaves open; None: as above
    high: int | None
    n_runs: int | None = None  # of the arms of this claim alone, for `n`
    minutes: float | None = None
    minutes_low: float | None = None
    minutes_high: float | None = None


@dataclass(frozen=True)
class PlannedClaim:
    """A claim, what the pilot says of it, and what it takes."""

    text: str
    a: str = ""
    b: str = ""
    task: str = ""
    relation: Relation = ">"
    margin: float | None = None
    gap: float | None = None  # mean(a) - mean(b) of the pilot
    gap_in_sd: float | None = None  # in units of the root mean square of both sds
    low_in_sd: float | None = None  # its 95 % interval
    high_in_sd: float | None = None
    type_m: float | None = None  # how much a significant gap of the pilot's size exaggerates, if the gap is true
    reaches: tuple[Reach, ...] = ()  # for each purchase
    need: Need | None = None
    margin_in_reach: float | None = None  # the smallest margin within which the largest purchase shows equality
    reason: str = ""  # why nothing can be said


@dataclass(frozen=True)
class Design:
    """A test that cannot reach its level with so few seeds, whatever comes out."""

    test: str
    n: int  # against as many; of a paired test pairs
    p: float  # the smallest that it can give
    sides: int  # 1 or 2
    enough: int  # the fewest seeds with which it can


@dataclass(frozen=True)
class AssumedGap:
    """What looks would come to, were two agents so far apart; by simulation."""

    gap_in_sd: float  # of normal seeds
    winner: float  # share of the draws in which the better one is named
    mean_seeds: float  # an agent, at the stop
    n_draws: int


@dataclass(frozen=True)
class LookForecast:
    """Of a config whose seeds are added: between the least and the most."""

    design: Literal["sequential", "anytime"]
    sizes: tuple[int, ...]  # seeds an agent at each look
    n_made: int  # looks that the stored runs allow
    settled: bool
    n_least: int  # runs: one look
    n_most: int  # runs: all looks at all pairs
    seconds_next: float | None  # CPU time of what is missing for the next look; None: not known
    seconds_most: float | None  # of all that may still be trained
    gaps: tuple[AssumedGap, ...]  # none: simulating this design takes too long


@dataclass(frozen=True)
class Forecast:
    """For every budget, which claims are in reach."""

    name: str
    alpha: float
    n_family: int  # claims that share alpha; each is planned at alpha / n_family
    power: float  # the power asked for
    higher_is_better: bool
    margin: float | None  # a difference below it does not matter to the user
    arms: tuple[Arm, ...]
    purchases: tuple[Purchase, ...]
    claims: tuple[PlannedClaim, ...]
    hopeless: tuple[Design, ...] = ()
    notes: tuple[str, ...] = ()
    runs: Runs | None = None  # of a config
    looks: LookForecast | None = None  # None: the number of seeds is fixed
    experiment: str = "audit"  # another one has no claims to plan, only runs to pay
    schema: str = SCHEMA


def to_json(forecast: Forecast) -> str:
    """Keys in the order of the fields."""
    from pydantic import TypeAdapter

    return TypeAdapter(Forecast).dump_json(forecast, indent=1).decode() + "\n"
