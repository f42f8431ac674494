"""What has every worker done?  Counts of gradients and sums of seconds, in arrays.

Whole arrays are for what happens to everybody at once; memory views of the same arrays (``at_...``)
give plain Python numbers, several times faster, to the events of single workers.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers

NEVER = float("inf")


class Books:
    """The accounts of all workers of one simulation.

    Seconds of sending are entered when they begin, up to where they will end; whoever reads the
    books takes off what still lies ahead.
    """

    def __init__(self, workers: int) -> None:
        # Gradients that were done; that the server dropped; obsolete ones that were done, or not
        # even that, when their worker was lost; done ones that went with their worker.
        self.done, self.refused, self.obsolete = (integers(workers) for _ in range(3))
        self.broken, self.gone = integers(workers), integers(workers)
        self.waiting = integers(workers)  # done, but in no step yet
        self.busy, self.spent_well = floats(workers), floats(workers)
        self.communicating, self.down = floats(workers), floats(workers)
        self.sending_from, self.sending_until = floats(workers), floats(workers)
        self._open = floats(workers, NEVER)  # since when it sends, where the end is not known yet
        self.last = floats(workers)  # the seconds of the newest gradient that was done
        self._held, self._held_seconds = integers(workers), floats(workers)
        self._view()

    def _view(self) -> None:
        self._at_done, self._at_waiting = counts(self.done), counts(self.waiting)
        self._at_busy, self._at_spent_well = scalars(self.busy), scalars(self.spent_well)
        self.at_last, self._at_communicating = scalars(self.last), scalars(self.communicating)
        self._at_open, self._at_until = scalars(self._open), scalars(self.sending_until)

    def computed(self, worker: int, seconds: float) -> None:
        """A gradient is done."""
        self._at_done[worker] += 1
        self._at_waiting[worker] += 1
        self._at_busy[worker] += seconds
        self._at_spent_well[worker] += seconds
        self.at_last[worker] = seconds

    def use(self, worker: int) -> None:
        """A gradient that waited goes into a server step."""
        self._at_waiting[worker] -= 1

    def drop(self, worker: int, seconds: float) -> None:
        """The server throws away a gradient."""
        self.refused[worker] += 1
        self._waste(worker, 1, seconds)

    def _waste(self, worker: int, gradients: int, seconds: float) -> None:
        """Gradients that waited come to nothing."""
        self._at_waiting[worker] -= gradients
        self._at_spent_well[worker] -= seconds

    # Seconds

    def communicates(self, worker: int, seconds: float) -> None:
        self._at_communicating[worker] += seconds

    def sends(self, worker: int, begin: float, end: float) -> None:
        """It sends, computing nothing, from ``begin`` to ``end``, which may lie ahead."""
        self._at_communicating[worker] += max(0.0, end - begin)
        self.sending_from[worker], self.sending_until[worker] = begin, end

    def opens(self, worker: int, begin: float) -> None:
        """It begins to send; the end is not known yet."""
        self._open[worker] = begin

    def closes(self, worker: int, end: float) -> None:
        """What ``opens`` began ends."""
        begin = float(self._open[worker])
        if begin < end:
            self._at_communicating[worker] += end - begin
        self._open[worker] = NEVER

    def was_down(self, worker: int, begin: float, end: float) -> None:
        """An outage is over."""
        self.down[worker] += end - begin
        if self._open[worker] < end:
            self._open[worker] += end - max(begin, float(self._open[worker]))

    def goes_down(self, worker: int, now: float, until: float) -> None:
        """An outage: seconds of sending that fall into it count as down."""
        end = float(self.sending_until[worker])
        ahead = min(end, until) - max(now, float(self.sending_from[worker]))
        if ahead > 0:
            self._at_communicating[worker] -= ahead
            self.sending_from[worker], self.sending_until[worker] = min(end, until), end

    def computes_until(self, worker: int, now: float, finish: float) -> None:
        """An old computation ends later than was thought: it hides more of the sending ahead."""
        begin, end = max(now, float(self.sending_from[worker])), float(self.sending_until[worker])
        later = min(end, max(begin, finish))
        if end > begin and later > begin:
            self._at_communicating[worker] -= later - begin
            self.sending_from[worker] = later
        if self._open[worker] < NEVER:
            self._open[worker] = max(float(self._open[worker]), finish)

    def computes_no_more(self, worker: int, now: float) -> None:
        """An old computation is lost, and hides no more what the worker sends from now on."""
        begin = float(self.sending_from[worker])
        if begin > now:
            self._at_communicating[worker] += begin - now
            self.sending_from[worker] = now
        if self._open[worker] < NEVER:
            self._open[worker] = min(float(self._open[worker]), now)

    # Gradients that a worker still holds, where it may be lost with them

    def hold(self, worker: int) -> None:
        """The gradient that was done last stays with the worker, or is on its way."""
        self._held[worker] += 1
        self._held_seconds[worker] += self.at_last[worker]

    def let_go(self, worker: int) -> None:
        """What the worker held is safe."""
        self._held[worker], self._held_seconds[worker] = 0, 0.0

    def let_go_one(self, worker: int, seconds: float) -> None:
        """A gradient is not held any more."""
        self._held[worker] -= 1
        self._held_seconds[worker] -= seconds

    def lose_held(self, worker: int) -> None:
        """The worker is gone with all that it held, and sends no more."""
        held = int(self._held[worker])
        self.gone[worker] += held
        self._waste(worker, held, float(self._held_seconds[worker]))
        self.let_go(worker)

    def hide_sending(self, worker: int, now: float) -> None:
        """It has something else to do, which the rest of a transfer hides behind."""
        if self._at_until[worker] > now or self._at_open[worker] < NEVER:
            self.stop_sending(worker, now)

    def stop_sending(self, worker: int, now: float) -> None:
        """A transfer takes no more of its time: it is broken off, or hides."""
        self.closes(worker, now)
        ahead = float(self.sending_until[worker]) - max(now, float(self.sending_from[worker]))
        if ahead > 0:
            self._at_communicating[worker] -= ahead
            self.sending_until[worker] = self.sending_from[worker] = now

    def communicating_by(self, now: float, down_from: Floats) -> Floats:
        """The seconds so far: without those that lie ahead, with those of open transfers."""
        ahead = self.sending_until - np.maximum(now, self.sending_from)
        still = np.minimum(now, down_from) - self._open
        total: Floats = self.communicating - np.maximum(ahead, 0) + np.maximum(still, 0)
        return total


def floats(workers: int, value: float = 0.0) -> Floats:
    return np.full(workers, value)


def integers(workers: int, value: int = 0) -> Integers:
    return np.full(workers, value, np.int64)


def scalars(array: Floats) -> "memoryview[float]":
    return cast("memoryview[float]", array.data)


def counts(array: NDArray[Any]) -> "memoryview[int]":
    return array.data
