"""How many seeds it takes, and what too few of them make of a result.

`formula` knows normal seeds; `simulated` draws from the seeds of a pilot, for any test. Power is that of the two-sided
test: a one-sided critical value once turned .365 into a published .49.
"""

from rlaudit.power.formula import (
    MOST_SEEDS,
    cohen_d_interval,
    retrodesign,
    seeds_for_power,
    seeds_needed,
    smallest_effect,
    student_power,
    welch_power,
)
from rlaudit.power.simulated import (
    PowerAt,
    SmallestEffect,
    simulated_power,
    simulated_seeds_needed,
    simulated_smallest_effect,
)

__all__ = [
    "MOST_SEEDS",
    "PowerAt",
    "SmallestEffect",
    "cohen_d_interval",
    "retrodesign",
    "seeds_for_power",
    "seeds_needed",
    "simulated_power",
    "simulated_seeds_needed",
    "simulated_smallest_effect",
    "smallest_effect",
    "student_power",
    "welch_power",
]
