"""What a plan costs and what it can show, before anything is trained into the store."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import mean

from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.errors import RlauditError
from rlaudit.executors import available_cores, run_local
from rlaudit.plan import cannot_reject, plan
from rlaudit.power import seeds_needed, welch_power
from rlaudit.seeds import run_seeds
from rlaudit.store import Store
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec, ScoreTable
from rlaudit.wording import number, percent

PILOT_SHARE = 0.02  # of a run's timesteps: the length of the longer pilot
PILOT_STEPS = (1_000, 5_000, 20_000)  # the shorter pilot; the longer one at least and at most
PILOT_SEED = 2**31 - 2  # a seed that nobody audits, so that no result is seen before its time
GAINS = (0.5, 1.0, 1.5)  # in standard deviations between seeds: small, plain, large
POWER = 0.8


# ---------------------------------------------------------------- of a config


def of_config(config: AuditConfig, store: Store, *, workers: int | None = None, pilot: bool = True) -> Iterator[str]:
    """Lines: how many runs, what they cost, what these numbers of seeds can show."""
    specs = plan(config)
    missing = store.missing(specs)
    yield (
        f"{config.name}: {_counted(config.agents, 'agent')} x {_counted(config.tasks, 'task')} x "
        f"{_counted(config.seeds, 'seed')} = {_counted(specs, 'run')}; {len(specs) - len(missing)} stored in "
        f"{store.root}, {len(missing)} missing."
    )
    yield from _cost(specs, missing, store.records(specs), workers or available_cores(), pilot)
    yield ""
    yield from _reach(config)


@dataclass(frozen=True)
class Price:
    """CPU seconds of one run of an agent on a task, and how they are known."""

    agent: str
    task: str
    seconds: float
    basis: str


def _cost(
    specs: Sequence[RunSpec], missing: Sequence[RunSpec], records: Sequence[RunRecord], workers: int, pilot: bool
) -> Iterator[str]:
    known = prices(missing, records, pilot=pilot)
    for price in known.values():
        yield f"  {price.agent} on {price.task}: {_duration(price.seconds)} of CPU a run ({price.basis})"
    unknown = {_arm(spec) for spec in missing} - set(known)
    if unknown:
        yield "  What the missing runs cost is not known: none is stored, and no pilot was asked for."
    elif missing:
        total = sum(known[_arm(spec)].seconds for spec in missing)
        longest = max(known[_arm(spec)].seconds for spec in missing)
        wall = max(total / workers, longest)
        yield f"About {_duration(total)} of CPU for what is missing: {_duration(wall)} with {workers} workers."
    else:
        yield "Nothing is left to train."


def prices(
    missing: Sequence[RunSpec], records: Iterable[RunRecord], *, pilot: bool = True
) -> dict[tuple[str, str], Price]:
    """For each (agent, task): the mean of its stored runs, else what a pilot's time extends to."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for record in records:
        if record.status == "done":
            seconds.setdefault(_arm(record.spec), []).append(record.seconds)
    known = {arm: Price(*arm, mean(times), f"mean of {len(times)} stored runs") for arm, times in seconds.items()}
    unknown = {_arm(spec): spec for spec in missing if _arm(spec) not in seconds}
    if pilot:
        known |= _piloted(tuple(unknown.values()))
    return known


def _arm(spec: RunSpec) -> tuple[str, str]:
    return spec.agent, spec.task_label


def _piloted(specs: Sequence[RunSpec]) -> dict[tuple[str, str], Price]:
    """Two lengths for each spec: what they share is the start of a run, what they differ by is the price of steps."""
    least, enough, most = PILOT_STEPS
    short = {_arm(spec): _pilot(spec, least) for spec in specs}
    long = {_arm(spec): _pilot(spec, min(most, max(enough, round(PILOT_SHARE * spec.timesteps)))) for spec in specs}
    records = {
        (_arm(record.spec), record.spec.timesteps): record for record in run_local([*short.values(), *long.values()])
    }
    return {
        _arm(spec): _extrapolated(spec, *(records[_arm(spec), pilot[_arm(spec)].timesteps] for pilot in (short, long)))
        for spec in specs
    }


def _pilot(spec: RunSpec, steps: int) -> RunSpec:
    evaluation = EvaluationPlan(every=None, episodes=spec.evaluation.episodes)
    short = replace(spec, timesteps=min(steps, spec.timesteps), evaluation=evaluation)
    return replace(short, seed=PILOT_SEED, seeds=run_seeds(PILOT_SEED))


def _extrapolated(spec: RunSpec, short: RunRecord, long: RunRecord) -> Price:
    """A straight line through both, along the steps that were really taken: some algorithms round up to rollouts."""
    for record in (short, long):
        if record.status == "failed":
            reason = (record.error or "no reason was given").strip().rpartition("\n")[2]
            raise RlauditError(f"the pilot of {spec.agent} on {spec.task_label} failed: {reason}")
    begin, end = (
        int(record.eval_steps[-1]) if len(record.eval_steps) else record.spec.timesteps for record in (short, long)
    )
    slope = max(0.0, long.seconds - short.seconds) / (end - begin) if end > begin else long.seconds / end
    seconds = long.seconds + slope * max(0, spec.timesteps - end)
    return Price(*_arm(spec), seconds, f"from pilots of {begin:,} and {end:,} steps, a rough guess")


def _counted(things: Sized, noun: str) -> str:
    return f"{len(things):,} {noun}{'' if len(things) == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{number(seconds, 2)} s"
    return f"{number(seconds / 60, 2)} min" if seconds < 5400 else f"{number(seconds / 3600, 2)} h"


def _reach(config: AuditConfig) -> Iterator[str]:
    """What n seeds can show at all."""
    n, alpha = len(config.seeds), config.audit.alpha
    hopeless: dict[int, list[str]] = {}
    for test, size, _ in cannot_reject(config.audit, n):
        hopeless.setdefault(size, []).append(test)
    for size, tests in sorted(hopeless.items()):
        least = next(p for _, at, p in cannot_reject(config.audit, n) if at == size)
        yield f"{size} against {size} seeds: {' and '.join(tests)} can never reach p < {alpha:g} (at best {least:.2g})."
    for size in config.audit.group_sizes:
        if 2 * size > n:
            yield f"Groups of {size} need {2 * size} seeds an agent; there are {n}: no split of that size is audited."
    if len(config.agents) > 1:
        shares = (f"{percent(float(welch_power(gain, n, alpha)))} for {gain:g} sd" for gain in GAINS)
        yield f"With {n} seeds an agent, Welch finds a true gain with this power: {', '.join(shares)} (normal scores)."


# ---------------------------------------------------------------- of scores that exist


def of_scores(table: ScoreTable, settings: AuditSettings) -> Iterator[str]:
    """Lines: for each pair of agents, the seeds that would find the difference seen."""
    level = f"{percent(POWER)} power at alpha = {settings.alpha:g}"
    yield f"Seeds an agent for {level}, if the difference seen is the true one:"
    n_pairs = 0
    for task in table.tasks:
        arms = [arm for arm in table.arms if arm.task == task and len(arm.scores) > 1]
        for a, b in combinations(arms, 2):
            n_pairs += 1
            needed = seeds_needed(a.scores, b.scores, power=POWER, alpha=settings.alpha)
            seeds = f"{needed.n:,}" if needed.n is not None else "no number (the means hardly differ)"
            bounds = f"{needed.low or 2:,} to {f'{needed.high:,}' if needed.high is not None else 'no limit'}"
            yield (
                f"  {a.agent} against {b.agent} on {task}: {seeds} ({bounds}); there are "
                f"{len(a.scores)} and {len(b.scores)}, difference {number(a.scores.mean() - b.scores.mean())}"
            )
    if not n_pairs:
        yield "  There is only one agent: nothing to compare."
