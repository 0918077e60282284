"""Two runs side by side: equal to the bit, or the first thing that they do not share.

A trace is what a run leaves along its way: a row for each event that was kept, with a running hash of everything that
has passed each channel so far, so that one row compares the whole way up to it. The first rows are every event; later
ones are spaced evenly, and a difference then lies between two of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.results.reproduction import Difference, Where
from rlaudit.types import Ints, RunRecord

BUILT, RESET, STEP, ROLLOUT, END = range(5)  # events: weights made, environments reset, a step, before a rollout, end
CHANNELS = ("observations", "actions", "rewards", "weights")  # of a hash row; rewards and ends of episodes together
DENSE, SPARSE = 300, 150  # rows of each event: every one of the first, and about so many more


@dataclass
class Recorder:
    """Takes down which rows of a trace are kept."""

    timesteps: int  # of the whole run, so that a run that stops early keeps the same rows
    rows: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    _kept: dict[int, int] = field(default_factory=dict)  # event -> rows
    _next: dict[int, int] = field(default_factory=dict)  # event -> timesteps from which the next one is kept

    def wants(self, event: int, step: int) -> bool:
        """Whether the event is one to be kept; ask once for each."""
        if event in (STEP, ROLLOUT) and self._kept.get(event, 0) >= DENSE:
            if step < self._next.setdefault(event, step):
                return False
            self._next[event] += max(1, self.timesteps // SPARSE)
        self._kept[event] = self._kept.get(event, 0) + 1
        return True

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As `RunRecord.measurements` keeps them."""
        return {
            "trace_steps": np.array([row[0] for row in self.rows], np.int32),
            "trace_events": np.array([row[1] for row in self.rows], np.uint8),
            "trace_hashes": np.array([row[2] for row in self.rows], np.uint64).reshape(-1, len(CHANNELS)),
        }


class _Trace(NamedTuple):
    steps: Ints  # (n_rows,)
    events: Ints  # (n_rows,)
    hashes: NDArray[np.uint64]  # (n_rows, n_channels)


@dataclass(frozen=True)
class Compared:
    """What two runs share."""

    steps: int  # timesteps that were compared
    first: Difference | None
    channels: Mapping[str, int | None]  # the step at which each channel is first seen to differ


def compare(a: RunRecord, b: RunRecord, *, whole: bool) -> Compared:
    """Of runs that are done. `whole`: both were trained to the end and evaluated alike, which must then agree, too."""
    ways = _trace(a), _trace(b)
    traced = _compare_traces(ways[0], ways[1]) if ways[0] and ways[1] else None
    if not whole:
        return traced or Compared(0, None, {})
    results = _compare_results(a, b, followed=traced is not None)
    if traced is None:
        return results
    channels = dict(traced.channels) | dict(results.channels)
    if a.weights_sha256 != b.weights_sha256 and channels["weights"] is None:
        channels["weights"] = traced.steps
    return Compared(traced.steps, traced.first or results.first, channels)


# ---------------------------------------------------------------- traces


def _trace(record: RunRecord) -> _Trace | None:
    if "trace_steps" not in record.measurements:
        return None
    found = record.measurements
    return _Trace(found["trace_steps"].astype(np.int64), found["trace_events"].astype(np.int64), found["trace_hashes"])


def _compare_traces(a: _Trace, b: _Trace) -> Compared:
    """Row by row on the common way. Runs that keep other rows have parted before."""
    a, b = _common(a, b)
    if not len(a.steps):
        return Compared(0, None, dict.fromkeys(CHANNELS))
    unlike = a.hashes != b.hashes
    unlike |= ((a.steps != b.steps) | (a.events != b.events))[:, None]
    firsts = {name: _first(unlike[:, place]) for place, name in enumerate(CHANNELS)}
    channels = {name: None if row is None else int(a.steps[row]) for name, row in firsts.items()}
    row = _first(unlike.any(axis=1))
    last = int(min(a.steps[-1], b.steps[-1]))
    return Compared(last, None if row is None else _difference(a, row, unlike[row]), channels)


def _common(a: _Trace, b: _Trace) -> tuple[_Trace, _Trace]:
    """The rows up to the end of the shorter run; its last row only where the other one ends there, too."""
    ends_alike = len(a.steps) == len(b.steps)
    n = min(len(a.steps), len(b.steps)) if ends_alike else min(_without_end(a), _without_end(b))
    return _up_to(a, n), _up_to(b, n)


def _up_to(trace: _Trace, n: int) -> _Trace:
    return _Trace(trace.steps[:n], trace.events[:n], trace.hashes[:n])


def _without_end(trace: _Trace) -> int:
    return int((trace.events != END).sum())


def _first(unlike: NDArray[np.bool_]) -> int | None:
    return int(unlike.argmax()) if unlike.any() else None


def _difference(a: _Trace, row: int, unlike: NDArray[np.bool_]) -> Difference:
    step, after = int(a.steps[row]), int(a.steps[row - 1]) if row else None
    differs = {name: bool(unlike[place]) for place, name in enumerate(CHANNELS)}
    where = _where(int(a.events[row]), differs, adjacent=_adjacent(a, row))
    return Difference(step, after, _channel(differs, where), where)


def _adjacent(a: _Trace, row: int) -> bool:
    """Nothing happened between this row and the one before it."""
    firsts = a.steps[a.events == STEP]
    return row == 0 or int(a.steps[row] - a.steps[row - 1]) <= (int(firsts[0]) if len(firsts) else 0)


def _where(event: int, differs: Mapping[str, bool], *, adjacent: bool) -> Where:
    """Who made the difference, by what was still equal: actions come before the answer, learning comes after it."""
    if event == BUILT:
        return "initial weights"
    if event == RESET:
        return "reset"
    answer = differs["observations"] or differs["rewards"]
    if answer and not differs["actions"] and not differs["weights"]:
        return "environment"
    if differs["actions"] and (adjacent or not (answer or differs["weights"])):
        return "agent"
    if differs["weights"] and not answer and not differs["actions"]:
        return "learning"
    return "one step"


def _channel(differs: Mapping[str, bool], where: Where) -> str:
    """The one that tells most: what was made first."""
    order = ("actions", "rewards", "observations", "weights")
    if where in ("initial weights", "learning"):
        order = ("weights", "actions", "rewards", "observations")
    return next(name for name in order if differs[name])


# ---------------------------------------------------------------- results


def _compare_results(a: RunRecord, b: RunRecord, *, followed: bool) -> Compared:
    """Learning curves, training episodes and final returns; of programs nothing else is known."""
    channels = {
        "evaluation": _curve_step(a, b),
        "training episodes": _episode_step(a, b),
        "final return": None if np.array_equal(a.final_returns, b.final_returns, equal_nan=True) else a.spec.timesteps,
    }
    found = {name: step for name, step in channels.items() if step is not None}
    steps = a.spec.timesteps
    if not found:
        return Compared(steps, None, channels)
    name = min(found, key=lambda one: found[one])
    before = [int(step) for step in a.eval_steps if step < found[name]]
    where: Where = "evaluation" if followed and name != "training episodes" else "unknown"
    return Compared(steps, Difference(found[name], max(before, default=None), name, where), channels)


def _curve_step(a: RunRecord, b: RunRecord) -> int | None:
    """The first evaluation that is not the same."""
    n = min(len(a.eval_steps), len(b.eval_steps))
    for place in range(n):
        if a.eval_steps[place] != b.eval_steps[place] or not np.array_equal(
            a.eval_returns[place], b.eval_returns[place], equal_nan=True
        ):
            return int(min(a.eval_steps[place], b.eval_steps[place]))
    longer = a if len(a.eval_steps) > n else b
    return int(longer.eval_steps[n]) if len(longer.eval_steps) > n else None


def _episode_step(a: RunRecord, b: RunRecord) -> int | None:
    """The end of the first training episode that is not the same, in steps of all environments together."""
    returns = a.episodes.returns, b.episodes.returns
    n = min(map(len, returns))
    unlike = np.flatnonzero(returns[0][:n] != returns[1][:n])
    place = int(unlike[0]) if len(unlike) else n
    if place == n and len(returns[0]) == len(returns[1]):
        return None
    longer = a if len(returns[0]) > place else b
    return int(longer.episodes.lengths[: place + 1].sum())
