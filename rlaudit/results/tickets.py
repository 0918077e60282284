"""Did these weights win the lottery?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tickets:
    """One agent on one task: masks, weights, and the path taken from them."""

    agent: str
    task: str
