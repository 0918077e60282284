"""Seeds that failed, and single seeds that a conclusion hangs on."""

from collections.abc import Iterator

from rlaudit.findings.words import versus
from rlaudit.results import Audit
from rlaudit.types import Finding, Level
from rlaudit.wording import number, on, p_text, percent


def failures(audit: Audit) -> Iterator[Finding]:
    """Seeds without a score: how many, how many there may be, and whether they decide a comparison."""
    failed = [arm for arm in audit.arms if arm.n_failed]
    turned = [pair for pair in audit.comparisons if pair.imputed and not pair.imputed.agrees]
    for arm in failed:
        n = arm.n_seeds + arm.n_failed
        sentence = (
            f"{arm.n_failed} of {n} seeds of {arm.agent}{on(arm.task)} failed and have no score "
            f"(failure rate {percent(arm.n_failed / n)}, 95 % interval {percent(arm.failure_low)} to "
            f"{percent(arm.failure_high)}). Its numbers speak only of the seeds that finished."
        )
        evidence = {"n_failed": arm.n_failed, "n": n, "low": arm.failure_low, "high": arm.failure_high}
        yield Finding(
            f"{arm.agent}: failed seeds", sentence, Level.WARN, evidence, "Look into the failures before you average."
        )
    for pair in turned:
        imputed = pair.imputed
        assert imputed is not None
        yield Finding(
            f"{versus(pair)}: the failed seeds decide",
            f"With the failed seeds counted as the worst score reached ({number(imputed.floor)}), the comparison of "
            f"{pair.a} and {pair.b}{on(pair.task)} turns: difference {number(imputed.effect)}, "
            f"{p_text(imputed.p_value)} instead of {p_text(pair.tests[pair.decided_by].p_value)}.",
            Level.UNSAFE,
            {"effect": imputed.effect, "p_value": imputed.p_value},
            "Report both, or make the failed seeds finish.",
        )
    if not failed:
        arm = min(audit.arms, key=lambda one: one.n_seeds)
        yield Finding(
            "No seed failed",
            f"No seed failed. With {arm.n_seeds} seeds an agent, a failure rate of up to {percent(arm.failure_high)} "
            "could still go unseen (95 % bound).",
            Level.OK,
            {"n": arm.n_seeds, "high": arm.failure_high},
        )
