"""How are gradients computed?  Exactly the used tickets, in few batched calls.

Several runs may share a schedule: then the same tickets are evaluated for all of them, each at its
own points and with its own random numbers.

The schedule runs ahead of the numbers: steps whose points are all known form a *group* and are
evaluated together.  A barrier method's group is one step, all its tickets at one point; a
one-by-one method's is as many steps as there are gradients in flight.  The groups depend on the
schedule alone.
"""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.objectives.objective import Values
from simulator.schedule import Step
from simulator.training.payloads import ByKind, kind_of, payload, places_by_kind

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

    def each(self, runs: RunContext, step: Step) -> NDArray[Any]:
        """Every new gradient of the step by itself, in every run (R, K, d)."""


class BatchedExecutor:
    """The fast one: padded batches, one backward pass for all tickets at one point."""

    def __init__(self, objective: Values) -> None:
        self._values, self._by_kind = objective, ByKind(objective)

    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        if any(step.keep or step.again for step in group):
            return self._from_memory(runs, group)
        group = [_weighing(step) for step in group]
        if len(group) == 1 and len(group[0].versions) == 1 and group[0].importance is None:
            return [self._at_one_point(runs, group[0])]
        if any(step.importance is not None for step in group):
            return [_per_step([step], *self._each(runs, step))[0] for step in group]
        return _per_step(group, *self._each(runs, _flatten(group)))

    def each(self, runs: RunContext, step: Step) -> NDArray[Any]:
        gradients, _ = self._each(runs, _unweighted(step))
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

    def _each(self, runs: RunContext, step: Step) -> tuple[NDArray[Any], NDArray[Any]]:
        """For each run and ticket: the gradient times its weight, and its environment steps."""
        shape = len(runs.going), len(step.tickets)
        gradients = np.zeros((*shape, self._values.dimension), _dtype(runs.points))
        taken = np.zeros(shape, np.int32)
        for kind, places in places_by_kind(step).items():
            for chunk in chunks(len(places)):
                own = places[chunk]
                part = self._of_kind(runs, self._by_kind[kind], step, own)
                gradients[:, own], taken[:, own] = (each[:, : len(own)] for each in part)
        return gradients, taken

    def _of_kind(
        self, runs: RunContext, values: Values, step: Step, places: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        tickets, own = [step.tickets[at] for at in places], [step.weights[at] for at in places]
        # In NumPy: a JAX operation for every row would cost more than its gradient.
        rows = [np.asarray(payload(runs.points, step, ticket)) for ticket in tickets]
        padded, weights = _padded(runs, tickets, own)
        rows += [rows[0]] * (len(padded) - len(rows))
        stacked = cast("Array", np.stack(rows, axis=1))
        gradients, taken = values.gradients(runs.roots, stacked, padded, weights)
        return np.asarray(gradients), np.asarray(taken)

    def _from_memory(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        """Compute every gradient once, without its weight, for all steps that use it."""
        fresh = _flatten([_unweighted(step) for step in group])
        rows, taken = self._each(runs, fresh)
        stored, places = runs.stored, {ticket: at for at, ticket in enumerate(fresh.tickets)}
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
        self._dimension, self._by_kind = objective.dimension, ByKind(objective)

    def evaluate(self, runs: RunContext, group: Sequence[Step]) -> list[Evaluated]:
        return [self._step(runs, step) for step in group]

    def each(self, runs: RunContext, step: Step) -> NDArray[Any]:
        return np.stack([np.asarray(self._sample(runs, step, t)[0]) for t in step.fresh], axis=1)

    def _step(self, runs: RunContext, step: Step) -> Evaluated:
        import jax.numpy as jnp

        taken = np.zeros(len(runs.going), np.int32)
        for ticket in step.fresh:
            runs.stored[ticket], steps = self._sample(runs, step, ticket)
            taken += steps
        total = jnp.zeros((len(runs.going), self._dimension), _dtype(runs.points))
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            total = total + weight * runs.stored[ticket]
        for ticket in runs.stored.keys() - step.keep:
            del runs.stored[ticket]
        return Evaluated(total, taken)

    def _sample(self, runs: RunContext, step: Step, ticket: Ticket) -> "tuple[Array, list[int]]":
        import jax.numpy as jnp

        points = jnp.asarray(payload(runs.points, step, ticket))
        values, none = self._by_kind[kind_of(step, ticket)], jnp.zeros(self._dimension)
        each = [
            values.sample(root, point, ticket) if going else (none, 0)
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


def _unweighted(step: Step) -> Step:
    """Its new gradients, each with a weight of 1."""
    return step._replace(tickets=step.fresh, weights=[1.0] * len(step.fresh))


def _flatten(group: Sequence[Step]) -> Step:
    """All gradients of steps without importance as one step."""
    tickets = [ticket for step in group for ticket in step.tickets]
    weights = [weight for step in group for weight in step.weights]
    mixtures = dict(ChainMap(*(dict(step.mixtures) for step in group if step.mixtures)))
    return group[0]._replace(tickets=tickets, weights=weights, mixtures=mixtures)


def _per_step(group: Sequence[Step], gradients: Any, taken: Any) -> list[Evaluated]:
    results, start = [], 0
    for step in group:
        end = start + len(step.tickets)
        results.append(Evaluated(gradients[:, start:end].sum(1), taken[:, start:end].sum(1)))
        start = end
    return results
