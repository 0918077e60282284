"""CSV exports of Weights & Biases: of a chart, and of the table of runs.

A chart has its x axis in the first column, and for each run "NAME - METRIC", "NAME - METRIC__MIN", "... __MAX". The
table of runs has a row for each run: Name, State, and columns for its arguments and the last value of each metric.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError
from rlaudit.importers.cells import RawTable, Trouble, import_error
from rlaudit.importers.files import head
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.quantities import (
    FAR,
    PARAMETERS,
    Points,
    Quantity,
    chosen,
    doubtful_points,
    joined,
    quantity_of,
    reading_note,
    run_of,
    stated,
)
from rlaudit.importers.run_names import FullName, RunName, of_runs, parse
from rlaudit.importers.tables import read_cells
from rlaudit.results import ReadNote
from rlaudit.types import Floats
from rlaudit.wording import several

_COLUMNS = "of a chart are global_step,NAME - METRIC,NAME - METRIC__MIN,NAME - METRIC__MAX,..."
_MAX_HEADER = 2**20  # bytes
_JOIN = " - "
_EXTREME = re.compile(r"(.*)__(MIN|MAX)")
_GROUP = re.compile(r"[\w./-]+: .*")  # "exp_name: ppo", "Group: ppo"
_CLOCKS = ("Relative Time (Wall)", "Relative Time (Process)", "Wall Time", "_runtime", "_timestamp")
_OWN_STEPS = ("Step", "_step")
_SAMPLE = "; of each run a chart holds a sample of its points, 1,500 at most"
_NUMBER = re.compile(r"[+-]?((\d++\.?+\d*+|\.\d++)(e[+-]?\d++)?+|inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_PATTERNS = (  # the first that tells the runs apart is proposed
    "{task}__{agent}__{seed}__{*}", "{agent}__{task}__{seed}", "{agent}__{seed}", "{agent}_{task}_{seed}",
    "{agent}-{seed}", "{agent}_{seed}", "{agent}.{seed}", "{agent} {seed}", "{agent}{seed}", "{agent}-{seed}-{*}",
    "{agent}_{seed}_{*}", "{seed}-{agent}", "{seed}_{agent}",
)  # fmt: skip


def read(path: Path, hints: Hints) -> Found:
    """The runs of a chart, each with a curve; or those of a table of runs, each with a score."""
    raw = read_cells(path, _COLUMNS)
    if raw.troubles:
        raise import_error(raw.troubles)
    if twice := [name for name in dict.fromkeys(raw.names) if raw.names.count(name) > 1]:
        raise ImportFormatError(
            f"{raw.header}: {_listed(twice)} stand there more than once. Are there runs of one name? Rename them in "
            "Weights & Biases, and export again."
        )
    return (_of_table if _is_table(raw.names) else _of_chart)(raw, path.with_suffix(""), hints)


def fits(path: Path) -> bool:
    """Whether the first line is that of a chart or of a table of runs."""
    try:
        lines = head(path, _MAX_HEADER).decode("utf-8-sig", errors="replace").splitlines()
        names = next(csv.reader(line for line in lines if line.strip()), [])
    except (OSError, csv.Error):
        return False
    return _is_table(names) or (len(names) > 1 and _JOIN not in names[0] and all(_JOIN in name for name in names[1:]))


def _is_table(names: Sequence[str]) -> bool:
    return {"Name", "State"} <= set(names)


def _listed(names: Sequence[str]) -> str:
    return several([repr(name if len(name) <= 80 else name[:77] + "...") for name in names], 4)


# ---------------------------------------------------------------- a chart


def _of_chart(raw: RawTable, root: Path, hints: Hints) -> Found:
    columns = _columns(raw)
    runs = list(columns)
    groups = [run for run in runs if _GROUP.fullmatch(run)]
    if groups and hints.names is None:
        raise ImportFormatError(
            f"{raw.header}: {_listed(groups)} are groups of runs, of which a chart holds the means and no seeds. "
            "Switch grouping off and export again. For printed means and deviations there is rlaudit recheck."
        )
    axis, axis_notes = _axis(raw)
    notes = [*axis_notes, *_extremes(raw)]
    names, told = _names(runs, [RunName()] * len(runs), raw.source, root, hints)
    known = [(run, name) for run, name in zip(runs, names, strict=True) if name is not None]
    held = [(name.agent, columns[run]) for run, name in known]
    metric = chosen(held, hints.metric, raw.source)
    points = _points(raw, axis, [columns[run].get(metric) for run, _ in known])
    quantity = quantity_of(metric, [of_run.steps for of_run in points])
    made = [
        run_of(name, f"{raw.source}, run {run!r}", metric, quantity, of_run)
        for (run, name), of_run in zip(known, points, strict=True)
    ]
    notes += [*told, reading_note(metric, quantity, held), *doubtful_points(made, points)]
    return Found(tuple(made), tuple(notes))


def _columns(raw: RawTable) -> dict[str, dict[str, int]]:
    """Run -> metric -> position of its column. Raises ImportFormatError where there is none."""
    columns: dict[str, dict[str, int]] = {}
    for at, name in enumerate(raw.names):
        run, _, metric = name.rpartition(_JOIN)
        if at and run and not metric.startswith("_") and not _EXTREME.fullmatch(name):  # _step, _runtime, ...
            columns.setdefault(run, {})[metric] = at
    if not columns:
        raise ImportFormatError(f"{raw.header}: found {_listed(raw.names)}. The columns {_COLUMNS}")
    return columns


def _axis(raw: RawTable) -> tuple[Floats, list[ReadNote]]:
    """The steps (n_rows,), whole numbers. Raises ImportFormatError where they are none."""
    name = raw.names[0]
    if name in _CLOCKS:
        raise ImportFormatError(
            f"{raw.header}: the x axis {name!r} is a time, and curves are compared by timesteps. Choose the metric "
            "that counts them as x axis of the chart (global_step), and export again."
        )
    (steps,), _ = _numbers(raw, [0])
    wrong = np.flatnonzero(~((steps >= 0) & (steps < 2**63) & (steps == np.floor(steps))))
    if len(wrong):
        found = [(raw.place(i), f"column {name!r}: found {raw.columns[0][i][:40]!r}, expected a whole number from 0 up")
                 for i in wrong.tolist()]  # fmt: skip
        raise import_error(
            [Trouble(*one, "Choose timesteps as x axis of the chart, and export again.") for one in found]
        )
    if name in _OWN_STEPS:
        text = "counts calls of wandb.log, not timesteps: agents that log at other times cannot be compared by it. "
        return steps, [ReadNote("warning", f"the x axis {name!r} {text}Export the chart over global_step{_SAMPLE}")]
    return steps, [ReadNote("rule", f"timesteps are the x axis {name!r}{_SAMPLE}")]


def _extremes(raw: RawTable) -> Iterator[ReadNote]:
    """About the columns __MIN and __MAX, which differ where a value is a mean of several."""
    at = {name: i for i, name in enumerate(raw.names)}
    low = [name for name in raw.names if name.endswith("__MIN")]
    pairs = [(raw.columns[at[name]], raw.columns[at[high]]) for name in low if (high := name[:-3] + "MAX") in at]
    differ = sum(list(lows) != list(highs) for lows, highs in pairs)
    if low:
        yield ReadNote("left_out", "the columns __MIN and __MAX")
    if differ:
        text = f"__MIN and __MAX differ for {differ} of {len(pairs)} columns: their values are means of several points"
        yield ReadNote("warning", f"{text} of a run, or of several runs where these were grouped")


def _points(raw: RawTable, axis: Floats, columns: Sequence[int | None]) -> list[Points]:
    """The points of each column, by their steps; empty cells are none, and runs without a column have none."""
    there = [at for at in columns if at is not None]
    values, empty = _numbers(raw, there)
    order = np.argsort(axis, kind="stable")
    steps, none = axis[order].astype(np.int64), Points(np.empty(0, np.int64), np.empty(0), np.empty(0))
    of_column = {
        at: Points(steps[~is_empty[order]], value[order][~is_empty[order]], np.empty(0))
        for at, value, is_empty in zip(there, values, empty, strict=True)
    }
    return [none if at is None else of_column[at] for at in columns]


def _numbers(raw: RawTable, columns: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Numbers and where there is none, both (n_columns, n_rows). Raises ImportFormatError for other text."""
    cells = [[cell.strip() for cell in raw.columns[at]] for at in columns]
    troubles = [
        Trouble(raw.place(row), f"column {_listed([raw.names[at]])}: found {cell[:40]!r}, expected a number")
        for at, of_column in zip(columns, cells, strict=True)
        for row, cell in enumerate(of_column)
        if cell and not _NUMBER.fullmatch(cell)
    ]
    if troubles:
        raise import_error(troubles)
    shape = (len(columns), len(raw.columns[0]))
    numbers = np.array([[float(cell or "nan") for cell in of_column] for of_column in cells], np.float64).reshape(shape)
    return numbers, np.array([[not cell for cell in of_column] for of_column in cells], np.bool_).reshape(shape)


# ---------------------------------------------------------------- agents, tasks and seeds


def _names(
    runs: Sequence[str], said: Sequence[RunName], source: str, root: Path, hints: Hints
) -> tuple[list[FullName | None], list[ReadNote]]:
    """Of each run by its name, where its arguments do not say it; None where --names does not fit."""
    found, notes = of_runs([_path(root, run) for run in runs], root, hints)
    if not hints.names and all(one.seed is not None for one in said):
        notes = []  # about seeds in the names
    names = [name and joined(name, one, hints) for name, one in zip(found, said, strict=True)]
    if seedless := [run for run, name in zip(runs, names, strict=True) if name and name.seed is None]:
        raise ImportFormatError(
            f"{source}: nothing says the seed of {len(seedless)} of {len(runs)} runs: {_listed(seedless)}. "
            + _way_out(seedless)
        )
    if any(name and name.agent is None for name in names):
        raise ImportFormatError(f"{source}: the names of the runs say no agent: {_listed(runs)}. Say it: --agent-name.")
    return [name and FullName(name.agent or "", name.task, name.seed or 0) for name in names], notes


def _path(root: Path, run: str) -> Path:
    return root.joinpath(*([part for part in run.split("/") if part not in ("", ".", "..")] or ["_"]))


def _way_out(runs: Sequence[str]) -> str:
    for pattern in _PATTERNS:
        found = [parse(pattern, run) for run in runs]
        labels = {tuple(one.items()) for one in found if one is not None}
        agents = list(dict.fromkeys(one["agent"] for one in found if one is not None))
        if None not in found and len(labels) == len(runs) and 2 * len(agents) <= len(runs):
            return (
                f"Does {_listed([pattern])} say how they are called? It finds the agents {_listed(agents)} (--names)."
            )
    return (
        "Say how they are called: --names '{agent}_{seed}' ({*} stands for anything). Where the names hold no seed, "
        "export the table of runs with the columns seed, env_id and exp_name, or rename the runs. Runs that were "
        "grouped have lost their seeds: switch grouping off."
    )


# ---------------------------------------------------------------- the table of runs


def _of_table(raw: RawTable, root: Path, hints: Hints) -> Found:
    rows = range(len(raw.columns[0]))
    arguments = {name: raw.column(name) for names in PARAMETERS.values() for name in names if name in raw.names}
    said = [stated({name: cells[row] for name, cells in arguments.items()}) for row in rows]
    names, notes = _names(raw.column("Name"), said, raw.source, root, hints)
    known = [(row, name) for row, name in enumerate(names) if name is not None]
    columns = [(name, cells) for name, cells in zip(raw.names, raw.columns, strict=True) if name not in arguments]
    held = [(name.agent, [metric for metric, cells in columns if _NUMBER.fullmatch(cells[row].strip())])
            for row, name in known]  # fmt: skip
    metric = chosen(held, hints.metric, raw.source)
    (values,), _ = _numbers(raw, [raw.names.index(metric)])
    runs = tuple(_scored(raw, row, name, float(values[row])) for row, name in known)
    kind = Quantity("score", "the last value that each run logged")
    if quantity_of(metric, []).sort == "training":
        text = f"the last value of {metric!r} is one training episode, a noisy score: a chart has the whole training"
        notes = [*notes, ReadNote("warning", text)]
    return Found(runs, (*notes, reading_note(metric, kind, held)))


def _scored(raw: RawTable, row: int, name: FullName, value: float) -> Run:
    state = raw.column("State")[row].strip()
    error = None if state.lower() == "finished" else f"its state in Weights & Biases is {state[:40]!r}"
    final = np.array([value])
    return Run(
        name.agent, name.task or "", name.seed, raw.place(row), "score", final=final[np.abs(final) < FAR], error=error
    )
