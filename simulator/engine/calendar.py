"""Who is next, of very many?

After a broadcast everybody has a planned finish, but a round that needs M gradients looks only
at the earliest few.  So the plans are partitioned lazily, a chunk at a time; workers that plan
again one by one go on a small heap.  Nothing is ever deleted: an entry counts only as long as it
still *is* its worker's plan.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import cast

import numpy as np

from simulator.cluster.law import Floats, Integers

FIRST_CHUNK = 64


class Calendar:
    """The times in ``plans`` (shared with their owner), served by (time, worker).

    An infinite plan means no plan, and is never served.  ``soon`` hears of workers before their
    turn comes, a chunk at a time.

    >>> plans = np.array([3.0, 1.0, 1.0, np.inf])
    >>> calendar = Calendar(plans); calendar.fill()
    >>> for _ in range(3):
    ...     entry = calendar.earliest(); calendar.take(entry); print(entry)
    (1.0, 1)
    (1.0, 2)
    (3.0, 0)
    """

    def __init__(
        self, plans: Floats, soon: Callable[[Integers], None] = lambda workers: None
    ) -> None:
        self._plans, self._soon = plans, soon
        self._plan = cast("memoryview[float]", plans.data)
        self._heap: list[tuple[float, int]] = []
        self._chunk: list[tuple[float, int]] = []  # latest first, so that the end is popped
        self._copy, self._rest = np.empty_like(plans), np.empty(0)
        self._size = 0
        self._begin, self._reach = 0.0, 0.0  # when it was filled, and how far a chunk went

    def fill(self, now: float = 0.0) -> None:
        """Start anew from the plans as they are now; what was entered before is void."""
        self._heap.clear()
        self._chunk = []
        self._rest = self._copy
        np.copyto(self._rest, self._plans)
        self._size = FIRST_CHUNK // 2
        self._begin = now

    def push(self, time: float, worker: int) -> None:
        heappush(self._heap, (time, worker))

    def earliest(self) -> tuple[float, int] | None:
        """The next live entry, which stays."""
        plan, heap = self._plan, self._heap
        while heap and plan[heap[0][1]] != heap[0][0]:
            heappop(heap)
        while self._chunk or (self._rest.size and self._cut()):
            entry = self._chunk[-1]
            if plan[entry[1]] == entry[0]:
                return heap[0] if heap and heap[0] < entry else entry
            self._chunk.pop()
        return heap[0] if heap else None

    def take(self, entry: tuple[float, int]) -> None:
        """Remove the entry that ``earliest`` has just shown."""
        if self._chunk and entry is self._chunk[-1]:
            self._chunk.pop()
        else:
            heappop(self._heap)

    def _cut(self) -> bool:
        """Sort the next few plans out of the rest; False when none is left."""
        if not self._rest.size:
            return False
        self._size *= 2
        workers = self._earliest_workers(min(self._size, self._rest.size))
        times = self._rest[workers]
        self._rest[workers] = np.inf  # taken
        finite = int(np.searchsorted(times, np.inf))
        if finite < len(workers) or len(workers) == self._rest.size:
            self._rest = np.empty(0)  # there are no more
        workers, times = workers[:finite], times[:finite]
        self._soon(workers)
        self._chunk = list(zip(times.tolist(), workers.tolist(), strict=True))
        self._chunk.reverse()
        return finite > 0

    def _earliest_workers(self, many: int) -> Integers:
        """The next ``many`` workers or some more, by (time, index)."""
        rest = self._rest
        if many > rest.size // 4:
            return self._sorted(np.arange(rest.size))[:many]
        # Rounds are much alike, and to compare is ten times as fast as to partition.
        if many == FIRST_CHUNK:
            workers = np.flatnonzero(rest <= self._begin + self._reach)
            if many <= workers.size <= 3 * many:
                return self._sorted(workers)
        limit = np.partition(rest, many - 1)[many - 1]
        if many == FIRST_CHUNK:
            self._reach = 1.2 * (float(limit) - self._begin)
        below = np.flatnonzero(rest < limit)
        # Of several workers at the limit the lowest go first, so that a tie which the
        # partition happened to split is still served by worker index.
        at_limit = np.flatnonzero(rest == limit)[: many - below.size]
        return self._sorted(np.sort(np.concatenate([below, at_limit])))

    def _sorted(self, workers: Integers) -> Integers:
        return workers[np.argsort(self._rest[workers], kind="stable")]
