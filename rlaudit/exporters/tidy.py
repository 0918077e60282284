"""Tidy tables, the format that holds every run: a row for each run, or for each step, or for each episode of a step.

Columns agent, task, seed, score; or agent, task, seed, step, value. Where they say something, also

* episode: the number of an episode, where an evaluation has two or more;
* stage: "final" for a run's evaluation after training where that is not its last one on the way, else "curve";
* status and error: "failed", and why. A failed run without a number is one row without step and value.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.exporters import runs
from rlaudit.exporters.nouns import Exported
from rlaudit.importers import cells
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, RunRecord, SeedLabel

if TYPE_CHECKING:
    import pyarrow as pa

_TOGETHER = 200  # runs of one row group of Parquet: 3,000,000 rows as Python objects would take 1 GB


def to_csv(records: Sequence[RunRecord]) -> Exported:
    """UTF-8; numbers are read back to the last bit. Raises ExportError for labels that would not be."""
    layout = _layout(records)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(layout.names)
    for record in records:
        rows.writerows(zip(*_columns(record, layout), strict=True))
    return Exported(text.getvalue().encode(), tuple(_notes(records)))


def to_csv_gz(records: Sequence[RunRecord]) -> Exported:
    """The same, packed."""
    content, notes = to_csv(records)
    return Exported(gzip.compress(content, compresslevel=6, mtime=0), notes)


def to_parquet(records: Sequence[RunRecord]) -> Exported:
    """Typed columns; seeds are integers where all of them are."""
    import pyarrow as pa
    from pyarrow import parquet

    layout = _layout(records)
    schema = pa.schema([(name, _type(name, records)) for name in layout.names])
    content = io.BytesIO()
    with parquet.ParquetWriter(content, schema) as writer:
        for start in range(0, len(records), _TOGETHER):
            blocks = [_columns(record, layout) for record in records[start : start + _TOGETHER]]
            columns = [list(chain.from_iterable(parts)) for parts in zip(*blocks, strict=True)]
            if schema.field("seed").type == pa.string():
                columns[layout.names.index("seed")] = list(map(str, columns[layout.names.index("seed")]))
            arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return Exported(content.getvalue(), tuple(_notes(records)))


def _type(name: str, records: Sequence[RunRecord]) -> "pa.DataType":
    import pyarrow as pa

    whole = all(isinstance(seed, int) and -(2**63) <= seed < 2**63 for seed in (run.spec.seed for run in records))
    if name in ("step", "episode") or (name == "seed" and whole):
        return pa.int64()
    return pa.float64() if name in ("score", "value") else pa.string()


# ---------------------------------------------------------------- columns


class _Layout(NamedTuple):
    """Which columns say something."""

    task: bool
    curves: bool
    episode: bool
    stage: bool
    failed: bool

    @property
    def names(self) -> list[str]:
        there = {"agent": True, "task": self.task, "seed": True, "step": self.curves, "episode": self.episode,
                 "value": self.curves, "score": not self.curves, "stage": self.stage, "status": self.failed,
                 "error": self.failed}  # fmt: skip
        return [name for name, is_there in there.items() if is_there]


def _layout(records: Sequence[RunRecord]) -> _Layout:
    _refuse_labels(records)
    curves = any(len(record.eval_steps) for record in records)
    return _Layout(
        task=any(runs.tasks(records)),
        curves=curves,
        episode=any(max(len(record.final_returns), *record.eval_returns.shape[1:], 1) > 1 for record in records),
        stage=curves and any(map(_has_own_final, records)),
        failed=any(map(runs.failure, records)),
    )


class _Rows(NamedTuple):
    """The numbers of a run, a row each; an evaluation without any is one row, too."""

    step: Ints  # (n_rows,)
    episode: Ints  # (n_rows,)
    value: Floats  # (n_rows,) NaN where there is none
    final: NDArray[np.bool_]  # (n_rows,)


def _has_own_final(record: RunRecord) -> bool:
    """Whether the evaluation after training is another one than the last on the way."""
    if not len(record.eval_steps):
        return len(record.final_returns) > 0
    last = record.eval_returns[-1]
    return len(record.final_returns) > 0 and not np.array_equal(last[np.isfinite(last)], record.final_returns)


def _rows(record: RunRecord) -> _Rows:
    returns = record.eval_returns if len(record.eval_steps) else np.empty((0, 1))
    there = np.isfinite(returns)
    there[:, 0] |= ~there.any(axis=1)
    at, episode = np.nonzero(there)
    final = record.final_returns if _has_own_final(record) else np.empty(0)
    end = record.spec.timesteps or int(max(record.eval_steps, default=0))
    return _Rows(
        np.concatenate([record.eval_steps[at], np.full(len(final), end)]),
        np.concatenate([episode, np.arange(len(final))]),
        np.concatenate([returns[there], final]),
        np.arange(len(at) + len(final)) >= len(at),
    )


def _columns(record: RunRecord, layout: _Layout) -> Iterator[list[Any]]:
    """The cells (n_rows,) of each column of the layout, None where there is nothing to say."""
    rows, failure = _rows(record), runs.failure(record)
    n = max(len(rows.value), 1)
    values = [value if np.isfinite(value) else None for value in rows.value.tolist()]
    found: dict[str, list[Any]] = {
        "agent": [record.spec.agent] * n,
        "task": [record.spec.task_label] * n,
        "seed": [record.spec.seed] * n,
        "step": rows.step.tolist() or [None],
        "episode": rows.episode.tolist() or [None],
        "value": values or [None],
        "score": values or [None],
        "stage": ["final" if final else "curve" for final in rows.final.tolist()] or [None],
        "status": ["done" if failure is None else "failed"] * n,
        "error": [failure] + [None] * (n - 1),
    }
    return (found[name] for name in layout.names)


# ---------------------------------------------------------------- what it does not hold


def _refuse_labels(records: Sequence[RunRecord]) -> None:
    """Raises ExportError for labels that a reader of tables would take for something else."""
    tasks = runs.tasks(records)
    labels = dict.fromkeys([*(record.spec.agent for record in records), *(tasks if any(tasks) else [])])
    troubles = [
        f"{label!r} would be read as another name, or as none" for label in labels if not _is_kept(label, cells.label)
    ]
    seeds = dict.fromkeys(record.spec.seed for record in records)
    troubles += [f"seed {seed!r} would be read as another one" for seed in seeds if not _is_kept(seed, cells.seed)]
    runs.refuse("A tidy table", troubles, "Rename them.")


def _is_kept(label: SeedLabel, read: Callable[[object], SeedLabel | None]) -> bool:
    """Whether the importer reads it as what it is."""
    return runs.is_writable(label) and read(str(label)) == label


def _notes(records: Sequence[RunRecord]) -> Iterator[ReadNote]:
    empty = [record for record in records if (~np.isfinite(record.eval_returns)).all(axis=1).any()]
    if empty:
        yield ReadNote("rule", f"evaluations without a finite number are rows without a value: {runs.names(empty)}")
    yield from runs.left_behind(records)
