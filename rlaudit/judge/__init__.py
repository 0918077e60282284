"""Stated claims against the runs: what they say, which seeds carry it, whether a repetition would say it again.

Decisions, flips and seeds needed are exact and use no random numbers; the chance of a repetition is simulated.
"""

from rlaudit.judge.states import judge

__all__ = ["judge"]
