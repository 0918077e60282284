"""Stated claims."""

from collections.abc import Iterator

from rlaudit.results import Audit
from rlaudit.types import Finding, Level


def claims(audit: Audit) -> Iterator[Finding]:
    """What the runs say of each stated claim."""
    levels = {"supported": Level.OK, "contradicted": Level.UNSAFE, "undecided": Level.UNSAFE, "fragile": Level.WARN}
    for claim in audit.claims:
        title = f"Claim {claim.state}: {claim.text}"
        yield Finding(title, f"The claim '{claim.text}' is {claim.state}: {claim.reason}.", levels[claim.state], {})
