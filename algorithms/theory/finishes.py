"""When do workers finish gradients, and when are there enough?  Times as the clock adds them up."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Seconds: TypeAlias = Sequence[float] | Floats  # one number per worker
Enough: TypeAlias = Callable[[Floats], bool]
"""Whether these counts of gradients per worker close a round; monotone in the counts."""
PLENTY = 2.0**52  # enough gradients of a worker, if any number is
PART = 2**22  # finishes in memory at a time


def checked(seconds: Seconds) -> Floats:
    """One positive time per worker; a ValueError names a wrong one."""
    h = np.asarray(seconds, np.float64)
    if h.ndim != 1 or not h.size:
        raise ValueError(f"seconds: must be one number per worker, not of shape {h.shape}")
    if not (h > 0).all():
        at = int(np.argmin(h > 0))
        raise ValueError(f"seconds[{at}] = {h[at]}: must be a positive number of seconds")
    return h


def in_all(batch: int) -> Enough:
    """Rennala: M gradients in all."""
    return lambda counts: bool(counts.sum() >= batch)


def balanced(batch: int) -> Enough:
    """Malenia: n² >= M sum_i 1/M_i, and every M_i >= 1; close calls are decided in fractions."""

    def enough(counts: Floats) -> bool:
        if counts.min() < 1:
            return False
        goal, estimate = len(counts) ** 2, batch * float((1 / counts).sum())
        if abs(goal - estimate) > 1e-14 * goal:  # what rounding a sum by halves may cost
            return goal > estimate
        histogram = Counter(counts.tolist())
        inverses = sum(Fraction(times, int(count)) for count, times in histogram.items())
        return goal >= batch * inverses

    return enough


def first_time(h: Floats, begin: float, enough: Enough) -> float:
    """The first finish at which the counts are enough; ``inf`` if they never are."""
    if not enough(np.where(np.isfinite(h), PLENTY, 0.0)):
        return inf
    low, high = _bracket(h, enough)
    finishes = Finishes(h, begin, np.floor(high / h) + 1, after=begin + low)
    if enough(finishes.before):  # rounding moved the time to before ``low``
        finishes = Finishes(h, begin, np.floor(high / h) + 1)
    while (finishes.last < (time := finishes.first(enough))).any():
        # Rounding delayed these workers, whose next finishes may come before the time, too.
        lengths = np.where(finishes.last < time, 2 * finishes.lengths, finishes.lengths)
        finishes = Finishes(h, begin, lengths)
    return time


def _bracket(h: Floats, enough: Enough) -> tuple[float, float]:
    """Two times: without rounding, the counts are too few at the first, enough at the second."""
    low, high = 0.0, float(h.min())
    while not enough(np.floor(high / h)):
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(np.floor(middle / h)) else (middle, high)
    return low, high


class Finishes:
    """The times at which worker i finishes its first ``lengths[i]`` gradients, in order.

    ``ends`` lists those later than ``after``; ``before`` counts the others.
    """

    def __init__(self, h: Floats, begin: float, lengths: Floats, after: float = -inf) -> None:
        self.lengths = np.where(np.isfinite(h), lengths, 0.0)
        self.before, self.last = np.zeros(len(h)), np.full(len(h), inf)
        listed = [(np.empty(0), np.empty(0, np.intp))]
        for workers in _of_one_size(self.lengths):
            count = self.lengths[workers].astype(np.intp)
            ends = _ends(h[workers], begin, int(count.max()))
            self.last[workers] = ends[count - 1, np.arange(len(workers))]
            late = ends > after
            late &= np.arange(len(ends))[:, None] < count
            self.before[workers] = count - np.count_nonzero(late, axis=0)
            listed.append((ends[late], workers[np.nonzero(late)[1]]))
        ends, workers = (np.concatenate(parts) for parts in zip(*listed, strict=True))
        order = np.argsort(ends)
        self.ends, self._workers = ends[order], workers[order]

    def counts(self, time: float) -> Floats:
        by_then = self._workers[: np.searchsorted(self.ends, time, side="right")]
        return self.before + np.bincount(by_then, minlength=len(self.before))

    def first(self, enough: Enough) -> float:
        """The first of these finishes at which the counts are enough (as at the last one)."""
        low, high = 0, len(self.ends) - 1
        while low < high:
            middle = (low + high) // 2
            if enough(self.counts(self.ends[middle])):
                high = middle
            else:
                low = middle + 1
        return float(self.ends[low])


def _ends(h: Floats, begin: float, count: int) -> Floats:
    """A row per gradient; added one by one, as the clock does, since a product would differ."""
    added = np.repeat(h[None], count, axis=0)
    added[0] += begin
    return np.add.accumulate(added, axis=0)


def _of_one_size(lengths: Floats) -> Iterator[NDArray[np.intp]]:
    """Groups of workers that fit in memory, with lengths equal within a factor of two."""
    sizes = np.frexp(lengths)[1]
    for size in np.unique(sizes[lengths > 0]):
        workers = np.flatnonzero((sizes == size) & (lengths > 0))
        parts = ceil(len(workers) * 2.0**size / PART)
        yield from np.array_split(workers, min(parts, len(workers)))
