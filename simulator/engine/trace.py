"""The trace: every computation and transfer, passed on as soon as its outcome is known.

Only gradients that wait for their step are held, so a trace of any length needs little memory.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from algorithms.tickets import Ticket
from simulator.cluster.law import Floats, Integers
from simulator.engine.totals import NEVER
from simulator.schedule import Computation, Outcome, Stretch


class Plans(Protocol):
    start: Floats
    sent_at: Floats
    down_from: Floats
    at_start: "memoryview[float]"
    at_version: "memoryview[int]"

    def ticket(self, worker: int) -> Ticket: ...

    def settle(self, now: float) -> None: ...


class Sinks(NamedTuple):
    computation: Callable[[Computation], None]
    stretch: Callable[[Stretch], None] = lambda stretch: None


class Trace:
    def __init__(self, sinks: Sinks) -> None:
        self._sinks = sinks
        self._waiting: dict[Ticket, tuple[float, float]] = {}
        self._old: dict[int, tuple[Ticket, float]] = {}

    def completed(self, ticket: Ticket, start: float, finish: float, done: bool) -> None:
        """A computation ends: its gradient waits for a step, or it was broken off."""
        if done:
            self._waiting[ticket] = (start, finish)
        else:
            self.ended(ticket, start, finish, "recalled")

    def used(
        self,
        tickets: Sequence[Ticket],
        weights: Sequence[float],
        step: int,
        again: Collection[Ticket],
    ) -> None:
        """Gradients go into a step; those that do so ``again`` are traced already."""
        for ticket, weight in zip(tickets, weights, strict=True):
            if ticket in again:
                continue
            times = self._waiting.pop(ticket)
            self._sinks.computation(Computation(ticket, *times, "used", step, weight))

    def gone(self, ticket: Ticket, outcome: Outcome) -> None:
        self.ended(ticket, *self._waiting.pop(ticket), outcome)

    def lost(self, worker: int, safe: Callable[[Ticket], bool]) -> None:
        """A worker loses its gradients, except the safe ones."""
        for ticket in [t for t in self._waiting if t.worker == worker and not safe(t)]:
            self.gone(ticket, "lost")

    def ended(self, ticket: Ticket, start: float, finish: float, outcome: Outcome) -> None:
        self._sinks.computation(Computation(ticket, start, finish, outcome))

    def old_ended(self, worker: int, finish: float, outcome: Outcome) -> None:
        ticket, start = self._old.pop(worker)
        self.ended(ticket, start, finish, outcome)

    def stretch(self, kind: str, worker: int, start: float, finish: float, version: int) -> None:
        self._sinks.stretch(Stretch(kind, worker, start, finish, version))  # type: ignore[arg-type]

    # The workers' plans

    def received(self, plans: Plans, worker: int, until: float) -> None:
        """The download before a computation, up to ``until``."""
        begin = float(plans.sent_at[worker])
        if begin < until:
            self.stretch("receiving", worker, begin, until, plans.at_version[worker])
        plans.sent_at[worker] = NEVER

    def released(self, plans: Plans, now: float, workers: Integers, go_on: bool) -> None:
        """Orders end: their computations are recalled, or go on as old."""
        for worker in workers[plans.start[workers] < NEVER].tolist():
            start = plans.at_start[worker]
            self.received(plans, worker, min(start, now))
            if start <= now and go_on:
                self._old[worker] = (plans.ticket(worker), start)
            elif start <= now:
                self.ended(plans.ticket(worker), start, now, "recalled")

    def close(self, plans: Plans, now: float) -> None:
        """The run ends: computations under way are unfinished, completed gradients wait."""
        plans.settle(now)
        for worker in range(len(plans.start)):
            self.going_on(plans, now, worker, "unfinished")
        for worker in np.flatnonzero(plans.down_from < NEVER).tolist():
            begin, version = float(plans.down_from[worker]), plans.at_version[worker]
            self.stretch("down", worker, begin, now, version)
        for ticket in list(self._waiting):
            self.gone(ticket, "waiting")

    def going_on(self, plans: Plans, now: float, worker: int, outcome: Outcome) -> None:
        """A worker's computations under way end with this outcome."""
        start = plans.at_start[worker]
        if start < NEVER:
            self.received(plans, worker, min(start, now))
        if start <= now:
            self.ended(plans.ticket(worker), start, now, outcome)
        if worker in self._old:
            self.old_ended(worker, now, outcome)
