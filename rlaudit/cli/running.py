"""Verbs that train, audit and show: audit, train, report."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlaudit.cli import options
from rlaudit.cli.loading import load, refuse_seeds_without_config, warn_of_hopeless_tests
from rlaudit.errors import ConfigError

if TYPE_CHECKING:
    from rlaudit.importers import Hints
    from rlaudit.results import Audit

RUNS_FAILED = 4  # the other exit codes: findings.exit_code


@click.command(cls=options.Verb)
@options.targets
@options.training
@click.option(
    "--claim", "claims", multiple=True, metavar="CLAIM",
    help='A claim to judge, beside those of the config: "a > b", "a >= b - 25", "a == b within 10". May be repeated.',
)  # fmt: skip
@click.option("--quick", is_flag=True, help="At most 1,000 sampled splits: a first look.")
@click.option("--gate", is_flag=True, help="Exit with 1 or 3 where the runs do not settle the matter.")
@click.option("--json", "as_json", is_flag=True, help="audit.json on standard output, all else on standard error.")
@options.reading
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    targets: tuple[Path, ...],
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    claims: tuple[str, ...],
    quick: bool,
    gate: bool,
    as_json: bool,
    quiet: bool,
    hints: "Hints",
    **how: Any,
) -> None:
    """Audit a config (train what is missing first), a results folder, or results in any known format.

    Several files or folders belong together. Writes audit.json, scores.csv and report.html into the results folder and
    prints the verdict.
    """
    from rlaudit import pipeline

    refuse_seeds_without_config(targets, seeds)
    if pipeline.is_config(targets[0]):
        warn_of_hopeless_tests(load(targets[0], overrides, seeds, out)[0])
    with watched(quiet, how) as training:
        audited, report = pipeline.audit_target(
            *targets, overrides=overrides, seeds=seeds, out=out, claims=claims, quick=quick, hints=hints, how=training
        )
    finish(ctx, audited, report, gate=gate, quiet=quiet, as_json=as_json)


@click.command()
@options.config
@options.training
@click.option("--list-commands", is_flag=True, help="Print a shell line for each missing run; train nothing.")
@click.option("--only", multiple=True, metavar="RUN", help="Train this run, by its 12 digits. May be repeated.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    config: Path,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    quiet: bool,
    list_commands: bool,
    **how: Any,
) -> None:
    """Train what is missing of a config; audit nothing."""
    from rlaudit.cli.command_lines import print_command_lines
    from rlaudit.training import asked_for, planned
    from rlaudit.training import train as train_missing

    loaded, source, store = load(config, overrides, seeds, out)
    warn_of_hopeless_tests(loaded)
    if list_commands:
        print_command_lines(ctx, loaded, source, store)
        return
    with watched(quiet, how) as training:
        train_missing(loaded, source, store, training)
    specs = asked_for(planned(loaded, store), training)
    n_failed = len(store.missing(specs, retry_failed=True))
    click.echo(f"{len(specs) - n_failed} of {len(specs)} runs are in {store.root}, {n_failed} failed.", err=True)
    ctx.exit(RUNS_FAILED if n_failed else 0)


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: RESULTS/report.html]")
@click.option("--figures", is_flag=True, help="Write each figure as an SVG file, too, into RESULTS/figures.")
def report(results: Path, out: Path | None, figures: bool) -> None:
    """Render the report again from the audit.json of a results folder."""
    from rlaudit import outputs
    from rlaudit.results import from_json
    from rlaudit.store import Store

    folder = results.parent if results.name == outputs.AUDIT else results
    text = Store(folder).read_text(outputs.AUDIT)
    if text is None:
        raise ConfigError(f"{folder / outputs.AUDIT}: there is no such file; `rlaudit audit` writes it")
    audited = from_json(text)
    click.echo(outputs.write_report(audited, out or folder / outputs.REPORT))
    if figures:
        for path in outputs.write_figures(audited, folder / "figures"):
            click.echo(path)


@contextmanager
def watched(quiet: bool, how: dict[str, Any]) -> Iterator[Any]:
    """Training with somebody watching."""
    from rlaudit.terminal import ProgressDisplay
    from rlaudit.training import Training

    if how.pop("keep_going"):
        how["max_failures"] = None
    if quiet:
        yield Training(**how)
        return
    with ProgressDisplay() as display:
        yield Training(**how, notify=display.notify, looked=display.looked)


def finish(ctx: click.Context, audited: "Audit", report: Path, *, gate: bool, quiet: bool, as_json: bool) -> None:
    """Says what came out, in words and in the exit code."""
    from rlaudit import findings, terminal
    from rlaudit.results import to_json

    out = terminal.console(sys.stderr if as_json else sys.stdout)
    if quiet:
        terminal.print_headline(audited, out)
    else:
        terminal.print_verdict(audited, report, out)
    if as_json:
        click.echo(to_json(audited), nl=False)
    ctx.exit(findings.exit_code(audited, gate=gate))
