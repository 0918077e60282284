"""Numbers into sentences. Each rule looks at a finished audit and says what its numbers carry, and no more.

Levels: `ok`, the numbers carry a conclusion; `warn`, they do so with a caveat; `unsafe`, a conclusion would go
beyond them. The rules stand in the order of their weight; findings are sorted by level, then by rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from rlaudit.findings.agents import honest_tests, luck_floor, no_seed_effect, provenance, small_pools, twins
from rlaudit.findings.claims import claims
from rlaudit.findings.comparisons import few_seeds, hopeless_designs, tests_disagree, verdicts
from rlaudit.findings.convex import convex
from rlaudit.findings.evaluation import evaluation_noise
from rlaudit.findings.failures import failures, outliers, single_seeds, stuck_runs
from rlaudit.findings.initializers import initializers
from rlaudit.findings.leaderboard import leaderboards
from rlaudit.findings.looks import looks
from rlaudit.findings.metrics import metric_choice
from rlaudit.findings.procedures import habits
from rlaudit.findings.reading import reading
from rlaudit.findings.reproduction import reproduction
from rlaudit.findings.sources import sources
from rlaudit.findings.tickets import tickets
from rlaudit.results import Audit
from rlaudit.types import Finding, Level

__all__ = ["AFTER_LOOKS", "RULES", "exit_code", "find"]

Rule = Callable[[Audit], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    claims, reproduction, sources, initializers, tickets, convex,
    twins, failures, hopeless_designs, verdicts, single_seeds, tests_disagree, leaderboards, metric_choice,
    few_seeds, reading, habits, stuck_runs, no_seed_effect, luck_floor, outliers, honest_tests, evaluation_noise,
    small_pools, provenance,
)  # fmt: skip
# Seeds were added until the looks were satisfied: only they tell agents apart, and each agent describes itself.
AFTER_LOOKS: tuple[Rule, ...] = (
    looks, twins, failures, stuck_runs, no_seed_effect, luck_floor, outliers, honest_tests, evaluation_noise,
    provenance,
)  # fmt: skip
_ORDER = {Level.UNSAFE: 0, Level.WARN: 1, Level.OK: 2}


def find(audit: Audit) -> tuple[Finding, ...]:
    """All findings, the most important first: what is wrong, or that nothing is."""
    rules = AFTER_LOOKS if audit.sequential else RULES
    found = sorted((finding for rule in rules for finding in rule(audit)), key=lambda one: _ORDER[one.level])
    if found and found[0].level == Level.OK:
        found[0] = replace(found[0], sentence=f"Nothing that was looked at is wrong. {found[0].sentence}")
    return tuple(found)


def exit_code(audit: Audit, *, gate: bool) -> int:
    """What a script may rely on: 0 fine, 1 a conclusion does not hold, 4 runs failed, 3 (`gate` only) inconclusive.

    With claims it is they who are contradicted (1, with or without `gate`), or undecided or fragile (3).
    """
    states = {claim.state for claim in audit.claims}
    turned = any(pair.imputed and not pair.imputed.agrees for pair in audit.comparisons)
    if "contradicted" in states or (gate and turned) or any(one.reproducible is False for one in audit.reproduction):
        return 1
    if any(one.n_failed for kind in (audit.arms, audit.sources, audit.reproduction) for one in kind):
        return 4
    open_pairs = any(pair.verdict.is_open for pair in audit.comparisons)
    inconclusive = bool(states & {"undecided", "fragile"}) if states else open_pairs
    return 3 if gate and inconclusive else 0
