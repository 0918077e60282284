"""Does the same seed give the same run?"""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def reproduction(audit: Audit) -> Iterator[Finding]:
    """What the experiment shows, and what it does not."""
    yield from ()
