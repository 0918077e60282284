"""A control in which luck must vanish."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Convex:
    """The same data through a convex model and through one that is not."""

    agent: str
    task: str
