"""Which randomness matters?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sources:
    """One agent on one task: where the variance of its scores comes from."""

    agent: str
    task: str
