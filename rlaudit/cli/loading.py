"""What a verb works on: a config with its store, or scores that exist."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlaudit.errors import ConfigError

if TYPE_CHECKING:
    from rlaudit.config import AuditConfig, AuditSettings, ConfigSource
    from rlaudit.importers import Hints
    from rlaudit.store import Store
    from rlaudit.types import ScoreTable


def load(
    path: Path, overrides: Sequence[str], seeds: str | None, out: Path | None
) -> "tuple[AuditConfig, ConfigSource, Store]":
    """A config, where it stands, and the store of its runs."""
    from rlaudit.config import load_config
    from rlaudit.store import Store

    config, source = load_config(path, overrides, seeds)
    for note in source.notes:
        click.echo(f"Note: {note}.", err=True)
    return config, source, Store(out or Path("results") / config.name)


def warn_of_hopeless_tests(config: "AuditConfig") -> None:
    """Says beforehand if these seeds can never be enough for a test."""
    from rlaudit.plan import cannot_reject

    n = len(config.seeds)
    hopeless = [test for test, size, _ in cannot_reject(config.audit, n) if size == n]
    if hopeless and len(config.agents) > 1 and config.experiment == "audit" and not config.sequential:
        click.echo(
            f"Warning: {n} seeds an agent are too few for {' and '.join(hopeless)}, whatever comes out.", err=True
        )


def scores_of(target: Path, overrides: Sequence[str], hints: "Hints") -> "tuple[ScoreTable, AuditSettings]":
    """The scores of foreign results, or of a results folder as its own config wants them."""
    from rlaudit import config, pipeline, training

    stored = target / training.CONFIG
    if stored.exists():
        settled, _ = config.load_config(stored, overrides)
        return pipeline.load_scores(target, score=settled.score), settled.audit
    asked = config.settings(overrides)
    higher = asked.audit.higher_is_better
    return pipeline.load_scores(target, score=asked.score, higher_is_better=higher, hints=hints), asked.audit


def refuse_seeds_without_config(targets: Sequence[Path], seeds: str | None) -> None:
    """Only a config can be asked for other seeds, and it is audited by itself."""
    from rlaudit.pipeline import is_config

    if len(targets) > 1 and (config := next(filter(is_config, targets), None)):
        raise ConfigError(f"{config} is a config, which is audited by itself; give it alone")
    if seeds is not None and not is_config(targets[0]):
        raise ConfigError(f"--seeds {seeds}: {targets[0]} is no config; a folder or a table has the seeds it has")
