"""One small object for each worker, computation, transfer and outage."""

from dataclasses import dataclass, field
from typing import NamedTuple

from algorithms.tickets import Ticket
from simulator.reference.calendar import NEVER, Due


class Order(NamedTuple):
    """Compute ``quota`` gradients at the point of ``version``; upload each, or hold it.

    Each takes ``work`` times as long as a plain one, and ``limit`` seconds at most.
    """

    version: int
    quota: float = NEVER
    upload: bool = False
    work: float = 1
    limit: float = NEVER


NO_ORDER = Order(version=-1)


@dataclass(slots=True, eq=False)
class Span:
    """A worker receives, sends or is away from ``begin`` to ``end``, as far as known."""

    worker: int
    begin: float
    end: float


@dataclass(slots=True, eq=False)
class Worker:
    number: int
    order: Order = NO_ORDER
    left: float = 0.0
    current: "Computation | None" = None
    obsolete: "Computation | None" = None
    begun: int = 0  # computations so far, and before the present version
    first: int = 0
    done: float = 0.0  # when its last computation under an order ended
    held: "dict[Computation, None]" = field(default_factory=dict)  # lost in an outage
    receiving: Span | None = None
    back: float = 0.0  # the end of its present or last outage
    away: bool = False  # lost, so that it gets no order

    def free(self, now: float) -> float:
        time = max(now, self.back)
        return max(time, self.obsolete.finish) if self.obsolete else time


@dataclass(slots=True, eq=False)
class Computation(Due):
    """The computation of one gradient.

    Its fate is an outcome, or ``running``, or ``obsolete``: it runs to its end and is dropped then.
    ``born`` and ``sealed`` count the steps closed at its planning and at its end.
    """

    worker: Worker
    version: int
    index: int
    start: float
    born: int
    sealed: int
    fate: str = "running"
    done: float = NEVER
    limit: float = NEVER
    finish: float = NEVER
    step: int = 0
    weight: float = NEVER
    arrived: int = 0
    """The version at its arrival."""
    seconds: float = 0.0
    """How long it takes without interruptions."""
    mixture: list[tuple[int, float]] = field(default_factory=list)
    """The newer points that it got, each with the share that was done."""

    def ends(self, done: float, limit: float) -> float:
        """Set the times of completion and of the limit; returns the earlier."""
        self.done, self.limit = done, limit
        self.finish = done if done <= limit else limit
        return self.finish

    @property
    def expires(self) -> bool:
        return self.limit < self.done

    @property
    def ticket(self) -> Ticket:
        return Ticket(self.worker.number, self.version, self.index)


@dataclass(slots=True, eq=False)
class Refresh(Due):
    """A newer point on its way to a computation."""

    computation: Computation
    version: int


@dataclass(slots=True, eq=False)
class Outage(Due):
    worker: Worker
    span: Span


@dataclass(slots=True, eq=False)
class Upload(Due):
    """A vector on its way: a single gradient, or else a worker's part in an all-reduce."""

    span: Span
    latency: float
    transit: float
    computation: Computation | None
    left: float = 1.0  # the part of the vector that has not passed
    lost: bool = False
