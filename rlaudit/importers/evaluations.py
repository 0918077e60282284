"""evaluations.npz of stable-baselines3's EvalCallback: `timesteps` (n,), `results` (n, n_eval_episodes), `ep_lengths`.

The episodes of an evaluation are averaged by whoever reads the record; they are never seeds. Where Monitor files lie
beside it, both are one run: evaluations are its curve and its score, the Monitor files its training episodes.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import monitor, run_names
from rlaudit.importers.files import load_arrays, walk
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.run_names import FullName
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints

NAME = "evaluations.npz"
_NAMED = {"timesteps.npy", "results.npy"}
_SHOWN = 10  # problems that one error lists
_LOOKED_AT = 100  # .npz files, until one of them is taken for an evaluation's


class Evaluations(NamedTuple):
    """One file; what cannot be used is left out, and `error` says why."""

    steps: Ints  # (n_evals,) ascending
    returns: Floats  # (n_evals, n_episodes)
    error: str | None = None
    again: bool = False  # evaluated twice at a step


_NOTHING = Evaluations(np.empty(0, np.int64), np.empty((0, 1)))


def read(path: Path, hints: Hints) -> Found:
    """Every run below `path` that was evaluated; a run beside them that has Monitor files alone has failed."""
    files = files_of_runs(path)
    if not files:
        raise ImportFormatError(f"{path}: no {NAME} below it, nor another .npz with timesteps and results.")
    monitors, notes = monitor.files_of_runs(path, hints) if path.is_dir() else ({}, [])
    places = sorted({*files, *monitors})
    names, more = run_names.of_runs(places, monitor.root_of(path), monitor.folder_hints(hints))
    found = as_found(run_names.complete(places, names, path), files, monitors, hints)
    return replace(found, notes=(*notes, *more, *found.notes))


def fits(path: Path) -> bool:
    """Whether `path` is an .npz with timesteps and results, or one of the first below it is."""
    try:
        files = [path] if path.is_file() else (file for file in walk(path) if file.suffix == ".npz")
        return any(map(_is_one, islice(files, _LOOKED_AT)))
    except (OSError, ImportFormatError):
        return False


def _is_one(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return set(archive.namelist()) >= _NAMED
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return file.name == NAME  # torn: it is said what is wrong


def files_of_runs(path: Path) -> dict[Path, Path]:
    """The run's place -> its file. Raises ImportFormatError where a run has two."""
    if path.is_file():
        return {path.parent if path.name == NAME else path.with_suffix(""): path}
    files: dict[Path, Path] = {}
    for file in walk(path):
        if file.suffix == ".npz" and (file.name == NAME or _is_one(file)):
            place = monitor.run_folder(file.parent if file.name == NAME else file.with_suffix(""), path)
            if files.setdefault(place, file) != file:
                raise ImportFormatError(f"{file}: the run {place} has evaluations in {files[place]} already. Keep one.")
    return files


def as_found(
    names: Mapping[Path, FullName], files: Mapping[Path, Path], monitors: Mapping[Path, Sequence[Path]], hints: Hints
) -> Found:
    """The runs of `names`. Where none of them has evaluations, their training episodes are all there is."""
    trainings = {place: monitor.merged(monitors.get(place, ())) for place in names}
    if not names.keys() & files.keys():
        return monitor.as_found(names, trainings, hints)
    evaluations = loaded({place: files[place] for place in names if place in files}, hints)
    runs = [_run(place, name, evaluations.get(place), trainings[place], hints) for place, name in names.items()]
    return Found(monitor.with_tasks(runs), (*_notes(evaluations, runs), *monitor.notes_on(trainings)))


def _run(place: Path, name: FullName, evaluations: Evaluations | None, training: monitor.Training, hints: Hints) -> Run:
    """Evaluations are the curve and the score: without any the run has failed, as after a return that is not finite."""
    curve = evaluations or _NOTHING._replace(error="it has no evaluations, though other runs have")
    return Run(
        agent=name.agent,
        task=monitor.task_of(name, training.env_id, hints),
        seed=name.seed,
        place=str(place),
        sort="evaluations",
        steps=curve.steps,
        returns=curve.returns,
        error=curve.error or training.diverged,
        training=training.episodes,
    )


def _notes(evaluations: Mapping[Path, Evaluations], runs: Sequence[Run]) -> list[ReadNote]:
    sizes = sorted({one.returns.shape[1] for one in evaluations.values() if len(one.returns)})
    notes = []
    if sizes:
        n = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
        n += " episode" if n == "1" else " episodes"
        notes.append(ReadNote("rule", f"an evaluation is the mean of {n}"))
    again = [place for place, one in evaluations.items() if one.again]
    if again:
        text = "were evaluated twice at one step; the later evaluation was taken"
        notes.append(ReadNote("warning", f"{len(again):,} of {len(runs):,} runs {text}: {run_names.shown(again)}"))
    failed = [run for run in runs if run.error]
    if failed:
        text = f"{len(failed):,} of {len(runs):,} runs count as failed, such as {failed[0].place}: {failed[0].error}"
        if not {run.place for run in failed} <= set(map(str, evaluations)):
            text += ". --format monitor takes training episodes as the score of all"
        notes.append(ReadNote("warning", text))
    return notes


# ---------------------------------------------------------------- files


def loaded(files: Mapping[Path, Path], hints: Hints) -> dict[Path, Evaluations]:
    """A file that cannot be opened, among others that can, is a run that was killed while it wrote.

    Raises ImportFormatError where none can be opened, and for all that hold something else than one run's evaluations.
    """
    evaluations: dict[Path, Evaluations] = {}
    closed: list[ImportFormatError] = []
    wrong: list[ImportFormatError] = []
    for place, file in files.items():
        try:
            arrays = load_arrays(file)
        except ImportFormatError as error:
            closed.append(error)
            evaluations[place] = _NOTHING._replace(error=str(error))
            continue
        try:
            evaluations[place] = _from_arrays(file, arrays, hints)
        except ImportFormatError as error:
            wrong.append(error)
    if wrong or len(closed) == len(files):
        lines = list(map(str, wrong or closed))
        raise ImportFormatError("\n".join(lines[:_SHOWN] + [f"and {len(lines) - _SHOWN} more"] * (len(lines) > _SHOWN)))
    return evaluations


def _from_arrays(file: Path, arrays: Mapping[str, NDArray[Any]], hints: Hints) -> Evaluations:
    """Checked, and cut before the first evaluation that is not finite."""
    metric = hints.metric or "results"
    for name in ("timesteps", metric):
        if name not in arrays:
            raise ImportFormatError(f"{file}: there is no array {name!r}.{did_you_mean(name, arrays)}")
    steps, returns = arrays["timesteps"], arrays[metric]
    if returns.ndim == 3 and returns.shape[2] == 1:  # as stable-baselines 2 wrote them
        returns = returns[:, :, 0]
    if steps.dtype.kind not in "iuf" or returns.dtype.kind not in "biuf":
        raise ImportFormatError(f"{file}: expected numbers, found {steps.dtype} and {returns.dtype}.")
    if steps.ndim != 1 or returns.ndim not in (1, 2) or len(steps) != len(returns):
        shapes = f"{steps.shape} and {returns.shape}"
        raise ImportFormatError(
            f"{file}: 'timesteps' and {metric!r} have the shapes {shapes}, expected (n,) and (n, n_eval_episodes)."
        )
    if not returns.size:
        return _NOTHING._replace(error="no evaluation")
    returns = returns.astype(np.float64).reshape(len(steps), -1)
    return _until_not_finite(*_ascending(file, steps, returns))


def _ascending(file: Path, steps: NDArray[Any], returns: Floats) -> tuple[Ints, Floats, bool]:
    """Of evaluations at one step the last; raises ImportFormatError where the steps go back."""
    if not ((steps >= 0) & (steps < 2**53) & (steps == np.floor(steps))).all():  # not so for NaN
        raise ImportFormatError(f"{file}: 'timesteps' are not all whole numbers from 0 up.")
    whole = steps.astype(np.int64)
    back = np.flatnonzero(np.diff(whole) < 0)
    if len(back):
        at = int(back[0]) + 1
        raise ImportFormatError(
            f"{file}: the steps go back from {whole[at - 1]:,} to {whole[at]:,} at evaluation {at + 1} of "
            f"{len(whole)}: two trainings in one file? Keep one, or add the steps up: the file cannot say which."
        )
    last = np.append(np.diff(whole) > 0, True)
    return whole[last], returns[last], not last.all()


def _until_not_finite(steps: Ints, returns: Floats, again: bool) -> Evaluations:
    finite = (np.abs(returns) < monitor.FAR).all(axis=1)  # not so for NaN
    n = len(steps) if finite.all() else int(np.argmin(finite))
    error = None if n == len(steps) else f"the evaluation at step {steps[n]:,} is {returns[n].mean():g}"
    return Evaluations(steps[:n], returns[:n], error, again)
