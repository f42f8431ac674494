"""Who is there?  Outages begin and end, one after the other, as their times come."""

from collections.abc import Callable

import numpy as np

from simulator.cluster.outages import Absences
from simulator.engine.books import NEVER
from simulator.engine.calendar import Calendar
from simulator.engine.clock import Clock, Happening, outage_rank


class Attendance:
    """Calls ``leave(worker, until)`` and ``come_back(worker)``, after all arrivals of an instant.

    Of all changes SimPy holds one: the earliest.
    """

    def __init__(
        self,
        clock: Clock,
        absences: Absences,
        leave: Callable[[int, float], None],
        come_back: Callable[[int], None],
    ) -> None:
        self._clock, self._absences = clock, absences
        self._leave, self._come_back = leave, come_back
        self._next = absences.begin.copy()
        self._away = np.zeros(len(self._next), bool)
        self._calendar = Calendar(self._next)

    def begin(self) -> None:
        """Who joins later is away from the start."""
        for worker in np.flatnonzero(self._next <= 0).tolist():
            self._change(worker)
        self._calendar.fill()
        self._arm()

    def returns(self, worker: int) -> bool:
        """Whether the worker is to be away once more, and so to lose what it is stuck in."""
        return not self._away[worker] and self._next[worker] < NEVER

    def _arm(self) -> None:
        entry = self._calendar.earliest()
        if entry is not None:
            self._calendar.take(entry)
            rank = outage_rank(entry[1], len(self._next))
            self._clock.at(entry[0], rank, self._happens, entry[1])

    def _happens(self, event: Happening) -> None:
        worker: int = event.value
        self._change(worker)
        if self._next[worker] < NEVER:
            self._calendar.push((float(self._next[worker]), worker))
        self._arm()

    def _change(self, worker: int) -> None:
        absences = self._absences
        if self._away[worker]:
            self._away[worker] = False
            absences.next(worker)
            self._next[worker] = absences.begin[worker]
            self._come_back(worker)
        else:
            self._away[worker] = True
            self._next[worker] = absences.end[worker]
            self._leave(worker, float(absences.end[worker]))
