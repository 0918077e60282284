"""Was it the weights or the path?"""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def tickets(audit: Audit) -> Iterator[Finding]:
    """What the experiment shows, and what it does not."""
    yield from ()
