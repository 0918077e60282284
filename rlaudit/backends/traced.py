"""The backend `traced`: a run by its own backend, in this process, with a trace of its way where one can be kept.

`treatment` says by which backend, and what is done to it:

    backend: sb3            # the agent's own
    pinned: [clock]         # sources of chance that are held still: `backends.pins`
    until: 2000             # timesteps after which it may stop, once it has learned something; sb3 only
    threads: 2              # of torch and of the libraries below NumPy; 1 unless given
    env_threads: 2          # the same, but only while an environment is at work; sb3 only

Of programs and functions nothing is seen on the way. Their learning curve and their returns are compared.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module

from rlaudit.backends import sb3
from rlaudit.backends.command_program import ONE_THREAD
from rlaudit.backends.pins import pinned
from rlaudit.types import Problem, Progress, RunRecord, RunSpec

PRELOAD = sb3.PRELOAD
_HEAVY = ("rlaudit.backends.sb3_trace", "torch._dynamo")
HASH_SEED = "PYTHONHASHSEED"


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Trains each spec from its beginning."""
    for spec in specs:
        yield replace(_train(spec, progress), spec=spec)


def check(spec: RunSpec) -> list[Problem]:
    """What its own backend finds wrong with it."""
    from rlaudit.backends import BACKENDS

    own = untreated(spec)
    return BACKENDS[own.backend].check(own)


def untreated(spec: RunSpec) -> RunSpec:
    """The run as its own backend knows it."""
    own = replace(spec, backend=spec.treatment["backend"], replicate=0)
    return replace(own, params=_with_variables(spec)) if own.backend == "command" else own


def _with_variables(spec: RunSpec) -> dict[str, object]:
    """A program gets the trial's hash seed and threads, which its backend would otherwise fix."""
    names = [name for name in (HASH_SEED, *ONE_THREAD) if name in os.environ]
    given = {name: os.environ[name] for name in names} | dict(spec.params.get("environment", {}))
    return {**spec.params, "environment": given}


def _train(spec: RunSpec, progress: Progress) -> RunRecord:
    from rlaudit.backends import BACKENDS

    own = untreated(spec)
    if own.backend == "sb3":
        for name in _HEAVY:  # before anything is held still
            import_module(name)
    with pinned(spec.treatment.get("pinned", ())):
        if own.backend == "sb3":
            from rlaudit.backends.sb3_trace import train_traced

            return train_traced(own, progress)
        (record,) = BACKENDS[own.backend].train([own], progress=progress)
        return record
