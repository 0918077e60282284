"""The section: Was it the weights or the path?"""

from collections.abc import Iterator

from rlaudit.report.parts import Cell, FigureHtml, KeyFigure, Rows, SectionHtml, Table, ends, figure, full_name, level
from rlaudit.results import Audit, Contrast, Survival, Tickets
from rlaudit.types import Verdict
from rlaudit.wording import (
    decided_of,
    interval,
    listed,
    metric_name,
    number,
    p_text,
    percent,
    signed_percent,
    ticket_arm,
)

_DRAWN = 4  # agents on tasks with pictures; the tables have all


def weights_or_path(audit: Audit) -> SectionHtml | None:
    """None where the experiment was another one."""
    if not audit.tickets:
        return None
    return SectionHtml(
        "tickets",
        "Was it the weights or the path?",
        tuple(sentence for one in audit.tickets for sentence in _sentences(audit, one)),
        tuple(
            picture for place, one in enumerate(audit.tickets[:_DRAWN]) for picture in _figures(audit, one, str(place))
        ),
        (_contrasts(audit), _arms(audit), _relived(audit)),
        tuple(_method(audit)),
    )


def _name(audit: Audit, one: Tickets) -> str:
    return full_name(one.agent, one.task) if len({other.task for other in audit.tickets}) > 1 else one.agent


# ---------------------------------------------------------------- the answer


def _sentences(audit: Audit, one: Tickets) -> Iterator[str]:
    name = _name(audit, one)
    if one.survival:
        yield (
            f"{name}: {_answer(one.survival)} Of {one.n_lineages} initial weights the best and the worst "
            f"{one.survival.n_weights} were trained again, {one.survival.n_runs} runs in all, with the same weights "
            f"and new seeds for everything else. The gap of {number(one.survival.gap)} became "
            f"{number(one.survival.retrained)}: {one.survival.words} is left. Pure luck predicts 0 %."
        )
        yield _general(one)
    tested = [contrast for contrast in one.contrasts if contrast.effect is not None]
    if tested:
        n_open = sum(contrast.verdict.is_open for contrast in tested)
        yield (
            f"The ticket of {name} is a mask and the weights that it was found with. "
            f"{decided_of(len(tested), n_open, 'comparison')} ({audit.family}). {one.decided}"
        )
    if one.final:
        n = sum(not contrast.verdict.is_open for contrast in one.final)
        yield (
            f"The score is {metric_name(audit.metric)}. By the final evaluation {n} of {len(one.final)} of the same "
            "comparisons would be decided: the metric decides what can be seen, so choose it before you look."
        )
    if one.n_prunable and one.n_exact == one.n_masked_runs:
        yield (
            f"Masks: in all {one.n_masked_runs} masked runs as many of the {one.n_prunable:,} weights are zero after "
            "training as the sparsity says, to one weight."
        )


def _answer(found: Survival) -> str:
    words = {"path": "mostly the path.", "weights": "mostly the weights.", "undecided": "undecided."}
    return words[found.mostly]


def _general(one: Tickets) -> str:
    found = one.survival
    assert found is not None
    general = (
        f"For weights in general, of which these {2 * found.n_weights} are a sample, the interval is "
        f"{percent_interval(found.general_low, found.general_high)}."
        if found.general_low is not None
        else "One set of weights on each side says nothing of weights in general."
    )
    if one.correlation is None:
        return f"This is about these weights. {general}"
    return (
        f"This is about these weights. {general} Over all {one.n_lineages} weights the scores of two runs from the "
        f"same weights correlate with r = {number(one.correlation, 2)} "
        f"{interval(one.correlation_low, one.correlation_high)}; r is the share that is expected to survive."
    )


def percent_interval(low: float | None, high: float | None) -> str:
    """`[-12 %, 54 %]`; shares of a gap may be below zero."""
    return f"[{signed_percent(low)}, {signed_percent(high)}]"


# ---------------------------------------------------------------- pictures


def _figures(audit: Audit, one: Tickets, key: str) -> Iterator[FigureHtml]:
    name = _name(audit, one)
    arms = "; ".join(
        f"{arm.label} {number(arm.mean)} {ends(arm.low, arm.high)}" for arm in one.arms if arm.mean is not None
    )
    yield figure(
        "tickets_by_sparsity", key, f"Mean score of {name} by mask and weights. {arms}.", one,
        caption=f"{name}: mean over {one.n_lineages} lineages, {level(audit)} intervals. Dotted: the same weights "
        "without a mask. A lineage is a set of initial weights and the masks found from it.",
    )  # fmt: skip
    if one.survival:
        words = one.survival.words
        title = f"Lucky and unlucky initial weights of {name}, before and after: {words} is left of the gap."
        caption = (
            f"{name}: at the left the runs that the best and the worst weights were chosen by, at the right all new "
            f"runs from the same weights (diamonds: means, {level(audit)} intervals). Dotted: the mean of a new run "
            "from each of all weights."
        )
        yield figure("luck_drawn_anew", key, title, one, caption=caption)


# ---------------------------------------------------------------- tables


_VERDICTS = {Verdict.A_BETTER: "ticket better", Verdict.B_BETTER: "ticket worse"}


def table(audit: Audit) -> Table:
    """A row for each of what was compared; for the terminal, too."""
    rows: Rows = tuple(
        (
            f"{_which(audit, one)}ticket {percent(contrast.sparsity)} - {contrast.against}",
            contrast.difference,
            str(contrast.n_pairs),
            number(contrast.p_adjusted, 2),
            number(contrast.correlation, 2),
            _VERDICTS.get(contrast.verdict, "undecided"),
        )
        for one in audit.tickets
        for contrast in one.contrasts
    )
    survivals: Rows = tuple(
        (
            f"{_which(audit, one)}share of gap left",
            f"{signed_percent(one.survival.share)} {percent_interval(one.survival.low, one.survival.high)}",
            str(one.survival.n_runs),
            number(one.survival.p_value, 2),
            "",
            one.survival.mostly,
        )
        for one in audit.tickets
        if one.survival
    )
    return Table("what was compared", ("compared", "difference", "n", "p *", "r", "verdict"), (*survivals, *rows))


def _which(audit: Audit, one: Tickets) -> str:
    return f"{full_name(one.agent, one.task)}: " if len(audit.tickets) > 1 else ""


def _contrasts(audit: Audit) -> Table:
    head = (
        "agent", "task", "score", "sparsity", "ticket against", "lineages", "difference", level(audit), "sign-flip p",
        "p, Holm", "paired t p", "Welch p", "r of pairs", "verdict",
    )  # fmt: skip
    rows: Rows = tuple(
        (one.agent, one.task, metric, percent(contrast.sparsity), contrast.against, *_numbers(contrast))
        for one in audit.tickets
        for metric, contrasts in ((audit.metric, one.contrasts), ("final", one.final))
        for contrast in contrasts
    )
    return Table("planned comparisons of the ticket", head, rows)


def _numbers(one: Contrast) -> tuple[Cell, ...]:
    p_values = (one.p_value, one.p_adjusted, one.paired_t_p, one.welch_p)
    return (
        one.n_pairs, one.effect, ends(one.low, one.high), *(p_text(p).removeprefix("p = ") for p in p_values),
        one.correlation, _VERDICTS.get(one.verdict, "undecided"),
    )  # fmt: skip


def _arms(audit: Audit) -> Table:
    rows: Rows = tuple(
        (one.agent, one.task, arm.name, percent(arm.sparsity), arm.n, arm.n_failed, arm.mean, ends(arm.low, arm.high))
        for one in audit.tickets
        for arm in one.arms
    )
    head = ("agent", "task", "arm", "sparsity", "lineages", "failed", "mean", level(audit))
    return Table("every arm", head, rows)


def _relived(audit: Audit) -> Table:
    rows: Rows = tuple(
        (
            one.agent, one.task, str(weights.seed), "lucky" if weights.lucky else "unlucky", weights.original,
            weights.mean, ends(weights.low, weights.high), len(weights.scores), weights.n_failed,
        )
        for one in audit.tickets
        for weights in one.relived
    )  # fmt: skip
    head = ("agent", "task", "weights of seed", "chosen as", "chosen by", "new runs", level(audit), "n", "failed")
    return Table("lucky and unlucky weights", head, rows)


# ---------------------------------------------------------------- how


def _method(audit: Audit) -> Iterator[str]:
    yield (
        "Tickets: iterative magnitude pruning with rewinding to the initial weights (Frankle and Carbin 2019; for "
        "agents Yu et al. 2020), over all weight matrices of hidden layers together; biases and output layers stay "
        "whole. Each seed is a lineage with a mask of its own, so that the intervals are about initial weights and "
        "masks, not about one lucky mask."
    )
    yield (
        "Arms: ticket (its mask, its weights); new weights (its mask); permuted mask (as many weights kept in each "
        "layer, elsewhere; its weights); random mask (as many weights kept in all; new weights); again (no mask, its "
        "weights). All arms of a lineage have the same environment and algorithm seeds, which neither its dense run "
        "nor its mask has seen. They are compared in pairs, by the exact sign-flip test, together by Holm; r says what "
        "pairing brought, and Welch's p what would be said without it. Intervals are of one comparison each."
    )
    yield (
        "Luck: the gap of the runs that the weights were chosen by is inflated by the choice (regression to the mean), "
        "that of their new runs is not. The share of it that survives has an interval over the new runs, each set of "
        "weights a group of its own (Welch, Satterthwaite). In simulations with three weights a side and eight runs of "
        "each, at the level 95 %, it lies above 0 in 2 to 3 % of experiments where the weights do not matter, and "
        "holds the share in 96 to 98 % where they do."
    )
    yield (
        "Not shown: other tasks, sizes of network, or lengths of training; whether a ticket helps another algorithm; "
        "and what would have happened had the masks been found under several seeds."
    )


# ---------------------------------------------------------------- first screen


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    for one in audit.tickets[:1]:
        yield f"tickets of {full_name(one.agent, one.task)}"
        yield f"{one.n_lineages} initial weights"
        if one.sparsities:
            yield f"{listed(percent(sparsity) for sparsity in one.sparsities)} of weights pruned"
    if len(audit.tickets) > 1:
        yield f"{len(audit.tickets) - 1} more in the report"
    yield f"score: {audit.metric}, {'higher' if audit.higher_is_better else 'lower'} is better"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """The most telling first."""
    for one in audit.tickets:
        name = _name(audit, one)
        if one.survival:
            found = one.survival
            beside = f"{level(audit)} interval {percent_interval(found.low, found.high)}; pure luck predicts 0 %"
            yield KeyFigure(
                f"of the gap between lucky and unlucky weights survives ({name})", signed_percent(found.share), beside
            )
        for contrast in sorted(one.contrasts, key=lambda contrast: -contrast.sparsity):
            if contrast.effect is not None and contrast.against in ("new weights", "permuted mask", "again"):
                beside = f"{level(audit)} interval {ends(contrast.low, contrast.high)}; {_adjusted(contrast)}"
                label = f"ticket − {ticket_arm(contrast.against)}, {percent(contrast.sparsity)} pruned"
                yield KeyFigure(label, number(contrast.effect), beside)


def _adjusted(one: Contrast) -> str:
    return f"Holm {p_text(one.p_adjusted)}"


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The pictures of the first agent."""
    return tuple(picture for one in audit.tickets[:1] for picture in _figures(audit, one, "first")), ""
