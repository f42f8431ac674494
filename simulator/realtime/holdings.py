"""Which gradients may a step use, and where are they?  Here, or still with their workers.

If a worker dies in an all-reduce, the server computes its gradients once more: they depend on point
and ticket only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np

from algorithms.tickets import Ticket
from simulator.realtime.fleet import Fleet
from simulator.realtime.gradients import Gradient, Vector, by_worker, summed, weighted
from simulator.realtime.recording import Recording
from simulator.schedule import Step

Compute = Callable[[Mapping[int, Vector], Step, Ticket], Gradient]
"""A gradient of a step, computed by the server itself from points by version."""


class Holdings:
    """The gradients that have arrived, and the points of all gradients that may be used."""

    def __init__(self, fleet: Fleet, compute: Compute, recording: Recording, point: Vector) -> None:
        self._fleet, self._compute, self._recording = fleet, compute, recording
        self.arrived: dict[Ticket, Gradient | None] = {}
        """Not used yet; None is with its worker."""
        self.kept: dict[Ticket, Gradient | None] = {}
        """Used, and to be used again."""
        self.points = {0: point}
        self._versions: dict[Ticket, int] = {}  # at the arrival of each gradient

    def arrive(self, ticket: Ticket, gradient: Gradient | None, version: int) -> None:
        self.arrived[ticket], self._versions[ticket] = gradient, version

    def arrivals(self, step: Step) -> list[int]:
        """The versions at which the fresh gradients of a step arrived."""
        return [self._versions.pop(ticket) for ticket in step.fresh]

    @property
    def needed(self) -> list[Ticket]:
        return [*self.arrived, *self.kept]

    def held_by(self, worker: int) -> list[Ticket]:
        """The arrived gradients that only this worker has."""
        return [t for t, held in self.arrived.items() if t.worker == worker and held is None]

    def lose(self, tickets: Collection[Ticket]) -> None:
        self.arrived = {t: held for t, held in self.arrived.items() if t not in tickets}

    def sum(self, step: Step) -> Vector:
        """The weighted sum of the step's gradients; each worker adds those that it holds.

        With importance the server computes them: the workers' were taken at their own points.
        """
        if step.importance is not None:
            vectors = {t: self._compute(self.points, step, t).vector for t in step.tickets}
            total = summed(step, vectors)
            return np.zeros_like(self.points[step.version]) if total is None else total
        known = self.kept | self.arrived
        parts = by_worker(step.tickets, step.weights)
        held = {worker: part for worker, part in parts.items() if known[part[0][0]] is None}
        keep = [ticket for ticket in step.keep if known.get(ticket, 0) is None]
        found = self._fleet.sums(held, keep) if held else {}
        sums = []
        for worker, (tickets, weights) in parts.items():
            if worker not in found:
                own = [(known[ticket] or self._again(step, ticket)).vector for ticket in tickets]
                found[worker] = weighted(own, weights)
            sums.append(found[worker])
        if not sums:
            return np.zeros_like(self.points[step.version])
        return weighted(sums, [1.0] * len(sums))

    def _again(self, step: Step, ticket: Ticket) -> Gradient:
        self._recording.recomputed += 1
        return self._compute(self.points, step, ticket)

    def close(self, step: Step, point: Vector, wanted: Iterable[int]) -> None:
        """Keep what a later step may use; its own points, and those of the ``wanted`` versions."""
        known = self.kept | self.arrived
        self.kept = {ticket: known[ticket] for ticket in step.keep}
        for ticket in step.fresh:
            del self.arrived[ticket]
        self.points[step.number] = point
        versions = {step.number, *wanted, *(ticket.version for ticket in self.needed)}
        self.points = {v: each for v, each in self.points.items() if v in versions}
