"""Which seeds are worth training next: looks at what is there, says who is better or goes on. Pure; never trains.

Seeds are trained in batches, and after each batch the agents are looked at. Whoever tests at every look as if it were
the only one errs far too often; here all looks, pairs and tasks together name a wrong winner with a chance of at most
alpha. There are no random numbers: the same scores always give the same decision.

* `group_sequential`: exact permutation tests that spend alpha over the looks (`permuted`). The null hypothesis is
  that the agents are alike: equal means with unequal spreads are not (sd 3 : 1 gives .074 at alpha .05).
* `anytime`: bets on who wins the next pair of seeds (`betting`), which may go on for as long as one likes.

With alpha .05 and six looks at five seeds two agents that are alike get a winner in .049-.051 of streams
(`group_sequential`) and .021-.026 (`anytime`), five agents in .038-.041 and .017-.020, whatever their scores are:
normal, log-normal, bimodal, SAC's or TD3's. SAC is told from TD3 in .92 and .88, with 14.5 and 17.9 seeds.

Several agents on a task: closed testing over the ways in which some of them may be alike (`family`). Several tasks:
each has alpha / n_tasks. A pair that is settled is looked at no more, and an agent whose pairs are all settled trains
no more seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlaudit.errors import NotEnoughSeeds
from rlaudit.results.sequential import Look
from rlaudit.sequential.design import Design as Design
from rlaudit.sequential.one_task import Arm, looks_at
from rlaudit.types import ArmScores, ScoreTable


@dataclass(frozen=True)
class Decision:
    """What has been seen, and who needs more seeds."""

    looks: tuple[Look, ...]  # those whose batches are complete: trained or failed
    more: tuple[tuple[str, str, int], ...]  # (agent, task, seeds wanted in all) of arms that go on; none: stop


def next_look(table: ScoreTable, design: Design, *, detail: bool = True) -> Decision:
    """Looks at each complete batch in turn, as if the later ones were not there.

    A look at a task is complete once each agent that still takes part has a score, or has failed, for each seed of
    the batch. The table, or `design.arms`, names every agent and task from the first look on: how many share the
    level must not change. Without `detail` p-values and intervals are None, which is faster; verdicts are the same.

    Raises NotEnoughSeeds where an agent is alone on its task: there is nothing to decide.
    """
    arms = design.arms or tuple((arm.agent, arm.task) for arm in table.arms)
    tasks = tuple(dict.fromkeys(task for _, task in arms))
    looks: list[Look] = []
    more: list[tuple[str, str, int]] = []
    for task in tasks:
        found, going_on = looks_at(
            _arms(table, arms, task, design), design, design.alpha / len(tasks), table.higher_is_better, detail
        )
        looks += (Look(len(looks) + 1, ()) for _ in found[len(looks) :])
        for k, pairs in enumerate(found):
            looks[k] = Look(k + 1, looks[k].pairs + pairs)
        wanted = sum(map(len, design.batches[: len(found) + 1]))
        more += ((arm.agent, task, wanted) for arm in going_on)
    return Decision(tuple(looks), tuple(more))


def _arms(table: ScoreTable, arms: Sequence[tuple[str, str]], task: str, design: Design) -> list[Arm]:
    there = {(arm.agent, arm.task): arm for arm in table.arms}
    wanted = [arm for arm in arms if arm[1] == task]
    if len(wanted) < 2:
        raise NotEnoughSeeds(f"{wanted[0][0]} is alone on {task}: sequential seeds need two agents to tell apart.")
    return [Arm(there.get(arm, ArmScores(*arm, (), np.empty(0))), design) for arm in wanted]
