"""The records of the schedule plane: steps, accounts and the trace."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from algorithms.tickets import Ticket
from simulator.cluster.law import Floats, Integers

Outcome: TypeAlias = Literal["used", "recalled", "dropped", "lost", "waiting", "unfinished"]
"""The outcome of a gradient: at the run's end ``waiting`` ones were done but in no step yet."""


Mixture: TypeAlias = tuple[tuple[int, float], ...]
"""By which points a worker acted: (version, share of the computation from which on), in order.

The first pair is the ticket's own version and 0.0.
"""


class Accounts(NamedTuple):
    """Every worker's account up to ``time``; one array entry per worker.

    Gradients: ``started = used + recalled + dropped + lost + unfinished``, where unfinished ones
    are still being computed or sent, or wait in a batch that has not closed.  Seconds: ``busy``
    computing, ``communicating`` without computing, ``down`` in an outage, ``idle`` the rest of
    ``time``; ``wasted`` are the busy seconds of recalled, dropped and lost gradients.
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
        return float(seconds.mean() / self.time) if self.time > 0 else 0.0


class Step(NamedTuple):
    """One server step: the weighted gradients that took version ``version`` to the next."""

    version: int
    time: float
    tickets: list[Ticket]
    weights: list[float]
    used: int  # different gradients that this step and those before it have used
    accounts: Accounts | None  # every worker's, at this step, where wanted
    again: frozenset[Ticket] = frozenset()
    """Its tickets that an earlier step has used, too."""
    keep: frozenset[Ticket] = frozenset()
    """Tickets, of this step or earlier ones, that a later one may use again."""
    importance: float | None = None
    """The most that a sample counts at this step's point; absent: gradients at their own points."""
    begin: float | None = None
    """When the server began to compute it, if that took time."""
    mixtures: Mapping[Ticket, Mixture] | None = None
    """The tickets whose worker received newer points in the midst of its computation."""
    arrived: list[int] | None = None
    """The versions at which its fresh gradients arrived; absent: since the last step."""

    @property
    def number(self) -> int:
        """The number of the step, from 1."""
        return self.version + 1

    @property
    def seconds(self) -> float:
        """How long the server computed it."""
        return 0.0 if self.begin is None else self.time - self.begin

    @property
    def dispatched(self) -> int:
        return min((ticket.version for ticket in self.tickets), default=self.version)

    @property
    def fresh(self) -> list[Ticket]:
        """Its gradients that no step has used before."""
        return [t for t in self.tickets if t not in self.again] if self.again else self.tickets

    @property
    def versions(self) -> set[int]:
        """The points that its new gradients need."""
        fresh = self.fresh
        found = {ticket.version for ticket in fresh}
        if self.mixtures:
            found |= {version for ticket in fresh for version, _ in self.mixture(ticket)}
        return found if self.importance is None else found | {self.version}

    def mixture(self, ticket: Ticket) -> Mixture:
        """The points by which the ticket's worker acted."""
        return (self.mixtures or {}).get(ticket, ((ticket.version, 0.0),))

    @property
    def mean_delay(self) -> float:
        if not self.tickets:
            return 0.0
        return self.version - sum(ticket.version for ticket in self.tickets) / len(self.tickets)

    @property
    def arrival_delay(self) -> float:
        """The mean delay of its fresh gradients when they arrived."""
        if self.arrived is None:
            return self.mean_delay
        if not self.arrived:
            return 0.0
        sent = sum(ticket.version for ticket in self.fresh)
        return sum(self.arrived) / len(self.arrived) - sent / len(self.arrived)


class Computation(NamedTuple):
    ticket: Ticket
    start: float
    finish: float  # when it ended, or was recalled or lost, or the run ended
    outcome: Outcome
    step: int | None = None
    """The number of the first server step that used it; ``weight`` is its weight there."""
    weight: float | None = None


class Stretch(NamedTuple):
    """Something else that a worker did; the server is worker -1."""

    kind: Literal["receiving", "sending", "down", "collective", "training"]
    worker: int
    start: float
    finish: float
    version: int
    """Of the received point, of the sent gradients, of the newest order, or before an update."""


def as_of(computation: Computation, time: float, steps: float) -> Computation | None:
    """What was known of a computation at this time, after so many steps; None: it had not begun.

    >>> as_of(Computation(Ticket(0, 0, 0), 1.0, 3.0, "used", 2, 1.0), 2.0, 1).outcome
    'unfinished'
    """
    if computation.start > time:
        return None
    used = computation.step is not None and computation.step <= steps
    over = computation.finish <= time
    if used or (over and computation.outcome in ("recalled", "dropped", "lost")):
        return computation
    if over and computation.outcome != "unfinished":
        return computation._replace(outcome="waiting", step=None, weight=None)
    return computation._replace(finish=time, outcome="unfinished", step=None, weight=None)
