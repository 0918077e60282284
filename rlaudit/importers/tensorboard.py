"""TensorBoard event files, a folder of them for each run: CleanRL's, stable-baselines3's, and others with --metric.

Agent, task and seed stand in CleanRL's hyper-parameters, a table that it logs as text, else in the names of the
folders. The number behind stable-baselines3's `PPO_1` counts runs and is no seed.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers.event_files import EventFile, Scalars, read_events
from rlaudit.importers.files import near, walk
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.quantities import (
    QUANTITIES,
    Points,
    chosen,
    doubtful_points,
    joined,
    quantity_of,
    reading_note,
    run_of,
    stated,
)
from rlaudit.importers.run_names import FullName, RunName, complete, of_runs, shown
from rlaudit.results import ReadNote
from rlaudit.wording import on, several

_MARK = "tfevents"  # in the names of event files, as TensorBoard itself looks for them
_PARAMETERS = "hyperparameters/text_summary"
_ASIDE = re.compile(  # parameters that change no result
    "param|-|seed|exp_name|env_id|gym_id|run_name|cuda|device|track|capture_video|wandb_.*|hf_.*|(save|upload)_model"
)


def read(path: Path, hints: Hints) -> Found:
    """A run for each folder of event files below `path`, or the one file `path`."""
    root = path if path.is_dir() else path.parent
    wanted = {hints.metric} if hints.metric else set(QUANTITIES)
    logs, notes = _runs_only(_logs(path, wanted), wanted)
    names, told = _names(logs, root, hints)
    logs = [log for log in logs if log.folder in names]
    held = [(names[log.folder].agent, log.counts) for log in logs]
    tag = chosen(held, hints.metric, str(path))
    points = [_points(log, tag) for log in logs]
    quantity = quantity_of(tag, [of_run.steps for of_run in points])
    runs = [
        run_of(names[log.folder], str(log.folder), tag, quantity, of_run)
        for log, of_run in zip(logs, points, strict=True)
    ]
    notes += [*told, reading_note(tag, quantity, held), *doubtful_points(runs, points)]
    notes += [*_restarts(logs, tag, points), *_damage(logs), *_differences(logs, runs)]
    return Found(tuple(runs), tuple(notes))


def fits(path: Path) -> bool:
    """Whether `path` is an event file, or a folder with one below it."""
    try:
        return next(_event_files(path), None) is not None
    except (OSError, ImportFormatError):
        return False


def _event_files(path: Path) -> Iterator[Path]:
    files = walk(path) if path.is_dir() else iter([path])
    return (file for file in files if _MARK in file.name)


# ---------------------------------------------------------------- the files of a run


@dataclass(frozen=True, eq=False)
class _Log:
    """A folder and its event files, in the order in which they were begun."""

    folder: Path
    files: Sequence[EventFile]

    @cached_property
    def counts(self) -> Counter[str]:
        """Points of each tag."""
        counts: Counter[str] = Counter()
        for file in self.files:
            counts.update(file.counts)
        return counts

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What CleanRL logs of its arguments, |name|value| on each line; empty where there is no such text."""
        texts = [file.texts[_PARAMETERS] for file in self.files if _PARAMETERS in file.texts]
        rows = (line.strip("| ").split("|", 1) for line in "".join(texts[-1:]).splitlines())
        return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}

    @cached_property
    def stated(self) -> RunName:
        """Agent, task and seed as the parameters have them."""
        return stated(self.parameters)


def _logs(path: Path, wanted: set[str]) -> list[_Log]:
    """Raises ImportFormatError where there is none."""
    folders: dict[Path, list[EventFile]] = {}
    for file in _event_files(path):
        folders.setdefault(file.parent, []).append(read_events(file, wanted | {_PARAMETERS}))
    if not folders:
        raise ImportFormatError(f"{path}: no event file in it (events.out.tfevents.*).{near(path)}")
    return [_Log(folder, sorted(files, key=lambda file: (file.start, file.path))) for folder, files in folders.items()]


def _runs_only(logs: Sequence[_Log], wanted: set[str]) -> tuple[list[_Log], list[ReadNote]]:
    """Without folders that are no runs: within the folder of a run and without a quantity to read, or above and empty.

    TensorBoard's add_hparams and add_scalars make such folders.
    """
    folders = {log.folder for log in logs}
    above = {parent for log in logs for parent in log.folder.parents}
    beside = [
        log.folder
        for log in logs
        if (log.folder in above and not log.counts)
        or (not folders.isdisjoint(log.folder.parents) and wanted.isdisjoint(log.counts))
    ]
    text = f"{len(beside)} folders of event files that are no runs: {shown(beside)}"
    kept = folders.difference(beside)
    return [log for log in logs if log.folder in kept], [ReadNote("left_out", text)] if beside else []


def _points(log: _Log, tag: str) -> Points:
    """The points of all files; where steps come again, after a restart, the later ones stand.

    Raises ImportFormatError where two programs wrote at the same time.
    """
    parts = [file.scalars(tag) for file in log.files]
    _refuse_entangled(log, [part for part in parts if len(part.steps)])
    steps, values, times = (np.concatenate(column) for column in zip(*parts, strict=True))
    n_points = [len(part.steps) for part in parts]
    lowest = np.minimum.accumulate(np.append(steps, np.iinfo(np.int64).max)[::-1])[::-1]  # from each point on
    behind = np.repeat(lowest[np.cumsum(n_points)], n_points)  # in the later files
    kept = (steps <= lowest[:-1]) & (steps < behind)  # within a file several points may stand at one step
    seconds = times[kept] - min(file.start for file in log.files) if np.isfinite(times).all() else times[:0]
    return Points(steps[kept], values[kept], seconds if np.isfinite(seconds).all() else times[:0])


def _refuse_entangled(log: _Log, parts: Sequence[Scalars]) -> None:
    for earlier, later in pairwise(parts):
        if earlier.times.max() > later.times[0] and earlier.steps.max() >= later.steps.min():
            raise ImportFormatError(
                f"{log.folder}: two programs wrote to this folder at the same time, so that nothing tells their runs "
                "apart. Give the event files of each run a folder of its own."
            )


# ---------------------------------------------------------------- agents, tasks and seeds


def _names(logs: Sequence[_Log], root: Path, hints: Hints) -> tuple[dict[Path, FullName], list[ReadNote]]:
    """What the user says of a run, else what its parameters say, else its folder."""
    folders = [log.folder for log in logs]
    found, notes = of_runs(folders, root, hints)
    if not hints.names and all(log.stated.seed is not None for log in logs):
        notes = []  # about seeds in the names of the folders
    names = [None if name is None else joined(name, log.stated, hints) for log, name in zip(logs, found, strict=True)]
    differ = [
        log.folder
        for log, name in zip(logs, found, strict=True)
        if name and not name.numbered and any(_contradict(log.stated, name, field) for field in ("task", "seed"))
    ]
    if differ:
        text = f"the names and the logged parameters of {len(differ)} of {len(logs)} runs differ in task or seed; "
        text += f"{'what --names finds' if hints.names else 'what the parameters say'} counts: {shown(differ)}"
        notes = [*notes, ReadNote("warning", text)]
    return complete(folders, names, root), notes


def _contradict(stated: RunName, name: RunName, field: str) -> bool:
    return None not in (pair := (getattr(stated, field), getattr(name, field))) and pair[0] != pair[1]


# ---------------------------------------------------------------- what a reader should know


def _restarts(logs: Sequence[_Log], tag: str, points: Sequence[Points]) -> Iterator[ReadNote]:
    if joined := [log.folder for log in logs if sum(tag in file.counts for file in log.files) > 1]:
        yield ReadNote("rule", f"the event files of {len(joined)} runs that began again are joined: {shown(joined)}")
    lost = {
        log.folder: n for log, of_run in zip(logs, points, strict=True) if (n := log.counts[tag] - len(of_run.steps))
    }
    if lost:
        text = f"{sum(lost.values()):,} points whose steps come again later in the same run, where the later ones stand"
        yield ReadNote("left_out", f"{text}: {shown(list(lost))}")


def _damage(logs: Sequence[_Log]) -> Iterator[ReadNote]:
    files = [file for log in logs for file in log.files]
    if torn := [file.path for file in files if file.torn]:
        text = f"the last record of {len(torn)} event files, which is torn: those runs were killed, or still run"
        yield ReadNote("left_out", f"{text} ({shown(torn)})")
    if corrupt := [file.path for file in files if file.n_corrupt]:
        n = sum(file.n_corrupt for file in files)
        yield ReadNote("warning", f"{n} records with a wrong checksum were left out, in {shown(corrupt)}")
    if lost := [file.path for file in files if file.lost]:
        n = sum(file.lost for file in files)
        yield ReadNote("warning", f"{n:,} bytes cannot be read, behind a damaged record of {shown(lost)}")


def _differences(logs: Sequence[_Log], runs: Sequence[Run]) -> Iterator[ReadNote]:
    """Parameters in which runs of one agent on one task differ: they may be two agents of one name."""
    arms: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for log, run in zip(logs, runs, strict=True):
        if log.parameters:
            arms.setdefault((run.agent, run.task), []).append(log.parameters)
    for (agent, task), parameters in arms.items():
        common = [name for name in parameters[0] if all(name in of_run for of_run in parameters)]
        values = {name: list(dict.fromkeys(of_run[name] for of_run in parameters)) for name in common}
        differ = [f"{name} ({several(found, 3)})" for name, found in values.items()
                  if len(found) > 1 and not _ASIDE.fullmatch(name)]  # fmt: skip
        if differ:
            yield ReadNote(
                "warning", f"the runs of {agent!r}{on(task)} differ in {several(differ)}: are they one agent?"
            )
