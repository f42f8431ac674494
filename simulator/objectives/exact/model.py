"""What can a worker compute from one sample of a stochastic function?

A model draws a sample at a point (a trajectory, a vector of noise) and gives two scalars for it:

- ``surrogate``: its derivative in the point, with the sample fixed, is the stochastic gradient;
- ``log_likelihood``: that of the sample at *another* point, up to a constant.

From these two follow the gradient, the importance weight between two points and the product of
the Hessian with a vector, so every method that works with single samples works on every model.
Worker i draws from its own function J_i; the objective is J, the mean over the workers.

``Sampled`` makes an objective of a model: it maps over the tickets, compiles and adds up.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from algorithms.local import Oracle, Work
from algorithms.tickets import Ticket
from simulator.objectives.objective import (
    Direction,
    Episodes,
    Exact,
    Values,
    run_by_run,
    ticket_keys,
)

Estimate: TypeAlias = Callable[[Array, Array, Array], tuple[Array, Array]]
"""``value, environment_steps = estimate(key, ticket, point)``, for one row (3,) of tickets."""
Keys: TypeAlias = Callable[[Array, Array], Array]
"""One random key for each ticket, from the root and the tickets' rows."""


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


class Model(Source, Protocol):
    """A source of samples of a function that is also known exactly."""

    dimension: int
    metrics: Mapping[str, Direction]
    """The metrics of ``measure``, with ``gradient_norm`` among them."""

    def start(self) -> Array:
        """The initial point of every method."""

    def estimate(self, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
        """A stochastic gradient and its length: ``by_surrogate``, or the same in a quicker way."""

    def measure(self, point: Array) -> dict[str, Array]:
        """The exact metrics."""

    def ascent(self, point: Array) -> Array:
        """The exact gradient of J."""


class Trajectory(NamedTuple):
    """A row for each step."""

    states: Array
    actions: Array
    returns: Array
    """The discounted rewards from this step on, the discount counted from time 0."""


class Controlled(Model):
    """A process without an end under a policy; samples are trajectories of ``horizon`` steps.

    The gradient is REINFORCE: the discount counts from time 0 and there is no baseline.
    """

    metrics: Mapping[str, Direction] = MappingProxyType(
        {"value": "higher", "gradient_norm": "lower"}
    )
    horizon: int

    def log_policy(self, sample: Trajectory, point: Array) -> Array:
        """The log-likelihood of each action, up to a constant."""
        raise NotImplementedError

    def start(self) -> Array:
        return jnp.zeros(self.dimension, jnp.float64)

    def surrogate(self, sample: Trajectory, worker: Array, point: Array) -> Array:
        return sample.returns @ self.log_policy(sample, point)

    def log_likelihood(self, sample: Trajectory, worker: Array, point: Array) -> Array:
        """That of the actions: the transitions depend on no point."""
        return self.log_policy(sample, point).sum()

    def length(self, sample: Trajectory) -> Array:
        return jnp.array(self.horizon, jnp.int32)


def gradient_of(model: Source, sample: Any, worker: Array, point: Array) -> Array:
    """The sample's gradient at this point."""
    gradient: Array = jax.grad(model.surrogate, argnums=2)(sample, worker, point)
    return gradient


def by_surrogate(model: Source, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
    """One sample's gradient and length, by the definition."""
    sample = model.draw(key, worker, point)
    return gradient_of(model, sample, worker, point), model.length(sample)


def oracle_of(model: Source, worker: Array) -> Oracle:
    """This worker's samples, for the work of ``algorithms/local.py``."""

    def gradient(sample: Any, point: Array) -> Array:
        return gradient_of(model, sample, worker, point)

    def weight(sample: Any, point: Array, other: Array) -> Array:
        likelihood = model.log_likelihood(sample, worker, other)
        return jnp.exp(likelihood - model.log_likelihood(sample, worker, point))

    def hessian_product(sample: Any, point: Array, vector: Array) -> Array:
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


class Estimates:
    """Values of tickets by one estimate: at one point of each run, or each at its own."""

    def __init__(self, dimension: int, estimate: Estimate, keys: Keys = ticket_keys) -> None:
        self.dimension = dimension
        self._estimate, self._keys = estimate, keys
        self.gradient = jax.jit(run_by_run(self._weighted_sum, shared=(2,)))
        self.gradients = jax.jit(run_by_run(self._one_each, shared=(2,)))

    def sample(self, root: Array, point: Array, ticket: Ticket) -> tuple[Array, int]:
        rows = jnp.array([ticket], jnp.int32)
        value, steps = self._estimate(self._keys(root, rows)[0], rows[0], point)
        return value, int(steps)

    def _weighted_sum(
        self, root: Array, point: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        keys = self._keys(root, tickets)
        each, steps = jax.vmap(self._estimate, (0, 0, None))(keys, tickets, point)
        return weights @ each, jnp.sum(jnp.where(weights != 0, steps, 0), dtype=jnp.int32)

    def _one_each(
        self, root: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        keys = self._keys(root, tickets)
        each, steps = jax.vmap(self._estimate)(keys, tickets, points)
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        real = weights != 0
        return jnp.where(real[:, None], weights[:, None] * each, 0), jnp.where(real, steps, 0)


class Sampled(Estimates):
    """The objective of a model: its metrics and its gradient are exact."""

    on_host = False
    episodes: Episodes | None = None

    def __init__(self, model: Model) -> None:
        def estimate(key: Array, ticket: Array, point: Array) -> tuple[Array, Array]:
            return model.estimate(key, ticket[0], point)

        super().__init__(model.dimension, estimate)
        self.model = model
        self.metrics: Mapping[str, Direction] = model.metrics
        measure, ascent = (jax.jit(jax.vmap(each)) for each in (model.measure, model.ascent))
        self.exact: Exact | None = Exact(measure, ascent)
        self.local: Callable[[Work], Values] | None = partial(local_values, model, model.dimension)

    def initial_point(self, root: Array) -> Array:
        return self.model.start()

    def evaluate(
        self, roots: Array, points: Array, step: int, episodes: int, going: NDArray[np.bool_]
    ) -> Mapping[str, Array]:
        assert self.exact is not None
        return self.exact.measure(points)


def local_values(source: Source, dimension: int, work: Work, keys: Keys = ticket_keys) -> Estimates:
    """The values of local work, whose points are payloads."""

    def estimate(key: Array, ticket: Array, payload: Array) -> tuple[Array, Array]:
        return work(oracle_of(source, ticket[0])._replace(number=ticket[2]), payload, key)

    return Estimates(dimension, estimate, keys)
