"""The README cannot lie: its commands run, its snippets work, its sentences stand in the committed results."""

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sequential_streams

from rlaudit import cli
from rlaudit.backends import BACKENDS
from rlaudit.calibration import committed
from rlaudit.comparisons import COMPARISONS
from rlaudit.config import load_config
from rlaudit.experiments import EXPERIMENTS
from rlaudit.importers import IMPORTERS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = "".join(blocks("bash")).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the README assumes it: a table of somebody's scores, logs of several tools, our configs."""
    folder = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    rows = [
        f"{agent},{seed},{score:.3f}" for agent in ("ppo", "a2c") for seed, score in enumerate(rng.normal(200, 80, 10))
    ]
    (folder / "scores.csv").write_text("\n".join(["agent,seed,score", *rows]))
    samples = ROOT / "tests" / "data"
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copytree(samples / "zoo" / "logs", folder / "zoo-logs")
    shutil.copytree(samples / "tensorboard" / "cleanrl", folder / "runs")
    for name in ("matrix/ppo_curves.txt.gz", "matrix/sac_curves.txt.gz", "tables/records.json"):
        shutil.copy(samples / name, folder)
    return folder


@pytest.mark.slow
def test_every_command_of_the_readme_runs(workplace: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    assert len(commands()) >= 10
    for command in commands():
        run = subprocess.run(
            command,
            shell=True,
            cwd=workplace,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )
        expected = 3 if "--gate" in command else 0  # the scores are noise, so that the gate must say "inconclusive"
        assert expected == run.returncode, f"{command}\n{run.stderr}"


def test_the_python_snippet_runs(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workplace)
    (snippet,) = [block for block in blocks("python") if "import rlaudit" in block]
    exec(compile(snippet, "README.md", "exec"), {})
    sentence, p_value = capsys.readouterr().out.strip().splitlines()
    assert sentence.endswith(".")
    assert 0.1 == pytest.approx(float(p_value))  # three against three, wholly apart
    assert (workplace / "report.html").exists()


def test_the_snippet_of_the_statistics_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = [block for block in blocks("python") if "from rlaudit.power" in block]
    exec(compile(snippet, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 8


def test_the_rates_of_the_readme_are_those_of_the_calibration_table() -> None:
    cells = {
        (cell.test, cell.null): cell.size for cell in committed() if (cell.n_a, cell.n_b, cell.spread) == (5, 5, 1)
    }
    printed = dict(re.findall(r"^\| `(\w+)` \| .* \| ([\d.]+ / [\d.]+ / [\d.]+) \|$", TEXT, re.MULTILINE))
    assert set(COMPARISONS) == set(printed)
    for test, rates in printed.items():
        sizes = [cells[test, null] for null in ("normal", "log-normal", "sac")]
        assert rates == " / ".join(f"{100 * size:.1f}" for size in sizes if size is not None)


@pytest.mark.parametrize("table", ["table.md", "runner.md"])
def test_the_benchmark_tables_are_those_that_were_measured(table: str) -> None:
    assert (ROOT / "tests" / "benchmarks" / table).read_text() in TEXT


def test_what_sequential_seeds_are_said_to_keep_was_measured() -> None:
    """Shares of the calibration table, to two digits."""
    rows = sequential_streams.committed()
    plain = [row for row in rows if (row.batch, row.looks, row.tasks, row.spending) == (5, 6, 1, "steady")]

    def wrong(kind: str, agents: int, futility: float | None = None, least: int = 10_000) -> str:
        shares = [
            100 * row.wrong for row in plain
            if (row.kind, row.agents, row.futility) == (kind, agents, futility) and row.streams >= least
        ]  # fmt: skip
        assert len(shares) == (5 if least == 10_000 else 3)
        return f"{min(shares):.2g} to {max(shares):.2g} %"

    def with_futility(kind: str, world: str) -> sequential_streams.Row:
        (row,) = [
            row for row in plain if (row.kind, row.world, row.agents, row.futility) == (kind, world, 2, 0.1)
        ]  # fmt: skip
        return row

    kinds = ("group_sequential", "anytime")
    for agents, name in ((2, "two"), (5, "five")):
        shares = [*(wrong(kind, agents) for kind in kinds), wrong(sequential_streams.NAIVE, agents, least=1_000)]
        assert f"| a winner among {name} agents that are alike | {' | '.join(shares)} |" in TEXT
    power = [with_futility(kind, "sac v td3") for kind in kinds]
    one, other = (f"{100 * (row.found or 0):.0f} %, by {row.seeds:.1f}" for row in power)
    assert f"| SAC is told from TD3 | {one} seeds an agent | {other} | |" in TEXT
    one, other = (f"after {with_futility(kind, 'td3').seeds:.1f}" for kind in kinds)
    assert f"| agents that are alike are given up | {one} of 30 seeds | {other} | |" in TEXT
    one, other = (f"{row.exaggerated:.2f}" for row in power)
    assert f"| times that a winner's lead is too large, SAC v TD3 | {one} | {other} | |" in TEXT


def test_as_many_faults_as_are_told_were_injected() -> None:
    lines = (ROOT / "tests" / "data" / "fault_bench.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    told = f"{sum(int(row['injected']) for row in rows)} faults of {len(rows)} kinds"
    assert told in " ".join(TEXT.split())


def test_the_pytest_snippet_asks_for_fixtures_that_exist() -> None:
    from rlaudit import pytest_plugin

    (snippet,) = [block for block in blocks("python") if "def test_" in block]
    (function,) = ast.parse(snippet).body
    assert isinstance(function, ast.FunctionDef)
    for argument in function.args.args:
        assert hasattr(pytest_plugin, argument.arg)


def test_the_config_of_the_readme_is_valid(tmp_path: Path) -> None:
    (snippet,) = blocks("yaml")
    (tmp_path / "readme.yaml").write_text(snippet)
    config, _ = load_config(tmp_path / "readme.yaml")
    assert {"a2c", "a2c-norm"} == set(config.agents)


@pytest.mark.parametrize("target", ["audit", "test", "bench", "calibration", "elsewhere", "fuzz"])
def test_the_two_commands_are_targets_of_make(target: str) -> None:
    assert f"make {target}" in TEXT
    assert 0 == subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode


def test_every_verb_and_every_entry_of_the_registries_is_mentioned() -> None:
    names = {*cli.main.commands, *COMPARISONS, *BACKENDS, *IMPORTERS, *EXPERIMENTS}
    assert set() == {name for name in names if not re.search(rf"[`( ]{name}[`), \n]", TEXT)}


def test_links_and_pictures_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", TEXT)
    assert targets
    assert [] == [target for target in targets if not (ROOT / target).exists()]


def test_quoted_findings_stand_in_the_committed_results() -> None:
    quoted = re.findall(r"<!-- findings of (\S+) -->\n+((?:>.*\n)+)", TEXT)
    assert quoted
    for folder, text in quoted:
        findings = json.loads((ROOT / folder / "audit.json").read_text())["findings"]
        said = {" ".join(sentence.split()) for one in findings for sentence in (one["sentence"], one["next_step"])}
        paragraphs = re.split(r"\n>\s*\n", text.strip())
        for paragraph in paragraphs:
            sentence = " ".join(re.sub(r"^>", "", paragraph, flags=re.MULTILINE).split())
            assert sentence in said


@pytest.mark.parametrize(
    "name",
    ["quickstart", "henderson-halfcheetah", "sequential", "reproduce", "sources", "initializers", "tickets", "convex"],
)
def test_committed_results_are_what_the_committed_config_and_this_code_make_of_the_runs(
    name: str, tmp_path: Path
) -> None:
    """The audit of the stored runs, computed again; only the versions may differ."""
    shutil.copytree(ROOT / "results" / name, tmp_path / "results" / name)
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    subprocess.run(
        [sys.executable, "-m", "rlaudit", "audit", f"configs/{name}.yaml", "-q"], cwd=tmp_path, check=True, timeout=300
    )
    committed, again = (json.loads((place / "results" / name / "audit.json").read_text()) for place in (ROOT, tmp_path))
    for key in committed.keys() - {"provenance"}:
        assert_alike(committed[key], again[key], key)


def assert_alike(expected: object, found: object, where: str) -> None:
    """Equal, but for what another processor may round differently: 1e-6 of a number, a few of 10,000 splits."""
    if isinstance(expected, dict) and isinstance(found, dict):
        assert expected.keys() == found.keys(), where
        for key in expected:
            assert_alike(expected[key], found[key], f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        assert len(expected) == len(found), where
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            assert_alike(one, other, f"{where}[{place}]")
    elif isinstance(expected, int | float) and isinstance(found, int | float):
        assert expected == pytest.approx(found, rel=1e-6, abs=5e-4), where
    else:
        assert expected == found, where
