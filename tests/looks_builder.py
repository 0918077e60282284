"""Looks without their statistics: a rule that is simple enough to be foreseen, and audits made with it."""

from collections.abc import Sequence
from itertools import combinations
from math import isnan

import numpy as np

from rlaudit.results import Look, LookState, PairLook
from rlaudit.sequential import Decision, Design
from rlaudit.types import ArmScores, ScoreTable

GAP = 100.0  # between two means that are told apart


def fake_next_look(table: ScoreTable, design: Design) -> Decision:
    """A pair is told apart where its means differ by `GAP`; it is given up where they are equal."""
    open_pairs = [(a, b) for task in table.tasks for a, b in combinations(_on(table, task), 2)]
    looks: list[Look] = []
    for number in range(1, len(design.seeds) // design.batch + 1):
        seeds = design.seeds[: number * design.batch]
        arms = [arm for pair in open_pairs for arm in pair]
        if not open_pairs:
            return Decision(tuple(looks), ())
        if any({*seeds} - {*arm.seeds, *arm.failed} for arm in arms):
            wanted = dict.fromkeys((arm.agent, arm.task, len(seeds)) for arm in arms)
            return Decision(tuple(looks), tuple(wanted))
        last = len(seeds) == len(design.seeds)
        seen = [_look(a, b, seeds, design, table.higher_is_better, last) for a, b in open_pairs]
        looks.append(Look(number, tuple(seen)))
        open_pairs = [pair for pair, one in zip(open_pairs, seen, strict=True) if one.state == LookState.OPEN]
    return Decision(tuple(looks), ())


def _on(table: ScoreTable, task: str) -> list[ArmScores]:
    return [arm for arm in table.arms if arm.task == task]


def _look(a: ArmScores, b: ArmScores, seeds: Sequence[int], design: Design, higher: bool, last: bool) -> PairLook:
    x, y = ([score for seed, score in zip(arm.seeds, arm.scores, strict=True) if seed in seeds] for arm in (a, b))
    effect = float(np.mean(x) - np.mean(y)) if x and y else float("nan")
    state = LookState.UNDECIDED if last else LookState.OPEN
    if effect == 0 and design.futility:
        state = LookState.FUTILE
    if abs(effect) >= GAP:
        state = LookState.A_BETTER if (effect > 0) == higher else LookState.B_BETTER
    anytime = design.kind == "anytime"
    known = not isnan(effect)
    p = 0.5 if state in (LookState.OPEN, LookState.UNDECIDED, LookState.FUTILE) else 0.004
    return PairLook(
        agent_a=a.agent, agent_b=b.agent, task=a.task, n_a=len(x), n_b=len(y),
        effect=effect if known else None, low=effect - 90 if known else None, high=effect + 90 if known else None,
        p_value=None if anytime else p, e_value=1 / p if anytime else None,
        chance=0.03 if state == LookState.FUTILE else None, state=state,
    )  # fmt: skip
