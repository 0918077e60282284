"""Arguments and options that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def together(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator, shown in this order."""

    def add(verb: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


config = click.argument("config", type=click.Path(path_type=Path))
target = click.argument("target", type=click.Path(path_type=Path))
setting = click.option(
    "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: -s audit.alpha=0.01."
)
seeds = click.option("--seeds", metavar="SEEDS", help="Override the seeds: 50, 100-119 or 3,5,8.")
out = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="The results folder. [default: results/NAME]"
)
workers = click.option("--workers", type=click.IntRange(min=1), help="Runs at the same time. [default: all cores]")
timeout = click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop a run after this long."
)
retry_failed = click.option("--retry-failed", is_flag=True, help="Train failed runs again.")
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress; only the first line of the verdict.")
training = together(setting, seeds, out, workers, timeout, retry_failed, quiet)
