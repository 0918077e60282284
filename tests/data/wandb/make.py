"""Writes CSV files in the shape of Weights & Biases' exports, by hand: they cannot be made without its servers.

The shape is that of exports which their users publish: every cell in quotes; for each run "NAME - METRIC" with __MIN
and __MAX behind it, empty where the run logged nothing at that step; groups of runs as "KEY: VALUE - METRIC".
"""

import csv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
METRIC = "eval/mean_reward"
rng = np.random.default_rng(0)
runs = [(agent, seed) for agent in ("ppo", "sac") for seed in (1, 2, 3)]


def write(name: str, names: list[str], rows: list[list[object]]) -> None:
    with (HERE / name).open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([names, *rows])


def chart(name: str, labels: list[str], spread: float) -> None:
    names = ["global_step", *(f"{run} - {METRIC}{end}" for run in labels for end in ("", "__MIN", "__MAX"))]
    rows: list[list[object]] = []
    for step in range(1000, 11_000, 1000):
        row: list[object] = [step]
        for i, _ in enumerate(labels):
            value = round(float(rng.normal(step / 100, 5)), 3)
            logged = (step // 1000) % 2 == 0 or i != 1  # one run logs every other time
            row += [value, value - spread, value + spread] if logged else ["", "", ""]
        rows.append(row)
    write(name, names, rows)


chart("chart.csv", [f"Walker2d-v4__{agent}__{seed}__{1700000000 + seed}" for agent, seed in runs], 0)
chart("grouped.csv", ["exp_name: ppo", "exp_name: sac"], 2)
write(
    "runs.csv",
    ["Name", "State", "Notes", "Created", "Runtime", "env_id", "exp_name", "learning_rate", "seed", METRIC],
    [
        [f"fluffy-cloud-{i}", "crashed" if i == 2 else "finished", "-", "2024-01-01T00:00:00Z", 100 + i, "Walker2d-v4",
         agent, 0.001, seed, "" if i == 2 else round(float(rng.normal(100, 5)), 3)]
        for i, (agent, seed) in enumerate(runs)
    ],
)  # fmt: skip
