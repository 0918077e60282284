"""Means and sds that whole numbers cannot have.

The mean of N whole numbers is a multiple of 1 / N (GRIM: Brown & Heathers 2017, Soc. Psychol. Personal. Sci. 8,
363-369). Their sum of squares is whole, and odd where their sum is odd (GRIMMER: Anaya 2016, PeerJ Preprints 4:e2400;
corrected by Allard 2018). With k episodes a seed the score is a k-th of a whole number. Both speak only where the user
says that returns are whole, and only necessary conditions are used: what is flagged is impossible, the rest may still
be wrong.
"""

from collections.abc import Iterator
from math import ceil, floor, sqrt

from rlaudit.printed.nouns import Check, PrintedGroup, PrintedNumber, PrintedResult, Range
from rlaudit.types import Level
from rlaudit.wording import number

_MOST_SUMS = 1_000  # with so many possible sums some sum of squares fits
_SLACK = 1e-9


def grim(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """Is there a whole sum whose mean rounds to the one printed?"""
    for which, group in _groups(result):
        if group.mean is None:
            continue
        n = (group.n or 0) * result.episodes
        sums = _whole(*group.mean.range, n)
        if len(sums) == 0:
            below, above = (turn(group.mean.value * n) / n for turn in (floor, ceil))
            near = f"{_like(below, group.mean)} or {_like(above, group.mean)}"
            sentence = (
                f"{which}mean {group.mean.text} is impossible: the mean of {n} whole numbers is a multiple of 1/{n} "
                f"(nearest {near})."
            )
            evidence = {"mean": group.mean.value, "below": below, "above": above, "n": n}
            yield Check("grim", Level.UNSAFE, "impossible", sentence, f"mean {near}", evidence=evidence)
        elif 1 / n < group.mean.high - group.mean.low:
            sentence = f"{which}mean {group.mean.text}: {n} whole numbers can have any mean with so few decimals."
            yield Check("grim", Level.OK, "unchecked", sentence)
        else:
            yield Check(
                "grim", Level.OK, "consistent", f"{which}{n} whole numbers can have the mean {group.mean.text}."
            )


def grimmer(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """Is there a whole sum of squares, odd or even as the sum is, whose sd rounds to the one printed?"""
    for which, group in _groups(result):
        sd = sd_range(group)
        if group.mean is None or sd is None or group.n is None or group.n < 2:
            continue
        sums = _whole(*group.mean.range, group.n * result.episodes)
        if not 0 < len(sums) <= _MOST_SUMS:
            continue  # 0: `grim` has said so
        scaled = sd[0] * result.episodes, sd[1] * result.episodes
        if any(_has_squares(total, group.n, scaled, group.n - ddof) for total in sums for ddof in (1, 0)):
            continue
        shown = group.sd or group.se
        sentence = (
            f"{which}mean {group.mean.text} with {'sd' if group.sd else 'se'} {shown.text if shown else ''} is "
            f"impossible: no {group.n} whole numbers{_episodes(result)} have both, dividing by n - 1 or by n."
        )
        evidence = {"mean": group.mean.value, "sd_low": sd[0], "sd_high": sd[1], "n": group.n}
        yield Check("grimmer", Level.UNSAFE, "impossible", sentence, "another sd", evidence=evidence)


def sd_range(group: PrintedGroup) -> Range | None:
    """What the sd may be by its own rounding, or by that of the se."""
    if group.sd is not None:
        return max(group.sd.range[0], 0.0), group.sd.range[1]
    if group.se is not None and group.n is not None:
        return max(group.se.range[0], 0.0) * sqrt(group.n), group.se.range[1] * sqrt(group.n)
    return None


def _groups(result: PrintedResult) -> Iterator[tuple[str, PrintedGroup]]:
    if result.integer:
        for position, group in enumerate(result.groups, start=1):
            if group.n is not None:
                yield (f"group {position}: " if len(result.groups) > 1 else ""), group


def _whole(low: float, high: float, n: int) -> range:
    """Whole sums of n numbers whose mean lies in [low, high]."""
    slack = _SLACK * max(abs(low), abs(high), 1) * n
    return range(ceil(low * n - slack), floor(high * n + slack) + 1)


def _has_squares(total: int, n: int, sd: Range, divisor: int) -> bool:
    """Whether n whole numbers with this sum may have an sd in the range."""
    least = (total // n) ** 2 * (n - total % n) + (total // n + 1) ** 2 * (total % n)  # all as equal as can be
    slack = _SLACK * max(total**2 / n, 1)
    low, high = (end**2 * divisor + total**2 / n for end in sd)
    first = max(ceil(low - slack), least)
    first += (first - total) % 2  # x^2 is odd where x is
    return first <= high + slack


def _episodes(result: PrintedResult) -> str:
    return f" (each the mean of {result.episodes} episodes)" if result.episodes > 1 else ""


def _like(value: float, printed: PrintedNumber) -> str:
    decimals = len(printed.text.partition(".")[2])
    return f"{value:.{max(decimals, 0)}f}" if decimals < 12 else number(value)
