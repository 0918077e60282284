"""Habits of concluding that go wrong on these runs."""

from collections.abc import Iterator

from rlaudit.results import Audit, Estimate, ProcedureAudit, ProcedureRates
from rlaudit.types import Finding, Level
from rlaudit.wording import label_of, on, percent

_INSTEAD = {
    "error_bars_se": "Do not read a difference off error bars: test it, and report the interval of the difference.",
    "error_bars_sd": "Do not read a difference off error bars: test it, and report the interval of the difference.",
    "error_bars_ci": "Do not read a difference off error bars: test it, and report the interval of the difference.",
    "best_k_of_n": "Report every run that was trained, of both agents, the failed ones too.",
    "adding_seeds": "Fix the number of seeds before the first look, or plan the looks (a group-sequential test).",
    "per_point": "Name one score beforehand (final, or area under the curve), or test the whole curve at once (max-T).",
    "evaluations_as_samples": "Average the evaluations of a seed before any test: the seed is the unit.",
    "best_checkpoint": "Score both agents alike: the last evaluation of each, or a fresh evaluation of each best one.",
    "choose_metric": "Name the metric before looking, or correct for all that were tried (Holm).",
    "choose_task": "Report every task that was run, and correct for their number (Holm).",
    "tune_and_report": "Tune on some seeds and report fresh ones, with the same budget for both agents.",
}
_TEST_INSTEAD = "Decide by a test that keeps its level on these runs, named beforehand."


def habits(audit: Audit) -> Iterator[Finding]:
    """The habit that most often finds a winner within one agent, or that none of them does so clearly."""
    tried = audit.procedures
    worst = tried.worst() if tried else None
    if tried is None or worst is None:
        return
    misleads = worst.beyond(tried.alpha)
    # No caveat to what the audit has decided; where it has not, habits are the temptation.
    decided = any(
        (p.a, p.b, p.task) == (tried.a, tried.b, tried.task) and p.verdict.has_winner for p in audit.comparisons
    )
    yield Finding(
        f"The habit that misleads most here: {label_of(worst.procedure)}" if misleads else "Habits: none stands out",
        worst_habit(tried),
        Level.WARN if misleads and not decided else Level.OK,
        _evidence(tried, worst),
        _INSTEAD.get(worst.procedure, _TEST_INSTEAD)
        if misleads
        else "Name the test, the metric and the number of seeds beforehand all the same: on other runs habits mislead.",
    )


def worst_habit(tried: ProcedureAudit) -> str:
    """One sentence or two with the numbers of the most misleading habit; empty where nothing was tried."""
    worst = tried.worst()
    if worst is None:
        return ""
    share = worst.false_positives
    found = (
        f"With {tried.group_size} seeds an agent{on(tried.task)}, “{label_of(worst.procedure)}” would have found a "
        f"winner between two groups of one and the same agent in {percent(share.value)} of draws{_around(share)}"
    )
    if not worst.beyond(tried.alpha):
        n = len(tried.habits())
        most = f", the most of the {n} rules tried" if n > 1 else ""
        return f"{found}{most}: not clearly more often than alpha, {percent(tried.alpha)}."
    n_more = sum(one.beyond(tried.alpha) for one in tried.habits()) - 1
    more = {0: "", 1: " One more of the rules tried goes beyond alpha."}.get(
        n_more, f" {n_more} more of the rules tried go beyond alpha."
    )
    return f"{found}{_reference(tried)}.{_named(tried, worst)}{more}"


def _around(share: Estimate) -> str:
    if share.low is None or share.high is None:
        return ""
    return f" (95 % over seeds: {percent(share.low)} to {percent(share.high)})"


def _reference(tried: ProcedureAudit) -> str:
    one = tried.of(tried.reference)
    if one is None:
        return ""
    return f"; {label_of(tried.reference)}, looked at once, in {percent(one.false_positives.value)}"


def _named(tried: ProcedureAudit, worst: ProcedureRates) -> str:
    """What it makes of the two agents."""
    if tried.b is None or worst.wrong is None or worst.right is None:
        return ""
    other = tried.a if tried.better == tried.b else tried.b
    return (
        f" Of {tried.a} against {tried.b} it names {other}, whose mean over all seeds is the worse one, in "
        f"{percent(worst.wrong.value)}, and {tried.better} in {percent(worst.right.value)}."
    )


def _evidence(tried: ProcedureAudit, worst: ProcedureRates) -> dict[str, float | int | str | None]:
    share = worst.false_positives
    return {
        "procedure": worst.procedure,
        "group_size": tried.group_size,
        "false_positives": share.value,
        "low": share.low,
        "high": share.high,
        "right": worst.right.value if worst.right else None,
        "wrong": worst.wrong.value if worst.wrong else None,
    }
