"""Which worker finishes next, among very many?

After a broadcast every worker has a planned finish, but a round of M gradients needs only the
earliest few.  So the plans are partitioned lazily, a chunk at a time; workers that plan again one
by one go on a small heap.  No entry is deleted: an entry counts only while it equals its worker's
plan.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import cast

import numpy as np

from simulator.cluster.law import Floats, Integers

FIRST_CHUNK = 64


class Calendar:
    """The times in ``plans`` (shared with their owner), served by (time, worker).

    An infinite plan is no plan.  ``soon`` gets the workers of a chunk before their turn.

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
        self.push: Callable[[tuple[float, int]], None] = partial(heappush, self._heap)
        self._chunk: list[tuple[float, int]] = []  # latest first, so that the end is popped
        self._copy, self._rest = np.empty_like(plans), np.empty(0)
        self._size = 0
        # Whether the rest still has to be copied from the plans, and the end of the last chunk.
        self._whole, self._cut_until = False, -np.inf
        self._begin, self._reach = 0.0, 0.0  # the time of the filling, the length of its chunk

    def fill(self, now: float = 0.0) -> None:
        """Start anew from the present plans; earlier entries are void."""
        self._heap.clear()
        self._chunk = []
        self._begin, self._whole, self._cut_until = now, True, -np.inf

    def earliest(self) -> tuple[float, int] | None:
        """The next live entry, without removing it."""
        plan, heap = self._plan, self._heap
        while heap and plan[heap[0][1]] != heap[0][0]:
            heappop(heap)
        while (chunk := self._chunk) or ((self._whole or self._rest.size) and self._cut()):
            if not chunk:
                continue
            entry = chunk[-1]
            if plan[entry[1]] == entry[0]:
                return heap[0] if heap and heap[0] < entry else entry
            chunk.pop()
        return heap[0] if heap else None

    def take(self, entry: tuple[float, int]) -> None:
        if self._chunk and entry is self._chunk[-1]:
            self._chunk.pop()
        else:
            heappop(self._heap)

    def _cut(self) -> bool:
        """Make a chunk of the next few plans; False when none is left."""
        workers, times = self._guessed() or self._earliest()
        finite = int(np.searchsorted(times, np.inf))
        if finite < len(times):
            self._rest = np.empty(0)
        workers, times = workers[:finite], times[:finite]
        self._soon(workers)
        self._chunk = list(zip(times.tolist(), workers.tolist(), strict=True))
        self._chunk.reverse()
        return finite > 0

    def _guessed(self) -> tuple[Integers, Floats] | None:
        """The first chunk, as long as that of the round before.

        Rounds are much alike, and a comparison is ten times as fast as a partition.  The plans are
        copied and partitioned only if the guess is bad or the chunk is used up.
        """
        if not self._whole:
            return None
        limit = self._begin + self._reach
        if self._cut_until < limit:
            workers = np.flatnonzero(self._plans <= limit)
            if FIRST_CHUNK <= workers.size <= 3 * FIRST_CHUNK:
                self._cut_until = limit
                workers = workers[np.argsort(self._plans[workers], kind="stable")]
                return workers, self._plans[workers]
        # Workers of that chunk that have planned again are on the heap.
        np.copyto(self._copy, self._plans)
        self._copy[self._copy <= self._cut_until] = np.inf
        self._rest, self._size, self._whole = self._copy, FIRST_CHUNK, False
        return None

    def _earliest(self) -> tuple[Integers, Floats]:
        """The next few plans: twice as many each time."""
        rest, count = self._rest, min(self._size, self._rest.size)
        if count > rest.size // 4:
            workers, self._rest = self._by_time(np.arange(rest.size)), np.empty(0)
            return workers, rest[workers]
        limit = np.partition(rest, count - 1)[count - 1]
        if self._size == FIRST_CHUNK:
            self._reach = 1.2 * (float(limit) - self._begin)
        self._size *= 2
        below = np.flatnonzero(rest < limit)
        # Of workers at the limit the lowest come first, so that a tie that the partition splits
        # is still served by worker index.
        at_limit = np.flatnonzero(rest == limit)[: count - below.size]
        workers = self._by_time(np.sort(np.concatenate([below, at_limit])))
        times = rest[workers]
        rest[workers] = np.inf
        return workers, times

    def _by_time(self, workers: Integers) -> Integers:
        return workers[np.argsort(self._rest[workers], kind="stable")]
