"""What is there?  One small object for each worker, computation, transfer and outage."""

from typing import NamedTuple

from algorithms.tickets import Ticket
from simulator.reference.calendar import NEVER, Due, computation_rank


class Order(NamedTuple):
    """Compute ``quota`` gradients at the point of ``version``; upload each, or keep it.

    Each takes ``work`` times as long as a plain one, and is broken off after ``limit`` seconds.
    """

    version: int
    quota: float = NEVER
    upload: bool = False
    work: float = 1
    limit: float = NEVER


class Worker:
    """The order that it follows, and what it is at."""

    __slots__ = (
        "away",
        "back",
        "begun",
        "current",
        "done",
        "first",
        "held",
        "left",
        "number",
        "obsolete",
        "order",
        "rank",
        "receiving",
    )

    def __init__(self, number: int) -> None:
        self.number, self.rank = number, computation_rank(number)
        self.order, self.left = Order(version=-1), 0.0
        self.current: Computation | None = None
        self.obsolete: Computation | None = None
        self.begun, self.first = 0, 0  # computations so far, and before the present version
        self.done = 0.0  # when its last computation under an order ended
        self.held: dict[Computation, None] = {}  # gradients that would be lost with it
        self.receiving: Span | None = None
        self.back = 0.0  # the end of its present or last outage
        self.away = False  # lost, so that it hears of no order

    def free(self, now: float) -> float:
        """When it can follow an order at the earliest."""
        time = max(now, self.back)
        return max(time, self.obsolete.finish) if self.obsolete else time


class Computation(Due):
    """One gradient being computed, and what became of it.

    Its fate is one of the outcomes, or ``running``, or ``obsolete``: it runs to its end and is
    dropped then.  ``born`` and ``sealed`` are the numbers of steps that had closed when it was
    planned, and when its fate was decided.
    """

    __slots__ = (
        "born",
        "done",
        "fate",
        "finish",
        "index",
        "limit",
        "sealed",
        "start",
        "step",
        "version",
        "weight",
        "worker",
    )

    def __init__(self, worker: "Worker", version: int, index: int, start: float, born: int) -> None:
        self.worker, self.version, self.index = worker, version, index
        self.start, self.born = start, born
        self.fate, self.sealed = "running", born
        self.step, self.weight = 0, NEVER

    def ends(self, done: float, limit: float) -> float:
        """It is done at one time, unless its limit is up before."""
        self.done, self.limit = done, limit
        self.finish = done if done <= limit else limit
        return self.finish

    @property
    def expires(self) -> bool:
        return self.limit < self.done

    @property
    def ticket(self) -> Ticket:
        return Ticket(self.worker.number, self.version, self.index)


class Outage(Due):
    """A worker is not there from ``begin`` up to ``end``."""

    __slots__ = ("begin", "end", "worker")

    def __init__(self, worker: "Worker", begin: float, end: float) -> None:
        self.worker, self.begin, self.end = worker, begin, end


class Span:
    """A worker receives or sends from ``begin`` to ``end``, as far as is known."""

    __slots__ = ("begin", "end", "worker")

    def __init__(self, worker: int, begin: float, end: float) -> None:
        self.worker, self.begin, self.end = worker, begin, end


class Parts(NamedTuple):
    """The seconds of a transfer: its latency, and what the bytes take."""

    latency: float
    transit: float


class Upload(Due):
    """One vector on its way: a single gradient, or without one a worker's part in an all-reduce.

    ``left`` is how much of the vector is still to pass.
    """

    __slots__ = ("computation", "latency", "left", "lost", "span", "transit", "worker")

    def __init__(self, worker: int, parts: "Parts", computation: "Computation | None") -> None:
        self.worker, self.computation = worker, computation
        self.latency, self.transit = parts
        self.left, self.lost = 1.0, False
        self.span = Span(worker, NEVER, NEVER)
