"""Does the same seed give the same run?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reproduction:
    """One agent on one task, trained again from the same seeds, and with one thing changed at a time."""

    agent: str
    task: str
