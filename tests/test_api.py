"""The public names, what importing them costs, and how results look in a notebook and a terminal."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rlaudit
from rlaudit import results
from rlaudit.notebook import audit_text
from rlaudit.scores import from_mapping
from rlaudit.types import ArmScores, ScoreTable

RNG = np.random.default_rng(5)
SCORES = {"ppo": RNG.normal(100, 10, 12), "a2c": RNG.normal(60, 10, 12)}
HEAVY = ("numpy", "scipy", "pandas", "torch", "matplotlib", "seaborn", "stable_baselines3", "gymnasium", "pyarrow")


@pytest.fixture(scope="module")
def audit() -> rlaudit.Audit:
    return rlaudit.audit(SCORES, name="both", tests=["welch"], group_sizes=[3])


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", rlaudit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rlaudit, name) is not None
    assert name in dir(rlaudit)


def test_a_public_name_is_that_of_its_module() -> None:
    from rlaudit import pipeline

    assert pipeline.load_scores is rlaudit.load_scores
    assert results.Audit is rlaudit.Audit


def test_compare_is_a_function_even_after_its_shelf_was_imported() -> None:
    import rlaudit.comparisons

    assert callable(rlaudit.compare)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'rlaudit' has no attribute 'adit'"):
        rlaudit.adit  # noqa: B018


def test_importing_rlaudit_imports_nothing_heavy() -> None:
    code = f"import sys, rlaudit, rlaudit.errors; sys.exit(str(sorted(set({HEAVY}) & set(sys.modules)) or ''))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "" == found.stderr.strip()


def test_reading_a_csv_needs_neither_pandas_nor_torch(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("agent,seed,score\na,0,1\na,1,2\n")
    code = (
        "import sys; from pathlib import Path; from rlaudit import importers, scores;"
        f"scores.score_table(importers.read(Path({str(path)!r})).records);"
        "sys.exit(str({'pandas', 'torch', 'scipy', 'pyarrow', 'matplotlib'} & set(sys.modules) or ''))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "" == found.stderr.strip()


# ---------------------------------------------------------------- from a source to an audit


def test_every_kind_of_source_gives_the_same_scores(tmp_path: Path) -> None:
    frame = pd.DataFrame([(agent, i, x) for agent, xs in SCORES.items() for i, x in enumerate(xs)])
    frame.columns = pd.Index(["agent", "seed", "score"])
    frame.to_csv(tmp_path / "scores.csv")
    frame.to_parquet(tmp_path / "scores.parquet")
    sources = [SCORES, frame, tmp_path / "scores.csv", str(tmp_path / "scores.parquet"), from_mapping(SCORES)]
    for table in map(rlaudit.load_scores, sources):
        assert "score" == table.metric
        np.testing.assert_array_equal(SCORES["ppo"], table.arm("ppo", "").scores)


def test_an_audits_scores_are_read_back_as_they_were(audit: rlaudit.Audit, tmp_path: Path) -> None:
    from rlaudit.outputs import scores_csv

    (tmp_path / "scores.csv").write_text(scores_csv(audit))
    table = rlaudit.load_scores(tmp_path / "scores.csv")
    np.testing.assert_array_equal(SCORES["a2c"], table.arm("a2c", "").scores)


def test_an_audit_says_which_agent_is_better(audit: rlaudit.Audit) -> None:
    assert rlaudit.Verdict.A_BETTER == audit.comparisons[0].verdict


def test_errors_of_the_api_are_of_one_kind() -> None:
    with pytest.raises(rlaudit.RlauditError, match="one seed only"):
        rlaudit.audit({"ppo": [1.0]})


# ---------------------------------------------------------------- notebooks and terminals


def test_a_score_table_shows_a_line_per_agent() -> None:
    table = ScoreTable("final", (ArmScores("ppo", "Hopper", (0, 1, 2), np.array([1.0, 2, 6]), (3,)),))
    title, header, row = repr(table).splitlines()
    assert "ScoreTable of 'final' (higher is better)" == title
    assert ["agent", "task", "seeds", "failed", "mean", "sd", "min", "max"] == header.split()
    assert ["ppo", "Hopper", "3", "1", "3.00", "2.65", "1.00", "6.00"] == row.split()


def test_an_agent_without_scores_is_shown_too() -> None:
    assert "n/a" in repr(ScoreTable("final", (ArmScores("ppo", "", (), np.empty(0), (1,)),)))


def test_a_column_for_tasks_is_there_only_if_they_have_names() -> None:
    assert "task" not in repr(from_mapping({"ppo": [1, 2]}))
    assert "task" in repr(from_mapping({("ppo", "Hopper"): [1, 2]}))


def test_an_audit_shows_findings_agents_and_verdicts(audit: rlaudit.Audit) -> None:
    text = repr(audit)
    assert text.startswith("Audit of 'both' (score, alpha = 0.05)")
    assert audit.findings[0].sentence in text
    assert "ppo better" in text


def test_a_notebook_shows_the_same_as_a_table(audit: rlaudit.Audit) -> None:
    html = audit._repr_html_()
    assert "<td>ppo better</td>" in html
    assert "<th>95% interval</th>" in html


def test_names_are_escaped_in_notebooks_and_printable_in_terminals() -> None:
    table = from_mapping({"<b>\x1b[31mppo": [1, 2]})
    assert "<td>&lt;b&gt;" in table._repr_html_()
    assert "<b>\x1b" not in repr(table)
    assert r"<b>\x1b[31mppo" in repr(table)


def test_of_many_agents_twenty_are_shown() -> None:
    table = from_mapping({f"agent{i}": [1, 2] for i in range(25)})
    assert repr(table).endswith("and 5 more")
    assert "<p>and 5 more</p>" in table._repr_html_()


def test_the_repr_changes_nothing_in_the_json(audit: rlaudit.Audit) -> None:
    assert audit_text(audit) == repr(results.from_json(results.to_json(audit)))
