"""What time is it, and what happens next?  SimPy's event queue, at exact times."""

from collections.abc import Callable
from typing import Any, Protocol

import simpy
from simpy.events import NORMAL, Event, EventPriority, Timeout

SERVER_RANK = 0  # the rank of the server's own events, which come first at any time


def transfer_rank(worker: int) -> int:
    """Workers come in turn, and each one's transfers before its computations."""
    return 2 * worker + 1


def computation_rank(worker: int) -> int:
    return 2 * worker + 2


def outage_rank(worker: int, workers: int) -> int:
    """After all arrivals."""
    return 2 * workers + 1 + worker


class Happening(Protocol):
    """A SimPy event, seen by what is done about it."""

    @property
    def value(self) -> Any: ...


class Instant(float):
    """A delay of SimPy's that ends at an exact ``time``, with a rank among events of that time.

    SimPy adds delays to its clock, and between 1.2 and 3.6 there is no float that hits 3.6.
    Python lets a subclass of float add itself, so an instant answers with its own time.

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
        self._instant = Instant()  # SimPy adds it at once, so one will do

    def at(
        self, time: float, rank: int, act: Callable[[Happening], None], value: Any = None
    ) -> None:
        """Call ``act`` then with an event of this value; of those at one time, by rank."""
        instant = self._instant
        instant.time = float(time)  # NumPy's floats would not let an instant add itself
        instant.rank = EventPriority(rank)
        Timeout(self, instant, value).callbacks.append(act)

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """Enter SimPy's queue; what ``at`` enters has a rank of its own."""
        if delay is self._instant:
            priority = self._instant.rank
        simpy.Environment.schedule(self, event, priority, delay)
