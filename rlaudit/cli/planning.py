"""The verb plan."""

from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.cli import options
from rlaudit.cli.loading import load, refuse_seeds_without_config, scores_of
from rlaudit.errors import ConfigError

if TYPE_CHECKING:
    from rlaudit.forecast import Asked, Forecast
    from rlaudit.importers import Hints


@click.command(cls=options.Verb)
@click.argument("target", type=click.Path(path_type=Path), required=False)
@options.together(options.setting, options.seeds, options.out, options.workers)
@click.option("--pilot", "printed", multiple=True, metavar="TEXT", help="An agent's 'ppo: 247 +- 145, 20 seeds'.")
@click.option("--claim", "claims", multiple=True, metavar="CLAIM", help="As in configs: 'ppo > a2c'. [default: pairs]")
@click.option("--budget", "budgets", multiple=True, type=float, metavar="MINUTES", help="CPU-minutes to spend.")
@click.option("--cost", "costs", multiple=True, metavar="MINUTES", help="CPU-minutes of a run: 2.5, or ppo=2.5.")
@click.option("--power", default=0.8, metavar="SHARE", help="The power asked for. [default: 0.8]")
@click.option("--no-pilot", is_flag=True, help="Do not train 2 % of a run of an agent to learn what it costs.")
@click.option("--json", "as_json", is_flag=True, help="The numbers, as rlaudit.forecast.Forecast describes them.")
@options.reading
def plan(
    target: Path | None,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    workers: int | None,
    printed: tuple[str, ...],
    claims: tuple[str, ...],
    budgets: tuple[float, ...],
    costs: tuple[str, ...],
    power: float,
    no_pilot: bool,
    as_json: bool,
    hints: "Hints",
) -> None:
    """Which claims a budget reaches, what their seeds cost, which tests cannot reject. Trains nothing into the results.

    TARGET is a config, a results folder or a table of scores; or --pilot gives printed means and standard deviations:

    \b
      rlaudit plan results/quickstart --budget 10 --budget 60
      rlaudit plan --pilot "ppo: 247 +- 145, 20 seeds" --pilot "a2c: 186 +- 120, 20 seeds"
    """
    from rlaudit import forecast

    asked = forecast.Asked(_budgets(budgets), costs, claims, _power(power))
    if printed:
        found = _of_printed(target, printed, overrides, seeds, asked)
    elif target is None:
        raise ConfigError("give a config, a results folder or a table; or --pilot 'ppo: 247 +- 145, 20 seeds', twice")
    else:
        found = _of_target(target, overrides, seeds, out, workers, asked, not no_pilot, hints)
    if as_json:
        click.echo(forecast.to_json(found), nl=False)
        return
    for line in forecast.lines(found):
        click.echo(line)


def _of_printed(
    target: Path | None, printed: tuple[str, ...], overrides: tuple[str, ...], seeds: str | None, asked: "Asked"
) -> "Forecast":
    from rlaudit import config, forecast

    if target is not None or seeds is not None:
        raise ConfigError(f"--pilot stands for a pilot, so {target or f'--seeds {seeds}'} has no place beside it")
    return forecast.of_pilots(forecast.parse_pilots(printed), config.settings(overrides).audit, asked)


def _of_target(
    target: Path,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    workers: int | None,
    asked: "Asked",
    pilot: bool,
    hints: "Hints",
) -> "Forecast":
    from rlaudit import forecast, looks, pipeline
    from rlaudit.experiments import EXPERIMENTS
    from rlaudit.looks import LOG
    from rlaudit.store import Store, is_results_folder
    from rlaudit.training import check
    from rlaudit.wording import carried

    refuse_seeds_without_config([target], seeds)
    if pipeline.is_config(target):
        config, source, store = load(target, overrides, seeds, out)
        looks.check(config, source)
        check(EXPERIMENTS[config.experiment].plan(config), source)
        return forecast.of_config(config, store, asked, workers=workers, pilot=pilot)
    records = Store(target).records() if is_results_folder(target) else ()
    table, settings = scores_of(target, overrides, hints)
    found = forecast.of_scores(table, settings, asked, name=carried(target.resolve().name), records=records)
    return replace(found, notes=(*found.notes, _AFTER_LOOKS)) if (target / LOG).exists() else found


_AFTER_LOOKS = (
    "Seeds of this pilot were added until looks were satisfied: its gaps are too large on average, and the seeds that "
    "they seem to need are too few."
)


def _budgets(minutes: tuple[float, ...]) -> tuple[float, ...]:
    for budget in minutes:
        if not (isfinite(budget) and budget >= 0):
            raise ConfigError(f"--budget {budget:g}: a budget is a number of CPU-minutes, 0 or more")
    return minutes


def _power(power: float) -> float:
    if not 0 < power < 1:
        raise ConfigError(f"--power {power:g}: power is a share between 0 and 1, such as 0.8")
    return power
