"""Initial weights: every scheme against its formula, last layers, biases, target networks, every kind of policy."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod, sqrt
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from builders import spec
from stable_baselines3.common.envs import FakeImageEnv, SimpleMultiObsEnv
from torch import nn

from rlaudit.backends import BACKENDS
from rlaudit.backends.initializers import INITIALIZERS, fans
from rlaudit.backends.sb3_agent import algorithm_class, build, make_envs
from rlaudit.backends.sb3_training import weights_sha256
from rlaudit.types import RunSpec

# The sd of a weight by its fans, and by the gain of its layer; once more from the papers, not from the code.
SD = {
    "xavier_uniform": lambda n_in, n_out: sqrt(2 / (n_in + n_out)),
    "xavier_normal": lambda n_in, n_out: sqrt(2 / (n_in + n_out)),
    "he_uniform": lambda n_in, n_out: sqrt(1 / n_in),
    "he_normal": lambda n_in, n_out: sqrt(1 / n_in),
    "lecun_uniform": lambda n_in, n_out: sqrt(1 / n_in),
    "lecun_normal": lambda n_in, n_out: sqrt(1 / n_in),
    "truncated_normal": lambda n_in, n_out: 0.02 * 0.8796256610342398,  # of a normal that is cut off at two sd
    "unit_normal": lambda n_in, n_out: 1.0,
    "small_normal": lambda n_in, n_out: 0.01,
    "torch": lambda n_in, n_out: sqrt(1 / (3 * n_in)),
}
UNIFORM = {"xavier_uniform", "he_uniform", "lecun_uniform", "torch"}
HIDDEN_GAIN = {"orthogonal": sqrt(2), "he_uniform": sqrt(2), "he_normal": sqrt(2)}
SHAPES = {"wide": (200, 300), "tall": (300, 200), "convolution": (64, 32, 4, 5)}  # and its fans
FANS = {"wide": (300, 200), "tall": (200, 300), "convolution": (640, 1280)}
DISCRETE = ("PPO", "A2C", "TRPO", "DQN", "QRDQN", "RecurrentPPO")
CONTINUOUS = ("SAC", "TD3", "DDPG", "TQC", "CrossQ")
ACTING = {"SAC": ("actor.mu", "actor.log_std"), "TQC": ("actor.mu", "actor.log_std"), "TD3": ("actor.mu.4",),
          "CrossQ": ("actor.mu", "actor.log_std"), "DDPG": ("actor.mu.4",), "DQN": ("q_net.q_net.4",),
          "QRDQN": ("quantile_net.quantile_net.4",)}  # fmt: skip
TWO = ("critic.qf0.4", "critic.qf1.4")
JUDGING = {"SAC": TWO, "TQC": TWO, "TD3": TWO, "DDPG": TWO[:1], "CrossQ": ("critic.qf0.7", "critic.qf1.7"),
           "DQN": (), "QRDQN": ()}  # fmt: skip

gymnasium.register("Pictures-v0", lambda **kwargs: FakeImageEnv(2, 36, 36, 1))
gymnasium.register("Both-v0", lambda **kwargs: SimpleMultiObsEnv(random_start=False))


def drawn(name: str, shape: tuple[int, ...], gain: float = 1.0, seed: int = 0) -> np.ndarray:
    torch.manual_seed(seed)
    weight = torch.full(shape, torch.nan)
    INITIALIZERS[name].draw(weight, gain)
    return weight.double().numpy()


def run(algo: str = "PPO", scheme: str | None = "he_normal", last_gain: float | None = None, **changes: Any) -> RunSpec:
    initializer = (
        None if scheme is None else {"scheme": scheme, **({} if last_gain is None else {"last_gain": last_gain})}
    )
    fields = {
        "algo": algo,
        "env_id": "Pendulum-v1" if algo in CONTINUOUS else "CartPole-v1",
        "policy": "MlpLstmPolicy" if algo == "RecurrentPPO" else "MlpPolicy",
        "initializer": initializer,
        **changes,
    }
    return spec(**fields)


def agent(*args: Any, **changes: Any) -> Any:
    return build(run(*args, **changes))[0]


def layers(of: Any) -> Iterator[tuple[str, Any]]:
    """Linear and convolutional layers that are no target's, each once."""
    for name, module in of.policy.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and "_target" not in name:
            yield name, module


def acting(algo: str) -> tuple[str, ...]:
    return ACTING.get(algo, ("action_net",))


def judging(algo: str) -> tuple[str, ...]:
    return JUDGING.get(algo, ("value_net",))


# ---------------------------------------------------------------- the schemes


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", SD)
def test_weights_have_the_mean_the_sd_and_the_shape_of_their_formula(name: str, shape: str) -> None:
    weights = drawn(name, SHAPES[shape]).ravel()
    sd, n = SD[name](*FANS[shape]), weights.size
    assert abs(weights.mean()) < 5 * sd / sqrt(n)
    kurtosis = ((weights / sd) ** 4).mean()
    if name in UNIFORM:
        assert weights.std() == pytest.approx(sd, rel=5 * sqrt(0.2 / n))  # its standard error, from a kurtosis of 1.8
        assert 0.999 * sqrt(3) * sd < np.abs(weights).max() <= sqrt(3) * sd * (1 + 1e-6)
        assert kurtosis == pytest.approx(1.8, abs=0.05)
    elif name == "truncated_normal":
        assert weights.std() == pytest.approx(sd, rel=5 / sqrt(2 * n))
        assert 0.039 < np.abs(weights).max() <= 0.04 * (1 + 1e-6)
    else:
        assert weights.std() == pytest.approx(sd, rel=5 / sqrt(2 * n))
        assert kurtosis == pytest.approx(3, abs=5 * sqrt(24 / n))


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal_weights_are_orthogonal(shape: str) -> None:
    weights = drawn("orthogonal", SHAPES[shape], gain=0.5)
    flat = weights.reshape(len(weights), -1)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, 0.25 * np.eye(len(gram)), atol=1e-6)


def test_zeros_are_zeros() -> None:
    assert not drawn("zeros", (64, 4)).any()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_gain_multiplies_what_the_same_seed_draws(name: str) -> None:
    np.testing.assert_allclose(drawn(name, (30, 50), gain=0.01), 0.01 * drawn(name, (30, 50)), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name != "zeros"])
def test_the_same_seed_draws_the_same_weights_and_another_others(name: str) -> None:
    np.testing.assert_array_equal(drawn(name, (30, 50)), drawn(name, (30, 50)))
    assert (drawn(name, (30, 50)) != drawn(name, (30, 50), seed=1)).mean() > 0.99


def test_the_fans_are_those_of_torch() -> None:
    for shape, expected in FANS.items():
        assert expected == fans(torch.empty(SHAPES[shape]))
        assert expected == nn.init._calculate_fan_in_and_fan_out(torch.empty(SHAPES[shape]))


def test_each_scheme_says_what_it_is_in_a_line() -> None:
    assert all(0 < len(one.help) < 220 and "\n" not in one.help for one in INITIALIZERS.values())


# ---------------------------------------------------------------- the agents


@pytest.mark.parametrize("algo", ["PPO", "A2C", "TRPO", "DQN", "SAC", "TD3"])
def test_without_an_initializer_nothing_changes_to_the_bit(algo: str) -> None:
    of = run(algo, None)
    agent_class: Any = algorithm_class(algo)
    torch.manual_seed(of.seeds.init)
    plain = agent_class("MlpPolicy", make_envs(of, 1), seed=None, device="cpu")
    assert weights_sha256(plain) == weights_sha256(build(of)[0])


@pytest.mark.parametrize("algo", ["PPO", "A2C", "TRPO"])
def test_orthogonal_with_a_small_last_layer_is_what_stable_baselines3_draws_to_the_bit(algo: str) -> None:
    assert weights_sha256(agent(algo, None)) == weights_sha256(agent(algo, "orthogonal", 0.01))


def test_it_is_so_for_pictures_and_for_dictionaries() -> None:
    for env_id, policy in (("Pictures-v0", "CnnPolicy"), ("Both-v0", "MultiInputPolicy")):
        like = {"env_id": env_id, "policy": policy}
        assert weights_sha256(agent("PPO", None, **like)) == weights_sha256(agent("PPO", "orthogonal", 0.01, **like))


@pytest.mark.parametrize("algo", [*DISCRETE, *CONTINUOUS])
def test_hidden_layers_have_the_gain_of_the_scheme_and_last_ones_their_own(algo: str) -> None:
    of = agent(algo, "orthogonal", 0.1)
    expected = {name: sqrt(2) for name, _ in layers(of)}
    expected |= dict.fromkeys(acting(algo), 0.1) | dict.fromkeys(judging(algo), 1.0)
    found = {name: torch.linalg.matrix_norm(layer.weight.detach(), 2).item() for name, layer in layers(of)}
    assert expected == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("algo", [*DISCRETE, *CONTINUOUS])
def test_target_networks_follow(algo: str) -> None:
    of = agent(algo, "he_normal", 0.5)
    for name, target in of.policy.named_children():
        if name.endswith("_target"):
            online = getattr(of.policy, name.removesuffix("_target")).state_dict()
            assert all(torch.equal(tensor, online[key]) for key, tensor in target.state_dict().items())
    assert any(name.endswith("_target") for name, _ in of.policy.named_children()) == (
        algo in ("DQN", "QRDQN", "SAC", "TD3", "DDPG", "TQC")
    )


@pytest.mark.parametrize("algo", [*DISCRETE, *CONTINUOUS])
def test_optimisers_go_on_with_the_weights_that_were_drawn(algo: str) -> None:
    of = agent(algo, "xavier_normal")
    held = {
        id(tensor)
        for module in of.policy.modules()
        if getattr(module, "optimizer", None)
        for group in module.optimizer.param_groups
        for tensor in group["params"]
    }
    assert all(id(layer.weight) in held for _, layer in layers(of))


@pytest.mark.parametrize("algo", ["PPO", "DQN", "SAC", "RecurrentPPO"])
def test_biases_are_zero_but_for_those_of_torch(algo: str) -> None:
    assert not any(layer.bias.any() for _, layer in layers(agent(algo, "lecun_normal")))
    for name, layer in layers(agent(algo, "torch", 0.1)):
        bound = (0.1 if name in acting(algo) else 1) / sqrt(layer.in_features)
        assert 0 < layer.bias.abs().max() <= bound
        assert 0 < layer.weight.abs().max() <= bound


@pytest.mark.parametrize("name", SD)
def test_a_picture_policy_is_drawn_with_the_fans_of_its_receptive_fields(name: str) -> None:
    gain = HIDDEN_GAIN.get(name, 1.0)
    for layer_name, layer in layers(agent("PPO", name, env_id="Pictures-v0", policy="CnnPolicy")):
        weights = layer.weight.detach().double().numpy()
        field = prod(weights.shape[2:])
        sd = SD[name](weights.shape[1] * field, weights.shape[0] * field)
        sd *= gain if layer_name not in ("action_net", "value_net") else 1
        assert weights.std() == pytest.approx(sd, rel=5 / sqrt(2 * weights.size)), layer_name


def test_feature_extractors_that_are_not_shared_are_drawn_each() -> None:
    of = agent(
        "A2C", "he_normal", env_id="Pictures-v0", policy="CnnPolicy", policy_kwargs={"share_features_extractor": False}
    )
    actor, critic = (
        getattr(of.policy, name).cnn[0].weight for name in ("pi_features_extractor", "vf_features_extractor")
    )
    assert not torch.equal(actor, critic)
    assert actor.std().item() == pytest.approx(critic.std().item(), rel=0.1)


def test_recurrent_layers_stay_as_they_were_made() -> None:
    largest = agent("RecurrentPPO", "zeros").policy.lstm_actor.weight_hh_l0.abs().max().item()
    assert largest == pytest.approx(1 / 16, rel=1e-3)  # torch's bound for 256 units


@pytest.mark.parametrize("algo", ["PPO", "DQN", "TD3", "RecurrentPPO"])
def test_the_weights_follow_the_seed_of_initial_weights_alone(algo: str) -> None:
    of = run(algo, "he_uniform")
    first = weights_sha256(build(of)[0])
    assert first == weights_sha256(build(replace(of, seeds=replace(of.seeds, env=5, algo=6)))[0])
    assert first != weights_sha256(build(replace(of, seeds=replace(of.seeds, init=5)))[0])


@pytest.mark.parametrize("algo", ["PPO", "DQN", "SAC"])
def test_an_agent_trains_from_the_weights_it_was_given(algo: str) -> None:
    params = {"PPO": {"n_steps": 64, "batch_size": 32}}.get(algo, {"learning_starts": 40, "batch_size": 16})
    of = run(algo, "unit_normal", 0.01, params=params, timesteps=80)
    (record,) = BACKENDS["sb3"].train([of], progress=lambda spec, steps: None)
    (again,) = BACKENDS["sb3"].train([of], progress=lambda spec, steps: None)
    assert (record.status, record.error) == ("done", None)
    assert record.weights_sha256 == again.weights_sha256


# ---------------------------------------------------------------- what is refused


def test_an_agent_whose_weights_are_its_own_is_refused() -> None:
    (problem,) = BACKENDS["sb3"].check(run("ARS", "zeros"))
    assert problem.path == ("agents", "a2c", "initializer")
    assert "ARS starts from weights of its own" in problem.message


def test_two_ways_to_say_the_same_are_refused() -> None:
    (problem,) = BACKENDS["sb3"].check(run("PPO", "zeros", policy_kwargs={"ortho_init": True}))
    assert problem.path == ("agents", "a2c", "policy_kwargs", "ortho_init")
    assert "leave one of them out" in problem.message


@pytest.mark.parametrize("algo", [*DISCRETE, *CONTINUOUS])
def test_what_can_be_drawn_is_not_refused(algo: str) -> None:
    assert BACKENDS["sb3"].check(run(algo, "lecun_uniform", 0.0)) == []
