"""Makes the samples beside it with stable-baselines3: Monitor files and nothing else, and what the trainer counted.

Made with stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.13.0: python tests/data/monitor/make.py
"""

from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecMonitor

HERE = Path(__file__).parent
torch.set_num_threads(1)


class _Counts(BaseCallback):
    """The total timestep at which each episode ended, as the trainer itself counts."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[tuple[int, float]] = []

    def _on_step(self) -> bool:
        self.ends += [(self.num_timesteps, info["episode"]["r"]) for info in self.locals["infos"] if "episode" in info]
        return True


def _train(envs: Any, seed: int, steps: int) -> list[tuple[int, float]]:
    counts = _Counts()
    A2C("MlpPolicy", envs, seed=seed, device="cpu").learn(steps, callback=counts)
    envs.close()
    return counts.ends


for n_envs in (1, 3):
    for seed in range(3):
        folder = HERE / "logs" / f"a2c-{n_envs}" / f"seed_{seed}"
        ends = _train(make_vec_env("CartPole-v1", n_envs, seed=seed, monitor_dir=str(folder)), seed, 600 * n_envs)
        if n_envs > 1:
            rows = "".join(f"{step},{reward}\n" for step, reward in ends)
            (folder / "counted.csv").write_text(f"step,return\n{rows}")

folder = HERE / "vec_monitor"
for seed in range(2):  # one file for all environments
    envs = VecMonitor(make_vec_env("CartPole-v1", 3, seed=seed), str(folder / f"a2c_seed{seed}"))
    _train(envs, seed, 900)
