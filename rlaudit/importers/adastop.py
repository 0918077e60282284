"""AdaStop's CSVs: an unnamed index, a column per agent, a row per seed; a file per interim, each with new seeds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from rlaudit.importers import gaps, tables
from rlaudit.importers.cells import RawTable, Trouble, import_error, shown
from rlaudit.importers.columns import KNOWN
from rlaudit.importers.files import files_of, some_fit, start
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.values import of_text
from rlaudit.results import ReadNote
from rlaudit.wording import listed, several

_COLUMNS = "of the agents, after an unnamed index"
_LOOKED_AT = 20  # rows, by the recogniser


def read(path: Path, hints: Hints) -> Found:
    """A run per agent and row of a file, or of the files of a folder, called by file and row: "walker2/4".

    Raises ImportFormatError with everything that is wrong.
    """
    root = path if path.is_dir() else path.parent
    files = {_label(file, root): file for file in sorted(files_of(path, _is_one, ".csv"), key=_natural)}
    runs: list[Run] = []
    troubles: list[Trouble] = []
    for label, file in files.items():
        raw = tables.read_cells(file, _COLUMNS)
        troubles += [*raw.troubles, *_troubles(raw)]
        if not troubles:
            runs += _runs(raw, label, hints.task or "")
    if troubles:
        raise import_error(troubles)
    whole, lacking = gaps.closed(runs, path)
    return Found(whole, (*_interims(whole, tuple(files)), *lacking))


def fits(path: Path) -> bool:
    """Whether `path` is such a file, or a folder with one."""
    return some_fit(path, _is_one, ".csv")


def _is_one(path: Path) -> bool:
    """An index 0, 1, 2, ... without a name, names that are neither numbers nor columns of a tidy table, and numbers."""
    lines = [line.split(",") for line in start(path).splitlines()[: _LOOKED_AT + 1] if line.strip()]
    if len(lines) < 2 or lines[0][0].strip('"'):
        return False
    names = [name.strip().strip('"') for name in lines[0][1:]]
    if not names or any(not name or name.lower() in KNOWN or of_text(name) is not None for name in names):
        return False
    return all(cells[0] == str(i) and None not in map(of_text, cells) for i, cells in enumerate(lines[1:]))


def _label(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix().removesuffix(".csv")


def _natural(file: Path) -> list[tuple[str, int]]:
    """walker2 before walker10."""
    parts = re.findall(r"(\D*)(\d*)", str(file))
    return [(text, int(digits or 0)) for text, digits in parts]


def _troubles(raw: RawTable) -> Iterator[Trouble]:
    for name in dict.fromkeys(raw.names):
        if not name or raw.names.count(name) > 1:
            wrong = (
                f"column {shown(name)} stands there {raw.names.count(name)} times" if name else "a column has no name"
            )
            yield Trouble(raw.header, wrong, "Each column is an agent.")
        for row, cell in enumerate(raw.column(name)):
            if of_text(cell) is None:
                message = f"column {shown(name)}: found {shown(cell)}, expected a score, or nan where the run failed"
                yield Trouble(raw.place(row), message)


def _runs(raw: RawTable, label: str, task: str) -> Iterator[Run]:
    for agent in raw.names:
        for row, cell in enumerate(raw.column(agent)):
            yield Run(agent, task, f"{label}/{row}", raw.place(row), "score", final=np.array([of_text(cell)], float))


def _interims(runs: Sequence[Run], files: Sequence[str]) -> Iterator[ReadNote]:
    """What a file means, and what several do."""
    agents = listed(dict.fromkeys(run.agent for run in runs))
    which = f"each of {len(files)} files ({several(files)})" if len(files) > 1 else files[0]
    yield ReadNote("rule", f"{which} holds new seeds, called by file and row; agents: {agents}")
    scores: dict[str, dict[str, list[float]]] = {}  # agent -> file -> scores
    for run in runs:
        scores.setdefault(run.agent, {}).setdefault(str(run.seed).rpartition("/")[0], []).extend(run.final)
    if any(len(mine) < len(files) for mine in scores.values()):
        left = [f"{agent} in {len(mine)}" for agent, mine in scores.items()]
        yield ReadNote(
            "warning",
            f"agents leave at different interims (files: {listed(left)}). Who stayed was decided by the scores seen so "
            "far, and a p-value over all seeds does not count those looks",
        )
    yield from _same(scores)


def _same(scores: Mapping[str, Mapping[str, list[float]]]) -> Iterator[ReadNote]:
    for agent, mine in scores.items():
        for one, other in combinations(mine, 2):
            if mine[one] == mine[other] and len(set(mine[one])) > 1:
                yield ReadNote("warning", f"{one} and {other} hold the same scores of {agent!r}: the same seeds twice?")
