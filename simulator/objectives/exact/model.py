"""What is a stochastic function, and what can a worker compute from one sample of it?

A model draws a sample at a point (a trajectory, a vector of noise) and says for it two scalars:

- ``surrogate``: its derivative in the point, the sample held fixed, is the stochastic gradient;
- ``log_likelihood``: how likely this sample is at *another* point, up to a constant.

From these two follow the gradient, the importance weight between two points and the product of
the Hessian with a vector, so every method that works with single samples works on every model.
Worker i draws from its own function J_i; what is maximised is J, the mean over the workers.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from algorithms.local import Oracle
from simulator.objectives.objective import Direction

if TYPE_CHECKING:
    from jax import Array


class Source(Protocol):
    """Pure functions in JAX of one point (d,), one key and one worker, to be mapped and compiled.

    A worker is an int32 scalar.
    """

    def draw(self, key: "Array", worker: "Array", point: "Array") -> Any:
        """A sample of this worker's function, drawn as it is drawn at this point."""

    def surrogate(self, sample: Any, worker: "Array", point: "Array") -> "Array":
        """A scalar, whose derivative in the point is the sample's gradient."""

    def log_likelihood(self, sample: Any, worker: "Array", point: "Array") -> "Array":
        """How likely the sample is at this point; constant where samples depend on no point."""

    def length(self, sample: Any) -> "Array":
        """The environment steps that the sample took, int32; 0 where there is no environment."""


class Model(Source, Protocol):
    """A source of samples of a function that is known exactly, too."""

    dimension: int
    metrics: Mapping[str, Direction]
    """What ``measure`` says, which includes ``gradient_norm``."""

    def start(self) -> "Array":
        """Where every method starts."""

    def estimate(self, key: "Array", worker: "Array", point: "Array") -> "tuple[Array, Array]":
        """A stochastic gradient and its length: ``by_surrogate``, or the same in a quicker way."""

    def measure(self, point: "Array") -> "dict[str, Array]":
        """The metrics, exactly."""

    def ascent(self, point: "Array") -> "Array":
        """The exact gradient of J."""


def gradient_of(model: Source, sample: Any, worker: "Array", point: "Array") -> "Array":
    """The gradient that this sample says, at this point."""
    import jax

    gradient: Array = jax.grad(model.surrogate, argnums=2)(sample, worker, point)
    return gradient


def by_surrogate(
    model: Source, key: "Array", worker: "Array", point: "Array"
) -> "tuple[Array, Array]":
    """One sample's gradient and length, as the model's own words define them."""
    sample = model.draw(key, worker, point)
    return gradient_of(model, sample, worker, point), model.length(sample)


def oracle_of(model: Source, worker: "Array") -> Oracle:
    """What this worker can compute, in the words of ``algorithms/local.py``."""
    import jax
    import jax.numpy as jnp

    def gradient(sample: Any, point: "Array") -> "Array":
        return gradient_of(model, sample, worker, point)

    def weight(sample: Any, point: "Array", other: "Array") -> "Array":
        there = model.log_likelihood(sample, worker, other)
        return jnp.exp(there - model.log_likelihood(sample, worker, point))

    def hessian_product(sample: Any, point: "Array", vector: "Array") -> "Array":
        likelihood = jax.grad(model.log_likelihood, argnums=2)(sample, worker, point)
        value, product = jax.jvp(lambda at: gradient(sample, at), (point,), (vector,))
        total: Array = (likelihood @ vector) * value + product
        return total

    return Oracle(
        draw=lambda key, point: model.draw(key, worker, point),
        gradient=gradient,
        weight=weight,
        hessian_product=hessian_product,
        length=model.length,
    )
