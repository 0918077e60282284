"""The verb plan."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.cli import options
from rlaudit.cli.loading import load, refuse_seeds_without_config, scores_of

if TYPE_CHECKING:
    pass


@click.command()
@options.target
@options.together(options.setting, options.seeds, options.out, options.workers)
@click.option("--pilot/--no-pilot", default=True, help="Train about 2 % of one run an agent to learn what it costs.")
def plan(
    target: Path, overrides: tuple[str, ...], seeds: str | None, out: Path | None, workers: int | None, pilot: bool
) -> None:
    """How many seeds, what they cost, what they can show. Trains nothing into the results.

    For a config: its runs, their predicted CPU time, and the tests that cannot reject with so few seeds. For a results
    folder or a table: the seeds that each pair of agents needs.
    """
    from rlaudit import forecast, pipeline
    from rlaudit.plan import plan as planned

    refuse_seeds_without_config(target, seeds)
    if pipeline.is_config(target):
        config, source, store = load(target, overrides, seeds, out)
        pipeline.check(planned(config), source)
        lines = forecast.of_config(config, store, workers=workers, pilot=pilot)
    else:
        lines = forecast.of_scores(*scores_of(target, overrides))
    for line in lines:
        click.echo(line)
