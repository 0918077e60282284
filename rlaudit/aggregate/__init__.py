"""One number for many runs, with an interval: of one agent on one task, and of one agent over many tasks."""

from rlaudit.aggregate.normalise import normalise
from rlaudit.aggregate.profiles import EfficiencyCurve, Profile, efficiency_curves, performance_profiles
from rlaudit.aggregate.seeds import describe, failure_interval, iqm, iqm_interval, mean_interval
from rlaudit.aggregate.statistics import AGGREGATES
from rlaudit.aggregate.tasks import TaskAggregate, aggregate_tasks, probability_of_improvement

__all__ = [
    "AGGREGATES",
    "EfficiencyCurve",
    "Profile",
    "TaskAggregate",
    "aggregate_tasks",
    "describe",
    "efficiency_curves",
    "failure_interval",
    "iqm",
    "iqm_interval",
    "mean_interval",
    "normalise",
    "performance_profiles",
    "probability_of_improvement",
]
