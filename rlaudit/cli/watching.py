"""The verb status: how far a training has got that runs on another terminal, or ran."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rlaudit.status import Status, Watch

_COPY = "config.yaml"  # in a results folder: training.CONFIG, whose import would bring scipy along
_REFRESH_SECONDS = 2.0


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="RESULTS")
@click.option("--follow", is_flag=True, help="Look again every two seconds, until nobody works on it any more.")
@click.option("--json", "as_json", is_flag=True, help="On standard output; with --follow an object a line.")
def status(target: Path, follow: bool, as_json: bool) -> None:
    """How far is a training: what is done, running, failed, to come, and who works on it.

    RESULTS is a results folder, or a config whose results are in results/NAME. It may be asked from any terminal while
    `rlaudit train` or `rlaudit audit` runs, or after it was killed. Nothing is changed.
    """
    from rlaudit import terminal
    from rlaudit.status import Watch, to_json

    watch = Watch(_folder(target))
    try:
        if as_json:
            for found in _looks(watch, follow):
                click.echo(json.dumps(to_json(found), indent=None if follow else 1))
        elif follow:
            _follow(watch)
        else:
            terminal.print_status(watch.look(time.time()), terminal.console(sys.stdout))
    except KeyboardInterrupt:  # who only looks on loses nothing
        click.echo()


def _folder(target: Path) -> Path:
    """A config's results folder: the one that it stands in, or results/NAME."""
    from rlaudit.events import EVENTS
    from rlaudit.store import is_results_folder

    if target.suffix.lower() not in (".yaml", ".yml") or target.is_dir():
        return target
    if target.name == _COPY and (is_results_folder(target.parent) or (target.parent / EVENTS).exists()):
        return target.parent
    from rlaudit.config import load_config

    return Path("results") / load_config(target)[0].name


def _looks(watch: "Watch", follow: bool = True) -> "Iterator[Status]":
    while True:
        found = watch.look(time.time())
        yield found
        if not follow or not found.is_worked_on:
            return
        time.sleep(_REFRESH_SECONDS)


def _follow(watch: "Watch") -> None:
    """Drawn over and over on a terminal; elsewhere a line whenever a number has changed."""
    from rich.live import Live

    from rlaudit.terminal import StatusView, console, print_status, status_line

    out, said = console(sys.stdout), ""
    if not out.is_terminal:
        for found in _looks(watch):
            if (line := status_line(found)) != said:
                said = line
                click.echo(line)
        return
    with Live(console=out, auto_refresh=False, transient=True) as live:
        for found in _looks(watch):
            live.update(StatusView(found), refresh=True)
    print_status(found, out)
