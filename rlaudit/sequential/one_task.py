"""The looks at the agents of one task, in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from rlaudit.results.sequential import LookState, PairLook
from rlaudit.sequential.betting import Betting
from rlaudit.sequential.design import Design
from rlaudit.sequential.family import Family
from rlaudit.sequential.futility import chance_of_winner
from rlaudit.sequential.limits import limits
from rlaudit.sequential.permuted import Permuted
from rlaudit.types import ArmScores, Floats

TESTS: dict[str, type[Permuted] | type[Betting]] = {"group_sequential": Permuted, "anytime": Betting}
_FIRST_FUTILE = 2  # the look from which on a pair may be given up


class Arm:
    """An agent's scores as the design wants them: complete batches, up to the first that is not; NaN: failed."""

    def __init__(self, arm: ArmScores, design: Design) -> None:
        self.agent, self.task = arm.agent, arm.task
        scores: Mapping[object, float] = dict(zip(arm.seeds, arm.scores.tolist(), strict=True))
        done = scores.keys() | set(arm.failed)
        self.batches: list[Floats] = []
        for seeds in design.batches:
            if not done >= set(seeds):
                break
            self.batches.append(np.array([scores.get(seed, np.nan) for seed in seeds]))
        there = [np.isfinite(batch) for batch in self.batches]
        sums = [np.where(known, batch, 0).sum() for batch, known in zip(self.batches, there, strict=True)]
        self.n = np.cumsum([known.sum() for known in there]).tolist()  # scores by each look,
        self.sums = np.cumsum(sums).tolist()  # and their sum


def looks_at(
    arms: Sequence[Arm], design: Design, level: float, higher_is_better: bool, detail: bool
) -> tuple[list[tuple[PairLook, ...]], tuple[Arm, ...]]:
    """Each complete look at the pairs that were open before it, and the arms that go on. Level: of this task."""
    pairs = [_Pair(a, b, design, level, higher_is_better) for a, b in combinations(arms, 2)]
    family = Family(len(arms), TESTS[design.kind].merge)
    strengths, still_open = np.zeros(len(pairs)), list(range(len(pairs)))
    looks: list[tuple[PairLook, ...]] = []
    for look in range(len(design.batches)):
        playing = tuple(arm for arm in arms if any(arm in (pairs[i].a, pairs[i].b) for i in still_open))
        if any(len(arm.batches) <= look for arm in playing) or not playing:
            return looks, playing
        found = {i: pairs[i].test.strengths(look, family.sizes, detail) for i in still_open}
        strengths = _add(family, strengths, found)
        scores, n_sharing = family.scores.tolist(), family.needed().tolist()
        seen = [pairs[i].seen(look, scores[i], n_sharing[i]) for i in still_open]
        if detail:
            seen = [pairs[i].detailed(x, look, scores[i], len(pairs)) for i, x in zip(still_open, seen, strict=True)]
        looks.append(tuple(seen))
        still_open = [i for i, x in zip(still_open, seen, strict=True) if x.state is LookState.OPEN]
    return looks, ()


def _add(family: Family, before: Floats, found: Mapping[int, Floats]) -> Floats:
    """Tells the family what a look has found about its open pairs, step by step; pairs that are settled stay."""
    rows = np.tile(before, (max(map(len, found.values())), 1))
    for i, strengths in found.items():
        rows[:, i] = strengths
    family.add(rows)
    last: Floats = rows[-1]
    return last


@dataclass(frozen=True, eq=False)
class _Pair:
    a: Arm
    b: Arm
    design: Design
    level: float  # of its task
    higher_is_better: bool

    @cached_property
    def batches(self) -> list[tuple[Floats, Floats]]:
        return list(zip(self.a.batches, self.b.batches, strict=False))

    @cached_property
    def test(self) -> Permuted | Betting:
        return TESTS[self.design.kind](self.batches, self.level, self.design.shares)

    def seen(self, look: int, score: float, n_sharing: int) -> PairLook:
        """What counts. Score: from 1 on the pair is told apart; n_sharing: among how many its level is shared now."""
        n_a, n_b = self.a.n[look], self.b.n[look]
        state, chance = self._state(look, score), None
        futility = self.design.futility
        if state is LookState.OPEN and futility is not None:
            chance = self._chance(look, n_sharing)
            if chance < futility and look + 1 >= _FIRST_FUTILE:
                state = LookState.FUTILE
        return PairLook(
            agent_a=self.a.agent,
            agent_b=self.b.agent,
            task=self.a.task,
            n_a=n_a,
            n_b=n_b,
            effect=self.a.sums[look] / n_a - self.b.sums[look] / n_b if n_a and n_b else None,
            low=None,
            high=None,
            p_value=None,
            e_value=None,
            chance=chance,
            state=state,
        )

    def _state(self, look: int, score: float) -> LookState:
        if score >= 1:
            a_better = (self.test.side(look) > 0) == self.higher_is_better
            return LookState.A_BETTER if a_better else LookState.B_BETTER
        return LookState.UNDECIDED if look + 1 == len(self.design.batches) else LookState.OPEN

    def _chance(self, look: int, n_sharing: int) -> float:
        """Of crossing at a later look, where so many pairs share the level."""
        bounds = self.test.bounds(self.level / n_sharing, self.design.shares)
        return chance_of_winner(self.test.z(look), look, bounds)

    def detailed(self, seen: PairLook, look: int, score: float, n_pairs: int) -> PairLook:
        """With p-value or e-value, and interval."""
        told_apart = seen.state in (LookState.A_BETTER, LookState.B_BETTER)
        low, high = self._limits(look, n_pairs, told_apart)
        if self.design.kind == "anytime":
            return replace(seen, low=low, high=high, e_value=score / self.design.alpha)
        return replace(seen, low=low, high=high, p_value=min(1.0, self.design.alpha / score))

    def _limits(self, look: int, n_pairs: int, told_apart: bool) -> tuple[float | None, float | None]:
        """Those at the level that each pair of the family has on its own (Bonferroni), made to agree with the verdict.

        So the intervals of all pairs hold together. Closed testing may tell a pair apart before its interval does:
        then the interval ends at 0, which is not in it.
        """
        test, level, shares = TESTS[self.design.kind], self.level / n_pairs, self.design.shares
        low, high = limits(self.batches[: look + 1], lambda shifted: test(shifted, level, shares).side(look))
        if not told_apart:
            return low if low is None else min(low, 0.0), high if high is None else max(high, 0.0)
        if self.test.side(look) > 0:
            return max(low or 0.0, 0.0), high
        return low, min(high or 0.0, 0.0)
