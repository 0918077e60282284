"""An environment that is CartPole, but for the trouble that the fault bench has ordered for a seed and a step.

What is ordered lies in the folder `$RLAUDIT_FAULTS`, in a file named by the environment's seed: its kind, the step, and
how many times. The last time the file goes right before it happens, so that the run goes well when it is trained again.
The environment is the same with and without: so is its run, to the bit.
"""

import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

HOG = 40_000_000  # bytes that are taken at a time


class Faulty(CartPoleEnv):
    """Does what is ordered for its seed at a step of training, and writes down that it was started."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_steps, self.order, self.is_nan = 0, {"at": -1}, False

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        folder = os.environ.get("RLAUDIT_FAULTS")
        if seed is not None and folder is not None:
            note("starts", seed, os.getpid())
            ordered = Path(folder, str(seed))
            self.order = {**json.loads(ordered.read_text()), "file": ordered} if ordered.exists() else {"at": -1}
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        self.n_steps += 1
        if self.n_steps == self.order["at"]:
            kind, file = self.order["kind"], self.order["file"]
            if self.order["times"] == 1:
                file.unlink()
            else:
                file.write_text(json.dumps({"kind": kind, "at": self.order["at"], "times": self.order["times"] - 1}))
            note("injected", kind, file.name)
            TROUBLE[kind](self)
        observation, reward, *rest = super().step(action)
        return observation, float("nan") if self.is_nan else reward, *rest


def note(name: str, *words: object) -> None:
    """A line, in one piece whoever else writes."""
    with Path(os.environ["RLAUDIT_FAULTS"], name).open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def _raise(env: Faulty) -> None:
    raise ValueError("the simulator broke")


def _nan(env: Faulty) -> None:
    env.is_nan = True


def _loop(env: Faulty) -> None:
    while True:
        time.sleep(0.01)  # the machine has better things to do


def _loop_in_c(env: Faulty) -> None:
    """Without letting go of the interpreter: no thread of Python's runs any more."""
    ctypes.PyDLL(None).pause()


def _hog(env: Faulty) -> None:
    held = []
    while len(held) < 100:
        held.append(np.ones(HOG // 8))
        time.sleep(0.05)


def _die(env: Faulty) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _segfault(env: Faulty) -> None:
    ctypes.string_at(0)


def _exit(env: Faulty) -> None:
    sys.exit("no licence")


def _jump(env: Faulty) -> None:
    import sitecustomize

    sitecustomize.jump()


def _parent_gets(number: signal.Signals) -> Callable[[Faulty], None]:
    def send(env: Faulty) -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        assert parent.pid is not None
        os.kill(parent.pid, number)

    return send


TROUBLE: dict[str, Callable[[Faulty], None]] = {
    "exception": _raise,
    "exit": _exit,
    "NaN": _nan,
    "endless loop": _loop,
    "endless loop in C": _loop_in_c,
    "memory": _hog,
    "kill -9 of a worker": _die,
    "segmentation fault": _segfault,
    "dies each time": _die,
    "clock jumps in a worker": _jump,
    "kill -9 of the parent": _parent_gets(signal.SIGKILL),
    "SIGTERM": _parent_gets(signal.SIGTERM),
    "SIGINT": _parent_gets(signal.SIGINT),
}
gymnasium.register("Faulty-v0", Faulty, max_episode_steps=500)
