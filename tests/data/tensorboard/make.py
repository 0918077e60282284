"""Makes the event files beside it, and `oracle.json`: what the tensorboard package reads from them.

Made with torch 2.13.0 (its SummaryWriter), tensorboard 2.21.0, stable-baselines3 2.9.2, gymnasium 1.4.0.
"""

import json
import shutil
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.monitor import Monitor
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

HERE = Path(__file__).parent


def cleanrl(agent: str, seed: int, rate: float) -> None:
    """Logs as CleanRL's scripts do, with returns that are drawn and no training: 4 environments, 30 episodes."""
    rng = np.random.default_rng([seed, len(agent), round(1e5 * rate)])
    writer = SummaryWriter(str(HERE / "cleanrl" / f"CartPole-v1__{agent}__{seed}__{1700000000 + seed}"))
    args = {"exp_name": agent, "seed": seed, "env_id": "CartPole-v1", "learning_rate": rate, "track": False}
    rows = "\n".join(f"|{key}|{value}|" for key, value in args.items())
    writer.add_text("hyperparameters", "|param|value|\n|-|-|\n" + rows)
    step = 0
    for n_ended in (1, 2, 1, 2) * 5:
        step += 4 * int(rng.integers(5, 20))
        for _ in range(n_ended):
            writer.add_scalar("charts/episodic_return", float(rng.integers(9, 500)), step)
            writer.add_scalar("charts/episodic_length", 20, step)
        writer.add_scalar("charts/learning_rate", rate, step)
    writer.close()


def sb3(seed: int) -> None:
    model = PPO("MlpPolicy", "CartPole-v1", seed=seed, n_steps=64, tensorboard_log=str(HERE / "sb3"))
    evaluated = EvalCallback(Monitor(gym.make("CartPole-v1")), eval_freq=200, n_eval_episodes=2, verbose=0)
    model.learn(640, callback=evaluated, log_interval=2)


def styles() -> None:
    """Every way in which torch writes a number, among other things."""
    writer = SummaryWriter(str(HERE / "styles"))
    for step in range(3):
        writer.add_scalar("old", step / 3, step)
        writer.add_scalar("new", step / 3, step, new_style=True)
        writer.add_scalar("double", step / 3, step, double_precision=True)
        writer.add_scalar("early", step, step - 2)
    writer.add_scalar("nan", float("nan"), 1)
    writer.add_histogram("weights", np.arange(10.0), 1)
    writer.add_image("picture", np.zeros((3, 200, 200)), 1)
    writer.add_hparams({"lr": 0.1}, {"end": 1.0}, run_name="hparams")
    writer.close()


def oracle() -> dict[str, dict[str, list[list[float]]]]:
    """Folder -> tag -> [step, value, wall time] of each point."""
    read: dict[str, dict[str, list[list[float]]]] = {}
    for folder in sorted({file.parent for file in HERE.rglob("events.*")}):
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}, purge_orphaned_data=False)
        events.Reload()
        tags = read.setdefault(folder.relative_to(HERE).as_posix(), {})
        for tag in events.Tags()["scalars"]:
            tags[tag] = [[point.step, point.value, point.wall_time] for point in events.Scalars(tag)]
        for tag in events.Tags()["tensors"]:
            if not tag.endswith("text_summary"):
                tags[tag] = [
                    [point.step, *(point.tensor_proto.float_val or point.tensor_proto.double_val), point.wall_time]
                    for point in events.Tensors(tag)
                ]
    return read


if __name__ == "__main__":
    for name in ("cleanrl", "sb3", "styles"):
        shutil.rmtree(HERE / name, ignore_errors=True)
    for agent, rate in (("ppo", 2.5e-4), ("dqn", 1e-3)):
        for seed in (1, 2, 3):
            cleanrl(agent, seed, rate)
    for seed in (0, 1):
        sb3(seed)
    styles()
    (HERE / "oracle.json").write_text(json.dumps(oracle(), separators=(",", ":")) + "\n")
    sys.stdout.write("".join(f"{file} {file.stat().st_size}\n" for file in sorted(HERE.rglob("*")) if file.is_file()))
