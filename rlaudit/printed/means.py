"""From means, sds and numbers of seeds: the t test that belongs to them, and whether the printed t and p are its."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from rlaudit.comparisons.effects import hedges_g
from rlaudit.comparisons.parametric import welch
from rlaudit.printed.integers import sd_range
from rlaudit.printed.nouns import Check, PrintedGroup, PrintedResult, Range, Recomputed
from rlaudit.printed.spreads import half_width
from rlaudit.printed.t_tests import Reading, fits
from rlaudit.printed.words import as_written, meaning, outcome, p_is, span
from rlaudit.types import Floats, Level
from rlaudit.wording import interval, number

_BARS = {"sd": "1 sd", "se": "1 standard error", "ci": "a 95 % interval"}


def recompute(result: PrintedResult, alpha: float) -> Recomputed | None:
    """Welch's test and Hedges' g of the numbers as printed; None where a mean, a spread or an n is missing."""
    samples = [sample for group in result.groups if (sample := _sample(group)) is not None]
    if len(samples) != 2:
        return None
    found = welch(*samples, alpha=alpha, rng=np.random.default_rng(0), n_resamples=0)
    if not np.isfinite(found.df):
        return None  # no spread at all
    g = hedges_g(*samples, alpha=alpha)
    numbers = (found.effect, found.low, found.high, found.statistic, found.df, found.p_value)
    effect, low, high, t, df, p = (float(value) for value in numbers)
    return Recomputed(effect, low, high, t, df, p, g.value, g.low, g.high)


def _sample(group: PrintedGroup) -> Floats | None:
    """Numbers with exactly this mean and sd: t tests and g see nothing else."""
    sd = central_sd(group)
    if group.mean is None or sd is None or group.n is None or group.n < 2:
        return None
    pairs = group.n // 2
    away = sd * sqrt((group.n - 1) / (2 * pairs))
    return group.mean.value + away * np.concatenate([np.ones(pairs), -np.ones(pairs), np.zeros(group.n % 2)])


def central_sd(group: PrintedGroup) -> float | None:
    """The sd as printed, or as the se or the 95 % interval says (by Student's t)."""
    if group.sd is not None:
        return group.sd.value
    if group.n is None or group.n < 2:
        return None
    if group.se is not None:
        return group.se.value * sqrt(group.n)
    half = half_width(group)
    return None if half is None else sum(half) / 2 / float(stdtrit(group.n - 1, 0.975)) * sqrt(group.n)


def means_and_test(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """The printed t and p must follow from the printed means; if not, would they if "sd" were something else?"""
    found = recompute(result, alpha)
    if found is None:
        return
    said = (
        f"the means give Welch t = {number(found.t)}, {number(found.df, 2)} df, {p_is(found.p_value)}, "
        f"{100 * (1 - alpha):g} % interval of the difference {interval(found.low, found.high)}"
    )
    evidence = {"t": found.t, "df": found.df, "p": found.p_value, "effect": found.effect}
    printed_t = result.statistic if result.test in ("t", "student", "welch") else None
    if result.test not in ("", "t", "student", "welch") or (printed_t is None and result.p is None):
        yield Check("means", Level.OK, "unchecked", f"{said[0].upper()}{said[1:]}.", evidence=evidence)
        return
    possible = list(_readings(result))
    fitting = [(kind, one) for kind, one in possible if _fits(result, one)]
    if not fitting:
        exact = _two_sided([one for kind, one in possible if kind == "as printed"]) or (found.p_value, found.p_value)
        yield _contradiction(result, said, exact, found, alpha)
        return
    kind, one = fitting[0]
    if kind != "as printed":
        stands = outcome(result.p, (found.p_value, found.p_value), alpha) if result.p else "open"
        sentence = f"{_printed(result)} would fit if {kind} ({one.name}); as they stand {said}."
        level = Level.WARN if "divide" in kind and stands != "turns" else Level.UNSAFE
        yield Check("means", level, "other spread", sentence, p_is(found.p_value), stands == "turns", evidence)
    elif one.one_sided and result.sides != "one-sided":
        turned = outcome(result.p, (found.p_value, found.p_value), alpha) if result.p else "open"
        sentence = f"p is that of a one-sided test, which is not said; {said}. {meaning(turned, alpha)}"
        level = Level.WARN if turned == "stands" else Level.UNSAFE
        yield Check("means", level, "one-sided", sentence, p_is(found.p_value), turned == "turns", evidence)
    else:
        yield Check("means", Level.OK, "consistent", f"t and p follow from the means ({one.name}).", evidence=evidence)


def _contradiction(result: PrintedResult, said: str, exact: Range, found: Recomputed, alpha: float) -> Check:
    turned = outcome(result.p, exact, alpha) if result.p else "open"
    judged = f" {meaning(turned, alpha)}" if result.p else ""
    sentence = f"{_printed(result)} cannot follow from the means: {said}.{judged}"
    evidence = {"t": found.t, "df": found.df, "p_low": exact[0], "p_high": exact[1]}
    return Check("means", Level.UNSAFE, "inconsistent", sentence, span(exact), turned == "turns", evidence)


def _printed(result: PrintedResult) -> str:
    t = [f"t = {result.statistic.text}"] if result.statistic else []
    return " and ".join([*t, *([as_written(result.p)] if result.p else [])])


def _two_sided(readings: list[Reading]) -> Range | None:
    both = [one.p for one in readings if not one.one_sided]
    return (min(p[0] for p in both), max(p[1] for p in both)) if both else None


def _fits(result: PrintedResult, one: Reading) -> bool:
    """The p of a printed t is looked at by `t_and_p`; here both must come from these means."""
    if result.statistic is not None and result.test in ("t", "student", "welch"):
        low, high = result.statistic.size
        if high < one.t[0] or low > one.t[1]:
            return False
    if result.df is not None and not result.df.meets(*one.df):
        return False
    return result.p is None or fits(result.p, one)


def _readings(result: PrintedResult) -> Iterator[tuple[str, Reading]]:
    """As printed first; then sds that divide by n (numpy's default); then sd and se taken for each other."""
    a, b = result.groups
    sds = sd_range(a), sd_range(b)
    if sds[0] is None or sds[1] is None:  # only intervals are printed
        sds = _point(central_sd(a)), _point(central_sd(b))
    n_a, n_b = a.n or 0, b.n or 0
    by_n = (sqrt(n_a / (n_a - 1)), sqrt(n_b / (n_b - 1)))
    swapped = (1 / sqrt(n_a), 1 / sqrt(n_b)) if a.sd is None else (sqrt(n_a), sqrt(n_b))
    name = "the printed se were sds" if a.sd is None else "the printed sds were standard errors"
    kinds = {"as printed": (1.0, 1.0), "the sds divide by n and not by n - 1": by_n, name: swapped}
    for kind, factors in kinds.items():
        scaled = [(sd[0] * factor, sd[1] * factor) for sd, factor in zip(sds, factors, strict=True) if sd]
        for one_sided in {"two-sided": (False,), "one-sided": (True,), "": (False, True)}[result.sides]:
            for pooled in {"student": (True,), "welch": (False,)}.get(result.test, (False, True)):
                yield kind, _reading(result, scaled[0], scaled[1], pooled, one_sided)


def _point(sd: float | None) -> Range | None:
    return None if sd is None else (0.99 * sd, 1.01 * sd)  # an interval is rounded at both ends


def _reading(result: PrintedResult, sd_a: Range, sd_b: Range, pooled: bool, one_sided: bool) -> Reading:
    """The range of |t| and of df over all means and sds that round to those printed."""
    a, b = result.groups
    assert a.mean is not None
    assert b.mean is not None
    gap = a.mean.range[0] - b.mean.range[1], a.mean.range[1] - b.mean.range[0]
    n_a, n_b = a.n or 0, b.n or 0
    size = max(gap[0], -gap[1], 0.0), max(abs(gap[0]), abs(gap[1]))
    se = tuple(_se(sd_a[end], sd_b[end], n_a, n_b, pooled) for end in (0, 1))
    t = size[0] / se[1] if se[1] else np.inf, size[1] / se[0] if se[0] else np.inf
    if pooled:
        return Reading("Student", t, (n_a + n_b - 2, n_a + n_b - 2), one_sided)
    return Reading("Welch", t, _welch_df(sd_a, sd_b, n_a, n_b), one_sided)


def _se(sd_a: float, sd_b: float, n_a: int, n_b: int, pooled: bool) -> float:
    if pooled:
        variance = ((n_a - 1) * sd_a**2 + (n_b - 1) * sd_b**2) / (n_a + n_b - 2)
        return sqrt(variance * (1 / n_a + 1 / n_b))
    return sqrt(sd_a**2 / n_a + sd_b**2 / n_b)


def _welch_df(sd_a: Range, sd_b: Range, n_a: int, n_b: int) -> Range:
    """df depends on the share of a in the squared error; it is largest, n1 + n2 - 2, at a share of (n1 - 1) / that."""

    def share(one: float, other: float) -> float:
        both = one**2 / n_a + other**2 / n_b
        return one**2 / n_a / both if both else 0.5

    def df(weight: float) -> float:
        return 1 / (weight**2 / (n_a - 1) + (1 - weight) ** 2 / (n_b - 1))

    low, high = share(sd_a[0], sd_b[1]), share(sd_a[1], sd_b[0])
    peak = min(max((n_a - 1) / (n_a + n_b - 2), low), high)
    return min(df(low), df(high)), df(peak)


def error_bars(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """Bars that do not overlap are no test: what p do they have when they just touch?"""
    found = recompute(result, alpha)
    if result.p or result.statistic:
        return  # a test is printed
    if found is None or (a := result.groups[0]).mean is None or (b := result.groups[1]).mean is None:
        return
    kind = "sd" if a.sd and b.sd else "se" if a.se and b.se else "ci"
    bars = [_bar(group, kind) for group in (a, b)]
    gap = abs(found.effect) - sum(bars)
    scale = sum(bars) / abs(found.effect) if found.effect else np.inf
    if gap <= 0 or not np.isfinite(scale):
        return
    touching = Reading("", (abs(found.t) * scale,) * 2, (found.df,) * 2).p[0]
    sentence = (
        f"The bars (mean ± {_BARS[kind]}) do not overlap, which is no test: bars of this kind that just touch have "
        f"{p_is(touching)}; these have {p_is(found.p_value)}."
    )
    level = Level.WARN if found.p_value > alpha else Level.OK
    yield Check("error_bars", level, "caveat", sentence, evidence={"p_touching": touching, "p": found.p_value})


def _bar(group: PrintedGroup, kind: str) -> float:
    if kind == "ci":
        half = half_width(group)
        return sum(half) / 2 if half else 0.0
    shown = group.sd if kind == "sd" else group.se
    return shown.value if shown else 0.0


def bare_spread(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """`247 ± 145`: an sd or a standard error? The answer changes t by sqrt(n)."""
    found = recompute(result, alpha)
    printed = result.p or result.statistic
    confirmed = (
        found and printed and any(kind == "as printed" and _fits(result, one) for kind, one in _readings(result))
    )
    if confirmed or not any(group.bare for group in result.groups):
        return
    sentence = "± is taken for the sd: the text does not say."
    if found is not None:
        a, b = (_point((central_sd(group) or 0) * sqrt(group.n or 1)) or (0.0, 0.0) for group in result.groups)
        p = _reading(result, a, b, pooled=False, one_sided=False).p
        sentence += f" With sds the means have {p_is(found.p_value)}; were it standard errors, {p_is(sum(p) / 2)}."
    yield Check("bare_spread", Level.WARN, "caveat", sentence, "say what ± is", evidence={"bare": "±"})
