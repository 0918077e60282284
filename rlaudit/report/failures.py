"""The section: Does the conclusion hang on failed or single seeds?"""

from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit


def what_carries(audit: Audit) -> SectionHtml | None:
    """Does the conclusion hang on failed or single seeds?"""
    return None
