"""What happened, in full?  Every computation and transfer, handed on as soon as its fate is known.

Nothing is kept but the gradients that wait for their step, so a trace of any length needs little
memory.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from algorithms.tickets import Ticket
from simulator.schedule import Computation, Outcome, Stretch


class Sinks(NamedTuple):
    """Where a trace goes."""

    computation: Callable[[Computation], None]
    stretch: Callable[[Stretch], None] = lambda stretch: None


class Trace:
    """Follows each gradient from its start to its end."""

    def __init__(self, sinks: Sinks) -> None:
        self._sinks = sinks
        self._waiting: dict[Ticket, tuple[float, float]] = {}
        self._old: dict[int, tuple[Ticket, float]] = {}

    def done(self, ticket: Ticket, start: float, finish: float) -> None:
        """It waits for a step."""
        self._waiting[ticket] = (start, finish)

    def used(self, tickets: Sequence[Ticket], weights: Sequence[float], step: int) -> None:
        for ticket, weight in zip(tickets, weights, strict=True):
            times = self._waiting.pop(ticket)
            self._sinks.computation(Computation(ticket, *times, "used", step, weight))

    def gone(self, ticket: Ticket, outcome: Outcome) -> None:
        """It was done, but comes to nothing."""
        self.ended(ticket, *self._waiting.pop(ticket), outcome)

    def lost(self, worker: int, safe: Callable[[Ticket], bool]) -> None:
        """A worker is gone with its gradients, all but the safe ones."""
        for ticket in [t for t in self._waiting if t.worker == worker and not safe(t)]:
            self.gone(ticket, "lost")

    def ended(self, ticket: Ticket, start: float, finish: float, outcome: Outcome) -> None:
        self._sinks.computation(Computation(ticket, start, finish, outcome))

    def becomes_old(self, ticket: Ticket, start: float) -> None:
        """Its order was replaced, but it is computed to its end."""
        self._old[ticket.worker] = (ticket, start)

    def old_ended(self, worker: int, finish: float, outcome: Outcome) -> None:
        ticket, start = self._old.pop(worker)
        self.ended(ticket, start, finish, outcome)

    def stretch(self, kind: str, worker: int, start: float, finish: float, version: int) -> None:
        self._sinks.stretch(Stretch(kind, worker, start, finish, version))  # type: ignore[arg-type]

    def close(self) -> None:
        """The record ends: what was done waits for ever."""
        for ticket in list(self._waiting):
            self.gone(ticket, "waiting")
