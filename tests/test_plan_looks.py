"""`rlaudit plan` of a config whose seeds are added."""

import json
from pathlib import Path

import pytest
from builders import record
from click.testing import CliRunner, Result
from looks_builder import records_of

from rlaudit.cli import main
from rlaudit.config import load_config
from rlaudit.experiments import audit
from rlaudit.plan import plan as all_runs
from rlaudit.store import Store

CONFIG = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 200}
  ppo: {algo: PPO, timesteps: 128, params: {n_steps: 64}}
seeds: {until: decided}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(CONFIG)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("plan", "x.yaml", "--no-pilot", *arguments))


def words(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    return " ".join(result.stdout.split())


def test_the_least_and_the_most_are_said_with_their_price() -> None:
    text = words("--cost", "2", "--workers", "4")
    assert "small: 2 agents x 1 task x 5 to 30 seeds = 10 to 60 runs; 0 stored in results/small. 6 looks, 0" in text
    assert "About 20 min of CPU to the next look (10 runs), and at most 2.0 h to the last: 30 min" in text


def test_gaps_that_are_assumed_say_how_soon_it_would_end() -> None:
    looks = json.loads(run("--json").stdout)["looks"]
    half, one, more = looks["gaps"]
    assert half["winner"] < 0.6 < 0.85 < one["winner"] <= more["winner"]
    assert 30 > half["mean_seeds"] > one["mean_seeds"] > more["mean_seeds"] >= 5
    assert "How far apart these agents are is not known beforehand." in words()


def test_a_design_that_takes_long_to_simulate_is_not_forecast() -> None:
    assert "How soon it ends is not forecast" in words("-s", "seeds.batch=20")


def test_seeds_of_arms_that_stopped_are_not_paid_for() -> None:
    config, _ = load_config(Path("x.yaml"))
    Store(Path("results/small")).add_all(records_of(all_runs(config), {"a2c": 100.0, "ppo": 400.0}))
    assert "It is settled: nothing is left to train." in words()


def test_after_a_look_the_next_batch_is_priced() -> None:
    config, _ = load_config(Path("x.yaml"))
    first = audit.plan(config)
    scores = {"a2c": [1, 9, 4, 7, 2], "ppo": [3, 8, 6, 1, 5]}
    Store(Path("results/small")).add_all(
        [record(spec, final_returns=[float(scores[spec.agent][int(spec.seed)])]) for spec in first]
    )
    text = words("--cost", "1")
    assert "10 stored in results/small. 6 looks, 1 made." in text
    assert "to the next look (10 runs), and at most 50 min to the last" in text


@pytest.mark.parametrize("option", [("--claim", "a2c > ppo"), ("--budget", "10")])
def test_what_is_about_a_fixed_number_is_refused(option: tuple[str, str]) -> None:
    result = run(*option)
    assert result.exit_code == 2
    assert f"{option[0]} is about a fixed number of seeds" in result.output


def test_a_count_as_well_makes_it_an_ordinary_plan() -> None:
    assert "x 20 seeds = 40 runs" in words("--seeds", "20", "--claim", "a2c > ppo")


def test_looks_that_can_name_nobody_are_refused() -> None:
    result = run("-s", "seeds.batch=1", "-s", "seeds.looks=4")
    assert result.exit_code == 2
    assert "seeds can name no winner among 2 agents" in result.output
