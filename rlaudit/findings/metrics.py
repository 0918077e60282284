"""Conclusions that depend on how a score is made of a learning curve."""

from collections.abc import Iterator

from rlaudit.results import Audit, MetricChoice
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import metric_name, name_of, on, p_text

_LUCK = "luck alone does that to one pair of equal agents in three to nine"  # 11 to 34 %: see `metrics`


def metric_choice(audit: Audit) -> Iterator[Finding]:
    """The pair whose conclusion depends most on the metric; or that none does."""
    depending = [choice for choice in audit.metrics if choice.depends]
    if depending:
        yield _depends(depending[0], len(depending), len(audit.metrics))
    elif audit.metrics:
        yield _agree(audit)


def _depends(choice: MetricChoice, n_depending: int, n: int) -> Finding:
    pair, asked = f"{choice.a} against {choice.b}{on(choice.task)}", metric_name(choice.asked)
    p_asked = f" ({p_text(choice.views[0].p_value)})" if choice.views else ""
    others = f" So it is for {n_depending} of {n} pairs, each looked at alone; {_LUCK}." if n > 1 else ""
    return Finding(
        f"{pair}: {'a metric chosen afterwards would mislead' if choice.only_by_luck else 'the metric decides'}",
        f"{pair}, by {name_of(choice.test)}: {_says(choice, choice.verdict)} by {asked}{p_asked}, but "
        f"{_elsewhere(choice)}.{_left(choice)}{others}",
        Level.WARN,
        {
            "n_metrics": choice.n_metrics, "significant_a": choice.significant_a,
            "significant_b": choice.significant_b, "turned": choice.turned, "survivors": choice.survivors,
        },
        f"Report {asked}, which was named beforehand, and the others beside it. Name a metric that matters more "
        "before the next runs, not after these.",
    )  # fmt: skip


def _says(choice: MetricChoice, verdict: Verdict) -> str:
    names = {Verdict.A_BETTER: choice.a, Verdict.B_BETTER: choice.b}
    return f"{names[verdict]} is better" if verdict.has_winner else "nothing is decided"


def _elsewhere(choice: MetricChoice) -> str:
    """What the metrics say that disagree, how many they are, and the clearest of them."""
    counts = {
        Verdict.A_BETTER: choice.significant_a,
        Verdict.B_BETTER: choice.significant_b,
        Verdict.UNDECIDED: choice.n_metrics - choice.significant_a - choice.significant_b,
    }
    return " and ".join(
        f"{_says(choice, verdict)} by {n} of {choice.n_metrics} metrics{_clearest(choice, verdict, n)}"
        for verdict, n in counts.items()
        if n and verdict != choice.verdict
    )


def _clearest(choice: MetricChoice, verdict: Verdict, n: int) -> str:
    views = [view for view in choice.views if view.verdict == verdict]
    if not views:
        return ""
    extreme = min if verdict.has_winner else max
    view = extreme(views, key=lambda one: 1.0 if one.p_value is None else one.p_value)
    return f" ({'such as ' if n > 1 else ''}{metric_name(view.metric, view.until)}, {p_text(view.p_value)})"


def _left(choice: MetricChoice) -> str:
    """What remains once the p-values hold for all metrics together."""
    n, left = choice.significant_a + choice.significant_b, choice.survivors
    if not choice.views or not n:
        return ""
    several = f"{left or 'none'} of these {n} {'remain' if left > 1 else 'remains'}"
    remain = several if n > 1 else "it remains" if left else "it does not remain"
    luck = ": that many looks find as much by luck" if choice.only_by_luck else ""
    return f" Corrected for a choice among {choice.n_metrics} metrics, {remain} significant{luck}."


def _agree(audit: Audit) -> Finding:
    n = len(audit.metrics)
    decided = sum(choice.verdict.has_winner for choice in audit.metrics)
    if n == 1:
        (choice,) = audit.metrics
        pair = f"{choice.a} against {choice.b}{on(choice.task)}"
        sentence = f"{pair}: {_same(choice)}."
    else:
        sentence = (
            f"In none of {n} pairs does another metric of the whole training turn the conclusion ({decided} differ by "
            "the metric of this audit, each looked at alone)."
        )
    return Finding(
        "The metric makes no difference",
        sentence,
        Level.OK,
        {"n_pairs": n, "n_metrics": max(choice.n_metrics for choice in audit.metrics)},
        f"Report {metric_name(audit.metric)}; no other metric of these curves would have said more.",
    )


def _same(choice: MetricChoice) -> str:
    if not choice.turned and choice.verdict.has_winner:
        return f"{_says(choice, choice.verdict)} by all {choice.n_metrics} metrics"
    if not choice.turned:
        return (
            f"none of {choice.n_metrics} metrics tells them apart; {choice.a} is ahead by {choice.ahead_a} of them, "
            f"{choice.b} by {choice.ahead_b}"
        )
    early = choice.n_metrics - choice.n_at_end
    return (
        f"{_says(choice, choice.verdict)} by all {choice.n_at_end} metrics of the whole training; {choice.turned} of "
        f"{early} that stop earlier do not yet tell them apart"
    )
