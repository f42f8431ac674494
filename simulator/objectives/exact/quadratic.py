"""The tridiagonal quadratics of this literature, on which value and gradient are known exactly.

Maximises J = -f with f(x) = x'Ax/2 - b'x from x_0 = (sqrt d, 0, ...), where the gap and the
gradient's norm are exact.  All workers have A = (1/4) tridiag(-1, 2, -1), b = (-1/4, 0, ...), or
each has its own (``tridiagonal.py``); the noise is one of three kinds (``noise.py``).
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax.numpy as jnp
import numpy as np
from jax import Array

from simulator.objectives.exact.noise import Noise, Noisy
from simulator.objectives.exact.tridiagonal import Quadratics
from simulator.objectives.objective import Direction


class Quadratic(Noisy):
    """One quadratic for each worker, in float64."""

    metrics: Mapping[str, Direction] = MappingProxyType({"gap": "lower", "gradient_norm": "lower"})

    def __init__(self, quadratics: Quadratics, noise: Noise) -> None:
        self.dimension = quadratics.dimension
        self._mean = (quadratics.slope, quadratics.offset)
        self._each = jnp.asarray(quadratics.slopes), jnp.asarray(quadratics.offsets)
        self._alike = quadratics.alike
        self._shift = quadratics.shift
        self._best = jnp.asarray(quadratics.best)
        self.noise = noise

    def start(self) -> Array:
        point = np.zeros(self.dimension)
        point[0] = np.sqrt(self.dimension)
        return jnp.asarray(point)

    def measure(self, point: Array) -> dict[str, Array]:
        """f(x) - f* is half the square of x - x* in the norm of A, without cancellation near x*."""
        away = point - self._best
        return {
            "gap": away @ self._times(self._mean[0], away) / 2,
            "gradient_norm": jnp.linalg.norm(self.ascent(point)),
        }

    def ascent(self, point: Array) -> Array:
        return self._exact(*self._mean, point)

    def of_worker(self, worker: Array, point: Array) -> Array:
        """The exact gradient of J_i, which is J where all are alike."""
        if self._alike:
            return self.ascent(point)
        slopes, offsets = self._each
        return self._exact(slopes[worker], offsets[worker], point)

    def _exact(self, slope: Array | float, offset: Array | float, point: Array) -> Array:
        """b - A x."""
        rest = -self._times(slope, point)
        # Two parts joined: beside ``at`` or ``where`` XLA takes twice as long for the noise.
        return jnp.concatenate([rest[:1] + offset, rest[1:]])

    def _times(self, slope: Array | float, point: Array) -> Array:
        """A x."""
        neighbours = jnp.zeros_like(point).at[1:].add(point[:-1]).at[:-1].add(point[1:])
        return slope * ((2 * point - neighbours) / 4) + self._shift * point
