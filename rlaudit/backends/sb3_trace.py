"""Following a run of stable-baselines3 along its way: running hashes of what its environments and its agent do.

Nothing that is watched is changed: hashes are taken of copies, and no generator is drawn from.
"""

import hashlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from rlaudit.backends.pins import ENVIRONMENT_PINS
from rlaudit.backends.sb3_training import Treated, train_one, weights_sha256
from rlaudit.traces import BUILT, CHANNELS, DENSE, END, RESET, ROLLOUT, STEP, Recorder
from rlaudit.types import Progress, RunRecord, RunSpec

_PATIENCE = 20  # times the steps after which a run is stopped although its weights have not changed
_WATCH_EVERY = 20  # steps of an environment that are watched for draws, once the trace is no longer dense
_LIBRARIES = ("gymnasium", "stable_baselines3", "rlaudit", "builtins", "abc", "typing")


def train_traced(spec: RunSpec, progress: Progress) -> RunRecord:
    """The record of a run, with the trace of its way and the draws of its environments in the measurements."""
    traces: list[Trace] = []

    def treat(agent: BaseAlgorithm, envs: DummyVecEnv) -> Treated:
        for pin in spec.treatment.get("pinned", ()):
            if pin in ENVIRONMENT_PINS:
                ENVIRONMENT_PINS[pin](envs.envs, spec)
        if "env_threads" in spec.treatment:
            for env in envs.envs:
                _thread_inside(env, spec.treatment["env_threads"])
        traces.append(Trace(spec, agent, envs))
        return Treated(traces[0])

    record = train_one(spec, progress, treat)
    return replace(record, measurements=traces[0].measurements() if traces else {})


def _thread_inside(env: Any, n: int) -> None:
    """`n` threads while this environment is at work; the agent's arithmetic keeps its own, and its bits."""
    for name in ("reset", "step"):
        setattr(env, name, _with_threads(getattr(env, name), n))


def _with_threads(method: Callable[..., Any], n: int) -> Callable[..., Any]:
    def threaded(*args: Any, **kwargs: Any) -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(n)
        try:
            return method(*args, **kwargs)
        finally:
            torch.set_num_threads(before)

    return threaded


class Trace(BaseCallback):
    """Hashes what passes between agent and environments, and stops a trial that has seen enough."""

    def __init__(self, spec: RunSpec, agent: BaseAlgorithm, envs: DummyVecEnv) -> None:
        super().__init__()
        self.until: int | None = spec.treatment.get("until")
        self.recorder, self.step = Recorder(spec.timesteps), 0
        self.hashes = {name: hashlib.blake2b(digest_size=8) for name in CHANNELS if name != "weights"}
        self.agent, self.initial = agent, _weights(agent)
        self.weights, self.has_learned = self.initial, False
        self.draws = Draws(envs)
        self._watch(envs)
        self._row(BUILT)

    def _watch(self, envs: DummyVecEnv) -> None:
        """Methods of this one object are replaced: the agent and its wrappers stay as they are."""
        reset, send, receive = envs.reset, envs.step_async, envs.step_wait

        def watched_reset() -> Any:
            observations = reset()
            self._saw("observations", observations)
            self._row(RESET)
            return observations

        def watched_send(actions: Any) -> None:
            self._saw("actions", actions)
            send(actions)

        def watched_receive() -> Any:
            answer = receive()
            self.step += envs.num_envs
            self._saw("observations", answer[0])
            self._saw("rewards", answer[1])
            self._saw("rewards", answer[2])
            self._row(STEP)
            return answer

        for name, method in (("reset", watched_reset), ("step_async", watched_send), ("step_wait", watched_receive)):
            setattr(envs, name, method)

    def _saw(self, channel: str, value: Any) -> None:
        for array in _arrays(value):
            self.hashes[channel].update(array.tobytes())

    def _row(self, event: int) -> None:
        if self.recorder.wants(event, self.step):
            seen = [int.from_bytes(self.hashes[name].digest(), "big") for name in CHANNELS if name != "weights"]
            if event != STEP:
                self.weights = _weights(self.agent)
                self.has_learned |= self.weights != self.initial
            self.recorder.rows.append((self.step, event, (*seen, self.weights)))

    def _on_rollout_start(self) -> None:
        self._row(ROLLOUT)
        if self.until and self.step >= self.until and not self.has_learned:
            self.has_learned = _weights(self.agent) != self.initial

    def _on_step(self) -> bool:
        """Stops where the trial has seen enough, but not before the agent has learned something."""
        return not self.until or self.step < self.until * (1 if self.has_learned else _PATIENCE)

    def _on_training_end(self) -> None:
        self._row(END)

    def measurements(self) -> dict[str, Any]:
        """The trace, and (resets, steps, watched steps) of each generator that was drawn from."""
        return self.recorder.arrays() | self.draws.arrays()


def _weights(agent: BaseAlgorithm) -> int:
    return int(weights_sha256(agent)[:16], 16)


def _arrays(value: Any) -> Iterator[Any]:
    """In an order that does not depend on anything."""
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _arrays(value[name])
    elif isinstance(value, tuple):
        for part in value:
            yield from _arrays(part)
    else:
        yield np.ascontiguousarray(value)


# ---------------------------------------------------------------- draws


class Draws:
    """Which generators the environments draw from that are not their own: the global ones, and those of a class."""

    def __init__(self, envs: DummyVecEnv) -> None:
        self.states = dict(_generators(envs.envs))
        self.counts = {name: [0, 0] for name in self.states}  # resets, steps
        self.n_steps, self.n_watched = 0, 0
        for env in envs.envs:
            self._watch(env)

    def _watch(self, env: Any) -> None:
        reset, step = env.reset, env.step

        def watched_reset(**kwargs: Any) -> Any:
            return self._counted(lambda: reset(**kwargs), 0)

        def watched_step(action: Any) -> Any:
            self.n_steps += 1
            if self.n_steps > DENSE and self.n_steps % _WATCH_EVERY:
                return step(action)
            self.n_watched += 1
            return self._counted(lambda: step(action), 1)

        env.reset, env.step = watched_reset, watched_step

    def _counted(self, call: Callable[[], Any], place: int) -> Any:
        before = {name: state() for name, state in self.states.items()}
        answer = call()
        for name, state in self.states.items():
            self.counts[name][place] += before[name] != state()
        return answer

    def arrays(self) -> dict[str, Any]:
        """Of those that were drawn from at all."""
        return {
            f"draws {name}": np.array([*counts, self.n_watched], np.int64)
            for name, counts in self.counts.items()
            if any(counts)
        }


def _generators(envs: list[Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and a function that gives the state. What two instances share belongs to none of them."""
    yield "random", random.getstate
    yield "numpy", _numpy_state
    yield "torch", lambda: torch.get_rng_state().numpy().tobytes()
    for kind in dict.fromkeys(kind for env in envs for layer in _layers(env) for kind in type(layer).__mro__):
        if kind.__module__.partition(".")[0] in _LIBRARIES:
            continue
        shared = {f"{kind.__name__}.{name}": value for name, value in vars(kind).items()}
        module = {f"{kind.__module__}.{name}": value for name, value in vars(sys.modules[kind.__module__]).items()}
        for name, value in (shared | module).items():
            if isinstance(value, random.Random):
                yield name, value.getstate
            elif isinstance(value, np.random.Generator):
                yield name, partial(_generator_state, value.bit_generator)
            elif isinstance(value, np.random.RandomState):
                yield name, partial(_generator_state, value._bit_generator)


def _numpy_state() -> tuple[int, bytes]:
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002 - to see whether somebody draws from it
    return state["state"]["pos"], state["state"]["key"].tobytes()


def _generator_state(bits: Any) -> str:
    return str(bits.state)


def _layers(env: Any) -> Iterator[Any]:
    """An environment and everything inside its wrappers."""
    while env is not None:
        yield env
        inner = None
        with suppress(AttributeError):
            inner = env.env
        env = inner
