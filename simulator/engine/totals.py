"""What has every worker done?  Counts of gradients and sums of seconds, in arrays.

An entry is made when something has happened, never before.  Unfinished gradients are not counted:
they are those started that are nothing else.
"""

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers

Whole = TypeVar("Whole", bound=NDArray[np.integer[Any]])
NEVER = float("inf")


class Totals:
    """The counts and seconds of all workers, up to what is still under way.

    What every gradient changes is in lists, which are twice as fast as arrays; what changes for
    everybody at once is in arrays.
    """

    def __init__(self, workers: int) -> None:
        self.done, self.used = [0] * workers, [0] * workers
        self.last, self.computing = [0.0] * workers, [0.0] * workers
        """Seconds of the newest gradient that was done, and of all of them."""
        self.recalled, self.dropped, self.lost = (integers(workers) for _ in range(3))
        # Seconds of computations that came to no gradient, or to one that was obsolete; of
        # gradients that were dropped or lost afterwards; of outages.
        self.broken_off, self.spoilt, self.down = (floats(workers) for _ in range(3))
        # Gradients that a worker still holds, where it may be lost with them.
        self._held, self._held_seconds = integers(workers), floats(workers)

    def drop(self, worker: int, seconds: float) -> None:
        """The server throws away a gradient."""
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
        """The gradient that was done last stays with the worker, or is on its way."""
        self._held[worker] += 1
        self._held_seconds[worker] += self.last[worker]

    def let_go(self, worker: int) -> None:
        """What the worker held is safe."""
        self._held[worker], self._held_seconds[worker] = 0, 0.0

    def let_go_one(self, worker: int, seconds: float) -> None:
        """A gradient is not held any more."""
        self._held[worker] -= 1
        self._held_seconds[worker] -= seconds

    def lose_held(self, worker: int) -> None:
        """The worker is gone with all that it held."""
        self.lost[worker] += self._held[worker]
        self.spoilt[worker] += self._held_seconds[worker]
        self.let_go(worker)


def floats(workers: int, value: float = 0.0) -> Floats:
    return np.full(workers, value)


def integers(workers: int, value: int = 0) -> Integers:
    return np.full(workers, value, np.int64)


def viewed(array: Floats) -> "tuple[Floats, memoryview[float]]":
    """An array, and a view of it whose entries are plain numbers, for one worker at a time."""
    return array, cast("memoryview[float]", array.data)


def counted(array: Whole) -> "tuple[Whole, memoryview[int]]":
    return array, array.data
