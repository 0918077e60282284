"""The import law: a module imports only what stands before it, and the statistics know nothing of runs and files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rlaudit"

# A shelf counts as one; within it, siblings may import each other.
ORDER = (
    "errors", "wording", "notebook", "types", "results", "seeds", "yaml_source", "config_values", "claims", "config",
    "plan", "importers", "durable", "events", "traces", "store", "sharing", "backends", "exporters", "executors",
    "trial", "rounding", "scores", "splits", "pools", "comparisons", "calibration", "aggregate", "curves", "power",
    "regression", "same_agent", "few_seeds", "pairs", "judge", "procedures", "leaderboard", "failures", "metrics",
    "evaluation_noise", "variance", "lottery", "initial_weights", "sequential", "printed", "findings", "looks",
    "experiments", "figures", "report", "outputs", "training", "pipeline", "rechecking", "history", "status",
    "terminal", "forecast", "cli", "pytest_plugin", "__init__", "__main__",
)  # fmt: skip
RUNNING = {
    "plan", "backends", "importers", "exporters", "store", "executors", "trial", "looks", "outputs", "training",
    "pipeline", "events", "history", "status", "sharing",
}  # fmt: skip
STATISTICS = {
    "splits", "pools", "comparisons", "calibration", "aggregate", "curves", "power", "same_agent", "few_seeds", "pairs",
    "judge", "procedures", "leaderboard", "failures", "metrics", "evaluation_noise", "variance", "lottery",
    "initial_weights", "sequential", "printed", "findings", "traces",
}  # fmt: skip
DRAWING = {"figures", "report"}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "rlaudit":
            yield from (f"rlaudit.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            yield node.module or ""


def siblings(path: Path) -> set[str]:
    own = {name.split(".")[1] for name in imports(path) if name.startswith("rlaudit.")}
    return own - {module_of(path)}


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_module_has_a_place_in_the_order() -> None:
    assert sorted({module_of(path) for path in FILES}) == sorted(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    before = set(ORDER[: ORDER.index(module_of(path))])
    assert siblings(path) <= before


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_statistics_and_figures_know_no_trainers_and_no_files(path: Path) -> None:
    if module_of(path) in STATISTICS | DRAWING:
        assert not siblings(path) & RUNNING


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_figures_compute_no_statistics(path: Path) -> None:
    if module_of(path) in DRAWING:
        assert not siblings(path) & STATISTICS
        assert not any(name.split(".")[0] == "scipy" for name in imports(path))
