"""Training one run: learn, evaluate on the way, notice when it diverges, and write down what happened."""

import gc
import hashlib
import math
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import DummyVecEnv

from rlaudit.backends.provenance import machine, versions
from rlaudit.backends.sb3 import ALGORITHMS
from rlaudit.backends.sb3_agent import build, monitors
from rlaudit.backends.sb3_evaluation import Evaluator, make_evaluator
from rlaudit.types import Floats, Ints, Progress, RunRecord, RunSpec, TrainingEpisodes

REPORT_SECONDS = 0.25  # between two calls of `progress`
CHECKS = 10  # a run is looked over for NaN at least this many times
Measure: TypeAlias = Callable[[], Mapping[str, NDArray[Any]]]
_PACKAGES = ("rlaudit", "torch", "stable_baselines3", "gymnasium", "numpy")


class TrainingDiverged(ArithmeticError):
    """Weights or returns are not finite: nothing that follows means anything."""


@dataclass
class _Measured:
    """What is known of a run so far; a failed run keeps it."""

    steps: list[int] = field(default_factory=list)
    returns: list[Floats] = field(default_factory=list)
    lengths: list[Ints] = field(default_factory=list)
    envs: list[Any] = field(default_factory=list)  # the Monitors of the training environments
    weights: str = ""
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, step: int, row: tuple[Floats, Ints]) -> None:
        if not np.isfinite(row[0]).all():
            raise TrainingDiverged(f"evaluation returns are not finite at step {step}: {row[0].tolist()}")
        self.steps.append(step)
        self.returns.append(row[0])
        self.lengths.append(row[1])


class Treated(NamedTuple):
    """What an experiment does with an agent, and what it wants to know of it."""

    callback: BaseCallback | None = None  # called beside our own while the agent learns
    measure: Measure = dict  # called after training: what the record keeps beside


Treat: TypeAlias = Callable[[BaseAlgorithm, DummyVecEnv], Treated]


def untreated(agent: BaseAlgorithm, envs: DummyVecEnv) -> Treated:
    """Leaves the agent as it was built."""
    return Treated()


def train_one(spec: RunSpec, progress: Progress, treat: Treat = untreated) -> RunRecord:
    """The record of one run. Whatever goes wrong in it becomes a failed record with the traceback.

    `treat` is given the agent and its environments before the first reset; it must not draw from the global generators.
    """
    measured, started, error = _Measured(), time.process_time(), None
    try:
        with threads(spec.treatment.get("threads", 1)), _quick():
            _learn(spec, measured, progress, treat)
    except Exception:
        error = traceback.format_exc().strip()
    n = spec.evaluation.episodes
    return RunRecord(
        spec=spec,
        status="failed" if error else "done",
        eval_steps=np.array(measured.steps, np.int64),
        eval_returns=np.array(measured.returns).reshape(-1, n),
        eval_lengths=np.array(measured.lengths, np.int64).reshape(-1, n),
        episodes=_training_episodes(measured.envs),
        final_returns=np.empty(0) if error else measured.returns[-1],
        seconds=time.process_time() - started,
        weights_sha256=measured.weights,
        provenance=provenance(spec),
        error=error,
        measurements=measured.beside,
    )


def _learn(spec: RunSpec, measured: _Measured, progress: Progress, treat: Treat) -> None:
    agent, envs = build(spec)
    measured.envs = monitors(envs)
    treated = treat(agent, envs)
    evaluate = make_evaluator(spec, agent, envs)
    watch: BaseCallback = _Watch(spec, evaluate, measured, progress)
    if treated.callback is not None:
        watch = CallbackList([watch, treated.callback])
    try:
        try:
            agent.learn(spec.timesteps, callback=watch)
        finally:  # NaN weights explain an exception better than where they happened to be noticed
            check_finite(agent, measured.envs)
        measured.beside = treated.measure()
        measured.add(agent.num_timesteps, evaluate("final"))
        measured.weights = weights_sha256(agent)
    finally:
        envs.close()
        evaluate.envs.close()


class _Watch(BaseCallback):
    """Evaluates, looks for NaN and reports progress while the agent learns.

    An evaluation belongs to the multiple of `every` that has just been reached, also where several environments step
    over it: the curves of agents with different `n_envs` stay aligned. The last evaluation comes after training.
    """

    def __init__(self, spec: RunSpec, evaluate: Evaluator, measured: _Measured, progress: Progress) -> None:
        super().__init__()
        self.spec, self.evaluate, self.measured, self.progress = spec, evaluate, measured, progress
        self.check_every = max(1, spec.timesteps // CHECKS)
        self.next_check = self.check_every
        self.next_evaluation = spec.evaluation.every or spec.timesteps
        self.next_report = 0.0

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.next_check:
            self.next_check = self.num_timesteps + self.check_every
            check_finite(self.model, self.measured.envs)
        if self.next_evaluation <= self.num_timesteps and self.next_evaluation < self.spec.timesteps:
            self._evaluate(self.spec.evaluation.every or self.spec.timesteps)
        if time.monotonic() >= self.next_report:
            self.next_report = time.monotonic() + REPORT_SECONDS
            self.progress(self.spec, self.num_timesteps)
        return True

    def _evaluate(self, every: int) -> None:
        latest = min(self.num_timesteps, self.spec.timesteps - 1) // every * every
        self.next_evaluation = latest + every
        check_finite(self.model, self.measured.envs)
        self.measured.add(latest, self.evaluate(latest))


def check_finite(agent: BaseAlgorithm, monitors: list[Any]) -> None:
    """DQN and TD3 go on with NaN weights by themselves, and PPO does without torch's argument checks."""
    for name, tensor in agent.policy.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise TrainingDiverged(f"the weights {name!r} are not finite after {agent.num_timesteps} steps")
    if not all(math.isfinite(sum(monitor.episode_returns)) for monitor in monitors):
        raise TrainingDiverged(f"an episode's return is not finite after {agent.num_timesteps} steps")


def weights_sha256(agent: BaseAlgorithm) -> str:
    """A hash over names, types, shapes and bytes of all weights, target networks included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(agent.policy.state_dict().items()):
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _training_episodes(monitors: list[Any]) -> TrainingEpisodes:
    """All environments' episodes in the order of their ends.

    They step together, so that an episode ends at the sum of its environment's lengths so far: an order without clocks.
    """
    episodes = [
        (int(end), index, monitor.episode_returns[i], monitor.episode_lengths[i], monitor.episode_times[i])
        for index, monitor in enumerate(monitors)
        for i, end in enumerate(np.cumsum(monitor.episode_lengths))
    ]
    episodes.sort(key=lambda episode: episode[:2])
    return TrainingEpisodes(
        returns=np.array([episode[2] for episode in episodes], np.float64),
        lengths=np.array([episode[3] for episode in episodes], np.int64),
        seconds=np.array([round(episode[4], 6) for episode in episodes], np.float64),
    )


@contextmanager
def threads(n: int = 1) -> Iterator[None]:
    """One, unless a trial asks for more.

    Two runs with torch's default two threads on two cores were 7 to 20 times slower; and threads change bits.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quick() -> Iterator[None]:
    """Leaves out work that changes no bit. `check_finite` stands in for what torch's checks would have found.

    Warnings are left out too: nobody reads the same one from every seed.
    """
    validate = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    gc.freeze()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.unfreeze()
        torch.distributions.Distribution.set_default_validate_args(validate)


def provenance(spec: RunSpec) -> dict[str, str]:
    """What the bits of a run depend on beside its spec: versions of what it uses, and the processor."""
    used = [ALGORITHMS.get(spec.algo, spec.algo).partition(":")[0].partition(".")[0]]
    used += ["mujoco"] if "mujoco" in sys.modules else []
    return {**versions([*_PACKAGES, *used]), **machine()}
