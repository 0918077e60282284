"""`seeds: {until: decided}`: what it is short for, and what has no place beside it."""

from pathlib import Path

import jsonschema
import pytest

from rlaudit.config import SequentialSeeds, json_schema, load_config
from rlaudit.errors import ConfigError

CONFIG = """\
name: small
task: CartPole-v1
agents:
  a2c: {algo: A2C, timesteps: 500}
  ppo: {algo: PPO, timesteps: 500}
seeds: SEEDS
"""
DECIDED = "{until: decided}"


def write(folder: Path, seeds: str = DECIDED, more: str = "") -> Path:
    path = folder / "x.yaml"
    path.write_text(CONFIG.replace("SEEDS", seeds) + more)
    return path


def message(folder: Path, seeds: str = DECIDED, more: str = "", *overrides: str, claims: tuple[str, ...] = ()) -> str:
    path = write(folder, seeds, more)
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides, claims=claims)
    return str(caught.value)


@pytest.mark.parametrize("written", [DECIDED, "{design: sequential}", "{}", "{design: sequential, batch: 5, looks: 6}"])
def test_six_looks_after_five_seeds_each_unless_said_otherwise(tmp_path: Path, written: str) -> None:
    config, _ = load_config(write(tmp_path, written))
    assert config.sequential == SequentialSeeds(until="decided", design="sequential", batch=5, looks=6, futility=0.1)
    assert config.seeds == tuple(range(30))


def test_every_key_can_be_said(tmp_path: Path) -> None:
    written = "{design: anytime, batch: 1, looks: 40, first: 100, futility: false}"
    config, _ = load_config(write(tmp_path, written))
    assert config.sequential is not None
    assert (config.sequential.design, config.sequential.futility) == ("anytime", None)
    assert config.seeds == tuple(range(100, 140))


def test_a_count_has_no_looks(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path, "20"))
    assert config.sequential is None


def test_a_count_on_the_command_line_takes_the_place_of_looks(tmp_path: Path) -> None:
    config, source = load_config(write(tmp_path, "\n  until: decided\n  batch: 7"), seeds="50")
    assert (config.sequential, len(config.seeds)) == (None, 50)
    assert "seeds: 50" in source.yaml()
    assert "batch" not in source.yaml()


def test_one_key_is_set_on_the_command_line(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path), ["seeds.batch=3"])
    assert config.seeds == tuple(range(18))


def test_reproduce_takes_such_a_config_as_any_other_and_looks_at_nothing(tmp_path: Path) -> None:
    config, _ = load_config(write(tmp_path), ["experiment=reproduce"])
    assert (config.sequential, len(config.seeds)) == (None, 30)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{design: fixed}", "x.yaml:6:9: seeds.design = 'fixed' is not a design"),
        ("{design: sequentail}", "Did you mean 'sequential'?"),
        ("{until: forever}", "seeds.until = 'forever' is not an end. Choose from: decided."),
        ("{btach: 3}", "seeds.btach is no key here. Did you mean 'batch'?"),
        ("{batch: 0}", "seeds.batch = 0 must be at least 1"),
        ("{looks: 1}", "seeds.looks = 1 must be at least 2"),
        ("{first: -1}", "seeds.first = -1 must be at least 0"),
        ("{futility: true}", "seeds.futility = true is neither a chance such as 0.1 nor false"),
        ("{futility: 2}", "seeds.futility = 2 must be below 1"),
        ("{batch: 100000}", "makes 100000 x 6 = 600,000 seeds an agent, above 100,000"),
        ("{first: 2147483640}", "ends in seed 2,147,483,669"),
    ],
)
def test_what_is_wrong_is_said_at_its_key(tmp_path: Path, written: str, expected: str) -> None:
    assert expected in message(tmp_path, written)


@pytest.mark.parametrize("key", ["claims: [a2c > ppo]", "margin: 5"])
def test_what_asks_for_a_fixed_number_of_seeds_is_refused(tmp_path: Path, key: str) -> None:
    said = message(tmp_path, DECIDED, f"audit: {{{key}}}\n")
    assert f"audit.{key.partition(':')[0]} " in said
    assert "a fixed number of seeds is written `seeds: 20`" in said


def test_a_correction_is_refused(tmp_path: Path) -> None:
    assert "the looks share alpha" in message(tmp_path, DECIDED, "audit: {correction: benjamini_hochberg}\n")


def test_a_claim_on_the_command_line_is_refused_as_one(tmp_path: Path) -> None:
    assert message(tmp_path, claims=("a2c > ppo",)).startswith("--claim: audit.claims are judged for a fixed number")


def test_one_agent_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("  ppo: {algo: PPO, timesteps: 500}\n", ""))
    with pytest.raises(ConfigError, match="agents holds one agent, but looks are about which of two or more is better"):
        load_config(path)


@pytest.mark.parametrize("experiment", ["sources", "initializers", "tickets", "convex"])
def test_other_experiments_refuse_it(tmp_path: Path, experiment: str) -> None:
    assert "that is for `experiment: audit`" in message(tmp_path, DECIDED, f"experiment: {experiment}\n")


@pytest.mark.parametrize("written", [20, "100-119", [1, 2], {"until": "decided"}, {"futility": False}, {}])
def test_the_schema_takes_counts_and_looks(written: object) -> None:
    jsonschema.validate(_document(written), json_schema())


@pytest.mark.parametrize("written", [1, {"btach": 3}, {"looks": 1}, {"futility": True}])
def test_the_schema_refuses_what_the_config_does(written: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_document(written), json_schema())


def _document(seeds: object) -> dict[str, object]:
    agents = {"a2c": {"algo": "A2C", "timesteps": 500}, "ppo": {"algo": "PPO", "timesteps": 500}}
    return {"name": "small", "task": "CartPole-v1", "agents": agents, "seeds": seeds}
