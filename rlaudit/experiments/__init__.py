"""Experiments: each is a plan (config -> specs) and an analysis (records -> audit). A new one is an entry here."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rlaudit.config import AuditConfig
from rlaudit.experiments import audit, convex, initializers, reproduce, sources, tickets
from rlaudit.results import Audit
from rlaudit.types import RunRecord, RunSpec


class Plan(Protocol):
    """Every run that is known to be needed, given the records of those that were planned before."""

    def __call__(self, config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]: ...


class Experiment(NamedTuple):
    """What is trained, and what is asked of it."""

    plan: Plan
    analyze: Callable[[Sequence[RunRecord], AuditConfig], Audit]
    help: str
    staged: bool = False  # further runs follow from the records of the first


EXPERIMENTS: dict[str, Experiment] = {
    "audit": Experiment(audit.plan, audit.analyze, "how far the seeds of these agents can be trusted"),
    "reproduce": Experiment(
        reproduce.plan,
        reproduce.analyze,
        "does the same seed give the same run, and if not, where does it part and why",
        staged=True,
    ),
    "sources": Experiment(
        sources.plan,
        sources.analyze,
        "which randomness matters: initial weights, environment or algorithm, crossed",
    ),
    "initializers": Experiment(
        initializers.plan,
        initializers.analyze,
        "the initializer of the weights as a hyper-parameter",
    ),
    "tickets": Experiment(
        tickets.plan,
        tickets.analyze,
        "did these weights win the lottery: masks and initial weights, and the path taken from them",
        staged=True,
    ),
    "convex": Experiment(
        convex.plan,
        convex.analyze,
        "a control in which the initial weights must not matter, and one in which they do",
    ),
}
