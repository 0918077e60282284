"""The initializer as a hyper-parameter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Initializers:
    """One agent on one task, under every scheme."""

    agent: str
    task: str
