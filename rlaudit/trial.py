"""One trial of `experiment: reproduce`: `python -m rlaudit.trial FOLDER`, started by `backends.trial`.

FOLDER holds the spec; the record is left in a store there. It is a program of its own, so that nothing of the process
that wants to know is shared with it.
"""

import json
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlaudit.backends.trial import SPEC, STEPS, STORE, TEMPORARY, WORK
from rlaudit.executors import run_local, run_serial
from rlaudit.seeds import run_seeds
from rlaudit.store import Store
from rlaudit.store.run_files import spec_of
from rlaudit.types import RunEvent, RunRecord, RunSpec

_MOST_FILES = 20  # that are named


def main(folder: Path) -> None:
    """Trains the spec in FOLDER as its treatment says, and leaves the record."""
    spec = spec_of(json.loads((folder / SPEC).read_text()))
    record = _trained(replace(spec, backend="traced"))
    Store(folder / STORE).add(replace(record, measurements={**record.measurements, **_left_behind(folder)}))


def _trained(spec: RunSpec) -> RunRecord:
    if workers := spec.treatment.get("workers"):
        other = run_seeds(spec.seeds.algo)
        with closing(run_local([spec, replace(spec, seeds=other)], workers=workers, notify=_tell)) as records:
            return next(record for record in records if record.spec.seeds == spec.seeds)
    for _ in range(2 if spec.treatment.get("again") == "process" else 1):
        (record,) = run_serial([spec], notify=_tell)
    return record


def _tell(event: RunEvent) -> None:
    if event.kind == "progress":
        sys.stdout.write(f"{STEPS}{event.steps}\n")
        sys.stdout.flush()


def _left_behind(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Names of the files that stand where the run worked, as bytes; nothing where there are none."""
    files = (path for name in (WORK, TEMPORARY) for path in (folder / name).rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(folder)) for path in files)[:_MOST_FILES]
    return {"left_behind": np.frombuffer("\n".join(names).encode(), np.uint8)} if names else {}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
