"""Which noise does an exact gradient get?  That of this literature.

- ``Gaussian``: of standard deviation ``scale`` in each coordinate, independent or, if ``shared``,
  *one* number that is added to every coordinate (the total variance is scale^2 d in both cases);
- ``Progress``: the coordinates beyond the last non-zero one of x, which a method can only reach
  through the gradient, appear with probability p, divided by p.

Samples have the same distribution at every point, and their gradients are unbiased: the likelihood
of a sample is constant, and an importance weight is 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.exact.model import Model


class Noise(Protocol):
    def draw(self, key: Array, point: Array) -> Array:
        """A sample; it depends only on the shape and the dtype of the point."""

    def onto(self, exact: Array, sample: Array, point: Array) -> Array:
        """The sample's gradient at this point, from the exact one."""


@dataclass(frozen=True)
class Gaussian:
    scale: float
    shared: bool = False

    def draw(self, key: Array, point: Array) -> Array:
        shape = () if self.shared else point.shape
        return self.scale * jax.random.normal(key, shape, point.dtype)

    def onto(self, exact: Array, sample: Array, point: Array) -> Array:
        return exact + sample


@dataclass(frozen=True)
class Progress:
    probability: float

    def draw(self, key: Array, point: Array) -> Array:
        lucky = jax.random.bernoulli(key, self.probability)
        return lucky.astype(point.dtype) / self.probability

    def onto(self, exact: Array, sample: Array, point: Array) -> Array:
        places = jnp.arange(len(point))
        reached = jnp.max(jnp.where(point != 0, places, -1))
        return jnp.where(places > reached, exact * sample, exact)


Field: TypeAlias = Callable[[Array, Array, Array], Array]
"""``gradient = field(sample, worker, point)``"""


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def potential(field: Field, sample: Array, worker: Array, point: Array) -> Array:
    """A scalar whose derivative in the point is the field, even if no function has this derivative.

    A gradient with a random factor on some coordinates is not a gradient any more.  The value is 0
    and means nothing; the derivative is right, and so are its derivatives.
    """
    return jnp.zeros((), point.dtype)


@potential.defjvp
def _derivative(field: Field, primals: Any, tangents: Any) -> tuple[Array, Array]:
    sample, worker, point = primals
    return jnp.zeros((), point.dtype), field(sample, worker, point) @ tangents[2]


class Noisy(Model):
    """A model whose workers' gradients are exact gradients with noise."""

    noise: Noise

    def of_worker(self, worker: Array, point: Array) -> Array:
        """The exact gradient of J_i."""
        raise NotImplementedError

    def draw(self, key: Array, worker: Array, point: Array) -> Array:
        return self.noise.draw(key, point)

    def surrogate(self, sample: Array, worker: Array, point: Array) -> Array:
        scalar: Array = potential(self._noisy, sample, worker, point)
        return scalar

    def log_likelihood(self, sample: Array, worker: Array, point: Array) -> Array:
        return jnp.zeros((), point.dtype)

    def length(self, sample: Array) -> Array:
        return jnp.zeros((), jnp.int32)

    def estimate(self, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
        """The same as ``by_surrogate``, without the surrogate."""
        sample = self.draw(key, worker, point)
        return self._noisy(sample, worker, point), self.length(sample)

    def _noisy(self, sample: Array, worker: Array, point: Array) -> Array:
        return self.noise.onto(self.of_worker(worker, point), sample, point)
