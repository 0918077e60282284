"""Was it the weights or the path?"""

from collections.abc import Iterator, Sequence

from rlaudit.results import Audit, Contrast, Tickets
from rlaudit.types import Finding, Level, Verdict
from rlaudit.wording import number, on


def tickets(audit: Audit) -> Iterator[Finding]:
    """What the experiment shows, and what it does not."""
    for one in audit.tickets:
        yield _weights_or_path(one)
        yield from _winning_ticket(audit, one)
        yield from _masks(one)
        yield from _failed(one)


# ---------------------------------------------------------------- the weights or the path


def _weights_or_path(one: Tickets) -> Finding:
    found = one.survival
    if found is None:
        return _not_known(one)
    return Finding(
        _TITLES[found.mostly],
        f"{_ANSWERS[found.mostly]}: the {_counted(found.n_weights)} luckiest and the {_counted(found.n_weights)} "
        f"unluckiest of {one.n_lineages} initial weights of {one.agent}{on(one.task)} lay {number(found.gap)} apart. "
        f"From the same weights, with all other seeds new, they are {number(found.retrained)} apart: "
        f"{found.words} is left. {_PARTS[found.mostly, found.carried]}",
        Level.WARN if found.mostly == "undecided" else Level.OK,
        {
            "share": found.share,
            "low": found.low,
            "high": found.high,
            "gap": found.gap,
            "retrained": found.retrained,
            "p_value": found.p_value,
        },
        _STEPS[found.mostly],
    )


def _not_known(one: Tickets) -> Finding:
    name = f"{one.agent}{on(one.task)}"
    said, step = (
        (
            f"The luckiest and the unluckiest initial weights of {name} had the same score, or have too few new runs",
            "Choose a score that still differs between runs, such as auc; look into failed runs.",
        )
        if one.relived
        else (
            f"No initial weights of {name} have been trained again yet",
            "Run the audit on the config: it trains the luckiest and the unluckiest weights again.",
        )
    )
    evidence = {"n_lineages": one.n_lineages, "n_weights": len(one.relived)}
    return Finding("Weights or path: not known", f"{said}: nothing can be said of luck.", Level.WARN, evidence, step)


_TITLES = {
    "path": "Mostly the path, not the weights",
    "weights": "Mostly the weights, not the path",
    "undecided": "The weights or the path: undecided",
}
_ANSWERS = {**_TITLES, "undecided": "Undecided between the weights and the path"}
_PARTS = {
    ("path", True): "So less than half was the weights, but some of it was.",
    ("path", False): "So less than half was the weights, and that any of it was is not shown.",
    ("weights", True): "So more than half was the weights.",
    ("undecided", True): "Some of it was the weights; whether half of it was is open.",
    ("undecided", False): "That the weights matter is not shown, nor that they do not.",
}
_STEPS = {
    "path": "Do not keep initial weights, or a seed, because their run was the best: most of it will not come again.",
    "weights": "Look at what these weights have in common: it may be had on purpose, by another initializer.",
    "undecided": "Raise tickets.retrain_seeds, or the number of seeds, from which the extremes are chosen.",
}


def _counted(n: int) -> str:
    return ("", "one", "two", "three", "four", "five", "six")[n] if n < 7 else str(n)


# ---------------------------------------------------------------- the ticket


def _winning_ticket(audit: Audit, one: Tickets) -> Iterator[Finding]:
    controls = [contrast for contrast in one.contrasts if contrast.against != "again"]
    if not any(contrast.effect is not None for contrast in controls):
        return
    won = [contrast for contrast in controls if contrast.verdict == Verdict.A_BETTER]
    hopeless = _hopeless(audit, one.contrasts)
    evidence = {f"{contrast.against} at {contrast.sparsity:g}": contrast.effect for contrast in one.contrasts}
    yield Finding(
        _ticket_title(won, controls),
        f"{_answer(one, won, controls)} {one.decided}{hopeless}",
        Level.OK if len(won) == len(controls) and not hopeless else Level.WARN,
        evidence,
        "It holds for lineages like these: their masks were found with the seeds of one run each."
        if len(won) == len(controls)
        else "More lineages (seeds) decide more.",
    )


def _ticket_title(won: Sequence[Contrast], controls: Sequence[Contrast]) -> str:
    if len(won) == len(controls):
        return "Mask and weights together make the ticket"
    return "The ticket wins in part" if won else "No winning ticket is shown"


def _answer(one: Tickets, won: Sequence[Contrast], controls: Sequence[Contrast]) -> str:
    ticket = f"ticket of {one.agent}{on(one.task)}"
    if len(won) == len(controls):
        return f"Mask and weights together make the {ticket}."
    return f"The {ticket} is shown to win {f'{len(won)} of' if won else 'none of'} {len(controls)} comparisons."


def _hopeless(audit: Audit, contrasts: Sequence[Contrast]) -> str:
    family = sum(len(one.contrasts) for one in audit.tickets)
    least = min((contrast.min_p for contrast in contrasts if contrast.min_p is not None), default=0.0)
    if least * family <= audit.alpha:
        return ""
    return f" So few lineages cannot decide {family} comparisons: the smallest p of one is {number(least)}."


# ---------------------------------------------------------------- what went wrong


def _masks(one: Tickets) -> Iterator[Finding]:
    if one.n_exact < one.n_masked_runs:
        yield Finding(
            "Masks that are not exact",
            f"{one.n_masked_runs - one.n_exact} of {one.n_masked_runs} masked runs of {one.agent}{on(one.task)} have "
            "another number of zero weights after training than their sparsity says.",
            Level.UNSAFE,
            {"n_exact": one.n_exact, "n": one.n_masked_runs},
            "Report this: an algorithm may change weights past their gradients.",
        )


def _failed(one: Tickets) -> Iterator[Finding]:
    n = sum(arm.n_failed for arm in one.arms) + one.n_retrained_failed
    if n:
        yield Finding(
            "Failed runs",
            f"{n} runs of {one.agent}{on(one.task)} failed; where one is missing its lineage is left out of the "
            "comparison.",
            Level.WARN,
            {"n_failed": n},
            "Look into the errors (failed/*/error.txt), then train them again: --retry-failed.",
        )
