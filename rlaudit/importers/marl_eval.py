"""marl-eval's JSON (BenchMARL's and Mava's, too): environment -> task -> algorithm -> run -> "step_0" -> metrics.

Each step holds its "step_count" and, by metric, the episodes of an evaluation; "absolute_metrics" hold those of the
evaluation after training.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import gaps
from rlaudit.importers.cells import shown
from rlaudit.importers.files import files_of, load_json, some_fit, start
from rlaudit.importers.nouns import Found, Hints, Run
from rlaudit.importers.values import checked, of_json
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, SeedLabel
from rlaudit.wording import several

_LEVELS = "environment -> task -> algorithm -> run -> step -> metric"
_COUNT = "step_count"
_ABSOLUTE = "absolute_metrics"
_NO_METRICS = (_COUNT, "elapsed_time")  # JsonLogger writes both
_UNFINISHED = "no evaluation after training (absolute_metrics), which other runs have"
_KEY = r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:'
_RUN = re.compile(4 * _KEY + r'\s*\{\s*"(?:step_\d+|absolute_metrics)"\s*:\s*\{')
_SEED = re.compile(r"(?:seed_)?(-?[0-9]{1,300})")


@dataclass(frozen=True)
class _Raw:
    """A run as it stands in the file."""

    place: str
    names: tuple[str, str, str, str]  # environment, task, algorithm, run
    steps: dict[str, dict[str, Any]]
    absolute: dict[str, Any]  # empty where it is not there; JsonLogger fills it at the end

    def episodes(self, key: str, metric: str) -> Sequence[Any]:
        """The values of a step, or of the absolute metrics; none where the metric is not among them."""
        found = self.steps.get(key, self.absolute).get(metric, [])
        return checked(found if isinstance(found, list) else [found], self.place, "/", key, "/", metric)


def read(path: Path, hints: Hints) -> Found:
    """The runs of a file, or of the files of a folder, by one metric: `hints.metric`, or the only one.

    Raises ImportFormatError.
    """
    raw = [run for file in files_of(path, _is_one, ".json") for run in _runs(file)]
    if not raw:
        raise ImportFormatError(f"{path}: no run in it, expected {_LEVELS}.")
    metric = _metric(raw, hints.metric, path)
    bare = len({run.names[0] for run in raw}) == 1  # one environment need not be named
    finished = [bool(run.absolute.get(metric)) for run in raw]
    runs = [_run(run, metric, bare) for run in raw]
    if any(finished):
        runs = [run if done else replace(run, error=_UNFINISHED) for run, done in zip(runs, finished, strict=True)]
    whole, lacking = gaps.closed(runs, path)
    return Found(whole, (*_notes(metric, finished), *lacking))


def fits(path: Path) -> bool:
    """Whether `path` is such a file, or a folder with one."""
    return some_fit(path, _is_one, ".json")


def _is_one(path: Path) -> bool:
    return _RUN.match(start(path)) is not None


def _runs(path: Path) -> Iterator[_Raw]:
    for environment, tasks in _items(load_json(path), str(path)):
        for task, algorithms in _items(tasks, f"{path}: {environment}"):
            for algorithm, runs in _items(algorithms, f"{path}: {environment}/{task}"):
                for label, steps in _items(runs, place := f"{path}: {environment}/{task}/{algorithm}"):
                    yield _raw(f"{place}/{label}", (environment, task, algorithm, label), steps)


def _items(content: Any, place: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise ImportFormatError(f"{place}: found {shown(content)}, expected an object ({_LEVELS}).")
    yield from content.items()


def _raw(place: str, names: tuple[str, str, str, str], content: Any) -> _Raw:
    steps = dict(_items(content, place))
    for key, step in steps.items():
        if not isinstance(step, dict):
            raise ImportFormatError(f"{place}/{key}: found {shown(step)}, expected an object ({_LEVELS}).")
    absolute = [step for key, step in steps.items() if "absolute" in key.lower()]  # as marl-eval looks for it
    if len(absolute) > 1:
        raise ImportFormatError(f"{place}: found {len(absolute)} steps that are called absolute, expected one.")
    points = {key: step for key, step in steps.items() if "absolute" not in key.lower()}
    return _Raw(place, names, points, absolute[0] if absolute else {})


def _metric(raw: Sequence[_Raw], wanted: str | None, path: Path) -> str:
    metrics = dict.fromkeys(
        name for run in raw for step in (*run.steps.values(), run.absolute) for name in step if name not in _NO_METRICS
    )
    if wanted is not None and wanted not in metrics:
        raise ImportFormatError(f"{path}: --metric {wanted!r} is not in it.{did_you_mean(wanted, metrics)}")
    if wanted is None and len(metrics) != 1:
        found = f"the metrics {several([repr(name) for name in metrics], 10)}" if metrics else "no metric"
        raise ImportFormatError(f"{path}: found {found}, and one is audited. Name it: --metric NAME.")
    return wanted or next(iter(metrics))


def _run(raw: _Raw, metric: str, bare: bool) -> Run:
    environment, task, agent, label = raw.names
    found = _SEED.fullmatch(label)
    seed: SeedLabel = int(found[1]) if found else label
    steps, returns = _curve(raw, metric)
    final = np.array(raw.episodes(_ABSOLUTE, metric), np.float64)
    label_of_task = task if bare else f"{environment}/{task}"
    if len(steps):
        return Run(agent, label_of_task, seed, raw.place, "evaluations", steps, returns, final)
    return Run(agent, label_of_task, seed, raw.place, "score", final=final)


def _curve(raw: _Raw, metric: str) -> tuple[Ints, Floats]:
    """Steps (n_points,) and returns (n_points, n_episodes), filled up with NaN."""
    at = {key: _count(step, raw.place, "/", key) for key, step in raw.steps.items()}
    order = sorted(at, key=at.__getitem__)
    steps = np.array([at[key] for key in order], np.int64)
    if twice := np.flatnonzero(np.diff(steps) == 0).tolist():
        one, other = order[twice[0]], order[twice[0] + 1]
        raise ImportFormatError(f"{raw.place}: {one} and {other} have the same {_COUNT}, {steps[twice[0]]:,}.")
    found = [raw.episodes(key, metric) for key in order]
    width = max(map(len, found), default=1) or 1
    filled = [[*episodes, *[None] * (width - len(episodes))] for episodes in found]
    return steps, np.array(filled, np.float64).reshape(len(found), width)


def _count(step: dict[str, Any], *place: str) -> int:
    if _COUNT not in step:
        raise ImportFormatError(f"{''.join(place)}: no {_COUNT}.")
    count = of_json(step[_COUNT], *place, "/", _COUNT)
    if not (count.is_integer() and 0 <= count < 2**53):
        raise ImportFormatError(f"{''.join(place)}/{_COUNT}: found {count:g}, expected a whole number from 0.")
    return int(count)


def _notes(metric: str, finished: Sequence[bool]) -> Iterator[ReadNote]:
    end = "absolute_metrics, the evaluation after training" if any(finished) else "the last evaluation of each run"
    yield ReadNote("rule", f"metric {metric!r}; the final score is that of {end}")
    if any(finished) and not all(finished):
        n = len(finished) - sum(finished)
        have = "has no absolute_metrics, and counts" if n == 1 else "have no absolute_metrics, and count"
        yield ReadNote("warning", f"{n} of {len(finished)} runs {have} as failed")
