"""Records to one number per seed.

* `final`: mean return of the evaluation after training.
* `auc`: area under the evaluation curve by the trapezoid rule, divided by the steps that it spans. In units of the
  return: its mean over training, from the run's first evaluation to its last.
* `best`: mean return of the best single evaluation. Optimistic, the more so the more evaluations there are.

Scores of a task that agree to 1e-10 of their size are one score (see `rounding`): what is left is rounding.

Learning curves of an agent lie on the evaluation steps of its longest run. Runs evaluated at other steps are
interpolated linearly between their own evaluations, and are NaN before the first and after the last of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rlaudit import importers
from rlaudit.errors import ConfigError, ImportFormatError, did_you_mean
from rlaudit.importers import Hints, tables, tidy
from rlaudit.importers.cells import RawTable
from rlaudit.results import Twins
from rlaudit.rounding import TOLERANCE, settled
from rlaudit.types import IMPORTED, ArmCurves, ArmEpisodes, ArmScores, Floats, RunRecord, ScoreTable, SeedLabel

if TYPE_CHECKING:
    import pandas as pd

_VARIED = 3  # different returns from which on equal ones are no accident
Score = Callable[[RunRecord, bool], float]  # (record, higher_is_better)


def score_table(records: Iterable[RunRecord], metric: str = "final", higher_is_better: bool = True) -> ScoreTable:
    """One number per seed and the curves behind it; agents and tasks in order of appearance, seeds in natural order.

    Failed runs, and runs whose score is not finite, are listed as failed. Raises ImportFormatError where the records
    do not hold what the metric needs.
    """
    if metric not in SCORES:
        raise ConfigError(f"{metric!r} is not a score.{did_you_mean(metric, SCORES)}")
    runs: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        runs.setdefault((record.spec.agent, record.spec.task_label), []).append(record)
    for arm in runs.values():
        arm.sort(key=lambda record: seed_order(record.spec.seed))
        _refuse_twice(arm)
    scored = [_arm_scores(arm, metric, higher_is_better) for arm in runs.values()]
    curves = [_arm_curves(arm, scores) for arm, scores in zip(runs.values(), scored, strict=True)]
    episodes = [_arm_episodes(arm, scores) for arm, scores in zip(runs.values(), scored, strict=True)]
    name = "score" if metric == "final" and all(map(_is_bare, chain(*runs.values()))) else metric
    table = ScoreTable(
        name, tuple(scored), higher_is_better, tuple(filter(None, curves)), tuple(filter(None, episodes))
    )
    return without_rounding(table)


def without_rounding(table: ScoreTable) -> ScoreTable:
    """The same table, in which no scores of a task, and no runs at one point of a curve, differ by rounding alone."""
    scores = _settled(table.arms, [arm.scores for arm in table.arms])
    returns = _settled(table.episodes, [arm.returns for arm in table.episodes])
    return replace(
        table,
        arms=tuple(replace(arm, scores=one) for arm, one in zip(table.arms, scores, strict=True)),
        episodes=tuple(replace(arm, returns=one) for arm, one in zip(table.episodes, returns, strict=True)),
        curves=tuple(replace(arm, values=_settled_points(arm.values)) for arm in table.curves),
    )


def from_mapping(scores: Mapping[Any, Any], higher_is_better: bool = True) -> ScoreTable:
    """From {agent: scores} or {(agent, task): scores}, one number per seed; seeds are called 0, 1, 2, ..."""
    cells = [cell for key, values in scores.items() for cell in _cells(key, values)]
    if not cells:
        raise ImportFormatError("scores: nothing in it. Give {agent: scores} with one number per seed.")
    keys, agents, names, seeds, values = zip(*cells, strict=True)

    def place(row: int) -> str:
        return f"scores[{keys[row]!r}][{seeds[row]}]"

    raw = RawTable("scores", ("agent", "task", "seed", "score"), (agents, names, seeds, values), place, "scores")
    return score_table(importers.read_found(tidy.found(raw), "scores", "tidy").records, "final", higher_is_better)


def from_frame(
    frame: "pd.DataFrame", metric: str = "final", higher_is_better: bool = True, hints: Hints = Hints()
) -> ScoreTable:
    """From a tidy DataFrame, checked like a CSV; errors call rows by their index."""
    found = tidy.found(tables.frame_table(frame), hints)
    return score_table(importers.read_found(found, "DataFrame", "tidy", hints).records, metric, higher_is_better)


def seed_order(seed: SeedLabel) -> tuple[int, int, list[tuple[int, str]]]:
    """Numbers by size, then names with the numbers in them by size: run_2 before run_10."""
    if isinstance(seed, int):
        return 0, seed, []
    parts = re.split(r"(\d+)", seed)
    return 1, 0, [(len(digits), digits) if digits else (-1, part) for part in parts for digits in [_digits(part)]]


def _digits(text: str) -> str:
    """Without leading zeros: of two numbers the longer is the larger. int() refuses more than 4,300 digits."""
    return (text.lstrip("0") or "0") if text.isdecimal() else ""


def twins(records: Iterable[RunRecord]) -> tuple[Twins, ...]:
    """Seeds of one agent that gave the same run to the bit: the same weights, or without weights the same returns.

    An agent that always reaches the maximum is no twin of another: at least three different returns. Runs of somebody
    else's are looked over where they are imported.
    """
    alike: dict[tuple[str, str, object], list[SeedLabel]] = {}
    for record in records:
        if record.status == "done" and record.spec.backend != IMPORTED and (run := _fingerprint(record)):
            alike.setdefault((record.spec.agent, record.spec.task_label, run), []).append(record.spec.seed)
    return tuple(Twins(agent, task, tuple(seeds)) for (agent, task, _), seeds in alike.items() if len(seeds) > 1)


def _fingerprint(record: RunRecord) -> object:
    if record.weights_sha256:
        return record.weights_sha256
    returns = np.concatenate([record.eval_returns.ravel(), record.episodes.returns, record.final_returns])
    return returns.tobytes() if len(np.unique(returns)) >= _VARIED else None


# ---------------------------------------------------------------- one run


def _final(record: RunRecord, higher_is_better: bool) -> float:
    return float(_needs(record, record.final_returns, 1, "a final evaluation").mean())


def _auc(record: RunRecord, higher_is_better: bool) -> float:
    steps = _needs(record, record.eval_steps, 2, "a learning curve of two evaluations or more")
    curve = _curve(record)
    return float(np.diff(steps) @ (curve[1:] + curve[:-1]) / 2 / (steps[-1] - steps[0]))


def _best(record: RunRecord, higher_is_better: bool) -> float:
    _needs(record, record.eval_steps, 1, "a learning curve")
    return float(_curve(record).max() if higher_is_better else _curve(record).min())


SCORES: dict[str, Score] = {"final": _final, "auc": _auc, "best": _best}


def _curve(record: RunRecord) -> Floats:
    """(n_evals,) mean return of each evaluation; NaN stands for an episode that another evaluation has more."""
    there = ~np.isnan(record.eval_returns)
    with np.errstate(invalid="ignore"):  # an evaluation without any episode has no mean
        means: Floats = np.where(there, record.eval_returns, 0.0).sum(axis=1) / there.sum(axis=1)
    return means


def _needs(record: RunRecord, values: Any, at_least: int, what: str) -> Any:
    if len(values) >= at_least:
        return values
    source = record.provenance.get("source", "the results")
    raise ImportFormatError(
        f"{source}: {_name(record)} has {len(values)} of what this score needs, {what}. "
        "Score 'final' needs one number per seed; 'auc' and 'best' need learning curves (columns step and value)."
    )


def _name(record: RunRecord) -> str:
    task = f" on {record.spec.task_label!r}" if record.spec.task_label else ""
    return f"seed {record.spec.seed!r} of agent {record.spec.agent!r}{task}"


def _is_bare(record: RunRecord) -> bool:
    """A number from somebody's table: nobody said that it is the return after training."""
    return record.spec.backend == IMPORTED and not len(record.eval_steps)


# ---------------------------------------------------------------- one agent on one task


def _refuse_twice(arm: Sequence[RunRecord]) -> None:
    for record, following in pairwise(arm):
        if record.spec.seed == following.spec.seed:
            raise ImportFormatError(f"{_name(record)} is there twice. Keep one of the two.")


def _arm_scores(arm: Sequence[RunRecord], metric: str, higher_is_better: bool) -> ArmScores:
    scores = {}
    failed = []
    for record in arm:
        score = SCORES[metric](record, higher_is_better) if record.status == "done" else np.nan
        if np.isfinite(score):
            scores[record.spec.seed] = score
        else:
            failed.append(record.spec.seed)
    spec = arm[0].spec
    return ArmScores(spec.agent, spec.task_label, tuple(scores), np.array(list(scores.values())), tuple(failed))


def _with_score(arm: Sequence[RunRecord], scored: ArmScores) -> list[RunRecord]:
    seeds = set(scored.seeds)
    return [record for record in arm if record.spec.seed in seeds]


def _arm_curves(arm: Sequence[RunRecord], scored: ArmScores) -> ArmCurves | None:
    """The curves of the runs that have a score; None where there are none."""
    runs = [record for record in _with_score(arm, scored) if len(record.eval_steps)]
    if not runs:
        return None
    steps = max(runs, key=lambda record: (record.eval_steps[-1], -len(record.eval_steps))).eval_steps
    values = np.array([_aligned(record, steps) for record in runs])
    return ArmCurves(scored.agent, scored.task, tuple(record.spec.seed for record in runs), steps, values)


def _arm_episodes(arm: Sequence[RunRecord], scored: ArmScores) -> ArmEpisodes | None:
    """The final episodes of the runs that have a score; None where no run has two of them."""
    runs = _with_score(arm, scored)
    longest = max((len(record.final_returns) for record in runs), default=0)
    if longest < 2:
        return None
    returns = np.full((len(runs), longest), np.nan)
    for row, record in zip(returns, runs, strict=True):
        row[: len(record.final_returns)] = record.final_returns
    return ArmEpisodes(scored.agent, scored.task, tuple(record.spec.seed for record in runs), returns)


def _aligned(record: RunRecord, steps: Any) -> Floats:
    if np.array_equal(record.eval_steps, steps):
        return _curve(record)
    values: Floats = np.interp(steps, record.eval_steps, _curve(record), left=np.nan, right=np.nan)
    return values


# ---------------------------------------------------------------- rounding


def _settled(arms: Sequence[ArmScores | ArmEpisodes], arrays: Sequence[Floats]) -> list[Floats]:
    """The array of each arm, settled with those of all agents on its task."""
    found = list(arrays)
    for task in {arm.task for arm in arms}:
        places = [place for place, arm in enumerate(arms) if arm.task == task]
        for place, array in zip(places, settled(*(arrays[place] for place in places)), strict=True):
            found[place] = array
    return found


def _settled_points(values: Floats) -> Floats:
    """Point by point of the curves (n_seeds, n_points); nearly all of them have nothing to settle."""
    ordered = np.sort(values, axis=0)
    gaps = np.diff(ordered, axis=0)
    doubtful = ((gaps > 0) & (gaps <= TOLERANCE * np.abs(ordered[1:]) + TOLERANCE * np.abs(ordered[:-1]))).any(axis=0)
    if doubtful.any():
        values = values.copy()
        values[:, doubtful] = np.stack([settled(column)[0] for column in values[:, doubtful].T], axis=1)
    return values


# ---------------------------------------------------------------- arrays


def _cells(key: Any, values: Any) -> list[tuple[Any, str, str, int, Any]]:
    """(key, agent, task, seed, score) for every score of one agent."""
    agent, task = key if isinstance(key, tuple) and len(key) == 2 else (key, "")
    cells = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(cells, (str, Mapping)) or not isinstance(cells, Iterable):
        raise ImportFormatError(f"scores[{key!r}]: found {values!r}, expected a list or array with a number per seed.")
    cells = list(cells)
    if cells and any(isinstance(cell, (list, tuple)) or np.ndim(cell) for cell in cells):
        raise ImportFormatError(
            f"scores[{key!r}] has more than one axis, and nothing says which one is the seeds. Give one number per "
            "seed: average the episodes of a seed first."
        )
    if not cells:
        raise ImportFormatError(f"scores[{key!r}] is empty. Give one number per seed, or leave the agent out.")
    return [(key, agent, task, seed, cell) for seed, cell in enumerate(cells)]
