"""`rlaudit train --list-commands`: lines that any queue can run, alone or several at once, give the same store."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dask_builder import ENVIRONMENT
from test_cluster import TICKETS, contents

from rlaudit.cli import main

CONFIG = """\
name: small
task: CartPole-v1
agents:
  "ppo's": {algo: PPO, timesteps: 64, params: {n_steps: 32}}
seeds: 3
evaluation: {every: 50, episodes: 1}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("my config.yaml").write_text(CONFIG)
    return tmp_path


def train(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", "my config.yaml", *arguments])


def test_the_lines_run_two_at_a_time_give_the_store_of_an_undisturbed_training(folder: Path) -> None:
    settings = ["--seeds", "5-7", "-s", "agents.ppo's.params.gamma=0.9", "--executor", "serial"]
    listed = train("--out", "from lines", *settings, "--list-commands")
    assert 0 == listed.exit_code
    assert not Path("from lines").exists()
    assert "3 runs are missing in from lines.\n" == listed.stderr
    assert 3 == len(listed.stdout.splitlines())
    rlaudit = folder / "bin" / "rlaudit"
    rlaudit.parent.mkdir()
    rlaudit.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rlaudit "$@"\n')
    rlaudit.chmod(0o755)
    environment = {**ENVIRONMENT, "PATH": os.pathsep.join([str(rlaudit.parent), os.environ["PATH"]])}
    command = ["xargs", "-P2", "-d", "\\n", "-n1", "sh", "-c", 'eval "$0"']
    subprocess.run(command, input=listed.stdout, text=True, env=environment, check=True, capture_output=True)
    assert 0 == train("--out", "undisturbed", *settings, "-q").exit_code
    assert 3 == len(contents(Path("undisturbed")))
    assert contents(Path("undisturbed")) == contents(Path("from lines"))
    assert "" == train("--out", "from lines", *settings, "--list-commands").stdout


def test_only_the_runs_that_are_asked_for_are_trained_and_counted() -> None:
    words = [shlex.split(line) for line in train("--list-commands").stdout.splitlines()]
    assert ["rlaudit", "train", "my config.yaml", "--out", "results/small", "--only"] == words[0][:-1]
    ids = [line[-1] for line in words]
    assert 3 == len(set(ids))
    trained = train("--only", ids[2], "--only", ids[0], "-q")
    assert (0, "2 of 2 runs are in results/small, 0 failed.\n") == (trained.exit_code, trained.stderr)
    assert {ids[0], ids[2]} == contents(Path("results/small")).keys()
    assert 0 == train("--only", ids[0]).exit_code  # once more: it is there
    assert ids[1:2] == [line.split()[-1] for line in train("--list-commands").stdout.splitlines()]


def test_a_run_that_there_is_none_of_is_refused_with_the_nearest() -> None:
    first = train("--list-commands").stdout.splitlines()[0].split()[-1]
    typed = first[:5] + first[6:]
    refused = train("--only", typed)
    assert 2 == refused.exit_code
    message = f"Error: --only {typed}: there is no such run among the 3 of this config. Did you mean {first}?"
    assert message == refused.stderr.splitlines()[-1]
    assert "Those that are missing: rlaudit train --list-commands" in train("--only", "x").stderr


def test_a_config_that_cannot_be_trained_lists_nothing() -> None:
    refused = train("-s", "agents.ppo's.params.gama=0.9", "--list-commands")
    assert (2, "") == (refused.exit_code, refused.stdout)
    assert "gamma" in refused.stderr


def test_of_an_experiment_in_stages_the_known_runs_are_listed_and_that_more_follow() -> None:
    Path("my config.yaml").write_text(TICKETS)
    listed = train("--list-commands")
    assert 12 == len(listed.stdout.splitlines())
    assert "Further runs may follow from their results: ask again when these are trained." in listed.stderr
