"""The command line: one function per verb. What a verb needs is imported when it runs; `--help` takes no time."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlaudit.errors import ConfigError, RlauditError, did_you_mean

if TYPE_CHECKING:
    from rlaudit.config import AuditConfig, AuditSettings, ConfigSource
    from rlaudit.results import Audit
    from rlaudit.store import Store
    from rlaudit.types import RunSpec, ScoreTable

USAGE_ERROR, RUNS_FAILED, INTERRUPTED = 2, 4, 130  # the others: findings.exit_code


class _Failure(click.ClickException):
    """One clear message on standard error, no traceback."""

    exit_code = USAGE_ERROR


class _Verbs(click.Group):
    """Turns what a user can mend into a message, and Ctrl-C into the line that resumes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RlauditError as error:
            raise _Failure(str(error)) from None
        except KeyboardInterrupt:
            click.echo("\nInterrupted. Nothing is lost but the runs that were in progress. To go on:", err=True)
            click.echo(f"    {shlex.join(['rlaudit', *sys.argv[1:]])}", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rlaudit", message="rlaudit %(version)s")
def main() -> None:
    """Would other seeds have told another story?

    rlaudit audits reinforcement-learning results for seed variance: how different the same agent can look, which
    conclusions the seeds carry, and how many more would settle them.

    \b
      rlaudit audit configs/quickstart.yaml    train, audit, report
      rlaudit audit scores.csv                 audit what exists (agent, seed, score)
      rlaudit plan my-config.yaml              what it costs, what it can show

    Exit codes: 0 fine, 1 a conclusion does not hold (claims, --gate), 2 usage, config or data error,
    3 inconclusive (--gate), 4 runs failed, 130 interrupted.
    """


# ---------------------------------------------------------------- options


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def add(verb: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


_config = click.argument("config", type=click.Path(path_type=Path))
_target = click.argument("target", type=click.Path(path_type=Path))
_set = click.option(
    "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: -s audit.alpha=0.01."
)
_seeds = click.option("--seeds", metavar="SEEDS", help="Override the seeds: 50, 100-119 or 3,5,8.")
_out = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="The results folder. [default: results/NAME]"
)
_workers = click.option("--workers", type=click.IntRange(min=1), help="Runs at the same time. [default: all cores]")
_timeout = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop a run after this long."
)
_retry_failed = click.option("--retry-failed", is_flag=True, help="Train failed runs again.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="No progress; only the first line of the verdict.")
_training = _options(_set, _seeds, _out, _workers, _timeout, _retry_failed, _quiet)


# ---------------------------------------------------------------- verbs


@main.command()
@_target
@_training
@click.option("--quick", is_flag=True, help="At most 1,000 sampled splits: a first look.")
@click.option("--gate", is_flag=True, help="Exit with 1 or 3 where the runs do not settle the matter.")
@click.option("--json", "as_json", is_flag=True, help="audit.json on standard output, all else on standard error.")
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    target: Path,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    quick: bool,
    gate: bool,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Audit a config (train what is missing first), a results folder, or a table of scores.

    Writes audit.json, scores.csv and report.html into the results folder and prints the verdict.
    """
    from rlaudit import findings, pipeline
    from rlaudit.results import to_json

    _refuse_seeds_without_config(target, seeds)
    missing: Sequence[RunSpec] = ()
    if pipeline.is_config(target):
        config, _, store = _load(target, overrides, seeds, out)
        missing = _missing(config, store, how["retry_failed"])
    with _watched(missing, quiet, how) as training:
        audited, report = pipeline.audit_target(
            target, overrides=overrides, seeds=seeds, out=out, quick=quick, how=training
        )
    _print_verdict(audited, report, quiet=quiet, to_stderr=as_json)
    if as_json:
        click.echo(to_json(audited), nl=False)
    ctx.exit(findings.exit_code(audited, gate=gate))


@main.command()
@_config
@_training
@click.pass_context
def train(
    ctx: click.Context,
    /,
    config: Path,
    overrides: tuple[str, ...],
    seeds: str | None,
    out: Path | None,
    quiet: bool,
    **how: Any,
) -> None:
    """Train what is missing of a config; audit nothing."""
    from rlaudit import pipeline
    from rlaudit.plan import plan

    loaded, source, store = _load(config, overrides, seeds, out)
    with _watched(_missing(loaded, store, how["retry_failed"]), quiet, how) as training:
        pipeline.train(loaded, source, store, training)
    specs = plan(loaded)
    n_failed = len(store.missing(specs, retry_failed=True))
    click.echo(f"{len(specs) - n_failed} of {len(specs)} runs are in {store.root}, {n_failed} failed.", err=True)
    ctx.exit(RUNS_FAILED if n_failed else 0)


@main.command()
@_target
@_options(_set, _seeds, _out, _workers)
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

    _refuse_seeds_without_config(target, seeds)
    if pipeline.is_config(target):
        config, source, store = _load(target, overrides, seeds, out)
        pipeline.check(planned(config), source)
        lines = forecast.of_config(config, store, workers=workers, pilot=pilot)
    else:
        lines = forecast.of_scores(*_scores(target, overrides))
    for line in lines:
        click.echo(line)


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: RESULTS/report.html]")
@click.option("--figures", is_flag=True, help="Write each figure as an SVG file, too, into RESULTS/figures.")
def report(results: Path, out: Path | None, figures: bool) -> None:
    """Render the report again from the audit.json of a results folder."""
    from rlaudit import pipeline
    from rlaudit.results import from_json
    from rlaudit.store import Store

    folder = results.parent if results.name == pipeline.AUDIT else results
    text = Store(folder).read_text(pipeline.AUDIT)
    if text is None:
        raise ConfigError(f"{folder / pipeline.AUDIT}: there is no such file; `rlaudit audit` writes it")
    audited = from_json(text)
    click.echo(pipeline.write_report(audited, out or folder / pipeline.REPORT))
    if figures:
        for path in pipeline.write_figures(audited, folder / "figures"):
            click.echo(path)


_KINDS = ("tests", "backends", "importers", "experiments", "figures")


@main.command("list")
@click.argument("kind", metavar=f"[{'|'.join(_KINDS)}]")
@click.option("--calibration", is_flag=True, help="How often each test errs where there is nothing to find (tests).")
def list_names(kind: str, calibration: bool) -> None:
    """Names of the tests, backends, importers, experiments or figures, with a line on each."""
    if kind not in _KINDS:
        raise ConfigError(f"list {kind}: there is no such kind.{did_you_mean(kind, _KINDS)}")
    if calibration:
        if kind != "tests":
            raise ConfigError(
                f"list {kind} --calibration: only tests are calibrated (rlaudit list tests --calibration)"
            )
        from rlaudit.calibration import committed, lines

        click.echo("\n".join(lines(committed())))
        return
    entries = _registry(kind)
    width = max(map(len, entries))
    for name, about in entries.items():
        click.echo(f"{name:<{width}}  {about}")


@main.command()
def schema() -> None:
    """Print the JSON schema of configs, for editors."""
    import json

    from rlaudit.config import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@main.command()
@click.argument("file", type=click.Path(path_type=Path), default="audit.yaml")
def init(file: Path) -> None:
    """Write a commented config to start from. [default: audit.yaml]"""
    from importlib.resources import files

    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(files("rlaudit").joinpath("templates/config.yaml").read_text(encoding="utf-8"))
    except FileExistsError:
        raise ConfigError(f"{file}: is there already and was left as it is; name another file") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None
    click.echo(f"{file} is written. See what it costs: rlaudit plan {shlex.quote(str(file))}")


# ---------------------------------------------------------------- helpers


def _load(
    path: Path, overrides: Sequence[str], seeds: str | None, out: Path | None
) -> "tuple[AuditConfig, ConfigSource, Store]":
    from rlaudit.config import load_config
    from rlaudit.store import Store

    config, source = load_config(path, overrides, seeds)
    return config, source, Store(out or Path("results") / config.name)


def _missing(config: "AuditConfig", store: "Store", retry_failed: bool) -> "Sequence[RunSpec]":
    """What will be trained; says beforehand if these seeds can never be enough for a test."""
    from rlaudit.plan import cannot_reject, plan

    n = len(config.seeds)
    hopeless = [test for test, size, _ in cannot_reject(config.audit, n) if size == n]
    if hopeless and len(config.agents) > 1:
        click.echo(
            f"Warning: {n} seeds an agent are too few for {' and '.join(hopeless)}, whatever comes out.", err=True
        )
    return store.missing(plan(config), retry_failed)


def _scores(target: Path, overrides: Sequence[str]) -> "tuple[ScoreTable, AuditSettings]":
    """The scores of a table, or of a results folder as its own config wants them."""
    from rlaudit import config, pipeline

    stored = target / pipeline.CONFIG
    if stored.exists():
        settled, _ = config.load_config(stored, overrides)
        return pipeline.load_scores(target, score=settled.score), settled.audit
    asked = config.settings(overrides)
    return pipeline.load_scores(target, score=asked.score, higher_is_better=asked.audit.higher_is_better), asked.audit


def _refuse_seeds_without_config(target: Path, seeds: str | None) -> None:
    from rlaudit.pipeline import is_config

    if seeds is not None and not is_config(target):
        raise ConfigError(f"--seeds {seeds}: {target} is no config; a folder or a table has the seeds it has")


@contextmanager
def _watched(missing: "Sequence[RunSpec]", quiet: bool, how: dict[str, Any]) -> Iterator[Any]:
    """Training with somebody watching."""
    from rlaudit.pipeline import Training
    from rlaudit.terminal import ProgressDisplay

    if quiet:
        yield Training(**how)
        return
    with ProgressDisplay(missing) as display:
        yield Training(**how, notify=display.notify)


def _print_verdict(audited: "Audit", report: Path, *, quiet: bool, to_stderr: bool) -> None:
    from rlaudit import terminal

    out = terminal.console(sys.stderr if to_stderr else sys.stdout)
    if quiet:
        terminal.print_headline(audited, out)
    else:
        terminal.print_verdict(audited, report, out)


def _registry(kind: str) -> dict[str, str]:
    """name -> a line about it."""
    if kind == "tests":
        from rlaudit.comparisons import COMPARISONS

        return {name: _first_line(test) for name, test in COMPARISONS.items()}
    if kind == "backends":
        from rlaudit.backends import BACKENDS

        return {name: backend.help for name, backend in BACKENDS.items()}
    if kind == "importers":
        from rlaudit.importers import IMPORTERS

        return {name: _first_line(importer) for name, importer in IMPORTERS.items()}
    if kind == "experiments":
        from rlaudit.experiments import EXPERIMENTS

        return {name: experiment.help for name, experiment in EXPERIMENTS.items()}
    from rlaudit.figures import FIGURES

    return {name: _first_line(figure) for name, figure in FIGURES.items()}


def _first_line(function: object) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
