"""Audits reinforcement-learning results for seed variance: would other seeds have told another story?

    scores = rlaudit.load_scores("scores.csv")        # agent, seed, score; or a results folder, a DataFrame, arrays
    audit = rlaudit.audit(scores, margin=25)
    rlaudit.write_report(audit, "report.html")

Names are loaded when they are first used, so that `import rlaudit` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlaudit.comparisons import compare
    from rlaudit.errors import RlauditError
    from rlaudit.importers import Hints
    from rlaudit.outputs import write_report
    from rlaudit.pipeline import audit, calibrate, load_scores
    from rlaudit.rechecking import recheck
    from rlaudit.results import Audit
    from rlaudit.types import Comparison, Finding, ScoreTable, Verdict

    __version__: str

__all__ = [
    "Audit",
    "Comparison",
    "Finding",
    "Hints",
    "RlauditError",
    "ScoreTable",
    "Verdict",
    "__version__",
    "audit",
    "calibrate",
    "compare",
    "load_scores",
    "recheck",
    "write_report",
]

_HOMES = {
    "Audit": "results",
    "Comparison": "types",
    "Finding": "types",
    "Hints": "importers",
    "RlauditError": "errors",
    "ScoreTable": "types",
    "Verdict": "types",
    "audit": "pipeline",
    "calibrate": "pipeline",
    "compare": "comparisons",
    "load_scores": "pipeline",
    "recheck": "rechecking",
    "write_report": "outputs",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("rlaudit")
    if name not in _HOMES:
        raise AttributeError(f"module 'rlaudit' has no attribute {name!r}")
    value = getattr(import_module(f"rlaudit.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
