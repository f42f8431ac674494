"""What does the schedule plane say?  Records of *when*: steps, accounts, and the trace of both."""

from typing import Literal, NamedTuple

from algorithms.tickets import Ticket
from simulator.cluster.law import Floats, Integers

Outcome = Literal["finished", "recalled", "dropped", "unfinished"]


class Accounts(NamedTuple):
    """What every worker has done by ``time``; one array entry per worker.

    Gradients: ``started = used + recalled + dropped + unfinished``, where unfinished ones are
    still being computed or sent, or wait in a batch that has not closed.  Seconds: ``busy``
    computing, ``communicating`` without computing, ``idle`` the rest of ``time``.
    """

    time: float
    started: Integers
    used: Integers
    recalled: Integers
    dropped: Integers
    unfinished: Integers
    busy: Floats
    communicating: Floats
    idle: Floats

    @property
    def idle_share(self) -> float:
        """The part of all the workers' time in which nothing was computed or sent."""
        return float(self.idle.mean() / self.time) if self.time > 0 else 0.0


class Step(NamedTuple):
    """One server step: the weighted gradients that took version ``version`` to the next."""

    version: int
    time: float
    tickets: list[Ticket]
    weights: list[float]
    used: int
    recalled: int
    dropped: int
    accounts: Accounts | None
    """Every worker's, at this step, where they were asked for."""

    @property
    def number(self) -> int:
        """How many steps have closed with this one."""
        return self.version + 1

    @property
    def dispatched(self) -> int:
        """The version at which its oldest gradient was computed."""
        return min(ticket.version for ticket in self.tickets)


class Computation(NamedTuple):
    """One stretch of computing and what became of it, for timelines and records of tickets."""

    ticket: Ticket
    start: float
    finish: float
    """When it ended, or was recalled, or the record stopped."""
    outcome: Outcome
