"""Experiments: each is a plan (config -> specs) and an analysis (scores -> audit). A new one is an entry here."""

from collections.abc import Callable
from typing import NamedTuple

from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.experiments import audit
from rlaudit.plan import plan
from rlaudit.results import Audit
from rlaudit.types import RunSpec, ScoreTable


class Experiment(NamedTuple):
    """What is trained, and what is asked of it."""

    plan: Callable[[AuditConfig], tuple[RunSpec, ...]]
    analyze: Callable[[ScoreTable, AuditSettings, str], Audit]
    help: str


EXPERIMENTS: dict[str, Experiment] = {
    "audit": Experiment(plan, audit.analyze, "how far the seeds of these agents can be trusted"),
}
