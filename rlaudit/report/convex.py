"""The section: Does luck vanish where it must?"""

from collections.abc import Iterator

from rlaudit.report.parts import Cell, FigureHtml, KeyFigure, SectionHtml, Table, figure
from rlaudit.results import CONVEX_SPREAD, HIDDEN_SPREAD, Audit, Convex, Surface
from rlaudit.rounding import TOLERANCE
from rlaudit.wording import interval, listed, number, p_text, percent

_METHOD = (
    "Data: an agent, the expert, is trained once with a seed of its own; what it sees (standardised) and does in its "
    "evaluation is fitted by softmax regression, and by the same behind one hidden layer of tanh. Loss: mean "
    "cross-entropy plus l2 / 2 times all squared weights. An expert's decisions are often separable: without the l2 "
    "term weights would grow for ever, and there would be no minimum to reach.",
    "Full batch, float64, L-BFGS (Liu and Nocedal 1989) until the loss falls no further; first-order methods stop "
    "short of the minimum and leave noise of their own. A run whose gradient is still larger than 1e-7 counts as "
    "failed. The regularised convex loss has one minimum, and a gradient of norm g proves a loss to lie within "
    "g² / (2 l2) of it (Boyd and Vandenberghe 2004, 9.1.2).",
    "The ordinary audit looks at the final losses of each model, with each initializer as an agent. It knows nothing "
    f"of convexity; scores that agree to one part in {1 / TOLERANCE:,.0f} it takes for one. Zeros are kept away from "
    "the hidden layer: all its units would get the same gradient and stay on a saddle.",
    "What this does not show: that luck vanishes in reinforcement learning with a convex model. There the data depend "
    "on the policy, and differ from run to run.",
)


def does_luck_vanish(audit: Audit) -> SectionHtml | None:
    """None where the experiment was another one."""
    if not audit.convex:
        return None
    return SectionHtml(
        "convex",
        "Does luck vanish where it must?",
        tuple(text for one in audit.convex for text in _sentences(one)),
        tuple(drawn for one in audit.convex for drawn in _figures(one)),
        (table(audit), _models(audit), _said(audit)),
        _METHOD,
    )


def _sentences(one: Convex) -> Iterator[str]:
    answer = "It does, and the auditor sees it." if not one.faults else f"The control fails: {listed(one.faults)}."
    yield f"{answer} {one.spreads_in_words}"
    convex, hidden = one.surface(convex=True), one.surface(convex=False)
    if convex:
        yield (
            f"Convex: the runs from {len(convex.arms)} initializers end after {convex.iterations[0]:,} to "
            f"{convex.iterations[1]:,} iterations, and their gradients, at most {number(convex.gradient_norm, 2)}, "
            f"prove each loss to lie within {number(one.within, 2)} of the one minimum. The audit finds an effect of "
            f"the seed for {convex.n_lucky} of {len(convex.arms)} initializers, and tells {convex.n_apart} of "
            f"{convex.n_pairs} pairs apart."
        )
    if hidden and hidden.gap is not None:
        yield (
            f"{hidden.luck_in_words} No run is still on its way: no gradient is larger than "
            f"{number(hidden.gradient_norm, 2)}."
        )


def _figures(one: Convex) -> Iterator[FigureHtml]:
    yield _distances(one, "section")
    for surface in one.surfaces:
        kind = "convex" if surface.is_convex else "hidden"
        title = (
            f"Loss of {len(surface.paths)} runs of the {_model(surface)} along their iterations. They end "
            f"{number(surface.spread, 2)} apart at most."
        )
        caption = f"{surface.label}: a line for each of {len(surface.paths)} runs, in the colour of its initializer."
        yield figure("loss_paths", f"{kind}-{one.task}-{one.agent}", title, surface, caption=caption)


def _distances(one: Convex, where: str) -> FigureHtml:
    caption = (
        "A point for each run. Dashed: what this control asks for, all convex runs left of the first line, and hidden "
        "ones right of the second. Each model has its own lowest loss, which stands at 0; hidden runs near it found "
        "the same one."
    )
    title = f"Final losses above the lowest of their model. {one.spreads_in_words}"
    return figure("loss_distances", f"{where}-{one.task}-{one.agent}", title, one, caption=caption, wide=True)


def _model(surface: Surface) -> str:
    return "convex model" if surface.is_convex else "model with a hidden layer"


def _short(audit: Audit, one: Surface) -> str:
    """With its task where there are several experts."""
    return one.label if len(audit.convex) > 1 else "convex" if one.is_convex else "hidden layer"


def _surfaces(audit: Audit) -> Iterator[Surface]:
    return (surface for one in audit.convex for surface in one.surfaces)


def _models(audit: Audit) -> Table:
    head = (
        "model", "weights", "runs", "lowest loss", "spread", "different losses", "largest gradient", "iterations",
        "accuracy", "pairs apart", "smallest p", "farthest pair", "difference",
    )  # fmt: skip
    return Table("the two models", head, tuple(tuple(_model_row(surface)) for surface in _surfaces(audit)))


def _model_row(one: Surface) -> Iterator[Cell]:
    yield from (one.label, one.n_weights, one.n_runs, one.lowest, one.spread, one.n_losses, one.gradient_norm)
    yield f"{one.iterations[0]:,} to {one.iterations[1]:,}"
    yield " to ".join(dict.fromkeys(percent(share) for share in one.accuracy))
    yield f"{one.n_apart} of {one.n_pairs}"
    yield p_text(one.smallest_p)
    yield " < ".join(one.farthest) if one.farthest else None
    yield f"{number(one.difference)} {interval(one.low, one.high)}" if one.farthest else None


def _said(audit: Audit) -> Table:
    rows = tuple(
        (surface.label, finding.level.value, finding.title, finding.sentence)
        for surface in _surfaces(audit)
        for finding in surface.said
    )
    return Table("what the ordinary audit says of these losses", ("model", "level", "finding", "sentence"), rows)


# ---------------------------------------------------------------- first screen and terminal


def identity(audit: Audit) -> Iterator[str]:
    """What was done."""
    for one in audit.convex:
        yield f"{one.n_states:,} decisions of {one.agent} on {one.task} (return {number(one.expert_return)})"
    n_failed = sum(arm.n_failed for arm in audit.arms)
    yield f"{sum(arm.n_seeds for arm in audit.arms)} fits from initial weights of their own"
    if n_failed:
        yield f"{n_failed} failed"
    yield "final loss, lower is better"


def key_figures(audit: Audit) -> Iterator[KeyFigure]:
    """The most telling first."""
    for one in audit.convex:
        convex, hidden = one.surface(convex=True), one.surface(convex=False)
        if convex:
            beside = f"{convex.n_runs} runs; it must stay below {_power(CONVEX_SPREAD)}, and gradients prove "
            beside += f"{number(one.within, 2)}"
            yield KeyFigure("spread of the final losses, convex model", number(convex.spread, 2), beside)
        if hidden:
            beside = f"{hidden.n_runs} runs; it must go beyond {_power(HIDDEN_SPREAD)}"
            yield KeyFigure("spread of the final losses, hidden layer", number(hidden.spread, 2), beside)
        if convex:
            beside = f"and {convex.n_apart} of {convex.n_pairs} pairs of initializers told apart"
            label = "initializers with a seed effect by the audit, convex model"
            yield KeyFigure(label, f"{convex.n_lucky} of {len(convex.arms)}", beside)
        if hidden:
            beside = f"and {hidden.n_apart} of {hidden.n_pairs} pairs of initializers told apart"
            label = "initializers with a seed effect by the audit, hidden layer"
            yield KeyFigure(label, f"{hidden.n_lucky} of {len(hidden.arms)}", beside)


def _power(value: float) -> str:
    """`1e-8`."""
    return f"{value:.0e}".replace("e-0", "e-")


def pictures(audit: Audit) -> tuple[tuple[FigureHtml, ...], str]:
    """The picture of the first screen."""
    return tuple(_distances(one, "first") for one in audit.convex[:1]), ""


def table(audit: Audit) -> Table:
    """A row for each model and initializer; for the terminal, too."""
    rows = tuple(
        (
            _short(audit, surface), arm.scheme, arm.mean if arm.seeds else None, max(arm.distances) - min(arm.distances)
            if arm.distances else None, "yes" if arm.n_losses > 1 else "no", arm.n_losses, len(arm.seeds), arm.n_failed,
        )
        for surface in _surfaces(audit)
        for arm in surface.arms
    )  # fmt: skip
    head = ("model", "initializer", "mean loss", "spread", "seed effect", "losses", "seeds", "failed")
    return Table("a row for each model and initializer", head, rows)
