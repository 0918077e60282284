"""Printed numbers, checked: mean +- sd and n, t and p, KS and p. No runs needed.

Text becomes `PrintedResult`s (`cells`, `sentences`), the checks of `CHECKS` look at each of them, and `findings` say
what all of them together mean. A new check is a function of a result and alpha, and a line in `CHECKS`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rlaudit.printed.cells import COLUMNS, Cells, Rows, of_cells, of_table, raise_if
from rlaudit.printed.discrete import between, ks, mann_whitney, smallest
from rlaudit.printed.findings import find
from rlaudit.printed.integers import grim, grimmer
from rlaudit.printed.means import bare_spread, error_bars, means_and_test, recompute
from rlaudit.printed.nouns import Check, PrintedResult, Recheck, Rechecked, to_json
from rlaudit.printed.sentences import of_sentence
from rlaudit.printed.spreads import spread
from rlaudit.printed.t_tests import degrees_of_freedom, t_and_p
from rlaudit.printed.worth import designs, family, power_of_effect, repetition_of

__all__ = [
    "CHECKS",
    "COLUMNS",
    "Cells",
    "Check",
    "PrintedResult",
    "Recheck",
    "Rechecked",
    "Rows",
    "check",
    "of_cells",
    "of_sentence",
    "of_table",
    "raise_if",
    "to_json",
]

CHECKS: Mapping[str, Callable[[PrintedResult, float], Iterator[Check]]] = {
    "t_and_p": t_and_p,
    "degrees_of_freedom": degrees_of_freedom,
    "ks": ks,
    "mann_whitney": mann_whitney,
    "smallest_p": smallest,
    "permutation": between,
    "means": means_and_test,
    "error_bars": error_bars,
    "bare_spread": bare_spread,
    "grim": grim,
    "grimmer": grimmer,
    "spread": spread,
}


def check(
    results: Sequence[PrintedResult], *, alpha: float = 0.05, effect: float | None = None, ignored: Sequence[str] = ()
) -> Recheck:
    """Every check of every result. `effect`: a true difference, in units of the score, whose power is asked for."""
    checked = tuple(_check(one, alpha, effect) for one in results)
    found = Recheck(
        alpha=alpha,
        findings=(),
        results=checked,
        designs=designs(results, alpha),
        family=family(checked, alpha),
        n_flagged=sum(bool(one.flagged) for one in checked),
        effect=effect,
        ignored_columns=tuple(ignored),
    )
    return find(found)


def _check(result: PrintedResult, alpha: float, effect: float | None) -> Rechecked:
    power, low, high = power_of_effect(result, effect, alpha)
    return Rechecked(
        printed=result,
        checks=tuple(said for rule in CHECKS.values() for said in rule(result, alpha)),
        recomputed=recompute(result, alpha),
        repetition=repetition_of(result, alpha),
        power_at_effect=power,
        power_low=low,
        power_high=high,
    )
