"""What happens next?  One heap of everything that is due.

At one instant the server's own events come first, then those of worker 0, worker 1 and so on, a
transfer of a worker before its computation; the beginnings and ends of outages come last, by
worker.
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
    """Something that happens at the time ``due``, or never.  To move ``due`` is to cancel it."""

    due: float = field(default=NEVER, init=False)


class Calendar:
    """The time, and all that is to come.

    ``steps`` counts the server steps that have closed.  It tells what happens at one instant
    before a step from what happens after it.
    """

    def __init__(self) -> None:
        self.now, self.steps = 0.0, 0
        self._heap: list[tuple[float, int, int, Callable[[Any], None], Any]] = []
        self._serial = count()

    def expect(self, thing: Due, time: float, rank: int, happen: Callable[[Any], None]) -> None:
        """Call ``happen(thing)`` at this time, unless the thing is due at another one by then."""
        thing.due = time
        if time < NEVER:
            heappush(self._heap, (time, rank, next(self._serial), happen, thing))

    def run(self, until: float) -> None:
        """Let everything happen that is due up to this time, and at it."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            time, _, _, happen, thing = heappop(heap)
            if thing.due == time:
                self.now, thing.due = time, NEVER
                happen(thing)

    @property
    def empty(self) -> bool:
        """Whether nothing can happen any more."""
        return not any(thing.due == time for time, _, _, _, thing in self._heap)
