"""What do the server and its workers tell each other?  Plain data; times are scenario seconds."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from algorithms.tickets import Ticket
from simulator.realtime.gradients import Gradient

NEVER = float("inf")


class Assignment(NamedTuple):
    """What an actor needs to be a worker of a scenario."""

    worker: int
    tables: Mapping[str, Any]
    files: Mapping[str, bytes]
    """Those that the scenario names, such as a trace of speeds."""


class Hello(NamedTuple):
    """The first answer of an actor, when its gradients are compiled."""

    machine: str
    """Equal for processes that read the same clock."""
    gradient_seconds: float
    """Real seconds of one gradient, measured."""


class Start(NamedTuple):
    """A run begins, or a worker that was started again joins it."""

    seed: int
    scale: float
    """Real seconds of a scenario second."""
    epoch: float
    """Time 0 on the worker's clock."""
    begun: int = 0
    """Computations that this worker has begun before."""
    version: int = -1
    first: int = 0
    """Those begun before its orders of this version."""


class Terms(NamedTuple):
    """What the story says in an order (``algorithms/vocabulary.py``)."""

    quota: float
    upload: bool
    work: float
    limit: float = NEVER
    recall: bool = False


class Order(NamedTuple):
    """Compute at the point of ``version``."""

    serial: int
    """Orders are numbered, so that a report tells which one it answers."""
    version: int
    delay: float
    """Seconds of the download."""
    terms: Terms
    needed: tuple[Ticket, ...]
    """Gradients that the worker holds and the server may still use."""


Fate = Literal["done", "expired", "recalled", "dropped"]


class Report(NamedTuple):
    """A computation has ended."""

    fate: Fate
    serial: int
    ticket: Ticket
    start: float
    finish: float
    computing: float
    """Real seconds of the gradient itself."""
    late: bool
    """Whether the gradient itself took longer than its seconds in the scenario."""
    gradient: Gradient | None
    """Of an order with ``upload``; otherwise it stays with the worker."""

    def no_later(self, now: float, done: float) -> "Report":
        """Shifted, if it ends after ``now``: the offset of another machine's clock has an error.

        The difference of its times is exact, and stays.  No start comes before the worker was
        ``done`` with the computation before.
        """
        ahead = max(0.0, self.finish - now)
        return self._replace(start=max(self.start - ahead, done), finish=self.finish - ahead)


class Current(NamedTuple):
    """A computation that is under way."""

    ticket: Ticket
    start: float


class Last(NamedTuple):
    """The last answer in a run."""

    reports: list[Report]
    current: Current | None
