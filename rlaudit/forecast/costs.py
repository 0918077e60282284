"""The price of a run: as given, else the mean of the stored runs of its agent, else from a short training."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import isfinite
from statistics import mean

from rlaudit.backends.command_line import takes_steps
from rlaudit.errors import ConfigError, RlauditError, did_you_mean
from rlaudit.executors import run_local
from rlaudit.forecast.nouns import Price
from rlaudit.seeds import run_seeds
from rlaudit.types import EvaluationPlan, RunRecord, RunSpec

PILOT_SHARE = 0.02  # of a run's timesteps: the length of the longer pilot
PILOT_STEPS = (1_000, 5_000, 20_000)  # the shorter pilot; the longer one at least and at most
PILOT_SEED = 2**31 - 2  # a seed that nobody audits, so that no result is seen before its time
_Prices = dict[tuple[str, str], Price]


def given_prices(texts: Sequence[str], arms: Collection[tuple[str, str]]) -> _Prices:
    """From "2.5" (CPU-minutes of any run) and "ppo=2.5" (of this agent's), the latter before the former."""
    agents = list(dict.fromkeys(agent for agent, _ in arms))
    found: dict[str, float] = {}
    for text in sorted(texts, key=lambda text: "=" in text):
        agent, named, minutes = text.rpartition("=")
        if named and agent.strip() not in agents:
            raise ConfigError(f"--cost {text}: there is no agent {agent.strip()!r}.{did_you_mean(agent, agents)}")
        found |= dict.fromkeys([agent.strip()] if named else agents, 60 * _minutes(text, minutes))
    return {(agent, task): Price(agent, task, found[agent], "as given") for agent, task in arms if agent in found}


def _minutes(text: str, minutes: str) -> float:
    try:
        value = float(minutes)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise ConfigError(f"--cost {text}: a run costs CPU-minutes above 0: --cost 2.5, or --cost AGENT=2.5")
    return value


def prices(missing: Sequence[RunSpec], records: Iterable[RunRecord], *, pilot: bool = True) -> _Prices:
    """For each (agent, task): the mean of its stored runs, else what a pilot's time extends to."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for record in records:
        if record.status == "done" and record.seconds > 0:  # an imported run tells no time
            seconds.setdefault(_arm(record.spec), []).append(record.seconds)
    known = {arm: Price(*arm, mean(times), f"mean of {len(times)} stored runs") for arm, times in seconds.items()}
    unknown = {_arm(spec): spec for spec in missing if _arm(spec) not in seconds and _can_be_short(spec)}
    if pilot:
        known |= _piloted(tuple(unknown.values()))
    return known


def _can_be_short(spec: RunSpec) -> bool:
    """A program that is not told how long to train would train to its end as a pilot."""
    return spec.backend != "command" or takes_steps(spec)


def _arm(spec: RunSpec) -> tuple[str, str]:
    return spec.agent, spec.task_label


def _piloted(specs: Sequence[RunSpec]) -> _Prices:
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
            reason = record.reason or "no reason was given"
            raise RlauditError(f"the pilot of {spec.agent} on {spec.task_label} failed: {reason}")
    begin, end = (
        int(record.eval_steps[-1]) if len(record.eval_steps) else record.spec.timesteps for record in (short, long)
    )
    slope = max(0.0, long.seconds - short.seconds) / (end - begin) if end > begin else long.seconds / end
    seconds = long.seconds + slope * max(0, spec.timesteps - end)
    return Price(*_arm(spec), seconds, f"from pilots of {begin:,} and {end:,} steps, a rough guess")
