"""How are many samples of a model computed at once?  Map over the tickets, compile, add up.

``Sampled`` makes an objective of a model.  ``Worked`` shows it through a method's local work: a
ticket's value is then what its worker sends after several steps of its own.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.model import Model, oracle_of
from simulator.objectives.objective import Direction, Objective, ticket_keys

if TYPE_CHECKING:
    from jax import Array

Estimate: TypeAlias = Callable[["Array", "Array", "Array"], "tuple[Array, Array]"]
"""``value, environment_steps = estimate(key, worker, point)``, of one ticket."""


class Estimates:
    """One estimate for all tickets of a batch, at one point or each at its own."""

    def __init__(self, estimate: Estimate) -> None:
        import jax

        self._estimate = estimate
        self._weighted = jax.jit(self._weighted_sum)
        self._each = jax.jit(self._one_each)

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

        rows = jnp.array([ticket], jnp.int32)
        value, steps = self._estimate(ticket_keys(root, rows)[0], rows[0, 0], point)
        return value, int(steps)

    def _weighted_sum(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        import jax
        import jax.numpy as jnp

        keys, workers = ticket_keys(root, tickets), _workers(tickets)
        each, steps = jax.vmap(self._estimate, (0, 0, None))(keys, workers, point)
        return weights @ each, jnp.sum(jnp.where(weights != 0, steps, 0), dtype=jnp.int32)

    def _one_each(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        import jax
        import jax.numpy as jnp

        keys, workers = ticket_keys(root, tickets), _workers(tickets)
        each, steps = jax.vmap(self._estimate)(keys, workers, points)
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        real = weights != 0
        return jnp.where(real[:, None], weights[:, None] * each, 0), jnp.where(real, steps, 0)


def _workers(tickets: "Array") -> "Array":
    return tickets[:, 0]


class Sampled(Estimates):
    """The objective of a model: its metrics and its gradient are exact."""

    def __init__(self, model: Model, estimate: Estimate | None = None) -> None:
        import jax

        super().__init__(estimate or model.estimate)
        self.model = model
        self.dimension: int = model.dimension
        self.metrics: Mapping[str, Direction] = model.metrics
        self._measure = jax.jit(model.measure)
        self._measure_all = jax.jit(jax.vmap(model.measure))
        self._ascent = jax.jit(jax.vmap(model.ascent))

    def initial_point(self, root: "Array") -> "Array":
        return self.model.start()

    def evaluate(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "dict[str, Array]":
        return dict(self._measure(point))

    def measure(self, points: "Array") -> "dict[str, Array]":
        """The metrics at each row."""
        return dict(self._measure_all(points))

    def ascent(self, points: "Array") -> "Array":
        """The exact gradient of J at each row."""
        gradients: Array = self._ascent(points)
        return gradients

    def worked(self, work: Work) -> Objective:
        """The same, its tickets being local work."""
        return Worked(self, work)


class Worked(Sampled):
    """An objective through a method's local work: points are payloads, values contributions."""

    def __init__(self, objective: Sampled, work: Work) -> None:
        def estimate(key: "Array", worker: "Array", payload: "Array") -> "tuple[Array, Array]":
            return work(oracle_of(objective.model, worker), payload, key)

        super().__init__(objective.model, estimate)
