"""The backend `sb3`: agents of stable-baselines3 and sb3-contrib, one run at a time.

stable-baselines3 seeds everything from one number; here the three seeds of a run are kept apart:

* weights are drawn under `seeds.init`, while the agent is constructed with `seed=None`;
* environment i and its action space are seeded by `derive(seeds.env, "env", i)`;
* action sampling, exploration, minibatch order and replay follow `seeds.algo`;
* evaluation has a stream of its own, so that changing how often one evaluates changes no training.

This module is light. `sb3_agent` builds, `sb3_training` trains, `sb3_evaluation` evaluates and `sb3_check` looks for
mistakes beforehand; they import torch, and are imported when first needed.
"""

from collections.abc import Iterator, Mapping, Sequence

from rlaudit.types import Problem, Progress, RunRecord, RunSpec

ALGORITHMS: Mapping[str, str] = {  # name -> module:Class
    "PPO": "stable_baselines3:PPO",
    "A2C": "stable_baselines3:A2C",
    "DQN": "stable_baselines3:DQN",
    "SAC": "stable_baselines3:SAC",
    "TD3": "stable_baselines3:TD3",
    "DDPG": "stable_baselines3:DDPG",
    "TRPO": "sb3_contrib:TRPO",
    "ARS": "sb3_contrib:ARS",
    "CrossQ": "sb3_contrib:CrossQ",
    "TQC": "sb3_contrib:TQC",
    "QRDQN": "sb3_contrib:QRDQN",
    "RecurrentPPO": "sb3_contrib:RecurrentPPO",
}

# Every torch optimiser imports torch._dynamo when it is made: 0.8 s of CPU that a fresh process would pay per run.
PRELOAD = ("gymnasium", "stable_baselines3", "sb3_contrib", "torch._dynamo", "rlaudit.backends.sb3_training")

_NEEDS_EXTRA = "training needs stable-baselines3, gymnasium and torch: pip install 'rlaudit[train]'"


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Trains each spec from its beginning: stable-baselines3 stores no random state, so nothing is ever resumed."""
    from rlaudit.backends.sb3_training import train_one

    for spec in specs:
        yield train_one(spec, progress)


def check(spec: RunSpec) -> list[Problem]:
    """What is wrong with a spec, found without training: names, hyper-parameters, spaces, nonsensical values."""
    try:
        from rlaudit.backends.sb3_check import problems
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "gymnasium", "stable_baselines3"):
            raise
        return [Problem(("agents", spec.agent, "algo"), f"{_NEEDS_EXTRA} ({error.name} is not installed)")]
    return problems(spec)
