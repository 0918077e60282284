"""What a program leaves behind, as numbers: lines on its standard output, or a file that an importer reads.

    result: {pattern: "step={step} return={return}"}                     # lines on standard output
    result: {file: results.csv, columns: {step: global_step, value: return}}
    result: {file: runs, metric: charts/episodic_return}                 # whatever `rlaudit list importers` knows

A file (or folder, or glob that fits one of them) lies in the run's own folder. It may be a table of this run alone,
without columns for agent or seed: `step,value` for a learning curve or `score` for one number; or that number alone.

`training: true` says that each number is the return of one training episode and not an evaluation: the curve is then
their means over windows of steps, and the score their mean over the last tenth of the steps.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlaudit import importers
from rlaudit.backends.curves import curve, finite, known_whole, of_training
from rlaudit.errors import ConfigError, ImportFormatError, did_you_mean
from rlaudit.importers import Hints, tables
from rlaudit.importers.files import head
from rlaudit.types import RunRecord, RunSpec
from rlaudit.wording import first_of

if TYPE_CHECKING:
    from rlaudit.importers.cells import RawTable

HINTS = tuple(name.name for name in fields(Hints) if name.name not in ("until", "skip"))
KEYS = ("pattern", "file", "training", *HINTS)
FIELDS = ("step", "return", "*")
MAX_POINTS = 1_000_000  # of one run
_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|(?i:nan|inf(?:inity)?))"
_STEP = r"\d+(?:\.\d*)?(?:[eE]\+?\d+)?"
COLUMNS = ("agent", "task", "seed", "step", "value", "score", "status", "error")  # of a tidy table
_TABLES = ("tidy", "wide", "adastop", "matrix")  # what a plain text file may be taken for
_SURE = ("tidy", "zoo")  # formats that say the seed in so many words; others take it from names
_SHOWN = 10  # names in an error


# ---------------------------------------------------------------- lines on standard output


def compiled(pattern: str) -> "re.Pattern[str]":
    """`{step}` and `{return}` are numbers, `{*}` is anything, a blank is one blank or more.

    No number is ever read in part: 1,234 and 1.5M do not fit where the pattern ends with a field, nor does
    `return=` within `mean_return=`. Raises ConfigError for a pattern that is none.
    """
    parts = re.split(r"\{([^{}]*)\}", pattern)
    names = parts[1::2]
    for name in names:
        if name not in FIELDS:
            raise ConfigError(f"{{{name}}} is no field of a line.{did_you_mean(name, FIELDS)}")
        if name != "*" and names.count(name) > 1:
            raise ConfigError(f"{{{name}}} stands there twice")
    if "return" not in names:
        raise ConfigError("there is no {return} in it: 'step={step} return={return}'")
    if any(not between for between in parts[2:-1:2]):
        raise ConfigError("something must stand between two fields")
    text = [_literal(part) if i % 2 == 0 else _group(part) for i, part in enumerate(parts)]
    whole_word = r"(?<!\w)" if parts[0][:1].isalnum() else "" if parts[0].strip() else r"(?<![\w.+-])(?<!\d,)"
    return re.compile(whole_word + "".join(text) + ("" if parts[-1].strip() else r"(?!\w|[.,]\d)"))


def _literal(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))


def _group(name: str) -> str:
    if name == "*":
        return ".*?"
    return rf"(?P<step_>{_STEP})" if name == "step" else rf"(?P<return_>{_NUMBER})"


@dataclass
class Lines:
    """Collects the numbers from the lines that the pattern fits."""

    pattern: "re.Pattern[str]"
    steps: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Raises ImportFormatError beyond MAX_POINTS."""
        for found in self.pattern.finditer(line):
            self.returns.append(float(found["return_"]))
            if self.has_steps:
                self.steps.append(float(found["step_"]))
        if len(self.returns) > MAX_POINTS:
            raise ImportFormatError(f"more than {MAX_POINTS:,} lines fit result.pattern; print fewer")

    @property
    def latest(self) -> int:
        """The last step that was read, 0 where there is none."""
        return int(self.steps[-1]) if self.steps and self.steps[-1] < 2**53 else 0

    @property
    def has_steps(self) -> bool:
        return "step_" in self.pattern.groupindex

    def record(self, spec: RunSpec) -> RunRecord:
        """Raises ImportFormatError where no line fits, or where it is not said what several lines are."""
        if not self.returns:
            raise ImportFormatError("no line of its standard output fits result.pattern")
        if self.has_steps:
            return curve(spec, self.steps, np.array(self.returns)[:, None], training=is_training(spec))
        if len(self.returns) > 1:
            raise ImportFormatError(
                f"{len(self.returns)} lines fit result.pattern, and without {{step}} it is one score: add {{step}} for "
                "a learning curve, or let the pattern fit the last line only"
            )
        return finite(RunRecord(spec, "done", final_returns=np.array(self.returns)))


# ---------------------------------------------------------------- files


def is_training(spec: RunSpec) -> bool:
    """Whether the numbers are returns of training episodes, as the config says."""
    return bool(spec.params["result"].get("training"))


def hints(result: Mapping[str, Any]) -> Hints:
    """What the config says of the file."""
    given: dict[str, Any] = {key: value for key, value in result.items() if key in HINTS}
    return Hints(**{**given, "axes": tuple(given.get("axes", ()))})


def of_file(spec: RunSpec, out: Path, scratch: Path, pattern: str) -> RunRecord:
    """The one run in the file or folder below `out` that `pattern` names. Raises ImportFormatError with what is there.

    `scratch` is a folder for copies. What a file says of agent and task does not matter: this run is known.
    """
    try:
        record = _only_run(spec, _found(out, pattern), scratch)
    except ImportFormatError as error:  # names of folders that will be gone help nobody
        raise ImportFormatError(str(error).replace(f"{out}/", "").replace(f"{scratch}/", "")) from None
    if is_training(spec) and len(record.eval_steps) and not len(record.episodes.returns):
        return of_training(record, record.eval_steps, record.eval_returns[:, 0])
    return finite(replace(record, episodes=known_whole(record.episodes)))


def _only_run(spec: RunSpec, path: Path, scratch: Path) -> RunRecord:
    asked = hints(spec.params["result"])
    if path.is_file() and (number := _bare_number(path)) is not None:
        return RunRecord(spec, "done", final_returns=np.array([number]))
    if path.is_file() and (table := _own_table(path, asked)):
        path, asked = _completed(table, spec, scratch / path.name), Hints(format="tidy")
    imported = importers.read(path, asked, single_seeds=True, planned=spec.timesteps)
    records = imported.records
    if len(records) != 1:
        names = ", ".join(f"{one.spec.agent} seed {one.spec.seed}" for one in records[:_SHOWN]) or "nothing"
        raise ImportFormatError(f"{path} holds {len(records)} runs, expected the one that was started: {names}")
    if records[0].error:
        raise ImportFormatError(f"{path}: {records[0].error}")
    said = records[0].spec.seed
    if imported.reading.formats[0] in _SURE and said not in (spec.seed, *astuple(spec.seeds)):
        raise ImportFormatError(f"{path} says seed {said!r}, but this is seed {spec.seed!r}: is the program given it?")
    return replace(records[0], spec=spec)


def _found(out: Path, pattern: str) -> Path:
    if Path(pattern) == Path():  # "." is the whole folder, and no glob
        return out
    fitting = [path for path in out.glob(pattern) if path.is_file() or path.is_dir()]
    found = sorted(str(path.relative_to(out)) for path in fitting)
    if len(found) == 1:
        return out / found[0]
    there = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    names = first_of(found or there, _SHOWN)
    if found:
        raise ImportFormatError(f"result.file: {pattern!r} fits {len(found)} of its files, expected one: {names}")
    raise ImportFormatError(f"result.file: the program left no {pattern!r}. It left {names or 'nothing'}")


def _bare_number(path: Path) -> float | None:
    """Where the file holds nothing else."""
    with path.open("rb") as stream:
        try:
            return float(stream.read(100))
        except ValueError:
            return None


def _own_table(path: Path, asked: Hints) -> "RawTable | None":
    """The text table of a run that leaves out agent or seed, its columns called as in a tidy table."""
    if asked.format not in (None, *_TABLES) or (importers.fitting(path) or [*_TABLES])[0] not in _TABLES:
        return None
    if head(path) == b"PAR1":
        return None
    raw = tables.read_cells(path, "step, value or score")
    ours = {theirs: name for name, theirs in asked.columns.items()}
    raw = raw._replace(names=tuple(ours.get(name, name) for name in raw.names))
    if {"agent", "seed"} <= set(raw.names):
        return None
    if "score" not in raw.names and not {"step", "value"} <= set(raw.names):
        raise ImportFormatError(f"{raw.header}: {_unknown_columns(raw, ours)}")
    if raw.troubles:
        raise ImportFormatError("; ".join(f"{one.place}: {one.message}" for one in raw.troubles[:_SHOWN]))
    return raw


def _unknown_columns(raw: "RawTable", ours: Mapping[str, str]) -> str:
    absent = [name for name in ours.values() if name not in raw.names]
    if absent:
        theirs = next(theirs for theirs, name in ours.items() if name == absent[0])
        return f"no column {theirs!r}.{did_you_mean(theirs, raw.names)}"
    shown = ", ".join(map(repr, raw.names[:_SHOWN]))
    way_out = "say which they are: columns: {step: ..., value: ...}, or {score: ...}"
    return f"found the columns {shown}, expected step and value, or score; {way_out}"


def _completed(raw: "RawTable", spec: RunSpec, path: Path) -> Path:
    """The table with what it leaves out of agent and seed, for the importer; its lines keep their numbers."""
    known: dict[str, Any] = {"agent": spec.agent, "seed": spec.seed}
    left_out = {name: value for name, value in known.items() if name not in raw.names}
    names = [name for name in COLUMNS if name in raw.names]
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow([*left_out, *names])
        columns = (raw.column(name) for name in names)
        rows.writerows([*left_out.values(), *cells] for cells in zip(*columns, strict=True))
    return path
