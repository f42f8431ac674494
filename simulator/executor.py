"""What are the gradients' values?  Exactly the tickets that were used, in few batched calls.

The schedule runs ahead of the numbers: steps whose points are all known form a *group* and are
evaluated together.  A barrier method's group is one step, all its tickets at one point; a
one-by-one method's is as many steps as there are gradients in flight.  How steps are grouped is
a function of the schedule alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.objectives.objective import Objective
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array

SIZES = (1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64)
"""Batches are padded to one of these, so that few sizes are ever compiled."""
LARGEST = SIZES[-1]


class Evaluated(NamedTuple):
    """A step's gradient, and the environment steps that it took."""

    gradient: "Array"
    environment_steps: "Array | int"


class Executor(Protocol):
    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step]
    ) -> list[Evaluated]:
        """The weighted gradient of every step in the group; ``points`` are by version."""


class Group(NamedTuple):
    """Steps to evaluate together, and the step after them, where the schedule has it already."""

    steps: list[Step]
    following: Step | None


def groups(steps: Iterable[Step]) -> Iterator[Group]:
    """Runs of steps that need only points known before the first of them.

    If the schedule ends in an error, the steps before it still come out first.
    """
    group: list[Step] = []
    size = 0
    failure: Exception | None = None
    stream = iter(steps)
    while True:
        try:
            step = next(stream, None)
        except Exception as error:  # raised again below, after the last group
            step, failure = None, error
        if step is None:
            break
        newest = max(ticket.version for ticket in step.tickets)
        if group and (newest > group[0].version or size + len(step.tickets) > LARGEST):
            yield Group(group, step)
            group, size = [], 0
        group.append(step)
        size += len(step.tickets)
    if group:
        yield Group(group, None)
    if failure is not None:
        raise failure


def one_by_one(steps: Iterable[Step]) -> Iterator[Group]:
    """Every step for itself, before the schedule goes on."""
    for step in steps:
        yield Group([step], None)


class BatchedExecutor:
    """The fast one: padded batches, one backward pass for all tickets at one point."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective

    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step]
    ) -> list[Evaluated]:
        if len(group) == 1 and len({ticket.version for ticket in group[0].tickets}) == 1:
            return [self._at_one_point(root, points, group[0])]
        return self._one_by_one(root, points, group)

    def _at_one_point(self, root: "Array", points: "Mapping[int, Array]", step: Step) -> Evaluated:
        point = points[step.tickets[0].version]
        gradient, taken = None, None
        for chunk in chunks(len(step.tickets)):
            tickets, weights = _padded(step, chunk, point.dtype)
            part, steps = self._objective.gradient(root, point, tickets, weights)
            gradient = part if gradient is None else gradient + part
            taken = steps if taken is None else taken + steps
        assert gradient is not None
        assert taken is not None
        return Evaluated(gradient, taken)

    def _one_by_one(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step]
    ) -> list[Evaluated]:
        flat = _flatten(group)
        gradients, taken = [], []
        for chunk in chunks(len(flat.tickets)):
            versions = [ticket.version for ticket in flat.tickets[chunk]]
            # In NumPy: a JAX operation for every row would cost more than its gradient.
            rows = [np.asarray(points[version]) for version in versions]
            tickets, weights = _padded(flat, chunk, rows[0].dtype)
            rows += [rows[0]] * (len(weights) - len(rows))
            stacked = cast("Array", np.stack(rows))
            part, steps = self._objective.gradients(root, stacked, tickets, weights)
            gradients.append(np.asarray(part)[: len(versions)])
            taken.append(np.asarray(steps)[: len(versions)])
        return _per_step(group, np.concatenate(gradients), np.concatenate(taken))


class DebugExecutor:
    """The plain one: tickets one by one, in order, without batching or compilation."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective

    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step]
    ) -> list[Evaluated]:
        return [self._step(root, points, step) for step in group]

    def _step(self, root: "Array", points: "Mapping[int, Array]", step: Step) -> Evaluated:
        import jax.numpy as jnp

        total, taken = jnp.zeros_like(points[step.tickets[0].version]), 0
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            gradient, steps = self._objective.sample(root, points[ticket.version], ticket)
            total, taken = total + weight * gradient, taken + steps
        return Evaluated(total, taken)


def padded_size(many: int) -> int:
    """The smallest size that is compiled and holds this many."""
    return next(size for size in SIZES if size >= many)


def chunks(tickets: int) -> list[slice]:
    return [slice(start, min(start + LARGEST, tickets)) for start in range(0, tickets, LARGEST)]


def _padded(step: Step, chunk: slice, dtype: np.dtype) -> "tuple[Array, Array]":
    """Ticket rows and weights, filled up with weightless rows to one of the sizes.

    NumPy arrays: JAX takes them as its own when a compiled function is called.
    """
    tickets, weights = padded_tickets(step.tickets[chunk], dtype)
    weights[: chunk.stop - chunk.start] = step.weights[chunk]
    return cast("Array", tickets), cast("Array", weights)


def padded_tickets(
    tickets: Sequence[Ticket], dtype: Any = np.float32
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """The rows of tickets, and a weight of 1 for each, filled up to one of the sizes."""
    many = len(tickets)
    rows = np.zeros((padded_size(many), 3), np.int32)
    rows[:many] = np.array(tickets)
    return rows, (np.arange(len(rows)) < many).astype(dtype)


def _flatten(group: Sequence[Step]) -> Step:
    tickets = [ticket for step in group for ticket in step.tickets]
    weights = [weight for step in group for weight in step.weights]
    return group[0]._replace(tickets=tickets, weights=weights)


def _per_step(group: Sequence[Step], gradients: Any, taken: Any) -> list[Evaluated]:
    results, start = [], 0
    for step in group:
        end = start + len(step.tickets)
        results.append(Evaluated(gradients[start:end].sum(0), int(taken[start:end].sum())))
        start = end
    return results
