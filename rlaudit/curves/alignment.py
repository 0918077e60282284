"""Curves on common steps, and what is asked of them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.types import ArmCurves, Floats, Ints

Curves: TypeAlias = ArmCurves | ArrayLike  # (n_runs, n_points)

_LARGEST = 1e150  # its square is still a number


def align(a: ArmCurves, b: ArmCurves) -> tuple[ArmCurves, ArmCurves]:
    """Both agents on common steps: of the stretch that both cover, the steps of the agent evaluated less often there.

    Runs evaluated at other steps are interpolated linearly between their own evaluations, and are NaN before the
    first and after the last of them. A value between two evaluations is less noisy than an evaluation, so that curves
    from different grids are not quite exchangeable: evaluate both agents at the same steps where you can.
    """
    first, last = max(a.steps[0], b.steps[0]), min(a.steps[-1], b.steps[-1])
    steps = min((arm.steps[(arm.steps >= first) & (arm.steps <= last)] for arm in (a, b)), key=len)
    if not len(steps):
        raise RlauditError(f"{a.agent!r} and {b.agent!r} share no evaluated stretch of steps: nothing to compare")
    return _onto(a, steps), _onto(b, steps)


def _onto(arm: ArmCurves, steps: Ints) -> ArmCurves:
    values = np.full((len(arm.values), len(steps)), np.nan)
    for row, curve in zip(values, arm.values, strict=True):
        seen = ~np.isnan(curve)
        if seen.any():
            row[:] = np.interp(steps, arm.steps[seen], curve[seen], left=np.nan, right=np.nan)
    return ArmCurves(arm.agent, arm.task, arm.seeds, steps, values)


def one_agent(curves: Curves, name: str) -> tuple[Ints, Floats]:
    """Steps (n_points,) and values (n_runs, n_points), checked; a bare array is counted by position."""
    values = curves.values if isinstance(curves, ArmCurves) else np.asarray(curves, np.float64)
    if values.ndim != 2 or not values.size:
        raise NotEnoughSeeds(f"{name} has the shape {values.shape}: give one curve per run, (n_runs, n_points)")
    if np.abs(np.nan_to_num(values, posinf=np.inf, neginf=np.inf)).max() > _LARGEST:
        raise RlauditError(f"{name} has values beyond {_LARGEST:g}; a missing evaluation is NaN")
    return (curves.steps if isinstance(curves, ArmCurves) else np.arange(values.shape[1])), values


def two_agents(a: Curves, b: Curves) -> tuple[Ints, Floats, Floats]:
    """Common steps and the values of both."""
    if isinstance(a, ArmCurves) and isinstance(b, ArmCurves):
        a, b = align(a, b)
    (steps, x), (_, y) = one_agent(a, "a"), one_agent(b, "b")
    if x.shape[1] != y.shape[1]:
        raise RlauditError(
            f"a has {x.shape[1]} steps and b {y.shape[1]}: give both as ArmCurves, which know their steps"
        )
    return steps, x, y


def from_first(values: Floats) -> tuple[Floats, Floats]:
    """The first value at each step (n_points,), and all values measured from it: equal ones become 0 at any offset.

    NaN stays NaN, and so does a step without any value.
    """
    first = values[(~np.isnan(values)).argmax(axis=0), np.arange(values.shape[1])]
    return first, values - first
