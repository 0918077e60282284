"""Does luck vanish where it must?"""

from collections.abc import Iterator

from rlaudit.results import CONVEX_SPREAD, HIDDEN_SPREAD, Audit, Convex, Surface
from rlaudit.types import Finding, Level
from rlaudit.wording import listed, number


def convex(audit: Audit) -> Iterator[Finding]:
    """Whether the control passes, and then how much the initial weights matter where the loss is not convex."""
    for one in audit.convex:
        passed = not one.faults
        said = "The auditor finds no seed effect where there is none, and one where there is."
        missed = f"The control fails: {listed(one.faults)}."
        yield Finding(
            "Luck vanishes where it must" if passed else "The control fails",
            f"{said if passed else missed} {one.spreads_in_words}",
            Level.OK if passed else Level.UNSAFE,
            _evidence(one),
            "This checks the audit at its two ends, no luck and luck. How tests err in between: rlaudit calibrate."
            if passed
            else _way_out(one),
        )
        hidden = one.surface(convex=False)
        if passed and hidden and hidden.gap is not None:
            yield _hidden(one, hidden)


def _hidden(one: Convex, hidden: Surface) -> Finding:
    return Finding(
        "Behind a hidden layer the initial weights matter",
        hidden.luck_in_words,
        Level.OK,
        {"n_losses": hidden.n_losses, "gap": hidden.gap, "n_apart": hidden.n_apart, "n_pairs": hidden.n_pairs},
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
