"""How often each test errs where there is nothing to find, and how often its interval holds the truth: by simulation.

`measure` does it for one test in one cell; `rlaudit/calibration.csv` holds what it gave for all of them, and
`rlaudit list tests --calibration` prints that. A test on the shelf is calibrated by being there.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from io import StringIO

import numpy as np

from rlaudit import splits
from rlaudit.comparisons import COMPARISONS, PAIRED
from rlaudit.types import Comparison, Floats

ALPHA = 0.05
SIZES = (2, 3, 5, 10, 30)
_CHUNK = 10_000  # experiments at a time, few enough for the exact tests to be exact
N_RESAMPLES = 1_999  # (1 + 1,999) alpha is a whole number; with 999 the expanded bootstrap of 5 v 15 cannot reject

Null = Callable[[np.random.Generator, tuple[int, int]], Floats]  # independent scores (n_rows, n), with mean 0


def _skewed(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    x: Floats = rng.lognormal(0, 1, shape) - np.exp(0.5)
    return x


def _bimodal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Three seeds in ten learn, and end six standard deviations higher."""
    return rng.normal(0, 1, shape) + 6 * (rng.random(shape) < 0.3) - 1.8


def _tied(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Half of the seeds reach the ceiling of the task."""
    return np.minimum(rng.integers(0, 6, shape), 3) - 2.0


NULLS: dict[str, Null] = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "log-normal": _skewed,
    "bimodal": _bimodal,
    "tied": _tied,
}


def pool_null(pool: Floats) -> Null:
    """Real seeds of one agent, each at most once in a row."""
    return lambda rng, shape: (pool - pool.mean())[splits.draw(len(pool), shape[1], shape[0], rng)]


@dataclass(frozen=True)
class Design:
    """n seeds of a against `times` n seeds of b, and how much wider a spreads."""

    times: int
    spread: float

    def __str__(self) -> str:
        return f"n v {'' if self.times == 1 else self.times}n, sd {self.spread:g} : 1"


_SEES_SPREAD = {"kolmogorov_smirnov"}  # which is right to reject where the spreads differ
DESIGNS = (Design(1, 1), Design(1, 3), Design(3, 1), Design(3, 3))


@dataclass(frozen=True)
class Cell:
    """One measurement. Shares of `n_rows` experiments; standard error sqrt(p (1 - p) / n_rows)."""

    test: str
    null: str
    n_a: int
    n_b: int
    spread: float  # sd of a / sd of b
    n_rows: int
    size: float | None  # share with p <= alpha; None where the test's own null hypothesis does not hold
    n_intervals: int
    coverage: float | None  # share of the intervals at level 1 - alpha with the true effect inside; None: no interval


def measure(
    test: str, null: str, draw: Null, design: Design, n: int, *, seed: int, n_rows: int, n_intervals: int
) -> Cell:
    """One test in one cell: `size` from `n_rows` experiments, and `coverage` from `n_intervals` others."""
    rng = np.random.default_rng([seed, n, design.times, int(design.spread)])
    a, b = _groups(draw, design, n, n_intervals, rng)
    bounded = _run(test, a, b, rng, interval=True)
    rejections = 0
    for start in range(0, n_rows, _CHUNK):
        a, b = _groups(draw, design, n, min(_CHUNK, n_rows - start), rng)
        rejections += int((_run(test, a, b, rng, interval=False).p_value <= ALPHA).sum())
    truth = _true_effect(bounded, draw, design)
    has_null = test not in _SEES_SPREAD or design.spread == 1
    inside = (bounded.low <= truth + 1e-9) & (bounded.high >= truth - 1e-9)
    return Cell(
        test=test,
        null=null,
        n_a=n,
        n_b=design.times * n,
        spread=design.spread,
        n_rows=n_rows,
        size=rejections / n_rows if has_null and abs(truth - bounded.null_effect) < 0.01 else None,
        n_intervals=n_intervals,
        coverage=float(inside.mean()) if has_null else None,
    )


def _groups(draw: Null, design: Design, n: int, n_rows: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    x = draw(rng, (n_rows, n * (1 + design.times)))
    return design.spread * x[:, :n], x[:, n:]


def _run(test: str, a: Floats, b: Floats, rng: np.random.Generator, interval: bool) -> Comparison:
    return COMPARISONS[test](a, b, alpha=ALPHA, rng=rng, n_resamples=N_RESAMPLES, interval=interval)


def _true_effect(found: Comparison, draw: Null, design: Design) -> float:
    """What the interval should hold. Means agree in every cell; where a spreads wider and is skewed, ranks do not."""
    if design.spread == 1 or found.estimand == "mean difference":
        return found.null_effect
    rng = np.random.default_rng(0)
    a, b = (np.sort(scale * draw(rng, (10_000, 100)).ravel()) for scale in (design.spread, 1))
    if found.estimand == "P(A > B)":
        return float(np.searchsorted(b, a, "left").mean() + np.searchsorted(b, a, "right").mean()) / 2 / len(b)
    if found.estimand == "trimmed mean difference":
        middle = slice(len(a) // 5, len(a) - len(a) // 5)
        return float(a[middle].mean() - b[middle].mean())
    if found.estimand == "shift":
        return float(np.median(a - rng.permutation(b)))
    behind = np.minimum(a - b, 0) ** 2
    return float(behind.sum() / ((a - b) ** 2).sum())


def cells(
    tests: Iterable[str], nulls: dict[str, Null], repeats: Callable[[str, int], tuple[int, int]]
) -> Iterator[Cell]:
    """Every test in every cell that it can be in; `repeats(test, n_a + n_b)` says how often, sizes and intervals."""
    for test in tests:
        for null, draw in nulls.items():
            for design in DESIGNS:
                if test in PAIRED and design.times > 1:
                    continue
                for n in SIZES:
                    n_rows, n_intervals = repeats(test, n * (1 + design.times))
                    yield measure(test, null, draw, design, n, seed=1, n_rows=n_rows, n_intervals=n_intervals)


# ---------------------------------------------------------------- the committed table

_FILE = "calibration.csv"


def to_csv(measured: Iterable[Cell]) -> str:
    """A row per cell."""
    text = StringIO()
    rows = csv.DictWriter(text, [field.name for field in fields(Cell)], lineterminator="\n")
    rows.writeheader()
    rows.writerows({name: _shown(value) for name, value in asdict(cell).items()} for cell in measured)
    return text.getvalue()


def _shown(value: object) -> object:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else value


def committed() -> tuple[Cell, ...]:
    """What `make calibration` measured last."""
    rows = csv.DictReader(StringIO(files("rlaudit").joinpath(_FILE).read_text(encoding="utf-8")))
    return tuple(_cell(row) for row in rows)


def _cell(row: dict[str, str]) -> Cell:
    return Cell(
        test=row["test"],
        null=row["null"],
        n_a=int(row["n_a"]),
        n_b=int(row["n_b"]),
        spread=float(row["spread"]),
        n_rows=int(row["n_rows"]),
        size=float(row["size"]) if row["size"] else None,
        n_intervals=int(row["n_intervals"]),
        coverage=float(row["coverage"]) if row["coverage"] else None,
    )


def lines(measured: Sequence[Cell]) -> Iterator[str]:
    """The table for people: a block per null and design, a row per test."""
    width = max(len(cell.test) for cell in measured)
    yield f"False positives at alpha = {ALPHA:g} and coverage of the {1 - ALPHA:.0%} intervals, both in percent,"
    yield f"for n = {', '.join(map(str, SIZES))} seeds of a. Empty: the test's own null hypothesis does not hold there,"
    yield "or it gives no interval. Standard error at 5 %: 0.07 of 100,000 experiments, 0.15 of 20,000, 0.3 of 5,000."
    found = {(cell.test, cell.null, cell.n_b // cell.n_a, cell.spread, cell.n_a): cell for cell in measured}
    for null in dict.fromkeys(cell.null for cell in measured):
        for design in DESIGNS:
            yield ""
            yield f"{f'{null}, {design}':<{max(width, 30) + 2}}{'false positives':<31}coverage"
            for test in dict.fromkeys(cell.test for cell in measured):
                row = [found.get((test, null, design.times, design.spread, n)) for n in SIZES]
                shares = [_percent(cell.size if cell else None) for cell in row]
                shares += ["  ", *(_percent(cell.coverage if cell else None) for cell in row)]
                if any(row):
                    yield f"  {test:<{max(width, 28)}}{' '.join(shares)}".rstrip()


def _percent(share: float | None) -> str:
    return " " * 5 if share is None else f"{100 * share:5.1f}"
