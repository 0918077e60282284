"""An importer reads runs from somebody else's results. One function with its recogniser and a line make a new one.

`nouns` says what importers speak. Each format of `IMPORTERS` is a module; several of them share `files` (opened with
care), `run_names`, `cells` and `columns` (tables), `axes`, `swapped`, `gaps` and `values` (arrays), `quantities` (logs).
`border` and `comparable` are what the runs of every format must stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import (
    adastop,
    arrays,
    border,
    dopamine,
    evaluations,
    marl_eval,
    monitor,
    rliable,
    tables,
    tensorboard,
    wandb,
    wide,
    zoo,
)  # fmt: skip
from rlaudit.importers.files import refuse_odd
from rlaudit.importers.nouns import Format, Found, Hints, Run
from rlaudit.results import Reading, ReadNote
from rlaudit.types import RunRecord

__all__ = ["IMPORTERS", "Format", "Found", "Hints", "Imported", "Run", "fitting", "read", "read_found"]

# The most specific first: where several fit, the first is taken, and the others are named.
_NAMED = ("names", "agent", "task")
IMPORTERS: dict[str, Format] = {
    "zoo": Format(
        zoo.read,
        zoo.fits,
        "log trees of rl-baselines3-zoo: the seed stands in args.yml",
        (*_NAMED, "metric", "columns"),
    ),
    "evaluations": Format(
        evaluations.read,
        evaluations.fits,
        "evaluations.npz of stable-baselines3's EvalCallback, with monitor.csv beside it or not",
        (*_NAMED, "metric"),
    ),
    "tensorboard": Format(
        tensorboard.read, tensorboard.fits, "TensorBoard event files, CleanRL's and others", (*_NAMED, "metric")
    ),
    "monitor": Format(monitor.read, monitor.fits, "monitor.csv of stable-baselines3: training episodes", _NAMED),
    "wandb": Format(
        wandb.read, wandb.fits, "CSV exports of Weights & Biases: a column per run and metric", (*_NAMED, "metric")
    ),
    "marl-eval": Format(
        marl_eval.read, marl_eval.fits, "JSON of marl-eval: environment, task, algorithm, run", ("metric",)
    ),
    "dopamine": Format(
        dopamine.read, dopamine.fits, "JSON of Dopamine's baselines: Agent, Iteration, Value", ("every", "task")
    ),
    "rliable": Format(
        rliable.read,
        rliable.fits,
        "dictionaries as rliable takes them: algorithm -> (runs, tasks)",
        ("axes", "every", *_NAMED),
    ),
    "matrix": Format(
        arrays.read,
        arrays.fits,
        "vectors and matrices of numbers (text, npy, npz), with --axes",
        ("axes", "every", "metric", *_NAMED),
    ),
    "adastop": Format(adastop.read, adastop.fits, "AdaStop's CSVs: a column per agent, a file per interim", ("task",)),
    "wide": Format(
        wide.read,
        wide.fits,
        "wide tables: a column per agent, a row per seed; or a column per seed",
        ("columns", "axes", *_NAMED),
    ),
    "tidy": Format(
        tables.read_tidy,
        tables.fits,
        "tidy tables (CSV, Parquet, JSON lines): agent, task, seed, score",
        ("columns", *_NAMED),
    ),
}


@dataclass(frozen=True, eq=False)
class Imported:
    """The records of foreign runs, and what was understood."""

    records: tuple[RunRecord, ...]
    reading: Reading


def read(
    sources: Path | Sequence[Path], hints: Hints = Hints(), *, single_seeds: bool = False, planned: int | None = None
) -> Imported:
    """The records in `sources`, each in the format that the hints name or that its content shows.

    Windows of training episodes are those of `planned` steps, for whoever reads the seeds of an agent one by one.
    Raises ImportFormatError where the content is not what it claims to be, NotEnoughSeeds where an agent has one seed
    unless `single_seeds` are wanted.
    """
    paths = [sources] if isinstance(sources, Path) else sources
    formats: dict[str, str] = {}
    runs: list[Run] = []
    notes: list[ReadNote] = []
    for path in paths:
        refuse_odd(path)
        name, also = _format(path, hints)
        _refuse_idle(name, hints)
        try:
            found = IMPORTERS[name].read(path, hints)
        except MemoryError:
            raise ImportFormatError(f"{path} holds more than fits into the memory. Thin it, or split it.") from None
        formats[str(path)] = name
        runs += found.runs
        notes += also
        notes += found.notes
    return _imported(Found(tuple(runs), tuple(notes)), hints, formats, single_seeds, planned)


def read_found(found: Found, source: str, format: str, hints: Hints = Hints()) -> Imported:
    """What is in memory already, past the same border."""
    return _imported(found, hints, {source: format}, single_seeds=False)


def _imported(
    found: Found, hints: Hints, formats: Mapping[str, str], single_seeds: bool, planned: int | None = None
) -> Imported:
    runs, notes = border.prepared(found, hints)
    reading = border.reading(runs, notes, formats)
    if not single_seeds:
        border.refuse_single_seeds(reading)
    return Imported(tuple(border.records(runs, " ".join(formats), planned)), reading)


def _format(path: Path, hints: Hints) -> tuple[str, list[ReadNote]]:
    """The format's name, and what else would fit."""
    if hints.format is not None:
        if hints.format not in IMPORTERS:
            raise ImportFormatError(
                f"{hints.format!r} is not a format of results.{did_you_mean(hints.format, IMPORTERS)} "
                "(rlaudit list importers)"
            )
        return hints.format, []
    fits = fitting(path)
    if not fits and path.is_dir():
        raise ImportFormatError(
            f"{path}: not a results folder of rlaudit, and nothing in it is known. Looked for {', '.join(IMPORTERS)} "
            "(rlaudit list importers says what they are). Name the file, or the format: --format NAME."
        )
    if len(fits) < 2:
        return (fits[0] if fits else "tidy"), []  # the table's errors say what is needed
    return fits[0], [ReadNote("rule", f"{path}: read as {fits[0]}; also fits {', '.join(fits[1:])} (--format)")]


def _refuse_idle(name: str, hints: Hints) -> None:
    """Raises ImportFormatError for what the user says and the format has no ear for."""
    for field in hints.given():
        if field not in (*IMPORTERS[name].hints, *border.HEEDED):
            flag = Hints(**{field: getattr(hints, field)}).flags()[0]
            raise ImportFormatError(
                f"{flag}: means nothing for results in the format {name!r}. Leave it out, or name another --format."
            )


def fitting(path: Path) -> list[str]:
    """The formats whose recogniser takes `path`, the most specific first."""
    return [name for name, format in IMPORTERS.items() if format.fits(path)]
