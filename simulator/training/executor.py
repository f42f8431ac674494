"""How are gradients computed?  Exactly the used tickets, in few batched calls.

Several runs may share a schedule: then the same tickets are evaluated for all of them, each at its
own points and with its own random numbers.

The schedule runs ahead of the numbers: steps whose points are all known form a *group* and are
evaluated together.  A barrier method's group is one step, all its tickets at one point; a
one-by-one method's is as many steps as there are gradients in flight.  The groups depend on the
schedule alone.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.objectives.objective import Values
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array

SIZES = (1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64)
"""Batches are padded to one of these, so that few sizes are compiled."""
LARGEST = SIZES[-1]


class Evaluated(NamedTuple):
    """A step's gradient in each of several runs (R, d), and the environment steps it took (R,)."""

    gradient: "Array | NDArray[Any]"
    environment_steps: "Array | NDArray[Any]"


Stored: TypeAlias = "dict[Ticket, Array]"
"""Gradients that a later step may use again, a row for each run."""


class RunContext(NamedTuple):
    """Runs that take the same steps at the same time, as an executor needs them."""

    roots: "Array"
    """A random key for each run."""
    points: "Mapping[int, Array]"
    """By version, (R, d)."""
    going: NDArray[np.bool_]
    """Runs that go on; the values of others mean nothing."""
    stored: Stored


class Executor(Protocol):
    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        """The weighted gradient of every step in the group, in every run.

        ``stored`` receives the gradients that a step keeps, and has those that it uses again.
        """

    def each(self, runs: RunContext, tickets: list[Ticket]) -> NDArray[Any]:
        """The gradient of every ticket by itself, in every run (R, K, d)."""


class BatchedExecutor:
    """The fast one: padded batches, one backward pass for all tickets at one point."""

    def __init__(self, objective: Values) -> None:
        self._values = objective
        self._dimension = objective.dimension

    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        if any(step.keep or step.again for step in group):
            return self._from_memory(runs, group)
        group = [_weighing(step) for step in group]
        if len(group) == 1 and len({ticket.version for ticket in group[0].tickets}) == 1:
            return [self._at_one_point(runs, group[0])]
        flat = _flatten(group)
        return _per_step(group, *self._each(runs, flat.tickets, flat.weights))

    def each(self, runs: RunContext, tickets: list[Ticket]) -> NDArray[Any]:
        gradients, _ = self._each(runs, tickets, [1.0] * len(tickets))
        return gradients

    def _at_one_point(self, runs: RunContext, step: Step) -> Evaluated:
        points = runs.points[step.tickets[0].version]
        parts = [
            self._values.gradient(
                runs.roots, points, *_padded(runs, step.tickets[chunk], step.weights[chunk])
            )
            for chunk in chunks(len(step.tickets))
        ]
        gradients, steps = zip(*parts, strict=True)
        return Evaluated(reduce(add, gradients), reduce(add, steps))

    def _each(
        self, runs: RunContext, tickets: list[Ticket], weights: list[float]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """For each run and ticket: the gradient times its weight, and its environment steps."""
        count = len(runs.going)
        gradients = [np.zeros((count, 0, self._dimension), _dtype(runs.points))]
        taken = [np.zeros((count, 0), np.int32)]
        for chunk in chunks(len(tickets)):
            versions = [ticket.version for ticket in tickets[chunk]]
            # In NumPy: a JAX operation for every row would cost more than its gradient.
            rows = [np.asarray(runs.points[version]) for version in versions]
            padded, padded_weights = _padded(runs, tickets[chunk], weights[chunk])
            rows += [rows[0]] * (len(padded) - len(rows))
            stacked = cast("Array", np.stack(rows, axis=1))
            part, steps = self._values.gradients(runs.roots, stacked, padded, padded_weights)
            gradients.append(np.asarray(part)[:, : len(versions)])
            taken.append(np.asarray(steps)[:, : len(versions)])
        return np.concatenate(gradients, axis=1), np.concatenate(taken, axis=1)

    def _from_memory(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        """Compute every gradient once, without its weight, for all steps that use it."""
        fresh = [ticket for step in group for ticket in step.fresh]
        rows, taken = self._each(runs, fresh, [1.0] * len(fresh))
        stored, places = runs.stored, {ticket: at for at, ticket in enumerate(fresh)}
        stored.update((ticket, cast("Array", rows[:, at])) for ticket, at in places.items())
        results = []
        for step in group:
            used = np.stack([np.asarray(stored[ticket]) for ticket in step.tickets], axis=1)
            total = np.asarray(step.weights, used.dtype) @ used
            own = [places[ticket] for ticket in step.fresh]
            results.append(Evaluated(total, taken[:, own].sum(1)))
        for ticket in stored.keys() - group[-1].keep:
            del stored[ticket]
        return results


class DebugExecutor:
    """The plain one: runs and tickets one by one, without batching or compilation."""

    def __init__(self, objective: Values) -> None:
        self._objective = objective

    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        return [self._step(runs, step) for step in group]

    def each(self, runs: RunContext, tickets: list[Ticket]) -> NDArray[Any]:
        return np.stack([np.asarray(self._sample(runs, ticket)[0]) for ticket in tickets], axis=1)

    def _step(self, runs: RunContext, step: Step) -> Evaluated:
        import jax.numpy as jnp

        taken = np.zeros(len(runs.going), np.int32)
        for ticket in step.fresh:
            runs.stored[ticket], steps = self._sample(runs, ticket)
            taken += steps
        total = jnp.zeros((len(runs.going), self._objective.dimension), _dtype(runs.points))
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            total = total + weight * runs.stored[ticket]
        for ticket in runs.stored.keys() - step.keep:
            del runs.stored[ticket]
        return Evaluated(total, taken)

    def _sample(self, runs: RunContext, ticket: Ticket) -> "tuple[Array, list[int]]":
        import jax.numpy as jnp

        points = jnp.asarray(runs.points[ticket.version])
        each = [
            self._objective.sample(root, point, ticket) if going else (jnp.zeros_like(point), 0)
            for root, point, going in zip(runs.roots, points, runs.going, strict=True)
        ]
        gradients = jnp.stack([gradient for gradient, _ in each]).astype(points.dtype)
        return gradients, [steps for _, steps in each]


def _dtype(points: "Mapping[int, Array]") -> np.dtype:
    return next(iter(points.values())).dtype


def padded_size(count: int) -> int:
    return next(size for size in SIZES if size >= count)


def chunks(tickets: int) -> list[slice]:
    return [slice(start, min(start + LARGEST, tickets)) for start in range(0, tickets, LARGEST)]


def _padded(
    runs: RunContext, tickets: Sequence[Ticket], weights: Sequence[float]
) -> "tuple[Array, Array]":
    """Ticket rows, and each run's weights, filled up with weightless rows to one of the sizes.

    NumPy arrays: JAX takes them as its own when a compiled function is called.
    """
    rows, padded = padded_tickets(tickets, _dtype(runs.points))
    padded[: len(weights)] = weights
    return cast("Array", rows), cast("Array", np.where(runs.going[:, None], padded, 0))


def padded_tickets(
    tickets: Sequence[Ticket], dtype: Any = np.float32
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """The rows of tickets, and a weight of 1 for each, filled up to one of the sizes."""
    count = len(tickets)
    rows = np.zeros((padded_size(count), 3), np.int32)
    rows[:count] = np.array(tickets)
    return rows, (np.arange(len(rows)) < count).astype(dtype)


def _weighing(step: Step) -> Step:
    """The step without the gradients of weight 0, which are not computed."""
    if all(step.weights):
        return step
    there = [pair for pair in zip(step.tickets, step.weights, strict=True) if pair[1]]
    tickets, weights = zip(*there, strict=True)
    return step._replace(tickets=[*tickets], weights=[*weights])


def _flatten(group: Sequence[Step]) -> Step:
    tickets = [ticket for step in group for ticket in step.tickets]
    weights = [weight for step in group for weight in step.weights]
    return group[0]._replace(tickets=tickets, weights=weights)


def _per_step(group: Sequence[Step], gradients: Any, taken: Any) -> list[Evaluated]:
    results, start = [], 0
    for step in group:
        end = start + len(step.tickets)
        results.append(Evaluated(gradients[:, start:end].sum(1), taken[:, start:end].sum(1)))
        start = end
    return results
