"""The verb reproduce; the other experiments of the laboratory are configs for `rlaudit audit`."""

from pathlib import Path
from typing import Any

import click

from rlaudit.cli import options
from rlaudit.cli.loading import load
from rlaudit.cli.running import finish, watched

NAME = "reproduce"


@click.command()
@options.config
@options.training
@click.option("--json", "as_json", is_flag=True, help="audit.json on standard output, all else on standard error.")
@click.pass_context
def reproduce(
    ctx: click.Context,
    /,
    config: Path,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Train the same seed again in fresh processes: the same to the bit, or where it parts and why.

    Takes any config; each of its agents is trained under its first seed, twice, once beside another run, and under
    other seeds. Exit code 1 where the same seed gives another run.
    """
    from rlaudit import pipeline

    as_trials = (*overrides, f"experiment={NAME}")
    loaded, source, _ = load(config, as_trials, seeds, out)
    if source.document.data.get("experiment") != NAME:  # a config of something else keeps its results folder
        overrides = (*as_trials, f"name={loaded.name}-{NAME}")
    with watched(quiet, how) as training:
        audited, report = pipeline.audit_target(config, overrides=overrides, seeds=seeds, out=out, how=training)
    finish(ctx, audited, report, gate=False, quiet=quiet, as_json=as_json)
