"""The backend `trial`: a run in an interpreter that is started for it alone.

What a worker of the executor shares with its siblings, it does not share: it is no fork, its Python has a hash seed of
its own, and it works in an empty folder with an empty folder for temporary files. What `backends.traced` reads of
`treatment` holds here, too, and beside it:

    pinned: [hash order]    # PYTHONHASHSEED=0; else each replicate has its own
    workers: 2              # the run is one of two that a pool of so many workers trains
    again: folder           # the second of two runs in one folder, or (process) in one interpreter

The folder of the run says what it leaves behind. A trial ends with whoever started it: see `command_launcher`.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rlaudit.backends.command_program import ONE_THREAD, run
from rlaudit.backends.traced import HASH_SEED, check
from rlaudit.errors import RlauditError
from rlaudit.seeds import derive
from rlaudit.store import Store
from rlaudit.types import Progress, RunRecord, RunSpec

__all__ = ["check", "train"]

SPEC, STORE, WORK, TEMPORARY = "spec.json", "store", "work", "tmp"  # in the trial's folder
STEPS = "rlaudit-steps "  # a line of the trial that says how far it is


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Each in an interpreter of its own; one that gives no record makes a failed one, with its last words."""
    for spec in specs:
        with TemporaryDirectory(prefix="rlaudit-trial-", ignore_cleanup_errors=True) as name:
            for _ in range(2 if spec.treatment.get("again") == "folder" else 1):
                record = _run(spec, Path(name), progress)
            yield replace(record, spec=spec)


def _run(spec: RunSpec, folder: Path, progress: Progress) -> RunRecord:
    for name in (WORK, TEMPORARY):
        (folder / name).mkdir(exist_ok=True)
    shutil.rmtree(folder / STORE, ignore_errors=True)  # of the first of two runs
    (folder / SPEC).write_text(json.dumps(asdict(spec)))

    def take(line: str) -> None:
        if line.startswith(STEPS):
            progress(spec, int(line.removeprefix(STEPS)))

    command = [sys.executable, "-P", "-m", "rlaudit.trial", str(folder)]
    ended = run(command, folder, folder / WORK, _environment(spec, folder), take)
    try:
        return Store(folder / STORE).records()[-1]
    except (RlauditError, IndexError):
        return RunRecord(spec, "failed", error="\n".join([*ended.last_lines, ended.how()]), seconds=ended.seconds)


def _environment(spec: RunSpec, folder: Path) -> dict[str, str]:
    n_threads = max(spec.treatment.get(name, 1) for name in ("threads", "env_threads"))
    threads = dict.fromkeys(ONE_THREAD, str(n_threads))
    fixed = "hash order" in spec.treatment.get("pinned", ())
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {
        **os.environ,
        **threads,
        HASH_SEED: "0" if fixed else str(1 + derive(spec.replicate, "hash seed")),
        "PYTHONPATH": path,
        "TMPDIR": str(folder / TEMPORARY),
    }
