"""How do methods fare where everything is known?  The tridiagonal quadratic of this literature.

Maximises J = -f with f(x) = x'Ax/2 - b'x, A = (1/4) tridiag(-1, 2, -1), b = (-1/4, 0, ...),
from x_0 = (sqrt d, 0, ...), so that the gap and the gradient's norm are exact.  Three kinds of
noise are in use:

- ``isotropic``: an independent Gaussian for each coordinate, of standard deviation ``scale``;
- ``shared``: *one* Gaussian, added to every coordinate (total variance scale^2 d);
- ``progress``: the coordinates beyond the last non-zero one of x, which a method can only reach
  through the gradient, come with probability p, divided by p.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from algorithms.tickets import Ticket
from simulator.objectives.objective import Direction, ticket_keys

if TYPE_CHECKING:
    from jax import Array

Noise = Literal["isotropic", "shared", "progress"]


class Quadratic:
    """The tridiagonal quadratic in ``dimension`` variables, in float64."""

    metrics: Mapping[str, Direction] = MappingProxyType({"gap": "lower", "gradient_norm": "lower"})

    def __init__(
        self,
        dimension: int,
        *,
        noise: Noise = "isotropic",
        scale: float = 0.01,
        probability: float = 0.1,
    ) -> None:
        import jax

        self.dimension = dimension
        self._noise = {
            "isotropic": partial(_isotropic, scale),
            "shared": partial(_shared, scale),
            "progress": partial(_progress, probability),
        }[noise]
        self._weighted = jax.jit(self._weighted_sum)
        self._each = jax.jit(jax.vmap(self._one, (None, 0, 0, 0)))

    def initial_point(self, root: "Array") -> "Array":
        import jax.numpy as jnp

        return jnp.zeros(self.dimension, jnp.float64).at[0].set(jnp.sqrt(self.dimension))

    def gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        total, steps = self._weighted(root, point, tickets, weights)
        return total, steps

    def gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        each, steps = self._each(root, points, tickets, weights)
        return each, steps

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        import jax.numpy as jnp

        key = ticket_keys(root, jnp.array([ticket], jnp.int32))[0]
        return self._noise(key, point, ascent(point)), 0

    def evaluate(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "dict[str, Array]":
        """Exact: f(x) - f*, and the norm of the gradient."""
        import jax.numpy as jnp

        lowest = -self.dimension / (8 * (self.dimension + 1))
        value = -(point @ (ascent(point) + _linear(point))) / 2
        return {"gap": value - lowest, "gradient_norm": jnp.linalg.norm(ascent(point))}

    def _weighted_sum(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        import jax
        import jax.numpy as jnp

        exact = ascent(point)
        noisy = jax.vmap(self._noise, (0, None, None))(ticket_keys(root, tickets), point, exact)
        return weights @ noisy, jnp.zeros((), jnp.int32)

    def _one(
        self, root: "Array", point: "Array", ticket: "Array", weight: "Array"
    ) -> "tuple[Array, Array]":
        import jax.numpy as jnp

        key = ticket_keys(root, ticket[None])[0]
        gradient = self._noise(key, point, ascent(point))
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        return jnp.where(weight != 0, weight * gradient, 0), jnp.zeros((), jnp.int32)


def ascent(point: "Array") -> "Array":
    """The gradient of J: b - A x."""
    import jax.numpy as jnp

    neighbours = jnp.zeros_like(point).at[1:].add(point[:-1]).at[:-1].add(point[1:])
    return _linear(point) - (2 * point - neighbours) / 4


def _linear(point: "Array") -> "Array":
    import jax.numpy as jnp

    return jnp.zeros_like(point).at[0].set(-0.25)


def _isotropic(scale: float, key: "Array", point: "Array", exact: "Array") -> "Array":
    import jax

    return exact + scale * jax.random.normal(key, exact.shape, exact.dtype)


def _shared(scale: float, key: "Array", point: "Array", exact: "Array") -> "Array":
    import jax

    return exact + scale * jax.random.normal(key, (), exact.dtype)


def _progress(probability: float, key: "Array", point: "Array", exact: "Array") -> "Array":
    import jax
    import jax.numpy as jnp

    places = jnp.arange(len(point))
    reached = jnp.max(jnp.where(point != 0, places, -1))
    lucky = jax.random.bernoulli(key, probability) / probability
    return jnp.where(places > reached, exact * lucky, exact)
