"""Configs whose agents are programs and functions: which keys go together, what they plan, from config to report."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program_builder import is_alive, wait_until

from rlaudit.config import load_config
from rlaudit.errors import ConfigError
from rlaudit.plan import plan
from rlaudit.store import Store
from rlaudit.types import EvaluationPlan, RunSpec

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"

WALK = """\
import random, sys
random.seed(int(sys.argv[1]))
for step in range(1, int(sys.argv[2]) + 1):
    print(f"step={step} return={random.random() + float(sys.argv[3])}")
"""
CONFIG = """\
name: walks
task: Grid
agents:
  low: &low
    command: python walk.py {seed} {steps} {shift}
    params: {shift: 0}
    timesteps: 5
    result: {pattern: "step={step} return={return}"}
  high:
    <<: *low
    params: {shift: 1}
seeds: 4
audit: {group_sizes: [2], splits: 200}
"""


def write(folder: Path, text: str = CONFIG) -> Path:
    (folder / "walk.py").write_text(WALK)
    (folder / "walks.yaml").write_text(text)
    return folder / "walks.yaml"


def specs(folder: Path, text: str = CONFIG, *overrides: str) -> tuple[RunSpec, ...]:
    return plan(load_config(write(folder, text), overrides)[0])


def rlaudit(*words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "rlaudit", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert code == run.returncode, run.stderr
    return run


# ---------------------------------------------------------------- configs


def test_a_command_becomes_specs_of_its_backend(tmp_path: Path) -> None:
    first, *_ = planned = specs(tmp_path)
    assert 8 == len({spec.run_id for spec in planned})
    assert ("command", "python walk.py {seed} {steps} {shift}") == (first.backend, first.algo)
    assert {"result", "params"} == set(first.params)
    assert str(tmp_path) == first.folder


def test_how_agents_of_sb3_are_evaluated_changes_no_run_of_a_command(tmp_path: Path) -> None:
    beside = CONFIG.replace("agents:\n", "agents:\n  ppo: {algo: PPO, timesteps: 100}\n") + "evaluation: {every: 50}\n"
    alone, both = specs(tmp_path), specs(tmp_path, beside)
    assert {spec.run_id for spec in alone} < {spec.run_id for spec in both}
    assert {"ppo"} == {spec.agent for spec in both if spec.evaluation != EvaluationPlan()}


def test_a_label_belongs_to_the_identity_where_the_command_is_given_it_and_only_there(tmp_path: Path) -> None:
    text = (
        CONFIG.replace("{shift}\n", "{shift} {agent}\n").replace("  high:", "  low2:").replace("shift: 1", "shift: 0")
    )
    assert 8 == len({spec.run_id for spec in specs(tmp_path, text)})
    renamed = specs(tmp_path, CONFIG.replace("  low:", "  renamed:"))
    assert {spec.run_id for spec in renamed} == {spec.run_id for spec in specs(tmp_path)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  high:\n",
            "  high:\n    policy: MlpPolicy\n",
            "agents.high.policy does not go with `command`: it is a key of",
        ),
        ("  high:\n", "  high:\n    n_envs: 1\n", "agents.high.n_envs does not go with `command`"),
        (
            "  high:\n",
            "  high:\n    train: a:b\n",
            "agents.high needs one of algo, command and train; command and train",
        ),
        ("seeds: 4", "seeds: 4\nevaluation: {every: 5}", "evaluation is for agents with `algo`; a program or function"),
        ("task: Grid", "tasks: [Grid, Maze]", "holds neither {env} nor {task}: it would train the same on all 2 tasks"),
        ("step={step} ", "", ""),
        ("shift: 1}", "shift: 0}", "agents.high is agents.low under another name"),
    ],
)
def test_keys_that_mean_nothing_together_are_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = CONFIG.replace(old, new)
    assert text != CONFIG
    if not message:  # one score for each run is enough, unless a learning curve is asked for
        assert 8 == len(specs(tmp_path, text))
        text, message = text + "score: auc\n", "holds no {step}, and score = 'auc' needs a learning curve"
    with pytest.raises(ConfigError) as caught:
        specs(tmp_path, text)
    assert message in str(caught.value)


def test_a_command_gives_learning_curves_without_an_evaluation_plan(tmp_path: Path) -> None:
    assert 8 == len(specs(tmp_path, CONFIG + "score: auc\n"))


# ---------------------------------------------------------------- from config to report


@pytest.mark.slow
def test_from_a_command_to_its_report_and_back(tmp_path: Path) -> None:
    write(tmp_path)
    priced = rlaudit("plan", "walks.yaml", cwd=tmp_path).stdout
    assert "low on Grid:" in priced
    assert "s of CPU a run" in priced
    rlaudit("audit", "walks.yaml", "-q", "--workers", 2, cwd=tmp_path)
    results = tmp_path / "results" / "walks"
    audit = json.loads((results / "audit.json").read_text())
    assert [4, 4] == [len(arm["scores"]) for arm in audit["arms"]]
    assert [1, 1] == [round(audit["arms"][1]["scores"][i] - audit["arms"][0]["scores"][i], 9) for i in (0, 3)]
    assert 5 == len(audit["curves"][0]["steps"])
    report = (results / "report.html").read_text()
    assert "rlaudit audit walks.yaml" in report
    assert "sha256 of walk.py" in report
    (results / "report.html").unlink()
    rlaudit("report", "results/walks", cwd=tmp_path)
    assert (results / "report.html").exists()
    stamps = [path.stat().st_mtime_ns for path in sorted(results.glob("runs/*/meta.json"))]
    assert "Training" not in rlaudit("train", "walks.yaml", cwd=tmp_path).stderr
    assert stamps == [path.stat().st_mtime_ns for path in sorted(results.glob("runs/*/meta.json"))]


def test_mistakes_in_a_command_are_shown_at_their_line(tmp_path: Path) -> None:
    write(tmp_path, CONFIG.replace("{seed}", "{sead}"))
    errors = rlaudit("train", "walks.yaml", cwd=tmp_path, code=2).stderr
    assert "walks.yaml:5:5: agents.low.command: {sead} stands for nothing. Did you mean 'seed'?" in errors
    assert "Traceback" not in errors


def test_a_program_of_a_fixed_length_is_no_pilot(tmp_path: Path) -> None:
    write(tmp_path, CONFIG.replace("{steps}", "5000"))
    planned = rlaudit("plan", "walks.yaml", cwd=tmp_path).stdout
    assert "8 runs" in planned
    assert "s of CPU a run" not in planned


def test_training_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    told = "    environment: {HERE: '{folder}'}\n    params: {shift: 0}"
    write(tmp_path, CONFIG.replace("    params: {shift: 0}", told).replace("seeds: 4", "seeds: 6"))
    with (tmp_path / "walk.py").open("a") as file:
        file.write(
            "import os, time\nopen(os.environ['HERE'] + '/pids', 'a').write(f'{os.getpid()}\\n')\ntime.sleep(1)\n"
        )
    words = [sys.executable, "-m", "rlaudit", "train", "walks.yaml", "--workers", "2", "-q"]
    first = subprocess.Popen(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    results = tmp_path / "results" / "walks" / "runs"
    wait_until(lambda: len(list(results.glob("*/meta.json"))) >= 3)
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = {path: path.stat().st_mtime_ns for path in results.glob("*/meta.json")}
    wait_until(lambda: not any(is_alive(int(pid)) for pid in (tmp_path / "pids").read_text().split()), seconds=10)
    rlaudit("train", "walks.yaml", "-q", cwd=tmp_path)
    assert 3 <= len(done) < 12
    assert 12 == len(list(results.glob("*/meta.json")))
    assert done == {path: path.stat().st_mtime_ns for path in done}


# ---------------------------------------------------------------- the examples


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("any-program", 500),
        ("function", 300),
        pytest.param("cleanrl-style", 600, marks=pytest.mark.slow),
    ],
)
def test_the_examples_run(name: str, steps: int, tmp_path: Path) -> None:
    agents = load_config(CONFIGS / f"{name}.yaml")[0].agents
    short = [word for agent in agents for word in ("-s", f"agents.{agent}.timesteps={steps}")]
    rlaudit("train", CONFIGS / f"{name}.yaml", "-q", "--seeds", 2, *short, cwd=tmp_path)
    records = Store(tmp_path / "results" / name).records()
    curves = {(record.spec.agent, str(record.eval_returns.tolist())) for record in records}
    assert 4 == len(curves)  # other seeds, other curves
    assert all(len(record.eval_steps) for record in records)


def test_the_awk_program_learns(tmp_path: Path) -> None:
    command = ["awk", "-v", "seed=5", "-v", "steps=8000", "-v", "alpha=0.3", "-f", CONFIGS / "programs/gridworld.awk"]
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, check=True)
    rows = (tmp_path / "results.csv").read_text().splitlines()
    assert "step,value" == rows[0]
    assert [str(step) for step in range(800, 8001, 800)] == [row.split(",")[0] for row in rows[1:]]
    assert float(rows[-1].split(",")[1]) > -25 > float(rows[1].split(",")[1])
    assert time.monotonic() - started < 30


@pytest.mark.slow
def test_the_ppo_of_the_example_learns(tmp_path: Path) -> None:
    """5,000 of the 20,000 steps; a random policy reaches 22."""
    command = [sys.executable, CONFIGS / "programs/ppo.py", "--seed", "1", "--total-timesteps", "5000"]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    lines = subprocess.run(command, cwd=tmp_path, env=one, check=True, capture_output=True, text=True).stdout
    returns = [float(line.rpartition("=")[2]) for line in lines.splitlines()]
    assert sum(returns[:20]) / 20 < 50
    assert sum(returns[-10:]) / 10 > 100
