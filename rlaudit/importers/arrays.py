"""Vectors and matrices of numbers, as text, .npy or .npz: their axes are what the user says they are."""

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import axes, gaps, run_names
from rlaudit.importers.axes import Named
from rlaudit.importers.cells import Trouble, import_error, shown
from rlaudit.importers.files import MAX_BYTES, array_names, head, load_arrays, opened, readable, start, text_lines
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.run_names import RunName
from rlaudit.importers.values import of_text
from rlaudit.results import ReadNote
from rlaudit.types import Floats, SeedLabel

_ENDINGS = (".gz", ".txt", ".dat", ".csv", ".tsv", ".npy", ".npz")
_EVALUATIONS = {"timesteps", "results"}  # arrays of stable-baselines3's evaluations.npz
_MOST_TROUBLES = 1000  # after which reading stops
_MARK = "rlaudit/"  # keys that an exported rliable.npz has beside the scores


def read(path: Path, hints: Hints) -> Found:
    """A run per position along the axis of the seeds (and of the tasks).

    The agent is the file's name, or the name of an array of an npz; `hints.axes` name the axes. Raises
    ImportFormatError.
    """
    axes.check(hints.axes)
    name = _name(path, hints)
    runs: list[Run] = []
    notes: list[ReadNote] = []
    for agent, values in _agents(path, name, hints).items():
        place = str(path) if agent == name.agent else f"{path}, array {shown(agent)}"
        found = axes.named(values, hints.axes, place, path)
        seeds, tasks, understood = _labels(found, name, place)
        steps, unknown = axes.timesteps(found, hints.every, place)
        runs += axes.runs(found, agent, tasks, seeds, steps, place)
        notes += [understood, *unknown, *axes.warning(found, place)]
    whole, lacking = gaps.closed(runs, path)
    return Found(whole, (*notes, *lacking))


def fits(path: Path) -> bool:
    """Whether `path` is an array of NumPy, or text that starts with a line of numbers."""
    try:
        if path.is_dir() or head(path) == b"\x93NUM":
            return path.is_file()
        names = array_names(path)
    except OSError:
        return False
    if names:
        return not _EVALUATIONS <= set(names) and not any(name.startswith(_MARK) for name in names)
    first = next(filter(None, map(_cells, start(path).splitlines())), [])
    return bool(first) and None not in map(of_text, first)


def _name(path: Path, hints: Hints) -> RunName:
    """By the pattern of the user, else the file's name; its seed only where the array has none."""
    plain = path.name
    while plain.lower().endswith(_ENDINGS):
        plain = plain.rpartition(".")[0]
    if hints.names is None and "seed" in hints.axes:
        return RunName(hints.agent or plain, hints.task)
    (name,), _ = run_names.of_runs([path.with_name(plain)], path.parent, hints)
    assert name is not None  # one that does not fit is all, and an error
    if hints.axes and (name.seed is None) == ("seed" not in hints.axes):
        both = "the seeds are an axis, and the seed is in the name. Which one is it?"
        none = "no axis is the seeds, nor does the name say one: --names '{agent}_{seed}'"
        axes_text = ",".join(hints.axes)
        raise ImportFormatError(f"{path}: --axes {axes_text}: {none if name.seed is None else both}")
    return name._replace(agent=name.agent or plain)


def _labels(found: Named, name: RunName, place: str) -> tuple[list[SeedLabel], list[str], ReadNote]:
    n_seeds, n_tasks = found.values.shape[:2]
    seeds: list[SeedLabel] = [*range(n_seeds)] if "seed" in found.axes else [name.seed or 0]
    tasks = [f"task {i}" for i in range(n_tasks)] if "task" in found.axes else [name.task or ""]
    called = " and ".join(axis + "s" for axis in ("seed", "task") if axis in found.axes)
    text = f"; {called} are called by their positions, from 0" if called else ""
    return seeds, tasks, ReadNote("rule", f"{place}: {found.text}{text}")


# ---------------------------------------------------------------- files


def _agents(path: Path, name: RunName, hints: Hints) -> Mapping[str, NDArray[Any]]:
    """Arrays by the agents' names."""
    if path.is_dir():
        raise ImportFormatError(f"{path} is a folder; name the files with the numbers.")
    agent = str(name.agent)
    with readable(path):
        binary = head(path) in (b"\x93NUM", b"PK\x03\x04")
    if not binary:
        return {agent: _text(path)}
    arrays = load_arrays(path)
    if hints.metric is not None:
        if hints.metric not in arrays:
            near = did_you_mean(hints.metric, arrays)
            raise ImportFormatError(f"{path}: --metric {hints.metric!r}: there is no array of that name.{near}")
        return {agent: arrays[hints.metric]}
    return {agent: next(iter(arrays.values()))} if len(arrays) == 1 else arrays


def _text(path: Path) -> Floats:
    """(n_lines, n_columns) of a text; lines that start with # and blank ones are left out."""
    numbers, width = array("d"), 0
    first = ""
    troubles: list[Trouble] = []
    with readable(path), opened(path) as stream:
        for number, cells in _rows(path, stream):
            place = f"{path}:{number}"
            width, first = width or len(cells), first or place
            values = [of_text(cell) for cell in cells]
            troubles += _troubles(place, cells, values, width, first)
            numbers.extend(value for value in values if value is not None)
            if len(troubles) > _MOST_TROUBLES:
                break
            if len(numbers) * numbers.itemsize > MAX_BYTES:
                raise ImportFormatError(f"{path} holds more than {MAX_BYTES // 8:,} numbers. Thin the curves.")
    if troubles:
        raise import_error(troubles)
    if not numbers:
        raise ImportFormatError(f"{path}: no number in it.")
    return np.frombuffer(numbers).reshape(-1, width)


def _rows(path: Path, stream: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text_lines(path, stream), 1):
        if cells := _cells(line):
            yield number, cells


def _cells(line: str) -> list[str]:
    """Separated by commas, semicolons, tabs or blanks; none in a comment or a blank line."""
    line = line.partition("#")[0].strip("\r\n")
    if not line.strip():
        return []
    return line.split(next((separator for separator in ",;\t" if separator in line), None))


def _troubles(place: str, cells: list[str], values: list[float | None], width: int, first: str) -> Iterator[Trouble]:
    if len(cells) != width:
        yield Trouble(place, f"found {len(cells)} numbers, expected {width}, as in {first}")
    if None in values:
        column = values.index(None)
        found = shown(cells[column].strip())
        yield Trouble(f"{place}, column {column + 1}", f"found {found}, expected a number or nan")
