"""The tidy format and its border: a row per run, or per run and step; everything wrong with it is said at once.

Columns: agent, task (optional), seed, score; or agent, task (optional), seed, step, value. Also, if wanted, status
("done" or "failed") and error (why it failed). Other columns are left alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers.nouns import Found, Run
from rlaudit.types import Floats, Ints, SeedLabel

TIDY = "agent,seed,score (task is optional), or agent,seed,step,value for learning curves"
KNOWN = ("agent", "task", "seed", "score", "step", "value", "status", "error")
SHOWN = 10  # problems that one error lists
_FAR = 1e100  # statistics square scores, and add them up
# What other tools call the same thing; only ever a suggestion, a column is never renamed for the user.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "agent": ("algorithm", "algo", "method", "model", "policy", "name", "exp_name"),
    "seed": ("run", "trial", "run_id", "random_seed", "replicate"),
    "score": ("return", "reward", "episode_reward", "episode_return", "performance", "result", "final"),
    "step": ("steps", "timestep", "timesteps", "total_timesteps", "global_step", "frame", "frames"),
    "value": ("return", "reward", "episode_reward", "episode_return", "score"),
}
SUMMARIES = frozenset({"mean", "sd", "std", "stddev", "stdev", "sem", "stderr", "variance", "ci", "avg", "average"})


class Trouble(NamedTuple):
    """One thing wrong with a table."""

    place: str  # "scores.csv:4"
    message: str
    way_out: str = ""


class RawTable(NamedTuple):
    """A table as it was found: nothing converted, every cell with its place."""

    source: str  # what the user calls it
    names: tuple[str, ...]  # (n_columns,)
    columns: tuple[Sequence[Any], ...]  # (n_columns,) of (n_rows,): text, or whatever a typed file holds
    place: Callable[[int], str]  # row position -> where that is
    header: str  # where the names stand
    troubles: tuple[Trouble, ...] = ()  # rows that could not be read at all

    def column(self, name: str) -> Sequence[Any]:
        return self.columns[self.names.index(name)]


def import_error(troubles: Sequence[Trouble]) -> ImportFormatError:
    """One error for everything: a line per problem, then the ways out, each once."""
    lines = [f"{trouble.place}: {trouble.message}" for trouble in troubles[:SHOWN]]
    if len(troubles) > SHOWN:
        lines.append(f"and {len(troubles) - SHOWN} more")
    ways_out = dict.fromkeys(trouble.way_out for trouble in troubles if trouble.way_out)
    return ImportFormatError("\n".join([*lines, *ways_out]))


def found(raw: RawTable) -> Found:
    """A run per agent, task and seed, in order of appearance; ImportFormatError with everything that is wrong."""
    if troubles := list(_header_troubles(raw)):
        raise import_error(troubles)
    return Found(tuple(_run_of_rows(raw, _convert(raw))))


# ---------------------------------------------------------------- the header


def without_index(names: Sequence[str]) -> int:
    """1 where the first column is an unnamed index such as pandas writes, else 0."""
    return int(bool(names) and (names[0] == "" or names[0].startswith(("Unnamed: 0", "__index_level_"))))


def _header_troubles(raw: RawTable) -> Iterator[Trouble]:
    names = raw.names
    words = " ".join(names).split()
    if words and all(isfinite(_number(word)) for word in words):
        yield Trouble(raw.header, "numbers stand where the column names should", _matrix_way_out())
        return
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Trouble(raw.header, f"column {name!r} stands there {names.count(name)} times", "Keep one of them.")
    if "score" in names and "value" in names:
        way_out = "Keep 'score' (one number per seed), or 'step' and 'value' (a learning curve per seed)."
        yield Trouble(raw.header, "both 'score' and 'value' are there, and only one of them can be the result", way_out)
    elif "score" in names and "step" in names:
        way_out = "Name it 'value' if it is a learning curve; drop 'step' if there is one score per seed."
        yield Trouble(raw.header, "column 'score' stands beside 'step'", way_out)
    else:
        yield from _missing(raw)


def _missing(raw: RawTable) -> Iterator[Trouble]:
    names = raw.names
    result = ("step", "value") if "value" in names or "step" in names else ("score",)
    missing = [name for name in ("agent", "seed", *result) if name not in names]
    if missing and (summary := [name for name in names if _words(name) & SUMMARIES]):
        listed = ", ".join(map(repr, summary))
        message = f"this is a summary (column {listed}), in which the single seeds are gone"
        yield Trouble(raw.header, message, f"rlaudit needs a row per seed: {TIDY}.")
        return
    way_out = _column_way_out(names, wide="agent" in missing and "seed" in names and len(missing) == 2)
    for name in missing:
        yield Trouble(raw.header, f"no column {name!r}.{_nearest(name, names)}", way_out)


def _words(name: str) -> set[str]:
    return set(name.lower().replace("-", "_").replace(" ", "_").split("_"))


def _nearest(wanted: str, names: Sequence[str]) -> str:
    others = {name.lower(): name for name in names if name not in KNOWN}
    for synonym in (wanted, *SYNONYMS.get(wanted, ())):
        if synonym in others:
            return f" Did you mean {others[synonym]!r}? Then rename it to {wanted!r}."
    suggestion = did_you_mean(wanted, others)
    return suggestion if "Did you mean" in suggestion else ""


def _matrix_way_out() -> str:
    return f"A bare matrix does not say which axis is the seeds. Write a tidy table with the columns {TIDY}."


def _column_way_out(names: Sequence[str], wide: bool) -> str:
    found = ", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
    if wide:
        melt = "frame.melt(id_vars='seed', var_name='agent', value_name='score')"
        return f"Found {found}. A wide table, a column per agent? Make it tidy, a row per agent and seed: {melt}."
    return f"Found {found}. The columns of a tidy table: {TIDY}."


# ---------------------------------------------------------------- the cells


class Rows(NamedTuple):
    """Checked columns, coded: the agent of row i is `agents[agent[i]]`."""

    agents: tuple[str, ...]
    tasks: tuple[str, ...]
    seeds: tuple[SeedLabel, ...]
    agent: Ints  # (n_rows,)
    task: Ints  # (n_rows,)
    seed: Ints  # (n_rows,)
    step: Ints  # (n_rows,) 0 where the table has no steps, -1 where a failed run has none
    value: Floats  # (n_rows,) NaN only in failed rows
    failed: NDArray[np.bool_]  # (n_rows,)
    curves: bool

    @property
    def run(self) -> Ints:
        """One code per agent, task and seed."""
        return (self.agent * len(self.tasks) + self.task) * len(self.seeds) + self.seed


def _convert(raw: RawTable) -> Rows:
    troubles: list[tuple[int, Trouble]] = []

    def coded(name: str, parse: Callable[[Any], Any], expected: str) -> tuple[Ints, tuple[Any, ...]]:
        codes, labels = _code(raw.column(name), parse)
        troubles.extend(_cell_troubles(raw, name, np.flatnonzero(codes < 0), expected))
        return codes, labels

    agent, agents = coded("agent", _label, "a name")
    task, tasks = np.zeros(len(agent), np.int64), ("",)
    if "task" in raw.names and any(map(_label, raw.column("task"))):  # empty throughout: one task without a name
        task, tasks = coded("task", _label, "a name")
    seed, seeds = coded("seed", _seed, "a whole number or a name")
    failed = np.zeros(len(agent), np.bool_)
    if "status" in raw.names:
        status, states = coded("status", _status, "'done' or 'failed'")
        failed = np.array([state == "failed" for state in states] or [False])[status]
    curves = "value" in raw.names
    step, value = _results(raw, curves, failed, troubles)
    rows = Rows(agents, tasks, seeds, agent, task, seed, step, value, failed, curves)
    known = (agent >= 0) & (task >= 0) & (seed >= 0)
    troubles.extend(_duplicates(raw, rows, np.flatnonzero(known)))
    if troubles or raw.troubles:
        troubles.sort(key=lambda trouble: trouble[0])
        raise import_error([*raw.troubles, *(trouble for _, trouble in troubles)])
    return rows


def _results(
    raw: RawTable, curves: bool, failed: NDArray[np.bool_], troubles: list[tuple[int, Trouble]]
) -> tuple[Ints, Floats]:
    """Steps and values. What a failed row holds is kept where it is a number and never complained about."""
    name = "value" if curves else "score"
    value = np.fromiter(map(_number, raw.column(name)), np.float64, len(failed))
    bad = ~np.isfinite(value)
    troubles.extend(_cell_troubles(raw, name, np.flatnonzero(bad & ~failed), "a finite number", _value_way_out(raw)))
    far = np.flatnonzero(~bad & (np.abs(value) >= _FAR) & ~failed)
    troubles.extend(_cell_troubles(raw, name, far, f"a number below {_FAR:g}, whose square is one, too"))
    if not curves:
        return np.zeros(len(failed), np.int64), value
    codes, steps = _code(raw.column("step"), _step)
    troubles.extend(_cell_troubles(raw, "step", np.flatnonzero((codes < 0) & ~failed), "a whole number from 0 up"))
    step = np.array([*steps, -1], np.int64)[codes]
    return np.where(bad, -1, step), value


def _value_way_out(raw: RawTable) -> str:
    say = "say 'failed' in its 'status'" if "status" in raw.names else "add a column 'status' and say 'failed' there"
    return f"Did that run fail? Then {say}, so that it is counted. If not, mend the number."


def _cell_troubles(
    raw: RawTable, name: str, positions: Ints, expected: str, way_out: str = ""
) -> Iterator[tuple[int, Trouble]]:
    cells = raw.column(name)
    for i in positions.tolist():
        found = repr(cells[i]) if cells[i] not in (None, "") else "nothing"
        found = found if len(found) <= 40 else found[:37] + "..."
        comma = isinstance(cells[i], str) and isfinite(_number(cells[i].replace(",", ".", 1)))
        hint = "Write a decimal point, not a comma." if comma and expected.endswith("number") else way_out
        yield i, Trouble(raw.place(i), f"column {name!r}: found {found}, expected {expected}", hint)


def _duplicates(raw: RawTable, rows: Rows, known: Ints) -> Iterator[tuple[int, Trouble]]:
    """Rows that say the same run (and step) a second time. Failed rows without a step say only that it failed."""
    known = known[rows.step[known] >= 0]
    run, step = rows.run[known], rows.step[known]
    order = np.lexsort((step, run))  # stable: of two equal rows the first one stays the first
    same = (np.diff(run[order]) == 0) & (np.diff(step[order]) == 0)
    for at in np.flatnonzero(same).tolist():
        first, again = int(known[order[at]]), int(known[order[at + 1]])
        yield again, Trouble(raw.place(again), _duplicate(raw, rows, first, again), _duplicate_way_out(rows.curves))


def _duplicate(raw: RawTable, rows: Rows, first: int, again: int) -> str:
    task = f" on {rows.tasks[rows.task[again]]!r}" if rows.tasks != ("",) else ""
    step = f" at step {rows.step[again]}" if rows.curves else ""
    run = f"seed {rows.seeds[rows.seed[again]]!r} of agent {rows.agents[rows.agent[again]]!r}{task}{step}"
    return f"{run} is already in {raw.place(first)}"


def _duplicate_way_out(curves: bool) -> str:
    if curves:
        return "Episodes of one evaluation are not seeds: average them, so that there is one value per seed and step."
    return "Several rows per seed? Episodes are not seeds: average them; for a learning curve use 'step' and 'value'."


# ---------------------------------------------------------------- one cell

_HASHED = frozenset({str, int, float, bool, type(None)})  # a typed file may hold lists and worse


def _code(values: Sequence[Any], parse: Callable[[Any], Any]) -> tuple[Ints, tuple[Any, ...]]:
    """Codes (n_rows,), -1 where `parse` gives None, and the parsed values in order of appearance.

    Each distinct value is parsed once. Where there is more than text, the type belongs to the key: True is not 1.
    """
    keys: Sequence[Any] = values
    if set(map(type, values)) != {str}:
        values = [value if type(value) in _HASHED else str(value) for value in values]
        keys = list(zip(map(type, values), values, strict=True))
    labels: dict[Any, int] = {}
    codes = {}
    for key, value in dict(zip(keys, values, strict=True)).items():
        label = parse(value)
        codes[key] = -1 if label is None else labels.setdefault(label, len(labels))
    return np.fromiter(map(codes.__getitem__, keys), np.int64, len(keys)), tuple(labels)


def _number(value: object) -> float:
    """NaN where it is no number: text such as "1_000" and "True" is none, nor is a boolean."""
    if isinstance(value, bool) or not isinstance(value, (str, Real, Decimal)):
        return float("nan")
    if isinstance(value, str) and "_" in value:
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")


def _label(value: object) -> str | None:
    missing = value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT"))
    return None if missing else str(value).strip() or None


def _seed(value: object) -> SeedLabel | None:
    """12, "12" and 12.0 are the seed 12; other text is a name; 1.5, NaN and True are no seeds."""
    text = _label(value)
    if text is None or text.lower() in ("true", "false"):
        return None
    number = _number(text)
    if not isfinite(number):
        return None if text.lower().lstrip("+-") in ("nan", "inf", "infinity") else text
    return int(text) if text.lstrip("+-").isdecimal() else int(number) if number.is_integer() else None


def _step(value: object) -> int | None:
    number = _number(value)
    return int(number) if isfinite(number) and number.is_integer() and 0 <= number < 2**63 else None


def _status(value: object) -> str | None:
    text = _label(value) or "done"
    return text if text in ("done", "failed") else None


# ---------------------------------------------------------------- runs


def _run_of_rows(raw: RawTable, rows: Rows) -> Iterator[Run]:
    errors = raw.column("error") if "error" in raw.names else None
    for positions in _runs(rows):
        failed = positions[rows.failed[positions]]
        error = None
        if len(failed):
            error = (errors is not None and _label(errors[failed[0]])) or f"marked failed in {raw.place(failed[0])}"
        yield _run(raw, rows, positions, error)


def _runs(rows: Rows) -> Iterable[Ints]:
    """The row positions of each run, its steps in order; runs in order of appearance."""
    run = rows.run
    _, first, of_row = np.unique(run, return_index=True, return_inverse=True)
    order = np.lexsort((rows.step, first[of_row]))
    return np.split(order, np.flatnonzero(np.diff(run[order])) + 1)


def _run(raw: RawTable, rows: Rows, positions: Ints, error: str | None) -> Run:
    measured = positions[rows.step[positions] >= 0]
    at = int(positions[0])
    return Run(
        agent=rows.agents[rows.agent[at]],
        task=rows.tasks[rows.task[at]],
        seed=rows.seeds[rows.seed[at]],
        place=raw.place(at),
        sort="evaluations" if rows.curves else "score",
        steps=rows.step[measured] if rows.curves else measured[:0],
        returns=rows.value[measured][:, None] if rows.curves else np.empty((0, 1)),
        final=np.empty(0) if rows.curves else rows.value[measured],
        error=error,
    )
