"""What there is: list, schema, init."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    pass


_KINDS = (
    "tests",
    "procedures",
    "backends",
    "importers",
    "exporters",
    "experiments",
    "initializers",
    "executors",
    "figures",
)


@click.command("list")
@click.argument("kind", metavar=f"[{'|'.join(_KINDS)}]")
@click.option("--calibration", is_flag=True, help="How often each test errs where there is nothing to find (tests).")
def list_names(kind: str, calibration: bool) -> None:
    """Names of the tests, procedures, backends, importers, experiments, ..., with a line on each."""
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


@click.command()
def schema() -> None:
    """Print the JSON schema of configs, for editors."""
    import json

    from rlaudit.config import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@click.command()
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


def _registry(kind: str) -> dict[str, str]:
    """name -> a line about it."""
    if kind == "tests":
        from rlaudit.comparisons import COMPARISONS

        return {name: _first_line(test) for name, test in COMPARISONS.items()}
    if kind == "procedures":
        from rlaudit.procedures import PROCEDURES

        return {name: procedure.help for name, procedure in PROCEDURES.items()}
    if kind == "backends":
        from rlaudit.backends import BACKENDS

        return {name: backend.help for name, backend in BACKENDS.items()}
    if kind == "importers":
        from rlaudit.importers import IMPORTERS

        return {name: format.help for name, format in IMPORTERS.items()}
    if kind == "exporters":
        from rlaudit.exporters import EXPORTERS

        return {name: exporter.help for name, exporter in EXPORTERS.items()}
    if kind == "experiments":
        from rlaudit.experiments import EXPERIMENTS

        return {name: experiment.help for name, experiment in EXPERIMENTS.items()}
    if kind == "initializers":
        from rlaudit.backends.initializers import INITIALIZERS

        return {name: scheme.help for name, scheme in INITIALIZERS.items()}
    if kind == "executors":
        from rlaudit.executors import EXECUTORS, PLACES

        return {name: _first_line(executor) for name, executor in EXECUTORS.items()} | {
            place.form: place.help for place in PLACES.values()
        }
    from rlaudit.figures import FIGURES

    return {name: _first_line(figure) for name, figure in FIGURES.items()}


def _first_line(function: object) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
