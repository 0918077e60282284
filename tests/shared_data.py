"""Real results of other people, which carry no licence to be copied: read where they lie, or skipped."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def finals(agent: str) -> np.ndarray:
    """HalfCheetah finals of "sac" (192,) or "td3" (193,), Colas et al. 2019."""
    path = FOLDER / f"{agent}_hc_final_perfs.txt"
    if not path.exists():
        pytest.skip(f"the SAC and TD3 results are not in {FOLDER}")
    return np.loadtxt(path)


@cache
def curves(agent: str) -> np.ndarray:
    """HalfCheetah learning curves of "sac" or "td3" (193 runs, 400 evaluations every 5,000 steps), Colas et al. 2019.

    One SAC run lacks its last three evaluations.
    """
    path = FOLDER / f"{agent}_hc_curves.txt.gz"
    if not path.exists():
        pytest.skip(f"the SAC and TD3 curves are not in {FOLDER}")
    return np.loadtxt(path).T
