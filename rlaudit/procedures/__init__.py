"""Habits of concluding, tried on somebody's own runs: how often does each find a winner where there is none?

A new habit is a function of `habits.py` and an entry of `PROCEDURES` (and its name in `config_values.ProcedureName`).
Each registered test is a procedure, too, by its own name.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rlaudit.comparisons import COMPARISONS, PAIRED
from rlaudit.errors import ConfigError, NotEnoughSeeds, did_you_mean
from rlaudit.procedures import habits, views
from rlaudit.procedures.habits import Conclusion, small_p
from rlaudit.procedures.rates import Conclude, Duel, against, false_positives, fits, fought
from rlaudit.procedures.views import arms_named
from rlaudit.results import FEW, Estimate, PairAudit, ProcedureAudit, ProcedureRates, hardest_pair
from rlaudit.same_agent import CLOSED_FORM, exact_rate
from rlaudit.seeds import generator
from rlaudit.types import ArmScores, Floats, ScoreTable

__all__ = [
    "PROCEDURES",
    "Conclusion",
    "Procedure",
    "arms_named",
    "audit_procedures",
    "calibrate",
    "procedure_named",
    "small_p",
]

_MOST_SEEDS = 1_000  # seeds an agent, which take two minutes; a thousand million would take all memory
_AUDIT_SHARE = 0.2  # of the draws asked for, in an audit: 2,000 of 10,000, standard error .011 at most
_RESAMPLED_SHARE = 0.4  # of those, for tests that resample inside each


def _even(n: int) -> tuple[int, int]:
    return n, n


class Procedure(NamedTuple):
    """A habit of concluding."""

    conclude: Conclude
    help: str
    looks_at: Callable[[views.Subject], views.Pools | str] = views.scores
    runs: Callable[[int], tuple[int, int]] = _even  # (n_a, n_b) runs that it takes to report n seeds an agent
    always: bool = False  # names a winner whatever the scores, unless they are equal
    favours: bool = False  # treats a otherwise than b


PROCEDURES: dict[str, Procedure] = {
    "mean_higher": Procedure(habits.mean_higher, "The agent with the better mean is better; no test.", always=True),
    "top_run": Procedure(habits.top_run, "The agent with the best single run is better; no test.", always=True),
    "error_bars_se": Procedure(habits.error_bars_se, "Mean +- one standard error: the bars do not overlap."),
    "error_bars_sd": Procedure(habits.error_bars_sd, "Mean +- one standard deviation: the bars do not overlap."),
    "error_bars_ci": Procedure(habits.error_bars_ci, "The two means' own t intervals (1 - alpha) do not overlap."),
    "best_k_of_n": Procedure(
        habits.best_k_of_n,
        "The better half of 2n runs of one agent against n plain runs of the other; Welch.",
        runs=lambda n: (2 * n, n),
        favours=True,
    ),
    "adding_seeds": Procedure(
        habits.adding_seeds,
        "Welch after every seed from the third up to 2n, until p <= alpha.",
        runs=lambda n: (2 * n, 2 * n),
    ),
    "per_point": Procedure(
        habits.smallest_of_several, "Welch at each point of the learning curve; the smallest p counts.", views.points
    ),
    "evaluations_as_samples": Procedure(
        habits.evaluations_as_samples,
        "The last ten evaluations of each seed (half of a shorter curve) counted as samples; Welch.",
        views.evaluations,
    ),
    "best_checkpoint": Procedure(
        habits.best_checkpoint,
        "The best evaluation of one agent's curves against the last one of the other's; Welch.",
        views.checkpoints,
        favours=True,
    ),
    "choose_metric": Procedure(
        habits.smallest_of_several,
        "Welch on the score, the last ten evaluations, the area, the best evaluation; the smallest p counts.",
        views.metrics,
    ),
    "choose_task": Procedure(
        habits.smallest_of_several, "Welch on each task that both agents ran; the smallest p counts.", views.tasks
    ),
    "tune_and_report": Procedure(
        habits.tune_and_report,
        "Five variants that change nothing; the best is reported on the seeds that chose it; Welch.",
        runs=lambda n: (habits.VARIANTS * n, n),
        favours=True,
    ),
}


def procedure_named(name: str) -> Procedure:
    """A habit, or a registered test. Raises ConfigError with the nearest name for any other."""
    if name in PROCEDURES:
        return PROCEDURES[name]
    if name not in COMPARISONS:
        near = did_you_mean(name, (*PROCEDURES, *COMPARISONS))
        raise ConfigError(f"{name!r} is not a procedure.{near} (rlaudit list procedures)")
    about = (COMPARISONS[name].__doc__ or "").partition("\n")[0]
    return Procedure(partial(habits.by_test, name), about, views.pairs if name in PAIRED else views.scores)


# ---------------------------------------------------------------- on somebody's runs


def audit_procedures(
    table: ScoreTable, pairs: Sequence[PairAudit], names: Sequence[str], *, alpha: float, n_draws: int, seed: int
) -> ProcedureAudit | None:
    """Every named procedure on the pair that few seeds get wrong most often, and the test that decides beside them.

    Without a pair, on the agent with the most seeds. None where no pool is large enough.
    """
    pair = hardest_pair(pairs)
    if pair and pair.at_few():
        arms = [table.arm(agent, pair.task) for agent in (pair.a, pair.b)]
    else:
        arms = [max(table.arms, key=lambda arm: len(arm.scores))]
    n_seeds = min(len(arm.scores) for arm in arms)
    if not names or n_seeds < views.FEWEST:
        return None
    return calibrate(
        table,
        names,
        arms=arms,
        group_size=min(FEW, n_seeds // 2),
        alpha=alpha,
        n_draws=max(1, round(_AUDIT_SHARE * n_draws)),
        seed=seed,
        reference=pair.decided_by if pair else "welch",
    )


def calibrate(
    table: ScoreTable,
    names: Sequence[str],
    *,
    arms: Sequence[ArmScores],
    group_size: int,
    alpha: float = 0.05,
    n_draws: int = 10_000,
    seed: int = 0,
    reference: str = "welch",
) -> ProcedureAudit:
    """The procedures and the reference test, with `group_size` seeds an agent, on one or two agents of one task.

    Nothing depends on the order of the agents, nor on which procedures are asked for. Raises ConfigError for an
    unknown name or a size beyond reach, and NotEnoughSeeds for an agent with fewer than four seeds.
    """
    _check(arms, group_size, n_draws)
    subject = views.Subject(table, tuple(sorted(arms, key=lambda arm: arm.agent)))
    found: dict[str, ProcedureRates | str] = {
        name: _rates(name, subject, group_size, alpha, n_draws, seed) for name in dict.fromkeys([*names, reference])
    }
    rates = [one for one in found.values() if isinstance(one, ProcedureRates)]
    truth = _truth(subject)
    return ProcedureAudit(
        a=arms[0].agent,
        b=arms[1].agent if len(arms) > 1 else None,
        task=arms[0].task,
        group_size=group_size,
        rates=tuple(sorted(rates, key=lambda one: (-one.false_positives.value, -one.wrong.value if one.wrong else 0))),
        skipped={name: one for name, one in found.items() if isinstance(one, str)},
        alpha=alpha,
        better=subject.arms[truth < 0].agent if truth else None,
        reference=reference,
    )


def _check(arms: Sequence[ArmScores], group_size: int, n_draws: int) -> None:
    if group_size < 2:
        raise NotEnoughSeeds(f"groups of {group_size}: nothing can be said of fewer than 2 seeds an agent")
    if group_size > _MOST_SEEDS or n_draws < 1:
        raise ConfigError(
            f"groups of {group_size}, {n_draws} draws: give at most {_MOST_SEEDS:,} seeds an agent, and 1 draw or more"
        )
    for arm in arms:
        if len(arm.scores) < views.FEWEST:
            raise NotEnoughSeeds(f"agent {arm.agent!r} has {len(arm.scores)} seeds: give at least {views.FEWEST}")


def _truth(subject: views.Subject) -> float:
    """The difference of the pools' means, above 0 where the first agent is better; 0 where there is one agent."""
    first, last = (subject.sign * float(arm.scores.mean()) for arm in (subject.arms[0], subject.arms[-1]))
    return first - last


def _rates(
    name: str, subject: views.Subject, group_size: int, alpha: float, n_draws: int, seed: int
) -> ProcedureRates | str:
    """What it would have made of the draws, or what it would need."""
    procedure = procedure_named(name)
    pools = procedure.looks_at(subject)
    if isinstance(pools, str):
        return pools
    if name in COMPARISONS and name not in CLOSED_FORM:
        n_draws = max(1, round(_RESAMPLED_SHARE * n_draws))
    sizes = procedure.runs(group_size)
    stream: tuple[str | int, ...] = (name, subject.arms[0].task, group_size, *(arm.agent for arm in subject.arms))
    alone = [Duel(pool, None, sizes) for pool in pools]
    replaced = not all(map(fits, alone))
    exact = None if replaced else exact_rate(name, group_size, alpha)
    draws = fought(procedure.conclude, alone, alpha=alpha, n_draws=n_draws, rng=generator(seed, "procedure", *stream))
    truths = _truths(procedure, subject, pools)
    told: dict[str, Estimate | None] = dict.fromkeys(("right", "wrong", "type_s", "type_m"))
    if truths[0]:
        duels = [Duel(pools[0], pools[1], sizes, same_seeds=name in PAIRED)]
        if procedure.favours:
            duels.append(Duel(pools[1], pools[0], sizes, sign=-1))
        rng = generator(seed, "procedure against", *stream)
        told = against(fought(procedure.conclude, duels, alpha=alpha, n_draws=n_draws, rng=rng), truths)
    return ProcedureRates(
        procedure=name,
        false_positives=_without_doubt(procedure, exact, pools, false_positives(draws)),
        n_draws=len(draws.winner),
        replaced=replaced,
        always=procedure.always,
        favours=procedure.favours,
        **told,
    )


def _truths(procedure: Procedure, subject: views.Subject, pools: views.Pools) -> Floats:
    """(n_views,) the true differences: that of the score, whatever else was looked at, but of each task its own."""
    if procedure.looks_at is views.tasks and len(pools) == 2:
        return np.array([float(a.mean() - b.mean()) for a, b in zip(*pools, strict=True)])
    return np.full(sum(map(len, pools[0])), _truth(subject))


def _without_doubt(procedure: Procedure, exact: float | None, pools: views.Pools, share: Estimate) -> Estimate:
    """A share that other seeds would not change has no interval: winners by construction, rates of permutations."""
    if procedure.always and share.value == 1:
        return Estimate(1.0)
    untied = all(len(np.unique(block)) == block.size for pool in pools for block in pool)
    return share if exact is None or not untied else Estimate(exact)
