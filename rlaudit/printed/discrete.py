"""Tests whose statistic has few values at few seeds: Kolmogorov-Smirnov, Mann-Whitney, permutation.

Their exact p-values are known beforehand. Older software printed approximations instead, which at five seeds can lie on
the other side of .05.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import ceil, floor, gcd
from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, kolmogorov, ndtr

from rlaudit.comparisons.distributions import kolmogorov_smirnov_p
from rlaudit.comparisons.moments import smallest_p
from rlaudit.comparisons.ranks import mann_whitney_p
from rlaudit.printed.nouns import Check, Kind, PrintedResult, Range
from rlaudit.printed.words import as_written, meaning, outcome, p_is, span
from rlaudit.types import Floats, Level

_MOST_VALUES = 5_000  # of a statistic; more of them leave no gaps to speak of
_DRAWS = 1_000  # of a simulated permutation test, or as many as its p needs: fewer are not usual
_RARE = 1e-3  # a chance at which simulation is no explanation


class Values(NamedTuple):
    """What a statistic can be at these numbers of seeds, untied, in ascending order; all (n_values,)."""

    statistic: Floats
    exact: Floats  # two-sided p
    others: Mapping[str, Floats]  # formula -> its p


@lru_cache(maxsize=64)
def ks_values(n_1: int, n_2: int) -> Values | None:
    """D is a multiple of 1 / lcm(n1, n2). None where there are too many values."""
    step = gcd(n_1, n_2)
    if n_1 * n_2 // step > _MOST_VALUES or min(n_1, n_2) * (n_1 + n_2) > 2**15:
        return None
    reach = np.arange(1, n_1 * n_2 // step + 1) * step
    d, en = reach / (n_1 * n_2), np.sqrt(n_1 * n_2 / (n_1 + n_2))
    formulas = {  # Stephens 1970, J. R. Stat. Soc. B 32, as in scipy up to 1.2; Smirnov 1939
        "the asymptotic formula with Stephens' correction (scipy up to 1.2)": kolmogorov((en + 0.12 + 0.11 / en) * d),
        "the asymptotic formula": kolmogorov(en * d),
        "the exact one-sided test": kolmogorov_smirnov_p(reach, n_1, n_2, "greater"),
    }
    return Values(d, kolmogorov_smirnov_p(reach, n_1, n_2), formulas)


@lru_cache(maxsize=64)
def u_values(n_1: int, n_2: int) -> Values | None:
    """U is a whole number from 0 to n1 n2. None where there are too many values."""
    if n_1 * n_2 > _MOST_VALUES:
        return None
    u = np.arange(n_1 * n_2 + 1, dtype=np.float64)
    away, sd = np.abs(u - n_1 * n_2 / 2), np.sqrt(n_1 * n_2 * (n_1 + n_2 + 1) / 12)
    exact = mann_whitney_p(u, n_1, n_2)
    formulas = {  # Mann & Whitney 1947; the one-sided one was the default of scipy up to 1.6
        "the normal approximation with continuity correction": np.minimum(2 * ndtr((0.5 - away) / sd), 1),
        "the normal approximation": 2 * ndtr(-away / sd),
        "the one-sided normal approximation (scipy up to 1.6)": ndtr((0.5 - away) / sd),
        "the exact one-sided test": np.minimum(exact / 2, 1),
    }
    return Values(u, exact, formulas)


def ks(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """D and p of the Kolmogorov-Smirnov test."""
    if result.test == "ks":
        yield from _discrete("ks", "D", ks_values, result, alpha)


def mann_whitney(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """U and p of the Mann-Whitney test."""
    if result.test == "mann_whitney":
        yield from _discrete("mann_whitney", "U", u_values, result, alpha)


def _discrete(
    name: str, symbol: str, values_of: Callable[[int, int], Values | None], result: PrintedResult, alpha: float
) -> Iterator[Check]:
    values = values_of(*result.ns) if result.ns else None
    if values is None or result.ns is None:
        why = "without n" if result.ns is None else "here: at so many seeds the statistic has no gaps to speak of"
        yield Check(name, Level.OK, "unchecked", f"{symbol} and p are not compared {why}.")
        return
    at = np.arange(len(values.statistic))
    if result.statistic is not None:
        low, high = result.statistic.range
        at = np.flatnonzero((values.statistic >= low) & (values.statistic <= high))
        if not len(at):
            yield _no_such_statistic(name, symbol, values, result)
            return
    if result.p is not None:
        yield _p_of_statistic(name, symbol, values, at, result, alpha)
    else:
        yield Check(name, Level.OK, "consistent", f"{symbol} is possible: {span(_range(values.exact[at]))} exactly.")


def _no_such_statistic(name: str, symbol: str, values: Values, result: PrintedResult) -> Check:
    assert result.statistic is not None
    n_1, n_2 = result.ns or (0, 0)
    found, text = result.statistic.value, result.statistic.text
    if symbol == "U" and 0 <= found <= n_1 * n_2 and float(2 * found).is_integer():
        return Check(name, Level.OK, "unchecked", f"U = {text} means that scores are tied: p depends on how many are.")
    below, above = values.statistic[values.statistic <= found][-1:], values.statistic[values.statistic >= found][:1]
    nearest = np.concatenate([below, above])
    near = " or ".join(f"{one:.4g}" for one in nearest)
    what = f"multiples of 1/{len(values.statistic)}" if symbol == "D" else f"(half) whole numbers from 0 to {n_1 * n_2}"
    sentence = f"{symbol} = {text} is impossible: {n_1} against {n_2} seeds have {what}, the nearest {near}."
    evidence = {"printed": found, "nearest": float(nearest[0])}
    return Check(name, Level.UNSAFE, "impossible", sentence, f"{symbol} = {near}", evidence=evidence)


def _p_of_statistic(
    name: str, symbol: str, values: Values, at: np.ndarray, result: PrintedResult, alpha: float
) -> Check:
    """Exact, from an approximation, or from nowhere. With D or U printed, `at` is all that it may have been."""
    assert result.p is not None
    low, high = result.p.range
    exact = values.exact[at] / (2 if result.sides == "one-sided" and symbol == "U" else 1)
    if result.sides == "one-sided" and symbol == "D":
        exact = values.others["the exact one-sided test"][at]
    if ((exact >= low) & (exact <= high)).any():
        return Check(
            name, Level.OK, "consistent", f"p is the exact one of {symbol}.", evidence=_evidence(result, exact)
        )
    for formula, approximate in values.others.items():
        fits = (approximate[at] >= low) & (approximate[at] <= high)
        if fits.any():
            return _approximate(name, symbol, formula, values.statistic[at][fits], exact[fits], result, alpha)
    turned = outcome(result.p, _range(exact), alpha)
    if result.statistic is None and high < exact.min():
        should = f"{p_is(float(exact.min()))} or more"
        beyond = exact.min() > alpha >= high
        sentence = f"{as_written(result.p)} is impossible at these numbers of seeds: {should}. {_beyond(beyond, alpha)}"
        return Check(name, Level.UNSAFE, "impossible", sentence, should, beyond, _evidence(result, exact))
    if result.statistic is None:
        near = values.exact[np.sort(np.argsort(np.abs(values.exact - result.p.value))[:2])]
        should = " or ".join(dict.fromkeys(p_is(float(p)) for p in near))
        sentence = f"{as_written(result.p)} is none of the exact p-values at these numbers of seeds (near: {should})."
        return Check(name, Level.WARN, "inconsistent", f"{sentence} Ties or simulation could explain it.", should)
    sentence = (
        f"{symbol} = {result.statistic.text} does not give {as_written(result.p)}, by no formula known here; untied "
        f"scores have {span(_range(exact))}. {meaning(turned, alpha)}"
    )
    level = Level.WARN if symbol == "U" and turned == "stands" else Level.UNSAFE  # ties change the p of U freely
    return Check(
        name, level, "inconsistent", sentence, span(_range(exact)), turned == "turns", _evidence(result, exact)
    )


def _approximate(
    name: str, symbol: str, formula: str, statistic: Floats, exact: Floats, result: PrintedResult, alpha: float
) -> Check:
    assert result.p is not None
    turned = outcome(result.p, _range(exact), alpha)
    value = "" if result.statistic else f" ({symbol} = {statistic[0]:.4g})"
    sentence = (
        f"p is that of {formula}{value}; exactly, for untied scores, {span(_range(exact))}. {meaning(turned, alpha)}"
    )
    one_sided: Kind | None = "one-sided" if "one-sided" in formula else None
    if turned == "stands":
        kind, level = one_sided or "approximate", Level.WARN
    else:
        kind, level = one_sided or "conclusion", Level.UNSAFE
    return Check(name, level, kind, sentence, span(_range(exact)), turned == "turns", _evidence(result, exact))


def _range(p: Floats) -> Range:
    return float(p.min()), float(p.max())


def _evidence(result: PrintedResult, exact: Floats) -> dict[str, float | None]:
    low, high = _range(exact)
    return {"p_printed": result.p.value if result.p else None, "p_exact_low": low, "p_exact_high": high}


# ---------------------------------------------------------------- permutation p-values


def smallest(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """No exact p can be below that of the most extreme arrangement of the seeds (STATISTICS: 2v2 1/3 ... 6v6 .0022)."""
    if result.ns is None or result.p is None or result.test != "permutation":
        return  # a D or a U tells more: `ks`, `mann_whitney`
    n_1, n_2 = result.ns
    least = smallest_p(n_1, n_2, "greater" if result.sides == "one-sided" else "two-sided")
    if result.p.range[1] >= least:
        return
    beyond = least > alpha >= result.p.high
    draws = max(_DRAWS, 1 / result.p.value if result.p.value and result.p.low else 0)
    if not beyond and _at_most(result.p.high * draws, draws, least) > _RARE:
        sentence = (
            f"{as_written(result.p)} is below the smallest exact p ({p_is(least)}): simulated from few arrangements?"
        )
        yield Check("smallest_p", Level.WARN, "approximate", sentence, p_is(least), evidence={"min_p": least})
        return
    sentence = (
        f"{as_written(result.p)} is impossible for an exact test of {n_1} against {n_2} seeds: even wholly apart they "
        f"have {p_is(least)}. {_beyond(beyond, alpha)}"
    )
    evidence = {"p_printed": result.p.value, "min_p": least}
    yield Check("smallest_p", Level.UNSAFE, "impossible", sentence, f"{p_is(least)} or more", beyond, evidence)


def _at_most(k: float, n: float, p: float) -> float:
    """Chance of at most k of n."""
    return float(bdtr(floor(k), ceil(n), p))


def _beyond(turned: bool, alpha: float) -> str:
    return meaning("turns", alpha) if turned else "The right p is at least that."


def between(result: PrintedResult, alpha: float) -> Iterator[Check]:
    """The exact p of a permutation test counts arrangements: a multiple of 1 / C(n1 + n2, n1), doubled for equal n."""
    if result.ns is None or result.p is None or result.test != "permutation":
        return
    step = smallest_p(*result.ns, "greater" if result.sides == "one-sided" else "two-sided")
    low, high = result.p.range
    if high < step:
        return  # `smallest` has said so
    if np.floor(high / step) * step >= low:
        yield Check("permutation", Level.OK, "consistent", "p is a multiple of the smallest one.")
        return
    lower = np.floor(low / step) * step
    near = f"{p_is(lower)} or {p_is(lower + step)}"
    sentence = (
        f"{as_written(result.p)} lies between the values that an exact test of {result.ns[0]} against {result.ns[1]} "
        f"seeds can have ({near}); a simulated one may have it."
    )
    turned = outcome(result.p, (lower, lower + step), alpha)
    level = Level.WARN if turned == "stands" else Level.UNSAFE
    yield Check("permutation", level, "approximate", sentence, near, evidence={"step": step})
