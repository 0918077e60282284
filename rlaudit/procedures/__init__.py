"""Habits of concluding, tried on somebody's own runs: how often does each find a winner where there is none?

A new habit is one function and one line in `PROCEDURES` (and its name in `config_values.ProcedureName`).
"""

from collections.abc import Sequence

from rlaudit.results import PairAudit, ProcedureAudit
from rlaudit.types import ScoreTable


def audit_procedures(
    table: ScoreTable, pairs: Sequence[PairAudit], names: Sequence[str], *, alpha: float, n_draws: int, seed: int
) -> ProcedureAudit | None:
    """Every named procedure on the pair that few seeds get wrong most often; None where no pool is large enough."""
    return None
