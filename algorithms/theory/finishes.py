"""Which gradients are done when?  Finishes as the clock adds them up, and when they are enough."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Seconds: TypeAlias = Sequence[float] | Floats
"""One number per worker."""
Enough: TypeAlias = Callable[[Floats], bool]
"""Whether so many gradients of each worker close a round; more are never worse."""
PLENTY = 2.0**52
"""Enough gradients of a worker, if any number is."""


def checked(seconds: Seconds) -> Floats:
    """One time per worker, or a ValueError that says which is wrong."""
    h = np.asarray(seconds, np.float64)
    if h.ndim != 1 or not h.size:
        raise ValueError(f"seconds: must be one number per worker, not of shape {h.shape}")
    if not (h > 0).all():
        at = int(np.argmin(h > 0))
        raise ValueError(f"seconds[{at}] = {h[at]}: must be a positive number of seconds")
    return h


def in_all(batch: int) -> Enough:
    """Rennala: M gradients, whoever they are from."""
    return lambda counts: bool(counts.sum() >= batch)


def balanced(batch: int) -> Enough:
    """Malenia: n² >= M sum_i 1/M_i, and every M_i >= 1; close calls are decided in fractions."""

    def enough(counts: Floats) -> bool:
        if counts.min() < 1:
            return False
        goal, estimate = len(counts) ** 2, batch * float((1 / counts).sum())
        if abs(goal - estimate) > 1e-9 * goal:
            return goal > estimate
        histogram = Counter(counts.tolist())
        return goal >= batch * sum(Fraction(many, int(count)) for count, many in histogram.items())

    return enough


def first_time(h: Floats, begin: float, enough: Enough) -> float:
    """The first finish at which the counts are enough; ``inf`` if they never are."""
    finite = np.isfinite(h)
    if not enough(np.where(finite, PLENTY, 0.0)):
        return inf
    lengths = np.ceil(_roughly(h, enough) / h[finite]) + 1
    while True:
        finishes = Finishes(h[finite], lengths, begin)
        time = finishes.first(lambda counts: enough(_spread(counts, finite)))
        short = finishes.last < time
        if not short.any():
            return time
        # Rounding has held these up: what they do next may come before, too.
        lengths = np.where(short, 2 * lengths, lengths)


def _spread(counts: Floats, finite: NDArray[np.bool_]) -> Floats:
    everybody = np.zeros(len(finite))
    everybody[finite] = counts
    return everybody


def _roughly(h: Floats, enough: Enough) -> float:
    """An upper bound of how long it takes without rounding, good to a millionth."""
    low, high = 0.0, float(h.min())
    while not enough(np.floor(high / h)):
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(np.floor(middle / h)) else (middle, high)
    return high


class Finishes:
    """When workers finish their first gradients, each at least ``lengths`` of them.

    Those of about as many (within a factor of two) share a matrix, with a row per gradient.
    """

    def __init__(self, h: Floats, lengths: Floats, begin: float) -> None:
        self._parts = []
        sizes = np.frexp(lengths)[1]
        for size in np.unique(sizes):
            whom = np.flatnonzero(sizes == size)
            added = np.repeat(h[None, whom], int(lengths[whom].max()), axis=0)
            added[0] += begin
            # One after the other, as the clock does; a product would round otherwise.
            self._parts.append((whom, np.add.accumulate(added, axis=0)))
        self.last = self._gather(lambda ends: ends[-1])

    def _gather(self, of: Callable[[Floats], NDArray[np.generic]]) -> Floats:
        values = np.empty(sum(len(whom) for whom, _ in self._parts))
        for whom, ends in self._parts:
            values[whom] = of(ends)
        return values

    def counts(self, time: float) -> Floats:
        """How many each has done by then, as far as listed."""
        return self._gather(lambda ends: np.count_nonzero(ends <= time, axis=0))

    def first(self, enough: Enough) -> float:
        """The first of these finishes at which the counts are enough; at the last they are."""
        times = np.unique(np.concatenate([ends.ravel() for _, ends in self._parts]))
        low, high = 0, len(times) - 1
        while low < high:
            middle = (low + high) // 2
            if enough(self.counts(times[middle])):
                high = middle
            else:
                low = middle + 1
        return float(times[low])
