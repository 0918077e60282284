"""How the weights of a layer are drawn: schemes by name. A new one is a function and a line here.

A scheme fills the weights (n_out, n_in) or (n_out, n_in, *kernel) of a layer in place, from torch's global generator
as it stands; the fans of a convolution count its receptive field. Its numbers are those of its paper: they depend on
the shape of the layer and on nothing else. `gain` multiplies them. The gain of a scheme is for the layers that an
activation follows, and the same whatever the activation: sqrt(2) was derived for ReLU (He et al. 2015, section 2.2)
and is used for tanh as well (stable-baselines3). Last layers have no activation behind them and no such gain.

Biases are 0, but for torch's default, which draws them too. This module is light: it needs torch to draw only.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple, TypeAlias

Weight: TypeAlias = Any  # torch.Tensor, float32 (n_out, n_in, *kernel)


class Initializer(NamedTuple):
    """A scheme. `list initializers` shows the help."""

    draw: Callable[[Weight, float], None]  # (weights, gain)
    help: str
    hidden_gain: float = 1.0  # of layers that an activation follows
    draws_biases: bool = False


def fans(weight: Weight) -> tuple[int, int]:
    """Inputs of one output unit, and outputs of one input unit."""
    field = weight[0, 0].numel()
    return weight.shape[1] * field, weight.shape[0] * field


def _orthogonal(weight: Weight, gain: float) -> None:
    from torch.nn.init import orthogonal_

    orthogonal_(weight, gain=gain)


def _xavier_uniform(weight: Weight, gain: float) -> None:
    bound = gain * sqrt(6 / sum(fans(weight)))
    weight.uniform_(-bound, bound)


def _xavier_normal(weight: Weight, gain: float) -> None:
    weight.normal_(0, gain * sqrt(2 / sum(fans(weight))))


def _fan_in_uniform(weight: Weight, gain: float) -> None:
    bound = gain * sqrt(3 / fans(weight)[0])
    weight.uniform_(-bound, bound)


def _fan_in_normal(weight: Weight, gain: float) -> None:
    weight.normal_(0, gain / sqrt(fans(weight)[0]))


def _truncated_normal(weight: Weight, gain: float) -> None:
    from torch.nn.init import trunc_normal_

    trunc_normal_(weight, std=0.02, a=-0.04, b=0.04)
    weight.mul_(gain)


def _unit_normal(weight: Weight, gain: float) -> None:
    weight.normal_(0, gain)


def _small_normal(weight: Weight, gain: float) -> None:
    weight.normal_(0, 0.01 * gain)


def _zeros(weight: Weight, gain: float) -> None:
    weight.zero_()


def torch_bound(weight: Weight) -> float:
    """Of weights and biases, by torch's `reset_parameters`."""
    return 1 / sqrt(fans(weight)[0])


def _torch(weight: Weight, gain: float) -> None:
    bound = gain * torch_bound(weight)
    weight.uniform_(-bound, bound)


INITIALIZERS: dict[str, Initializer] = {
    "orthogonal": Initializer(
        _orthogonal,
        "orthogonal rows or columns, gain sqrt(2) in hidden layers (Saxe et al. 2014, 1312.6120); with last_gain 0.01 "
        "it is what stable-baselines3 does for PPO, A2C and TRPO",
        hidden_gain=sqrt(2),
    ),
    "xavier_uniform": Initializer(
        _xavier_uniform, "Xavier / Glorot: uniform, variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)"
    ),
    "xavier_normal": Initializer(
        _xavier_normal, "Xavier / Glorot: normal, variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)"
    ),
    "he_uniform": Initializer(
        _fan_in_uniform,
        "He / Kaiming: uniform, variance 2 / fan_in in hidden layers, 1 / fan_in in last ones (He et al. 2015, "
        "1502.01852)",
        hidden_gain=sqrt(2),
    ),
    "he_normal": Initializer(
        _fan_in_normal,
        "He / Kaiming: normal, variance 2 / fan_in in hidden layers, 1 / fan_in in last ones (He et al. 2015, "
        "1502.01852)",
        hidden_gain=sqrt(2),
    ),
    "lecun_uniform": Initializer(
        _fan_in_uniform, "LeCun: uniform, variance 1 / fan_in (LeCun et al. 1998, Efficient BackProp, section 4.6)"
    ),
    "lecun_normal": Initializer(
        _fan_in_normal, "LeCun: normal, variance 1 / fan_in (LeCun et al. 1998; Klambauer et al. 2017, 1706.02515)"
    ),
    "truncated_normal": Initializer(
        _truncated_normal,
        "normal with sd 0.02, cut off at two sd, which leaves an sd of 0.0176 (Devlin et al. 2019, 1810.04805)",
    ),
    "unit_normal": Initializer(_unit_normal, "N(0, 1), whatever the shape of the layer: too large for wide ones"),
    "small_normal": Initializer(
        _small_normal, "N(0, 1) x 0.01, whatever the shape of the layer (Krizhevsky et al. 2012)"
    ),
    "zeros": Initializer(
        _zeros, "all weights 0: no two units of a layer can ever differ, and next to nothing is learned"
    ),
    "torch": Initializer(
        _torch,
        "torch's default: weights and biases uniform within 1 / sqrt(fan_in), variance 1 / (3 fan_in); what "
        "stable-baselines3 does for DQN, SAC, TD3",
        draws_biases=True,
    ),
}
