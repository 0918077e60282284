"""What must hold of a mutated input: an error in words, or numbers that stand in it."""

import json
import os
import re
import shutil
import signal
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz_samples import SAMPLES, Sample, tree
from mutated_bytes import is_text
from mutations import PROMISES, Odd, Tree, mutated

from rlaudit import importers
from rlaudit.errors import RlauditError
from rlaudit.importers import Run, border
from rlaudit.results import ReadNote
from rlaudit.scores import score_table
from rlaudit.types import ArmScores, SeedLabel
from rlaudit.wording import carried

LONGEST_ERROR = 5000  # characters: ten problems and their ways out, each with a path
SECONDS = 20  # an input takes milliseconds
Key = tuple[str, str, SeedLabel]  # agent, task, seed


@dataclass(frozen=True)
class Outcome:
    """What came of an input: runs, or an error in words; or a traceback, which is a broken law."""

    runs: Mapping[Key, Run] = field(default_factory=dict)
    scores: Mapping[Key, float] = field(default_factory=dict)  # NaN: failed
    notes: tuple[ReadNote, ...] = ()
    error: str | None = None
    crash: str | None = None


class Hang(BaseException):
    """No importer catches it."""


@contextmanager
def alarm(seconds: float = SECONDS) -> Iterator[None]:
    """Raises Hang, in the main thread."""

    def ring(*_: object) -> None:
        raise Hang(f"nothing came in {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- on the disk


class Workspace:
    """A folder that holds one tree after another; only what differs is written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self._held: Tree = {}

    def hold(self, tree: Tree) -> None:
        """Writes what differs from the tree before."""
        gone = [path for path, node in self._held.items() if tree.get(path) != node]
        for path in sorted(gone, reverse=True):
            _remove(self.root / path)
        for path, node in tree.items():
            if self._held.get(path) != node:
                _write(self.root / path, node)
        self._held = dict(tree)

    def sources(self) -> list[Path]:
        """What the user would call."""
        return [self.root / name for name in dict.fromkeys(path.split("/")[0] for path in self._held)]


def scratch() -> str:
    """A folder of one's own, in memory where the system has a place for that."""
    memory = Path("/dev/shm")
    return tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()
    while not any(path.parent.iterdir()) and path.parent.name != "fuzz":
        path = path.parent
        path.rmdir()


def _write(path: Path, node: bytes | Odd) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(node, bytes):
        path.write_bytes(node)
    elif node.kind == "link":
        path.symlink_to(node.target.format(self=path.name) if node.target == "{self}" else node.target)
    elif node.kind == "fifo":
        os.mkfifo(path)
    elif node.kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(node.content)
        path.chmod(0)


# ---------------------------------------------------------------- reading


def outcome(sources: list[Path], sample: Sample) -> Outcome:
    """Reads as the pipeline does, and keeps what the importer said before the border made records of it."""
    seen: list[Run] = []
    prepared = border.prepared

    def listening(found: importers.Found, hints: importers.Hints) -> Any:
        kept, notes = prepared(found, hints)
        seen.extend(kept)
        return kept, notes

    border.prepared = listening
    try:
        with alarm(), warnings.catch_warnings():
            warnings.simplefilter("error")
            read = importers.read(sources, sample.hints, single_seeds=True)
            table = score_table(read.records)
    except RlauditError as error:
        return Outcome(error=str(error))
    except (Exception, Hang):
        return Outcome(crash=traceback.format_exc())
    finally:
        border.prepared = prepared
    scores = {(arm.agent, arm.task, seed): score for arm in table.arms for seed, score in _scored(arm)}
    scores |= {(arm.agent, arm.task, seed): np.nan for arm in table.arms for seed in arm.failed}
    runs = {(run.agent, run.task, run.seed): run for run in seen}
    return Outcome(runs, scores, read.reading.notes)


# ---------------------------------------------------------------- one case


@dataclass(frozen=True)
class Case:
    """One mutated input; its name makes it again."""

    sample: str
    mutation: str
    number: int
    before: Tree
    after: Tree
    changed: str  # the file

    @property
    def name(self) -> str:
        return f"{self.sample} / {self.mutation} / {self.number}"


def case(name: str) -> Case | None:
    """The case of that name; None where the mutation finds nothing to change."""
    sample, mutation, number = name.split(" / ")
    before = original(sample)
    after, changed = mutated(before, mutation, Random(name))
    return None if changed is None or after == before else Case(sample, mutation, int(number), before, after, changed)


@cache
def original(sample: str) -> Tree:
    """Read from the disk once."""
    return tree(SAMPLES[sample])


def cases(sample: str, n_inputs: int) -> Iterator[Case]:
    """So many different inputs, every mutation in its turn."""
    seen = set()
    for number in range(n_inputs):  # more rounds than that find nothing new
        for mutation in PROMISES:
            made = case(f"{sample} / {mutation} / {number}")
            if made is None or (content := frozenset(made.after.items())) in seen:
                continue
            seen.add(content)
            yield made
            if len(seen) == n_inputs:
                return


def judged(made: Case, workspace: Workspace, before: Outcome) -> list[str]:
    """The laws that the case breaks, in words."""
    workspace.hold(made.after)
    sample = SAMPLES[made.sample]
    after = outcome(workspace.sources(), sample)
    if after.crash is not None:
        return [f"{made.name}: {after.crash}"]
    laws = (
        [*_of_errors(after)]
        if after.error is not None
        else [*_of_runs(after), *_of_numbers(made, sample, before, after)]
    )
    laws += _of_promises(made, sample, workspace.root, before, after)
    return [f"{made.name} ({made.changed!r}): {law}" for law in laws]


# ---------------------------------------------------------------- laws


def _of_errors(after: Outcome) -> Iterator[str]:
    text = after.error or ""
    if not text.strip() or "Traceback" in text or len(text) > LONGEST_ERROR or text.count("\n") > 25:
        yield f"no error in words: {text[:2000]!r} ... {len(text)} characters"


def _of_promises(made: Case, sample: Sample, root: Path, before: Outcome, after: Outcome) -> Iterator[str]:
    if made.mutation in sample.refused and after.error is None:
        yield "read, although it must be refused"
    if made.mutation in sample.same and after.error is not None:
        yield f"refused, although it means the same: {after.error[:500]}"
    promise = PROMISES[made.mutation]
    if (promise == "same" or made.mutation in sample.same) and after.error is None:
        refused = [key for key, run in after.runs.items() if run.error and not len(run.steps) and not sample.alone]
        yield from _differences(before, after, [key for key in before.runs | after.runs if key not in refused])
    if after.error is None and not sample.alone and promise in ("less", "damage"):
        yield from _of_neighbours(made, root, before, after)
    if after.error is None and promise in ("less", "damage") and (sample.checksums or promise == "less"):
        yield from _of_what_is_left(made, sample, before, after)


def _of_runs(after: Outcome) -> Iterator[str]:
    """Every run has a score or has failed."""
    if set(after.scores) != set(after.runs):
        yield f"runs without a row in the scores: {set(after.scores) ^ set(after.runs)}"
    for key, run in after.runs.items():
        if (np.diff(run.steps) < 0).any():
            yield f"steps of {key} that do not ascend"
        if run.error is None and run.sort == "score" and not np.isfinite(run.final).any():
            yield f"{key} has no score and has not failed"


def _of_numbers(made: Case, sample: Sample, before: Outcome, after: Outcome) -> Iterator[str]:
    """Every number stands in the files, those of a row in one row; what is derived is told by a warning."""
    node = made.after.get(made.changed)
    if not isinstance(node, bytes) or not is_text(node):
        return
    known = numbers(node)
    known.update(value for run in before.runs.values() for value in _values(run))
    warned = any(note.kind == "warning" for note in after.notes if note not in before.notes)
    for key, run in after.runs.items():
        strange = set(_values(run)) - known
        if strange and not warned:
            yield f"{key} has numbers that stand nowhere: {sorted(strange)[:5]}"
    yield from _of_labels(made, known, before, after)
    if sample.rows and made.mutation not in ("another kind of file", "a strange neighbour"):
        yield from _of_rows(node.decode(), before, after)


def _of_labels(made: Case, known: set[float], before: Outcome, after: Outcome) -> Iterator[str]:
    """No agent, task or seed comes from nowhere; positions count from 0, and may be called "run 0"."""
    new = after.runs.keys() - before.runs.keys()
    if not new:
        return
    files = (node.decode("utf-8", "replace") for node in made.after.values() if isinstance(node, bytes))
    text = _told(made) + carried("\n".join([*made.after, *files]))
    for key in new:
        for label in key[:2] if isinstance(key[2], int) else key:
            if not _COUNTED.fullmatch(str(label)) and not all(word in text for word in re.split(r"[/\s]", str(label))):
                yield f"{label!r} stands nowhere"
        counted = isinstance(key[2], str) or key[2] < len(after.runs) or float(key[2]) in known
        if not counted and str(key[2]) not in text:
            yield f"seed {key[2]} stands nowhere"


def _of_rows(text: str, before: Outcome, after: Outcome) -> Iterator[str]:
    """What a run says at a step stands in one row with its labels; a row may have line ends in a cell."""
    lines = carried(text).replace('"', "").split("\n")
    rows = [" ".join(lines[i : i + n]) for n in (1, 2, 3) for i in range(len(lines) - n + 1)]
    for key, run in after.runs.items():
        for step, values in _items(run):
            wanted = {*values, *([float(step)] if isinstance(step, int) else [])}
            labels = [label.replace('"', "").split("\n")[0] for label in key if isinstance(label, str)]
            if not _had(before, key, (step, values)) and not any(
                wanted <= numbers(row.encode()) and all(label in row for label in labels) for row in rows
            ):
                yield f"{key} at {step!r} is of no row: {values}"


_COUNTED = re.compile(r"(run|task|seed) \d+")


def _told(made: Case) -> str:
    """The values of a JSON file, or of its lines, as Python's text, their escapes undone."""
    node = made.after[made.changed]
    told = []
    for text in (node, *node.splitlines()) if isinstance(node, bytes) else ():
        with suppress(ValueError, RecursionError):
            told += _strings(json.loads(text))
    return carried("\n".join(told))


def _strings(value: object) -> Iterator[str]:
    yield str(value)
    for inner in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def numbers(data: bytes) -> set[float]:
    """Every cell, word or value of a text that is a number as it stands."""
    found = set()
    for word in re.split(r"[\s,;:#'\"\[\]{}()\ufeff]+", data.decode()):
        try:
            found.add(float(word))
        except ValueError:
            continue
    return found


def _values(run: Run) -> Iterator[float]:
    for array in (run.returns, run.final):
        yield from (value for value in array.ravel().tolist() if np.isfinite(value))


def _of_neighbours(made: Case, root: Path, before: Outcome, after: Outcome) -> Iterator[str]:
    """A broken file changes no run of another folder, and a run that it costs is noted."""
    others = [key for key, run in before.runs.items() if not _concerns(root / made.changed, run)]
    yield from _differences(before, after, others)
    lost = [key for key in before.runs if key not in after.runs]
    still_there = made.after.get(made.changed) is not None and made.mutation not in GONE
    said = [note for note in after.notes if note not in before.notes and note.kind in ("left_out", "warning")]
    if lost and still_there and not said:
        yield f"{lost[:3]} vanish without a word; notes {after.notes}"


GONE = ("a pipe", "a folder in its place", "a link to its folder")  # what stands there now is no file of a run


def _concerns(changed: Path, run: Run) -> bool:
    """The file is the run's, or stands in a folder of the run's, or beside it."""
    return run.place.startswith(str(changed.parent)) or str(changed).startswith(run.place)


def _of_what_is_left(made: Case, sample: Sample, before: Outcome, after: Outcome) -> Iterator[str]:
    """Whatever still comes out came out before. The number in a torn last line may be one more, unless checksums or
    a count of the format's tell."""
    if sample.merged or (sample.counted and made.mutation != "cut"):
        return
    items = [(key, item) for key, run in after.runs.items() for item in _items(run)]
    new = [(key, item) for key, item in items if not _had(before, key, item)]
    torn = 1 if made.mutation == "cut" and not sample.checksums else 0
    if len(new) > torn:
        yield f"new after something was taken away: {new[:5]}"


def _items(run: Run) -> Iterator[tuple[object, tuple[float, ...]]]:
    """(step, values) of each point, ("final", values)."""
    yield from zip(run.steps.tolist(), map(_finite, run.returns), strict=True)
    if len(run.final):
        yield "final", _finite(run.final)


def _finite(values: Any) -> tuple[float, ...]:
    return tuple(value for value in values.tolist() if np.isfinite(value))


def _had(before: Outcome, key: Key, item: object) -> bool:
    return key in before.runs and item in list(_items(before.runs[key]))


def _differences(before: Outcome, after: Outcome, keys: list[Key]) -> Iterator[str]:
    """To the last bit."""
    for key in keys:
        a, b = before.runs.get(key), after.runs.get(key)
        if a is None or b is None:
            yield f"{key} is {'lost' if b is None else 'new'}"
        elif not (_bits(a) == _bits(b) and (a.error is None) == (b.error is None)):
            yield f"{key} reads otherwise: {list(_items(a))[:3]} before, {list(_items(b))[:3]} now"
        elif before.scores[key] != after.scores[key] and not np.isnan(before.scores[key]):
            yield f"{key} has another score: {before.scores[key]!r} before, {after.scores[key]!r} now"


def _scored(arm: ArmScores) -> Iterator[tuple[SeedLabel, float]]:
    return zip(arm.seeds, arm.scores.tolist(), strict=True)


def _bits(run: Run) -> tuple[bytes, ...]:
    return tuple(array.tobytes() for array in (run.steps, run.returns, run.final))
