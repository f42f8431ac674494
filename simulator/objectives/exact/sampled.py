"""How are many samples of a model computed at once?  Map over the tickets, compile, add up.

``Sampled`` makes an objective of a model.  ``worked`` are the values of tickets that are a method's
local work: what a worker sends after several steps of its own.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.exact.model import Model, Source, oracle_of
from simulator.objectives.objective import Direction, Episodes, Exact, Values, ticket_keys

if TYPE_CHECKING:
    from jax import Array

Estimate: TypeAlias = Callable[["Array", "Array", "Array"], "tuple[Array, Array]"]
"""``value, environment_steps = estimate(key, worker, point)``, of one ticket."""


Keys: TypeAlias = Callable[["Array", "Array"], "Array"]
"""One random key for each ticket, from the root and the tickets' rows."""


class Estimates:
    """One estimate for all tickets of a batch, at one point of each run or each at its own."""

    def __init__(self, dimension: int, estimate: Estimate, keys: Keys = ticket_keys) -> None:
        import jax

        self.dimension = dimension
        self._estimate, self._keys = estimate, keys
        of_runs = (0, 0, None, 0)
        self.gradient = jax.jit(jax.vmap(self._weighted_sum, of_runs))
        self.gradients = jax.jit(jax.vmap(self._one_each, of_runs))

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        import jax.numpy as jnp

        rows = jnp.array([ticket], jnp.int32)
        value, steps = self._estimate(self._keys(root, rows)[0], rows[0, 0], point)
        return value, int(steps)

    def _weighted_sum(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        import jax
        import jax.numpy as jnp

        keys, workers = self._keys(root, tickets), _workers(tickets)
        each, steps = jax.vmap(self._estimate, (0, 0, None))(keys, workers, point)
        return weights @ each, jnp.sum(jnp.where(weights != 0, steps, 0), dtype=jnp.int32)

    def _one_each(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        import jax
        import jax.numpy as jnp

        keys, workers = self._keys(root, tickets), _workers(tickets)
        each, steps = jax.vmap(self._estimate)(keys, workers, points)
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        real = weights != 0
        return jnp.where(real[:, None], weights[:, None] * each, 0), jnp.where(real, steps, 0)


def _workers(tickets: "Array") -> "Array":
    return tickets[:, 0]


class Sampled(Estimates):
    """The objective of a model: its metrics and its gradient are exact."""

    on_host = False
    episodes: Episodes | None = None

    def __init__(self, model: Model) -> None:
        import jax

        super().__init__(model.dimension, model.estimate)
        self.model = model
        self.metrics: Mapping[str, Direction] = model.metrics
        measure, ascent = (jax.jit(jax.vmap(each)) for each in (model.measure, model.ascent))
        self.exact: Exact | None = Exact(measure, ascent)
        self.local: Callable[[Work], Values] | None = partial(worked, model, model.dimension)

    def initial_point(self, root: "Array") -> "Array":
        return self.model.start()

    def evaluate(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "Mapping[str, Array]":
        assert self.exact is not None
        return self.exact.measure(points)


def worked(source: Source, dimension: int, work: Work, keys: Keys = ticket_keys) -> Estimates:
    """The values of local work: points are payloads."""

    def estimate(key: "Array", worker: "Array", payload: "Array") -> "tuple[Array, Array]":
        return work(oracle_of(source, worker), payload, key)

    return Estimates(dimension, estimate, keys)
