"""The section: Who is first, and how sure is that?"""

from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit


def leaderboards(audit: Audit) -> SectionHtml | None:
    """Who is first, and how sure is that?"""
    return None
