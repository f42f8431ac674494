"""How long does the k-th computation or transfer of a worker take?  Seconds, drawn in blocks."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers

Each: TypeAlias = Callable[[Integers, Integers], Floats]
"""The seconds of the ``k[i]``-th of ``workers[i]``, all at once."""

FIRST_NUMBERS = 2**18
"""Room for what is drawn at the start, shared by all workers: 2 to 64 numbers for each."""
LARGEST_BLOCK = 1024
"""Later each worker draws as many as it has used already, up to this number."""


class Draws:
    """Every worker's seconds, as a list that grows.

    >>> Draws(lambda workers, k: 10.0 * workers + k, workers=2, varies=True).one(1, k=200)
    210.0
    """

    def __init__(self, each: Each, workers: int, *, varies: bool) -> None:
        self._each, self._varies = each, varies
        size = max(2, min(64, FIRST_NUMBERS // workers)) if varies else 1
        k = np.tile(np.arange(size), workers)
        drawn = each(np.repeat(np.arange(workers), size), k)
        self._drawn: list[list[float]] = drawn.reshape(workers, size).tolist()

    def one(self, worker: int, k: int) -> float:
        drawn = self._drawn[worker]
        if not self._varies:
            return drawn[0]
        while k >= len(drawn):
            size = min(len(drawn), LARGEST_BLOCK)
            block = np.arange(len(drawn), len(drawn) + size)
            drawn += self._each(np.full(size, worker), block).tolist()
        return drawn[k]
