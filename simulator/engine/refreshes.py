"""Newer points for workers in the midst of a computation."""

from collections.abc import Container, Sequence

from algorithms.tickets import Ticket
from simulator.engine.clock import Clock, Happening, transfer_rank
from simulator.engine.workers import Workers
from simulator.schedule import Mixture


class Refreshes:
    """The points that each mixture of points has so far."""

    def __init__(self, clock: Clock, workers: Workers) -> None:
        self._clock, self._workers = clock, workers
        self._mixtures: dict[Ticket, Mixture] = {}
        self._on_the_way: list[tuple[Ticket, int]] = []

    def send(self, now: float, worker: int, version: int) -> None:
        """Send a point to the worker's computation, if one is under way."""
        ticket = self._workers.under_way(now, worker)
        if ticket is None:
            return
        seconds = self._workers.downloads_again(worker)
        self._on_the_way.append((ticket, version))
        if seconds:
            rank = transfer_rank(worker)
            self._clock.at(now + seconds, rank, self._received, (ticket, version))
        else:
            self._mix(now, ticket, version)

    def _received(self, event: Happening) -> None:
        self._mix(self._clock.now, *event.value)

    def _mix(self, now: float, ticket: Ticket, version: int) -> None:
        self._on_the_way.remove((ticket, version))
        if self._workers.under_way(now, ticket.worker) == ticket:
            before = self._mixtures.get(ticket, ((ticket.version, 0.0),))
            share = self._workers.progress(now, ticket.worker)
            self._mixtures[ticket] = (*before, (version, share))

    def taken(self, tickets: Sequence[Ticket]) -> dict[Ticket, Mixture] | None:
        """The mixtures among these gradients, which a step takes."""
        if not self._mixtures:
            return None
        found = {t: self._mixtures.pop(t) for t in tickets if t in self._mixtures}
        return found or None

    def versions(self, sent: Container[Ticket]) -> set[int]:
        """The versions of the points in mixtures; those of abandoned gradients are forgotten."""
        held = self._workers.at_version
        self._mixtures = {
            ticket: mixture
            for ticket, mixture in self._mixtures.items()
            if ticket in sent or held[ticket.worker] == ticket.version
        }
        newest = {version for _, version in self._on_the_way}
        return newest | {version for mixture in self._mixtures.values() for version, _ in mixture}
