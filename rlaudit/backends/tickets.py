"""The backend `tickets`: agents of stable-baselines3 that learn under a mask, for the experiment of that name.

A run is an ordinary run of the backend `sb3` whose `treatment` names a mask: after the weights are drawn, some are set
to zero and stay there. The weights themselves follow from `seeds.init`, so that rewinding needs no file.

    {"mask": "none"}
    {"mask": "random", "sparsities": [0.8], "mask_seed": 7}
    {"mask": "ticket" or "permuted", "sparsities": [0.55, 0.8], "mask_seed": 7, "lineage": {"init": 1, "env": 2, ...}}

`sparsities` are those after each round of pruning, the last one that of the mask; `lineage` are the seeds of the dense
run whose ticket it is. This module is light: `tickets_training` and `tickets_masks` import torch.
"""

from collections.abc import Iterator, Sequence

from rlaudit.backends import sb3
from rlaudit.types import Problem, Progress, RunRecord, RunSpec

PRELOAD = (*sb3.PRELOAD, "rlaudit.backends.tickets_training")


def train(specs: Sequence[RunSpec], *, progress: Progress) -> Iterator[RunRecord]:
    """Trains each spec from its beginning, under its mask."""
    from rlaudit.backends.tickets_training import train_masked

    for spec in specs:
        yield train_masked(spec, progress)


def check(spec: RunSpec) -> list[Problem]:
    """Nothing more: the dense runs of the same agent are looked at by `sb3`, under the label that the config knows."""
    return []
