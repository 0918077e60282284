"""Streams of seeds whose truth is known, and how often sequential seeds err on them."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats
from sequential_batch import ever_crossed
from shared_data import finals

from rlaudit.calibration import NULLS
from rlaudit.comparisons import welch
from rlaudit.comparisons.corrections import holm
from rlaudit.results.sequential import LookState
from rlaudit.seeds import generator
from rlaudit.sequential import Decision, Design, next_look
from rlaudit.types import ArmScores, Floats, ScoreTable

ALPHA = 0.05
NAIVE = "welch at every look"
TABLE = Path(__file__).parent / "data" / "sequential_calibration.csv"


class World(NamedTuple):
    """Agents whose true means are known; NaN is a seed that failed."""

    draw: Callable[[np.random.Generator, int, int], Floats]  # (rng, n_agents, n_seeds) -> (n_agents, n_seeds)
    means: Callable[[int], Sequence[float]]  # of so many agents


def alike(draw: Callable[[np.random.Generator, tuple[int, int]], Floats]) -> World:
    return World(lambda rng, n_agents, n: draw(rng, (n_agents, n)), lambda n_agents: [0.0] * n_agents)


def _failing(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """One seed in five."""
    return np.where(rng.random(shape) < 0.2, np.nan, rng.normal(0, 1, shape))


def _one_wide(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.normal(0, 1, shape) * np.where(np.arange(shape[0]) == 0, 3, 1)[:, None]


def _one_sac(rng: np.random.Generator, n_agents: int, n: int) -> Floats:
    others = [rng.choice(finals("td3"), n) for _ in range(n_agents - 1)]
    return np.array([rng.choice(finals("sac"), n), *others])


GROUPS = (2.0, 1.0, 1.0, 0.0, 0.0)
WORLDS = {
    **{name: alike(draw) for name, draw in NULLS.items()},
    "sac": alike(lambda rng, shape: rng.choice(finals("sac"), shape)),
    "td3": alike(lambda rng, shape: rng.choice(finals("td3"), shape)),
    "one in five fails": alike(_failing),
    "sd 3 : 1": alike(_one_wide),
    "sac v td3": World(_one_sac, lambda n: [finals("sac").mean(), *[finals("td3").mean()] * (n - 1)]),
    "sd .7 apart": World(lambda rng, _, n: rng.normal([[0.7], [0]], 1, (2, n)), lambda _: (0.7, 0.0)),
    "three groups": World(lambda rng, _, n: rng.normal(np.array(GROUPS)[:, None], 1, (5, n)), lambda _: GROUPS),
}


@dataclass(frozen=True)
class Setting:
    """What is simulated."""

    kind: str  # of the design; or `NAIVE`
    world: str
    agents: int = 2
    batch: int = 5
    looks: int = 6
    futility: float | None = None
    spending: str = "steady"
    tasks: int = 1

    @property
    def design(self) -> Design:
        seeds = tuple(range(self.batch * self.looks))
        return Design(seeds, self.batch, self.kind, ALPHA, self.futility, self.spending)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Row:
    """What came of it."""

    kind: str
    world: str
    agents: int
    batch: int
    looks: int
    futility: float | None
    spending: str
    tasks: int
    streams: int
    wrong: float  # share of streams with a winner between agents that are alike, or a wrong one
    wrong_upper: float  # upper end of its 95 % interval (Clopper & Pearson)
    found: float | None  # share of the pairs that do differ for which the winner was named
    seeds: float  # trained, per agent
    exaggerated: float | None  # measured effect / true effect, where a winner was named rightly
    covered: float | None  # share of streams whose last intervals all hold the truth; None: not asked

    @property
    def setting(self) -> Setting:
        return Setting(**{field.name: getattr(self, field.name) for field in fields(Setting)})


# ---------------------------------------------------------------- streams


def tables(setting: Setting, seed: int) -> Iterator[ScoreTable]:
    """Endless streams, with all seeds that could be needed."""
    rng = generator(seed, "sequential", setting.world, str(setting.agents), str(setting.batch))
    world, n = WORLDS[setting.world], setting.batch * setting.looks
    while True:
        drawn = [world.draw(rng, setting.agents, n) for _ in range(setting.tasks)]
        arms = [arm("abcdefgh"[i], f"task{t}", x) for t, scores in enumerate(drawn) for i, x in enumerate(scores)]
        yield ScoreTable("final", tuple(arms))


def arm(agent: str, task: str, scores: Floats) -> ArmScores:
    """Seeds are 0, 1, 2, ...; NaN: failed."""
    seeds, there = np.arange(len(scores)), np.isfinite(scores)
    return ArmScores(agent, task, tuple(seeds[there].tolist()), scores[there], tuple(seeds[~there].tolist()))


class Outcome(NamedTuple):
    """Of one stream."""

    wrong: bool
    found: float  # NaN: no pair differs
    seeds: float
    exaggerated: float  # NaN: nothing was found
    covered: bool


def outcome(decision: Decision, setting: Setting) -> Outcome:
    means = WORLDS[setting.world].means(setting.agents)
    truth = dict(zip("abcdefgh", means, strict=False))
    last = {(pair.agent_a, pair.agent_b, pair.task): pair for look in decision.looks for pair in look.pairs}
    trained = {
        (agent, pair.task): look.number * setting.batch
        for look in decision.looks
        for pair in look.pairs
        for agent in (pair.agent_a, pair.agent_b)
    }
    named = {LookState.A_BETTER: 1, LookState.B_BETTER: -1}
    wrong, found, ratios, covered = False, [], [], True
    for pair in last.values():
        gain, side = truth[pair.agent_a] - truth[pair.agent_b], named.get(pair.state, 0)
        wrong |= side != 0 and side != np.sign(gain)
        if gain:
            found.append(side == np.sign(gain))
            ratios += [pair.effect / gain] if found[-1] and pair.effect is not None else []
        covered &= (pair.low is None or pair.low <= gain) and (pair.high is None or pair.high >= gain)
    mean = [float(np.mean(x)) if x else np.nan for x in (found, ratios)]
    return Outcome(wrong, mean[0], float(np.mean(list(trained.values()))), mean[1], covered)


def naive_outcome(table: ScoreTable, setting: Setting) -> Outcome:
    """Welch's test after each batch, among several pairs with Holm; whoever is below alpha at any look has won."""
    rng, wrong = np.random.default_rng(0), False
    for look in range(1, setting.looks + 1):
        scores = [one.scores[: look * setting.batch] for one in table.arms]
        p = [
            float(welch(a, b, alpha=ALPHA, rng=rng, n_resamples=0, interval=False).p_value)
            for a, b in combinations(scores, 2)
        ]
        wrong |= bool((holm(np.array(p)) <= ALPHA).any())
    return Outcome(wrong, np.nan, setting.batch * setting.looks, np.nan, True)


def simulate(setting: Setting, n: int, *, seed: int, detail: bool = False) -> Row:
    """So many streams."""
    found = []
    run = _without_events if _can_be_screened(setting) and not detail else _through_all
    for chunk in batched(islice(tables(setting, seed), n), 250):
        found += run(chunk, setting, detail)
    wrong, power, seeds, ratio, covered = (np.array(x, dtype=float) for x in zip(*found, strict=True))
    k = int(wrong.sum())
    return Row(
        **asdict(setting),
        streams=n,
        wrong=k / n,
        wrong_upper=1.0 if k == n else float(stats.beta.ppf(0.975, k + 1, n - k)),
        found=_mean(power),
        seeds=float(seeds.mean()),
        exaggerated=_mean(ratio),
        covered=float(covered.mean()) if detail else None,
    )


def _through_all(streams: Sequence[ScoreTable], setting: Setting, detail: bool) -> list[Outcome]:
    if setting.kind == NAIVE:
        return [naive_outcome(table, setting) for table in streams]
    return [outcome(next_look(table, setting.design, detail=detail), setting) for table in streams]


def _can_be_screened(setting: Setting) -> bool:
    """Nothing is there to be found, and `ever_crossed` knows such streams."""
    plain = Setting("group_sequential", setting.world, setting.agents, looks=setting.looks)
    return setting == plain and setting.world in ("normal", "log-normal", "bimodal", "sac", "td3")


def _without_events(streams: Sequence[ScoreTable], setting: Setting, detail: bool) -> list[Outcome]:
    """A winner needs a pair that crosses at the level which each of all pairs has; most streams have none."""
    scores = np.array([[arm.scores for arm in table.arms] for table in streams])
    scores = scores.reshape(len(streams), setting.agents, setting.looks, setting.batch)
    pairs = list(combinations(range(setting.agents), 2))
    crossed = [ever_crossed(scores[:, i], scores[:, j], ALPHA / len(pairs)) for i, j in pairs]
    nothing = Outcome(False, np.nan, setting.batch * setting.looks, np.nan, True)
    return [
        outcome(next_look(table, setting.design, detail=detail), setting) if event else nothing
        for table, event in zip(streams, np.any(crossed, axis=0), strict=True)
    ]


def batched(streams: Iterable[ScoreTable], size: int) -> Iterator[list[ScoreTable]]:
    """Lists of so many; the last may be shorter."""
    rest = iter(streams)
    while chunk := list(islice(rest, size)):
        yield chunk


def _mean(x: Floats) -> float | None:
    return float(np.nanmean(x)) if np.isfinite(x).any() else None


# ---------------------------------------------------------------- the committed table


def write(rows: Sequence[Row]) -> None:
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in asdict(row).items()}
            writer.writerow(shown)


def committed() -> list[Row]:
    with TABLE.open(newline="") as file:
        return [_row(row) for row in csv.DictReader(file)]


def _row(text: dict[str, str]) -> Row:
    whole = {name: int(text[name]) for name in ("agents", "batch", "looks", "tasks", "streams")}
    names = ("futility", "wrong", "wrong_upper", "found", "seeds", "exaggerated", "covered")
    numbers = {name: float(text[name]) if text[name] else None for name in names}
    return Row(**{**text, **whole, **numbers})  # type: ignore[arg-type]
