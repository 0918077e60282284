"""Sources of chance that a trial can hold still, one at a time, to see whether a run then repeats.

`PROCESS_PINS` replace what Python's own libraries give, for a whole process; libraries that keep a function of their
own (`from time import time` before the pin) escape them, so that a trial sets them before it imports an environment.
`ENVIRONMENT_PINS` act on the training environments, before their first reset. Python's hash seed is held by the
variable PYTHONHASHSEED, which is read when an interpreter starts: see `backends.trial`.
"""

import datetime
import hashlib
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from typing import Any

from rlaudit.seeds import derive
from rlaudit.types import RunSpec

_START = 1_000_000_000.0  # 2001-09-09, where a clock that is held still begins
_TICK = 2**-10  # seconds that pass with each look: a loop that waits for a time must end


@contextmanager
def pinned(names: Sequence[str]) -> Iterator[None]:
    """Holds those of `names` still that are a matter of the process."""
    with ExitStack() as stack:
        for name in names:
            if name in PROCESS_PINS:
                stack.enter_context(PROCESS_PINS[name]())
        yield


@contextmanager
def _replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """(object, attribute, new value), put back afterwards."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


# ---------------------------------------------------------------- of the process


@contextmanager
def _clock() -> Iterator[None]:
    """Each clock ticks only when somebody looks, always alike."""
    looks = count()

    def seconds() -> float:
        return _START + next(looks) * _TICK

    def nanoseconds() -> int:
        return int(seconds() * 1e9)

    class Still(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Still":
            return cls.fromtimestamp(seconds(), tz)

        @classmethod
        def utcnow(cls) -> "Still":
            return cls.fromtimestamp(seconds(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> "Still":
            return cls.now()

    names = ("time", "monotonic", "perf_counter", "process_time")
    plain = [(time, name, seconds) for name in names]
    whole = [(time, f"{name}_ns", nanoseconds) for name in names]
    with _replaced(*plain, *whole, (datetime, "datetime", Still)):
        yield


@contextmanager
def _entropy() -> Iterator[None]:
    """What the operating system gives as random, and with it every generator that is made or seeded without a seed."""
    blocks = count()

    def urandom(n: int) -> bytes:
        seed = next(blocks).to_bytes(8, "big")
        return hashlib.shake_256(seed).digest(n)

    def number() -> int:
        return int.from_bytes(urandom(8), "big")

    seed_one = random.Random.seed  # given None it asks the system from C, past `os.urandom`

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed_one(self, number() if a is None else a, version)

    def seed_global(a: Any = None, version: int = 2) -> None:
        seed(random._inst, a, version)

    changes: list[tuple[Any, str, Any]] = [
        (os, "urandom", urandom),
        (random, "_urandom", urandom),  # of SystemRandom, thus of secrets and NumPy's SeedSequence
        (random.Random, "seed", seed),
        (random, "seed", seed_global),
    ]
    if "torch" in sys.modules:
        torch = sys.modules["torch"]

        def seed_torch() -> int:
            drawn = number() >> 1
            torch.manual_seed(drawn)
            return drawn

        changes += [(torch, "seed", seed_torch), (torch.random, "seed", seed_torch)]
    with _replaced(*changes):
        assert secrets.token_bytes is not None  # imported, so that its SystemRandom is the one that is held
        yield


@contextmanager
def _process() -> Iterator[None]:
    """The numbers by which the system knows a process."""
    with _replaced((os, "getpid", lambda: 4_321), (os, "getppid", lambda: 1_234)):
        yield


PROCESS_PINS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "clock": _clock,
    "entropy": _entropy,
    "process": _process,
}


# ---------------------------------------------------------------- of the environments


def _resets(envs: Sequence[Any], spec: RunSpec) -> None:
    """Every reset gets a seed of its own, not the first one alone."""
    for place, env in enumerate(envs):
        _seed_resets(env, place, spec)


def _seed_resets(env: Any, place: int, spec: RunSpec) -> None:
    reset, episodes = env.reset, count()

    def seeded(**kwargs: Any) -> Any:
        given = derive(spec.seeds.env, "reset", place, next(episodes))
        if kwargs.get("seed") is None:
            kwargs["seed"] = given
        return reset(**kwargs)

    env.reset = seeded


def _spaces(envs: Sequence[Any], spec: RunSpec) -> None:
    """Action and observation spaces of every layer: they make a generator of their own where nobody seeds them."""
    for place, env in enumerate(envs):
        layer, depth = env, 0
        while layer is not None:
            for name in ("action_space", "observation_space"):
                space = getattr(layer, name, None)
                if space is not None:
                    space.seed(derive(spec.seeds.env, "space", place, depth, name))
            layer, depth = vars(layer).get("env"), depth + 1


ENVIRONMENT_PINS: Mapping[str, Callable[[Sequence[Any], RunSpec], None]] = {"resets": _resets, "spaces": _spaces}
