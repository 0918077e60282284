"""Hyper-parameters of rl-baselines3-zoo: read as rl_zoo3 reads them, spelled out in the config, never run."""

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from zoo_arguments import read

from rlaudit.backends import BACKENDS
from rlaudit.cli import main
from rlaudit.config import AgentConfig, load_config
from rlaudit.config.literals import literal
from rlaudit.errors import ConfigError
from rlaudit.plan import plan
from rlaudit.store import Store

SAMPLES = Path(__file__).parent / "data" / "zoo-yaml"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text())  # by rl_zoo3 2.9.2 itself

CONFIG = """\
name: small
task: CartPole-v1
agents:
  zoo:  # from elsewhere
    zoo: zoo/ppo.yml  # tuned

  # the second agent
  mine: {algo: A2C, timesteps: 300}
seeds: 2
evaluation: {episodes: 2}
audit: {group_sizes: [2], tests: [welch]}
"""
BY_HAND = """\
name: small
task: CartPole-v1
agents:
  zoo:
    algo: PPO
    timesteps: 300
    n_envs: 2
    policy_kwargs: {net_arch: {pi: [16], vf: [16]}, activation_fn: torch.nn.ReLU, ortho_init: false, log_std_init: -2}
    params:
      {n_steps: 32, batch_size: 64, gae_lambda: 0.8, gamma: 0.98, n_epochs: 2, ent_coef: 0.0, learning_rate: lin_0.001,
       clip_range: lin_0.2}
  mine: {algo: A2C, timesteps: 300}
seeds: 2
evaluation: {episodes: 2}
audit: {group_sizes: [2], tests: [welch]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test stands in a folder with a config, and the sample files beside it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLES, "zoo")
    Path("x.yaml").write_text(CONFIG)
    return tmp_path


def agent(written: str, task: str = "CartPole-v1", *overrides: str) -> AgentConfig:
    """One agent, `{zoo: ...}` with whatever else it states."""
    Path("one.yaml").write_text(f"name: x\ntasks: [{task}]\nagents: {{one: {written}}}\nseeds: 2\n")
    return load_config(Path("one.yaml"), overrides)[0].agents["one"]


def notes(written: str, task: str = "CartPole-v1") -> tuple[str, ...]:
    agent(written, task)
    return load_config(Path("one.yaml"))[1].notes


def refusal(entry: str, written: str = "{zoo: zoo/ppo.yml#bad}", task: str = "CartPole-v1") -> str:
    """What is said about an entry with these lines."""
    lines = entry if "n_timesteps" in entry else f"{entry}\nn_timesteps: 5"
    Path("zoo/ppo.yml").write_text("bad:\n" + "".join(f"  {line}\n" for line in lines.splitlines()))
    with pytest.raises(ConfigError) as caught:
        agent(written, task)
    return str(caught.value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("entry", EXPECTED)
def test_an_entry_reaches_the_constructor_as_rl_zoo3_itself_hands_it_over(entry: str) -> None:
    assert EXPECTED[entry] == read(Path("zoo"), entry)


def test_every_sample_was_read_by_rl_zoo3() -> None:
    keys = {f"{file.name}#{key}" for file in SAMPLES.glob("*.yml") for key in _top_level_keys(file)}
    assert EXPECTED.keys() == keys


def _top_level_keys(file: Path) -> list[str]:
    return [line.partition(":")[0] for line in file.read_text().splitlines() if line[:1].isalpha()]


def test_a_run_is_named_by_its_values_wherever_they_came_from() -> None:
    Path("by_hand.yaml").write_text(BY_HAND)
    spelled, by_hand = (plan(load_config(Path(name))[0]) for name in ("x.yaml", "by_hand.yaml"))
    assert [spec.run_id for spec in by_hand] == [spec.run_id for spec in spelled]


@pytest.mark.parametrize(
    ("task", "entry"),
    [
        ("CartPole-v1", "CartPole-v1"),
        ("some_module:CartPole-v1", "CartPole-v1"),
        ("BreakoutNoFrameskip-v4", "BreakoutNoFrameskip-v4"),
        ("PongNoFrameskip-v4", "atari"),
        ("ale_py:ALE/Pong-v5", "atari"),
        ("Acrobot-v1", "default"),
    ],
)
def test_without_a_key_the_entry_is_the_one_that_rl_zoo3_takes_for_the_task(task: str, entry: str) -> None:
    assert agent(f"{{zoo: zoo/ppo.yml#{entry}}}") == agent("{zoo: zoo/ppo.yml}", task)


def test_an_entry_that_stands_in_for_the_tasks_own_is_named() -> None:
    assert () == notes("{zoo: zoo/ppo.yml}")
    (note,) = notes("{zoo: zoo/ppo.yml}", "Acrobot-v1")
    assert note == "agents.one: zoo/ppo.yml has no entry Acrobot-v1; 'default' is read, as in rl_zoo3"


def test_several_tasks_share_an_agents_hyper_parameters() -> None:
    assert agent("{zoo: zoo/ppo.yml}", "Acrobot-v1, MountainCar-v0").timesteps == 1_000_000
    with pytest.raises(ConfigError, match=r"the entries CartPole-v1 and default differ; name one.*#CartPole-v1"):
        agent("{zoo: zoo/ppo.yml}", "CartPole-v1, Acrobot-v1")


def test_what_the_agent_states_wins_key_by_key() -> None:
    mine = agent("{zoo: zoo/ppo.yml, n_envs: 3, params: {gamma: 0.5}, policy_kwargs: {net_arch: [8]}}")
    assert (3, 0.5, 32) == (mine.n_envs, mine.params["gamma"], mine.params["n_steps"])
    assert [8] == mine.policy_kwargs["net_arch"]
    assert mine.policy_kwargs["ortho_init"] is False


def test_overrides_of_the_command_line_win() -> None:
    mine = agent("{zoo: zoo/ppo.yml}", "CartPole-v1", "agents.one.timesteps=500", "agents.one.params.gamma=0.5")
    assert (500, 0.5, 32) == (mine.timesteps, mine.params["gamma"], mine.params["n_steps"])
    assert 1_000_000 == agent("{zoo: zoo/ppo.yml}", "CartPole-v1", "agents.one.zoo=zoo/ppo.yml#default").timesteps


def test_the_file_says_the_algorithm_unless_the_agent_does() -> None:
    assert "SAC" == agent("{zoo: zoo/sac.yml#Pendulum-v1}").algo
    shutil.copy("zoo/ppo.yml", "zoo/ppo_lstm.yml")
    shutil.copy("zoo/ppo.yml", "zoo/mine.yaml")
    assert "RecurrentPPO" == agent("{zoo: zoo/ppo_lstm.yml}").algo
    assert "TRPO" == agent("{zoo: zoo/mine.yaml, algo: TRPO}").algo


def test_what_has_no_place_in_a_config_is_left_out_and_said() -> None:
    assert [
        "agents.one: callback of Stopped-v0 is left out: rlaudit evaluates by itself; "
        "a callback that changes training makes other runs",
        "agents.one: monitor_kwargs of Stopped-v0 is left out: rlaudit has a Monitor of its own",
    ] == list(notes("{zoo: zoo/ppo.yml#Stopped-v0}"))
    (note,) = notes("{zoo: zoo/ars.yml}")
    assert note.startswith("agents.one: n_envs of CartPole-v1 is left out: rl_zoo3 evaluates")


def test_arguments_of_the_environment_are_taken_where_the_task_has_them() -> None:
    entry = "n_timesteps: 5\npolicy: MlpPolicy\nenv_kwargs: {gravity: 9.8}"
    assert "one.env_kwargs = {'gravity': 9.8} belongs to the task" in refusal(entry)
    assert 5 == agent("{zoo: zoo/ppo.yml#bad}", "{id: CartPole-v1, kwargs: {gravity: 9.8}}").timesteps


# ---------------------------------------------------------------- the config that is kept


def test_a_stored_config_stands_on_its_own_and_says_where_its_values_came_from() -> None:
    config, source = load_config(Path("x.yaml"))
    assert source.yaml().splitlines()[3:23] == [
        "agents:",
        "  zoo:  # from elsewhere",
        "    # hyper-parameters of rl-baselines3-zoo: zoo/ppo.yml#CartPole-v1",
        "    n_envs: 2",
        "    timesteps: 300",
        "    policy: MlpPolicy",
        "    params:",
        "      n_steps: 32",
        "      batch_size: 64",
        "      gae_lambda: 0.8",
        "      gamma: 0.98",
        "      n_epochs: 2",
        "      ent_coef: 0.0",
        "      learning_rate: lin_0.001",
        "      clip_range: lin_0.2",
        "    policy_kwargs:",
        "      net_arch:",
        "        pi:",
        "        - 16",
        "        vf:",
    ]
    assert re.search(r"\n    algo: PPO +# tuned\n\n  # the second agent\n  mine: {", source.yaml())
    shutil.rmtree("zoo")
    Path("stored.yaml").write_text(source.yaml())
    assert load_config(Path("stored.yaml"))[0] == config


def test_agents_that_share_an_anchor_are_filled_each_by_itself() -> None:
    Path("x.yaml").write_text(
        "name: x\ntask: CartPole-v1\nseeds: 2\nagents:\n"
        "  a: &a {zoo: zoo/ppo.yml, params: {n_steps: 16}}\n"
        "  b: {<<: *a, timesteps: 7}\n"
    )
    config, source = load_config(Path("x.yaml"), ["agents.b.params.gamma=0.5"])
    assert (0.98, 0.5) == tuple(one.params["gamma"] for one in config.agents.values())
    Path("stored.yaml").write_text(source.yaml())
    assert load_config(Path("stored.yaml"))[0] == config


def test_notes_are_printed_and_kept_in_the_stored_config() -> None:
    overrides = ["agents.zoo.zoo=zoo/ppo.yml#Stopped-v0", "task=Pendulum-v1", "agents.mine.timesteps=400"]
    printed = run("plan", "x.yaml", "--no-pilot", *(word for one in overrides for word in ("-s", one)))
    assert printed.exit_code == 0, printed.output
    assert "Note: agents.zoo: callback of Stopped-v0 is left out" in printed.stderr
    agent("{zoo: zoo/ppo.yml#Stopped-v0}")
    assert "# callback of Stopped-v0 is left out" in load_config(Path("one.yaml"))[1].yaml()


def test_a_zoo_agent_trains_to_the_bit_as_one_spelled_out_and_is_audited_without_its_file() -> None:
    Path("by_hand.yaml").write_text(BY_HAND)
    assert 0 == run("train", "x.yaml", "--out", "runs", "-q").exit_code
    specs = plan(load_config(Path("by_hand.yaml"))[0])
    by_hand = [record for spec in specs for record in BACKENDS["sb3"].train([spec], progress=lambda spec, steps: None)]
    weights = [record.weights_sha256 for record in Store(Path("runs")).records(specs)]
    assert [record.weights_sha256 for record in by_hand] == weights
    assert len(set(weights)) == 4
    shutil.rmtree("zoo")
    assert 0 == run("audit", "runs", "-q").exit_code


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{zoo: zoo/ppo.yml#CartPole-v0}", "zoo/ppo.yml has no entry 'CartPole-v0'. Did you mean 'CartPole-v1'?"),
        ("{zoo: zoo/sac.yml}", "zoo/sac.yml has no entry 'CartPole-v1'. Choose from: Pendulum-v1, parking-v0."),
        ("{zoo: zoo/pp0.yml}", "the file's name says no algorithm. Did you mean 'ppo'? Or state `algo`"),
        ("{zoo: zoo/pp0.yml, algo: PPO}", "zoo/pp0.yml: there is no such file. Did you mean 'zoo/ppo.yml'?"),
        ("{zoo: zoo/ppo.py}", "is no YAML file of rl-baselines3-zoo"),
        ("{zoo: zoo}", "is no YAML file of rl-baselines3-zoo"),
        ("{zoo: zoo/ppo.yml, command: x}", "do not go with `command`"),
        ("{zoo: zoo/ppo.yml#default, timesteps: 5, policy: MlpPolicy, algo: PPO}", "gives nothing that the agent"),
    ],
)
def test_a_bad_reference_is_shown_at_its_line(written: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        agent(written)
    assert words in str(caught.value)
    assert str(caught.value).startswith("one.yaml:3:16: agents.one.zoo ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("learning_rate: cos_3e-4", "learning_rate = 'cos_3e-4' is no schedule; lin_3e-4 falls"),
        ("clip_range: lin_", "is no schedule"),
        ('policy_kwargs: "dict(net_arch=[64)"', "is no Python expression"),
        ('policy_kwargs: "[64, 64]"', "= '[64, 64]' is no mapping of keys"),
        ('policy_kwargs: "dict(activation_fn=nn.Tanh())"', "holds nn.Tanh(), which would have to be run"),
        ('policy_kwargs: "dict(net_arch=tiny)"', "holds tiny, a name where no class belongs"),
        ('normalize: "dict(norm_obs=True, **more)"', "holds a dict(**...)"),
        ('normalize: "dict(norm_obs=True, norm_obs=False)"', "names 'norm_obs' twice"),
        ("noise_type: pink\nnoise_std: 0.1", "noise_type, normal or ornstein-uhlenbeck"),
        ("noise_std: 0.1", "noise_std = 0.1: noise_type"),
        ("n_timesteps: 1.5", "one.timesteps = 1.5 is not a whole number"),
        ("n_envs: many", "one.n_envs = 'many' is not a whole number"),
        ("frame_stack: 0", "one.frame_stack = 0 must be at least 1"),
        ("env_wrapper: 5", "one.wrappers[0] = 5 is neither the name of a wrapper nor"),
        ("env_wrapper: [Wrapper]", "is no import path"),
        ("env_wrapper: [{a.B: {}, c.D: {}}]", "is neither the name of a wrapper nor"),
        ("normalize: often", "= 'often' holds often, a name where no class belongs"),
        ("gamma: .nan", "holds more than finite numbers"),
    ],
)  # fmt: skip
def test_a_bad_value_is_shown_at_the_line_of_the_zoos_file(line: str, words: str) -> None:
    assert words in refusal(line)
    assert refusal(line).startswith("zoo/ppo.yml:2:3: agents.one.")
    assert refusal(line).endswith("~")


def test_a_value_that_an_entry_merges_is_shown_where_it_is_written() -> None:
    Path("zoo/ppo.yml").write_text(
        "base: &base\n  n_timesteps: 5\n  learning_rate: x_1\nbad:\n  <<: *base\n  gamma: 1\n"
    )
    with pytest.raises(ConfigError, match=r"^zoo/ppo.yml:3:3: agents.one.learning_rate = 'x_1'"):
        agent("{zoo: zoo/ppo.yml#bad}")


def test_all_that_is_wrong_with_an_entry_is_said_at_once() -> None:
    found = refusal("learning_rate: x_1\nclip_range: y_2\nenv_kwargs: {a: 1}")
    assert [2, 3, 4] == [int(line.split(":")[1]) for line in found.splitlines() if line.startswith("zoo/ppo.yml:")]


def test_a_name_that_the_algorithm_does_not_know_is_found_in_the_zoos_file_before_training() -> None:
    Path("zoo/ppo.yml").write_text("CartPole-v1:\n  n_timesteps: 5\n  policy: MlpPolicy\n  n_step: 8\n")
    printed = run("train", "x.yaml", "-s", "agents={zoo: {zoo: zoo/ppo.yml}}")
    assert printed.exit_code == 2
    assert "zoo/ppo.yml:4:3: agents.zoo.params.n_step: 'n_step' is not a hyper-parameter of PPO." in printed.output
    assert "Did you mean 'n_steps'?" in printed.output


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "a: &a [*a]", "a: 5", "on: {x: 1}", "a: !!python/tuple [1]", "\0"])
def test_a_file_that_is_none_of_the_zoos_is_an_error_and_never_a_traceback(text: str) -> None:
    Path("zoo/ppo.yml").write_text(text)
    with pytest.raises(ConfigError, match=r"^one.yaml:3:16: agents.one.zoo = "):
        agent("{zoo: zoo/ppo.yml#a}")


# ---------------------------------------------------------------- Python's spelling


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(DATA)
def test_data_is_read_as_python_would(data: Any) -> None:
    assert data == literal(repr(data))


@given(st.text(max_size=40) | st.text("(){}[]=,.:'-*x1 dict", max_size=40))
def test_any_other_text_is_data_or_refused_with_a_sentence(text: str) -> None:
    with suppress(ValueError):
        json.dumps(literal(text))


@pytest.mark.parametrize("text", ["(" * 9000, "-" * 9000 + "1", "not " * 2000 + "a", "[" * 99_999, "1" * 9000])
def test_deep_and_long_texts_are_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.{10,200}$"):
        literal(text)


def test_tuples_are_lists_and_classes_are_import_paths() -> None:
    text = "dict(optimizer_kwargs={'betas': (0.9, 0.99)}, activation_fn=nn.ReLU, optimizer_class=th.optim.Adam, a=-1)"
    assert {
        "optimizer_kwargs": {"betas": [0.9, 0.99]},
        "activation_fn": "torch.nn.ReLU",
        "optimizer_class": "torch.optim.Adam",
        "a": -1,
    } == literal(text)


def test_nothing_is_run() -> None:
    with pytest.raises(ValueError, match="would have to be run"):
        literal("dict(a=__import__('pathlib').Path('ran').touch())")
    assert not Path("ran").exists()
