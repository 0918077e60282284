"""What budgets buy: which claims are in reach, what their seeds cost, and which designs cannot reject at all.

`reckon` and what it calls are statistics; only this module and `costs` know runs and stores.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.config_values import BACKEND_NAMES
from rlaudit.errors import ConfigError
from rlaudit.executors import available_cores
from rlaudit.experiments import EXPERIMENTS
from rlaudit.forecast.cautions import cautions
from rlaudit.forecast.costs import given_prices, prices
from rlaudit.forecast.lines import lines
from rlaudit.forecast.looks import look_forecast
from rlaudit.forecast.nouns import Arm, Forecast, Pilot, Price, Runs, to_json
from rlaudit.forecast.pilots import parse_pilots, pilots_of
from rlaudit.forecast.reckoning import reckon
from rlaudit.forecast.stated import Chosen, seen, stated
from rlaudit.plan import cannot_reject
from rlaudit.scores import score_table
from rlaudit.store import Store
from rlaudit.training import planned
from rlaudit.types import RunRecord, RunSpec, ScoreTable, canonical_json

__all__ = [
    "Asked",
    "Forecast",
    "Pilot",
    "Price",
    "lines",
    "of_config",
    "of_pilots",
    "of_scores",
    "parse_pilots",
    "prices",
    "to_json",
]

_Arm = tuple[str, str]  # agent, task


@dataclass(frozen=True)
class Asked:
    """What a user wants to know."""

    budgets: tuple[float, ...] = ()  # CPU-minutes; empty: round numbers around what the claims need
    costs: tuple[str, ...] = ()  # CPU-minutes a run: "2.5", "ppo=2.5"
    claims: tuple[str, ...] = ()  # empty: those of the settings, else every pair
    power: float = 0.8


def of_config(
    config: AuditConfig, store: Store, asked: Asked = Asked(), *, workers: int | None = None, pilot: bool = True
) -> Forecast:
    """From the stored runs; what they cost is measured by a short training where none is stored and `pilot` is true."""
    specs = planned(config, store)
    missing, records = store.missing(specs), store.records(specs)
    if config.experiment != "audit":
        return _of_experiment(config, store, specs, missing, records, asked, workers, pilot)
    arms = list(dict.fromkeys((spec.agent, spec.task_label) for spec in specs))
    given = given_prices(asked.costs, arms)
    unpriced = [spec for spec in missing if (spec.agent, spec.task_label) not in given]
    known = prices(unpriced, records, pilot=pilot) | given
    if config.sequential:
        _refuse_what_is_fixed(asked)
        found = _forecast(config.name, (), {}, config.audit, asked)
        runs = _runs(config, store, specs, missing, known, workers)
        return replace(found, runs=runs, looks=look_forecast(config, store, missing, known))
    table = score_table(records, config.score, config.audit.higher_is_better)
    found = _forecast(config.name, pilots_of(table), _arms(arms, table, known), config.audit, asked, len(config.seeds))
    hints = tuple(_designs(config))
    return replace(found, runs=_runs(config, store, specs, missing, known, workers), notes=(*hints, *found.notes))


def _refuse_what_is_fixed(asked: Asked) -> None:
    if asked.claims or asked.budgets:
        option = "--claim" if asked.claims else "--budget"
        raise ConfigError(
            f"{option} is about a fixed number of seeds, and this config adds seeds until it is decided; give a count "
            "as well: --seeds 20"
        )


def _of_experiment(
    config: AuditConfig,
    store: Store,
    specs: Sequence[RunSpec],
    missing: Sequence[RunSpec],
    records: Sequence[RunRecord],
    asked: Asked,
    workers: int | None,
    pilot: bool,
) -> Forecast:
    """What it costs; its claims are its own. Runs that differ in what the experiment does to them cost the same."""
    arms = list(dict.fromkeys((spec.agent, spec.task_label) for spec in specs))
    firsts = {_trained_alike(spec): _plain_run(spec) for spec in reversed(missing) if _trainer(spec) in BACKEND_NAMES}
    measured = prices(tuple(firsts.values()), records, pilot=pilot and not asked.costs)
    known = {
        (spec.agent, spec.task_label): measured[first.agent, first.task_label]
        for spec in missing
        if (first := firsts.get(_trained_alike(spec))) and (first.agent, first.task_label) in measured
    }
    known |= measured | given_prices(asked.costs, arms)
    further = ("Further runs follow from the results of these.",) if EXPERIMENTS[config.experiment].staged else ()
    found = _forecast(config.name, (), {}, config.audit, asked)
    runs = _runs(config, store, specs, missing, known, workers)
    shown = tuple({price.seconds: price for price in reversed(runs.prices)}.values())
    return replace(found, runs=replace(runs, prices=shown), experiment=config.experiment, notes=further)


def _trained_alike(spec: RunSpec) -> tuple[object, ...]:
    return spec.task_label, _trainer(spec), spec.algo, spec.timesteps, spec.n_envs, canonical_json(spec.params)


def _plain_run(spec: RunSpec) -> RunSpec:
    return replace(spec, backend=_trainer(spec), treatment={}, replicate=0)


def _trainer(spec: RunSpec) -> str:
    """The backend that makes the price: a mask costs nothing, and a trial little more than what it tries."""
    return "sb3" if spec.backend == "tickets" else spec.treatment.get("backend", spec.backend)


def of_scores(
    table: ScoreTable,
    settings: AuditSettings,
    asked: Asked = Asked(),
    *,
    name: str = "scores",
    records: Iterable[RunRecord] = (),
) -> Forecast:
    """From scores that exist; `records` say what a run of theirs cost."""
    arms = [(arm.agent, arm.task) for arm in table.arms]
    known = prices((), records, pilot=False) | given_prices(asked.costs, arms)
    return _forecast(name, pilots_of(table), _arms(arms, table, known), settings, asked)


def of_pilots(pilots: Sequence[Pilot], settings: AuditSettings, asked: Asked = Asked()) -> Forecast:
    """From printed means and sds. Their seeds are somebody else's and do not count."""
    arms = [(pilot.agent, pilot.task) for pilot in pilots]
    return _forecast("pilot", pilots, _arms(arms, None, given_prices(asked.costs, arms)), settings, asked)


def _forecast(
    name: str,
    pilots: Sequence[Pilot],
    arms: Mapping[_Arm, Arm],
    settings: AuditSettings,
    asked: Asked,
    planned: int | None = None,
) -> Forecast:
    claims = asked.claims or settings.claims
    chosen = stated(claims, list(arms)) if claims else seen(pilots, settings.higher_is_better)
    if not chosen.claims:
        pairs = [pair for pair in combinations(arms, 2) if pair[0][1] == pair[1][1]]
        chosen = Chosen((), max(1, len(pairs)))
    known = {(pilot.agent, pilot.task): pilot for pilot in pilots}
    arms = {at: replace(arm, mean=known[at].mean, sd=known[at].sd) if at in known else arm for at, arm in arms.items()}
    found = reckon(name, chosen, pilots, arms, settings, budgets=asked.budgets, power=asked.power, planned=planned)
    return replace(found, notes=(*found.notes, *cautions(found, pilots)))


def _arms(arms: Sequence[_Arm], table: ScoreTable | None, known: Mapping[_Arm, Price]) -> dict[_Arm, Arm]:
    there = {(arm.agent, arm.task): len(arm.scores) for arm in table.arms} if table else {}
    minutes = {at: price.seconds / 60 for at, price in known.items()}
    return {at: Arm(*at, n_seeds=there.get(at, 0), minutes=minutes.get(at)) for at in arms}


def _runs(
    config: AuditConfig,
    store: Store,
    specs: Sequence[RunSpec],
    missing: Sequence[RunSpec],
    known: Mapping[_Arm, Price],
    workers: int | None,
) -> Runs:
    workers = workers or available_cores()
    costs = [known.get((spec.agent, spec.task_label)) for spec in missing]
    seconds = [price.seconds for price in costs if price]
    total = sum(seconds) if len(seconds) == len(missing) else None
    return Runs(
        n_agents=len(config.agents),
        n_tasks=len(config.tasks),
        n_seeds=len(config.seeds),
        n_runs=len(specs),
        n_missing=len(missing),
        store=str(store.root),
        workers=workers,
        prices=tuple(known.values()),
        seconds=total,
        wall_seconds=None if total is None else max(total / workers, max(seconds, default=0.0)),
    )


def _designs(config: AuditConfig) -> Iterable[str]:
    """What the audit of the planned seeds cannot say, whatever comes out."""
    n, alpha = len(config.seeds), config.audit.alpha
    hopeless: dict[int, list[tuple[str, float]]] = {}
    for test, size, least in cannot_reject(config.audit, n):
        hopeless.setdefault(size, []).append((test, least))
    for size, tests in sorted(hopeless.items()):
        names, best = " and ".join(test for test, _ in tests), min(least for _, least in tests)
        yield f"{size} against {size} seeds: {names} can never reach p < {alpha:g} (at best {best:.2g})."
    for size in config.audit.group_sizes:
        if 2 * size > n:
            yield f"Groups of {size} need {2 * size} seeds an agent; there are {n}: no split of that size is audited."
