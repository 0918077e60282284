"""The sentence of rlaudit in code: config -> plan -> records -> scores -> audit -> files.

The command line, the Python API and the pytest plugin only speak it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeAlias

from rlaudit import config as configs
from rlaudit import importers, looks, scores
from rlaudit.config import AuditConfig, AuditSettings
from rlaudit.errors import ConfigError, RlauditError, StoreError, did_you_mean
from rlaudit.experiments import EXPERIMENTS
from rlaudit.experiments.after_looks import after_looks
from rlaudit.experiments.audit import audit_scores
from rlaudit.findings import find
from rlaudit.importers import Hints
from rlaudit.outputs import write
from rlaudit.results import (
    Arm,
    Audit,
    FailedRun,
    FailureAudit,
    ProcedureAudit,
    Reading,
    ReadNote,
    reading_from_json,
    reading_to_json,
)  # fmt: skip
from rlaudit.store import Store, is_results_folder
from rlaudit.training import CONFIG, Training, limits, planned, train
from rlaudit.types import RunRecord, RunSpec, ScoreTable
from rlaudit.wording import carried

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    Source: TypeAlias = str | Path | Sequence[str | Path] | ScoreTable | pd.DataFrame | Mapping[Any, ArrayLike]

READING = "reading.json"
QUICK_SPLITS = 1_000
_SHOWN_REASON = 200  # characters of why a run failed


# ---------------------------------------------------------------- importing and exporting


def import_runs(sources: Sequence[Path], store: Store, hints: Hints = Hints()) -> Reading:
    """Foreign results into a results folder; what was understood of them is kept beside the runs.

    Importing more of the same results adds what is new. Raises ImportFormatError, and StoreError where the folder
    holds the runs of a config, or other results under the name of these.
    """
    if (store.root / CONFIG).exists():
        raise StoreError(f"{store.root} holds the runs of a config; name another folder: --out FOLDER")
    imported = importers.read(sources, hints, single_seeds=True)
    store.sweep()
    store.add_all(imported.records)
    reading = imported.reading
    if others := store.run_ids() - {record.spec.run_id for record in imported.records}:
        note = f"runs of earlier imports are in {store.root}, too, and belong to these: {len(others):,}"
        reading = replace(reading, notes=(*reading.notes, ReadNote("rule", note)))
    store.write_text(READING, reading_to_json(reading))
    return reading


def export_runs(source: Path, target: Path, hints: Hints = Hints()) -> Reading:
    """The runs of a results folder, or of foreign results, into one file, which replaces one of that name.

    The ending of `target` says the format (`rlaudit list exporters`). Returns what was written, and in the notes what
    the file does not hold. Raises ExportError where the format cannot hold the runs.
    """
    from rlaudit.exporters import export, exporter_of

    exporter_of(target)  # before anything is read
    if not is_results_folder(source):
        imported = importers.read(source, hints, single_seeds=True)
        return export(imported.records, target, imported.reading.notes)
    stored, specs = _stored(source), _planned(source)
    n_missing = len(specs or stored) - len(stored)
    missing = (ReadNote("warning", f"{n_missing} of {len(specs or ())} planned runs are not trained yet"),)
    return export(_without(stored, hints), target, missing if n_missing else ())


def _without(records: Sequence[RunRecord], hints: Hints) -> tuple[RunRecord, ...]:
    """Runs of ours say everything themselves; only whole agents and tasks may be left out."""
    if others := [name for name in hints.given() if name != "skip"]:
        raise ConfigError(f"a results folder of rlaudit says itself what it holds: leave out --{others[0]}")
    names = {name for record in records for name in (record.spec.agent, record.spec.task_label)}
    for name in hints.skip:
        if name not in names:
            raise ConfigError(f"--skip {name!r}: there is no agent or task of that name.{did_you_mean(name, names)}")
    return tuple(record for record in records if not {record.spec.agent, record.spec.task_label} & {*hints.skip})


# ---------------------------------------------------------------- auditing


def audit_target(
    *targets: Path,
    overrides: Sequence[str] = (),
    seeds: str | None = None,
    out: Path | None = None,
    claims: Sequence[str] = (),
    quick: bool = False,
    hints: Hints = Hints(),
    how: Training = Training(),
) -> tuple[Audit, Path]:
    """Audits a config (training what is missing), a results folder, or foreign results; returns audit and report.

    Several targets are foreign results that belong together. `claims` stand beside those of the config. Nothing is
    written before the audit is complete, apart from finished runs.
    """
    target = targets[0]
    if len(targets) == 1 and is_results_folder(target):
        audited, store = audit_folder(target, overrides, claims, quick=quick), Store(out or target)
    elif len(targets) == 1 and is_config(target):
        config, source = configs.load_config(target, overrides, seeds, claims)
        store = Store(out or Path("results") / config.name)
        train(config, source, store, how)
        audited = _audit_records(store.records(planned(config, store)), config, store, quick=quick)
        audited = replace(audited, provenance={**audited.provenance, **limits(config, how)})
    else:
        asked = configs.settings(overrides, claims=claims)
        imported = importers.read(targets, hints)
        table = scores.score_table(imported.records, asked.score, asked.audit.higher_is_better)
        name = source_name(target)
        audited = _audit_table(table, asked.audit, name, quick=quick, reading=imported.reading)
        store = Store(out or Path("results") / name)
    audited = replace(audited, provenance={**audited.provenance, **_how_made(targets, overrides, seeds, claims, hints)})
    return audited, write(audited, store)


def is_config(path: Path) -> bool:
    """A YAML file is a config; everything else is somebody's results."""
    return path.suffix.lower() in (".yaml", ".yml")


def source_name(path: Path) -> str:
    """What an audit of foreign results is called, unless somebody says otherwise."""
    name = Path(os.path.realpath(path)).name  # Path.resolve() raises where a link leads to itself
    return carried(name.split(".")[0]) or "audit"


def audit_folder(
    folder: Path, overrides: Sequence[str] = (), claims: Sequence[str] = (), *, quick: bool = False
) -> Audit:
    """What is stored in a results folder, without training; planned runs that are missing are counted."""
    if not is_results_folder(folder):
        raise RlauditError(
            f"{folder}: not a results folder (it has neither runs/ nor {CONFIG}). Give a config, a results folder of "
            "rlaudit, or a table of scores."
        )
    store = Store(folder)
    if (folder / CONFIG).exists():
        config, _ = configs.load_config(folder / CONFIG, overrides, claims=claims)
        specs = planned(config, store)
        return _audit_records(store.records(specs), config, store, quick=quick, n_missing=len(store.missing(specs)))
    asked = configs.settings(overrides, claims=claims)
    records, reading = _imported(store)
    table = scores.score_table(records, asked.score, asked.audit.higher_is_better)
    name = carried(folder.resolve().name)
    return _audit_table(table, asked.audit, name, quick=quick, records=records, reading=reading)


def _imported(store: Store) -> tuple[tuple[RunRecord, ...], Reading | None]:
    """All records, in the order in which an import found their agents, and what it understood."""
    text = store.read_text(READING)
    if text is None:
        return store.records(), None
    reading = reading_from_json(text)
    order = {(arm.agent, arm.task): place for place, arm in enumerate(reading.arms)}
    records = sorted(store.records(), key=lambda one: order.get((one.spec.agent, one.spec.task_label), len(order)))
    return tuple(records), reading


def _audit_records(
    records: Sequence[RunRecord], config: AuditConfig, store: Store, *, quick: bool, n_missing: int = 0
) -> Audit:
    """Runs, by the experiment that planned them."""
    settings, notes = _hurried(config.audit, quick)
    missing = {"missing_runs": f"{n_missing} of {n_missing + len(records)}"} if n_missing else {}
    audited = EXPERIMENTS[config.experiment].analyze(records, config.model_copy(update={"audit": settings}))
    if n_looks := looks.made_at(config, store) if not audited.sequential else 0:
        notes = {**notes, "looks": f"{n_looks}"}
    if audited.sequential:
        found = looks.compared(audited.sequential, config, store)
        audited = after_looks(audited, audited.comparisons, found)
    return _complete(replace(audited, experiment=config.experiment), records, {**missing, **notes})


def _audit_table(
    table: ScoreTable,
    settings: AuditSettings,
    name: str,
    *,
    quick: bool = False,
    records: Sequence[RunRecord] = (),
    reading: Reading | None = None,
) -> Audit:
    """Scores that exist, whoever made them."""
    settings, notes = _hurried(settings, quick)
    return _complete(replace(audit_scores(table, settings, name), reading=reading), records, notes)


def _hurried(settings: AuditSettings, quick: bool) -> tuple[AuditSettings, dict[str, str]]:
    """Fewer splits where somebody is in a hurry, and the note that says so."""
    if not quick:
        return settings, {}
    fewer = settings.model_copy(update={"splits": min(settings.splits, QUICK_SPLITS)})
    return fewer, {"quick": f"at most {fewer.splits:,} sampled splits"}


def _complete(audited: Audit, records: Sequence[RunRecord], notes: Mapping[str, str]) -> Audit:
    """Where the numbers come from; and what all of it means, last."""
    arms = tuple(replace(arm, weights_sha256=_hashes(arm, records)) for arm in audited.arms)
    failures = tuple(replace(one, failed=_failed(one, records)) for one in audited.failures)
    complete = replace(audited, arms=arms, failures=failures, provenance={**_versions(records), **notes})
    return replace(complete, findings=find(complete))


def _hashes(arm: Arm, records: Sequence[RunRecord]) -> tuple[str, ...]:
    mine = (one for one in records if (one.spec.agent, one.spec.task_label) == (arm.agent, arm.task))
    known = {record.spec.seed: record.weights_sha256 for record in mine if record.weights_sha256}
    return tuple(known[seed] for seed in arm.seeds) if known.keys() >= set(arm.seeds) and arm.seeds else ()


def _failed(one: FailureAudit, records: Sequence[RunRecord]) -> tuple[FailedRun, ...]:
    return tuple(
        FailedRun(record.spec.seed, shorten(carried(record.reason), _SHOWN_REASON))
        for record in records
        if record.status == "failed" and (record.spec.agent, record.spec.task_label) == (one.agent, one.task)
    )


def _versions(records: Iterable[RunRecord]) -> dict[str, str]:
    """The audit's own versions, and those that the runs were made with; several values stand side by side."""
    made_with: dict[str, dict[str, None]] = {}
    for record in records:
        for name, value in record.provenance.items():
            if name == "file":  # of one run each
                continue
            made_with.setdefault(f"runs: {name}", {})[value] = None
    own = {name: version(name) for name in ("rlaudit", "numpy", "scipy")}
    return own | {name: " | ".join(values) for name, values in made_with.items()}


def _how_made(
    targets: Sequence[Path], overrides: Sequence[str], seeds: str | None, claims: Sequence[str], hints: Hints
) -> dict[str, str]:
    from shlex import join

    options = [word for override in overrides for word in ("-s", override)] + (["--seeds", seeds] if seeds else [])
    options += [word for claim in claims for word in ("--claim", claim)]
    return {"command": carried(join(["rlaudit", "audit", *map(str, targets), *options, *hints.flags()]))}


# ---------------------------------------------------------------- the Python API


def load_scores(
    source: Source, *, score: str = "final", higher_is_better: bool = True, hints: Hints = Hints()
) -> ScoreTable:
    """One score per agent, task and seed, from whatever holds them.

    `source`: a file or folder in any format of `rlaudit list importers` (or several that belong together), a results
    folder, a tidy DataFrame (agent, task, seed, score; or agent, task, seed, step, value), or a mapping
    {agent: scores} or {(agent, task): scores} with scores of shape (n_seeds,). `score` is "final", "auc" or "best".
    `hints` say what the source does not: its format, the names of its columns, the axes of an array. Raises
    ImportFormatError where the source is not what it should be, and NotEnoughSeeds where an agent has one seed.
    """
    if isinstance(source, ScoreTable):
        return scores.without_rounding(source)
    if isinstance(source, Mapping):
        return scores.from_mapping(source, higher_is_better=higher_is_better)
    if isinstance(source, Sequence) and not isinstance(source, str):
        return scores.score_table(importers.read([Path(one) for one in source], hints).records, score, higher_is_better)
    if not isinstance(source, str | Path):
        return scores.from_frame(source, metric=score, higher_is_better=higher_is_better, hints=hints)
    path = Path(source)
    records = _stored(path) if is_results_folder(path) else importers.read(path, hints).records
    return scores.score_table(records, score, higher_is_better)


def _stored(folder: Path) -> tuple[RunRecord, ...]:
    """In the order and with the labels of the folder's config, where it has one."""
    specs = _planned(folder)
    return _imported(Store(folder))[0] if specs is None else Store(folder).records(specs)


def _planned(folder: Path) -> tuple[RunSpec, ...] | None:
    """None where the folder has no config."""
    return planned(configs.load_config(folder / CONFIG)[0], Store(folder)) if (folder / CONFIG).exists() else None


def audit(
    source: Source, *, name: str = "audit", score: str = "final", hints: Hints = Hints(), **settings: Any
) -> Audit:
    """Audits scores that exist: files, a results folder, arrays; see `load_scores` for what may be given.

    `settings` are those of a config's `audit:` block: alpha, group_sizes, tests, splits, margin, claims,
    higher_is_better, seed. Raises ConfigError for a bad setting. Nothing is written; see `write_report`.
    """
    chosen = configs.settings((), score, **settings).audit
    if isinstance(source, str | Path) and is_results_folder(Path(source)):
        _refuse_settings_after_looks(Path(source), settings)
        if not settings:
            return audit_folder(Path(source))
    table = load_scores(source, score=score, higher_is_better=chosen.higher_is_better, hints=hints)
    return _audit_table(table, chosen, name)


def _refuse_settings_after_looks(folder: Path, settings: Mapping[str, Any]) -> None:
    path = folder / CONFIG
    if settings and path.exists() and configs.load_config(path)[0].sequential:
        raise ConfigError(
            f"{path}: its seeds were added until looks were satisfied, and what they may say was declared there: audit "
            f"{folder} without settings (here: {', '.join(settings)})"
        )


def calibrate(
    source: Source,
    procedures: str | Sequence[str] = (),
    *,
    agent: str | None = None,
    against: str | None = None,
    task: str | None = None,
    n_seeds: int = 5,
    n_draws: int = 10_000,
    score: str = "final",
    **settings: Any,
) -> ProcedureAudit:
    """How often habits of concluding, and tests, would go wrong with `n_seeds` seeds an agent of these runs.

    `procedures`: one name or several of `rlaudit list procedures` or `rlaudit list tests`; all habits and the tests of
    the settings unless some are named. Without `agent` the first two agents; `agent` alone is set against itself only.
    `settings` are those of `audit`. Raises ConfigError for a name that is not there.
    """
    from rlaudit.procedures import arms_named, calibrate

    if isinstance(procedures, str):
        procedures = (procedures,)
    chosen = configs.settings((), score, **settings).audit
    table = load_scores(source, score=score, higher_is_better=chosen.higher_is_better)
    return calibrate(
        table,
        procedures or (*chosen.procedures, *chosen.tests),
        arms=arms_named(table, agent, against, task),
        group_size=n_seeds,
        alpha=chosen.alpha,
        n_draws=n_draws,
        seed=chosen.seed,
        reference=chosen.tests[0],
    )
