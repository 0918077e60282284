"""Did a change make an agent worse by more than a margin that somebody named beforehand?

Three answers, from Welch's interval of mean(new) - mean(baseline) at level 1 - 2 alpha, each of its ends at alpha:

* ok: the whole interval lies above -margin (new is not inferior; Schuirmann's one-sided test),
* regression: the whole interval lies below -margin,
* inconclusive: -margin lies inside. Never read as ok.

If the true loss is exactly the margin, ok and regression are each said in at most alpha = .05 of cases: .046-.053 for
normal seeds, n = 5-20, sd 1 vs 3 (100,000 repeats). Like every t test it is off where the seeds are skewed *and* the
spreads differ: .086 for log-normal(.5), sd 1 vs 3, n = 20; .14 for log-normal(1); .22 at worst, with 15 v 5 seeds as
well. Hall's correction for skewness (1992) gives .069 and .12 in the first two, and more than Welch elsewhere (.08 for
log-normal(1) with equal spreads).
"""

from dataclasses import dataclass
from math import comb
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from rlaudit.comparisons import compare
from rlaudit.errors import NotEnoughSeeds, RlauditError
from rlaudit.power import seeds_for_power
from rlaudit.scores import from_mapping
from rlaudit.types import ArmScores, Floats, ScoreTable
from rlaudit.wording import number

Answer: TypeAlias = Literal["ok", "regression", "inconclusive"]
POWER = 0.8  # with which the number of seeds that is asked for decides


class Shown(NamedTuple):
    """mean(new) - mean(baseline) in units of the score, with its interval at level 1 - 2 alpha."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Judgement:
    """The answer, and the one line that says why."""

    answer: Answer
    difference: float  # mean(new) - mean(baseline), in units of the score
    low: float  # interval of the difference at level 1 - 2 alpha
    high: float
    margin: float
    n_new: int  # seeds with a score
    n_baseline: int
    seeds_needed: int | None  # an agent, to say ok with 80 % power if the two are equal; None: beyond 100,000
    message: str


def judge(
    new: Any, baseline: Any, margin: float, *, alpha: float = 0.05, higher_is_better: bool | None = None
) -> Judgement:
    """`new` and `baseline`: scores (n_seeds,), an ArmScores, or a ScoreTable with one agent on one task.

    Failed seeds have no score, so the answer has to be the same without them and with the worst score seen in their
    place. Raises RlauditError where something is no number, NotEnoughSeeds where there are fewer than two scores.
    """
    _check_levels(margin, alpha)
    sign = 1 if _direction(new, baseline, higher_is_better) else -1
    arms = _arm(new, "new"), _arm(baseline, "baseline")
    a, b = (sign * arm.scores for arm in arms)
    low, high = _interval(a, b, alpha)
    answer = _answer(low, high, margin)
    if_failures_count = _answer(*_interval(*_filled(arms, a, b), alpha), margin)
    needed = _seeds_needed(a, b, margin, alpha)
    if answer == if_failures_count:
        hint = _what_decides(needed, min(len(a), len(b))) if answer == "inconclusive" else ""
    else:
        hint = f". {answer} without the failed seeds, {if_failures_count} if they count as the worst score seen"
        answer = "inconclusive"
    shown = Shown(sign * float(a.mean() - b.mean()), *sorted((sign * low, sign * high)))
    message = _message(answer, arms, shown, margin, alpha, sign) + hint
    return Judgement(answer, *shown, margin, len(a), len(b), needed, message)


def _filled(arms: tuple[ArmScores, ArmScores], a: Floats, b: Floats) -> tuple[Floats, Floats]:
    worst = min(a.min(), b.min())
    first, second = (np.append(x, np.full(len(arm.failed), worst)) for x, arm in zip((a, b), arms, strict=True))
    return first, second


def _answer(low: float, high: float, margin: float) -> Answer:
    return "ok" if low > -margin else "regression" if high < -margin else "inconclusive"


def _interval(a: Floats, b: Floats, alpha: float) -> tuple[float, float]:
    """Welch's at level 1 - 2 alpha. Where both groups are constant the spread is unknown, not zero: an interval only
    where a permutation test could decide at that level (n = 4 at alpha = .05)."""
    if np.ptp(a) == 0 and np.ptp(b) == 0 and 1 / comb(len(a) + len(b), len(a)) >= alpha:
        return -np.inf, np.inf
    found = compare(a, b, alpha=2 * alpha)
    return float(found.low), float(found.high)


def _seeds_needed(a: Floats, b: Floats, margin: float, alpha: float) -> int | None:
    """Seeds an agent that show "not worse by the margin" if there is no difference: a one-sided test."""
    sd = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    return seeds_for_power(margin / sd, POWER, 2 * alpha) if sd else 2


# ---------------------------------------------------------------- the border


def _check_levels(margin: float, alpha: float) -> None:
    if not 0 < margin < float("inf"):
        raise RlauditError(f"margin = {margin!r}: name the loss that you can live with, a number above 0")
    if not 0 < alpha < 0.5:
        raise RlauditError(f"alpha = {alpha!r}: give a level above 0 and below 0.5, such as 0.05")


def _direction(new: Any, baseline: Any, higher_is_better: bool | None) -> bool:
    said = {table.higher_is_better for table in (new, baseline) if isinstance(table, ScoreTable)}
    if higher_is_better is not None:
        said.add(higher_is_better)
    if len(said) > 1:
        raise RlauditError("new and baseline disagree about higher_is_better: load both with the same direction")
    return said.pop() if said else True


def _arm(scores: Any, name: str) -> ArmScores:
    arm = scores if isinstance(scores, ArmScores) else _only_arm(scores, name)
    if len(arm.scores) < 2:
        failed = f" and {len(arm.failed)} failed" if arm.failed else ""
        raise NotEnoughSeeds(
            f"{name}: {len(arm.scores)} seed(s) with a score{failed}; give at least 2, better 10 or more"
        )
    return arm


def _only_arm(scores: Any, name: str) -> ArmScores:
    table = scores if isinstance(scores, ScoreTable) else from_mapping({name: scores})
    if len(table.arms) != 1:
        found = ", ".join(repr((arm.agent, arm.task)) for arm in table.arms)
        raise RlauditError(f"{name} holds several agents or tasks: {found}. Take one: table.arm(agent, task)")
    return table.arms[0]


# ---------------------------------------------------------------- the message


def _message(
    answer: Answer, arms: tuple[ArmScores, ArmScores], shown: Shown, margin: float, alpha: float, sign: int
) -> str:
    """`regression: new - baseline = -97.50, 90% CI [-121.2, -73.80], margin 20, n = 20 v 20`."""
    a, b = ("new", "baseline") if arms[0].agent == arms[1].agent else (arm.agent for arm in arms)
    difference, low, high = (number(value, 4) for value in shown)
    parts = [f"{answer}: {a} - {b} = {difference}", f"{100 * (1 - 2 * alpha):g}% CI [{low}, {high}]"]
    parts += [f"margin {margin:g}", " v ".join([f"n = {len(arms[0].scores)}", f"{len(arms[1].scores)}"])]
    if sign < 0:
        parts.append("lower is better")
    if any(arm.failed for arm in arms):
        parts.append(f"failed seeds {len(arms[0].failed)} v {len(arms[1].failed)}")
    return ", ".join(parts)


def _what_decides(needed: int | None, n: int) -> str:
    if needed is None:
        return ". No affordable number of seeds decides this: the margin is far below the spread between seeds"
    if needed <= n:
        return f". {needed} seeds an agent would do if the two were equal: the difference seems close to the margin"
    return f". About {needed} seeds an agent would decide it if the two are equal ({POWER:.0%} power)"
