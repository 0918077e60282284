"""What all printed results together mean: one finding for each question, the most important first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import numpy as np

from rlaudit.comparisons.corrections import holm
from rlaudit.printed.nouns import Check, Recheck, Rechecked
from rlaudit.types import Finding, Level
from rlaudit.wording import interval, is_are, number, p_text, percent

_ENOUGH = 0.8  # power, and chance of a repetition
_ORDER = {Level.UNSAFE: 0, Level.WARN: 1, Level.OK: 2}
_KINDS = {
    "conclusion": "an approximate p, the exact one being across alpha",
    "inconsistent": "numbers that contradict each other",
    "impossible": "a number that is impossible",
    "one-sided": "a one-sided p that is not called so",
    "other spread": "sd and standard error confused",
    "approximate": "a p that is only approximate",
    "caveat": "a caveat",
}
_STEPS = {
    "conclusion": "Compute the exact p (rlaudit.compare does for few seeds) and draw the conclusion from it.",
    "inconsistent": "Ask for the score of each seed, or which test, n and df it was; rely on neither until then.",
    "impossible": "Ask for the score of each seed; until then do not cite this number.",
    "one-sided": "Double the p, or say beforehand why one side alone was of interest.",
    "other spread": "Ask what the ± is, and redo the test with sds.",
    "approximate": "Print the exact p, and how it was computed.",
    "caveat": "Say with the numbers what they are.",
}


def find(recheck: Recheck) -> Recheck:
    """The same with its findings."""
    rules = (_flagged, _recomputed, _noted, _designs, _effect, _repetition, _family)
    found = [finding for rule in rules for finding in rule(recheck)]
    return replace(recheck, findings=tuple(sorted(found, key=lambda finding: _ORDER[finding.level])))


def _flagged(recheck: Recheck) -> Iterator[Finding]:
    """The headline: what is wrong, or that nothing is."""
    n, n_checked = len(recheck.results), sum(one.was_checked for one in recheck.results)
    evidence: dict[str, float | int | str | None] = {
        "n_results": n, "n_checked": n_checked, "n_flagged": recheck.n_flagged,
    }  # fmt: skip
    flagged = [one for one in recheck.results if one.flagged]
    rest = f" {n - n_checked} could not be checked." if n > n_checked else ""
    if flagged:
        first = min(flagged, key=lambda one: not one.flagged[0].decision_error)
        n_turned = sum(one.flagged[0].decision_error for one in flagged)
        turned = f"; the conclusion at alpha = {recheck.alpha:g} turns in {n_turned}" if n_turned else ""
        head = (
            f"{recheck.n_flagged} of {_results(n)} {is_are(recheck.n_flagged)} flagged ({_counted(flagged)}){turned}. "
        )
        sentence = f"{head if n > 1 else ''}{_example(first, first.flagged[0])}{rest}"
        title = f"{recheck.n_flagged} of {_results(n)} flagged"
        yield Finding(title, sentence, Level.UNSAFE, {**evidence, "n_turned": n_turned}, _STEPS[first.flagged[0].kind])
    elif n_checked:
        sentence = f"In {_results(n)} no number contradicts another, and none is impossible.{rest}"
        step = "Go on to the next question: whether so few seeds carry the conclusion."
        yield Finding("No contradiction", sentence, Level.OK, evidence, step)
    elif not any(one.recomputed for one in recheck.results):
        sentence = f"Nothing could be checked in {_results(n)}: no two of the numbers can be held against each other."
        step = "Add n and the statistic (t, D, U) to each p, or mean, sd and n of each agent."
        yield Finding("Nothing to compare", sentence, Level.WARN, evidence, step)


def _results(n: int) -> str:
    return f"{n} printed result{'s' if n != 1 else ''}"


def _counted(flagged: list[Rechecked]) -> str:
    counts = Counter(one.flagged[0].kind for one in flagged)
    return "; ".join(f"{count} with {_KINDS[kind]}" for kind, count in counts.most_common())


def _example(one: Rechecked, check: Check) -> str:
    where = f"{one.printed.where}, " if one.printed.where else ""
    return f"{where}{one.printed.text}: {check.sentence}"


def _recomputed(recheck: Recheck) -> Iterator[Finding]:
    """The test that belongs to the means, where none is printed; among all of them by Holm."""
    bare = [one for one in recheck.results if one.recomputed and not one.printed.p and not one.printed.statistic]
    if not bare:
        return
    p = [one.recomputed.p_value for one in bare if one.recomputed]
    adjusted = holm(p)
    n_apart = int((adjusted <= recheck.alpha).sum())
    first = bare[int(np.argmin(p))]
    assert first.recomputed is not None
    found = first.recomputed
    numbers = (
        f"difference of the means {number(found.effect)}, {100 * (1 - recheck.alpha):g} % interval "
        f"{interval(found.low, found.high)}, Welch's t test {p_text(found.p_value)}, Hedges' g "
        f"{number(found.hedges_g, 2)} {interval(found.g_low, found.g_high)}"
    )
    if len(bare) == 1:
        verdict = "The means differ" if n_apart else "Undecided: the means may be equal"
        sentence, title = f"{verdict} ({numbers}).", "The test that belongs to the means"
    else:
        where = f"{first.printed.where}, " if first.printed.where else ""
        sentence = (
            f"{n_apart} of {len(bare)} pairs of means differ by Welch's t test among all of them (Holm); the farthest "
            f"apart: {where}{first.printed.text} ({numbers})."
        )
        title = f"The tests that belong to {len(bare)} pairs of means"
    settled = n_apart == len(bare)
    step = "Report the interval beside the means." if settled else "Train more seeds, or report them as undecided."
    evidence = {"n_pairs": len(bare), "n_differ": n_apart, "p_least": min(p), "effect": found.effect}
    yield Finding(title, sentence, Level.OK if settled else Level.WARN, evidence, step)


def _noted(recheck: Recheck) -> Iterator[Finding]:
    """What differs without turning a conclusion."""
    noted = [
        (one, check) for one in recheck.results if one.level == Level.WARN
        for check in one.checks if check.level == Level.WARN
    ]  # fmt: skip
    if noted:
        counts = Counter(check.kind for _, check in noted)
        listed = "; ".join(f"{count} with {_KINDS[kind]}" for kind, count in counts.most_common())
        n = len({id(one) for one, _ in noted})
        head = f"{_results(n)} {'has a note' if n == 1 else 'have notes'} ({listed}). "
        sentence = f"{head if len(recheck.results) > 1 else ''}{_example(*noted[0])}"
        yield Finding(f"{n} with a note", sentence, Level.WARN, {"n_noted": n}, _STEPS[counts.most_common(1)[0][0]])


def _designs(recheck: Recheck) -> Iterator[Finding]:
    """Power, type S and type M at plausible effects, for the most frequent design."""
    if not recheck.designs or not recheck.designs[0].at:
        return
    design = recheck.designs[0]
    powers = ", ".join(f"{percent(one.power)} at {one.effect:g} sd" for one in design.at)
    least, middle = design.at[0], design.at[1]
    sentence = (
        f"{design.n_1} against {design.n_2} seeds find a true difference with a power of {powers} (t test). Of those "
        f"{least.effect:g} sd that come out significant, {percent(least.type_s)} have the wrong sign, and on average "
        f"they look {number(least.type_m, 2)} times as large as they are."
    )
    if design.smallest_p > recheck.alpha:
        sentence += f" No exact test of them can be below {number(design.smallest_p)}."
    enough = middle.power >= _ENOUGH
    step = (
        "Report the interval beside p."
        if enough
        else "Take a result that is not significant for undecided, and the size of a significant one for too large."
    )
    evidence = {
        "n_1": design.n_1, "n_2": design.n_2, "power_small": least.power, "power_one_sd": middle.power,
        "type_s": least.type_s, "type_m": least.type_m, "smallest_p": design.smallest_p,
    }  # fmt: skip
    title = f"What {design.n_1} against {design.n_2} seeds can show"
    yield Finding(title, sentence, Level.OK if enough else Level.WARN, evidence, step)


def _effect(recheck: Recheck) -> Iterator[Finding]:
    """Power at the true difference that the user names, the least of all results."""
    asked = [one for one in recheck.results if one.power_at_effect is not None]
    if not asked:
        if recheck.effect is not None:
            sentence = f"The power at a true difference of {number(recheck.effect)} cannot be said without an sd."
            step = "Give mean, sd and n of both agents."
            yield Finding("Power at the difference asked for", sentence, Level.WARN, {"effect": recheck.effect}, step)
        return
    least = min(asked, key=lambda one: one.power_at_effect or 0)
    where = f" ({least.printed.where})" if least.printed.where else ""
    power = percent(least.power_at_effect)
    sentence = (
        f"A true difference of {number(recheck.effect)} is found with a power of {power}{where}; "
        f"as these seeds know their sd, {percent(least.power_low)} to {percent(least.power_high)}."
    )
    enough = (least.power_low or 0) >= _ENOUGH
    evidence = {"power": least.power_at_effect, "low": least.power_low, "high": least.power_high}
    step = "Report this power as planned." if enough else "Train more seeds before you conclude that there is none."
    yield Finding("Power at the difference asked for", sentence, Level.OK if enough else Level.WARN, evidence, step)


def _repetition(recheck: Recheck) -> Iterator[Finding]:
    """What an exact repetition would show, for results that hold up and are called significant."""
    chances = [
        one.repetition for one in recheck.results
        if one.repetition is not None and not one.flagged and one.printed.p and one.printed.p.value <= recheck.alpha
    ]  # fmt: skip
    if not chances:
        return
    middle = median(chances)
    many = f"{len(chances)} significant results that hold up" if len(chances) > 1 else "The significant result"
    spread = f" in the median, {percent(min(chances))} at least," if len(chances) > 1 else ""
    sentence = (
        f"{many}: a repetition with as many seeds is significant again, the same way round, with a chance of "
        f"{percent(middle)}{spread} by the p as printed; less where the result was selected because it was significant."
    )
    evidence = {"n": len(chances), "median": middle, "least": min(chances)}
    enough = min(chances) >= _ENOUGH
    step = "Cite it with its interval." if enough else "Repeat it with fresh seeds before you build on it."
    yield Finding("What a repetition would show", sentence, Level.OK if enough else Level.WARN, evidence, step)


def _family(recheck: Recheck) -> Iterator[Finding]:
    """Many results at one level."""
    all_ = recheck.family
    if all_.n_p < 2:
        return
    mirrored = (
        f" {all_.n_mirrored} t tests stand there twice, the second time with the sign of t turned."
        if all_.n_mirrored
        else ""
    )
    sentence = (
        f"{all_.n_significant} of {all_.n_p} p-values are at most {recheck.alpha:g}; up to {number(all_.expected, 2)} "
        f"would be expected if nothing differed anywhere. Among all {all_.n_p} (Holm, as printed) "
        f"{all_.n_holm or 'none'} {is_are(all_.n_holm or 1)} significant.{mirrored}"
    )
    evidence = {
        "n_p": all_.n_p, "n_significant": all_.n_significant, "expected": all_.expected, "n_holm": all_.n_holm,
        "n_mirrored": all_.n_mirrored,
    }  # fmt: skip
    lost = all_.n_holm < all_.n_significant
    step = (
        "Say which comparisons belong together, and call significant what is so among all of them."
        if lost
        else "Name the family beside the p-values."
    )
    yield Finding(f"{all_.n_p} p-values together", sentence, Level.WARN if lost else Level.OK, evidence, step)
