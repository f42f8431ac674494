"""Counts of each worker's gradients and sums of its seconds.

Only past events are counted.  Unfinished gradients are the started ones without another outcome.
"""

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers

Whole = TypeVar("Whole", bound=NDArray[np.integer[Any]])
NEVER = float("inf")


class Totals:
    """The counts and seconds of all workers, without the work under way.

    Lists hold what each gradient changes, since they are twice as fast as arrays; arrays hold what
    changes for all workers at once.
    """

    def __init__(self, workers: int) -> None:
        self.done, self.used = [0] * workers, [0] * workers
        # Seconds of the newest completed gradient, and of all of them.
        self.last, self.computing = [0.0] * workers, [0.0] * workers
        self.recalled, self.dropped, self.lost = (integers(workers) for _ in range(3))
        # Seconds of computations without a gradient or with an obsolete one; of gradients that
        # were dropped or lost afterwards; of outages.
        self.broken_off, self.spoilt, self.down = (floats(workers) for _ in range(3))
        # Gradients that a worker still holds and would lose in an outage.
        self._held, self._held_seconds = integers(workers), floats(workers)

    def drop(self, worker: int, seconds: float) -> None:
        self.dropped[worker] += 1
        self.spoilt[worker] += seconds

    def recall(self, worker: int, seconds: float) -> None:
        """A computation ends without a gradient."""
        self.recalled[worker] += 1
        self.broken_off[worker] += seconds

    def lose(self, worker: int, seconds: float) -> None:
        """A computation ends with its worker's outage."""
        self.lost[worker] += 1
        self.broken_off[worker] += seconds

    def hold(self, worker: int) -> None:
        """The worker holds or sends the gradient that it completed last."""
        self._held[worker] += 1
        self._held_seconds[worker] += self.last[worker]

    def let_go(self, worker: int) -> None:
        self._held[worker], self._held_seconds[worker] = 0, 0.0

    def let_go_one(self, worker: int, seconds: float) -> None:
        self._held[worker] -= 1
        self._held_seconds[worker] -= seconds

    def lose_held(self, worker: int) -> None:
        self.lost[worker] += self._held[worker]
        self.spoilt[worker] += self._held_seconds[worker]
        self.let_go(worker)


def floats(workers: int, value: float = 0.0) -> Floats:
    return np.full(workers, value)


def integers(workers: int, value: int = 0) -> Integers:
    return np.full(workers, value, np.int64)


def viewed(array: Floats) -> "tuple[Floats, memoryview[float]]":
    """An array and a view of it with plain numbers, for one worker at a time."""
    return array, cast("memoryview[float]", array.data)


def counted(array: Whole) -> "tuple[Whole, memoryview[int]]":
    return array, array.data
