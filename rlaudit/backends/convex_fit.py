"""Two losses on the same data, one convex and one not, and how they are minimised.

Mean cross-entropy plus l2 / 2 times the sum of all squared weights, biases included. An expert's decisions are often
separable, and then the cross-entropy alone has no minimum: weights grow without end. With the l2 term the loss of
softmax regression is strongly convex: it has one minimum, and a gradient of norm g proves that the loss lies at most
g^2 / (2 l2) above it (Boyd & Vandenberghe 2004, Convex Optimization, 9.1.2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from rlaudit.seeds import generator
from rlaudit.types import Floats, Ints

Shape: TypeAlias = tuple[int, int]  # (outputs, inputs), the bias as the last input
Draw: TypeAlias = Callable[[np.random.Generator, Shape], Floats]

_GRADIENT_ENOUGH = 1e-7  # of a run that counts as finished; with l2 = 1e-3 its loss is within 5e-12 of a convex minimum
_MEMORY = 30  # pairs of L-BFGS; with the usual 10 the hidden layer took twice the iterations


class NotConverged(ArithmeticError):
    """A loss that is no minimum says nothing about minima."""


# ---------------------------------------------------------------- data and losses


@dataclass(frozen=True, eq=False)
class Data:
    """What the expert saw and did."""

    states: Floats  # (n, n_features + 1) standardised, and a 1 for the bias
    actions: Ints  # (n,) in [0, n_actions)
    n_actions: int

    @staticmethod
    def of(states: Floats, actions: Ints, n_actions: int) -> "Data":
        """Standardises each feature, so that initial weights mean the same for all; a constant one becomes 0."""
        spread = states.std(axis=0)
        scaled = (states - states.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        return Data(_with_one(scaled), actions, n_actions)


def _with_one(inputs: Floats) -> Floats:
    return np.hstack([inputs, np.ones((len(inputs), 1))])


def cross_entropy(logits: Floats, actions: Ints) -> tuple[float, Floats]:
    """Mean over the states, and its gradient in the logits (n, n_actions)."""
    n = len(logits)
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1)
    loss = float((np.log(sums) - shifted[np.arange(n), actions]).mean())
    slopes = exponentials / sums[:, None]
    slopes[np.arange(n), actions] -= 1
    return loss, slopes / n


@dataclass(frozen=True, eq=False)
class Model:
    """Logits of all states from weights in one row, and back from slopes in the logits to slopes in the weights."""

    data: Data
    l2: float
    shapes: tuple[Shape, ...]  # of each layer

    def __call__(self, weights: Floats) -> tuple[float, Floats]:
        """The loss and its gradient (n_weights,)."""
        layers = unstacked(weights, self.shapes)
        inputs = [self.data.states]  # of each layer
        for layer in layers[:-1]:
            inputs.append(_with_one(np.tanh(inputs[-1] @ layer.T)))
        loss, slopes = cross_entropy(inputs[-1] @ layers[-1].T, self.data.actions)
        gradients = [slopes.T @ inputs[-1]]
        for layer, into, out in zip(layers[:0:-1], inputs[-2::-1], inputs[:0:-1], strict=True):
            slopes = (slopes @ layer)[:, :-1] * (1 - out[:, :-1] ** 2)
            gradients.insert(0, slopes.T @ into)
        flat = np.concatenate([gradient.ravel() for gradient in gradients])
        return loss + self.l2 / 2 * float(weights @ weights), flat + self.l2 * weights

    def accuracy(self, weights: Floats) -> float:
        """Share of the states in which the most probable action is the expert's."""
        layers, outputs = unstacked(weights, self.shapes), self.data.states
        for layer in layers[:-1]:
            outputs = _with_one(np.tanh(outputs @ layer.T))
        return float(((outputs @ layers[-1].T).argmax(axis=1) == self.data.actions).mean())


def model_of(treatment: Mapping[str, Any], data: Data) -> Model:
    """Softmax regression; behind a hidden layer of tanh where the treatment names its width."""
    n_inputs, hidden = data.states.shape[1], treatment.get("hidden")
    convex: tuple[Shape, ...] = ((data.n_actions, n_inputs),)
    deep: tuple[Shape, ...] = ((hidden or 0, n_inputs), (data.n_actions, (hidden or 0) + 1))
    return Model(data, treatment["l2"], deep if hidden else convex)


def unstacked(weights: Floats, shapes: Sequence[Shape]) -> list[Floats]:
    """The layers, each (outputs, inputs)."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(weights, ends[:-1]), shapes, strict=True)]


# ---------------------------------------------------------------- initial weights


def _orthogonal(rng: np.random.Generator, shape: Shape) -> Floats:
    """Rows or columns, whichever are fewer, of length 1 at right angles (Saxe et al. 2014)."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def _xavier_uniform(rng: np.random.Generator, shape: Shape) -> Floats:
    bound = float(np.sqrt(6 / sum(shape)))  # Glorot & Bengio 2010
    return rng.uniform(-bound, bound, shape)


# A stand-in with the names of rlaudit's initializers; these draw in float64, and without torch.
DRAWS: dict[str, Draw] = {
    "orthogonal": _orthogonal,
    "xavier_uniform": _xavier_uniform,
    "he_normal": lambda rng, shape: rng.normal(0, np.sqrt(2 / shape[1]), shape),  # He et al. 2015
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "normal_0.01": lambda rng, shape: rng.normal(0, 0.01, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
}


def initial_weights(shapes: Sequence[Shape], scheme: str, seed: int) -> Floats:
    """(n_weights,): each layer by the scheme under a stream of its own; biases start at 0, as in stable-baselines3."""
    layers = [
        np.hstack([DRAWS[scheme](generator(seed, "layer", place), (rows, columns - 1)), np.zeros((rows, 1))])
        for place, (rows, columns) in enumerate(shapes)
    ]
    return np.concatenate([layer.ravel() for layer in layers])


# ---------------------------------------------------------------- minimising


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a minimisation ended, and its way there."""

    weights: Floats  # (n_weights,)
    losses: Floats  # (n_iterations + 1,) from the initial weights on
    gradient_norm: float  # Euclidean, at the end


def minimise(loss: Callable[[Floats], tuple[float, Floats]], start: Floats, most: int) -> Fit:
    """L-BFGS on the full batch (Liu & Nocedal 1989) until the loss falls no further, at most `most` iterations.

    First-order methods leave noise of their own: Adam was 3e-4 short of the minimum. Raises NotConverged where the
    gradient is still large at the end.
    """
    from scipy.optimize import minimize

    losses = [loss(start)[0]]

    def watch(intermediate_result: Any) -> None:
        losses.append(float(intermediate_result.fun))

    options = {"maxcor": _MEMORY, "maxiter": most, "maxfun": 20 * most, "maxls": 50, "ftol": 0.0, "gtol": 1e-11}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", callback=watch, options=options)
    norm = float(np.linalg.norm(found.jac))
    if not norm <= _GRADIENT_ENOUGH:
        raise NotConverged(
            f"the gradient still has norm {norm:.2g} after {found.nit:,} iterations, and {_GRADIENT_ENOUGH:g} is the "
            f"most that counts as a minimum ({found.message}). Raise convex.iterations or convex.l2."
        )
    return Fit(found.x, np.array(losses), norm)


def points(most: int) -> Ints:
    """The iterations at which a loss curve is kept: every one at first, then ever fewer, up to `most`."""
    return np.unique(np.geomspace(1, most + 1, 60).round().astype(np.int64)) - 1
