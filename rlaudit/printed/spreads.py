"""What is printed beside a mean: sd, se, interval and range of one group must agree with each other."""

from collections.abc import Iterator
from math import sqrt

from scipy.special import ndtri, stdtrit

from rlaudit.printed.nouns import Check, PrintedGroup, PrintedResult, Range
from rlaudit.types import Level
from rlaudit.wording import number

_LEVEL = 0.95  # of printed intervals


def spread(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """Each group by itself."""
    for position, group in enumerate(result.groups, start=1):
        which = f"group {position}: " if len(result.groups) > 1 else ""
        for rule in (_of_one_seed, _constant, _sd_and_se, _interval, _range):
            yield from rule(which, group)


def _of_one_seed(which: str, group: PrintedGroup) -> Iterator[Check]:
    spreads = {"sd": group.sd, "se": group.se, "interval": group.ci or group.ci_low}
    shown = next((f"{name} {one.text}" for name, one in spreads.items() if one), "")
    if group.n == 1 and shown:
        sentence = (
            f"{which}{shown} of 1 seed is impossible: one seed has no spread. If it is that of "
            "episodes or of time, it says nothing of other seeds."
        )
        yield Check("spread", Level.UNSAFE, "impossible", sentence, "2 seeds or more", evidence={"n": 1})


def _constant(which: str, group: PrintedGroup) -> Iterator[Check]:
    if (group.sd and group.sd.value == 0) or (group.se and group.se.value == 0):
        sentence = (
            f"{which}no spread to speak of: have all seeds reached the same ceiling, or is it the spread over episodes "
            "of one run? No t test is possible where neither group has any."
        )
        yield Check("spread", Level.WARN, "caveat", sentence, "a spread over seeds", evidence={"sd": 0.0})


def _sd_and_se(which: str, group: PrintedGroup) -> Iterator[Check]:
    if group.sd is None or group.se is None or group.n is None:
        return
    low, high = _se(group)
    right = f"se = sd / sqrt(n) = {number(group.sd.value / sqrt(group.n))}"
    if group.se.meets(low, high):
        yield Check("spread", Level.OK, "consistent", f"{which}{right}, as printed.")
    else:
        sentence = (
            f"{which}sd {group.sd.text} and se {group.se.text} of {group.n} seeds contradict each other: {right}."
        )
        evidence = {"sd": group.sd.value, "se": group.se.value, "se_expected": group.sd.value / sqrt(group.n)}
        yield Check("spread", Level.UNSAFE, "inconsistent", sentence, right, evidence=evidence)


def _se(group: PrintedGroup) -> Range:
    """The se that belongs to a printed sd; whether each divides by n or by n - 1 is left open."""
    assert group.sd is not None
    assert group.n is not None
    slack = sqrt(group.n / max(group.n - 1, 1))
    return max(group.sd.range[0], 0.0) / sqrt(group.n) / slack, group.sd.range[1] / sqrt(group.n) * slack


def half_width(group: PrintedGroup) -> Range | None:
    """Of the printed interval, with its rounding."""
    if group.ci is not None:
        return max(group.ci.range[0], 0.0), group.ci.range[1]
    if group.ci_low is not None and group.ci_high is not None:
        return (
            max((group.ci_high.range[0] - group.ci_low.range[1]) / 2, 0.0),
            (group.ci_high.range[1] - group.ci_low.range[0]) / 2,
        )
    return None


def _interval(which: str, group: PrintedGroup) -> Iterator[Check]:
    """A 95 % interval is t or 1.96 times the se; a bootstrap may differ, so that this is a note."""
    half = half_width(group)
    if (
        group.mean
        and group.ci_low
        and group.ci_high
        and not group.mean.meets(group.ci_low.range[0], group.ci_high.range[1])
    ):
        sentence = f"{which}the mean {group.mean.text} lies outside its own interval."
        evidence = {"mean": group.mean.value, "low": group.ci_low.value, "high": group.ci_high.value}
        yield Check("spread", Level.UNSAFE, "impossible", sentence, "a mean inside", evidence=evidence)
    if half is None or group.n is None or group.n < 2 or (group.sd is None and group.se is None):
        return
    se = group.se.range if group.se is not None else _se(group)
    middle = group.se.value if group.se is not None else group.sd.value / sqrt(group.n) if group.sd is not None else 0.0
    student, normal = float(stdtrit(group.n - 1, (1 + _LEVEL) / 2)), float(ndtri((1 + _LEVEL) / 2))
    fits = [factor for factor in (student, normal) if se[0] * factor <= half[1] and half[0] <= se[1] * factor]
    evidence = {"half_width": sum(half) / 2, "expected": middle * student}
    should = f"half width {number(evidence['expected'])}"
    if student in fits:
        yield Check("spread", Level.OK, "consistent", f"{which}the interval is {number(student)} times the se.")
    elif normal in fits:
        sentence = f"{which}the interval is 1.96 times the se; with {group.n} seeds it must be {number(student)} times."
        yield Check("spread", Level.WARN, "approximate", sentence, should, evidence=evidence)
    else:
        sentence = (
            f"{which}the interval (half width {number(evidence['half_width'])}) is not the 95 % interval of this mean "
            f"({number(evidence['expected'])}): another level, a bootstrap, or a slip?"
        )
        yield Check("spread", Level.WARN, "inconsistent", sentence, should, evidence=evidence)


def _range(which: str, group: PrintedGroup) -> Iterator[Check]:
    """Scores in [a, b] with mean m have at most the variance (m - a)(b - m) (Bhatia & Davis 2000, Am. Math. Mon.)."""
    low, high, mean = group.minimum, group.maximum, group.mean
    if low is None or high is None or mean is None:
        return
    if not mean.meets(low.range[0], high.range[1]):
        sentence = f"{which}the mean {mean.text} lies outside the range from {low.text} to {high.text}."
        evidence = {"mean": mean.value, "min": low.value, "max": high.value}
        yield Check("spread", Level.UNSAFE, "impossible", sentence, "a mean inside", evidence=evidence)
        return
    if group.sd is None or group.n is None or group.n < 2:
        return
    a, b = low.range[0], high.range[1]
    middle = min(max((a + b) / 2, mean.range[0]), mean.range[1])  # where the bound is largest
    most = sqrt(max((middle - a) * (b - middle), 0) * group.n / (group.n - 1))
    if group.sd.range[0] > most:
        span = f"from {low.text} to {high.text}"
        sentence = f"{which}sd {group.sd.text} is impossible: scores {span} have at most {number(most)}."
        evidence = {"sd": group.sd.value, "most": most}
        yield Check("spread", Level.UNSAFE, "impossible", sentence, f"sd at most {number(most)}", evidence=evidence)
