"""Does luck vanish where it must?"""

from collections.abc import Iterator

from rlaudit.results import CONVEX_SPREAD, HIDDEN_SPREAD, Audit, Convex, Surface
from rlaudit.types import Finding, Level
from rlaudit.wording import interval, listed, number, p_text, percent


def convex(audit: Audit) -> Iterator[Finding]:
    """Whether the control passes, and then how much the initial weights matter where the loss is not convex."""
    for one in audit.convex:
        passed = not one.faults
        said = "The auditor finds no seed effect where there is none, and one where there is."
        missed = f"The control fails: {listed(one.faults)}."
        yield Finding(
            "Luck vanishes where it must" if passed else "The control fails",
            f"{said if passed else missed} {spreads_sentence(one)}",
            Level.OK if passed else Level.UNSAFE,
            _evidence(one),
            "A seed effect that the audit reports elsewhere is no artefact of the audit; nor is its silence."
            if passed
            else _way_out(one),
        )
        hidden = one.surface(convex=False)
        if passed and hidden and hidden.gap is not None:
            yield _hidden(one, hidden)


def spreads_sentence(one: Convex) -> str:
    """What was measured on both models."""
    convex, hidden = one.surface(convex=True), one.surface(convex=False)
    parts = []
    if convex:
        parts.append(f"the {convex.n_runs} final losses of the convex model differ by {number(convex.spread, 2)}")
    if hidden:
        parts.append(f"the {hidden.n_runs} behind a hidden layer by {number(hidden.spread, 2)}")
    text = f"{', '.join(parts)} at most, from the same {one.n_states:,} decisions of {one.agent} on {one.task}."
    return text[:1].upper() + text[1:]


def hidden_sentence(hidden: Surface) -> str:
    """How much seeds and initializers matter where the loss has many minima."""
    text = (
        f"Behind the hidden layer {hidden.n_runs} runs end in {hidden.n_minima} different minima. Two groups of "
        f"{hidden.group_size} seeds of one initializer differ by {percent(hidden.gap)} of the loss or more in one of "
        "twenty splits."
    )
    if hidden.farthest is None:
        return text
    better, worse = hidden.farthest
    return (
        f"{text} {hidden.n_apart} of {hidden.n_pairs} pairs of initializers are told apart (smallest adjusted "
        f"{p_text(hidden.smallest_p)}); farthest are {better} and {worse}, by {number(hidden.difference)} "
        f"{interval(hidden.low, hidden.high)}, the largest difference of all pairs."
    )


def _hidden(one: Convex, hidden: Surface) -> Finding:
    return Finding(
        "Behind a hidden layer the initial weights matter",
        hidden_sentence(hidden),
        Level.OK,
        {"n_minima": hidden.n_minima, "gap": hidden.gap, "n_apart": hidden.n_apart, "n_pairs": hidden.n_pairs},
        "Fixing the seed would hide this spread, not remove it: report several seeds.",
    )


def _evidence(one: Convex) -> dict[str, float | int | str | None]:
    found: dict[str, float | int | str | None] = {"within": one.within}
    for name, surface in (("convex", one.surface(convex=True)), ("hidden", one.surface(convex=False))):
        if surface:
            found[f"{name}_spread"] = surface.spread
            found[f"{name}_gradient_norm"] = surface.gradient_norm
            found[f"{name}_schemes_with_seed_effect"] = surface.n_lucky
            found[f"{name}_pairs_apart"] = surface.n_apart
            found[f"{name}_failed"] = surface.n_failed
    return found


def _way_out(one: Convex) -> str:
    convex = one.surface(convex=True)
    if len(one.surfaces) < 2 or any(surface.n_failed for surface in one.surfaces):
        return "Train what is missing, or raise convex.iterations, and run the audit again."
    if convex and not convex.spread < CONVEX_SPREAD:
        return (
            f"The optimiser is at fault: gradients of up to {number(convex.gradient_norm, 2)} allow "
            f"{number(one.within, 2)}. Raise convex.l2."
        )
    if convex and (convex.n_lucky or convex.n_apart):
        return "The auditor is at fault: do not trust its verdicts on other runs, and report this."
    return f"Take data or a layer on which seeds part by more than {HIDDEN_SPREAD:g}: more states, more hidden units."
