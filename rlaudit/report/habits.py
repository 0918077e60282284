"""The section: What would loose habits have concluded?"""

from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit


def habits(audit: Audit) -> SectionHtml | None:
    """What would loose habits have concluded?"""
    return None
