"""Phrases that several rules share."""

from rlaudit.results import Audit, PairAudit
from rlaudit.wording import on, p_text


def versus(pair: PairAudit) -> str:
    """`a2c against ppo on CartPole-v1`."""
    return f"{pair.a} against {pair.b}{on(pair.task)}"


def level(audit: Audit) -> str:
    """`95 %`: the level of the intervals."""
    return f"{100 * (1 - audit.alpha):g} %"


def adjusted(pair: PairAudit, audit: Audit) -> str:
    """Among how many comparisons, where it is not the only one."""
    if len(audit.comparisons) < 2 or pair.p_adjusted is None:
        return ""
    return f" ({p_text(pair.p_adjusted)} among {len(audit.comparisons)} comparisons)"
