"""How much of a step's gradient is signal?  Estimated now and then, from further gradients.

The ratio is |E g| / sqrt(E|g - E g|^2) of the aggregated gradient g = sum_j w_j g_j, at the newest
point of the step's gradients.  With v the variance of one gradient and m the signal, both estimated
from further gradients of the same workers (or m exactly, where the objective knows it)::

    |sum_j w_j| |m| / sqrt(v sum_j w_j^2)

Workers with objectives of their own differ in their expectations, which counts as noise here.  The
random numbers belong to no ticket, so an estimate changes no run.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np

from algorithms.tickets import Ticket
from simulator.objectives.objective import Exact, Values
from simulator.schedule import Step
from simulator.training.executor import chunks, padded_tickets

if TYPE_CHECKING:
    from jax import Array

BRANCH = 0x51617A10
"""Folded into the root, it makes keys that belong to no ticket."""


class SignalToNoise:
    """The ratio of steps of one method, estimated from ``count`` gradients.

    ``exact`` is for values that are gradients of an exact objective.
    """

    def __init__(self, values: Values, count: int, exact: Exact | None = None) -> None:
        self._values, self._count, self._exact = values, max(2, count), exact

    def of(self, root: "Array", points: "Mapping[int, Array]", step: Step) -> float:
        """NaN of a step without gradients, infinite of one without noise."""
        if not step.fresh:
            return math.nan
        version = max(step.versions)
        workers = [ticket.worker for ticket in step.tickets]
        each = drawn(self._values, root, points[version], workers, self._count, version)
        mean, variance = mean_and_variance(each)
        signal = self._signal(points[version], mean, variance / len(each))
        weights = np.asarray(step.weights)
        noise = math.sqrt(variance * float((weights**2).sum()))
        return abs(float(weights.sum())) * signal / noise if noise else math.inf

    def _signal(self, point: "Array", mean: np.ndarray, error: float) -> float:
        """The length of the expectation: that of the sample's mean, corrected for its error."""
        if self._exact is not None:
            exact = self._exact.ascent(np.asarray(point)[None])  # type: ignore[arg-type]
            return float(np.linalg.norm(np.asarray(exact)))
        return math.sqrt(max(0.0, float(mean @ mean) - error))


def drawn(
    values: Values,
    root: "Array",
    point: "Array",
    workers: Sequence[int],
    count: int,
    version: int = 0,
) -> np.ndarray:
    """A further gradient at this point in each of ``count`` rows, of these workers in turn."""
    import jax

    owners = islice(cycle(workers), count)
    tickets = [Ticket(worker, version, index) for index, worker in enumerate(owners)]
    found = []
    for chunk in chunks(len(tickets)):
        rows, ones = padded_tickets(tickets[chunk], point.dtype)
        points = np.broadcast_to(np.asarray(point), (1, len(rows), len(point)))
        each, _ = values.gradients(
            jax.random.fold_in(root, BRANCH)[None],
            points,  # type: ignore[arg-type]  # JAX takes NumPy's arrays as its own
            rows,  # type: ignore[arg-type]
            ones[None],  # type: ignore[arg-type]
        )
        found.append(np.asarray(each, np.float64)[0, : chunk.stop - chunk.start])
    return np.concatenate(found)


def mean_and_variance(each: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of the rows, and the variance of one row, summed over the coordinates."""
    mean = each.mean(axis=0)
    return mean, float(((each - mean) ** 2).sum()) / (len(each) - 1)
