"""Spoilt files through the real command line: an exit code and words, never a traceback or a control code."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fuzz_laws import Case, Workspace, alarm, cases
from fuzz_samples import SAMPLES
from mutated_text import STRANGE_NAMES

from rlaudit.cli import main

EXITS = {0, 1, 2, 4}
N_IMPORTS = 15  # of each sample


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "fuzz")


def run(*arguments: str | Path) -> Result:
    with alarm(60):
        return CliRunner().invoke(main, list(map(str, arguments)))


def broken(said: Result) -> Iterator[str]:
    """The laws of a command line."""
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        yield f"{type(said.exception).__name__}: {said.exception}"
    elif said.exit_code not in EXITS:
        yield f"exit code {said.exit_code}"
    if "Traceback" in said.output:
        yield said.output
    if found := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said.output):
        yield f"a control code: {said.output[max(0, found.start() - 80) :][:200]!r}"


def spread(sample: str, n: int) -> Iterator[Case]:
    """Every mutation about as often."""
    made = list(islice(cases(sample, 3 * n), 3 * n))
    yield from made[:: max(1, len(made) // n)]


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_spoilt_sample_is_imported_or_refused(sample: str, workspace: Workspace) -> None:
    found = []
    for made in spread(sample, N_IMPORTS):
        workspace.hold(made.after)
        sources = workspace.sources()
        out = workspace.root.parent / "out"
        said = run("import", *sources, *SAMPLES[sample].hints.flags(), "--out", out)
        found += [f"{made.name}: {law}" for law in broken(said)]
        shutil.rmtree(out, ignore_errors=True)
    assert [] == found


@pytest.mark.parametrize("name", [name for name in STRANGE_NAMES if "/" not in name])
def test_a_strange_name_of_a_file_is_no_trouble(name: str, tmp_path: Path) -> None:
    source = tmp_path / f"{name[:200]}.csv"
    source.write_text("agent,seed,score\nppo,0,1\nppo,1,2.5\na2c,0,-3\na2c,1,4e2\n")
    assert [] == list(broken(run("import", source, "--out", tmp_path / "out")))


@pytest.mark.parametrize("verb", ["import", "audit", "plan", "calibrate"])
@pytest.mark.parametrize("name", ["x" * 5000, "loop", "pipe", "\udcff", "\x1b[31m"])
def test_a_path_that_is_no_file_is_an_error_in_words(
    name: str, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    said = run(verb, name)
    assert (2, []) == (said.exit_code, list(broken(said)))


@pytest.mark.parametrize("name", ["[/red]", "\x1b[31mred", "x\ny", "<script>alert(1)</script>", "$x$", "x" * 3000])
def test_a_strange_name_of_an_agent_gets_its_report(name: str, tmp_path: Path) -> None:
    lines = [f'"{agent}",{seed},{seed * len(agent)}' for agent in (name, "other") for seed in range(4)]
    (tmp_path / "scores.csv").write_text("\n".join(["agent,seed,score", *lines]))
    said = run("audit", "--quick", tmp_path / "scores.csv", "--out", tmp_path / "out")
    assert [] == list(broken(said))
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["a.csv", "\udcff.csv"])
def test_a_path_that_is_no_utf_8_gets_its_report_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    source = tmp_path / name
    source.write_text("agent,seed,score\nppo,0,1\nppo,1,2.5\na2c,0,-3\na2c,1,4e2\n")
    arguments = [sys.executable, "-m", "rlaudit", "audit", "--quick", source, "--out", tmp_path / "out"]
    said = subprocess.run(arguments, capture_output=True, timeout=120, env={**os.environ, "PYTHONUTF8": "1"})
    assert (0, False) == (said.returncode, b"Traceback" in said.stderr), said.stderr.decode("utf-8", "replace")
