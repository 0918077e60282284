"""marl-eval's JSON: environment -> task -> algorithm -> run -> step_1, step_2, ..., absolute_metrics.

All tasks stand in one environment, over which marl-eval aggregates; the only metric is "return", with a number for each
episode. Runs are called "seed_3", as marl-eval's own logger calls them, or by their label.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rlaudit.exporters import runs
from rlaudit.exporters.nouns import Exported
from rlaudit.results import ReadNote
from rlaudit.types import Floats, RunRecord, SeedLabel
from rlaudit.wording import on, several

ENVIRONMENT, METRIC = "environment", "return"


def to_json(records: Sequence[RunRecord]) -> Exported:
    """Raises ExportError for what marl-eval cannot load: failed runs, none without a curve, other numbers of runs."""
    found = runs.arms(records)
    troubles = [*_run_troubles(records), *_shape_troubles(found, records), *_label_troubles(records)]
    runs.refuse("marl-eval.json", troubles, _WAY_OUT)
    seeds = {frozenset(run.spec.seed for run in mine) for tasks in found.values() for mine in tasks.values()}
    by_seed = len(seeds) == 1  # the same everywhere
    text = _object({ENVIRONMENT: _object({
        task: _object({agent: _runs(tasks[task], by_seed) for agent, tasks in found.items()})
        for task in runs.tasks(records)
    })})  # fmt: skip
    return Exported(f"{text}\n".encode(), (*(() if by_seed else (_UNNAMED,)), *runs.left_behind(records)))


def _object(members: Mapping[str, str]) -> str:
    """JSON of members that are JSON already: 10,000 runs of 300 points as one object of Python would take 4 GB."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text}" for key, text in members.items()) + "\n}"


_UNNAMED = ReadNote(
    "left_out",
    "the seeds: they differ between agents or tasks, and marl-eval wants runs of the same names everywhere. Runs are "
    "called run_1, run_2, ...",
)
_WAY_OUT = (
    "marl-eval wants the same agents, numbers of runs and numbers of evaluations on every task, and a score for each. "
    "Train what is missing, leave an agent or a task out (--skip NAME), or write a tidy table, which holds everything: "
    "--to tidy.csv (there you may give a failed run the score that you think it deserves, and export that)"
)


def _runs(mine: Sequence[RunRecord], by_seed: bool) -> str:
    """A line for each run."""
    keys = [_seed_key(run.spec.seed) if by_seed else f"run_{i}" for i, run in enumerate(mine, 1)]
    return _object({key: json.dumps(_run(run), allow_nan=False) for key, run in zip(keys, mine, strict=True)})


def _seed_key(seed: SeedLabel) -> str:
    return f"seed_{seed}" if isinstance(seed, int) else seed


def _run(run: RunRecord) -> dict[str, Any]:
    points = {
        f"step_{i}": {"step_count": step, METRIC: _finite(returns)}
        for i, (step, returns) in enumerate(zip(run.eval_steps.tolist(), run.eval_returns, strict=True), 1)
    }
    return {**points, "absolute_metrics": {METRIC: _finite(run.final_returns)}}


def _finite(returns: Floats) -> list[float]:
    kept: list[float] = returns[np.isfinite(returns)].tolist()
    return kept


# ---------------------------------------------------------------- what it cannot hold


def _run_troubles(records: Sequence[RunRecord]) -> Iterator[str]:
    done = [record for record in records if runs.failure(record) is None]
    failed = [record for record in records if runs.failure(record) is not None]
    bare = [record for record in done if not len(record.eval_steps)]
    gaps = [record for record in done if (~np.isfinite(record.eval_returns)).all(axis=1).any()]
    for found, what in (
        (failed, "failed"),
        (bare, "no learning curve"),
        (gaps, "an evaluation without a finite number"),
    ):
        if found:
            yield f"{len(found)} of {len(records)} runs: {what} ({runs.names(found)})"


def _shape_troubles(found: runs.Arms, records: Sequence[RunRecord]) -> Iterator[str]:
    counts = {
        f"{agent}{on(task)}": len(mine.get(task, ())) for agent, mine in found.items() for task in runs.tasks(records)
    }
    if len(set(counts.values())) > 1:
        yield f"not as many runs everywhere: {several([f'{n} of {name}' for name, n in counts.items()], 5)}"
    points = Counter(len(record.eval_steps) for record in records if runs.failure(record) is None)
    if len(points) > 1:
        listed = several([f"{n:,} evaluations in {times} runs" for n, times in points.most_common()], 4)
        yield f"not as many evaluations everywhere: {listed}"


def _label_troubles(records: Sequence[RunRecord]) -> Iterator[str]:
    agents = dict.fromkeys(record.spec.agent for record in records)
    yield from (f"the comma in the name {agent!r}" for agent in agents if "," in agent)
    for kind, labels in (("agents", list(agents)), ("tasks", runs.tasks(records))):
        alike = Counter(label.lower() for label in labels)
        if twins := [label for label in labels if alike[label.lower()] > 1]:
            yield f"{kind} whose names differ in capitals only: {several(twins, 4)}"
    for seed in dict.fromkeys(record.spec.seed for record in records):
        if isinstance(seed, str) and runs.reads_as_number(seed.removeprefix("seed_")):
            yield f"seed {seed!r} would be read as another one"
