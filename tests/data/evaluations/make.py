"""Makes the samples beside it with stable-baselines3: EvalCallback's evaluations.npz, with and without Monitor files.

Made with stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.13.0: python tests/data/evaluations/make.py
"""

from pathlib import Path

import gymnasium
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.monitor import Monitor

HERE = Path(__file__).parent
torch.set_num_threads(1)

for name, algorithm in (("ppo", PPO), ("a2c", A2C)):
    for seed in range(3):
        folder = HERE / "logs" / "CartPole-v1" / f"{name}_s{seed}"
        folder.mkdir(parents=True)
        env = Monitor(gymnasium.make("CartPole-v1"), str(folder) if name == "ppo" else None)
        held_out = EvalCallback(
            Monitor(gymnasium.make("CartPole-v1")), n_eval_episodes=4, eval_freq=256, log_path=str(folder), verbose=0
        )
        extra = {"n_steps": 256} if algorithm is PPO else {}
        algorithm("MlpPolicy", env, seed=seed, device="cpu", **extra).learn(1024, callback=held_out)
        env.close()
