"""Arguments and options that several verbs share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rlaudit.importers import Hints


def together(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Several options as one decorator, shown in this order."""

    def add(verb: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


config = click.argument("config", type=click.Path(path_type=Path))
targets = click.argument("targets", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="TARGET...")
target = click.argument("target", type=click.Path(path_type=Path))
setting = click.option(
    "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: -s audit.alpha=0.01."
)
seeds = click.option("--seeds", metavar="SEEDS", help="Override the seeds: 50, 100-119 or 3,5,8.")
out = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="The results folder. [default: results/NAME]"
)
executor = click.option(
    "--executor",
    default="local",
    metavar="NAME",
    help="Where runs are trained: local, serial, tcp://HOST:PORT, slurm:FILE.yaml; see `rlaudit list executors`. "
    "[default: local]",
)
workers = click.option("--workers", type=click.IntRange(min=1), help="Runs at the same time. [default: all cores]")
timeout = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop a run after this long."
)


class Size(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """Bytes, or a number with a unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As in a config."""
        from rlaudit.config_values import n_bytes

        try:
            return n_bytes(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)


memory = click.option(
    "--memory", type=Size(), metavar="SIZE", help="Stop a run that holds more, with what it has started: 2GB."
)
retries = click.option(
    "--retries", type=click.IntRange(min=0), default=3, metavar="N",
    help="Train a run again whose process was killed. [default: 3]",
)  # fmt: skip
max_failures = click.option(
    "--max-failures", type=click.IntRange(min=1), default=10, metavar="N",
    help="Start no further run once so many have failed. [default: 10]",
)  # fmt: skip
keep_going = click.option("--keep-going", is_flag=True, help="Train on, however many fail.")
retry_failed = click.option("--retry-failed", is_flag=True, help="Train failed runs again.")
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress; only the first line of the verdict.")
limits = (timeout, memory, retries, max_failures, keep_going)
training = together(setting, seeds, out, executor, workers, *limits, retry_failed, quiet)


class ForeignOption(click.Option):
    """An option that says what foreign results do not; `--help` lists these apart."""


class Verb(click.Command):
    """A verb whose `--help` keeps its own options apart from those about foreign results."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes both lists."""
        parts: dict[str, list[tuple[str, str]]] = {"Options": [], "Results of others": []}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)) is not None:
                parts["Results of others" if isinstance(parameter, ForeignOption) else "Options"].append(record)
        for title, records in parts.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


COLUMNS = ("agent", "task", "seed", "score", "step", "value", "episode", "status")


def _foreign(*names: str, **how: Any) -> Callable[..., Any]:
    return click.option(*names, cls=ForeignOption, **how)


def _column(name: str) -> Callable[..., Any]:
    return _foreign(f"--{name}-column", metavar="NAME", help=_COLUMN_HELP.get(name, f"The same for {name}."))


_COLUMN_HELP = {"agent": "What the column of the agents is called there: --agent-column algo."}
_reading = together(
    _foreign("--format", metavar="NAME", help="One of `rlaudit list importers`. [default: by content]"),
    *map(_column, COLUMNS),
    _foreign("--axes", metavar="A,B", help="Of a bare array: seed; or step,seed; seed,task; ..."),
    _foreign("--every", type=click.IntRange(min=1), metavar="STEPS", help="Between points that have no steps."),
    _foreign("--metric", metavar="NAME", help="The quantity to take: a TensorBoard tag, a W&B metric."),
    _foreign("--names", "run_names", metavar="PATTERN", help="How runs or files are called: '{agent}_seed{seed}'."),
    _foreign("--agent-name", metavar="NAME", help="The agent, where the results name none."),
    _foreign("--task-name", metavar="NAME", help="The task, where the results name none."),
    _foreign("--until", type=click.IntRange(min=1), metavar="STEPS", help="Take every run up to this step."),
    _foreign("--skip", multiple=True, metavar="NAME", help="An agent or task to leave out. May be repeated."),
)


def reading(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what foreign results do not; the verb gets them as one argument, `hints`."""

    @wraps(verb)
    def with_hints(*args: Any, **given: Any) -> Any:
        return verb(*args, hints=_hints(given), **given)

    return _reading(with_hints)


def _hints(given: dict[str, Any]) -> "Hints":
    """Takes what belongs to it out of `given`."""
    from rlaudit.importers import Hints

    columns = {name: theirs for name in COLUMNS if (theirs := given.pop(f"{name}_column")) is not None}
    axes = given.pop("axes")
    return Hints(
        columns=columns,
        axes=tuple(part.strip() for part in axes.split(",")) if axes else (),
        agent=given.pop("agent_name"),
        task=given.pop("task_name"),
        names=given.pop("run_names"),
        **{name: given.pop(name) for name in ("format", "every", "metric", "until", "skip")},
    )
