"""Dictionaries as rliable takes them: algorithm -> scores (n_runs, n_tasks) or (n_runs, n_tasks, n_frames).

An .npz of them, or JSON: {"DQN": [[run's tasks], ...]}, {"DQN": {"Pong": [runs]}}, or {"Pong": [runs]} with a file
for each algorithm. What rlaudit exports holds more, under keys that start with "rlaudit/", and loses nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError
from rlaudit.importers import axes, gaps, run_names
from rlaudit.importers.axes import Named
from rlaudit.importers.cells import shown
from rlaudit.importers.files import array_names, cut, files_of, load_arrays, load_json, readable, some_fit, start
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.values import numbers
from rlaudit.results import ReadNote
from rlaudit.types import SeedLabel

OURS = "rlaudit/"  # no algorithm is called so
_AXES = {  # rliable's own, by whether the task has a name already, and the number of axes
    (False, 2): ("seed", "task"),
    (False, 3): ("seed", "task", "step"),
    (True, 1): ("seed",),
    (True, 2): ("seed", "step"),
}
_KEY = r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:'
_JSON = re.compile(rf"{_KEY}(?:{_KEY})?\s*\[[\s\[]*[-0-9nN]")
_DEPTH = 4  # of nested lists


class _Scores(NamedTuple):
    """One array; without a task, one of its axes may be the tasks."""

    agent: str
    task: str | None
    array: NDArray[Any]


def read(path: Path, hints: Hints) -> Found:
    """A run per algorithm, task and row, of a file or of the files of a folder; `hints.axes` for another order.

    Raises ImportFormatError.
    """
    runs: list[Run] = []
    notes: list[ReadNote] = []
    for file in files_of(path, _is_one, ".npz", ".json"):
        with readable(file):
            arrays = load_arrays(file) if array_names(file) else None
        if arrays is not None and f"{OURS}algorithms" in arrays:
            runs += _exported(file, arrays, hints)
        else:
            more, told = _foreign(file, load_json(file) if arrays is None else arrays, hints)
            runs += more
            notes += told
    whole, lacking = gaps.closed(runs, path)
    return Found(whole, (*notes, *lacking))


def fits(path: Path) -> bool:
    """Whether `path` is an exported .npz or such a JSON, or a folder with one; another .npz need not be rliable's."""
    return some_fit(path, _is_one, ".npz", ".json")


def _is_one(path: Path) -> bool:
    return any(name.startswith(OURS) for name in array_names(path)) or _JSON.match(start(path)) is not None


# ---------------------------------------------------------------- of strangers


def _foreign(file: Path, content: Any, hints: Hints) -> tuple[list[Run], list[ReadNote]]:
    if not isinstance(content, Mapping) or not content:
        raise ImportFormatError(f"{file}: found {shown(content)}, expected algorithm -> scores.")
    tables = [(scores, _named(file, scores, hints)) for scores in _scores(file, content, hints)]
    _refuse_other_tasks(file, tables)
    runs: list[Run] = []
    notes = [ReadNote("rule", f"{file}: runs are called by their positions, from 0")]
    for scores, found in tables:
        n_seeds, n_tasks = found.values.shape[:2]
        tasks = [scores.task or hints.task or ""] if n_tasks == 1 else [f"task {i}" for i in range(n_tasks)]
        steps, unknown = axes.timesteps(found, hints.every, str(file))
        runs += axes.runs(found, scores.agent, tasks, range(n_seeds), steps, _place(file, scores))
        notes += [*unknown, *axes.warning(found, _place(file, scores))]
        if n_tasks > 1:
            notes.append(ReadNote("rule", f"{file}: its {n_tasks} tasks are called by their positions, from 0"))
    return runs, notes


def _scores(file: Path, content: Mapping[str, Any], hints: Hints) -> Iterator[_Scores]:
    nested = {agent: tasks for agent, tasks in content.items() if isinstance(tasks, dict)}
    if nested and len(nested) < len(content):
        raise ImportFormatError(f"{file}: some names hold tasks, and some hold numbers. Make it one of the two.")
    for agent, tasks in nested.items():
        for task, value in tasks.items():
            yield _Scores(agent, task, _array(value, f"{file}: {cut(agent)}, {cut(task)}"))
    if nested:
        return
    arrays = {name: _array(value, f"{file}: {cut(name)}") for name, value in content.items()}
    if hints.axes or any(array.ndim > 1 for array in arrays.values()):
        yield from (_Scores(name, None, array) for name, array in arrays.items())
    else:
        agent_of_all = _owner(file, hints)
        for name, array in arrays.items():
            yield _Scores(name, hints.task, array) if agent_of_all is None else _Scores(agent_of_all, name, array)


def _owner(file: Path, hints: Hints) -> str | None:
    """The agent whose tasks are the names of a file with a list for each; None where the names are the agents."""
    if hints.names is not None:
        (name,), _ = run_names.of_runs([file.with_name(file.name.split(".")[0])], file.parent, hints)
        if name is not None and name.agent is not None:
            return name.agent
    if hints.agent is None and hints.task is None:
        raise ImportFormatError(
            f"{file}: every name has a list of numbers, and nothing says whether the names are tasks or algorithms. "
            "Tasks of one algorithm: --agent-name NAME, or --names '{agent}' where the file is called so. "
            "Algorithms on one task: --task-name NAME."
        )
    return hints.agent


def _named(file: Path, scores: _Scores, hints: Hints) -> Named:
    place, array = _place(file, scores), scores.array
    order = hints.axes or _AXES.get((scores.task is not None, array.ndim))
    if order is None:
        raise ImportFormatError(
            f"{place}: found {axes.by(array.shape)} numbers, expected runs x tasks or runs x tasks x frames. Name the "
            "axes: --axes seed,step or another order."
        )
    if scores.task is not None and "task" in order:
        raise ImportFormatError(f"{place}: --axes {','.join(order)}: the tasks have names here and are no axis.")
    if "seed" not in order:
        raise ImportFormatError(f"{place}: --axes {','.join(order)}: no axis is the seeds.")
    return axes.named(array, order, place, file)


def _refuse_other_tasks(file: Path, tables: Sequence[tuple[_Scores, Named]]) -> None:
    """Raises ImportFormatError where the matrices have not the same tasks; the numbers of runs may differ."""
    shapes = {scores.agent: found.values.shape[:2] for scores, found in tables if "task" in found.axes}
    if len({n_tasks for _, n_tasks in shapes.values()}) > 1:
        listed = ", ".join(f"{n_tasks} for {shown(agent)}" for agent, (_, n_tasks) in list(shapes.items())[:5])
        swapped = len({n_seeds for n_seeds, _ in shapes.values()}) == 1
        way_out = " The numbers of runs do not: are the axes swapped? Then --axes task,seed." if swapped else ""
        raise ImportFormatError(f"{file}: the numbers of tasks differ: {listed}.{way_out}")


def _array(value: Any, place: str, depth: int = 1) -> NDArray[Any]:
    """An array as it is, or lists in lists, all of one length."""
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, list) or not value or depth > _DEPTH:
        raise ImportFormatError(f"{place}: found {shown(value)}, expected a list of numbers.")
    if not isinstance(value[0], list):
        return numbers(value, place)
    rows = [_array(row, f"{place}, row {i}", depth + 1) for i, row in enumerate(value)]
    for i, row in enumerate(rows):
        if row.shape != rows[0].shape:
            found = f"found {axes.by(row.shape)} numbers, expected {axes.by(rows[0].shape)}"
            raise ImportFormatError(f"{place}, row {i}: {found}, as in the first row.")
    return np.stack(rows)


def _place(file: Path, scores: _Scores) -> str:
    return f"{file}: {cut(scores.agent)}" + ("" if scores.task is None else f", {cut(scores.task)}")


# ---------------------------------------------------------------- of rlaudit


def _exported(file: Path, arrays: Mapping[str, NDArray[Any]], hints: Hints) -> Iterator[Run]:
    """The runs as they were."""
    if hints.axes or hints.every:
        raise ImportFormatError(f"{file}: rlaudit wrote it, with its axes and steps. Leave --axes and --every out.")

    def checked(name: str, kinds: str, *shape: int) -> NDArray[Any]:
        if name not in arrays or arrays[name].dtype.kind not in kinds or arrays[name].ndim != len(shape):
            raise ImportFormatError(f"{file}: no array {shown(name)} as rlaudit writes it. Was it changed?")
        if any(n not in (-1, found) for n, found in zip(shape, arrays[name].shape, strict=True)):
            expected = axes.by(tuple(shape))
            raise ImportFormatError(
                f"{file}, {shown(name)}: found {axes.by(arrays[name].shape)}, expected {expected}. Was it changed?"
            )
        return arrays[name]

    tasks = checked(f"{OURS}tasks", "U", -1)
    steps = checked(f"{OURS}steps", "iu", -1) if f"{OURS}steps" in arrays else None
    for agent in map(str, checked(f"{OURS}algorithms", "U", -1)):
        scores = checked(agent, "f", -1, len(tasks))
        seeds = checked(f"{OURS}seeds/{agent}", "iuU", *scores.shape)
        failed = f"{OURS}errors/{agent}" in arrays
        errors = checked(f"{OURS}errors/{agent}", "U", *scores.shape) if failed else np.full(scores.shape, "")
        curves = None if steps is None else checked(f"{OURS}curves/{agent}", "f", *scores.shape, len(steps))
        for at in np.ndindex(*scores.shape):
            run = Run(
                agent, str(tasks[at[1]]), _label(seeds[at]), f"{file}: {cut(agent)}", "score", final=scores[at][None]
            )
            if curves is not None and steps is not None and (there := np.isfinite(curves[at])).any():
                run = replace(run, sort="evaluations", steps=steps[there], returns=curves[at][there][:, None])
            yield replace(run, error=str(errors[at]) or None)


def _label(seed: Any) -> SeedLabel:
    """Text of digits is a whole number, as an exported label is."""
    text = str(seed)
    return int(text) if re.fullmatch(r"-?[0-9]{1,4000}", text) else text
