"""How does a policy choose an action, and how likely was its choice?

A policy turns the outputs of a network (``networks.py``) into a distribution.  A choice is a draw
from it (the number of an action, or the Gaussian before it is squashed); an action is the input of
the environment.  The same formulas run in JAX and in numpy: ``xp`` is one of the two modules.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

from simulator.objectives.networks import Network, Perceptron, SideBySide
from simulator.objectives.spaces import Actions, Box, Discrete
from simulator.objectives.standard import Standard

if TYPE_CHECKING:
    from jax import Array

Layers: TypeAlias = list[Any]
Trunk: TypeAlias = Literal["shared", "separate"]
"""Whether mean and deviation share their hidden layers."""


@dataclass(frozen=True, kw_only=True)
class _Networked:
    """A policy with a network; recorded observations are raw, whatever the ``standard``."""

    network: Network
    standard: Standard | None = None

    @property
    def dimension(self) -> int:
        return self.network.dimension

    def initial_point(self, key: "Array", dtype: Any) -> "Array":
        """Normal weights of the network's scales."""
        import jax
        import jax.numpy as jnp

        scales = jnp.asarray(self.network.scales(), dtype)
        return scales * jax.random.normal(key, scales.shape, dtype)

    def layers(self, point: Any) -> Layers:
        return self.network.layers(point)

    def outputs(self, layers: Layers, observation: Any, xp: Any) -> Any:
        inputs = observation if self.standard is None else self.standard.of(observation, xp)
        return self.network.outputs(layers, inputs, xp)


@dataclass(frozen=True, kw_only=True)
class Softmax(_Networked):
    """One of n actions, with probability proportional to the exponential of its output."""

    actions: Discrete

    def noise(self, key: "Array", steps: int, dtype: Any) -> "Array":
        """Standard Gumbel: the largest output with it added is a draw from the softmax."""
        import jax

        return jax.random.gumbel(key, (steps, self.actions.n), dtype)

    def host_noise(self, generator: np.random.Generator, steps: int, dtype: Any) -> Any:
        return generator.gumbel(size=(steps, self.actions.n)).astype(dtype)

    def choose(self, layers: Layers, observation: Any, noise: Any, xp: Any) -> Any:
        return xp.argmax(self.outputs(layers, observation, xp) + noise, axis=-1).astype(np.int32)

    def act(self, choice: Any, xp: Any) -> Any:
        return choice + np.int32(self.actions.start)

    def log_density(self, point: "Array", observation: "Array", choice: "Array") -> "Array":
        import jax
        import jax.numpy as jnp

        outputs = self.outputs(self.layers(point), observation, jnp)
        # A sum over a mask: the derivative of indexing is a scatter, slow on a CPU.
        chosen = choice[..., None] == jnp.arange(self.actions.n, dtype=choice.dtype)
        logarithms = jax.nn.log_softmax(outputs)
        return jnp.sum(jnp.where(chosen, logarithms, 0), axis=-1)


@dataclass(frozen=True, kw_only=True)
class Gaussian(_Networked):
    """A vector between bounds: u ~ N(mu, sigma^2), each on its own, then centre + half tanh(u).

    The network's outputs are the means, then the inverse softplus of the deviations.  The choice is
    u: for a fixed u the squashing depends on no parameter, so log N(u) has the gradient of the
    action's log-density, and tanh is never inverted.
    """

    actions: Box

    def noise(self, key: "Array", steps: int, dtype: Any) -> "Array":
        import jax

        return jax.random.normal(key, (steps, len(self.actions.low)), dtype)

    def host_noise(self, generator: np.random.Generator, steps: int, dtype: Any) -> Any:
        return generator.standard_normal((steps, len(self.actions.low)), dtype)

    def choose(self, layers: Layers, observation: Any, noise: Any, xp: Any) -> Any:
        mean, deviation = self._moments(layers, observation, xp)
        return mean + deviation * noise

    def act(self, choice: Any, xp: Any) -> Any:
        centre, half = _centre_and_half(self.actions, choice.dtype)
        return centre + half * xp.tanh(choice)

    def log_density(self, point: "Array", observation: "Array", choice: "Array") -> "Array":
        import jax.numpy as jnp

        mean, deviation = self._moments(self.layers(point), observation, jnp)
        squares = ((choice - mean) / deviation) ** 2
        constant = 0.5 * math.log(2 * math.pi)
        return jnp.sum(-0.5 * squares - jnp.log(deviation) - constant, axis=-1)

    def _moments(self, layers: Layers, observation: Any, xp: Any) -> tuple[Any, Any]:
        outputs = self.outputs(layers, observation, xp)
        size = len(self.actions.low)
        return outputs[..., :size], xp.logaddexp(outputs[..., size:], outputs.dtype.type(0))


@cache
def _centre_and_half(actions: Box, dtype: Any) -> tuple[Any, Any]:
    low, high = np.asarray(actions.low), np.asarray(actions.high)
    return np.asarray((low + high) / 2, dtype), np.asarray((high - low) / 2, dtype)


class Policy(Protocol):
    """A policy for an objective: flat points, noise from outside, log-densities."""

    @property
    def dimension(self) -> int: ...

    def initial_point(self, key: "Array", dtype: Any) -> "Array": ...

    def layers(self, point: Any) -> Any:
        """The parameters of a flat point, in the form that ``choose`` takes."""

    def noise(self, key: "Array", steps: int, dtype: Any) -> "Array":
        """The random numbers of ``steps`` choices, one row each."""

    def host_noise(self, generator: np.random.Generator, steps: int, dtype: Any) -> Any:
        """The same in NumPy, for environments on the host."""

    def choose(self, layers: Any, observation: Any, noise: Any, xp: Any) -> Any:
        """A choice; ``xp`` is NumPy or jax.numpy."""

    def act(self, choice: Any, xp: Any) -> Any:
        """The environment's action."""

    def log_density(self, point: "Array", observation: "Array", choice: "Array") -> "Array":
        """The logarithm of each choice's density."""


PolicyMaker: TypeAlias = Callable[[int, Actions, Standard | None], Policy]
"""``policy = maker(observation_size, actions, standard)``"""


def perceptron(hidden: Sequence[int] = (64, 64), trunk: Trunk = "shared") -> PolicyMaker:
    """Makes policies on perceptrons; ``trunk`` says whether mean and deviation share layers."""
    if any(width < 1 for width in hidden):
        raise ValueError(f"hidden = {list(hidden)}: a layer needs at least one unit")

    def make(observation_size: int, actions: Actions, standard: Standard | None) -> Policy:
        return policy_for(observation_size, actions, hidden, trunk, standard)

    return make


def policy_for(
    observation_size: int,
    actions: Actions,
    hidden: Sequence[int],
    trunk: Trunk = "shared",
    standard: Standard | None = None,
) -> Softmax | Gaussian:
    """A policy for these actions; a ValueError for a separate trunk without a deviation.

    >>> from simulator.objectives.spaces import Box
    >>> humanoid = Box(low=(-0.4,) * 17, high=(0.4,) * 17)
    >>> policy_for(376, humanoid, hidden=[64, 64]).dimension
    30498
    >>> policy_for(376, humanoid, hidden=[64, 64], trunk="separate").dimension
    58786
    """
    inner = (observation_size, *hidden)
    match actions:
        case Discrete(n):
            if trunk != "shared":
                raise ValueError(
                    f"policy.trunk = {trunk!r}: is for continuous actions; these are one of {n}, "
                    "and a softmax is one network: leave it out"
                )
            softmax = Perceptron((*inner, n))
            return Softmax(network=softmax, standard=standard, actions=actions)
        case Box(low):
            network: Network = Perceptron((*inner, 2 * len(low)))
            if trunk == "separate":
                network = SideBySide((Perceptron((*inner, len(low))),) * 2)
            return Gaussian(network=network, standard=standard, actions=actions)
