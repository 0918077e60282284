"""Measures how often sequential seeds err: an hour on one core writes data/sequential_calibration.csv.

The real runs of `shared_data` are needed. `--missing` keeps the rows that are there.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from sequential_streams import NAIVE, Row, Setting, committed, simulate, write
from shared_data import FOLDER

KINDS = ("group_sequential", "anytime")
ALIKE = ("normal", "log-normal", "bimodal", "sac", "td3")
STREAMS, MORE, WITH_INTERVALS = 10_000, 40_000, 200  # more where all of alpha is spent: .0497 is not told from .054 by
# 10,000
FUTILITY = 0.1

EXACT = [Setting("group_sequential", world) for world in ALIKE]
SAFE = [Setting(kind, world, agents) for agents in (2, 5) for kind in KINDS for world in ALIKE]
ODD = [
    setting
    for kind in KINDS
    for setting in (
        Setting(kind, "tied"),
        Setting(kind, "normal", batch=3),
        Setting(kind, "normal", tasks=3),
        Setting(kind, "one in five fails"),
        Setting(kind, "sd 3 : 1"),
    )
]
LATE = [Setting("group_sequential", world, spending="late") for world in ("normal", "sac")]
POWER = [
    Setting(kind, world, agents, looks=looks, futility=futility)
    for kind in KINDS
    for world, agents, looks in (
        ("sac v td3", 2, 6),
        ("sac v td3", 2, 4),
        ("sac v td3", 2, 1),
        ("sd .7 apart", 2, 6),
        ("td3", 2, 6),
        ("sac v td3", 5, 6),
        ("three groups", 5, 6),
    )
    for futility in (None, FUTILITY)
]
OTHERS = [
    Setting("group_sequential", "sac v td3", spending="late"),
    Setting("group_sequential", "normal", batch=10, looks=3),
    *(Setting(kind, "sd 3 : 1", 5) for kind in KINDS),
]
CONTRAST = [Setting(NAIVE, world, agents) for agents in (2, 5) for world in ("normal", "sac", "td3")]
PAIRS = [setting for setting in POWER if setting.agents == 2 and (setting.world != "td3" or setting.futility)]
FIVE = [setting for setting in POWER if setting.agents == 5]
SETTINGS: dict[Setting, int] = {
    **dict.fromkeys(EXACT, MORE),
    **dict.fromkeys([setting for setting in SAFE if setting not in EXACT], STREAMS),
    **dict.fromkeys(PAIRS, 2_000),
    **{setting: MORE if setting.kind == "group_sequential" else STREAMS for setting in PAIRS if setting.world == "td3"},
    **dict.fromkeys(ODD, 3_000),
    **dict.fromkeys([*LATE, *OTHERS, *CONTRAST], 1_000),
    **dict.fromkeys(FIVE, 500),
}
INTERVALS = tuple(Setting(kind, world) for kind in KINDS for world in ("normal", "sac v td3"))


def main() -> None:
    if not FOLDER.exists():
        sys.exit(f"{FOLDER}: the real runs of SAC and TD3 are needed")
    wanted = [(setting, streams, False) for setting, streams in SETTINGS.items()]
    wanted += ((setting, WITH_INTERVALS, True) for setting in INTERVALS)
    there = committed() if "--missing" in sys.argv else []
    kept = {(row.setting, row.streams, row.covered is not None): row for row in there}
    rows: list[Row] = []
    for setting, streams, detail in wanted:
        rows.append(kept.get((setting, streams, detail)) or simulate(setting, streams, seed=1 + detail, detail=detail))
        sys.stderr.write(f"{rows[-1]}\n")
        write(rows)


if __name__ == "__main__":
    main()
