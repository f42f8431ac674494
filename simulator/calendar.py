"""Who finishes next, of very many?

After a broadcast everybody has a planned finish, but a round that needs M gradients looks only
at the earliest few.  So the plans are partitioned lazily, a chunk at a time; workers that start
again one by one go on a small heap.  Nothing is ever deleted: an entry counts only as long as it
still *is* its worker's plan.
"""

from heapq import heappop, heappush
from typing import cast

import numpy as np

from simulator.cluster.law import Floats

FIRST_CHUNK = 64


class Calendar:
    """The planned finishes in ``plans`` (shared with their owner), served by (time, worker).

    An infinite plan means no plan, and is never served.

    >>> plans = np.array([3.0, 1.0, 1.0, np.inf])
    >>> calendar = Calendar(plans); calendar.fill()
    >>> for _ in range(3): print(entry := calendar.earliest(), calendar.take(entry))
    (1.0, 1) True
    (1.0, 2) True
    (3.0, 0) True
    """

    def __init__(self, plans: Floats) -> None:
        self._plans = plans
        self._plan = cast("memoryview[float]", plans.data)
        self._heap: list[tuple[float, int]] = []
        self._chunk: list[tuple[float, int]] = []  # latest first, so that the end is popped
        self._rest = np.empty(0)
        self._size = 0

    def fill(self) -> None:
        """Start anew from the plans as they are now; what was entered before is void."""
        self._heap.clear()
        self._chunk = []
        self._rest = self._plans.copy()
        self._size = FIRST_CHUNK // 2

    def push(self, time: float, worker: int) -> None:
        heappush(self._heap, (time, worker))

    def earliest(self) -> tuple[float, int] | None:
        """The next live entry, which stays."""
        plan, heap, chunk = self._plan, self._heap, self._chunk
        while heap and plan[heap[0][1]] != heap[0][0]:
            heappop(heap)
        while chunk or self._cut():
            chunk = self._chunk
            entry = chunk[-1]
            if plan[entry[1]] == entry[0]:
                return heap[0] if heap and heap[0] < entry else entry
            chunk.pop()
        return heap[0] if heap else None

    def take(self, entry: tuple[float, int]) -> bool:
        """Remove an entry that ``earliest`` showed; False if it is no longer the earliest."""
        if entry is not self.earliest():
            return False
        if self._chunk and entry is self._chunk[-1]:
            self._chunk.pop()
        else:
            heappop(self._heap)
        return True

    def _cut(self) -> bool:
        """Sort the next few plans out of the rest; False when none is left."""
        rest = self._rest
        if not rest.size:
            return False
        self._size = min(2 * self._size, rest.size)
        limit = np.partition(rest, self._size - 1)[self._size - 1]
        below = np.flatnonzero(rest < limit)
        # Of several workers at the limit the lowest go first, so that a tie which the
        # partition happened to split is still served by worker index.
        at_limit = np.flatnonzero(rest == limit)[: self._size - below.size]
        workers = np.sort(np.concatenate([below, at_limit]))
        order = workers[np.argsort(rest[workers], kind="stable")]
        times = rest[order]
        rest[order] = np.inf
        finite = int(np.count_nonzero(times < np.inf))
        if finite < self._size:
            self._rest = np.empty(0)
        self._chunk = list(zip(times[:finite].tolist(), order[:finite].tolist(), strict=True))
        self._chunk.reverse()
        return bool(self._chunk)
