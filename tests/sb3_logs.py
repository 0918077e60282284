"""Folders as stable-baselines3 leaves them, with a default for everything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlaudit import importers
from rlaudit.errors import ImportFormatError
from rlaudit.importers import Hints, Imported

DATA = Path(__file__).parent / "data"


def write_monitor(
    path: Path,
    lengths: Sequence[int] = (10, 20, 30),
    rewards: Sequence[float] | None = None,
    *,
    started: float = 1000.0,
    env_id: str = "CartPole-v1",
    end: str = "",
) -> Path:
    """Rewards equal the lengths unless said; a step takes a millisecond; `end` is what follows the last episode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clock = np.cumsum(lengths) / 1000
    rows = "".join(f"{r},{n},{t:.6f}\n" for r, n, t in zip(rewards or lengths, lengths, clock, strict=True))
    path.write_text(f'#{{"t_start": {started}, "env_id": "{env_id}"}}\nr,l,t\n{rows}{end}')
    return path


def write_evaluations(path: Path, steps: Any = (100, 200), results: Any = ((1, 2), (3, 4)), **arrays: Any) -> Path:
    """As EvalCallback writes them, its `ep_lengths` left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, timesteps=np.asarray(steps), results=np.asarray(results), **arrays)
    return path


def read(path: Path, format: str | None = None, **hints: Any) -> Imported:
    """Past the border; one seed is enough."""
    return importers.read(path, Hints(format=format, **hints), single_seeds=True)


def error(path: Path, format: str | None = None, **hints: Any) -> str:
    """What the user is told, with the folder left out."""
    with pytest.raises(ImportFormatError) as caught:
        read(path, format, **hints)
    return str(caught.value).replace(f"{path}/", "").replace(str(path), "FOLDER")


def notes(imported: Imported, kind: str) -> str:
    return "\n".join(note.text for note in imported.reading.notes if note.kind == kind)
