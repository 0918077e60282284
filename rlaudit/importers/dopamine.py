"""Dopamine's baselines: JSON rows {"Agent": "DQN", "Iteration": 0, "Value": 285.6}, without labels of the runs.

A file is a game, unless its rows name one ("Game"). Two orders are in use: run after run, where an iteration that does
not go up starts the next run; and iteration after iteration, where nothing says which value is whose, so that only
the last iteration can be used.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers import axes, gaps
from rlaudit.importers.cells import shown
from rlaudit.importers.files import files_of, load_json, some_fit, start
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.values import of_json
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints
from rlaudit.wording import several

_ROW = re.compile(r'\s*\[\s*\{[^{}\[\]]*"Iteration"[^{}\[\]]*\}')
_FIELDS = dict.fromkeys(("Agent", "Iteration", "Value"))


def read(path: Path, hints: Hints) -> Found:
    """The runs of a file, or of the files of a folder; they are called by their order, "run 0", "run 1", ...

    `hints.every` are the timesteps of an iteration. Raises ImportFormatError.
    """
    runs: list[Run] = []
    mixed: list[str] = []
    for file in files_of(path, _is_one, ".json"):
        for (agent, task), rows in _rows(file, hints).items():
            iterations, values = np.array(rows.iterations), np.array(rows.values)
            name = f"{agent} on {task}" if task else agent
            if _after_another(iterations):
                runs += _curves(file, agent, task, iterations, values, hints.every)
            elif (np.diff(iterations) >= 0).all():
                mixed.append(name)
                runs += _last(file, agent, task, iterations, values)
            else:
                raise ImportFormatError(f"{file}: the rows of {name} are in no order that tells its runs apart.")
    whole, lacking = gaps.closed(runs, path)
    curves = any(len(run.steps) for run in whole)
    return Found(whole, (*_notes(hints.every, mixed, curves), *lacking))


def fits(path: Path) -> bool:
    """Whether `path` is such a file, or a folder with one."""
    return some_fit(path, _is_one, ".json")


def _is_one(path: Path) -> bool:
    first = _ROW.match(start(path))
    return first is not None and all(f'"{name}"' in first[0] for name in _FIELDS)


class _Rows(NamedTuple):
    """Of one agent and task, in the order of the file."""

    iterations: list[int]
    values: list[float]


def _rows(path: Path, hints: Hints) -> dict[tuple[str, str], _Rows]:
    content = load_json(path)
    if not isinstance(content, list) or not content:
        raise ImportFormatError(f"{path}: expected a list of rows with {', '.join(_FIELDS)}.")
    rows: dict[tuple[str, str], _Rows] = {}
    task = hints.task or path.name.split(".")[0]
    for i, row in enumerate(content):
        if not isinstance(row, dict) or not row.keys() >= _FIELDS.keys():
            raise ImportFormatError(f"{path}, row {i}: found {shown(row)}, expected {', '.join(_FIELDS)}.")
        agent, game = row["Agent"], row.get("Game", task)
        if not (isinstance(agent, str) and isinstance(game, str) and agent.strip() and game.strip()):
            raise ImportFormatError(f"{path}, row {i}: found {shown(agent)} and {shown(game)}, expected names.")
        iteration = of_json(row["Iteration"], path, ", row ", i, ", Iteration")
        if not (iteration.is_integer() and 0 <= iteration < 2**40):
            raise ImportFormatError(f"{path}, row {i}, Iteration: found {iteration:g}, expected a whole number from 0.")
        mine = rows.setdefault((agent.strip(), game.strip()), _Rows([], []))
        mine.iterations.append(int(iteration))
        mine.values.append(of_json(row["Value"], path, ", row ", i, ", Value"))
    return rows


def _starts(iterations: Ints) -> Ints:
    """Positions at which the iteration does not go up."""
    return np.flatnonzero(np.diff(iterations) <= 0) + 1


def _after_another(iterations: Ints) -> bool:
    """Whether each run starts anew, where the first one did."""
    return bool((iterations[_starts(iterations)] == iterations[0]).all())


def _curves(file: Path, agent: str, task: str, iterations: Ints, values: Floats, every: int | None) -> Iterator[Run]:
    """An iteration is over after its timesteps."""
    ends = iterations if every is None else axes.times(iterations + 1, every)
    cuts = _starts(iterations)
    for i, (steps, returns) in enumerate(zip(np.split(ends, cuts), np.split(values, cuts), strict=True)):
        yield Run(agent, task, f"run {i}", str(file), "evaluations", steps, returns[:, None])


def _last(file: Path, agent: str, task: str, iterations: Ints, values: Floats) -> Iterator[Run]:
    """Scores of the last iteration; a run without one is counted, and has failed."""
    last = values[iterations == iterations[-1]]
    most = int(np.unique(iterations, return_counts=True)[1].max())
    error = f"no value of iteration {iterations[-1]:,} in {file}"
    for i in range(max(most, len(last))):
        there = i < len(last)
        yield Run(agent, task, f"run {i}", str(file), "score", final=last[i : i + 1], error=None if there else error)


def _notes(every: int | None, mixed: Sequence[str], curves: bool) -> Iterator[ReadNote]:
    yield ReadNote("rule", "runs carry no labels and are called by their order: run 0, run 1, ...")
    if curves and every is None:
        yield ReadNote("rule", "steps are Dopamine's iterations (--every says how many timesteps one is)")
    if mixed:
        yield ReadNote(
            "left_out",
            f"all iterations but the last of {several(mixed)}: the rows go iteration by iteration, and nothing says "
            "which value belongs to which run",
        )
