"""`rlaudit import`: prints what it understood, keeps the runs, and is audited like any other results folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rlaudit.cli import main

ROWS = [(agent, seed, step) for agent in ("ppo", "a2c") for seed in range(5) for step in (100, 200, 300)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("logs.csv", ROWS)
    return tmp_path


def write(name: str, rows: list[tuple[str, int, int]], by: float = 1.0) -> None:
    lines = [f"{agent},{seed},{step},{by * (seed + step + 10 * (agent == 'ppo'))}" for agent, seed, step in rows]
    Path(name).write_text("agent,seed,step,value\n" + "\n".join(lines) + "\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def audit_of(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("results", name, "audit.json").read_text())
    return found


def test_an_import_says_what_it_understood_and_what_comes_next() -> None:
    said = run("import", "logs.csv")
    assert 0 == said.exit_code
    assert "Read logs.csv as tidy: 2 agents x 1 task x 5 seeds x 3 points." in said.output
    assert "rlaudit audit results/logs" in said.output
    assert 10 == len(list(Path("results/logs/runs").iterdir()))


def test_the_audit_of_an_import_is_the_audit_of_its_source() -> None:
    run("import", "logs.csv", "--out", "results/imported")
    run("audit", "results/imported")
    run("audit", "logs.csv")
    imported, direct = audit_of("imported"), audit_of("logs")
    for key in ("arms", "comparisons", "reading"):
        by_name = [sorted(one[key], key=str) if isinstance(one[key], list) else one[key] for one in (imported, direct)]
        assert by_name[0] == by_name[1], key


def test_importing_more_of_the_same_adds_what_is_new() -> None:
    write("logs.csv", [row for row in ROWS if row[1] < 3])
    run("import", "logs.csv")
    write("logs.csv", ROWS)
    assert "5 seeds" in run("import", "logs.csv").output
    assert 10 == len(list(Path("results/logs/runs").iterdir()))


def test_results_that_changed_are_refused_and_the_first_are_kept() -> None:
    run("import", "logs.csv")
    before = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}
    write("logs.csv", ROWS, by=2.0)
    said = run("import", "logs.csv")
    assert 2 == said.exit_code
    assert "holds another result of the same run" in said.output
    assert before == {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}


def test_the_folder_of_a_config_takes_no_foreign_runs() -> None:
    Path("results/logs").mkdir(parents=True)
    Path("results/logs/config.yaml").write_text("name: logs\n")
    said = run("import", "logs.csv")
    assert 2 == said.exit_code
    assert "holds the runs of a config; name another folder: --out FOLDER" in said.output


def test_a_bad_source_leaves_nothing_behind() -> None:
    Path("logs.csv").write_text("agent,seed,step,value\nppo,0,100,x\n")
    assert 2 == run("import", "logs.csv").exit_code
    assert not Path("results").exists()


def test_a_hint_that_the_format_has_no_ear_for_is_refused() -> None:
    said = run("audit", "logs.csv", "--axes", "seed")
    assert 2 == said.exit_code
    assert "--axes: means nothing for results in the format 'tidy'" in said.output


def test_doubts_reach_the_findings_the_terminal_and_the_report() -> None:
    write("logs.csv", [row for row in ROWS if row != ("ppo", 4, 300)])
    said = run("audit", "logs.csv")
    assert "1 of 5 runs of ppo end early" in " ".join(said.output.split())
    findings = audit_of("logs")["findings"]
    assert isinstance(findings, list)
    assert ["warn"] == [one["level"] for one in findings if one["title"] == "The results as they were read"]
    assert "What was read, and how?" in Path("results/logs/report.html").read_text()
