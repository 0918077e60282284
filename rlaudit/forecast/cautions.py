"""What a plan must not be taken for."""

from collections.abc import Iterator, Sequence

from rlaudit.forecast.nouns import Forecast, Pilot
from rlaudit.wording import number, on, percent

_EXAGGERATES = 1.1  # type M from which on it is said


def cautions(found: Forecast, pilots: Sequence[Pilot]) -> Iterator[str]:
    """Sentences, those that change most first."""
    seen = [claim for claim in found.claims if claim.gap is not None]
    if found.n_family > 1:
        yield (
            f"{found.n_family:,} comparisons share alpha = {found.alpha:g} (Holm 1979). Each is planned at alpha / "
            f"{found.n_family:,}, so that its power is at least the one shown."
        )
    if seen:
        yield from _winners_curse(found)
        yield from _second_look(found)
    for pilot in pilots:
        where = f"{pilot.agent}{on(pilot.task)}"
        if pilot.n_failed and any(_concerns(claim.a, claim.b, claim.task, pilot) for claim in seen):
            share = percent(pilot.n_failed / (pilot.n + pilot.n_failed))
            yield f"{where}: {share} of the runs failed. Failed runs cost, too, and give no seed: buy so many more."
        if pilot.sd == 0 and any(_concerns(claim.a, claim.b, claim.task, pilot) for claim in seen):
            yield f"{where}: all {pilot.n} seeds score the same. It is planned without a spread, which is too good."


def _concerns(a: str, b: str, task: str, pilot: Pilot) -> bool:
    return task == pilot.task and pilot.agent in (a, b)


def _winners_curse(found: Forecast) -> Iterator[str]:
    worst = max(found.claims, key=lambda claim: claim.type_m or 0.0)
    if worst.type_m and worst.type_m >= _EXAGGERATES:
        yield (
            "A pilot that was picked because its gap looked large shows too large a gap (winner's curse): were "
            f"{worst.text} true as seen, pilots of this size that are significant would show it "
            f"{number(worst.type_m, 2)} times too large. Half the gap takes about four times the seeds."
        )


def _second_look(found: Forecast) -> Iterator[str]:
    there = min((arm.n_seeds for arm in found.arms), default=0)
    if there and any(claim.need and (claim.need.n is None or claim.need.n > there) for claim in found.claims):
        yield (
            "The seeds that are there count, though the power shown is that of as many fresh ones. To test them, and "
            "to add seeds only where nothing is found, is to look twice: two looks at 5 % err in 8.3 % (Armitage, "
            "McPherson & Rowe 1969). Add them whatever the first ones say, or test the new ones alone."
        )
