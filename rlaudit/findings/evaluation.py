"""Seeds or evaluation episodes: which one to buy more of."""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def evaluation_noise(audit: Audit) -> Iterator[Finding]:
    """Agents whose scores are noisy for want of evaluation episodes."""
    yield from ()
