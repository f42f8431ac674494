"""How do methods fare in the worst case?  The non-convex chain of Carmon et al. (2017).

Maximises J = -f, f(x) = factor F(x / s), from x_0 = 0, with

    F(x) = -Psi(1) Phi(x_1) + sum over i >= 2 of Psi(-x_{i-1}) Phi(-x_i) - Psi(x_{i-1}) Phi(x_i)
    Psi(x) = exp(1 - 1 / (2x - 1)^2) for x > 1/2, else 0
    Phi(x) = sqrt(e) times the integral of exp(-t^2 / 2) up to x

Beyond the coordinates already found, only the next one of a gradient is not 0.  So a method finds
them one after another, with progress noise each only with probability p.  The lower bounds on the
number of stochastic gradients are proved on this chain.
"""

from collections.abc import Mapping
from math import e, pi, sqrt
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.exact.noise import Noisy, Progress
from simulator.objectives.objective import Direction


class Chain(Noisy):
    """The same chain for every worker, in float64."""

    metrics: Mapping[str, Direction] = MappingProxyType(
        {"gradient_norm": "lower", "gap": "lower", "progress": "higher"}
    )

    def __init__(
        self, length: int, factor: float, scale: float, height: float, probability: float
    ) -> None:
        """``height`` is -inf F."""
        self.dimension, self.noise = length, Progress(probability)
        self._factor, self._scale, self._highest = factor, scale, factor * height

    def start(self) -> Array:
        return jnp.zeros(self.dimension, jnp.float64)

    def value(self, point: Array) -> Array:
        """J."""
        return -self._factor * chain(point / self._scale)

    def measure(self, point: Array) -> dict[str, Array]:
        places = jnp.where(jnp.abs(point) >= self._scale, 1 + jnp.arange(self.dimension), 0)
        return {
            "gradient_norm": jnp.linalg.norm(self.ascent(point)),
            "gap": self._highest - self.value(point),
            "progress": jnp.max(places).astype(point.dtype),
        }

    def ascent(self, point: Array) -> Array:
        gradient: Array = jax.grad(self.value)(point)
        return gradient

    def of_worker(self, worker: Array, point: Array) -> Array:
        return self.ascent(point)


def chain(point: Array) -> Array:
    """F."""
    before, after = point[:-1], point[1:]
    links = gate(-before) * slide(-after) - gate(before) * slide(after)
    return jnp.sum(links) - slide(point[0])  # Psi(1) is 1


def gate(x: Array) -> Array:
    """Psi: 0 up to 1/2, and almost e far beyond."""
    opened = x > 0.5
    # Where Psi is 0, an unchosen 1 / (2x - 1) would still make the derivative NaN.
    away = jnp.where(opened, 2 * x - 1, 1.0)
    return jnp.where(opened, jnp.exp(1 - 1 / away**2), 0.0)


def slide(x: Array) -> Array:
    """Phi: from 0 to sqrt(2 pi e)."""
    return sqrt(2 * pi * e) * jax.scipy.special.ndtr(x)
