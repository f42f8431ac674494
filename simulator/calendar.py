"""Who finishes next, of very many?

After a broadcast everybody has a planned finish, but a round that needs M gradients looks only
at the earliest few.  So the plans are partitioned lazily, a chunk at a time; workers that start
again one by one go on a small heap.  Nothing is ever deleted: an entry counts only as long as it
still *is* its worker's plan.
"""

from heapq import heappop, heappush

import numpy as np

from simulator.cluster.law import Floats

FIRST_CHUNK = 64


class Calendar:
    """The planned finishes in ``plans`` (shared with their owner), served by (time, worker).

    An infinite plan means no plan, and is never served.

    >>> plans = np.array([3.0, 1.0, 1.0, np.inf])
    >>> calendar = Calendar(plans); calendar.fill()
    >>> [calendar.pop() for _ in range(3)], calendar.earliest()
    ([(1.0, 1), (1.0, 2), (3.0, 0)], None)
    """

    def __init__(self, plans: Floats) -> None:
        self._plans = plans
        self._plan = memoryview(plans)
        self._heap: list[tuple[float, int]] = []
        self._chunk: list[tuple[float, int]] = []
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
        plan, heap = self._plan, self._heap
        while heap and plan[heap[0][1]] != heap[0][0]:
            heappop(heap)
        while True:
            if not self._chunk and not self._cut():
                break
            time, worker = self._chunk[-1]
            if plan[worker] == time:
                break
            self._chunk.pop()
        if self._chunk and (not heap or self._chunk[-1] < heap[0]):
            return self._chunk[-1]
        return heap[0] if heap else None

    def pop(self) -> tuple[float, int]:
        """Take the entry that ``earliest`` just showed."""
        if self._chunk and (not self._heap or self._chunk[-1] <= self._heap[0]):
            return self._chunk.pop()
        return heappop(self._heap)

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
