"""The section: Do the claims hold?"""

from rlaudit.report.parts import SectionHtml, Table
from rlaudit.results import Audit


def claims(audit: Audit) -> SectionHtml | None:
    """What the config claims, and what the runs say of it."""
    if not audit.claims:
        return None
    held = sum(claim.state == "supported" for claim in audit.claims)
    rows = tuple((claim.text, claim.state, claim.reason) for claim in audit.claims)
    return SectionHtml(
        "claims",
        "Do the claims hold?",
        (f"{held} of {len(audit.claims)} claims are supported by these runs. Undecided is neither true nor false.",),
        tables=(Table("Claims", ("claim", "state", "why"), rows),),
        open_tables=True,
    )
