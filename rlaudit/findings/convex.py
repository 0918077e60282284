"""Does luck vanish where it must?"""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def convex(audit: Audit) -> Iterator[Finding]:
    """What the experiment shows, and what it does not."""
    yield from ()
