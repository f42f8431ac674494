"""What time is it, and what happens next?  SimPy's event queue, at exact times."""

from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Any, cast

import simpy
from simpy.events import Event

if TYPE_CHECKING:
    from simpy.events import EventPriority


class Clock(simpy.Environment):
    """SimPy's environment, which also takes the exact time of an event.

    SimPy knows delays only, and adds them to its clock: between 1.2 and 3.6 there is none that
    hits 3.6, whose neighbours would then be served in the wrong order.  So this enters the queue
    the way SimPy's own ``schedule`` does.
    """

    def at(
        self, time: float, rank: int, act: "Callable[[Happening], None]", about: Any = None
    ) -> None:
        """Let ``act`` be called at this time; among those at the same time, by rank."""
        event = Happening(about, act)
        heappush(self._queue, (time, cast("EventPriority", rank), next(self._eid), event))


class Happening(Event):
    """A SimPy event that is sure to happen, with what it is about."""

    _ok, _value = True, None

    def __init__(self, about: Any, act: "Callable[[Happening], None]") -> None:
        self.callbacks = [act]
        self.about = about
