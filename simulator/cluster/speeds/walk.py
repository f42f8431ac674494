"""Where has chance led every worker's speed?  Drawn as far as anybody has asked, and remembered.

The word of (seed, worker, k) makes the step into interval k.  A reflected walk is a free one,
folded: after a reflection the steps are mirrored, which a normal step does not mind.  So a block
of intervals is a sum along the row, for all workers at once, and blocks double: what was drawn
before never moves, and no question changes the answer to another.

Rounding: what begins and ends in one interval takes ``seconds / speed`` to the last bit.  Other
ends are off by the rounding of the sum of the work of the m intervals since time 0, (m + 3) 2^-53
of it at most, divided by the speed.
"""

from bisect import bisect_left, bisect_right
from math import floor, inf, log
from typing import cast

import numpy as np

from simulator.cluster.durations import InvalidDuration
from simulator.cluster.law import Bits, Floats, Integers
from simulator.cluster.random_words import uniforms, words
from simulator.cluster.speeds import search
from simulator.cluster.speeds.entries import shown

MOST_BYTES = 2**30
BYTES = 16
"""For each worker and interval: its speed, and the work until it ends."""
FIRST_NUMBERS = 2**19
"""Room for the first block's speeds (4 MiB), shared by all workers."""
AT_ONCE = 2**18
"""Numbers drawn in one go, so that what is needed in between stays small."""


class Block:
    """Intervals from ``first`` on, a row for each worker; ``begun`` is the work before them."""

    def __init__(self, first: int, speeds: Floats, works: Floats, begun: Floats) -> None:
        self.first: int = first
        self.size: int = speeds.shape[1]
        self.speeds, self.works, self.begun = speeds.ravel(), works.ravel(), begun
        self.speeds_ = cast("memoryview[float]", self.speeds.data)
        self.works_ = cast("memoryview[float]", self.works.data)

    def before(self, worker: int, k: int) -> float:
        """The work of a worker before interval k."""
        if k == self.first:
            return float(self.begun[worker])
        return self.works_[worker * self.size + k - self.first - 1]

    def ends(self) -> Floats:
        """The work of each worker until the block ends."""
        return self.works[self.size - 1 :: self.size]


class Walk:
    """The speeds of all workers: interval k lasts from ``k * every`` to ``(k + 1) * every``."""

    def __init__(self, keys: Bits, every: float, sigma: float, low: float, high: float) -> None:
        self._keys, self._every, self._sigma, self._low, self._high = keys, every, sigma, low, high
        self._free = np.zeros(len(keys))  # where the free walks stand
        self._blocks: list[Block] = []
        self._firsts: list[int] = []
        self._extent = 0
        self._most = MOST_BYTES // (BYTES * len(keys))

    def work(self, worker: int, time: float) -> float:
        if time == inf:
            return inf
        k, block = self._find(time)
        place = worker * block.size + k - block.first
        return block.before(worker, k) + block.speeds_[place] * (time - k * self._every)

    def time(self, worker: int, work: float) -> float:
        return self.finish(worker, 0.0, work)

    def finish(self, worker: int, start: float, seconds: float) -> float:
        end = start + seconds
        if end == inf or seconds <= 0:
            return end
        every = self._every
        k, block = self._find(start)
        place = worker * block.size + k - block.first
        speed, until = block.speeds_[place], (k + 1) * every
        took = seconds / speed
        if start + took <= until:
            return start + took
        work = block.works_[place] + max(0.0, seconds - speed * (until - start))
        self._look_out(start + seconds / self._high)
        block = self._reach(worker, work, block)
        low = worker * block.size
        place = bisect_left(block.works_, work, low, low + block.size)
        k = block.first + place - low
        rest = work - block.before(worker, k)
        return max(start, k * every + rest / block.speeds_[place])

    def _find(self, time: float) -> tuple[int, Block]:
        """The interval of a time, and its block."""
        self._look_out(time)
        k = floor(time / self._every)
        while k >= self._extent:
            self._grow(time)
        return k, self._blocks[bisect_right(self._firsts, k) - 1]

    def _reach(self, worker: int, work: float, block: Block) -> Block:
        """The first block, from this one on, in which a worker has done so much work."""
        while work > block.works_[(worker + 1) * block.size - 1]:
            following = bisect_right(self._firsts, block.first)
            if following == len(self._blocks):
                self._grow(self._extent * self._every)
            block = self._blocks[following]
        return block

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        """``finish``, in the same operations, so that the last bits agree."""
        every, ends = self._every, starts + seconds
        busy = np.flatnonzero((ends < inf) & (seconds > 0))
        if not busy.size:
            return ends
        start, seconds = starts[busy], seconds[busy]
        k = self._intervals(start)
        speed, work = self._look_up(busy, k)
        until = (k + 1) * every
        with np.errstate(over="ignore"):
            took = seconds / speed
            ends[busy] = start + took
        later = np.flatnonzero(start + took > until)
        if later.size:
            start, seconds = start[later], seconds[later]
            self._look_out(float((start + seconds / self._high).max()))
            rest = np.maximum(0.0, seconds - speed[later] * (until[later] - start))
            reached = self._reach_all(busy[later], work[later] + rest)
            ends[busy[later]] = np.maximum(start, reached)
        return ends

    def _intervals(self, times: Floats) -> Integers:
        self._find(float(times.max()))
        return np.floor(times / self._every).astype(np.int64)

    def _look_up(self, workers: Integers, k: Integers) -> tuple[Floats, Floats]:
        """The speeds in these intervals, and the work until they end."""
        speeds, works = np.empty(len(k)), np.empty(len(k))
        for block in self._blocks:
            here = np.flatnonzero((k >= block.first) & (k < block.first + block.size))
            places = workers[here] * block.size + k[here] - block.first
            speeds[here], works[here] = block.speeds[places], block.works[places]
        return speeds, works

    def _reach_all(self, workers: Integers, work: Floats) -> Floats:
        """When each of these workers has done so much work."""
        times = np.empty(len(work))
        pending, at = np.arange(len(work)), 0
        while pending.size:
            if at == len(self._blocks):
                self._grow(self._extent * self._every)
            block, at = self._blocks[at], at + 1
            within = work[pending] <= block.ends()[workers[pending]]
            here, pending = pending[within], pending[~within]
            times[here] = self._times_in(block, workers[here], work[here])
        return times

    def _times_in(self, block: Block, workers: Integers, work: Floats) -> Floats:
        low = workers * block.size
        place = search.bisect_left(block.works, work, low, low + block.size)
        k = block.first + place - low
        before = np.where(place > low, block.works[place - 1], block.begun[workers])
        times: Floats = k * self._every + (work - before) / block.speeds[place]
        return times

    def _look_out(self, time: float) -> None:
        """Refuse what would need too much memory before any of it is taken."""
        if time / self._every >= self._most:
            workers, most = len(self._keys), f"{MOST_BYTES / 2**30:g} GiB"
            raise InvalidDuration(
                f"cluster.speed.every = {shown(self._every)}: must be more: the speeds of "
                f"{workers} workers until {time:g} seconds take more than {most}"
            )

    def _grow(self, time: float) -> None:
        """Draw as many intervals again as there are, or as many as still fit."""
        workers, first = len(self._keys), self._extent
        wanted = first or max(16, min(1024, FIRST_NUMBERS // workers))
        size = min(wanted, self._most - first)
        if size <= 0:
            self._look_out(max(time, self._most * self._every))
        begun = self._blocks[-1].ends().copy() if first else np.zeros(workers)
        speeds, works = np.empty((workers, size)), np.empty((workers, size))
        gaps = np.diff(np.arange(first, first + size + 1) * self._every)
        rows = max(1, AT_ONCE // size)
        for row in range(0, workers, rows):
            part = slice(row, row + rows)
            speeds[part] = self._walk_on(part, np.arange(first, first + size))
            area = speeds[part] * gaps
            area[:, 0] += begun[part]
            np.cumsum(area, axis=1, out=works[part])
        self._blocks.append(Block(first, speeds, works, begun))
        self._firsts.append(first)
        self._extent = first + size

    def _walk_on(self, part: slice, k: Integers) -> Floats:
        from scipy.special import ndtri

        steps = self._sigma * ndtri(uniforms(words(self._keys[part, np.newaxis], k)))
        if k[0] == 0:
            steps[:, 0] = 0.0
        steps[:, 0] += self._free[part]
        free = np.cumsum(steps, axis=1)
        self._free[part] = free[:, -1]
        floor, width = log(self._low), log(self._high) - log(self._low)
        height = np.mod(free - floor, 2 * width)
        folded = floor + np.where(height > width, 2 * width - height, height)
        # The logarithm of a limit, and its exponential, are rounded; the limit is not.
        return np.clip(np.exp(folded), self._low, self._high)
