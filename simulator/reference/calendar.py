"""One heap of all events.

At one instant the server's own events come first, then those of worker 0, worker 1 and so on, a
worker's transfer before its computation; beginnings and ends of outages come last, by worker.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

NEVER = float("inf")
SERVER = 0  # the rank of the server's own events


def transfer_rank(worker: int) -> int:
    return 2 * worker + 1


def computation_rank(worker: int) -> int:
    return 2 * worker + 2


def outage_rank(worker: int, workers: int) -> int:
    return 2 * workers + 1 + worker


@dataclass(slots=True, eq=False)
class Due:
    """Something that happens at the time ``due``, or never.  A new ``due`` cancels the old one."""

    due: float = field(default=NEVER, init=False)


class Calendar:
    """The time, and all events to come.

    ``steps`` counts the closed server steps: it orders events of one instant against a step.
    """

    def __init__(self) -> None:
        self.now, self.steps = 0.0, 0
        self._heap: list[tuple[float, int, int, Callable[[Any], None], Any]] = []
        self._serial = count()

    def expect(self, thing: Due, time: float, rank: int, happen: Callable[[Any], None]) -> None:
        """Call ``happen(thing)`` at this time, unless ``thing.due`` has changed by then."""
        thing.due = time
        if time < NEVER:
            heappush(self._heap, (time, rank, next(self._serial), happen, thing))

    def run(self, until: float) -> None:
        """Serve all events up to this time, inclusive."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            time, _, _, happen, thing = heappop(heap)
            if thing.due == time:
                self.now, thing.due = time, NEVER
                happen(thing)

    @property
    def empty(self) -> bool:
        return not any(thing.due == time for time, _, _, _, thing in self._heap)
