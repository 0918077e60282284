"""The command line, as people and scripts meet it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from rlaudit.cli import main

CONFIG = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 200, n_envs: 2}
  ppo: {algo: PPO, timesteps: 128, params: {n_steps: 64}}
seeds: 4
evaluation: {every: 100, episodes: 2}
audit: {group_sizes: [2], margin: 25, tests: [welch, permutation]}
"""
TABLE = "agent,seed,score\n" + "".join(f"{a},{s},{10 * (a == 'b') + s}\n" for a in "ab" for s in range(6))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test stands in an empty folder with a config and a table."""
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(CONFIG)
    Path("scores.csv").write_text(TABLE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def shell(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rlaudit", *arguments], capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


# ---------------------------------------------------------------- bad input


class Bad(NamedTuple):
    """What is typed, what the files say instead, and what the message must hold."""

    arguments: str
    expected: tuple[str, ...]
    old: str = ""
    new: str = ""
    table: str | bytes | None = None
    config: str | bytes | None = None


AUDIT = "audit x.yaml"
BAD = {
    # configs
    "unknown key": Bad(
        AUDIT, ("x.yaml:6:1: seedz is no key here. Did you mean 'seeds'?", "seeds is missing"), "seeds:", "seedz:"
    ),
    "unknown test": Bad(
        AUDIT,
        ("x.yaml:8:47: audit.tests[0] = 'welsh' is not a test. Did you mean 'welch'?", "list tests"),
        "welch",
        "welsh",
    ),
    "unknown score": Bad(
        AUDIT, ("x.yaml:6:1: score = 'finl' is not a score. Did you mean 'final'?",), "seeds:", "score: finl\nseeds:"
    ),
    "unknown algorithm": Bad(
        AUDIT, ("x.yaml:4:9: agents.a2c.algo", "'PP0'", "Did you mean 'PPO'?"), "algo: A2C", "algo: PP0"
    ),
    "unknown hyper-parameter": Bad(
        AUDIT, ("x.yaml:5:45: agents.ppo.params.n_step", "'n_step'", "'n_steps'"), "n_steps", "n_step"
    ),
    "hyper-parameter in the wrong place": Bad(
        AUDIT,
        ("x.yaml:4:20: agents.a2c.gamma is no key here", "params"),
        "timesteps: 200",
        "gamma: 0.9, timesteps: 200",
    ),
    "missing environment": Bad(AUDIT, ("x.yaml:2:1: task", "CartPol", "CartPole"), "CartPole-v1", "CartPol-v1"),
    "no task": Bad(AUDIT, ("x.yaml:1:1: task (or tasks) is missing",), "task: CartPole-v1\n", ""),
    "text for a number": Bad(
        AUDIT, ("x.yaml:4:20: agents.a2c.timesteps = 'many' is not a whole number",), "200", "many"
    ),
    "negative timesteps": Bad(AUDIT, ("x.yaml:4:20: agents.a2c.timesteps = -5 must be at least 1",), "200", "-5"),
    "one seed": Bad(AUDIT, ("x.yaml:6:1: seeds = 1 makes 1 seed; an audit needs at least 2",), "seeds: 4", "seeds: 1"),
    "duplicate seeds": Bad(
        AUDIT, ("x.yaml:6:1: seeds = [3, 5, 3] names seed 3 twice",), "seeds: 4", "seeds: [3, 5, 3]"
    ),
    "two agents of one name": Bad(AUDIT, ("x.yaml:5:3: agents.a2c is written twice, first in line 4",), "ppo:", "a2c:"),
    "two equal agents": Bad(
        AUDIT,
        ("x.yaml:5:3: agents.ppo is agents.a2c under another name",),
        "PPO, timesteps: 128, params: {n_steps: 64}",
        "A2C, timesteps: 200, n_envs: 2",
    ),
    "alpha out of range": Bad(AUDIT, ("x.yaml:8:9: audit.alpha = 5 must be below 0.5",), "{group", "{alpha: 5, group"),
    "NaN": Bad(AUDIT, ("audit.margin = nan",), "margin: 25", "margin: .nan"),
    "claim about nobody": Bad(
        AUDIT, ("audit.claims[0] = 'dqn > ppo' speaks of 'dqn'",), "margin: 25", "claims: ['dqn > ppo']"
    ),
    "curve score without a curve": Bad(
        AUDIT,
        ("score = 'auc' needs a learning curve: set evaluation.every",),
        "evaluation: {every: 100, episodes: 2}",
        "score: auc",
    ),
    "name that leaves the folder": Bad(
        AUDIT, ("x.yaml:1:1: name = '../up' is no name for a folder",), "small", "../up"
    ),
    "YAML syntax": Bad(AUDIT, ("x.yaml:", "not valid YAML"), "seeds: 4", "seeds: [4"),
    "a tab": Bad(AUDIT, ("x.yaml:6:1: not valid YAML",), "seeds: 4", "\tseeds: 4"),
    "empty config": Bad(AUDIT, ("x.yaml: is empty", "rlaudit init"), config=""),
    "only comments": Bad(AUDIT, ("x.yaml: is empty",), config="# nothing\n"),
    "binary config": Bad(AUDIT, ("x.yaml: is not a text file",), config=b"\x89PNG\r\n\x1a\n\xff\x00"),
    "a list": Bad(AUDIT, ("a config is a mapping of keys", "found a list"), config="- 1\n- 2\n"),
    "no such config": Bad("audit y.yaml", ("y.yaml: there is no such file. Did you mean 'x.yaml'?",)),
    "a folder named like a config": Bad("train folder.yaml", ("folder.yaml: is a folder",)),
    # overrides
    "unknown key in an override": Bad(
        f"{AUDIT} -s audit.alhpa=0.01", ("-s audit.alhpa=0.01: audit.alhpa is no key here. Did you mean 'alpha'?",)
    ),
    "bad value in an override": Bad(
        f"{AUDIT} -s agents.a2c.timesteps=abc",
        ("-s agents.a2c.timesteps=abc: agents.a2c.timesteps = 'abc' is not a whole number",),
    ),
    "override without a value": Bad(f"{AUDIT} -s audit.alpha", ("an override reads KEY=VALUE",)),
    "override of a number's inside": Bad(f"{AUDIT} -s seeds.first=3", ("seeds is 4, which has no keys to set",)),
    "bad seeds option": Bad(f"{AUDIT} --seeds 9-3", ("--seeds 9-3: seeds = '9-3' is neither a count",)),
    "override without a config": Bad(
        "audit scores.csv -s seeds=5", ("without a config only score and audit.KEY can be set",)
    ),
    "seeds without a config": Bad("audit scores.csv --seeds 5", ("scores.csv is no config",)),
    # tables and folders
    "text in the score column": Bad(
        "audit scores.csv", ("scores.csv", "score", "'good'"), table=TABLE.replace("b,3,13", "b,3,good")
    ),
    "one seed an agent": Bad("audit scores.csv", ("seed",), table="agent,seed,score\na,0,1\nb,0,2\n"),
    "a seed twice": Bad(
        "audit scores.csv", ("scores.csv:14: seed 0 of agent 'a' is already in scores.csv:2",), table=TABLE + "a,0,5\n"
    ),
    "missing column": Bad("audit scores.csv", ("scores.csv", "score"), table=TABLE.replace("score", "reward")),
    "empty table": Bad("audit scores.csv", ("scores.csv", "empty"), table=""),
    "binary table": Bad("audit scores.csv", ("scores.csv",), table=b"\x00\x01\x02\xff"),
    "no such table": Bad("audit nope.csv", ("nope.csv",)),
    "no results folder": Bad("audit folder", ("folder", "not a results folder")),
    "nothing to render": Bad("report folder", ("audit.json: there is no such file",)),
    # commands
    "unknown verb": Bad("adit x.yaml", ("No such command 'adit'. Did you mean 'audit'?",)),
    "unknown option": Bad("audit x.yaml --sed 5", ("No such option '--sed'", "--seeds")),
    "no target": Bad("audit", ("Missing argument 'TARGET...'",)),
    "no workers": Bad(f"{AUDIT} --workers 0", ("--workers", "x>=1")),
    "unknown kind": Bad("list tets", ("Did you mean 'tests'?",)),
    "init over a file": Bad("init x.yaml", ("x.yaml: is there already and was left as it is",)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_clear_message_and_leaves_no_files_behind(bad: Bad) -> None:
    Path("folder.yaml").mkdir()
    Path("folder").mkdir()
    config = bad.config if bad.config is not None else CONFIG.replace(bad.old, bad.new, 1)
    for name, content in {"x.yaml": config, "scores.csv": bad.table if bad.table is not None else TABLE}.items():
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    before = files()

    result = run(*bad.arguments.split())

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert [part for part in bad.expected if part not in result.stderr] == [], result.stderr
    assert result.stderr.count("Error: ") == 1
    assert files() == before


# ---------------------------------------------------------------- verbs


def test_a_config_is_trained_audited_and_reported_by_one_command() -> None:
    result = shell("audit", "x.yaml", "--workers", "2")
    assert result.returncode in (0, 3), result.stderr
    assert "[8/8]" in result.stderr
    assert "Report: results/small/report.html" in result.stdout
    audit = json.loads(Path("results/small/audit.json").read_text())
    assert (audit["schema"], audit["experiment"], len(audit["arms"])) == ("rlaudit.audit/1", "audit", 2)
    assert Path("results/small/scores.csv").read_text().count("done") == 8
    assert len(list(Path("results/small/runs").iterdir())) == 8

    again = shell("audit", "x.yaml", "--json")
    assert "Training" not in again.stderr
    assert "Report: " in again.stderr
    assert json.loads(again.stdout) == json.loads(Path("results/small/audit.json").read_text())
    assert json.loads(again.stdout)["arms"] == audit["arms"]


def test_a_table_is_audited_into_the_folder_of_its_name() -> None:
    result = run("audit", "scores.csv")
    assert result.exit_code == 0, result.output
    assert "B better" in result.stdout
    assert Path("results/scores/report.html").exists()


def test_out_replaces_the_results_folder() -> None:
    assert run("audit", "scores.csv", "--out", "here").exit_code == 0
    assert Path("here/report.html").exists()
    assert not Path("results").exists()


def test_json_is_alone_on_standard_output() -> None:
    result = run("audit", "scores.csv", "--json")
    assert json.loads(result.stdout)["comparisons"][0]["verdict"] == "b_better"
    assert "B better" in result.stderr


def test_quiet_says_one_line() -> None:
    result = run("audit", "scores.csv", "--quiet")
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1


def test_quick_says_that_it_is_quick() -> None:
    result = run("audit", "scores.csv", "--quick")
    assert "Quick audit" in result.stdout
    assert "quick" in json.loads(Path("results/scores/audit.json").read_text())["provenance"]


@pytest.mark.parametrize(
    ("b_scores", "options", "code"),
    [
        ((10, 11, 12, 13), (), 0),
        ((10, 11, 12, 13), ("--gate",), 0),
        ((0, 1, 2, 3.5), (), 0),
        ((0, 1, 2, 3.5), ("--gate",), 3),
        ((10, 11, 12, 13), ("-s", "audit.claims=['b > a']"), 0),
        ((10, 11, 12, 13), ("-s", "audit.claims=['a > b']"), 1),
        ((0, 1, 2, 3.5), ("-s", "audit.claims=['a > b']", "--gate"), 3),
    ],
    ids=["fine", "gate", "undecided", "undecided gate", "claim holds", "claim fails", "claim open"],
)
def test_the_exit_code_says_how_it_went(b_scores: tuple[float, ...], options: tuple[str, ...], code: int) -> None:
    rows = [f"a,{seed},{seed}" for seed in range(4)] + [f"b,{seed},{score}" for seed, score in enumerate(b_scores)]
    Path("scores.csv").write_text("\n".join(["agent,seed,score", *rows]))
    assert run("audit", "scores.csv", *options).exit_code == code


@pytest.mark.slow
def test_failed_runs_have_an_exit_code_and_are_kept() -> None:
    longer = ("agents.a2c.timesteps=4000", "agents.ppo.timesteps=4000", "evaluation.every=4000")
    command = ["train", "x.yaml", "--seeds", "2", *(word for override in longer for word in ("-s", override))]
    result = shell(*command, "--timeout", "0.3")
    assert result.returncode == 4, result.stderr
    assert result.stderr.count("FAILED: TimeoutError") == 4
    assert "0 of 4 runs are in results/small, 4 failed" in result.stderr
    again = shell(*command)
    assert (again.returncode, "FAILED" in again.stderr) == (4, False), again.stderr
    retried = shell(*command, "--retry-failed")
    assert (retried.returncode, "4 of 4 runs" in retried.stderr) == (0, True), retried.stderr


def test_ctrl_c_keeps_finished_seeds_and_prints_the_line_that_resumes(folder: Path) -> None:
    command = ["train", "x.yaml", "-s", "agents.ppo.timesteps=5e6", "--workers", "2"]
    process = subprocess.Popen([sys.executable, "-m", "rlaudit", *command], stderr=subprocess.PIPE, text=True)
    finished = folder / "results/small/runs"
    deadline = time.monotonic() + 60
    while not (finished.is_dir() and len(list(finished.iterdir())) >= 2) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "rlaudit train x.yaml -s agents.ppo.timesteps=5e6 --workers 2" in stderr
    assert "Traceback" not in stderr
    assert len(list(finished.iterdir())) >= 2


def test_report_renders_again() -> None:
    run("audit", "scores.csv")
    page = Path("results/scores/report.html")
    first = page.read_bytes()
    page.unlink()
    assert run("report", "results/scores").exit_code == 0
    assert page.read_bytes() == first
    assert run("report", "results/scores/audit.json", "--out", "other.html").exit_code == 0
    assert Path("other.html").read_bytes() == first


@pytest.mark.parametrize(
    ("kind", "name"),
    [("tests", "welch"), ("backends", "sb3"), ("importers", "tidy"), ("experiments", "audit"), ("figures", "power")],
)
def test_list_names_what_there_is(kind: str, name: str) -> None:
    lines = run("list", kind).stdout.splitlines()
    assert name in [line.split()[0] for line in lines]
    assert all(len(line.split()) > 3 for line in lines)


def test_the_calibration_table_has_a_line_for_each_test_in_each_block() -> None:
    lines = run("list", "tests", "--calibration").stdout.splitlines()
    assert sum(line.split()[:1] == ["welch"] for line in lines) == 24  # six nulls, four designs
    assert sum(line.split()[:1] == ["sign_flip"] for line in lines) == 12  # pairs need equal numbers
    refused = run("list", "figures", "--calibration")
    assert refused.exit_code == 2
    assert "only tests are calibrated" in refused.stderr


def test_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["title"] == "rlaudit config"


def test_init_writes_a_config_that_works() -> None:
    assert run("init", "new.yaml").exit_code == 0
    assert "4.0" not in run("plan", "new.yaml", "--no-pilot").stderr
    assert "2 agents x 1 task x 20 seeds" in run("plan", "new.yaml", "--no-pilot").stdout


def test_no_color_is_honoured() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1"}
    coloured = {**os.environ, "FORCE_COLOR": "1"}
    coloured.pop("NO_COLOR", None)
    assert "\x1b[31m" not in shell("audit", "scores.csv", env=environment).stdout
    assert "\x1b[" in shell("audit", "scores.csv", env=coloured).stdout


def test_names_from_files_are_shown_as_text() -> None:
    Path("scores.csv").write_text(TABLE.replace("b,", "[red]b[/red],"))
    assert "[red]b[/red]" in run("audit", "scores.csv").stdout
