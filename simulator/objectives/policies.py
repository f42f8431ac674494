"""How does a policy choose an action, and how likely was its choice?

Both policies are multilayer perceptrons with tanh on one flat parameter vector: for each layer
its matrix, row by row, then its biases.  A choice is what the policy draws (the number of an
action, or the Gaussian before it is squashed); an action is what the environment is given.
The same formulas run in JAX and in numpy: ``xp`` is one of the two modules, and JAX is imported
only by what needs it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.spaces import Actions, Box, Discrete

if TYPE_CHECKING:
    from jax import Array

Layers: TypeAlias = list[tuple[Any, Any]]
OUTPUT_SCALE = 0.01
"""How small the last layer starts: every action about equally likely, every mean about 0."""


@dataclass(frozen=True)
class _Network:
    """The perceptron: ``widths`` are the sizes of its layers, input and output included."""

    widths: tuple[int, ...]

    @property
    def dimension(self) -> int:
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    def initial_point(self, key: "Array", dtype: Any) -> "Array":
        """LeCun's: weights normal with variance 1/inputs, the last layer's smaller, biases 0."""
        import jax
        import jax.numpy as jnp

        scales = jnp.asarray(self._scales(), dtype)
        return scales * jax.random.normal(key, scales.shape, dtype)

    def _scales(self) -> NDArray[np.float64]:
        parts = []
        for inputs, outputs in pairwise(self.widths):
            parts += [np.full(inputs * outputs, 1 / math.sqrt(inputs)), np.zeros(outputs)]
        parts[-2] *= OUTPUT_SCALE
        return np.concatenate(parts)

    def layers(self, point: Any) -> Layers:
        """The matrices and biases that a flat point holds."""
        layers, start = [], 0
        for inputs, outputs in pairwise(self.widths):
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            layers.append((point[start:middle].reshape(inputs, outputs), point[middle:end]))
            start = end
        return layers

    def outputs(self, layers: Layers, observation: Any, xp: Any) -> Any:
        *hidden, (matrix, bias) = layers
        for weights, offset in hidden:
            observation = xp.tanh(observation @ weights + offset)
        return observation @ matrix + bias


@dataclass(frozen=True)
class Softmax(_Network):
    """One of n actions, with probability proportional to the exponential of its output."""

    start: int = 0

    def noise(self, key: "Array", steps: int, dtype: Any) -> "Array":
        """Standard Gumbel: the largest output with it added is a draw from the softmax."""
        import jax

        return jax.random.gumbel(key, (steps, self.widths[-1]), dtype)

    def host_noise(self, generator: np.random.Generator, steps: int, dtype: Any) -> Any:
        """The same in numpy, where the environment is played there."""
        return generator.gumbel(size=(steps, self.widths[-1])).astype(dtype)

    def choose(self, layers: Layers, observation: Any, noise: Any, xp: Any) -> Any:
        return xp.argmax(self.outputs(layers, observation, xp) + noise, axis=-1).astype(np.int32)

    def act(self, choice: Any, xp: Any) -> Any:
        return choice + np.int32(self.start)

    def log_density(self, point: "Array", observation: "Array", choice: "Array") -> "Array":
        import jax
        import jax.numpy as jnp

        outputs = self.outputs(self.layers(point), observation, jnp)
        # A sum over a mask: the derivative of an indexed look-up is a scatter, slow on a CPU.
        chosen = choice[..., None] == jnp.arange(self.widths[-1], dtype=choice.dtype)
        logarithms = jax.nn.log_softmax(outputs)
        return jnp.sum(jnp.where(chosen, logarithms, 0), axis=-1)


@dataclass(frozen=True)
class Gaussian(_Network):
    """A vector between bounds: u ~ N(mu, sigma^2), each on its own, then centre + half tanh(u).

    Mean and deviation (a softplus) share the hidden layers.  The choice is u: the squashing does
    not depend on the parameters once u is held, so log N(u) has the gradient of the action's
    log-density and tanh is never inverted.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def noise(self, key: "Array", steps: int, dtype: Any) -> "Array":
        import jax

        return jax.random.normal(key, (steps, len(self.low)), dtype)

    def host_noise(self, generator: np.random.Generator, steps: int, dtype: Any) -> Any:
        return generator.standard_normal((steps, len(self.low)), dtype)

    def choose(self, layers: Layers, observation: Any, noise: Any, xp: Any) -> Any:
        mean, deviation = self._moments(layers, observation, xp)
        return mean + deviation * noise

    def act(self, choice: Any, xp: Any) -> Any:
        low, high = np.asarray(self.low), np.asarray(self.high)
        centre = np.asarray((low + high) / 2, choice.dtype)
        half = np.asarray((high - low) / 2, choice.dtype)
        return centre + half * xp.tanh(choice)

    def log_density(self, point: "Array", observation: "Array", choice: "Array") -> "Array":
        import jax.numpy as jnp

        mean, deviation = self._moments(self.layers(point), observation, jnp)
        squares = ((choice - mean) / deviation) ** 2
        constant = 0.5 * math.log(2 * math.pi)
        return jnp.sum(-0.5 * squares - jnp.log(deviation) - constant, axis=-1)

    def _moments(self, layers: Layers, observation: Any, xp: Any) -> tuple[Any, Any]:
        outputs = self.outputs(layers, observation, xp)
        size = len(self.low)
        return outputs[..., :size], xp.logaddexp(outputs[..., size:], outputs.dtype.type(0))


Policy: TypeAlias = Softmax | Gaussian


def policy_for(observation_size: int, actions: Actions, hidden: Sequence[int]) -> Policy:
    """The policy that these actions ask for.

    >>> from simulator.objectives.environments.spaces import Box
    >>> policy_for(376, Box(low=(-0.4,) * 17, high=(0.4,) * 17), hidden=[64, 64]).dimension
    30498
    """
    inner = (observation_size, *hidden)
    match actions:
        case Discrete(n, start):
            return Softmax((*inner, n), start)
        case Box(low, high):
            return Gaussian((*inner, 2 * len(low)), low, high)
