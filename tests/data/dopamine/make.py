"""Makes files in the two orders of Dopamine's baselines (baselines/atari/data/*.json): pandas 3.0, drawn values.

Asterix.json goes run after run, with iterations as pandas writes a column with gaps (10.0); Breakout.json goes
iteration after iteration, as the files of later agents do.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def rows(rng: np.random.Generator, agent: str, level: float) -> pd.DataFrame:
    runs = [
        {"Iteration": i, "Value": level * (1 - 0.7**i) + rng.normal(0, level / 20), "Agent": agent}
        for _ in range(4)
        for i in range(8)
    ]
    return pd.DataFrame(runs)


def main() -> None:
    rng = np.random.default_rng(0)
    frame = pd.concat([rows(rng, "DQN", 300.0), rows(rng, "Rainbow", 500.0)]).round({"Value": 4})
    frame["Iteration"] = frame["Iteration"].astype(float)
    frame.to_json(HERE / "Asterix.json", orient="records", indent=1)
    later = pd.concat([rows(rng, "DQN", 30.0), rows(rng, "Rainbow", 50.0)]).round({"Value": 4})
    later.sort_values(["Agent", "Iteration"], kind="stable").to_json(HERE / "Breakout.json", orient="records", indent=1)


if __name__ == "__main__":
    main()
