"""An .npz of dictionaries as rliable takes them: algorithm -> scores (n_runs, n_tasks).

    data = np.load("rliable.npz")
    scores = {name: data[name] for name in data["rlaudit/algorithms"]}
    curves = {name: data[f"rlaudit/curves/{name}"] for name in data["rlaudit/algorithms"]}

What rliable does not ask for stands under keys of our own, so that everything is read back:

    rlaudit/algorithms    text (n_algorithms,)
    rlaudit/tasks         text (n_tasks,), the columns; one empty name where the task has none
    rlaudit/seeds/NAME    int64 or text (n_runs, n_tasks); text of digits is a number, too
    rlaudit/errors/NAME   text (n_runs, n_tasks), only where runs failed: why; their scores are NaN
    rlaudit/steps         int64 (n_frames,), only with curves: timesteps, the same for all
    rlaudit/curves/NAME   float64 (n_runs, n_tasks, n_frames), mean return of each evaluation; NaN where a run has none
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rlaudit.exporters import runs
from rlaudit.exporters.nouns import Exported
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, RunRecord
from rlaudit.wording import listed, several

OURS = "rlaudit/"
_Grid = list[list[RunRecord]]  # [run][task]


def to_npz(records: Sequence[RunRecord]) -> Exported:
    """Raises ExportError where an algorithm has not as many runs on each task, which is what a matrix is."""
    tasks = runs.tasks(records)
    found = runs.arms(records)
    runs.refuse("rliable.npz", [*_label_troubles(records), *_ragged(found, tasks)], _WAY_OUT)
    grids = {agent: _grid([mine[task] for task in tasks]) for agent, mine in found.items()}
    steps = _common_steps(records)
    arrays: dict[str, NDArray[np.generic]] = {agent: _matrix(grid) for agent, grid in grids.items()}
    arrays[f"{OURS}algorithms"] = np.array(list(grids))
    arrays[f"{OURS}tasks"] = np.array(tasks)
    if steps is not None:
        arrays[f"{OURS}steps"] = steps
    for agent, grid in grids.items():
        arrays |= _beside(agent, grid, steps)
    return Exported(_npz(arrays), tuple(_notes(records, steps)))


_WAY_OUT = (
    "A matrix has a run in each of its places. Train what is missing, leave an agent or a task out (--skip NAME), or "
    "write a tidy table, which holds everything: --to tidy.csv"
)


def _label_troubles(records: Sequence[RunRecord]) -> Iterator[str]:
    for agent in runs.arms(records):
        if not agent or agent.startswith(OURS) or agent.endswith(".npy"):
            yield f"no array can be called {agent!r}"
    specs = [record.spec for record in records]
    labels = dict.fromkeys(label for spec in specs for label in (spec.agent, spec.task_label, spec.seed))
    yield from (f"{label!r} cannot be written" for label in labels if not runs.is_writable(label))
    seeds = dict.fromkeys(spec.seed for spec in specs)
    yield from (f"seed {seed!r} would be read as a number" for seed in seeds if runs.reads_as_number(seed))


def _ragged(found: runs.Arms, tasks: Sequence[str]) -> Iterator[str]:
    for agent, mine in found.items():
        counts = {task: len(mine.get(task, ())) for task in tasks}
        if len(set(counts.values())) > 1:
            yield f"{agent} has {several([f'{n} runs on {task}' for task, n in counts.items()], 5)}"


def _grid(columns: Sequence[Sequence[RunRecord]]) -> _Grid:
    return [list(row) for row in zip(*columns, strict=True)]


# ---------------------------------------------------------------- arrays


def _matrix(grid: _Grid) -> Floats:
    """(n_runs, n_tasks) mean of the final episodes; NaN where a run failed."""
    return np.array([[np.nan if runs.failure(run) else run.final_returns.mean() for run in row] for row in grid])


def _beside(agent: str, grid: _Grid, steps: Ints | None) -> Mapping[str, NDArray[np.generic]]:
    """What is read back, and the curves."""
    seeds = np.array([[str(run.spec.seed) for run in row] for row in grid])
    if all(isinstance(run.spec.seed, int) and abs(run.spec.seed) < 2**63 for row in grid for run in row):
        seeds = seeds.astype(np.int64)
    arrays: dict[str, NDArray[np.generic]] = {f"{OURS}seeds/{agent}": seeds}
    errors = np.array([[runs.failure(run) or "" for run in row] for row in grid])
    if (errors != "").any():
        arrays[f"{OURS}errors/{agent}"] = errors
    if steps is not None:
        arrays[f"{OURS}curves/{agent}"] = np.array([[_curve(run, steps) for run in row] for row in grid])
    return arrays


def _common_steps(records: Sequence[RunRecord]) -> Ints | None:
    """(n_frames,) of all runs that are done; those that failed stop earlier. None where runs differ, or have none."""
    done = [record.eval_steps for record in records if runs.failure(record) is None]
    failed = [record.eval_steps for record in records if runs.failure(record) is not None]
    if not done or not len(done[0]) or any(not np.array_equal(steps, done[0]) for steps in done):
        return None
    return done[0] if all(np.isin(steps, done[0]).all() for steps in failed) else None


def _curve(run: RunRecord, steps: Ints) -> Floats:
    """(n_frames,)."""
    values = np.full(len(steps), np.nan)
    if len(run.eval_steps):
        values[np.isin(steps, run.eval_steps)] = run.eval_returns.mean(axis=1)
    return values


def _npz(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Any name may be a key, which np.savez does not allow; the same arrays give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return content.getvalue()


# ---------------------------------------------------------------- notes


def _notes(records: Sequence[RunRecord], steps: Ints | None) -> Iterator[ReadNote]:
    failed = [record for record in records if runs.failure(record)]
    if failed:
        yield ReadNote(
            "warning",
            f"{len(failed)} of {len(records)} runs failed and are NaN ({runs.names(failed)}): rliable's aggregates "
            "become NaN, and its performance profiles count them as below every threshold. Say what a failed run is "
            "worth: np.nan_to_num(scores, nan=WORST)",
        )
    curves = any(len(record.eval_steps) for record in records)
    if curves and steps is None:
        yield ReadNote(
            "left_out", "learning curves: runs were evaluated at different steps, and rliable wants the same for all"
        )
    parts = {
        "the final evaluation": any(len(record.final_returns) > 1 for record in records),
        "those on the way": steps is not None and any(record.eval_returns.shape[1] > 1 for record in records),
    }
    if averaged := [part for part, there in parts.items() if there]:
        yield ReadNote(
            "rule", f"the episodes of {listed(averaged)} are averaged: rliable takes one number for each run"
        )
    yield from runs.left_behind(records)
