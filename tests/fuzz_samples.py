"""The samples that are mutated: results of every format as the real tools write them, and how each is called."""

import sys
from pathlib import Path
from typing import NamedTuple

from mutations import Tree

from rlaudit.importers import Hints

DATA = Path(__file__).parent / "data"


class Sample(NamedTuple):
    """Files below a folder of tests/data; either the folder is called, or each of them."""

    format: str
    folder: str
    files: str = "**/*"  # a glob
    hints: Hints = Hints()
    alone: bool = False  # the files are called, not their folder
    n_inputs: int = 500
    same: tuple[str, ...] = ()  # mutations that keep the meaning and must be read
    refused: tuple[str, ...] = ()  # mutations that must not be read
    checksums: bool = False  # no damage goes unnoticed
    counted: bool = False  # seeds or steps are positions in the file
    rows: bool = False  # everything that is said of a run at a step stands in one row
    merged: bool = False  # several files make one run


ANY_TEXT = ("BOM", "CRLF", "no final line end")
TABLE = (*ANY_TEXT, "gzip", "gzip in two members", "blank lines", "quoted cells", "swapped columns", "a column more")
TWICE = ("a line again", "the header again")

PANDAS = Hints(columns={"agent": "algo", "seed": "run", "step": "timesteps", "value": "return"})
PROGRESS = Hints(columns={"step": "time/total_timesteps", "value": "rollout/ep_rew_mean"})

SAMPLES: dict[str, Sample] = {
    "tidy scores": Sample("tidy", "tidy", "scores.csv", alone=True, same=TABLE, refused=TWICE, rows=True),
    "tidy curves": Sample("tidy", "tidy", "curves.csv", alone=True, same=TABLE, refused=TWICE, rows=True),
    "tidy Parquet": Sample("tidy", "tidy", "scores.parquet", alone=True),
    "tidy of pandas": Sample("tidy", "tables", "tidy.csv.gz", PANDAS, alone=True),
    "tidy Parquet of pandas": Sample("tidy", "tables", "tidy.parquet", PANDAS, alone=True, n_inputs=300),
    "tidy JSON lines": Sample("tidy", "tables", "tidy.jsonl", PANDAS, alone=True, same=ANY_TEXT),
    "tidy JSON records": Sample("tidy", "tables", "records.json", PANDAS, alone=True, same=("CRLF",)),
    "tidy files": Sample("tidy", "tables/progress", hints=PROGRESS, n_inputs=400),
    "wide": Sample("wide", "tables", "wide.csv", alone=True, same=ANY_TEXT, refused=TWICE),
    "matrix text": Sample(
        "matrix", "matrix", "*_finals.*", Hints(axes=("seed",)), alone=True, same=ANY_TEXT, counted=True
    ),
    "matrix curves": Sample(
        "matrix", "matrix", "*_curves.txt.gz", Hints(axes=("step", "seed"), every=500), alone=True, counted=True
    ),
    "matrix npy": Sample(
        "matrix", "matrix", "ppo.npy", Hints(axes=("seed", "step"), every=500), alone=True, counted=True
    ),
    "matrix npz": Sample(
        "matrix", "matrix", "both.npz", Hints(axes=("seed", "step")), alone=True, checksums=True, counted=True
    ),
    "rliable npz": Sample(
        "rliable", "rliable", "scores.npz", Hints(format="rliable"), alone=True, checksums=True, counted=True
    ),
    "rliable JSON": Sample("rliable", "rliable", "games.json", alone=True, same=("CRLF",), counted=True),
    "marl-eval": Sample("marl-eval", "marl-eval", "episodes.json", alone=True, same=("CRLF",), counted=True),
    "dopamine": Sample("dopamine", "dopamine", "*.json", alone=True, same=("CRLF",), counted=True, n_inputs=300),
    "adastop": Sample("adastop", "adastop", "*.csv", alone=True, counted=True),
    "wandb chart": Sample("wandb", "wandb", "chart.csv", alone=True),
    "wandb runs": Sample("wandb", "wandb", "runs.csv", alone=True),
    "monitor": Sample("monitor", "monitor/logs", "a2c-3/**/*", merged=True, counted=True),
    "monitor alone": Sample("monitor", "monitor/logs", "a2c-1/**/*", counted=True),
    "evaluations": Sample("evaluations", "evaluations/logs", checksums=True),
    "zoo": Sample("zoo", "zoo/logs", "*/*_[12]/**/*", n_inputs=300, counted=True, merged=True),
    "tensorboard CleanRL": Sample("tensorboard", "tensorboard/cleanrl", checksums=True),
    "tensorboard sb3": Sample("tensorboard", "tensorboard/sb3", checksums=True, n_inputs=300),
}


def tree(sample: Sample) -> Tree:
    """What stands on the disk: files by their names, or below the name of their folder."""
    folder = DATA / sample.folder
    found = sorted(path for path in folder.glob(sample.files) if path.is_file() and path.suffix != ".py")
    assert found, f"no sample {sample.files} in {folder}"
    above = folder if sample.alone else folder.parent
    return {str(path.relative_to(above)): path.read_bytes() for path in found}


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in SAMPLES))
