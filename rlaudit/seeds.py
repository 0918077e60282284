"""Named randomness: every stream of random numbers is derived from names, never from a counter.

Adding an agent, a section or a test therefore shifts nobody else's numbers.
"""

import hashlib
import json
from typing import TYPE_CHECKING

from rlaudit.types import Seeds

if TYPE_CHECKING:
    from numpy.random import Generator

_BITS = 31  # the widest range that every consumer takes: some environments store a signed 32-bit seed


def derive(root: int, *names: str | int) -> int:
    """A seed in [0, 2**31) for the stream called `names` under `root`.

    Well mixed: neighbouring roots or names give unrelated seeds. (stable-baselines3 seeds environment i with
    `seed + i`, so that runs with consecutive seeds would share environments.)
    """
    text = json.dumps([root, *names], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - _BITS)


def run_seeds(seed: int) -> Seeds:
    """The three streams of the run that a user calls `seed`: weights, environment, algorithm."""
    return Seeds(init=derive(seed, "init"), env=derive(seed, "env"), algo=derive(seed, "algo"))


def generator(root: int, *names: str | int) -> "Generator":
    """A numpy Generator of its own for the part of the audit called `names`."""
    import numpy as np

    return np.random.default_rng(derive(root, *names))
