"""Where does the variance come from?"""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding


def sources(audit: Audit) -> Iterator[Finding]:
    """What the experiment shows, and what it does not."""
    yield from ()
