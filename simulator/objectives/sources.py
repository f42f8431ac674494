"""What can a worker compute from one sample of a stochastic function?

A source draws a sample at a point (a trajectory, a vector of noise) and gives two scalars for it:

- ``surrogate``: its derivative in the point, with the sample fixed, is the stochastic gradient;
- ``log_likelihood``: that of the sample at *another* point, up to a constant.

From these two follow the gradient, the importance weight between two points and the product of
the Hessian with a vector, so every method that works with single samples works on every source.

The sample of a policy is a row of decisions.  Its source also knows who took which decision, so the
policy may change in the midst of a trajectory: decision t, from 0, of a horizon of H belongs to the
last point whose share is at most t / H.
"""

from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from algorithms.local import Mixed, Oracle


class Source(Protocol):
    """Pure functions in JAX of one point (d,), one key and one worker, to be mapped and compiled.

    A worker is an int32 scalar.
    """

    def draw(self, key: Array, worker: Array, point: Array) -> Any:
        """A sample of this worker's function, from its distribution at this point."""

    def surrogate(self, sample: Any, worker: Array, point: Array) -> Array:
        """A scalar, whose derivative in the point is the sample's gradient."""

    def log_likelihood(self, sample: Any, worker: Array, point: Array) -> Array:
        """That of the sample at this point; constant where samples depend on no point."""

    def length(self, sample: Any) -> Array:
        """The environment steps of the sample, int32; 0 without an environment."""


class Decisions(Source):
    """A source whose samples are the decisions of a policy, one row after another.

    The gradient is REINFORCE: each decision's score, times a weight that depends on no point.  The
    transitions depend on no point either, so the likelihood of a sample is that of its decisions.
    """

    horizon: int
    """The decisions of a trajectory at most."""

    @property
    def rows(self) -> int:
        """The rows of a sample; those beyond the horizon are empty."""
        return self.horizon

    def act(self, key: Array, worker: Array, points: Array, turns: Array) -> Any:
        """A sample whose t-th decision is taken at ``points[turns[t]]``: (P, d) and (rows,)."""
        raise NotImplementedError

    def log_policy(self, sample: Any, point: Array) -> Array:
        """The log-likelihood of each decision (rows, ...), up to a constant; 0 for an empty one."""
        raise NotImplementedError

    def scales(self, sample: Any) -> Array:
        """The weight of each decision's score in the gradient, of the same shape."""
        raise NotImplementedError

    def draw(self, key: Array, worker: Array, point: Array) -> Any:
        return self.act(key, worker, point[None], jnp.zeros(self.rows, jnp.int32))

    def surrogate(self, sample: Any, worker: Array, point: Array) -> Array:
        return jnp.sum(self.scales(sample) * self.log_policy(sample, point))

    def log_likelihood(self, sample: Any, worker: Array, point: Array) -> Array:
        return jnp.sum(self.log_policy(sample, point))


def gradient_of(source: Source, sample: Any, worker: Array, point: Array) -> Array:
    """The sample's gradient at this point."""
    gradient: Array = jax.grad(source.surrogate, argnums=2)(sample, worker, point)
    return gradient


def oracle_of(source: Source, worker: Array) -> Oracle:
    """This worker's samples, for the work of ``algorithms/local.py``."""

    def gradient(sample: Any, point: Array) -> Array:
        return gradient_of(source, sample, worker, point)

    def weight(sample: Any, point: Array, other: Array) -> Array:
        likelihood = source.log_likelihood(sample, worker, other)
        return jnp.exp(likelihood - source.log_likelihood(sample, worker, point))

    def hessian_product(sample: Any, point: Array, vector: Array) -> Array:
        likelihood = jax.grad(source.log_likelihood, argnums=2)(sample, worker, point)
        value, product = jax.jvp(lambda at: gradient(sample, at), (point,), (vector,))
        total: Array = (likelihood @ vector) * value + product
        return total

    def mixed(points: Array, shares: Array) -> Mixed:
        assert isinstance(source, Decisions)
        return mixture(source, worker, points, turns(shares, source.horizon, source.rows))

    return Oracle(
        draw=lambda key, point: source.draw(key, worker, point),
        gradient=gradient,
        weight=weight,
        hessian_product=hessian_product,
        length=source.length,
        mixed=mixed if isinstance(source, Decisions) else None,
    )


def turns(shares: Array, horizon: int, rows: int) -> Array:
    """The place of the last share that is at most t / horizon, for each row t.

    >>> turns(jnp.array([0.0, 0.5, 2.0]), 4, 6).tolist()
    [0, 0, 1, 1, 1, 1]
    """
    moments = jnp.arange(rows, dtype=shares.dtype) / horizon
    return jnp.sum(shares <= moments[:, None], axis=1, dtype=jnp.int32) - 1


def mixture(source: Decisions, worker: Array, points: Array, turns: Array) -> Mixed:
    """One sample whose t-th decision is taken at ``points[turns[t]]``."""

    def log_policy(sample: Any, shift: Array) -> Array:
        each = jax.vmap(source.log_policy, (None, 0))(sample, points + shift)
        own = turns == jnp.arange(len(points))[:, None]
        # A sum over a mask: the derivative of indexing is a scatter, slow on a CPU.
        spread = own.reshape(own.shape + (1,) * (each.ndim - 2))
        return jnp.sum(jnp.where(spread, each, 0), axis=0)

    def gradient(sample: Any) -> Array:
        def surrogate(shift: Array) -> Array:
            return jnp.sum(source.scales(sample) * log_policy(sample, shift))

        found: Array = jax.grad(surrogate)(jnp.zeros_like(points[0]))
        return found

    def weight(sample: Any, point: Array) -> Array:
        own = jnp.sum(log_policy(sample, jnp.zeros_like(point)))
        return jnp.exp(source.log_likelihood(sample, worker, point) - own)

    return Mixed(lambda key: source.act(key, worker, points, turns), gradient, weight)
