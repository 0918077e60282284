"""Which runs there are, and how to redo them."""

from collections.abc import Iterator

from rlaudit.report.parts import Cell, SectionHtml, Table
from rlaudit.results import Audit


def which_runs(audit: Audit) -> SectionHtml:
    """Every run with its score; versions and the command."""
    n_failed = sum(arm.n_failed for arm in audit.arms) + sum(one.n_failed for one in audit.sources)
    rows = tuple(_runs(audit))
    command = audit.provenance.get("command")
    made = tuple((name, value) for name, value in audit.provenance.items() if name != "command")
    answer = f"{len(rows)} runs stand behind this report" + (
        f", {n_failed} of them without a score." if n_failed else "."
    )
    how = f"This command makes it again: {command}" if command else "The command was not recorded."
    runs = Table("Every run", ("agent", "task", "seed", "score", "state", "weights (sha256)"), rows)
    versions = Table("Made with", ("what", "value"), made)
    return SectionHtml(
        "runs",
        "Which runs, and how do I redo them?",
        (answer, how),
        tables=(runs, *([versions] if made else [])),
        method=(
            "A score is one number per seed: the episodes and evaluations of one seed are averaged before anything "
            "is compared, "
            f"because the seed is the unit. Score here: {audit.metric}. Experiment: {audit.experiment}; schema: "
            f"{audit.schema}.",
        ),
    )


def _runs(audit: Audit) -> Iterator[tuple[Cell, ...]]:
    for arm in audit.arms:
        weights = arm.weights_sha256 or (None,) * len(arm.seeds)
        for seed, score, sha256 in zip(arm.seeds, arm.scores, weights, strict=True):
            yield arm.agent, arm.task, str(seed), score, "done", sha256 and sha256[:12]
        for seed in arm.failed:
            yield arm.agent, arm.task, str(seed), None, "failed", None
    for one in audit.sources:
        for run in one.runs:
            state = "failed" if run.score is None else "done"
            yield one.agent, one.task, str(run.seed), run.score, state, run.weights_sha256[:12] or None
