"""Drawing the weights of an agent of stable-baselines3 by a scheme of `initializers`.

Every linear and convolutional layer is drawn anew, shared ones once, in the order in which the policy holds them.
Recurrent layers, normalising layers and standard deviations that are parameters stay as they were made: the schemes
say nothing about gates (stable-baselines3 leaves them at torch's default, too).

Last layers have the gain 1; `last_gain` multiplies those that choose the actions, weights and biases: the policy head
(the mean, and the standard deviation where a layer gives it), and where the values choose, the Q head. The last layers
of critics, which only judge, keep the gain 1. So {scheme: orthogonal, last_gain: 0.01} is what stable-baselines3 draws
for PPO, A2C and TRPO, to the bit where the feature extractor is shared.
"""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn

from rlaudit.backends.initializers import INITIALIZERS, Initializer, torch_bound
from rlaudit.errors import ConfigError

_ACTING = ("action_net", "q_net", "quantile_net", "actor.mu", "actor.log_std")  # their last layer chooses actions
_JUDGING = ("value_net",)  # and the Q networks of a critic
_DRAWN = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TARGET = "_target"


class CannotInitialize(ConfigError):
    """The weights of this agent are none that a scheme could draw."""


def initialize(agent: BaseAlgorithm, initializer: Mapping[str, Any]) -> None:
    """Draws all weights in place, so that optimisers go on with the same tensors; target networks follow.

    Raises CannotInitialize where it is not known which layers are the last, or where training starts elsewhere.
    """
    scheme = INITIALIZERS[initializer["scheme"]]
    policy = agent.policy
    acting, judging = _last_layers(policy)
    if not acting:
        raise CannotInitialize(f"its policy {type(policy).__name__} has no {' or '.join(_ACTING)} as its last layer")
    if not any(getattr(module, "optimizer", None) for module in policy.modules()):
        raise CannotInitialize(f"{type(agent).__name__} starts from weights of its own, not from those of its policy")
    gains: dict[nn.Module, float] = dict.fromkeys(_drawn(policy), scheme.hidden_gain)
    gains |= dict.fromkeys(judging, 1.0) | dict.fromkeys(acting, initializer.get("last_gain", 1.0))
    with torch.no_grad():
        for layer, gain in gains.items():
            draw_layer(layer, scheme, gain)
    for name, target in policy.named_children():
        if name.endswith(_TARGET):
            target.load_state_dict(getattr(policy, name.removesuffix(_TARGET)).state_dict())


def draw_layer(layer: Any, scheme: Initializer, gain: float) -> None:
    """Its weights and biases, from torch's global generator; torch.no_grad() is the caller's."""
    scheme.draw(layer.weight, gain)
    if layer.bias is not None and scheme.draws_biases:
        bound = gain * torch_bound(layer.weight)
        layer.bias.uniform_(-bound, bound)
    elif layer.bias is not None:
        layer.bias.zero_()


def _drawn(policy: nn.Module) -> Iterator[nn.Module]:
    for name, child in policy.named_children():
        if not name.endswith(_TARGET):
            yield from (module for module in child.modules() if isinstance(module, _DRAWN))


def _last_layers(policy: nn.Module) -> tuple[list[nn.Module], list[nn.Module]]:
    """Those that choose actions, and those that judge them."""
    critics = getattr(getattr(policy, "critic", None), "q_networks", ())
    judging = [*_named(policy, _JUDGING), *critics]
    return _last_of(_named(policy, _ACTING)), _last_of(judging)


def _named(policy: nn.Module, paths: tuple[str, ...]) -> Iterator[nn.Module]:
    for path in paths:
        try:
            found = attrgetter(path)(policy)
        except AttributeError:
            continue
        if isinstance(found, nn.Module):  # the standard deviation of state-dependent exploration is a parameter
            yield found


def _last_of(networks: Any) -> list[nn.Module]:
    layers = [[module for module in network.modules() if isinstance(module, _DRAWN)] for network in networks]
    return [found[-1] for found in layers if found]
