"""SimPy's event queue, at exact times."""

from collections.abc import Callable
from typing import Any, Protocol

import simpy
from simpy.events import NORMAL, Event, EventPriority, Timeout

SERVER_RANK = 0  # the rank of the server's own events, which come first at any time


def transfer_rank(worker: int) -> int:
    """Workers come in order, and a worker's transfers before its computations."""
    return 2 * worker + 1


def computation_rank(worker: int) -> int:
    return 2 * worker + 2


def outage_rank(worker: int, workers: int) -> int:
    """Outages come after all arrivals."""
    return 2 * workers + 1 + worker


class Happening(Protocol):
    @property
    def value(self) -> Any: ...


class Instant(float):
    """A SimPy delay that ends at an exact ``time``, with a rank among events of that time.

    SimPy adds delays to its clock, and no float added to 1.2 gives 3.6.  Python lets a subclass of
    float define the sum, so an instant returns its own time.

    >>> instant = Instant(); instant.time = 3.6
    >>> 1.2 + instant, 1.2 + (3.6 - 1.2)
    (3.6, 3.6000000000000005)
    """

    __slots__ = ("rank", "time")
    time: float
    rank: EventPriority

    def __radd__(self, now: float) -> float:
        return self.time


class Clock(simpy.Environment):
    """SimPy's environment, which also takes events at exact times."""

    def __init__(self) -> None:
        super().__init__()
        self._instant = Instant()  # one is enough, since SimPy adds it at once

    def at(
        self, time: float, rank: int, act: Callable[[Happening], None], value: Any = None
    ) -> None:
        """Call ``act`` at this time with an event of this value; ties are served by rank."""
        instant = self._instant
        instant.time = float(time)  # a NumPy float would not call __radd__
        instant.rank = EventPriority(rank)
        Timeout(self, instant, value).callbacks.append(act)

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """Put an event into SimPy's queue; events from ``at`` have a rank of their own."""
        if delay is self._instant:
            priority = self._instant.rank
        simpy.Environment.schedule(self, event, priority, delay)
