"""What are the gradients' values?  Exactly the tickets that were used, in few batched calls.

The schedule runs ahead of the numbers: steps whose points are all known form a *group* and are
evaluated together.  A barrier method's group is one step, all its tickets at one point; a
one-by-one method's is as many steps as there are gradients in flight.  How steps are grouped is
a function of the schedule alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.objectives.objective import Values
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array

SIZES = (1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64)
"""Batches are padded to one of these, so that few sizes are ever compiled."""
LARGEST = SIZES[-1]


class Evaluated(NamedTuple):
    """A step's gradient, and the environment steps that it took."""

    gradient: "Array | NDArray[Any]"
    environment_steps: "Array | int"


Kept: TypeAlias = "dict[Ticket, Array]"
"""Gradients of a run that a later step may name again."""


class Executor(Protocol):
    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step], kept: Kept
    ) -> list[Evaluated]:
        """The weighted gradient of every step in the group; ``points`` are by version.

        What a step says to keep is put in ``kept``, and what it names again is taken from there.
        """


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
        fresh = step.fresh
        newest = max((ticket.version for ticket in fresh), default=0)
        # A step without a gradient takes up room as well.
        more = max(1, len(fresh))
        if group and (newest > group[0].version or size + more > LARGEST):
            yield Group(group, step)
            group, size = [], 0
        group.append(step)
        size += more
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

    def __init__(self, objective: Values) -> None:
        self._objective = objective

    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step], kept: Kept
    ) -> list[Evaluated]:
        if any(step.keep or step.again for step in group):
            return self._from_memory(root, points, group, kept)
        if len(group) == 1 and len({ticket.version for ticket in group[0].tickets}) == 1:
            return [self._at_one_point(root, points, group[0])]
        flat = _flatten(group)
        return _per_step(group, *self._each(root, points, flat.tickets, flat.weights))

    def _at_one_point(self, root: "Array", points: "Mapping[int, Array]", step: Step) -> Evaluated:
        point = points[step.tickets[0].version]
        gradient, taken = None, None
        for chunk in chunks(len(step.tickets)):
            tickets, weights = _padded(step.tickets[chunk], step.weights[chunk], point.dtype)
            part, steps = self._objective.gradient(root, point, tickets, weights)
            gradient = part if gradient is None else gradient + part
            taken = steps if taken is None else taken + steps
        assert gradient is not None
        assert taken is not None
        return Evaluated(gradient, taken)

    def _each(
        self,
        root: "Array",
        points: "Mapping[int, Array]",
        tickets: list[Ticket],
        weights: list[float],
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """A row for each ticket: its gradient times its weight, and its environment steps."""
        gradients, taken = [np.zeros((0, self._objective.dimension), _dtype(points))], []
        for chunk in chunks(len(tickets)):
            versions = [ticket.version for ticket in tickets[chunk]]
            # In NumPy: a JAX operation for every row would cost more than its gradient.
            rows = [np.asarray(points[version]) for version in versions]
            padded, weighing = _padded(tickets[chunk], weights[chunk], rows[0].dtype)
            rows += [rows[0]] * (len(weighing) - len(rows))
            stacked = cast("Array", np.stack(rows))
            part, steps = self._objective.gradients(root, stacked, padded, weighing)
            gradients.append(np.asarray(part)[: len(versions)])
            taken.append(np.asarray(steps)[: len(versions)])
        return np.concatenate(gradients), np.concatenate([np.zeros(0, np.int32), *taken])

    def _from_memory(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step], kept: Kept
    ) -> list[Evaluated]:
        """Every gradient is computed once, without its weight, and then used where it is named."""
        fresh = [ticket for step in group for ticket in step.fresh]
        rows, taken = self._each(root, points, fresh, [1.0] * len(fresh))
        kept.update(zip(fresh, cast("Array", rows), strict=True))
        lengths = dict(zip(fresh, taken.tolist(), strict=True))
        results = []
        for step in group:
            named = np.stack([np.asarray(kept[ticket]) for ticket in step.tickets])
            total = np.asarray(step.weights, named.dtype) @ named
            results.append(Evaluated(total, sum(lengths[ticket] for ticket in step.fresh)))
        for ticket in kept.keys() - group[-1].keep:
            del kept[ticket]
        return results


class DebugExecutor:
    """The plain one: tickets one by one, in order, without batching or compilation."""

    def __init__(self, objective: Values) -> None:
        self._objective = objective

    def evaluate(
        self, root: "Array", points: "Mapping[int, Array]", group: Sequence[Step], kept: Kept
    ) -> list[Evaluated]:
        return [self._step(root, points, step, kept) for step in group]

    def _step(
        self, root: "Array", points: "Mapping[int, Array]", step: Step, kept: Kept
    ) -> Evaluated:
        import jax.numpy as jnp

        taken = 0
        for ticket in step.fresh:
            kept[ticket], steps = self._objective.sample(root, points[ticket.version], ticket)
            taken += steps
        total = jnp.zeros(self._objective.dimension, _dtype(points))
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            total = total + weight * kept[ticket]
        for ticket in kept.keys() - step.keep:
            del kept[ticket]
        return Evaluated(total, taken)


def _dtype(points: "Mapping[int, Array]") -> np.dtype:
    """Of all points of a run, and so of its gradients."""
    return next(iter(points.values())).dtype


def padded_size(many: int) -> int:
    """The smallest size that is compiled and holds this many."""
    return next(size for size in SIZES if size >= many)


def chunks(tickets: int) -> list[slice]:
    return [slice(start, min(start + LARGEST, tickets)) for start in range(0, tickets, LARGEST)]


def _padded(
    tickets: Sequence[Ticket], weights: Sequence[float], dtype: np.dtype
) -> "tuple[Array, Array]":
    """Ticket rows and weights, filled up with weightless rows to one of the sizes.

    NumPy arrays: JAX takes them as its own when a compiled function is called.
    """
    rows, weighing = padded_tickets(tickets, dtype)
    weighing[: len(weights)] = weights
    return cast("Array", rows), cast("Array", weighing)


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
