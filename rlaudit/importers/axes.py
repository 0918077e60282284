"""The axes of arrays: named by the user, never guessed.

Whatever their order, they become (n_seeds, n_tasks, n_points, n_episodes), with 1 for an axis that is not there.
"""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import ImportFormatError, did_you_mean
from rlaudit.importers import swapped
from rlaudit.importers.nouns import Run
from rlaudit.results import ReadNote
from rlaudit.types import Floats, Ints, SeedLabel

AXES = ("seed", "task", "step", "episode")
_COUNTED = {
    "seed": ("seed", "seeds"),
    "task": ("task", "tasks"),
    "step": ("point", "points"),
    "episode": ("episode", "episodes"),
}  # one, and more
_WAYS = {  # those that a bare array is shown
    1: (("seed",),),
    2: (("seed", "step"), ("step", "seed")),
    3: (("seed", "step", "episode"), ("seed", "task", "step")),
    4: (("seed", "task", "step", "episode"),),
}


class Named(NamedTuple):
    """An array whose axes are known."""

    values: Floats  # (n_seeds, n_tasks, n_points, n_episodes)
    axes: tuple[str, ...]  # as they stood in the file

    @property
    def text(self) -> str:
        """`400 points x 193 seeds`."""
        return _counted(self.axes, tuple(self.values.shape[AXES.index(axis)] for axis in self.axes))


def named(array: NDArray[Any], axes: Sequence[str], place: str, source: object) -> Named:
    """`array` with its axes in our order; `source` is the file that a command would name.

    Raises ImportFormatError without axes, or where they are not those of the array.
    """
    if array.dtype.kind not in "biuf":
        raise ImportFormatError(f"{place}: found an array of text, expected numbers.")
    if not array.size:
        raise ImportFormatError(f"{place}: an array of {by(array.shape)}, with nothing in it.")
    if not axes:
        raise _bare(array.squeeze().shape, place, source)
    check(axes)
    if array.ndim != len(axes):
        array = array.squeeze()
    if array.ndim != len(axes):
        raise ImportFormatError(
            f"{place}: --axes {','.join(axes)} names {len(axes)}, and the array has {array.ndim} ({by(array.shape)})."
        )
    order = [axes.index(name) for name in AXES if name in axes]
    shape = [array.shape[axes.index(name)] if name in axes else 1 for name in AXES]
    return Named(array.transpose(order).reshape(shape).astype(np.float64), tuple(axes))


def check(axes: Sequence[str]) -> None:
    """Raises ImportFormatError for a name that is no axis, or stands there twice."""
    for name in axes:
        if name not in AXES:
            raise ImportFormatError(f"--axes {','.join(axes)}: {name!r} is no axis.{did_you_mean(name, AXES)}")
        if axes.count(name) > 1:
            raise ImportFormatError(f"--axes {','.join(axes)}: {name!r} stands there twice.")


def _bare(shape: tuple[int, ...], place: str, source: object) -> ImportFormatError:
    commands = [
        f"  rlaudit audit {quote(str(source))} --axes {','.join(axes)}  ({_counted(axes, shape)})"
        for axes in _WAYS.get(len(shape), ())
    ]
    if str(source).endswith(".npz") and len(shape) in (2, 3):
        commands.append(f"  rlaudit audit {quote(str(source))} --format rliable  (algorithm -> runs x tasks)")
    if len(shape) == 1:
        what = "what they are. If each is the score of a seed"
        end = "The evaluations, or the episodes, of one run are one seed and no sample."
    else:
        what, end = "which axis is the seeds. Say it", "Axes are seed, step, task, episode, in the order of the file."
    return ImportFormatError("\n".join([f"{place}: {by(shape)} numbers, and nothing says {what}:", *commands, end]))


def by(shape: tuple[int, ...]) -> str:
    """`193 x 400`."""
    return " x ".join(map(str, shape)) or "1"


def _counted(axes: Sequence[str], shape: Sequence[int]) -> str:
    return ", ".join(f"{n} {_COUNTED[axis][n != 1]}" for axis, n in zip(axes, shape, strict=True))


def timesteps(found: Named, every: int | None, place: str) -> tuple[Ints, list[ReadNote]]:
    """(n_points,), the first after `every` steps; numbered, with a note, where nobody says how far apart they are."""
    n_points = found.values.shape[2]
    steps = np.arange(1, n_points + 1)
    if every is not None or "step" not in found.axes:
        return times(steps, every or 1), []
    text = f"{place}: points carry no timesteps and are numbered 1 to {n_points} (--every says what lies between them)"
    return steps, [ReadNote("rule", text)]


def times(points: Ints, every: int) -> Ints:
    """Points as timesteps. Raises ImportFormatError beyond 2**62."""
    if int(points.max(initial=0)) * every >= 2**62:
        raise ImportFormatError(f"--every {every}: {points.max():,} points of so many steps are beyond all counting.")
    return points * every


def runs(
    found: Named, agent: str, tasks: Sequence[str], seeds: Sequence[SeedLabel], steps: Ints, place: str
) -> Iterator[Run]:
    """A run per seed and task; NaN as it is. `steps` (n_points,) count where there is an axis of them."""
    for column, task in enumerate(tasks):
        for row, seed in enumerate(seeds):
            values = found.values[row, column]
            if "step" in found.axes:
                yield Run(agent, task, seed, place, "evaluations", steps, values)
            else:
                yield Run(agent, task, seed, place, "score", final=values[0])


def warning(found: Named, place: str) -> Iterator[ReadNote]:
    """A note where the names of two axes look swapped."""
    means = found.values.mean(axis=3)  # (n_seeds, n_tasks, n_points)
    for other, looks, alike in (
        ("step", swapped.curves(means[:, 0]), "follow each other like the points of a curve"),
        ("task", swapped.tasks(means[:, :, -1]), "lie apart like tasks"),
    ):
        if looks and {"seed", other} <= set(found.axes):
            turned = ",".join({"seed": other, other: "seed"}.get(axis, axis) for axis in found.axes)
            text = f"its seeds {alike}, and its {_COUNTED[other][1]} do not"
            yield ReadNote("warning", f"{place}: are the axes swapped? As named, {text}. If so: --axes {turned}")
