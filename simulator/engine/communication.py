"""How long has each worker communicated?  It sent or received, and neither computed nor was down.

Between two changes of its plans a worker does three things in turn: it ends what is obsolete, it
waits, it computes.  While it waits it communicates as long as an order or a gradient of its own is
on the way.  So the seconds up to now follow from a few planned times, and are added up before one
of these changes.  What lies ahead is in no sum.
"""

from collections.abc import Iterable

import numpy as np

from simulator.cluster.law import Floats
from simulator.engine.totals import NEVER, floats, viewed


class Communication:
    """The communicating ``seconds`` of all workers; a free network needs none of this.

    ``obsolete_until`` and ``down_from`` are shared with their owner.
    """

    def __init__(self, workers: int, obsolete_until: Floats, down_from: Floats) -> None:
        self._obsolete_until, self._at_obsolete = viewed(obsolete_until)
        self._down_from, self._at_down = viewed(down_from)
        self.seconds, self._at_seconds = viewed(floats(workers))
        self._settled, self._at_settled = viewed(floats(workers))
        # Without a break; before it, the order comes.
        self._computes_from, self._at_from = viewed(floats(workers, NEVER))
        self._alone_until, self._at_alone = viewed(floats(workers))
        self._together_until, self._at_together = viewed(floats(workers))
        self._open = [0] * workers  # single gradients on their way whose end is not known

    def settle(self, now: float, worker: int) -> None:
        """Add up a worker's seconds until now."""
        begin, end = self._at_settled[worker], self._at_from[worker]
        self._at_settled[worker] = now
        if self._at_down[worker] < NEVER:
            return
        if end == NEVER:
            end = max(self._at_alone[worker], self._at_together[worker])
        seconds = min(now, end) - max(begin, self._at_obsolete[worker])
        if seconds > 0:
            self._at_seconds[worker] += seconds

    def settle_all(self, now: float) -> None:
        """Add up everybody's seconds until now."""
        begin = np.maximum(self._settled, self._obsolete_until)
        sends_until = np.maximum(self._alone_until, self._together_until)
        end = np.where(self._computes_from < NEVER, self._computes_from, sends_until)
        seconds = np.maximum(np.minimum(now, end) - begin, 0)
        self.seconds += np.where(self._down_from < NEVER, 0, seconds)
        self._settled.fill(now)

    # What changes a worker's plans

    def computes(self, now: float, worker: int, start: float) -> None:
        """It has an order, and will compute from ``start`` on; never, if it has none any more."""
        self.settle(now, worker)
        self._at_from[worker] = start

    def all_compute(self, now: float, start: Floats | float) -> None:
        """The same for everybody."""
        self.settle_all(now)
        self._computes_from[:] = start

    def sends_together(self, now: float, worker: int, until: float) -> None:
        """It takes part in a collective."""
        self.settle(now, worker)
        self._at_together[worker] = until

    def has_sent(
        self, worker: int, begin: float, end: float, outages: Iterable[tuple[float, float]]
    ) -> None:
        """It turns out to have sent all the while, unless it went on computing."""
        if self._at_from[worker] < NEVER:
            return
        begin = max(begin, min(end, self._at_alone[worker]))
        down = sum(max(0.0, min(up, end) - max(away, begin)) for away, up in outages)
        self._at_seconds[worker] += max(0.0, end - begin - down)

    def sends(self, now: float, worker: int, until: float) -> None:
        """It sends a single gradient; where the end is not known, until ``closes``."""
        self.settle(now, worker)
        self._open[worker] += until == NEVER
        self._at_alone[worker] = max(until, self._at_alone[worker])

    def closes(self, now: float, worker: int) -> None:
        """A single gradient whose end was not known is through."""
        self.settle(now, worker)
        self._open[worker] -= 1
        if not self._open[worker]:
            self._at_alone[worker] = now

    def breaks_off(self, now: float, worker: int) -> None:
        """It loses its order and its single gradients; its part in a collective goes on."""
        self.computes(now, worker, NEVER)
        self._at_alone[worker] = now
        self._open[worker] = 0
