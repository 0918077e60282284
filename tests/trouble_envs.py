"""Environments that go wrong on purpose. Workers find them by their module: `trouble_envs:Raises-v0`."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv


class _Counting(CartPoleEnv):
    """CartPole that counts its steps over all episodes."""

    def __init__(self, at: int = 50, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at, self.n_steps = at, 0

    def step(self, action: Any) -> Any:
        self.n_steps += 1
        if self.n_steps == self.at:
            self.trouble()
        return super().step(action)

    def trouble(self) -> None:
        raise ValueError(f"the simulator broke at step {self.n_steps}")


class Exits(_Counting):
    def trouble(self) -> None:
        sys.exit("no licence")


class Dies(_Counting):
    """Kills its own process: always, or only where `flag` does not exist yet."""

    def __init__(self, flag: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flag = flag

    def trouble(self) -> None:
        if self.flag and Path(self.flag).exists():
            return
        if self.flag:
            Path(self.flag).touch()
        print("last words", flush=True)  # noqa: T201 - ends up in the failed record
        os.kill(os.getpid(), signal.SIGKILL)


class Sleeps(_Counting):
    """Hangs for longer than any test; leaves its process id."""

    def __init__(self, pid_file: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pid_file = pid_file

    def trouble(self) -> None:
        if self.pid_file:
            Path(self.pid_file).write_text(str(os.getpid()))
        time.sleep(600)


class NanReward(_Counting):
    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action)
        return observation, float("nan") if self.n_steps > self.at else reward, *rest

    def trouble(self) -> None:
        pass


class Endless(CartPoleEnv):
    """Never ends an episode, and names no time limit."""

    def step(self, action: Any) -> Any:
        super().step(action)
        return np.zeros(4, np.float32), 1.0, False, False, {}


class Witness(CartPoleEnv):
    """Writes down what it is given and what it shows, for tests in one process."""

    seen: list[tuple[str, Any]] = []  # noqa: RUF012 - one list for all instances is the point

    def reset(self, **kwargs: Any) -> Any:
        observation, info = super().reset(**kwargs)
        Witness.seen.append(("reset", tuple(observation.tolist())))
        return observation, info

    def step(self, action: Any) -> Any:
        Witness.seen.append(("action", int(action)))
        return super().step(action)


LIMIT = {"max_episode_steps": 500}
gymnasium.register("Raises-v0", _Counting, **LIMIT)
gymnasium.register("Exits-v0", Exits, **LIMIT)
gymnasium.register("Dies-v0", Dies, **LIMIT)
gymnasium.register("Sleeps-v0", Sleeps, **LIMIT)
gymnasium.register("NanReward-v0", NanReward, **LIMIT)
gymnasium.register("Endless-v0", Endless)
gymnasium.register("Witness-v0", Witness, **LIMIT)
