"""Measures the calibration table anew: `make calibration` (ten minutes on two cores) writes rlaudit/calibration.csv.

The rows "sac" and "td3" need the real runs of `shared_data`.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from shared_data import FOLDER, finals

from rlaudit import calibration
from rlaudit.calibration import NULLS, Cell, pool_null
from rlaudit.comparisons import COMPARISONS
from rlaudit.same_agent import CLOSED_FORM

TABLE = Path(calibration.__file__).with_name("calibration.csv")
FORMULAS = CLOSED_FORM | {"mann_whitney"}


def repeats(test: str, n_seeds: int) -> tuple[int, int]:
    """As many as take seconds a cell: (experiments for the size, intervals for the coverage)."""
    if test in FORMULAS or (test in ("permutation", "sign_flip") and n_seeds <= 20):
        return 100_000, 5_000
    return (5_000 if test == "almost_stochastic_order" else 20_000), (2_000 if n_seeds <= 20 else 1_000)


def measured(test: str) -> list[Cell]:
    """All cells of one test."""
    nulls = NULLS | {agent: pool_null(finals(agent)) for agent in ("sac", "td3")}
    return list(calibration.cells([test], nulls, repeats))


def main() -> None:
    if not FOLDER.exists():
        sys.exit(f"{FOLDER}: the real runs of SAC and TD3 are needed for their rows of the table")
    kept: dict[str, list[Cell]] = {}
    for cell in calibration.committed() if TABLE.exists() else ():
        kept.setdefault(cell.test, []).append(cell)
    wanted = sys.argv[1:] or list(COMPARISONS)  # a few tests by name; the others keep their rows
    with ProcessPoolExecutor() as pool:
        for test, found in zip(wanted, pool.map(measured, wanted), strict=True):
            kept[test] = found
            sys.stderr.write(f"{test}\n")
    TABLE.write_text(calibration.to_csv(cell for test in COMPARISONS for cell in kept.get(test, [])))


if __name__ == "__main__":
    main()
