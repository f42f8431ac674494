"""Outages: when they begin and end, and whether the worker loses its work or pauses it."""

from collections.abc import Callable

import numpy as np

from simulator.cluster.outages import Absences
from simulator.engine.calendar import Calendar
from simulator.engine.clock import Clock, Happening, outage_rank
from simulator.engine.limits import LimitedEnd
from simulator.engine.totals import NEVER
from simulator.engine.workers import Workers


class Attendance:
    """Calls ``leave(worker, until)`` and ``come_back(worker)``, after all arrivals of an instant.

    SimPy holds only the earliest of these changes.
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
        for worker in np.flatnonzero(self._next <= 0).tolist():
            self._change(worker)
        self._calendar.fill()
        self._arm()

    def returns(self, worker: int) -> bool:
        """Whether another outage will end what the worker is stuck in."""
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
        absences, self._away[worker] = self._absences, not self._away[worker]
        if self._away[worker]:
            self._next[worker] = absences.end[worker]
            self._leave(worker, float(absences.end[worker]))
        else:
            absences.next(worker)
            self._next[worker] = absences.begin[worker]
            self._come_back(worker)


def pause(workers: Workers, now: float, worker: int, until: float) -> float:
    """Pause a worker's work until its return; returns the end of its plan after that."""
    if workers.communication:
        workers.communication.settle(now, worker)
    workers.down_from[worker], workers.up_at[worker] = now, until
    free, limits = until, workers.limits
    if workers.old_start[worker] < NEVER and workers.old_finish[worker] > now:
        finish = float(workers.old_finish[worker])
        free = _resumed(workers, worker, now, until, finish, limits.old_ends)
        workers.old_finish[worker] = free
    workers.at_free[worker] = free
    start = workers.at_start[worker]
    if start == NEVER:
        return NEVER
    if start <= now:
        finish = workers.at_finish[worker]
        finish = _resumed(workers, worker, now, until, finish, limits.ends)
        workers.at_finish[worker] = finish
        if finish == NEVER:
            workers.stuck.add(worker)
        return finish
    workers.at_start[worker] = workers.at_finish[worker] = NEVER
    workers.at_begun[worker] -= 1
    if free == NEVER and workers.trace:
        workers.trace.received(workers, worker, now)
    return workers.plan(now, worker, start)


def _resumed(
    workers: Workers,
    worker: int,
    now: float,
    until: float,
    finish: float,
    limited: dict[int, LimitedEnd],
) -> float:
    """The end, after a pause up to ``until``, of a computation that would end at ``finish``."""
    ends = limited.get(worker)
    done = finish if ends is None else ends.done
    if workers.pace is None or NEVER in (done, until):
        done = until + (done - now)
    else:
        left = workers.pace.work(worker, done) - workers.pace.work(worker, now)
        done = workers.pace.finish(worker, until, left)
    if ends is None:
        return done
    limited[worker] = ends = LimitedEnd(done, until + (ends.limit - now))
    return min(ends)


def lose(workers: Workers, now: float, worker: int, until: float) -> None:
    """Lose a worker's order, its computation and all gradients that it holds or sends.

    Its part in an all-reduce goes on.
    """
    if workers.communication:
        workers.communication.breaks_off(now, worker)
    workers.down_from[worker], workers.up_at[worker] = now, until
    workers.absent[worker], workers.away = True, workers.away + 1
    workers.settle(now)
    start, totals = workers.at_start[worker], workers.totals
    if workers.trace:
        workers.trace.going_on(workers, now, worker, "lost")
    if start <= now:
        totals.lose(worker, now - start)
    elif start < NEVER:
        workers.at_begun[worker] -= 1
    if workers.old_start[worker] < NEVER:
        totals.lose(worker, now - float(workers.old_start[worker]))
        workers.old_start[worker], workers.olds = NEVER, workers.olds - 1
    workers.at_start[worker] = workers.at_finish[worker] = NEVER
    workers.at_left[worker], workers.at_free[worker] = 0, 0.0
    workers.old_finish[worker] = 0.0
    workers.stuck.discard(worker)
    workers.unmeasured.discard(worker)
    workers.limits.old_ends.pop(worker, None)
    totals.lose_held(worker)


def come_back(workers: Workers, now: float, worker: int) -> None:
    down_from = float(workers.down_from[worker])
    away = now - down_from
    workers.totals.down[worker] += away
    if workers.communication:
        workers.communication.settle(now, worker)
    if workers.pauses:
        workers.outages_since.setdefault(worker, []).append((down_from, now))
        if workers.at_start[worker] <= down_from:
            workers.paused[worker] += away
        if workers.old_start[worker] <= down_from < workers.old_finish[worker]:
            workers.old_paused[worker] += away
    workers.down_from[worker] = NEVER
    if workers.absent[worker]:
        workers.absent[worker], workers.away = False, workers.away - 1
    if workers.trace:
        workers.trace.stretch("down", worker, down_from, now, workers.at_version[worker])
