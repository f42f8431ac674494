"""What does the schedule plane say?  Records of *when*: steps, accounts, and the trace of both."""

from typing import Literal, NamedTuple, TypeAlias

from algorithms.tickets import Ticket
from simulator.cluster.law import Floats, Integers

Outcome: TypeAlias = Literal["used", "recalled", "dropped", "lost", "waiting", "unfinished"]
"""What became of a gradient.

``waiting`` ones were done when the record ended, but in no step; ``unfinished`` ones were not done.
"""


class Accounts(NamedTuple):
    """What every worker has done by ``time``; one array entry per worker.

    Gradients: ``started = used + recalled + dropped + lost + unfinished``, where unfinished ones
    are still being computed or sent, or wait in a batch that has not closed.  Seconds: ``busy``
    computing, ``communicating`` without computing, ``down`` in an outage, ``idle`` the rest of
    ``time``; of the busy ones ``wasted`` went into gradients that came to nothing.
    """

    time: float
    started: Integers
    used: Integers
    recalled: Integers
    dropped: Integers
    lost: Integers
    unfinished: Integers
    busy: Floats
    communicating: Floats
    down: Floats
    idle: Floats
    wasted: Floats

    def share(self, seconds: Floats) -> float:
        """The part of all the workers' time that these seconds of each are."""
        return float(seconds.mean() / self.time) if self.time > 0 else 0.0


class Step(NamedTuple):
    """One server step: the weighted gradients that took version ``version`` to the next."""

    version: int
    time: float
    tickets: list[Ticket]
    weights: list[float]
    used: int  # how many different gradients this step and those before it have used
    accounts: Accounts | None  # every worker's, at this step, where they were asked for
    again: frozenset[Ticket] = frozenset()
    """Those of its tickets that an earlier step has used, too."""
    keep: frozenset[Ticket] = frozenset()
    """Tickets, of this step or earlier ones, that a later one may use again."""

    @property
    def number(self) -> int:
        """How many steps have closed with this one."""
        return self.version + 1

    @property
    def dispatched(self) -> int:
        """The version at which its oldest gradient was computed."""
        return min((ticket.version for ticket in self.tickets), default=self.version)

    @property
    def fresh(self) -> list[Ticket]:
        """Those of its gradients that no step has used before."""
        return [t for t in self.tickets if t not in self.again] if self.again else self.tickets

    @property
    def mean_delay(self) -> float:
        """How many steps old its gradients are, on average."""
        if not self.tickets:
            return 0.0
        return self.version - sum(ticket.version for ticket in self.tickets) / len(self.tickets)


class Computation(NamedTuple):
    """One gradient's computation and what became of it."""

    ticket: Ticket
    start: float
    finish: float  # when it ended, or was recalled or lost, or the record stopped
    outcome: Outcome
    step: int | None = None
    """The number of the first server step that used it, and its weight there."""
    weight: float | None = None


class Stretch(NamedTuple):
    """What else a worker did for a while; the ``server`` is a worker of its own, number -1."""

    kind: Literal["receiving", "sending", "down", "collective"]
    worker: int
    start: float
    finish: float
    version: int
    """Of the point that is received, of the gradients that are sent, of the newest order."""
