"""Masks on weights: exact, held to the bit through every optimiser, and the same masks from the same weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from builders import spec
from hypothesis import given
from hypothesis import strategies as st

from rlaudit.backends import BACKENDS
from rlaudit.backends.sb3_agent import build
from rlaudit.backends.sb3_training import Treated, train_one, weights_sha256
from rlaudit.backends.tickets_masks import MaskBroken, hold, n_masked, permuted, prunable, pruned, random, shapes
from rlaudit.backends.tickets_training import found_masks, trained_weights
from rlaudit.errors import RlauditError
from rlaudit.types import RunRecord, RunSpec

_OFF_POLICY = {"learning_starts": 40, "batch_size": 16}
ALGORITHMS: dict[str, dict[str, Any]] = {  # each updates its weights, and its target networks where it has any
    "PPO": {"params": {"n_steps": 64, "batch_size": 32}},
    "A2C": {},
    "DQN": {"params": {**_OFF_POLICY, "target_update_interval": 50}},
    "SAC": {"params": _OFF_POLICY, "env_id": "Pendulum-v1", "timesteps": 120},
    "TD3": {"params": _OFF_POLICY, "env_id": "Pendulum-v1", "timesteps": 120},
    "TQC": {"params": _OFF_POLICY, "env_id": "Pendulum-v1", "timesteps": 80},
    "CrossQ": {"params": _OFF_POLICY, "env_id": "Pendulum-v1", "timesteps": 80},
    "QRDQN": {"params": {**_OFF_POLICY, "target_update_interval": 50}},
    "RecurrentPPO": {
        "params": {"n_steps": 64, "batch_size": 32, "n_epochs": 1},
        "policy": "MlpLstmPolicy",
        "policy_kwargs": {"lstm_hidden_size": 16},
    },
}
gymnasium.register("FakeImage-v0", "stable_baselines3.common.envs:FakeImageEnv", max_episode_steps=20)
WEIGHT_DECAY = {"optimizer_class": "AdamW", "optimizer_kwargs": {"weight_decay": 0.1}}


def masked(of: RunSpec, mask: str = "ticket", **treatment: Any) -> RunSpec:
    """The run under a mask of its own lineage."""
    seeds = of.seeds
    lineage = {"init": seeds.init, "env": seeds.env, "algo": seeds.algo}
    wanted = {"mask": mask, "sparsities": [0.5, 0.9], "mask_seed": 7, "lineage": lineage, **treatment}
    return replace(of, backend="tickets", treatment=wanted)


def train(of: RunSpec) -> RunRecord:
    (record,) = BACKENDS[of.backend].train([of], progress=lambda spec, steps: None)
    return record


def small(algo: str = "PPO", **changes: Any) -> RunSpec:
    return spec(**{"algo": algo, **ALGORITHMS[algo], **changes})


# ---------------------------------------------------------------- which weights


@pytest.mark.parametrize(
    ("algo", "layers"),
    [
        ("PPO", ["mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "mlp_extractor.value_net.0",
                 "mlp_extractor.value_net.2"]),
        ("DQN", ["q_net.q_net.0", "q_net.q_net.2"]),
        ("SAC", ["actor.latent_pi.0", "actor.latent_pi.2", "critic.qf0.0", "critic.qf0.2", "critic.qf1.0",
                 "critic.qf1.2"]),
        ("TD3", ["actor.mu.0", "actor.mu.2", "critic.qf0.0", "critic.qf0.2", "critic.qf1.0", "critic.qf1.2"]),
    ],
)  # fmt: skip
def test_hidden_layers_are_prunable_and_output_layers_and_target_networks_are_not(algo: str, layers: list[str]) -> None:
    agent, envs = build(small(algo))
    envs.close()
    assert [f"{layer}.weight" for layer in layers] == list(prunable(agent))


def test_an_agent_without_a_hidden_layer_has_nothing_to_prune() -> None:
    agent, envs = build(small(policy_kwargs={"net_arch": []}))
    envs.close()
    with pytest.raises(RlauditError, match="no hidden layer"):
        prunable(agent)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.integers(0, 9))
def test_sparsity_is_exact_to_one_weight_also_where_weights_are_equal(
    n: int, first: float, then: float, kinds: int
) -> None:
    rng = np.random.default_rng(n)
    weights = {"a": rng.integers(-kinds, kinds + 1, (n, 2)).astype(np.float32), "b": rng.normal(size=(3, n))}
    before = pruned(weights, {}, min(first, then))
    masks = pruned(weights, before, max(first, then))
    zeros = sum(int((~mask).sum()) for mask in masks.values())
    assert abs(zeros - max(first, then) * 5 * n) <= 0.5
    assert zeros == n_masked(max(first, then), 5 * n)
    assert all((masks[name] <= before[name]).all() for name in weights)  # what is gone stays gone


def test_the_smallest_weights_of_all_layers_go() -> None:
    masks = pruned({"a": np.array([[0.1, -3.0]]), "b": np.array([[-0.2], [0.3]])}, {}, 0.5)
    assert [[False, True]] == masks["a"].tolist()
    assert [[False], [True]] == masks["b"].tolist()


def test_permuted_masks_keep_as_many_in_each_layer_and_random_ones_as_many_in_all() -> None:
    masks = pruned({"a": np.arange(600.0).reshape(20, 30), "b": 1000 + np.arange(400.0).reshape(40, 10)}, {}, 0.55)
    others = permuted(masks, 1)
    assert {name: mask.sum() for name, mask in masks.items()} == {name: mask.sum() for name, mask in others.items()}
    assert not np.array_equal(masks["a"], others["a"])
    drawn = random(shapes(masks), 0.55, 1)
    assert 450 == sum(mask.sum() for mask in drawn.values())
    assert 450 != drawn["b"].sum() + 50  # spread over both
    assert not all(np.array_equal(drawn[name], random(shapes(masks), 0.55, 2)[name]) for name in drawn)


# ---------------------------------------------------------------- held to the bit


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_masked_weights_are_zero_to_the_bit_after_training_in_target_networks_too(algo: str) -> None:
    agent, envs = build(small(algo))
    before = {name: weight.detach().clone() for name, weight in prunable(agent).items()}
    masks = pruned({name: weight.numpy() for name, weight in before.items()}, {}, 0.8)
    measure = hold(masks, agent)
    agent.learn(small(algo).timesteps)
    envs.close()
    found, state = measure(), agent.policy.state_dict()
    assert n_masked(0.8, int(found["prunable"])) == found["masked"] == found["zero"]
    for name, mask in masks.items():
        network, _, rest = name.partition(".")
        for one in (name, f"{network}_target.{rest}"):
            if one in state:
                assert not state[one].numpy()[~mask].view(np.int32).any(), one
        assert not torch.equal(before[name][mask], state[name][mask])  # the others learn


@pytest.mark.parametrize("algo", ["PPO", "DQN", "SAC"])
def test_weight_decay_moves_no_masked_weight(algo: str) -> None:
    record = train(masked(small(algo, policy_kwargs=WEIGHT_DECAY), "random"))
    assert record.error is None
    assert record.measurements["masked"] == record.measurements["zero"]


def test_a_mask_that_is_not_held_makes_the_run_a_failed_one() -> None:
    def treat(agent: Any, envs: Any) -> Treated:
        measure = hold(random(shapes(prunable(agent)), 0.5, 0), agent)
        for weight in prunable(agent).values():
            weight._backward_hooks.clear()  # type: ignore[union-attr]
        return Treated(measure=measure)

    record = train_one(small(), lambda spec, steps: None, treat)
    assert "failed" == record.status
    assert record.error is not None
    assert "are not zero after training" in record.error


def test_a_mask_of_other_layers_is_refused() -> None:
    agent, envs = build(small())
    envs.close()
    with pytest.raises(MaskBroken):
        hold({"elsewhere.weight": np.ones((2, 2), bool)}, agent)


def test_convolutions_of_a_feature_extractor_are_pruned_and_held_in_the_target_network_too() -> None:
    of = small("DQN", env_id="FakeImage-v0", policy="CnnPolicy", timesteps=64)
    agent, envs = build(of)
    measure = hold(random(shapes(prunable(agent)), 0.9, 0), agent)
    agent.learn(of.timesteps)
    envs.close()
    assert measure()["zero"] == n_masked(0.9, int(measure()["prunable"]))
    held = [getattr(agent, net).features_extractor.cnn[0].weight == 0 for net in ("q_net", "q_net_target")]
    assert 0.85 < held[0].float().mean()
    assert torch.equal(*held)


# ---------------------------------------------------------------- runs under a mask


def test_a_run_without_a_mask_is_the_ordinary_run() -> None:
    ordinary = small()
    unmasked = replace(ordinary, backend="tickets", treatment={"mask": "none"})
    assert train(ordinary).weights_sha256 == train(unmasked).weights_sha256


def test_the_first_round_prunes_the_weights_of_the_dense_run_itself() -> None:
    dense = replace(small(), evaluation=replace(small().evaluation, every=64))
    agent, envs = build(dense)
    agent.learn(dense.timesteps)
    envs.close()
    assert train(dense).weights_sha256 == weights_sha256(agent)
    weights = trained_weights(small(), {})
    assert all(np.array_equal(weights[name], weight.detach().numpy()) for name, weight in prunable(agent).items())


def test_masks_are_found_once_for_a_lineage_and_without_a_memo_anew_to_the_same_bits(tmp_path: Path) -> None:
    remembering = replace(masked(small()), memo=str(tmp_path))
    first = train(remembering)
    assert 2 == len(list(tmp_path.glob("*.npz")))  # one a round
    assert (
        first.weights_sha256 == train(remembering).weights_sha256 == train(replace(remembering, memo="")).weights_sha256
    )
    again = found_masks(small(), [0.5, 0.9])
    with np.load(next(path for path in tmp_path.glob("*.npz") if _is(path, again))) as stored:
        assert list(again) == list(stored)


def _is(path: Path, masks: Any) -> bool:
    with np.load(path) as stored:
        return all(np.array_equal(stored[name], mask) for name, mask in masks.items())


def test_new_weights_take_the_mask_of_the_lineage_and_other_masks_are_other_masks() -> None:
    ticket = masked(small())
    new_weights = replace(ticket, seeds=replace(ticket.seeds, init=99))
    others = {name: masked(small(), name) for name in ("permuted", "random")}
    records = {name: train(run) for name, run in {"ticket": ticket, "new": new_weights, **others}.items()}
    digests = {name: record.measurements["mask_sha256"].tobytes() for name, record in records.items()}
    assert digests["ticket"] == digests["new"]
    assert 3 == len(set(digests.values()))
    assert 1 == len({int(record.measurements["masked"]) for record in records.values()})
    assert 4 == len({record.weights_sha256 for record in records.values()})


def test_a_lineage_that_fails_leaves_no_ticket() -> None:
    with pytest.raises(RlauditError, match="mask is taken from failed"):
        train(masked(small(policy_kwargs={"net_arch": "nonsense"})))
