"""The section: Does the conclusion depend on the metric?"""

from rlaudit.report.parts import SectionHtml
from rlaudit.results import Audit


def metric_choice(audit: Audit) -> SectionHtml | None:
    """Does the conclusion depend on the metric?"""
    return None
