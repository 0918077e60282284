"""The backend `command`: not written yet."""

from collections.abc import Iterator, Sequence

from rlaudit.types import Problem, Progress, RunRecord, RunSpec


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Not written yet."""
    raise NotImplementedError


def check(spec: RunSpec) -> list[Problem]:
    """Not written yet."""
    return []
