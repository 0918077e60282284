"""Which randomness matters?"""

from collections.abc import Sequence

from rlaudit.config import AuditConfig
from rlaudit.results import Audit
from rlaudit.types import RunRecord, RunSpec


def plan(config: AuditConfig, records: Sequence[RunRecord] = ()) -> tuple[RunSpec, ...]:
    """Every run that is needed as far as `records` tell."""
    raise NotImplementedError


def analyze(records: Sequence[RunRecord], config: AuditConfig) -> Audit:
    """What the runs show."""
    raise NotImplementedError
