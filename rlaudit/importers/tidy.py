"""The tidy format and its border: a row per run, or per run and step; everything wrong with it is said at once.

`columns` says which columns there are. A missing score is a failed run, a missing value of a curve is an evaluation
that did not happen; both are noted.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from rlaudit.importers import cells, columns, summaries, tidy_notes
from rlaudit.importers.cells import Labels, Numbers, RawTable, Trouble, import_error
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.tidy_notes import Loss
from rlaudit.types import Floats, Ints, SeedLabel

_FAR = 1e100  # statistics square scores, and add them up


def found(raw: RawTable, hints: Hints = Hints()) -> Found:
    """A run per agent, task and seed, in order of appearance; ImportFormatError with everything that is wrong."""
    return of_tables([columns.with_hints(columns.mapped(raw, hints), hints)])


def of_tables(tables: Iterable[RawTable]) -> Found:
    """The runs of tables that belong together and stand under our names, with one set of notes."""
    runs: list[Run] = []
    losses: list[Loss] = []
    for raw in tables:
        if troubles := list(columns.troubles(raw)):
            raise import_error(troubles)
        raw = _packed(raw)
        rows = _convert(raw)
        for positions in _runs(rows):
            run = _run(raw, rows, positions)
            runs.append(run)
            losses.extend(_losses(rows, positions, run))
    return Found(tuple(runs), (*tidy_notes.of_losses(losses, len(runs)), *tidy_notes.doubts(runs)))


def _packed(raw: RawTable) -> RawTable:
    """Cells that came as plain lists, in columns of their kind."""
    ready = (Labels, Numbers)
    packed = [
        cells.packed(column, columns.KINDS[name]) if name in columns.KINDS and not isinstance(column, ready) else column
        for name, column in zip(raw.names, raw.columns, strict=True)
    ]
    return raw._replace(columns=tuple(packed))


# ---------------------------------------------------------------- the cells


class Rows(NamedTuple):
    """Checked columns, coded: the agent of row i is `agents[agent[i]]`."""

    agents: tuple[str, ...]
    tasks: tuple[str, ...]
    seeds: tuple[SeedLabel, ...]
    agent: Ints  # (n_rows,)
    task: Ints  # (n_rows,)
    seed: Ints  # (n_rows,)
    step: Ints  # (n_rows,) 0 where the table has no steps, -1 where a row holds no value
    episode: Ints  # (n_rows,) in their order; 0 where the table has none
    value: Floats  # (n_rows,) NaN where a row holds no value
    failed: NDArray[np.bool_]  # (n_rows,) marked so
    final: NDArray[np.bool_]  # (n_rows,) of an evaluation after training
    curves: bool

    @property
    def run(self) -> Ints:
        """One code per agent, task and seed."""
        return (self.agent * len(self.tasks) + self.task) * len(self.seeds) + self.seed


class _Checking(NamedTuple):
    """A table whose cells are being read, and what is wrong with them so far, by row."""

    raw: RawTable
    troubles: list[tuple[int, Trouble]]

    def coded(
        self, name: str, parse: Callable[[Any], Any], expected: str, spared: NDArray[np.bool_] | None = None
    ) -> tuple[Ints, tuple[Any, ...]]:
        """Codes (n_rows,), -1 where a cell is wrong, and the labels; `spared` rows are not complained about."""
        codes, labels = cells.code(cast(Labels, self.raw.column(name)), parse)
        self.complain(name, codes < 0 if spared is None else (codes < 0) & ~spared, expected)
        return codes, labels

    def says(self, name: str, words: tuple[str, str]) -> NDArray[np.bool_]:
        """(n_rows,) where a column says the second word; nothing, or no such column, means the first."""
        if name not in self.raw.names:
            return np.zeros(len(self.raw.column("agent")), np.bool_)

        def parse(cell: object) -> str | None:
            word = cells.label(cell) or words[0]
            return word if word in words else None

        codes, labels = self.coded(name, parse, f"{words[0]!r} or {words[1]!r}")
        return np.array([label == words[1] for label in labels] or [False])[codes]

    def values(self, name: str, failed: NDArray[np.bool_]) -> Floats:
        """(n_rows,) NaN where there is none. What a failed row holds is never complained about."""
        column = cast(Numbers, self.raw.column(name))
        wrong = np.zeros(len(column), np.bool_)
        wrong[[row for row, cell in column.odd.items() if not cells.is_missing(cell)]] = True
        self.complain(name, wrong & ~failed, "a finite number", _MEND)
        far = np.abs(column.values) >= _FAR  # NaN is not far, and infinity is wrong
        expected = f"a number below {_FAR:g}, whose square is one, too"
        self.complain(name, far & ~wrong & ~failed, expected)
        return np.where(np.isfinite(column.values), column.values, np.nan)

    def episodes(self, spared: NDArray[np.bool_]) -> Ints:
        """(n_rows,) positions of the episodes in the order of their labels."""
        if "episode" not in self.raw.names:
            return np.zeros(len(spared), np.int64)
        codes, labels = self.coded("episode", cells.seed, "a whole number or a name", spared)
        order = sorted(range(len(labels)), key=lambda i: (isinstance(labels[i], str), labels[i]))
        rank = np.empty(len(labels) + 1, np.int64)
        rank[[*order, -1]] = np.arange(len(labels) + 1)
        return rank[codes]

    def complain(self, name: str, wrong: NDArray[np.bool_], expected: str, way_out: str = "") -> None:
        """A trouble for each wrong cell; only the first ones of a column are ever shown."""
        column = self.raw.column(name)
        rows = np.flatnonzero(wrong).tolist()
        for row in rows[: cells.SHOWN]:
            cell, message, way = column[row], f"column {name!r}: found {cells.shown(column[row])}", way_out
            if summaries.is_spread(cell):
                message, way = f"{message}, a mean and its spread", summaries.way_out([cell])
            elif hint := cells.comma_hint(cell):
                way = hint
            trouble = Trouble(self.raw.place(row), f"{message}, expected {expected}", way)
            self.troubles.append((row, trouble))
        self.troubles.extend((row, Trouble("", "")) for row in rows[cells.SHOWN :])


_MEND = "Did that run fail? Then leave the cell empty, so that the run is counted as failed. If not, mend the number."


def _convert(raw: RawTable) -> Rows:
    table, n_rows = _Checking(raw, []), len(raw.column("agent"))
    agent, agents = table.coded("agent", cells.label, "a name")
    task, tasks = np.zeros(n_rows, np.int64), ("",)
    if "task" in raw.names and any(map(cells.label, cast(Labels, raw.column("task")).distinct)):
        task, tasks = table.coded("task", cells.label, "a name")  # else one task without a name
    seed, seeds = table.coded("seed", cells.seed, "a whole number or a name")
    failed = table.says("status", ("done", "failed"))
    curves = "value" in raw.names
    final = table.says("stage", ("curve", "final")) if curves else np.zeros(n_rows, np.bool_)
    value = table.values("value" if curves else "score", failed)
    empty = np.isnan(value)
    step = np.zeros(n_rows, np.int64)
    if curves:
        codes, steps = table.coded("step", cells.step, "a whole number from 0 up", spared=failed | empty)
        step = np.where(empty, -1, np.array([*steps, -1], np.int64)[codes])
        value = np.where(step < 0, np.nan, value)  # of a failed run, at no step
    episode = table.episodes(spared=failed | empty)
    rows = Rows(agents, tasks, seeds, agent, task, seed, step, episode, value, failed, final, curves)
    known = (agent >= 0) & (task >= 0) & (seed >= 0) & (step >= 0)
    table.troubles.extend(_duplicates(raw, rows, np.flatnonzero(known)))
    if table.troubles or raw.troubles:
        table.troubles.sort(key=lambda trouble: trouble[0])
        raise import_error([*raw.troubles, *(trouble for _, trouble in table.troubles)])
    return rows


# ---------------------------------------------------------------- duplicates


def _duplicates(raw: RawTable, rows: Rows, known: Ints) -> Iterator[tuple[int, Trouble]]:
    """Rows that say the same run (and step, and episode) a second time. Rows of a curve without a value say nothing."""
    keys = [column[known] for column in (rows.episode, rows.step, rows.final, rows.run)]
    order = np.lexsort(keys)  # stable: of two equal rows the first one stays the first
    same = np.logical_and.reduce([np.diff(key[order].astype(np.int64)) == 0 for key in keys])
    again = np.flatnonzero(same).tolist()
    for n, at in enumerate(again):
        first, second = int(known[order[at]]), int(known[order[at + 1]])
        message = _duplicate(raw, rows, first, second) if n < cells.SHOWN else ""
        yield second, Trouble(raw.place(second), message, _duplicate_way_out(raw, rows.curves))


def _duplicate(raw: RawTable, rows: Rows, first: int, again: int) -> str:
    task = f" on {rows.tasks[rows.task[again]]!r}" if rows.tasks != ("",) else ""
    step = f" at step {rows.step[again]}" if rows.curves else ""
    episode = f", episode {raw.column('episode')[again]}" if "episode" in raw.names else ""
    run = f"seed {rows.seeds[rows.seed[again]]!r} of agent {rows.agents[rows.agent[again]]!r}{task}{step}{episode}"
    return f"{run} is already in {raw.place(first)}"


def _duplicate_way_out(raw: RawTable, curves: bool) -> str:
    if "episode" in raw.names:
        return "An episode is there once. Keep one of the two."
    column = columns.near("episode", raw.names) or "NAME"
    if curves:
        return (
            f"Episodes of one evaluation are not seeds: average them, or say which is which: --episode-column {column}"
        )
    return (
        "Several rows per seed? Episodes are not seeds: average them, or say which is which: --episode-column "
        f"{column}; for a learning curve: --step-column NAME --value-column NAME"
    )


# ---------------------------------------------------------------- runs


def _runs(rows: Rows) -> Iterable[Ints]:
    """The row positions of each run, its steps in order; runs in order of appearance."""
    run = rows.run
    if not len(run):
        return []
    _, first, of_row = np.unique(run, return_index=True, return_inverse=True)
    order = np.lexsort((rows.episode, rows.step, rows.final, first[of_row]))
    return np.split(order, np.flatnonzero(np.diff(run[order])) + 1)


def _run(raw: RawTable, rows: Rows, positions: Ints) -> Run:
    measured = positions[~np.isnan(rows.value[positions])]
    final = rows.final[measured] if rows.curves else np.ones(len(measured), np.bool_)
    steps, returns = _evaluations(rows, measured[~final])
    at = int(positions[0])
    return Run(
        agent=rows.agents[rows.agent[at]],
        task=rows.tasks[rows.task[at]],
        seed=rows.seeds[rows.seed[at]],
        place=raw.place(at),
        sort="evaluations" if rows.curves else "score",
        steps=steps,
        returns=returns,
        final=rows.value[measured[final]],
        error=_error(raw, rows, positions, lost=not len(measured)),
    )


def _evaluations(rows: Rows, positions: Ints) -> tuple[Ints, Floats]:
    """Steps (n_points,) and returns (n_points, n_episodes), NaN on the right where an evaluation has fewer episodes."""
    steps, value = rows.step[positions], rows.value[positions]
    starts = np.flatnonzero(np.diff(steps, prepend=-1))
    if len(starts) == len(steps):
        return steps, value[:, None]
    counts = np.diff(starts, append=len(steps))
    returns = np.full((len(starts), counts.max()), np.nan)
    returns[np.arange(counts.max()) < counts[:, None]] = value
    return steps[starts], returns


def _error(raw: RawTable, rows: Rows, positions: Ints, *, lost: bool) -> str | None:
    """Why a run failed: what the table says, that it is marked, or that there is no number at all."""
    failed = positions[rows.failed[positions]]
    if len(failed):
        texts = (cells.label(raw.column("error")[row]) for row in sorted(positions)) if "error" in raw.names else ()
        return next(filter(None, texts), f"marked failed in {raw.place(int(failed.min()))}")
    if not lost:
        return None
    row = int(positions.min())
    name = "value" if rows.curves else "score"
    cell = raw.column(name)[row]
    return f"no {name} ({'nothing' if cell in (None, '') else cell}) in {raw.place(row)}"


def _losses(rows: Rows, positions: Ints, run: Run) -> Iterator[Loss]:
    """What a run lacks without being marked failed."""
    if not rows.failed[positions].any() and (n := int(np.isnan(rows.value[positions]).sum())):
        yield Loss(run, n, whole=n == len(positions))
