"""Trials without their price: forked from a server that has imported torch, where a real one starts an interpreter.

What only an interpreter can give, a hash seed of its own, is missing; the rest is the real thing.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rlaudit import trial
from rlaudit.backends.trial import SPEC, STORE, TEMPORARY, WORK
from rlaudit.config import load_config
from rlaudit.executors import local
from rlaudit.experiments import EXPERIMENTS
from rlaudit.findings import find
from rlaudit.results import Audit
from rlaudit.store import Store
from rlaudit.types import RunRecord, RunSpec

SMALL = {
    "name": "small",
    "experiment": "reproduce",
    "seeds": 2,
    "evaluation": {"every": 100, "episodes": 2},
    "reproduce": {"steps": 60},
}


def forked(spec: RunSpec) -> RunRecord:
    """The record of one trial."""
    context: Any = local._context(["traced"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (WORK, TEMPORARY):
            (folder / part).mkdir()
        (folder / SPEC).write_text(json.dumps(asdict(spec)))
        for _ in range(2 if spec.treatment.get("again") == "folder" else 1):
            shutil.rmtree(folder / STORE, ignore_errors=True)
            process = context.Process(target=_child, args=(folder,))
            with local._without_main():
                process.start()
            process.join()
        (record,) = Store(folder / STORE).records()
        return replace(record, spec=spec)


def _child(folder: Path) -> None:
    os.chdir(folder / WORK)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    tempfile.tempdir = str(folder / TEMPORARY)
    trial.main(folder)


def laboratory(tmp_path: Path, tasks: Sequence[str], agents: dict[str, Any], **changes: Any) -> Audit:
    """`experiment: reproduce` with its findings."""
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({**SMALL, "tasks": list(tasks), "agents": agents, **changes}))
    config, _ = load_config(file)
    plan, analyze, *_ = EXPERIMENTS["reproduce"]
    known: dict[str, RunRecord] = {}
    while missing := [spec for spec in plan(config, tuple(known.values())) if spec.run_id not in known]:
        known |= {spec.run_id: forked(spec) for spec in missing}
    audit = replace(analyze(tuple(known.values()), config), experiment="reproduce")
    return replace(audit, findings=find(audit))
