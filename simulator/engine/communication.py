"""How long has each worker communicated: sent or received while neither computing nor down?

Between two changes of its plans a worker does three things in turn: it ends obsolete work, waits,
and computes.  While it waits, it communicates as long as an order or a gradient of its own is on
the way.  So the seconds up to now follow from a few planned times; they are added up before each
change.
"""

from collections.abc import Iterable

import numpy as np

from simulator.cluster.law import Floats
from simulator.engine.totals import NEVER, floats, viewed


class Communication:
    """The communicating ``seconds`` of all workers; a free network does not need it.

    ``obsolete_until`` and ``down_from`` are shared with their owner.
    """

    def __init__(self, workers: int, obsolete_until: Floats, down_from: Floats) -> None:
        self._obsolete_until, self._at_obsolete = viewed(obsolete_until)
        self._down_from, self._at_down = viewed(down_from)
        self.seconds, self._at_seconds = viewed(floats(workers))
        self._settled, self._at_settled = viewed(floats(workers))
        # From then on the worker computes without a break; before, the order is on its way.
        self._computes_from, self._at_from = viewed(floats(workers, NEVER))
        self._alone_until, self._at_alone = viewed(floats(workers))
        self._together_until, self._at_together = viewed(floats(workers))
        self._open = [0] * workers  # single gradients on their way with unknown end

    def settle(self, now: float, worker: int) -> None:
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
        begin = np.maximum(self._settled, self._obsolete_until)
        sends_until = np.maximum(self._alone_until, self._together_until)
        end = np.where(self._computes_from < NEVER, self._computes_from, sends_until)
        seconds = np.maximum(np.minimum(now, end) - begin, 0)
        self.seconds += np.where(self._down_from < NEVER, 0, seconds)
        self._settled.fill(now)

    # Changes of a worker's plans

    def computes(self, now: float, worker: int, start: float) -> None:
        """The worker computes from ``start`` on; never, if its order has ended."""
        self.settle(now, worker)
        self._at_from[worker] = start

    def all_compute(self, now: float, start: Floats | float) -> None:
        self.settle_all(now)
        self._computes_from[:] = start

    def sends_together(self, now: float, worker: int, until: float) -> None:
        self.settle(now, worker)
        self._at_together[worker] = until

    def has_sent(
        self, worker: int, begin: float, end: float, outages: Iterable[tuple[float, float]]
    ) -> None:
        """Add past sending of a collective; a worker that went on computing did not send."""
        if self._at_from[worker] < NEVER:
            return
        begin = max(begin, min(end, self._at_alone[worker]))
        down = sum(max(0.0, min(up, end) - max(away, begin)) for away, up in outages)
        self._at_seconds[worker] += max(0.0, end - begin - down)

    def sends(self, now: float, worker: int, until: float) -> None:
        """The worker sends a single gradient; if the end is unknown, until ``closes``."""
        self.settle(now, worker)
        self._open[worker] += until == NEVER
        self._at_alone[worker] = max(until, self._at_alone[worker])

    def closes(self, now: float, worker: int) -> None:
        """A single gradient with unknown end has arrived."""
        self.settle(now, worker)
        self._open[worker] -= 1
        if not self._open[worker]:
            self._at_alone[worker] = now

    def breaks_off(self, now: float, worker: int) -> None:
        """The worker loses its order and its single gradients, but stays in a collective."""
        self.computes(now, worker, NEVER)
        self._at_alone[worker] = now
        self._open[worker] = 0
