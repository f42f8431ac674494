"""How is a gradient computed in real time?  Alone, by the worker of its ticket.

The replay of a real run computes the same gradients in the same calls, and adds them in the same
order.  So on machines of one kind its points are those of the run, to the bit.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.objectives.objective import Values
from simulator.schedule import Step
from simulator.training.executor import Evaluated, RunContext, padded_tickets
from simulator.training.payloads import ByKind, kind_of, payload

if TYPE_CHECKING:
    from jax import Array

Vector: TypeAlias = NDArray[Any]


class Gradient(NamedTuple):
    """A gradient, or a weighted sum of some, and the environment steps that it took."""

    vector: Vector
    environment_steps: int


def gradient(values: Values, root: "Array", point: Vector, ticket: Ticket) -> Gradient:
    """The gradient of one ticket at this point."""
    rows, weights = padded_tickets([ticket], point.dtype)
    given = cast("tuple[Array, ...]", (point[None, None], rows, weights[None]))
    vectors, steps = values.gradients(root[None], *given)
    return Gradient(np.array(np.asarray(vectors)[0, 0]), int(np.asarray(steps)[0, 0]))


def gradient_in(
    by_kind: ByKind, root: "Array", points: Mapping[int, Any], step: Step, ticket: Ticket
) -> Gradient:
    """The gradient of one ticket in this step; ``points`` have a single row."""
    place = np.asarray(payload(points, step, ticket))[0]
    return gradient(by_kind[kind_of(step, ticket)], root, place, ticket)


def weighted(vectors: Sequence[Vector], weights: Sequence[float]) -> Vector:
    """The weighted sum of some vectors; one of weight 0 may be NaN, and does not count."""
    total = np.zeros_like(vectors[0])
    for vector, weight in zip(vectors, weights, strict=True):
        if weight:
            total += vector.dtype.type(weight) * vector
    return total


def by_worker(
    tickets: Sequence[Ticket], weights: Sequence[float]
) -> dict[int, tuple[list[Ticket], list[float]]]:
    """The tickets and weights of each worker, in the order of its first ticket."""
    parts: dict[int, tuple[list[Ticket], list[float]]] = {}
    for ticket, weight in zip(tickets, weights, strict=True):
        own = parts.setdefault(ticket.worker, ([], []))
        own[0].append(ticket)
        own[1].append(weight)
    return parts


class TicketByTicket:
    """An executor that computes and adds gradients as workers and server do in real time."""

    def __init__(self, objective: Values) -> None:
        self._by_kind = ByKind(objective)

    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        return [self._step(runs, step) for step in group]

    def each(self, runs: RunContext, step: Step) -> NDArray[Any]:
        return np.stack([self._one(runs, step, ticket).vector for ticket in step.fresh])[None]

    def _step(self, runs: RunContext, step: Step) -> Evaluated:
        taken = 0
        for ticket in step.fresh:
            found = self._one(runs, step, ticket)
            runs.stored[ticket] = cast("Array", found.vector[None])
            taken += found.environment_steps
        total = summed(
            step, {ticket: np.asarray(runs.stored[ticket])[0] for ticket in step.tickets}
        )
        if total is None:
            total = np.zeros_like(np.asarray(next(iter(runs.points.values())))[0])
        for ticket in runs.stored.keys() - step.keep:
            del runs.stored[ticket]
        return Evaluated(total[None], np.array([taken]))

    def _one(self, runs: RunContext, step: Step, ticket: Ticket) -> Gradient:
        return gradient_in(self._by_kind, runs.roots[0], runs.points, step, ticket)


def summed(step: Step, vectors: Mapping[Ticket, Vector]) -> Vector | None:
    """The weighted sum of a step: first each worker's, then all of them; None without any."""
    parts = [
        weighted([vectors[ticket] for ticket in tickets], weights)
        for tickets, weights in by_worker(step.tickets, step.weights).values()
    ]
    return weighted(parts, [1.0] * len(parts)) if parts else None
