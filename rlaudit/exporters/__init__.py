"""An exporter writes runs so that another tool reads them, and rlaudit's own importer. One function, one line."""

from collections.abc import Sequence
from pathlib import Path

from rlaudit.errors import ExportError, did_you_mean
from rlaudit.exporters import marl_eval, rliable, runs, tidy
from rlaudit.exporters.nouns import Exported, Exporter
from rlaudit.results import ReadArm, Reading, ReadNote
from rlaudit.store import Store
from rlaudit.types import RunRecord

__all__ = ["EXPORTERS", "Exported", "Exporter", "export", "exporter_of"]

EXPORTERS: dict[str, Exporter] = {
    "tidy.csv": Exporter(tidy.to_csv, ".csv", "a row for each run, or each step and episode: holds every run"),
    "tidy.csv.gz": Exporter(tidy.to_csv_gz, ".csv.gz", "the same, packed"),
    "tidy.parquet": Exporter(tidy.to_parquet, ".parquet", "the same, typed: for pandas, polars and DuckDB"),
    "rliable.npz": Exporter(rliable.to_npz, ".npz", "algorithm -> scores (n_runs, n_tasks), as rliable takes them"),
    "marl-eval.json": Exporter(marl_eval.to_json, ".json", "environment, task, algorithm, run, step, as in marl-eval"),
}


def exporter_of(target: Path) -> str:
    """The format's name, by the ending of the file's. Raises ExportError where there is none for it."""
    fits = [name for name, exporter in EXPORTERS.items() if target.name.lower().endswith(exporter.ending)]
    if not fits:
        near = did_you_mean(target.name, EXPORTERS)
        raise ExportError(f"--to {target}: the ending of a name says the format, and this is none.{near}")
    return max(fits, key=lambda name: len(EXPORTERS[name].ending))


def export(records: Sequence[RunRecord], target: Path, notes: Sequence[ReadNote] = ()) -> Reading:
    """Writes all of `records` in the format that the name of `target` asks for, in one step; a file there is replaced.

    Returns what was written; to `notes` come those about what the file does not hold, and what its readers should know.
    Raises ExportError where the format cannot hold the runs, StoreError where the file cannot be written.
    """
    if not records:
        raise ExportError(f"{target}: there is no run to write.")
    name = exporter_of(target)
    made = EXPORTERS[name].make(records)
    Store(target.parent).write_bytes(target.name, made.content)
    found = [_arm(runs_of) for tasks in runs.arms(records).values() for runs_of in tasks.values()]
    return Reading((str(target),), (name,), tuple(found), (*notes, *made.notes))


def _arm(mine: Sequence[RunRecord]) -> ReadArm:
    points = [len(run.eval_steps) for run in mine]
    ends = [int(max(run.eval_steps, default=0)) for run in mine]
    n_failed = sum(runs.failure(run) is not None for run in mine)
    spec = mine[0].spec
    return ReadArm(spec.agent, spec.task_label, len(mine), n_failed, (min(points), max(points)), (min(ends), max(ends)))
