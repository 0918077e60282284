"""`rlaudit train --list-commands`: each missing run as a line for a shell, a job array, or any other queue."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from rlaudit.config import AuditConfig, ConfigSource
    from rlaudit.store import Store

_NOT_REPEATED = ("config", "out", "only", "list_commands")


def print_command_lines(ctx: click.Context, config: "AuditConfig", source: "ConfigSource", store: "Store") -> None:
    """Lines on standard output, how many there are on standard error. Raises ConfigError as training would."""
    from rlaudit.experiments import EXPERIMENTS
    from rlaudit.training import Training, check, to_train

    specs = to_train(config, store, Training(retry_failed=ctx.params["retry_failed"], only=ctx.params["only"]))
    check(specs, source)
    common = ["rlaudit", "train", str(ctx.params["config"]), "--out", str(store.root), *_given(ctx)]
    for spec in specs:
        click.echo(shlex.join([*common, "--only", spec.run_id]))
    staged = EXPERIMENTS[config.experiment].staged and not ctx.params["only"]
    further = " Further runs may follow from their results: ask again when these are trained." if staged else ""
    click.echo(f"{len(specs)} runs are missing in {store.root}.{further}", err=True)


def _given(ctx: click.Context) -> Iterator[str]:
    """The other options as they were typed."""
    for option in ctx.command.params:
        name, value = str(option.name), ctx.params[str(option.name)]
        if name in _NOT_REPEATED or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        for one in value if option.multiple else [value]:
            yield max(option.opts, key=len)
            if not getattr(option, "is_flag", False):
                yield str(one)
