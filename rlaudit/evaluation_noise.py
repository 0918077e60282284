"""Variance between seeds against variance between the episodes of an evaluation: which one to buy more of?"""

from rlaudit.results import EvaluationNoise
from rlaudit.types import ScoreTable


def audit_evaluation(table: ScoreTable) -> tuple[EvaluationNoise, ...]:
    """One for each agent and task whose seeds were evaluated on several episodes."""
    return ()
