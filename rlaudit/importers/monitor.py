"""monitor.csv of stable-baselines3 (and of OpenAI baselines, where the format comes from): one row per episode.

    #{"t_start": 1700000000.0, "env_id": "CartPole-v1"}
    r,l,t                 return, length, seconds since t_start; further columns are left alone
    21.0,21,0.13

A run with k environments writes k files, `0.monitor.csv`, `1.monitor.csv`, ... They step together, so that an episode
that ends at its environment's own step L ends at step k L of training: an order and steps without clocks, and those
that the trainer counts. Files of one folder whose times do not overlap follow one another: a run that was resumed.

Not seen by any of this: steps of an episode that never ended, and the number of environments behind VecMonitor's one
file; its steps are the lengths added up, and late by the unfinished episodes of the others.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rlaudit.errors import ImportFormatError
from rlaudit.importers import run_names
from rlaudit.importers.cells import Trouble, import_error
from rlaudit.importers.files import first_file, head, readable, walk
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.run_names import FullName
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, TrainingEpisodes

NAME = "monitor.csv"
MAX_BYTES = 2**27  # of one file: some five million episodes
FAR = 1e100  # statistics square returns, and add them up
_LONGEST = 10**9  # steps of an episode; sums of them stay whole numbers
_CHUNK = 500  # rows: fewer than wake the garbage collector
_SHOWN = 10
_NUMBERED = re.compile(r"(\d+(?:\.\d+)*\.)?monitor\.csv")  # of one environment among several
_TRAINING = ("train", "training", "train_env", "monitor", "monitors", "logs", "log")  # folders within a run's own
_EVALUATION = ("eval", "evals", "evaluation", "evaluations", "eval_env", "test")


class Log(NamedTuple):
    """One file."""

    path: Path
    started: float  # t_start, seconds; 0 where there is no header
    env_id: str  # "" where the header does not say
    returns: Floats  # (n_episodes,)
    lengths: Ints  # (n_episodes,)
    seconds: Floats  # (n_episodes,) since the start
    torn: bool  # the last line is not complete
    resumed: bool  # its clock goes back: written in more than one go


class Training(NamedTuple):
    """What the files of one run say together."""

    env_id: str
    ends: Ints  # (n_episodes,) steps of training, ascending
    episodes: TrainingEpisodes  # in the order of their ends
    n_envs: int  # that step together
    torn: bool
    resumed: bool
    diverged: str | None  # the first return that is not finite; it and what follows are left out


def read(path: Path, hints: Hints) -> Found:
    """Every run below `path`: training episodes are its curve and its score."""
    files, notes = files_of_runs(path, hints)
    if not files:
        raise ImportFormatError(f"{path}: no file of training episodes below it ends in {NAME}.")
    names, more = run_names.of_runs(list(files), root_of(path), folder_hints(hints))
    named = run_names.complete(list(files), names, path)
    found = as_found(named, {place: merged(files[place]) for place in named}, hints)
    return replace(found, notes=(*notes, *more, *found.notes))


def fits(path: Path) -> bool:
    """Whether `path`, or a file below that is called so, starts like a Monitor file."""
    file = path if path.is_file() else first_file(path, NAME)
    try:
        start = head(file, 200) if file is not None else b""
    except OSError:
        return False
    return start.startswith((b"r,l,t", b"r,l\n")) or (start.startswith(b"#") and b"t_start" in start)


# ---------------------------------------------------------------- which files are a run


def files_of_runs(path: Path, hints: Hints) -> tuple[dict[Path, list[Path]], list[ReadNote]]:
    """The run's place -> its files. A place is a folder, or a file without its ending where it has a name of its own.

    Where --names ends in `.monitor.csv`, each file is a run.
    """
    single = hints.names is not None and hints.names.endswith(f".{NAME}")
    groups: dict[Path, list[Path]] = {}
    evaluating: list[Path] = []
    for file in walk(path) if path.is_dir() else [path]:
        if not file.name.endswith(NAME) and path.is_dir():
            continue
        named = single or not _NUMBERED.fullmatch(file.name)
        place = file.with_name(file.name.removesuffix(f".{NAME}")) if named else file.parent
        if file.parent != path and file.parent.name.lower() in _EVALUATION:
            evaluating.append(file)
        else:
            groups.setdefault(run_folder(place, path), []).append(file)
    groups = dict(sorted(groups.items()))
    if not evaluating:
        return groups, []
    text = f"Monitor files of evaluation environments ({len(evaluating):,}): {run_names.shown(evaluating)}"
    return groups, [ReadNote("left_out", text)]


def run_folder(place: Path, root: Path) -> Path:
    """Without folders such as eval/ and train/ that a run has within its own."""
    while place != root and place.name.lower() in (*_TRAINING, *_EVALUATION):
        place = place.parent
    return place


def root_of(path: Path) -> Path:
    """Where names start: the folder itself, or that of a file."""
    return path if path.is_dir() else path.parent


def folder_hints(hints: Hints) -> Hints:
    """With a pattern for the places of runs where the user's is one for files."""
    pattern = hints.names or ""
    for ending in (f"/{NAME}", f".{NAME}", "/evaluations.npz"):
        pattern = pattern.removesuffix(ending)
    return replace(hints, names=pattern or None)


# ---------------------------------------------------------------- one run


def merged(files: Sequence[Path]) -> Training:
    """The episodes of a run's environments in the order of their ends."""
    if not files:
        return Training("", np.empty(0, np.int64), TrainingEpisodes(), 0, False, False, None)
    logs = sorted(map(load, files), key=lambda log: (log.started, log.path.name))
    sessions = _sessions(logs)
    parts: list[tuple[Ints, Floats, Ints, Floats]] = []
    before = 0
    for session in sessions:
        parts.append(_together(session, before, logs[0].started))
        before = int(parts[-1][0].max(initial=before))
    ends, returns, lengths, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    finite = np.abs(returns) < FAR  # not so for NaN
    n = len(returns) if finite.all() else int(np.argmin(finite))
    diverged = (
        f"the return of training episode {n + 1} of {len(returns)} is {returns[n]:g}" if n < len(returns) else None
    )
    return Training(
        env_id=next((log.env_id for log in logs if log.env_id), ""),
        ends=ends[:n],
        episodes=TrainingEpisodes(returns[:n], lengths[:n], seconds[:n]),
        n_envs=max(map(len, sessions)),
        torn=any(log.torn for log in logs),
        resumed=len(sessions) > 1 or any(log.resumed for log in logs),
        diverged=diverged,
    )


def _sessions(logs: Sequence[Log]) -> list[list[Log]]:
    """Files whose times overlap were written together; without times, all were."""
    sessions: list[list[Log]] = []
    until = -np.inf  # the session's last episode
    timed = all(log.started for log in logs)
    for log in logs:
        if not sessions or (timed and -np.inf < until < log.started):
            sessions.append([])
            until = -np.inf
        sessions[-1].append(log)
        until = max(until, log.started + float(log.seconds[-1]) if len(log.seconds) else -np.inf)
    return sessions


def _together(session: Sequence[Log], before: int, origin: float) -> tuple[Ints, Floats, Ints, Floats]:
    """Ends, returns, lengths and seconds of environments that step together, `before` steps after the start."""
    logs = sorted(session, key=lambda log: (len(log.path.name), log.path.name))
    own = np.concatenate([np.cumsum(log.lengths) for log in logs])
    order = np.argsort(own, kind="stable")  # of two that end at once, the environment with the lower number
    seconds = [log.seconds + (log.started - origin) for log in logs]
    returns, lengths = [log.returns for log in logs], [log.lengths for log in logs]
    ends = before + len(logs) * own[order]
    return ends, np.concatenate(returns)[order], np.concatenate(lengths)[order], np.concatenate(seconds)[order]


def as_found(names: Mapping[Path, FullName], trainings: Mapping[Path, Training], hints: Hints) -> Found:
    """The runs, and what is to be said about them."""
    runs = []
    for place, training in trainings.items():
        runs.append(
            Run(
                agent=names[place].agent,
                task=task_of(names[place], training.env_id, hints),
                seed=names[place].seed,
                place=str(place),
                sort="training",
                steps=training.ends,
                returns=training.episodes.returns[:, None],
                lengths=training.episodes.lengths,
                seconds=training.episodes.seconds,
                error=training.diverged or (None if len(training.ends) else "no episode ended"),
            )
        )
    return Found(with_tasks(runs), tuple(notes_on(trainings)))


def with_tasks(runs: Sequence[Run]) -> tuple[Run, ...]:
    """A run that names no task, because it was torn early, was on the others' one.

    Raises ImportFormatError where they name several.
    """
    tasks = list(dict.fromkeys(run.task for run in runs if run.task))
    lacking = [run.place for run in runs if not run.task]
    if lacking and len(tasks) > 1:
        raise ImportFormatError(
            f"nothing says the task of {len(lacking)} of {len(runs)} runs, such as {lacking[0]!r}; others are on "
            f"{', '.join(map(repr, tasks[:_SHOWN]))}. Say it: --names '{{task}}/{{agent}}/{{seed}}'."
        )
    return tuple(replace(run, task=tasks[0]) if tasks and not run.task else run for run in runs)


def task_of(name: FullName, env_id: str, hints: Hints) -> str:
    """What the user says, else what the header says, else what the path says."""
    said = hints.task is not None or "{task}" in (hints.names or "")
    return (name.task if said else env_id or name.task) or ""


def notes_on(trainings: Mapping[Path, Training]) -> Iterable[ReadNote]:
    """How several files were put together, and what should make a reader doubt."""
    n_envs = sorted({training.n_envs for training in trainings.values()} - {0, 1})
    if n_envs:
        k = " or ".join(map(str, n_envs))
        text = f"the {k} Monitor files of a run are environments that step together: its steps are {k} times their own"
        yield ReadNote("rule", text)
    resumed = [place for place, training in trainings.items() if training.resumed]
    if resumed:
        text = "were logged in more than one go, and are read as one training that was resumed"
        yield ReadNote("warning", f"{_of_runs(resumed, trainings)} {text}: {run_names.shown(resumed)}")
    torn = [place for place, training in trainings.items() if training.torn]
    if torn:
        text = f"the last line of a Monitor file of {_of_runs(torn, trainings)}, which is not complete"
        yield ReadNote("left_out", f"{text}: {run_names.shown(torn)}")


def _of_runs(some: Sequence[Path], all_runs: Mapping[Path, Any]) -> str:
    return f"{len(some):,} of {len(all_runs):,} runs"


# ---------------------------------------------------------------- one file


def load(path: Path) -> Log:
    """Raises ImportFormatError with every line that is not an episode; only the last one may be torn."""
    with readable(path):
        if path.stat().st_size > MAX_BYTES:
            raise ImportFormatError(f"{path} holds more than {MAX_BYTES / 2**20:g} MiB; a Monitor file never does.")
        *lines, tail = path.read_bytes().decode("utf-8-sig", errors="replace").split("\n")
    started, env_id, skip = _header(path, lines or [tail])
    if len(lines) <= skip:  # killed before the names were written
        return Log(path, started, env_id, np.empty(0), np.empty(0, np.int64), np.empty(0), bool(tail), False)
    names = [name.strip() for name in lines[skip].split(",")]
    columns = _columns(path, names, skip + 1)
    table, troubles = _rows(lines[skip + 1 :], skip + 1, len(names), columns)
    if troubles:
        raise import_error([Trouble(f"{path}:{line}", says) for line, says in troubles])
    last, torn = _rows([tail], 0, len(names), columns)
    table = np.concatenate([table, last])
    clock = table[:, 2]
    back = clock[1:] < 0.9 * clock[:-1]  # a second go starts its clock anew; a clock that is put right jumps less
    seconds = clock + np.cumsum(np.concatenate([[0.0], np.where(back, clock[:-1], 0.0)]))[: len(clock)]
    return Log(path, started, env_id, table[:, 0], table[:, 1].astype(np.int64), seconds, bool(torn), bool(back.any()))


def _header(path: Path, lines: Sequence[str]) -> tuple[float, str, int]:
    """When it started, the environment's id, and how many lines that took."""
    first = lines[0].strip()
    if not first.startswith("#"):
        if first and first.split(",")[:2] != ["r", "l"]:
            found = first if len(first) <= 40 else f"{first[:37]}..."
            raise ImportFormatError(f'{path}:1: found {found!r}, expected #{{"t_start": ..., "env_id": ...}} or r,l,t.')
        return 0.0, "", 0
    try:
        header = json.loads(first[1:])
        started, env_id = float(header.get("t_start", 0.0)), header.get("env_id")
        if not isfinite(started):
            raise ValueError("t_start is not finite")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        if len(lines) == 1:  # torn
            return 0.0, "", 1
        says = str(error).split("\n")[0][:80]
        raise ImportFormatError(f"{path}:1: the header behind # is no JSON with a t_start: {says}.") from None
    return started, env_id if isinstance(env_id, str) and env_id != "None" else "", 1


def _columns(path: Path, names: Sequence[str], line: int) -> list[int]:
    """Where r, l and t stand; -1 where there is no t."""
    wrong = [name for name in ("r", "l") if names.count(name) != 1] + ["t"] * (names.count("t") > 1)
    if wrong:
        found = ", ".join(map(repr, names[:_SHOWN]))
        raise ImportFormatError(f"{path}:{line}: expected the columns r, l and t, each once; found {found[:200]}.")
    return [names.index(name) if name in names else -1 for name in ("r", "l", "t")]


def _rows(lines: Sequence[str], above: int, width: int, columns: Sequence[int]) -> tuple[Floats, list[tuple[int, str]]]:
    """Return, length and seconds (n_rows, 3), and the lines of those that are left out with what is wrong."""
    reader = csv.reader(lines, strict=True)
    parts: list[Floats] = [np.empty((0, 3))]
    troubles: list[tuple[int, str]] = []
    try:
        while chunk := [(above + reader.line_num, row) for row in islice(reader, _CHUNK)]:
            rows = [(line, row) for line, row in chunk if row]
            table = _table([row for _, row in rows], width, columns)
            parts += [] if table is None else [table]
            if table is None:
                troubles += [(line, says) for line, row in rows if (says := _wrong(row, width, columns))]
    except csv.Error as error:
        troubles.append((above + reader.line_num, f"{error}. Is a quotation mark left open in or above it?"))
    return np.concatenate(parts), troubles


def _table(rows: Sequence[Sequence[str]], width: int, columns: Sequence[int]) -> Floats | None:
    """(n_rows, 3); None where a row is no episode."""
    if any(len(row) != width for row in rows):
        return None
    table = np.zeros((len(rows), 3))
    try:
        for i, column in enumerate(columns):
            if column >= 0:
                if any("_" in row[column] for row in rows):  # Python reads 1_0 as 10
                    return None
                table[:, i] = [float(row[column]) for row in rows]
    except ValueError:
        return None
    lengths = table[:, 1]
    whole = (lengths >= 1) & (lengths <= _LONGEST) & (lengths == np.floor(lengths))
    return table if whole.all() and np.isfinite(table[:, 2]).all() else None


def _wrong(row: Sequence[str], width: int, columns: Sequence[int]) -> str:
    """What is wrong with a row; nothing where it is an episode."""
    if len(row) != width:
        return f"found {len(row)} cells, expected {width}, one for each column name"
    if _table([row], width, columns) is None:
        found = ", ".join(repr(row[i][:20]) for i in columns if i >= 0)
        return f"found {found}, expected a return, a whole number of steps, and seconds"
    return ""
