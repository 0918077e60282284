"""Quantities that trainers log, by their names in TensorBoard and Weights & Biases: which is read, and as what."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers.nouns import Hints, Run, Sort
from rlaudit.importers.run_names import FullName, RunName
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints
from rlaudit.wording import several

_MAX_NAME = 200  # characters of a label
FAR = 1e100  # as in tables: statistics square scores
_SMOOTHED = "smoothed by the trainer; the score is the last point"


class Quantity(NamedTuple):
    """What the numbers are, and how a note says it."""

    sort: Sort
    what: str


# In the order in which they are taken: evaluations say what an agent learned, training episodes explore besides.
QUANTITIES: Mapping[str, Quantity] = {
    "eval/mean_reward": Quantity("evaluations", "evaluations during training; the score is the last one"),
    "charts/episodic_return": Quantity("training", "single training episodes"),
    "charts/episode_reward": Quantity("training", "single training episodes"),
    "rollout/ep_rew_mean": Quantity("evaluations", f"means of the last 100 training episodes, {_SMOOTHED}"),
    "charts/avg_episodic_return": Quantity("evaluations", f"means of the last training episodes, {_SMOOTHED}"),
    "eval/episodic_return": Quantity("score", "episodes after training, whose mean is the score"),
}
PARAMETERS = {"agent": ("exp_name",), "task": ("env_id", "gym_id"), "seed": ("seed",)}  # ours -> CleanRL's arguments
_LIKE_A_RETURN = re.compile(r"return|reward|rew_|score|success", re.IGNORECASE)


def chosen(held: Sequence[tuple[str, Collection[str]]], asked: str | None, place: str) -> str:
    """The quantity to read, of runs that are `held` as (agent, names of its quantities).

    The one that is `asked` for; else the first of QUANTITIES that some run of every agent has, so that no agent is
    judged by another quantity than the rest. Raises ImportFormatError where there is none.
    """
    counts = Counter(name for _, names in held for name in names)
    if asked is not None:
        if asked not in counts:
            raise ImportFormatError(f"{place}: no {asked!r} in it.{did_you_mean(asked, _by_likeness(counts)[:10])}")
        return asked
    agents = {agent for agent, names in held if names}
    for name in QUANTITIES:
        if counts[name] and agents == {agent for agent, names in held if name in names}:
            return name
    listed = several([f"{name!r} (in {counts[name]} of {len(held)} runs)" for name in _by_likeness(counts)], 10)
    known = "no quantity that is known stands in the runs of every agent" if counts else "no number in it"
    found = f" Found {listed}. Name one: --metric NAME." if counts else ""
    raise ImportFormatError(f"{place}: {known}.{found}")


def _by_likeness(counts: Counter[str]) -> list[str]:
    """The likely ones first, then the frequent ones."""
    return sorted(counts, key=lambda name: (_LIKE_A_RETURN.search(name) is None, -counts[name], name))


def reading_note(name: str, quantity: Quantity, held: Sequence[tuple[str, Collection[str]]]) -> ReadNote:
    """Which quantity was read, as what, and which others could have been."""
    counts = Counter(other for _, names in held for other in names if other != name)
    others = [
        f"{other!r} (in {counts[other]} of {len(held)} runs)"
        for other in _by_likeness(counts)
        if _LIKE_A_RETURN.search(other)
    ]
    also = f". Also there: {several(others)} (--metric)" if others else ""
    return ReadNote("rule", f"{name!r} was read, as {quantity.what}{also}")


def quantity_of(name: str, steps: Sequence[Ints]) -> Quantity:
    """By its name, else by its `steps`, an array for each run: several numbers at one step are training episodes."""
    if name in QUANTITIES:
        return QUANTITIES[name]
    if any((np.diff(of_run) == 0).any() for of_run in steps):
        return Quantity("training", "single training episodes, since several of them stand at one step")
    return Quantity("evaluations", "evaluations: the score is the last point")


# ---------------------------------------------------------------- runs


def stated(parameters: Mapping[str, str]) -> RunName:
    """Agent, task and seed as the logged arguments of a run have them."""
    agent, task, seed = (
        next((parameters[name].strip() for name in PARAMETERS[ours] if parameters.get(name)), "")[:_MAX_NAME]
        for ours in ("agent", "task", "seed")
    )
    return RunName(agent or None, task or None, int(seed) if re.fullmatch(r"[0-9]{1,18}", seed) else None)


def joined(name: RunName, stated: RunName, hints: Hints) -> RunName:
    """What the user says of a run, else what its arguments say, else what its name says."""
    said = {field for field in PARAMETERS if f"{{{field}}}" in (hints.names or "") or getattr(hints, field, None)}
    fields = {field: getattr(stated, field) for field in PARAMETERS if field not in said}
    return name._replace(**{field: value for field, value in fields.items() if value is not None})


class Points(NamedTuple):
    """The numbers of one run, in the order in which they count."""

    steps: Ints  # (n_points,) never falling
    values: Floats  # (n_points,)
    seconds: Floats  # (n_points,) since the start, or empty


def credible(points: Points) -> NDArray[np.bool_]:
    """(n_points,): numbers whose squares are numbers, too, at steps from 0 up."""
    return (np.abs(points.values) < FAR) & (points.steps >= 0)


def doubtful_points(runs: Sequence[Run], points: Sequence[Points]) -> Iterator[ReadNote]:
    """How many points were left out, and where."""
    doubtful = {run.place: n for run, of_run in zip(runs, points, strict=True) if (n := int((~credible(of_run)).sum()))}
    if doubtful:
        text = f"{sum(doubtful.values()):,} points that are no numbers (NaN or infinite), or below step 0"
        yield ReadNote("left_out", f"{text}, in {several(list(doubtful), 3)}")


def run_of(name: FullName, place: str, quantity: str, kind: Quantity, points: Points) -> Run:
    """A run with the points that can be believed; failed where it has none, or where its last number is none.

    Of several evaluations at one step the last is kept. Raises ImportFormatError where the points have no steps.
    """
    steps, values, seconds = points
    good = credible(points)
    alone = kind.sort == "evaluations" and good.sum() == 1  # one before training, say
    if good.any() and kind.sort != "score" and not steps[good].any() and not alone:
        raise ImportFormatError(
            f"{place}: every point of {quantity!r} stands at step 0; they were logged without timesteps."
        )
    error = None if len(steps) else f"no point of {quantity!r}"
    if len(steps) and not good[-1]:
        error = f"{quantity} is {values[-1]:g} at step {steps[-1]:,}, its last"
    kept = np.flatnonzero(good)
    if kind.sort == "evaluations":
        kept = kept[np.append(np.diff(steps[kept]) != 0, True)[: len(kept)]]
    curve = kind.sort != "score"
    return Run(
        agent=name.agent,
        task=name.task or "",
        seed=name.seed,
        place=place,
        sort=kind.sort,
        steps=steps[kept] if curve else np.empty(0, np.int64),
        returns=values[kept][:, None] if curve else np.empty((0, 1)),
        final=np.empty(0) if curve else values[kept],
        seconds=seconds[kept] if curve and len(seconds) else np.empty(0),
        error=error,
    )
