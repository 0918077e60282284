"""Makes interim*.csv: AdaStop 0.1.3 decides after each file which agents still need seeds.

Run with adastop installed: python make.py. The scores are drawn, the files are read by AdaStop's own `compare`.
"""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
MEANS = {"PPO": 100.0, "SAC": 190.0, "TD3": 200.0}


def main() -> None:
    rng = np.random.default_rng(3)
    agents = list(MEANS)
    for interim in range(1, 5):
        scores = {agent: rng.normal(MEANS[agent], 15, 5).round(3) for agent in agents}
        path = HERE / f"interim{interim}.csv"
        pd.DataFrame(scores).to_csv(path)
        command = ["adastop", "compare", "--n-groups", "4", "--size-group", "5", "--seed", "0", str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        undecided = [
            line.removeprefix("Still undecided about ").split() for line in told.splitlines() if "Still" in line
        ]
        if not undecided:
            break
        agents = [agent for agent in agents if agent in undecided[0]]
    (HERE / ".adastop_comparator.pkl").unlink()


if __name__ == "__main__":
    main()
