"""Writes the samples beside it, with numbers of no meaning. Python alone (pandas 3.1.1, pyarrow 26.0.1 for Parquet)."""

from pathlib import Path
from zlib import crc32

import pandas as pd

HERE = Path(__file__).parent
SEEDS = range(3)


def _number(*names: object) -> float:
    """One that is there once."""
    return crc32(repr(names).encode()) % 9973 / 7


def _scores() -> pd.DataFrame:
    rows = [
        (agent, task, seed, _number(agent, task, seed), "done", "")
        for agent in ("ppo", "a2c")
        for task in ("Hopper", "Walker2d")
        for seed in SEEDS
    ]
    rows[4] = ("ppo", "Walker2d", 1, float("nan"), "failed", "out of memory, at step 70")
    return pd.DataFrame(rows, columns=["agent", "task", "seed", "score", "status", "error"])


def _curves() -> pd.DataFrame:
    rows = [
        (agent, f"run_{seed}", step, _number(agent, seed, step))
        for agent in ("sac", "td3-long")
        for seed in SEEDS
        for step in range(1000, 5000, 1000)
    ]
    return pd.DataFrame(rows, columns=["agent", "seed", "step", "value"])


if __name__ == "__main__":
    _scores().to_csv(HERE / "scores.csv", index=False)
    _curves().to_csv(HERE / "curves.csv", index=False, sep=";")
    _scores().to_parquet(HERE / "scores.parquet", index=False)
