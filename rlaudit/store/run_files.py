"""The files of one run: a record as they hold it, and back. Every file is checked by its SHA-256 when it is read."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlaudit.errors import StoreError
from rlaudit.types import CIRCUMSTANCES, EvaluationPlan, RunRecord, RunSpec, Seeds, TrainingEpisodes

FORMAT = 1
META, MONITOR, EVALUATIONS, ERROR = "meta.json", "monitor.csv", "evaluations.npz", "error.txt"
MEASUREMENTS = "measurements.npz"


# ---------------------------------------------------------------- writing


def files_of(record: RunRecord) -> dict[str, bytes]:
    """File name -> content; meta.json last."""
    evaluations = {"timesteps": record.eval_steps, "results": record.eval_returns, "ep_lengths": record.eval_lengths}
    files = {MONITOR: _monitor_csv(record), EVALUATIONS: npz(evaluations)}
    if record.measurements:
        files[MEASUREMENTS] = npz(record.measurements)
    if record.error is not None:
        files[ERROR] = record.error.encode()
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    meta = json.dumps(_meta(record, checksums), indent=1, allow_nan=False)
    return {**files, META: f"{meta}\n".encode()}


def _meta(record: RunRecord, checksums: Mapping[str, str]) -> dict[str, Any]:
    final = record.final_returns
    return {
        "format": FORMAT,
        "run_id": record.spec.run_id,
        "status": record.status,
        "score": {"final_mean": _number(final.mean()), "episodes": len(final)} if len(final) else None,
        "spec": {key: value for key, value in asdict(record.spec).items() if key not in CIRCUMSTANCES},
        "final_returns": [_number(value) for value in final],
        "seconds": record.seconds,
        "weights_sha256": record.weights_sha256,
        "provenance": dict(record.provenance),
        "error": record.error and record.reason,
        "sha256": dict(checksums),
    }


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity; `float()` reads both back from text."""
    return float(value) if math.isfinite(value) else str(float(value))


def _monitor_csv(record: RunRecord) -> bytes:
    """Readable by `stable_baselines3.common.monitor.load_results`. Times count from the start of the run."""
    text = io.StringIO()
    text.write("#" + json.dumps({"t_start": 0.0, "env_id": record.spec.env_id}) + "\n")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow("rlt")
    episodes = record.episodes
    rows.writerows(zip(episodes.returns.tolist(), episodes.lengths.tolist(), episodes.seconds.tolist(), strict=True))
    return text.getvalue().encode()


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The content of an .npz file."""
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # the stubs take any keyword for allow_pickle
    return content.getvalue()


def arrays_in(content: bytes) -> dict[str, NDArray[Any]]:
    """Of an .npz file; nothing pickled is read."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


# ---------------------------------------------------------------- reading


def read_run(directory: Path) -> RunRecord:
    """The record in a run's directory; a StoreError where it is damaged, foreign or newer than this rlaudit."""
    meta = read_meta(directory)
    files = {name: _checked(directory / name, expected) for name, expected in meta["sha256"].items()}
    try:
        arrays = arrays_in(files[EVALUATIONS])
        return RunRecord(
            spec=spec_of(meta["spec"]),
            status=meta["status"],
            eval_steps=arrays["timesteps"],
            eval_returns=arrays["results"],
            eval_lengths=arrays["ep_lengths"],
            episodes=_episodes(files[MONITOR]),
            final_returns=np.array([float(value) for value in meta["final_returns"]]),
            seconds=meta["seconds"],
            weights_sha256=meta["weights_sha256"],
            provenance=meta["provenance"],
            error=files[ERROR].decode() if ERROR in files else None,
            measurements=arrays_in(files[MEASUREMENTS]) if MEASUREMENTS in files else {},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(directory / META, f"{type(error).__name__}: {error}") from error


def read_meta(directory: Path) -> dict[str, Any]:
    """What meta.json says; a StoreError where it is damaged or newer than this rlaudit."""
    path = directory / META
    try:
        meta = json.loads(path.read_bytes())
        version = int(meta["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    if version > FORMAT:
        raise StoreError(
            f"{path} is in format {version}; this rlaudit reads up to {FORMAT}. "
            "Update it: pip install --upgrade rlaudit."
        )
    if not isinstance(meta.get("sha256"), dict):
        raise _damaged(path, "it has no checksums")
    return dict(meta)


def _checked(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(path, "its content is not what was written")
    return content


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path} is damaged: {why}. Delete the directory {path.parent} and run the same command again: "
        "it trains this run anew, bit for bit."
    )


def spec_of(fields: Mapping[str, Any]) -> RunSpec:
    """The spec that `dataclasses.asdict` took apart."""
    nested = {
        "seeds": Seeds(**fields["seeds"]),
        "evaluation": EvaluationPlan(**fields["evaluation"]),
        "wrappers": tuple(fields.get("wrappers", ())),
    }
    return RunSpec(**{**fields, **nested})


def _episodes(content: bytes) -> TrainingEpisodes:
    lines = content.decode().splitlines()[2:]  # after the comment and the header
    table = np.array([line.split(",") for line in lines], dtype=np.float64).reshape(-1, 3)
    return TrainingEpisodes(returns=table[:, 0], lengths=table[:, 1].astype(np.int64), seconds=table[:, 2])
