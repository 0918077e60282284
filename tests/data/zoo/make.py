"""Makes the sample beside it with rl_zoo3: two algorithms, three seeds each, models and pickles left out.

Made with rl_zoo3 2.9.2, stable-baselines3 2.9.2, torch 2.13.0: python tests/data/zoo/make.py
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TRAIN = [sys.executable, "-m", "rl_zoo3.train", "--env", "CartPole-v1", "-n", "2000", "-f", "logs", "--device", "cpu"]
TRAIN += ["--eval-freq", "500", "--eval-episodes", "3", "--num-threads", "1"]
KEPT = {".csv", ".npz", ".yml"}

for algo in ("ppo", "a2c"):
    for seed in ("11", "12", "13"):
        subprocess.run([*TRAIN, "--algo", algo, "--seed", seed], cwd=HERE, check=True)
for path in (HERE / "logs").rglob("*"):
    if path.is_file() and path.suffix not in KEPT:
        path.unlink()
