"""The section: More seeds or more evaluation episodes?"""

from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit


def evaluation_noise(audit: Audit) -> SectionHtml | None:
    """More seeds or more evaluation episodes?"""
    return None
