"""How does a function that is known exactly become an objective?

A model is a source of samples (``sources.py``) of a function whose value and gradient are known.
Worker i draws from its own function J_i; the objective is J, the mean over the workers.

``Sampled`` makes an objective of a model: it maps over the tickets, compiles and adds up.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.objective import (
    Direction,
    Episodes,
    Exact,
    Values,
    run_by_run,
    ticket_keys,
)
from simulator.objectives.sources import Decisions, Source, gradient_of, oracle_of

Estimate: TypeAlias = Callable[[Array, Array, Array], tuple[Array, Array]]
"""``value, environment_steps = estimate(key, ticket, point)``, for one row (3,) of tickets."""
Keys: TypeAlias = Callable[[Array, Array], Array]
"""One random key for each ticket, from the root and the tickets' rows."""


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


class Controlled(Decisions, Model):
    """A process without an end under a policy; samples are trajectories of ``horizon`` steps.

    The gradient is REINFORCE: the discount counts from time 0 and there is no baseline.
    """

    metrics: Mapping[str, Direction] = MappingProxyType(
        {"value": "higher", "gradient_norm": "lower"}
    )

    def start(self) -> Array:
        return jnp.zeros(self.dimension, jnp.float64)

    def scales(self, sample: Trajectory) -> Array:
        return sample.returns

    def length(self, sample: Trajectory) -> Array:
        return jnp.array(self.horizon, jnp.int32)


def by_surrogate(model: Source, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
    """One sample's gradient and length, by the definition."""
    sample = model.draw(key, worker, point)
    return gradient_of(model, sample, worker, point), model.length(sample)


class Estimates:
    """Values of tickets by one estimate: at one point of each run, or each at its own."""

    local: Callable[[Work], Values] | None = None

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
        self.local = partial(local_values, model, model.dimension)

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
