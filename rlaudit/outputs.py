"""What an audit leaves behind: audit.json, scores.csv, report.html, and each figure where somebody asks for it."""

from pathlib import Path

from rlaudit.results import Audit, to_json
from rlaudit.results.sources import STREAMS
from rlaudit.store import Store

AUDIT, REPORT, SCORES = "audit.json", "report.html", "scores.csv"


def write_report(audited: Audit, path: str | Path) -> Path:
    """Writes one self-contained HTML file and returns its path."""
    from rlaudit.report import render

    target = Path(path)
    Store(target.parent).write_text(target.name, render(audited))
    return target


def write(audited: Audit, store: Store) -> Path:
    """audit.json, scores.csv and report.html; returns the report's path. All are made before any is written."""
    from rlaudit.report import render

    texts = {REPORT: render(audited), SCORES: scores_csv(audited), AUDIT: to_json(audited)}
    for name, text in texts.items():
        store.write_text(name, text)
    return store.root / REPORT


def write_figures(audited: Audit, folder: Path) -> tuple[Path, ...]:
    """Every figure of the report as an SVG file of its own."""
    from rlaudit.report import sections
    from rlaudit.report.files import figure_files

    store = Store(folder)
    texts = figure_files(audited, sections(audited))
    for name, text in texts.items():
        store.write_text(name, text)
    return tuple(folder / name for name in texts)


def scores_csv(audited: Audit) -> str:
    """Tidy, a row per run, for people and other tools; the importer reads it back.

    Crossed runs have a column for each of their seeds, and none that would let them pass for independent ones.
    """
    import csv
    import io

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    if audited.sources:
        rows.writerow(["agent", "task", *STREAMS, "score", "status"])
        rows.writerows(
            [one.agent, one.task, *run.levels, *(["", "failed"] if run.score is None else [repr(run.score), "done"])]
            for one in audited.sources
            for run in one.runs
        )
        return text.getvalue()
    rows.writerow(["agent", "task", "seed", "score", "status"])
    for arm in audited.arms:
        rows.writerows(
            [arm.agent, arm.task, seed, repr(score), "done"] for seed, score in zip(arm.seeds, arm.scores, strict=True)
        )
        rows.writerows([arm.agent, arm.task, seed, "", "failed"] for seed in arm.failed)
    return text.getvalue()
