"""Experiments: each is a plan (config -> specs) and an analysis (records -> audit). A new one is an entry here."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rlaudit.config import AuditConfig
from rlaudit.experiments import audit
from rlaudit.plan import plan
from rlaudit.results import Audit
from rlaudit.types import RunRecord, RunSpec


class Experiment(NamedTuple):
    """What is trained, and what is asked of it."""

    plan: Callable[[AuditConfig], tuple[RunSpec, ...]]
    analyze: Callable[[Sequence[RunRecord], AuditConfig], Audit]
    help: str


EXPERIMENTS: dict[str, Experiment] = {
    "audit": Experiment(plan, audit.analyze, "how far the seeds of these agents can be trusted"),
}
