"""Which workers change their speed?  Those whose durations have levels over time.

The logarithms of a worker's durations are split into levels, with a penalty for each.  Levels count
only if those of every second row predict the rows between them.  Durations divided by the speed are
*work*: what the worker would take at speed 1, its fastest level.
"""

from dataclasses import dataclass

import numpy as np

from simulator.calibration.log import Sample
from simulator.cluster.law import Floats, Integers

SHORTEST = 4
"""Rows of a level."""
MOST = 1500
"""Rows that are split at once; of a longer log, means of neighbours."""
NOISE = 1e-3
"""Relative: smaller differences of durations are no change of speed."""
SURE = 4.0
"""Standard errors of a rank correlation of 0, which that of levels and rows must exceed."""
WORTH = 0.1
"""The part of the error of prediction that levels must remove."""

ALIKE = 4.0
"""Standard errors: levels that differ by less are one."""


@dataclass(frozen=True)
class Levels:
    """Speeds of a worker: each from its time on, the fastest 1."""

    times: Floats
    speeds: Floats

    def work(self, start: Floats, end: Floats) -> Floats:
        """The integral of the speed over each interval."""
        done = np.concatenate([[0.0], np.cumsum(self.speeds[:-1] * np.diff(self.times))])

        def until(time: Floats) -> Floats:
            at = np.maximum(np.searchsorted(self.times, time, side="right") - 1, 0)
            worked: Floats = done[at] + self.speeds[at] * (time - self.times[at])
            return worked

        return until(end) - until(start)


def levels_of(sample: Sample) -> dict[int, Levels]:
    """The speeds of the workers that change them."""
    if sample.start is None:
        return {}
    found = {}
    for worker in range(sample.workers):
        rows = sample.of(worker)
        start, seconds = sample.start[rows], sample.seconds[rows]
        if _predicts(np.log(seconds)):
            found[worker] = _levels(start, seconds)
    return {worker: levels for worker, levels in found.items() if len(levels.times) > 1}


def work_of(sample: Sample, levels: dict[int, Levels]) -> Sample:
    """The sample with work instead of seconds."""
    seconds = sample.seconds.copy()
    for worker, own in levels.items():
        assert sample.start is not None
        rows = sample.of(worker)
        seconds[rows] = own.work(sample.start[rows], sample.start[rows] + sample.seconds[rows])
    return Sample(sample.kind, sample.workers, sample.worker, seconds, sample.start)


def _predicts(logs: Floats) -> bool:
    """Whether levels of the even rows predict the odd ones: by rank, and by their errors."""
    from scipy.stats import rankdata

    even, odd = logs[::2], logs[1::2]
    ends = split(even)
    if len(ends) < 2:
        return False
    middles = [np.median(part) for part in np.split(even, ends[:-1])]
    level = np.repeat(middles, np.diff(ends, prepend=0))[: len(odd)]
    if level.min() == level.max() or odd.min() == odd.max():
        return False
    correlation = np.corrcoef(rankdata(level), rankdata(odd))[0, 1]
    one, several = np.abs(odd - np.median(even)).mean(), np.abs(odd - level).mean()
    sure = correlation * (len(odd) - 1) ** 0.5 > SURE
    return bool(sure and one - several > max(WORTH * one, NOISE))


def split(values: Floats) -> Integers:
    """The ends of the levels of a sequence, by least squares with a penalty for each level."""
    width = -(-len(values) // MOST)
    if width > 1:
        rest = len(values) % width
        means = values[: len(values) - rest].reshape(-1, width).mean(1)
        ends = split(means) * width
        ends[-1] = len(values)
        return ends
    noise = noise_of(values)
    # Without noise each row that differs is a level: it crosses a change.
    shortest = SHORTEST if noise > NOISE else 1
    if len(values) < 2 * shortest:
        return np.array([len(values)])
    return _cheapest(values / noise, 2 * np.log(len(values)) + 6, shortest)


def noise_of(values: Floats) -> float:
    """The standard deviation of the values around their level, from differences of neighbours."""
    between = np.abs(np.diff(values))
    return max(float(np.median(between)) / 0.954, NOISE) if len(between) else NOISE


def _cheapest(values: Floats, penalty: float, shortest: int) -> Integers:
    """Optimal partitioning: the cheapest split of every beginning, from those before it."""
    size = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    cost, last = np.full(size + 1, np.inf), np.zeros(size + 1, np.int64)
    cost[0] = 0.0
    for end in range(shortest, size + 1):
        begin = np.arange(end - shortest + 1)
        total = sums[end] - sums[begin]
        spread = squares[end] - squares[begin] - total**2 / (end - begin)
        costs = cost[begin] + spread + penalty
        last[end] = np.argmin(costs)
        cost[end] = costs[last[end]]
    ends = [size]
    while last[ends[-1]] > 0:
        ends.append(int(last[ends[-1]]))
    return np.array(ends[::-1])


def _levels(start: Floats, seconds: Floats) -> Levels:
    """Speeds and the times of their changes."""
    ends = split(np.log(seconds))
    begins = np.concatenate([[0], ends[:-1]])
    level = _pooled(np.log(seconds), begins, ends)
    speeds = level.min() / level
    times, kept = [0.0], [speeds[0]]
    for at in np.flatnonzero(np.diff(speeds)) + 1:
        change = _change(start, seconds, int(begins[at]), level.min(), speeds[at - 1], speeds[at])
        times.append(max(change, np.nextafter(times[-1], np.inf)))
        kept.append(speeds[at])
    return Levels(np.array(times), np.array(kept))


def _pooled(logs: Floats, begins: Integers, ends: Integers) -> Floats:
    """The median duration of every level; levels that hardly differ share one."""
    parts = [_inner(logs[b:e]) for b, e in zip(begins, ends, strict=True)]
    noise, middle = noise_of(logs), np.array([np.median(part) for part in parts])
    order = np.argsort(middle)
    pools: list[list[int]] = [[int(order[0])]]
    for at in map(int, order[1:]):
        pool = np.concatenate([parts[each] for each in pools[-1]])
        error = noise * (1 / len(pool) + 1 / len(parts[at])) ** 0.5
        if middle[at] - np.median(pool) < ALIKE * error:
            pools[-1].append(at)
        else:
            pools.append([at])
    for pooled in pools:
        middle[pooled] = np.median(np.concatenate([parts[each] for each in pooled]))
    durations: Floats = np.exp(middle)
    return durations


def _inner(logs: Floats) -> Floats:
    """A level without its first and last row, which a change may cross."""
    return logs[1:-1] if len(logs) > 2 else logs


def _change(
    start: Floats, seconds: Floats, row: int, work: float, before: float, after: float
) -> float:
    """When the speed changes: within the row that suits neither speed, or between two rows."""
    misfits = []
    for at, own in ((row - 1, before), (row, after)):
        begin, end = start[at], start[at] + seconds[at]
        time = (work + before * begin - after * end) / (before - after)
        misfits.append((abs(np.log(seconds[at] * own / work)), min(max(time, begin), end)))
    misfit, time = max(misfits)
    return float(time) if misfit > NOISE else float(start[row])
