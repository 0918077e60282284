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

    loaded, _, _ = load(config, overrides, seeds, out)
    if loaded.experiment != NAME:
        overrides = (*overrides, f"experiment={NAME}", f"name={loaded.name}-{NAME}")
    with watched(quiet, how) as training:
        audited, report = pipeline.audit_target(config, overrides=overrides, seeds=seeds, out=out, how=training)
    finish(ctx, audited, report, gate=False, quiet=quiet, as_json=as_json)
