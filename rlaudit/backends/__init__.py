"""Backends train specs into records. A newcomer adds a module with `train` and `check`, and one line here.

Importing this shelf imports no trainer: each backend loads its libraries when it is called. A backend's module may
name heavy modules in `PRELOAD`; the local executor imports them once and forks every worker from there.
"""

from rlaudit.backends import command, convex, function, sb3, tickets, traced, trial
from rlaudit.types import Backend

BACKENDS: dict[str, Backend] = {
    "sb3": Backend(
        train=sb3.train,
        check=sb3.check,
        help="stable-baselines3 and sb3-contrib, or any class with their interface: package.module:Class",
        batch_size=1,
    ),
    "command": Backend(
        train=command.train,
        check=command.check,
        help="any program with a --seed: a command line, and where it leaves its result",
    ),
    "function": Backend(
        train=function.train,
        check=function.check,
        help="a Python function: package.module:train(env_id, timesteps, seed) -> return, or a learning curve",
    ),
    "convex": Backend(
        train=convex.train,
        check=convex.check,
        help="of `experiment: convex`: the fits to an expert's decisions",
    ),
    "tickets": Backend(
        train=tickets.train,
        check=tickets.check,
        help="of `experiment: tickets`: sb3 with a mask that holds some weights at zero",
    ),
    "trial": Backend(
        train=trial.train,
        check=trial.check,
        help="of `experiment: reproduce`: a run by another backend, in an interpreter started for it alone",
    ),
    "traced": Backend(
        train=traced.train,
        check=traced.check,
        help="of `experiment: reproduce`: a run by another backend, with hashes of what happens on its way",
    ),
}
