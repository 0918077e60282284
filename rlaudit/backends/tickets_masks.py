"""Masks on the weights of an agent: which weights can be pruned, which are, and how they stay at zero.

Pruned are the weight matrices of hidden layers (linear and convolutional), of actors, critics and feature extractors
alike, by magnitude over all of them together. Not pruned are biases, recurrent layers, and the output layers:
stable-baselines3 draws the last layer of PPO's and A2C's actor a hundred times smaller than the others, so that it
would be the first to go whatever it learns, and an actor without it never learns again.

A mask is held by a hook on the gradient of each weight. An optimiser that has only ever seen zeros moves nothing, nor
does weight decay move a zero. `torch.nn.utils.prune` replaces the parameters instead, which breaks the copy to a target
network and `save`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn

from rlaudit.backends.sb3_training import Measure
from rlaudit.errors import RlauditError
from rlaudit.seeds import generator

Masks: TypeAlias = dict[str, NDArray[Any]]  # name of a weight matrix -> bool, its shape: True where a weight is kept
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

_OUTPUTS = re.compile(r"action_net|value_net|mu|log_std|q_net|quantile_net|qf\d+")  # modules that end in an output
_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class MaskBroken(RlauditError):
    """A weight that was pruned is not zero: the run is not what it says."""


def prunable(agent: BaseAlgorithm) -> dict[str, nn.Parameter]:
    """The weight matrices that pruning may touch, by name, in the order of the policy; target networks follow them."""
    outputs = _output_layers(agent.policy)
    found: dict[str, nn.Parameter] = {}
    for name, module in agent.policy.named_modules():
        is_target = any(part.endswith("_target") for part in name.split("."))
        if isinstance(module, _LAYERS) and module not in outputs and not is_target:
            found[f"{name}.weight"] = cast(nn.Parameter, module.weight)
    if not found:
        raise RlauditError("there is no hidden layer whose weights could be pruned")
    return found


def _output_layers(policy: nn.Module) -> set[nn.Module]:
    """The last linear layer of each module that ends in an output; those of `mlp_extractor` only share the names."""
    outputs: set[nn.Module] = set()
    for name, module in policy.named_modules():
        if _OUTPUTS.fullmatch(name.rpartition(".")[2]) and "mlp_extractor" not in name:
            outputs.update([layer for layer in module.modules() if isinstance(layer, nn.Linear)][-1:])
    return outputs


def shapes(weights: Mapping[str, Any]) -> Shapes:
    """Of each weight matrix."""
    return {name: tuple(weight.shape) for name, weight in weights.items()}


# ---------------------------------------------------------------- which weights go


def n_masked(sparsity: float, n_weights: int) -> int:
    """How many of the weights are zero: the nearest whole number."""
    return int(np.floor(sparsity * n_weights + 0.5))


def pruned(weights: Mapping[str, NDArray[Any]], before: Mapping[str, NDArray[Any]], sparsity: float) -> Masks:
    """The masks without the smallest of the weights that `before` keeps (all, where it is empty), over all layers.

    Equal weights go in the order of their places, so that sparsity is exact and the same weights give the same masks.
    """
    size = np.concatenate([np.abs(weight).ravel() for weight in weights.values()])
    if before:
        size[~np.concatenate([before[name].ravel() for name in weights])] = -1
    kept = np.ones(len(size), bool)
    kept[np.argsort(size, kind="stable")[: n_masked(sparsity, len(size))]] = False
    return _layers(kept, shapes(weights))


def permuted(masks: Mapping[str, NDArray[Any]], seed: int) -> Masks:
    """As many weights kept in each layer, at random places."""
    return {
        name: generator(seed, "permuted", name).permutation(mask.ravel()).reshape(mask.shape)
        for name, mask in masks.items()
    }


def random(of: Shapes, sparsity: float, seed: int) -> Masks:
    """As many weights kept over all layers together, at random places."""
    n = sum(int(np.prod(shape)) for shape in of.values())
    return _layers(generator(seed, "random").permutation(n) >= n_masked(sparsity, n), of)


def _layers(kept: NDArray[Any], of: Shapes) -> Masks:
    ends = np.cumsum([int(np.prod(shape)) for shape in of.values()])
    return {name: part.reshape(of[name]) for name, part in zip(of, np.split(kept, ends[:-1]), strict=True)}


# ---------------------------------------------------------------- how they stay away


def hold(masks: Mapping[str, NDArray[Any]], agent: BaseAlgorithm) -> Measure:
    """Sets the masked weights to zero, in target networks too, and keeps them there while the agent learns."""
    weights = prunable(agent)
    if masks and shapes(masks) != shapes(weights):
        raise MaskBroken("the mask was made for other layers than this agent has")
    zeros = {name: torch.from_numpy(~mask) for name, mask in masks.items()}
    for name, zero in zeros.items():
        weights[name].register_hook(partial(_zeroed, zero))  # type: ignore[no-untyped-call]  # torch has no type for it
    held = [(name, weights[name], zero) for name, zero in zeros.items()] + list(_targets(agent.policy, weights, zeros))
    with torch.no_grad():
        for _, weight, zero in held:
            weight.masked_fill_(zero, 0)
    return partial(_measure, weights, held)


def _zeroed(zero: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Not a product: that would keep a NaN, and the sign of a zero."""
    return gradient.masked_fill(zero, 0)


_Held: TypeAlias = tuple[str, nn.Parameter, torch.Tensor]  # name, weight, True where it is zero


def _targets(
    policy: nn.Module, weights: Mapping[str, nn.Parameter], zeros: Mapping[str, torch.Tensor]
) -> Iterator[_Held]:
    """The same weights in target networks: `critic_target.qf0.0.weight` for `critic.qf0.0.weight`."""
    everything = dict(policy.named_parameters(remove_duplicate=False))
    names = {id(weights[name]): name for name in zeros}
    for alias, weight in everything.items():  # an extractor that actor and critic share has two names
        network, _, rest = alias.partition(".")
        target = everything.get(f"{network}_target.{rest}")
        if id(weight) in names and target is not None:
            yield f"{network}_target.{rest}", target, zeros[names[id(weight)]]


def _measure(weights: Mapping[str, nn.Parameter], held: Sequence[_Held]) -> dict[str, NDArray[Any]]:
    """How many weights could be pruned, how many were, and how many are zero after training.

    Raises MaskBroken where a masked weight is anything but zero, to the bit.
    """
    for name, weight, zero in held:
        values = _array(weight)[zero.numpy()]
        if moved := np.count_nonzero(values.view(f"i{values.itemsize}")):
            raise MaskBroken(f"{moved} of {values.size} masked weights of {name} are not zero after training")
    masks = {name: zero.numpy() for name, _, zero in held if name in weights}
    return {
        "prunable": np.array(sum(weight.numel() for weight in weights.values())),
        "masked": np.array(sum(int(zero.sum()) for zero in masks.values())),
        "zero": np.array(sum(int((weight == 0).sum()) for weight in weights.values())),
        "mask_sha256": np.frombuffer(_digest(masks), np.uint8),
    }


def _array(weight: nn.Parameter) -> NDArray[Any]:
    array: NDArray[Any] = weight.detach().cpu().numpy()
    return array


def _digest(masks: Mapping[str, NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for name, mask in sorted(masks.items()):
        digest.update(f"{name} {mask.shape}\n".encode())
        digest.update(np.packbits(mask).tobytes())
    return digest.digest()
