"""A random walk of speeds, as on a shared machine.

The word of (seed, worker, k) makes the step into interval k.  A reflected walk is a folded free
walk, as normal steps are symmetric.  So the speeds are sums along a row for all workers at once.
The number of intervals doubles when needed; earlier intervals never change.
"""

from dataclasses import dataclass
from math import inf, log
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from simulator.cluster.durations import InvalidDuration
from simulator.cluster.fields import FASTEST, check, check_positive, shown
from simulator.cluster.law import Bits, Floats, Integers
from simulator.cluster.random_words import keys, uniforms, words
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.pieces import Pieces, Rows, steady

MOST_BYTES = 2**30
BYTES = 16  # of each worker and interval: its speed, and the work until it ends
FIRST_NUMBERS = 2**19  # speeds of the first block, for all workers (4 MiB)
AT_ONCE = 2**18  # numbers drawn together, which bounds the temporary memory


@dataclass(frozen=True)
class RandomWalk:
    """A speed that starts at 1 and changes by chance after every interval.

    Its logarithm makes a normal step with standard deviation ``sigma``, reflected at the
    logarithms of ``low`` and ``high``.  Workers walk independently, as functions of the seed.

    >>> walk = RandomWalk(every=60.0, sigma=0.3, low=0.25, high=2.0).pace(3, seed=0)
    >>> walk.work(0, 60.0), 15.0 <= walk.work(0, 120.0) - 60.0 <= 120.0
    (60.0, True)
    """

    every: Annotated[float, Gt(0)]
    sigma: Annotated[float, Ge(0), Le(10)]
    low: Annotated[float, Gt(0), Le(1)]
    high: Annotated[float, Ge(1), Le(FASTEST)]
    random: ClassVar[bool] = True

    @property
    def interval(self) -> float | None:
        """Seconds of an interval, if speeds are drawn at all."""
        return None if self.sigma == 0 or self.low == self.high else self.every

    def pace(self, workers: int, seed: int) -> Pace:
        check_positive("every", self.every)
        check("sigma", self.sigma, 0 <= self.sigma <= 10, "must be from 0 to 10")
        check("low", self.low, 0 < self.low <= 1, "must be more than 0, and 1 at most")
        check("high", self.high, 1 <= self.high <= FASTEST, f"must be from 1 to {FASTEST:g}")
        return steady(workers) if self.interval is None else Walk(self, workers, seed)


class Walk:
    """The speeds of all workers, drawn up to the latest time in question.

    Interval k lasts from ``k * every`` to ``(k + 1) * every``.  The last one counts as endless; a
    computation that ends in it is computed again with more intervals.
    """

    _pieces: Pieces

    def __init__(self, walk: RandomWalk, workers: int, seed: int) -> None:
        self._walk, self._every = walk, walk.every
        self._keys: Bits = keys(seed, "cluster.speed", workers)
        self._most = MOST_BYTES // (BYTES * workers)
        self._extent, self._horizon = 0, 0.0
        self._free = np.zeros(workers)  # the free walks
        self._done = np.zeros(workers)  # the work of all intervals
        self._speeds, self._works = np.zeros((workers, 1)), np.zeros((workers, 1))

    def work(self, worker: int, time: float) -> float:
        if time == inf:
            return inf
        self._reach(time)
        return self._pieces.work(worker, time)

    def finish(self, worker: int, start: float, seconds: float) -> float:
        if start + seconds == inf or seconds <= 0:
            return start + seconds
        self._reach(start)
        while (end := self._pieces.finish(worker, start, seconds)) > self._horizon:
            self._check_memory(start + seconds / self._walk.high)
            self._grow(self._horizon)
        return end

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        busy = (starts + seconds < inf) & (seconds > 0)
        if not busy.any():
            return starts + seconds
        self._reach(float(starts[busy].max()))
        while True:
            ends = self._pieces.finish_all(starts, seconds)
            behind = busy & (ends > self._horizon)
            if not behind.any():
                return ends
            self._check_memory(float((starts[behind] + seconds[behind] / self._walk.high).max()))
            self._grow(self._horizon)

    def _reach(self, time: float) -> None:
        if time >= self._horizon:
            self._check_memory(time)
        while time >= self._horizon:
            self._grow(time)

    def _check_memory(self, time: float) -> None:
        """Refuse a time whose intervals would need too much memory."""
        if time / self._every >= self._most:
            workers, most = len(self._keys), f"{MOST_BYTES / 2**30:g} GiB"
            raise InvalidDuration(
                f"cluster.speed.every = {shown(self._every)}: must be more: the speeds of "
                f"{workers} workers until {time:g} seconds take more than {most}"
            )

    def _grow(self, time: float) -> None:
        """Double the intervals, or draw as many as still fit."""
        workers, first = len(self._keys), self._extent
        wanted = first or max(16, min(1024, FIRST_NUMBERS // workers))
        size = min(wanted, self._most - first)
        if size <= 0:
            self._check_memory(max(time, self._most * self._every))
        if first:
            del self._pieces  # to free each table as it is replaced
        self._speeds = _longer(self._speeds, size)
        self._works = _longer(self._works, size)
        times = self._every * np.arange(first + size + 1, dtype=np.float64)
        self._draw(first, np.diff(times[first:]))
        self._extent, self._horizon = first + size, float(times[-1])
        self._done = self._works[:, -1].copy()
        times[-1] = self._works[:, -1] = inf
        ends = np.arange(workers + 1) * len(times)
        self._pieces = Pieces(Rows(ends, times, self._speeds.ravel(), self._works.ravel()))

    def _draw(self, first: int, gaps: Floats) -> None:
        """The speeds of the intervals from ``first`` on, and the work done in them."""
        workers, k = len(self._keys), np.arange(first, first + len(gaps))
        rows = max(1, AT_ONCE // len(k))
        for row in range(0, workers, rows):
            part = slice(row, row + rows)
            speeds = self._speeds[part, first:-1] = self._walk_on(part, k)
            area = speeds * gaps
            area[:, 0] += self._done[part]
            self._works[part, first] = self._done[part]
            np.cumsum(area, axis=1, out=self._works[part, first + 1 :])

    def _walk_on(self, part: slice, k: Integers) -> Floats:
        from scipy.special import ndtri

        low, high = self._walk.low, self._walk.high
        steps = self._walk.sigma * ndtri(uniforms(words(self._keys[part, np.newaxis], k)))
        if k[0] == 0:
            steps[:, 0] = 0.0
        steps[:, 0] += self._free[part]
        free = np.cumsum(steps, axis=1)
        self._free[part] = free[:, -1]
        floor, width = log(low), log(high) - log(low)
        height = np.mod(free - floor, 2 * width)
        folded = floor + np.where(height > width, 2 * width - height, height)
        # Rounding of logarithms and exponentials may exceed the limits.
        return np.clip(np.exp(folded), low, high)


def _longer(table: Floats, columns: int) -> Floats:
    longer = np.empty((len(table), table.shape[1] + columns))
    longer[:, : table.shape[1]] = table
    return longer
