"""The sb3 backend: three seeds kept apart, evaluation that training never notices, mistakes found beforehand."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from builders import spec
from trouble_envs import Witness

from rlaudit.backends import BACKENDS, sb3_evaluation
from rlaudit.backends.sb3 import ALGORITHMS
from rlaudit.backends.sb3_agent import build
from rlaudit.backends.sb3_training import weights_sha256
from rlaudit.types import EvaluationPlan, Problem, RunRecord, RunSpec, Seeds

CONTINUOUS = {"SAC", "TD3", "DDPG", "TQC", "CrossQ"}


def train(of: RunSpec) -> RunRecord:
    (record,) = BACKENDS["sb3"].train([of], progress=lambda spec, steps: None)
    return record


def check(of: RunSpec) -> list[Problem]:
    return BACKENDS["sb3"].check(of)


def small(algo: str, **changes: Any) -> RunSpec:
    """A run of any algorithm that updates its weights and lasts at most seconds."""
    params: dict[str, Any] = {}
    if algo in ("PPO", "TRPO", "RecurrentPPO"):
        params = {"n_steps": 64, "batch_size": 32}
    if algo == "RecurrentPPO":
        params["n_epochs"] = 1
    if algo in {*CONTINUOUS, "DQN", "QRDQN"}:
        params = {"learning_starts": 40, "batch_size": 16}
    defaults: dict[str, Any] = {
        "algo": algo,
        "params": params,
        "env_id": "Pendulum-v1" if algo in CONTINUOUS else "CartPole-v1",
        "policy": "MlpLstmPolicy" if algo == "RecurrentPPO" else "MlpPolicy",
        "timesteps": 70 if algo in CONTINUOUS else 150,
    }
    return spec(**{**defaults, **changes})


def first_observations(of: RunSpec) -> np.ndarray:
    _, envs = build(of)
    return np.asarray(envs.reset())


def with_seeds(of: RunSpec, **changes: int) -> RunSpec:
    return replace(of, seeds=replace(of.seeds, **changes))


@pytest.fixture
def seen() -> Iterator[list[tuple[str, Any]]]:
    Witness.seen.clear()
    yield Witness.seen
    Witness.seen.clear()


# ---------------------------------------------------------------- seeds


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_the_same_seeds_give_the_same_weights_to_the_bit_and_every_other_seed_others(algo: str) -> None:
    of = small(algo)
    first, again = train(of), train(of)
    assert (first.status, first.error) == ("done", None)
    assert first.weights_sha256 == again.weights_sha256
    np.testing.assert_array_equal(first.final_returns, again.final_returns)
    assert first.weights_sha256 != train(with_seeds(of, algo=1)).weights_sha256
    assert first.weights_sha256 != train(with_seeds(of, env=1)).weights_sha256
    if algo != "ARS":  # starts from zero weights by design
        assert first.weights_sha256 != train(with_seeds(of, init=1)).weights_sha256


@pytest.mark.parametrize("algo", ["PPO", "DQN", "TD3"])
def test_only_the_init_seed_moves_the_initial_weights(algo: str) -> None:
    def initial_weights(of: RunSpec) -> str:
        return weights_sha256(build(of)[0])

    of = small(algo)
    assert initial_weights(of) == initial_weights(with_seeds(of, env=1, algo=1))
    assert initial_weights(of) != initial_weights(with_seeds(of, init=1))


def test_only_the_env_seed_moves_the_first_observations() -> None:
    of = spec(n_envs=3)
    np.testing.assert_array_equal(first_observations(of), first_observations(with_seeds(of, init=1, algo=1)))
    assert not np.isclose(first_observations(of), first_observations(with_seeds(of, env=1))).any()


def test_the_algo_seed_moves_the_actions_and_neither_weights_nor_first_observations(
    seen: list[tuple[str, Any]],
) -> None:
    def rollout(of: RunSpec) -> list[tuple[str, Any]]:
        seen.clear()
        train(of)
        return list(seen)

    of = spec(env_id="trouble_envs:Witness-v0", timesteps=30)
    one, other = rollout(of), rollout(with_seeds(of, algo=1))
    assert one[0] == other[0]  # the reset
    assert one == rollout(of)
    actions, other_actions = ([what for kind, what in part[1:30] if kind == "action"] for part in (one, other))
    assert actions != other_actions


def test_the_env_seed_moves_the_action_spaces_of_the_environments_and_not_the_agents() -> None:
    def samples(of: RunSpec) -> tuple[list[float], float]:
        agent, envs = build(of)
        return [float(env.action_space.sample()[0]) for env in envs.envs], float(agent.action_space.sample()[0])

    of = small("SAC", n_envs=2)
    (first, second), agents = samples(of)
    assert len({first, second, agents}) == 3
    assert samples(with_seeds(of, env=1))[1] == agents
    assert samples(with_seeds(of, algo=1))[0] == [first, second]


def test_consecutive_seeds_share_no_environment_stream() -> None:
    # stable-baselines3 gives environment i the seed + i: seed 0's second environment would be seed 1's first.
    first = np.concatenate([first_observations(spec(seed, n_envs=4)) for seed in range(5)])
    assert len(np.unique(first, axis=0)) == 20


def test_torch_gets_its_threads_and_its_argument_checks_back() -> None:
    before = torch.get_num_threads(), torch.distributions.Distribution._validate_args
    train(spec(timesteps=50))
    assert (torch.get_num_threads(), torch.distributions.Distribution._validate_args) == before


# ---------------------------------------------------------------- evaluation


@pytest.mark.parametrize(
    "of",
    [
        spec(timesteps=1500, n_envs=2),
        small("DQN", timesteps=1500),
        small("PPO", timesteps=1500, normalize={}, n_envs=2),
        small("RecurrentPPO", timesteps=200),
        small("SAC", timesteps=150),
        spec(env_id="Pendulum-v1", algo="A2C", timesteps=1500, params={"use_sde": True}),
    ],
    ids=lambda of: of.algo,
)
def test_how_often_and_how_one_evaluates_leaves_training_equal_to_the_bit(of: RunSpec) -> None:
    step = of.timesteps // 3
    plans = [(None, True), (step, True), (step + 37, True), (step, False)]
    records = [train(replace(of, evaluation=EvaluationPlan(every, 3, fixed))) for every, fixed in plans]
    assert len({record.weights_sha256 for record in records}) == 1
    for record in records[1:]:
        np.testing.assert_array_equal(records[0].episodes.returns, record.episodes.returns)
    np.testing.assert_array_equal(records[0].final_returns, records[1].final_returns)
    np.testing.assert_array_equal(records[0].final_returns, records[2].final_returns)


def test_an_evaluation_is_the_same_whatever_happens_before_it() -> None:
    rare = train(spec(timesteps=600, evaluation=EvaluationPlan(400, 4)))
    often = train(spec(timesteps=600, evaluation=EvaluationPlan(100, 4)))
    np.testing.assert_array_equal(rare.eval_returns, often.eval_returns[[3, 5]])


def test_the_last_row_of_the_curve_is_the_final_evaluation() -> None:
    record = train(spec(timesteps=1000, evaluation=EvaluationPlan(400, 3)))
    np.testing.assert_array_equal([400, 800, 1000], record.eval_steps)
    np.testing.assert_array_equal(record.final_returns, record.eval_returns[-1])
    assert record.eval_returns.shape == record.eval_lengths.shape == (3, 3)


def test_an_evaluation_belongs_to_the_planned_step_where_several_environments_step_over_it() -> None:
    record = train(spec(timesteps=400, n_envs=7, params={"n_steps": 10}, evaluation=EvaluationPlan(100, 2)))
    np.testing.assert_array_equal([100, 200, 300, 420], record.eval_steps)


def test_normalised_agents_are_scored_by_raw_returns() -> None:
    record = train(small("PPO", normalize={}, timesteps=200))
    np.testing.assert_array_equal(record.final_returns, record.eval_lengths[-1])  # CartPole pays 1 a step


def test_an_environment_without_a_time_limit_is_evaluated_up_to_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sb3_evaluation, "EPISODE_CAP", 123)
    record = train(spec(env_id="trouble_envs:Endless-v0", timesteps=20, evaluation=EvaluationPlan(None, 1)))
    np.testing.assert_array_equal([123], record.eval_lengths[-1])
    assert len(record.episodes.returns) == 0


# ---------------------------------------------------------------- records


def test_training_episodes_come_in_the_order_of_their_ends() -> None:
    record = train(spec(timesteps=600, n_envs=3))
    assert len(record.episodes.returns) > 10
    assert record.episodes.lengths.sum() <= 600
    assert (np.diff(record.episodes.seconds) >= -1e-3).all()


def test_a_record_names_the_versions_that_its_bits_depend_on() -> None:
    record = train(spec(timesteps=20))
    assert {"python", "torch", "stable_baselines3", "gymnasium", "numpy", "cpu", "platform"} <= record.provenance.keys()
    assert "sb3_contrib" not in record.provenance
    assert "sb3_contrib" in train(small("TRPO", timesteps=64)).provenance
    assert record.seconds > 0


def test_progress_counts_up_to_at_most_the_last_step() -> None:
    steps: list[int] = []
    list(BACKENDS["sb3"].train([spec(timesteps=3000)], progress=lambda _, done: steps.append(done)))
    assert steps == sorted(steps)
    assert 0 < steps[0] <= steps[-1] <= 3000
    assert len(steps) < 100


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (small("DQN", timesteps=400, params={"learning_rate": 1e30, "learning_starts": 20}), "TrainingDiverged"),
        (small("TD3", params={"learning_rate": 1e30, "learning_starts": 20}), "TrainingDiverged"),
        (spec(env_id="trouble_envs:NanReward-v0"), "TrainingDiverged"),
        (spec(env_id="trouble_envs:Raises-v0"), "ValueError: the simulator broke at step 50"),
    ],
    ids=["DQN", "TD3", "NaN reward", "exception"],
)
def test_a_run_that_goes_wrong_becomes_a_failed_record_whose_last_line_says_why(of: RunSpec, words: str) -> None:
    record = train(of)
    assert record.status == "failed"
    assert record.error is not None
    assert words in record.error.splitlines()[-1]
    assert record.error.startswith("Traceback")
    assert len(record.final_returns) == 0


def test_a_failed_run_keeps_what_was_measured_before() -> None:
    of = spec(env_id="trouble_envs:Raises-v0", env_kwargs={"at": 350}, timesteps=1000)
    record = train(replace(of, evaluation=EvaluationPlan(100, 1)))
    np.testing.assert_array_equal([100, 200, 300], record.eval_steps)
    assert len(record.episodes.returns) > 0


# ---------------------------------------------------------------- what a config can say


@pytest.mark.parametrize(
    "changes",
    [
        {"params": {"learning_rate": "lin_0.001"}},
        {"policy_kwargs": {"activation_fn": "ReLU", "net_arch": {"pi": [8], "vf": [8, 8]}}},
        {"policy_kwargs": {"activation_fn": "torch.nn.Tanh", "net_arch": [8]}},
        {"policy_kwargs": {"optimizer_class": "torch.optim:Adam", "optimizer_kwargs": {"eps": 1e-5}}},
        {"policy": "stable_baselines3.common.policies:ActorCriticPolicy"},
        {"algo": "stable_baselines3:A2C"},
        {"algo": "DQN", "params": {"train_freq": [2, "episode"]}},
        {"algo": "TD3", "env_id": "Pendulum-v1", "params": {"action_noise": {"type": "normal", "std": 0.2}}},
        {"normalize": {"norm_reward": False}},
        {"env_kwargs": {"max_episode_steps": 20}},
    ],
    ids=str,
)
def test_what_yaml_can_express_reaches_the_constructor(changes: dict[str, Any]) -> None:
    of = spec(timesteps=40, **changes)
    assert check(of) == []
    assert train(of).error is None


def test_named_classes_and_noise_arrive_as_objects() -> None:
    agent, _ = build(spec(policy_kwargs={"activation_fn": "ReLU"}))
    assert any(isinstance(module, torch.nn.ReLU) for module in agent.policy.modules())
    noisy, _ = build(small("TD3", params={"action_noise": {"std": 0.2}}))
    assert "NormalActionNoise" in repr(noisy.action_noise)


def test_every_algorithm_passes_the_check_on_an_environment_that_it_can_act_in() -> None:
    assert {algo: check(small(algo)) for algo in ALGORITHMS} == {algo: [] for algo in ALGORITHMS}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"algo": "PPP"}, ("agents", "a2c", "algo"), "Did you mean 'PPO'?"),
        ({"algo": "ppo"}, ("agents", "a2c", "algo"), "Did you mean 'PPO'?"),
        ({"algo": "nowhere:Agent"}, ("agents", "a2c", "algo"), "No module named 'nowhere'"),
        ({"algo": "stable_baselines3:A2D"}, ("agents", "a2c", "algo"), "Did you mean 'A2C'?"),
        ({"algo": "SAC"}, ("agents", "a2c", "algo"), "only supports (Box,) as action spaces"),
        ({"env_id": "CartPol-v1"}, ("task",), "Did you mean: `CartPole`?"),
        ({"env_id": "LunarLander-v2"}, ("task",), "use `LunarLander-v3` instead"),
        ({"env_id": "Nowhere/Pong-v5"}, ("task",), "name its module"),
        ({"env_id": "nowhere:Pong-v5"}, ("task",), "No module named 'nowhere'"),
        ({"env_kwargs": {"gravitas": 1}}, ("task",), "unexpected keyword argument 'gravitas'"),
        ({"policy": "MlpPolcy"}, ("agents", "a2c", "policy"), "Did you mean 'MlpPolicy'?"),
        ({"params": {"lerning_rate": 0.1}}, ("agents", "a2c", "params", "lerning_rate"), "'learning_rate'?"),
        ({"params": {"seed": 3}}, ("agents", "a2c", "params", "seed"), "`seeds`"),
        ({"params": {"device": "cuda"}}, ("agents", "a2c", "params", "device"), "CPU"),
        ({"params": {"policy_kwargs": {}}}, ("agents", "a2c", "params", "policy_kwargs"), "beside `params`"),
        ({"params": {"gamma": 2}}, ("agents", "a2c", "params", "gamma"), "between 0 and 1"),
        ({"params": {"gamma": float("nan")}}, ("agents", "a2c", "params", "gamma"), "between 0 and 1"),
        ({"params": {"learning_rate": 1e12}}, ("agents", "a2c", "params", "learning_rate"), "at most 1"),
        ({"params": {"learning_rate": "lin_-1"}}, ("agents", "a2c", "params", "learning_rate"), "above 0"),
        ({"params": {"n_steps": 2.5}}, ("agents", "a2c", "params", "n_steps"), "whole number"),
        ({"policy_kwargs": {"net_arc": [8]}}, ("agents", "a2c", "policy_kwargs", "net_arc"), "'net_arch'?"),
        ({"policy_kwargs": {"activation_fn": "RelU"}}, ("agents", "a2c", "policy_kwargs", "activation_fn"), "'ReLU'?"),
        ({"normalize": {"norm_ob": True}}, ("agents", "a2c", "normalize", "norm_ob"), "'norm_obs'?"),
        ({"timesteps": 0}, ("agents", "a2c", "timesteps"), "at least 1"),
        ({"algo": "PPO", "params": {"n_steps": 1}}, ("agents", "a2c"), "n_steps"),
    ],
    ids=str,
)
def test_a_mistake_is_found_before_training_and_its_place_named(
    changes: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    (problem,) = check(spec(**changes))
    assert problem.path == path
    assert words in problem.message


def test_all_mistakes_of_an_agent_are_told_at_once() -> None:
    found = check(spec(params={"gamma": 3, "seed": 1}, policy="Mlp", env_id="CartPol-v1"))
    assert {problem.path[-1] for problem in found} == {"gamma", "seed", "policy", "task"}


def test_a_missing_sb3_contrib_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sb3_contrib", None)
    (problem,) = check(spec(algo="TRPO"))
    assert "pip install 'rlaudit[contrib]'" in problem.message


def test_an_environment_that_fresh_processes_would_not_find_is_refused() -> None:
    gymnasium.register("OnlyHere-v0", Witness)
    try:
        (problem,) = check(spec(env_id="OnlyHere-v0"))
    finally:
        del gymnasium.registry["OnlyHere-v0"]
    assert "'my_module:OnlyHere-v0'" in problem.message


def test_seeds_of_an_unusual_size_are_taken() -> None:
    assert train(spec(timesteps=20, seeds=Seeds(0, 2**31 - 1, 2**31 - 1))).status == "done"
