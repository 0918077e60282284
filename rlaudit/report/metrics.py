"""The section: Does the conclusion depend on the metric?"""

from collections.abc import Iterator

from rlaudit.report.parts import FigureHtml, Rows, SectionHtml, Table, ends, figure, level, on_task
from rlaudit.results import Audit, MetricChoice, MetricView
from rlaudit.types import Verdict
from rlaudit.wording import listed, metric_name, name_of, number, p_text, percent

_METHOD = (
    "Learning curves are cut after a quarter, a half, three quarters and the whole of the steps that both agents "
    "trained. Agents evaluated at different steps are put on those of the one with fewer evaluations, the other's runs "
    "interpolated; a run counts in a metric if it has all evaluations that the metric reads. The mean of the last k "
    "evaluations is shown where there are 2 k or more; what equals the metric of the audit is not shown again.",
    "Adjusted p-values hold for all metrics of the pair together: step-down max-T over deals of whole seeds (Westfall "
    "and Young 1993), so that metrics that rise and fall together cost little. With a paired test, or where one "
    "agent has more than 1.25 times the seeds of the other: Holm's, which also holds where fewer seeds spread wider.",
    "Why they are needed: between two groups of 5 seeds of one and the same agent Welch's test finds a difference in "
    "2.9 % (SAC on HalfCheetah) and 2.9 % (TD3) of cases by the last evaluation, but in 20 % and 11 % by at least one "
    "of 20 metrics.",
    "That one metric is significant and another is not does not show that the two say different things: look at "
    "whether their intervals overlap.",
)


def metric_choice(audit: Audit) -> SectionHtml | None:
    """The pair that depends most on the metric, which is the first, and a line for each other one."""
    if not audit.metrics or not audit.metrics[0].views:
        return None
    choice = audit.metrics[0]
    return SectionHtml(
        "metric",
        "Does the conclusion depend on the metric?",
        tuple(_sentences(audit, choice)),
        (_figure(audit, choice),),
        (_views(audit, choice), *([_pairs(audit)] if len(audit.metrics) > 1 else [])),
        _METHOD,
    )


def _sentences(audit: Audit, choice: MetricChoice) -> Iterator[str]:
    yield (
        f"{_opening(audit, _pair_name(audit, choice))}: of {choice.n_metrics} metrics {_counted(choice)} "
        f"({name_of(choice.test)}). {metric_name(choice.asked, capital=True)}, the metric of this audit, "
        f"{_says(choice)} ({p_text(choice.views[0].p_value)})."
    )
    yield _chosen_afterwards(choice)
    if choice.turned and not choice.depends:
        yield "Those that say something else stop earlier in the training, where the agents do not differ yet."


def _opening(audit: Audit, name: str) -> str:
    n, depending = len(audit.metrics), sum(one.depends for one in audit.metrics)
    choice = audit.metrics[0]
    if n == 1:
        return "Only for whoever chooses one afterwards" if choice.only_by_luck else "Yes" if depending else "No"
    if not depending:
        return f"No, for none of {n} pairs. {name}, for instance"
    return (
        f"Yes, for {depending} of {n} pairs, each looked at alone, which luck does to one pair of equal agents in "
        f"three to nine. Most of all for {name}"
    )


def _counted(choice: MetricChoice) -> str:
    """`one says that a2c is better, none says that ppo is, and 12 do not tell them apart`."""
    n, a, b = choice.n_metrics, choice.significant_a, choice.significant_b
    says = {0: "none says", 1: "one says", n: "all say"}
    told = [f"{says.get(k, f'{k} say')} that {agent} is better" for k, agent in ((a, choice.a), (b, choice.b))]
    if a + b == 0:
        return "none tells them apart"
    if n in (a, b):
        return told[0 if a else 1]
    left = n - a - b
    return listed([*told, *([f"{left} {'does' if left == 1 else 'do'} not tell them apart"] if left else [])])


def _says(choice: MetricChoice) -> str:
    better = {Verdict.A_BETTER: choice.a, Verdict.B_BETTER: choice.b}.get(choice.verdict)
    return f"says that {better} is" if better else "does not tell them apart"


def _chosen_afterwards(choice: MetricChoice) -> str:
    """What it would mean to report the clearest metric."""
    tested = [view for view in choice.views if view.p_value is not None and view.p_adjusted is not None]
    if not tested or not choice.significant_a + choice.significant_b:
        return f"The mean of {choice.a} is ahead by {choice.ahead_a} of them, that of {choice.b} by {choice.ahead_b}."
    view = min(tested, key=lambda one: one.p_value or 0.0)
    n, left = choice.significant_a + choice.significant_b, choice.survivors
    remain = f"{left or 'none'} of the {n} significant ones" if n > 1 else "it" if left else "not even that one"
    return (
        f"{metric_name(view.metric, view.until, capital=True)} is the clearest: {p_text(view.p_value)} alone, "
        f"{p_text(view.p_adjusted)} for whoever chose it among {choice.n_metrics} after looking. So corrected, "
        f"{remain} {'remain' if left > 1 else 'remains'}. The verdict stays with the metric that was named beforehand."
    )


def _pair_name(audit: Audit, choice: MetricChoice) -> str:
    return on_task(audit, f"{choice.a} against {choice.b}", choice.task)


def _figure(audit: Audit, choice: MetricChoice) -> FigureHtml:
    words = "; ".join(f"{metric_name(view.metric, view.until)} {number(view.gain)}" for view in choice.views)
    title = (
        f"How many standard deviations {choice.a} is better than {choice.b}, by {choice.n_metrics} metrics. {words}."
    )
    caption = (
        f"{_pair_name(audit, choice)}: one point a metric, with its {level(audit)} interval. Filled: significant by "
        f"itself ({name_of(choice.test)}). Square, grey band: the metric of this audit."
    )
    return figure("metric_choice", "most", title, choice, caption=caption, wide=True)


def _views(audit: Audit, choice: MetricChoice) -> Table:
    head = (
        "metric", "training", "seeds", "difference of the means", "interval", "in sd, positive: A better", "p",
        "adjusted p", "says",
    )  # fmt: skip
    rows: Rows = tuple(
        (
            metric_name(view.metric) + (" (asked)" if view.asked else ""), percent(view.until),
            f"{view.n_a} / {view.n_b}", view.effect, ends(view.low, view.high), view.gain, p_text(view.p_value),
            p_text(view.p_adjusted), _verdict(choice, view),
        )
        for view in choice.views
    )  # fmt: skip
    return Table(f"A: {choice.a}, B: {choice.b}, by every metric", head, rows)


def _verdict(choice: MetricChoice, view: MetricView) -> str:
    better = {Verdict.A_BETTER: choice.a, Verdict.B_BETTER: choice.b}.get(view.verdict)
    return f"{better} is better" if better else "undecided"


def _pairs(audit: Audit) -> Table:
    head = ("A", "B", "task", "the conclusion", "metrics", "A better", "B better", "A ahead", "B ahead")
    rows: Rows = tuple(
        (
            one.a, one.b, one.task, "depends" if one.depends else "agrees", one.n_metrics, one.significant_a,
            one.significant_b, one.ahead_a, one.ahead_b,
        )
        for one in audit.metrics
    )  # fmt: skip
    return Table("pairs, those that depend on the metric most first", head, rows)
