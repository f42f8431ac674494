"""The plans of all workers, in arrays.

A worker with an order has a *plan*: the start and finish of its current computation, known when the
order is sent (both infinite without an order).  So an order costs one event, not three, and an
order to all workers is a few vector operations.  Under ``finish`` a worker whose order was replaced
may still be at the *old* computation; its plan then starts when that ends.

A plan that starts now has begun.  One that starts later has not: if replaced, it leaves no trace.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.law import Floats, Integers
from simulator.engine.communication import Communication
from simulator.engine.limits import Limits
from simulator.engine.totals import NEVER, Totals, counted, floats, integers, viewed
from simulator.engine.trace import Trace
from simulator.mistakes import Mistake
from simulator.schedule import Accounts, Outcome

UNLIMITED = 2**62
named: Callable[[tuple[int, int, int]], Ticket] = partial(tuple.__new__, Ticket)  # for speed


class Workers:
    """The state of all workers of one simulation.

    If ``measured``, plans wait in ``unmeasured`` until ``measure`` gets the lengths of episodes.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        seed: int,
        vector: Vector,
        measured: bool = False,
        trace: Trace | None = None,
    ) -> None:
        n = cluster.workers
        self.finishes = cluster.in_flight == "finish"
        self.pauses = bool(cluster.outages) and cluster.outages.work == "continued"
        self.measured, self.trace = measured, trace
        self.compute, self.pace = cluster.computations(seed), cluster.pace(seed)
        self.download = cluster.downloads(seed, vector)
        self._duration = self.compute.one
        self.never = frozenset(self.compute.never.tolist())
        self._may_hang = self.pace is not None or self.finishes or self.pauses
        self.shortest, longest = self.compute.extremes()
        self._may_hang |= bool(np.isinf(longest).any())
        self.totals = Totals(n)

        self.start, self.at_start = viewed(floats(n, NEVER))
        self.finish, self.at_finish = viewed(floats(n, NEVER))
        self.old_start, self.old_finish = floats(n, NEVER), floats(n)
        self.free, self.at_free = viewed(floats(n))  # the earliest start of another order
        self.version, self.at_version = counted(integers(n, -1))
        self.left, self.at_left = counted(integers(n))
        self.uploads, self.at_uploads = counted(np.zeros(n, np.uint8))
        self.work, self.at_work = viewed(floats(n, 1.0))
        self.limits = Limits()
        self._limited = self.limits.seconds
        # Computations started or planned: now, and when the first order of this version came.
        self.begun, self.at_begun = counted(integers(n))
        self.first, self.at_first = counted(integers(n))
        self.received, self.at_received = counted(integers(n))
        self.sent_at = floats(n if trace else 0, NEVER)
        self._newest = -1  # the newest version of an order to all workers
        self._scratch = floats(n)  # allocating one would cost more than computing with it
        self.ordered = False  # whether any worker may have an order
        self.olds = 0

        self.down_from, self.at_down_from = viewed(floats(n, NEVER))
        self.up_at = floats(n)
        self.paused, self.old_paused = floats(n), floats(n)
        self.absent, self.away = np.zeros(n, bool), 0
        self.outages_since: dict[int, list[tuple[float, float]]] = {}  # the last gradient
        self.stuck: set[int] = set()  # workers at a computation that never ends
        self.unmeasured: set[int] = set()
        free = self.download.free and cluster.uploads(seed, vector).free
        silent = free and not cluster.network.uplink and not self.pauses
        self.communication = None if silent else Communication(n, self.old_finish, self.down_from)

    # Orders

    def order_all(self, now: float, version: int, quota: int, upload: bool, work: float) -> None:
        """Send an order to all present workers; each starts after its download."""
        if self.ordered:
            self.release(now)
        self.ordered = True
        if version > self._newest:
            self.first[:] = self.begun
        else:
            np.copyto(self.first, self.begun, where=self.version != version)
        self._newest = version
        self.version.fill(version)
        self.left.fill(quota)
        self.uploads.fill(upload)
        self.work.fill(work)
        free = np.maximum(now, self.free) if self.finishes or self.pauses else now
        if self.download.free:
            self.start[:] = free
        else:
            np.maximum(now + self.download.all(self.received), free, out=self.start)
            self.received += ~self.absent
        if self.away:
            self.start[self.absent] = NEVER
        self._plan_all(work)
        if self.communication:
            self.communication.all_compute(now, self.start)
        if self.trace and not self.download.free:
            self.sent_at[self.start < NEVER] = now

    def _plan_all(self, work: float) -> None:
        """Plan the finishes of all workers from their starts."""
        some_idle = self.finishes or self.pauses or self.away > 0
        planned = self.start < NEVER if some_idle else True
        if self.measured:
            self.finish.fill(NEVER)
            self.unmeasured.update(np.flatnonzero(self.start < NEVER).tolist())
        else:
            seconds = self.compute.all(self.begun)
            seconds = seconds if work == 1 else seconds * work
            if self.pace is None:
                np.add(self.start, seconds, out=self.finish)
            else:
                self.finish[:] = self.pace.finish_all(self.start, seconds)
        self.begun += planned
        if self._may_hang and not self.measured:
            hanging = np.isinf(self.finish) & ~self.absent
            self.stuck.update(np.flatnonzero(hanging).tolist())

    def order_one(
        self,
        now: float,
        worker: int,
        version: int,
        quota: int,
        upload: bool,
        work: float,
        limit: float,
        recall: bool,
    ) -> float:
        """Send an order to one worker; returns the finish of its first gradient."""
        if self.at_start[worker] < NEVER:
            self.release(now, slice(worker, worker + 1), recall)
        if recall and self.olds:
            self._recall_old(now, worker)
        if self.away and self.absent[worker]:
            return NEVER
        if self._limited or limit < NEVER:
            self.limits.order(worker, limit)
        self.ordered, self._newest = True, version
        if self.at_version[worker] != version:
            self.at_version[worker] = version
            self.at_first[worker] = self.at_begun[worker]
        self.at_left[worker], self.at_uploads[worker] = quota, upload
        self.at_work[worker] = work
        received = now
        if not self.download.free:
            received += self.download.one(worker, self.at_received[worker])
            self.at_received[worker] += 1
            if self.trace:
                self.sent_at[worker] = now
        return self.plan(now, worker, received)

    def go_on(self, now: float, worker: int) -> float:
        """A worker without a plan starts the next gradient of its order, if one is left."""
        if self.at_left[worker] and self.at_free[worker] <= now:
            return self._begin(worker, now)
        return NEVER  # also for an order behind obsolete work that never ends

    def plan(self, now: float, worker: int, received: float) -> float:
        """Start an order as soon as it is received and the worker is free."""
        free = self.at_free[worker]
        start = free if free > received else received
        if self.communication:
            self.communication.computes(now, worker, start)
        if start == NEVER:
            self.stuck.add(worker)
            return NEVER
        return self._begin(worker, start)

    def _begin(self, worker: int, start: float) -> float:
        self.at_start[worker] = start
        k = self.at_begun[worker]
        self.at_begun[worker] = k + 1
        if self.measured:
            self.unmeasured.add(worker)
            return NEVER
        seconds = self._duration(worker, k) * self.at_work[worker]
        if self.pace is not None or self._limited:
            return self._ends(worker, start, seconds)
        self.at_finish[worker] = finish = start + seconds
        if finish == NEVER:
            self.stuck.add(worker)
        return finish

    def _ends(self, worker: int, start: float, seconds: float) -> float:
        finish = start + seconds if self.pace is None else self.pace.finish(worker, start, seconds)
        if self._limited:
            finish = self.limits.end(worker, start, finish)
        self.at_finish[worker] = finish
        if finish == NEVER:
            self.stuck.add(worker)
        return finish

    def measure(self, worker: int, length: int) -> float:
        """Set the length of the worker's planned computation; returns its finish."""
        self.unmeasured.discard(worker)
        seconds = self._duration(worker, self.at_begun[worker] - 1)
        return self._ends(worker, self.at_start[worker], seconds * (length * self.at_work[worker]))

    def prepare(self, workers: Integers) -> None:
        """Draw ahead the durations of workers that will soon start again."""
        self.compute.prepare(workers, self.begun[workers])

    def release(self, now: float, workers: slice = slice(None), recall: bool = False) -> None:
        """End orders: recall their computations, or let them run to their end as old."""
        start, go_on = self.start[workers], self.finishes and not recall
        of_all = workers == slice(None)
        self.settle(now)
        if self.communication:
            if of_all:
                self.communication.all_compute(now, NEVER)
            else:
                self.communication.computes(now, workers.start, NEVER)
        if self.trace:
            self.trace.released(self, now, np.arange(len(self.start))[workers], go_on)
        if self.finishes or not self.download.free or self.pauses:
            self.begun[workers] -= (start > now) & (start < NEVER)
        if go_on:
            if self.unmeasured and (of_all or workers.start in self.unmeasured):
                raise Mistake(
                    "cluster.in_flight = 'finish': the story replaces an order at the instant "
                    "it gave it, and the episode's length is not known yet; order once"
                )
            self._make_old(now, workers)
        else:
            self.totals.broken_off[workers] += self.elapsed(now, workers)
            self.totals.recalled[workers] += start <= now
        if of_all:
            self.ordered = False
            self.stuck.clear()
            self.unmeasured.clear()
            self._limited.clear()
            self.limits.ends.clear()
        else:
            self.stuck.discard(workers.start)
            self.unmeasured.discard(workers.start)
            self.limits.forget(workers.start)
        start.fill(NEVER)
        self.finish[workers].fill(NEVER)
        self.left[workers].fill(0)
        if self.pauses:
            self.paused[workers] = 0

    def elapsed(self, now: float, workers: slice = slice(None)) -> Floats:
        """The seconds of each present computation so far; 0 without one."""
        elapsed = self._scratch[workers]
        if self.pauses:
            np.minimum(now, self.down_from[workers], out=elapsed)
            elapsed -= self.start[workers]
            elapsed -= self.paused[workers]
        else:
            np.subtract(now, self.start[workers], out=elapsed)
        np.maximum(elapsed, 0, out=elapsed)
        return elapsed

    def old_elapsed(self, now: float, workers: Any) -> Any:
        until = np.minimum(now, self.down_from[workers])
        # A computation may begin at the instant of a return that is not served yet.
        return np.maximum(until - self.old_start[workers] - self.old_paused[workers], 0)

    def _make_old(self, now: float, workers: slice) -> None:
        start = self.start[workers]
        begun = start <= now
        self.old_start[workers][begun] = start[begun]
        self.old_finish[workers][begun] = self.free[workers][begun] = self.finish[workers][begun]
        self.old_paused[workers][begun] = self.paused[workers][begun]
        self.olds += int(np.count_nonzero(begun))
        if ends := self.limits.ends:
            old = (np.flatnonzero(begun) + (workers.start or 0)).tolist()
            self.limits.old_ends |= {worker: ends[worker] for worker in old if worker in ends}

    def _recall_old(self, now: float, worker: int) -> None:
        self.settle(now)
        if self.old_start[worker] == NEVER:
            return
        self.totals.recall(worker, float(self.old_elapsed(now, worker)))
        if self.trace:
            self.trace.old_ended(worker, now, "recalled")
        self.old_start[worker], self.old_finish[worker] = NEVER, now
        self.olds -= 1
        self.limits.old_ends.pop(worker, None)
        self.stuck.discard(worker)
        self.at_free[worker] = self.up_at[worker]

    def settle(self, now: float) -> None:
        """Count the old computations that have ended by now."""
        if not self.olds:
            return
        ended = (self.old_start < NEVER) & (self.old_finish <= now)
        spent = self.old_finish[ended] - self.old_start[ended] - self.old_paused[ended]
        self.totals.broken_off[ended] += spent
        self.totals.dropped += ended
        workers = np.flatnonzero(ended).tolist() if self.trace or self.limits.old_ends else ()
        broken_off = self.limits.broken_off(workers)
        self.totals.dropped[broken_off] -= 1
        self.totals.recalled[broken_off] += 1
        if self.trace:
            for worker in workers:
                outcome: Outcome = "recalled" if worker in broken_off else "dropped"
                self.trace.old_ended(worker, float(self.old_finish[worker]), outcome)
        self.old_start[ended] = NEVER
        self.olds -= int(np.count_nonzero(ended))

    def complete(self, now: float, worker: int, done: bool = True) -> Ticket:
        """The worker's planned computation ends now: it is done, or broken off at its limit."""
        start = self.at_start[worker]
        seconds = self._spent(now, worker) if self.pauses else now - start
        totals = self.totals
        if done:
            totals.done[worker] += 1
            totals.last[worker] = seconds
            totals.computing[worker] += seconds
        else:
            totals.recall(worker, seconds)
        self.at_start[worker] = self.at_finish[worker] = NEVER
        left = self.at_left[worker]
        if left != UNLIMITED:
            self.at_left[worker] = left - 1
            if left == 1 and self.communication:
                self.communication.computes(now, worker, NEVER)
        index = self.at_begun[worker] - self.at_first[worker] - 1
        ticket = named((worker, self.at_version[worker], index))
        if self.trace:
            self.trace.received(self, worker, start)
            self.trace.completed(ticket, start, now, done)
        return ticket

    def under_way(self, now: float, worker: int) -> Ticket | None:
        """The computation that the worker is at."""
        return self.ticket(worker) if self.at_start[worker] <= now else None

    def downloads_again(self, worker: int) -> float:
        """The seconds of another download by the worker."""
        if self.download.free:
            return 0.0
        self.at_received[worker] += 1
        return self.download.one(worker, self.at_received[worker] - 1)

    def progress(self, now: float, worker: int) -> float:
        """The share of the worker's present computation that is done."""
        start, finish = self.at_start[worker], self.at_finish[worker]
        if self.pace is not None:
            done, end = (self.pace.work(worker, at) for at in (now, finish))
            before = self.pace.work(worker, start)
            return (done - before) / (end - before) if before < end < NEVER else 0.0
        gone = min(now, self.at_down_from[worker]) - start - self.paused[worker]
        left = finish - max(now, self.up_at[worker])
        return float(gone / (gone + left)) if gone > 0 else 0.0

    def _spent(self, now: float, worker: int) -> float:
        seconds = min(now, self.at_down_from[worker]) - self.at_start[worker]
        seconds -= float(self.paused[worker])
        self.outages_since.pop(worker, None)
        self.paused[worker] = 0
        return max(0.0, seconds)

    def ticket(self, worker: int) -> Ticket:
        index = self.at_begun[worker] - self.at_first[worker] - 1
        return named((worker, self.at_version[worker], index))

    def present(self) -> list[int]:
        return np.flatnonzero(~self.absent).tolist()

    def versions(self) -> set[int]:
        return set(np.unique(self.version).tolist())

    def accounts(self, now: float) -> Accounts:
        """All workers' accounts up to now, work under way included."""
        self.settle(now)
        totals, old = self.totals, self.old_start < NEVER
        started = self.begun - ((now < self.start) & (self.start < NEVER))
        used = np.array(totals.used, np.int64)
        busy = np.array(totals.computing) + totals.broken_off + self.elapsed(now)
        busy[old] += self.old_elapsed(now, old)
        down = totals.down + np.maximum(now - self.down_from, 0)
        communicating = np.zeros(len(busy))
        if self.communication:
            self.communication.settle_all(now)
            communicating += self.communication.seconds
        return Accounts(
            time=now,
            started=started,
            used=used,
            recalled=totals.recalled.copy(),
            dropped=totals.dropped.copy(),
            lost=totals.lost.copy(),
            unfinished=started - used - totals.recalled - totals.dropped - totals.lost,
            busy=busy,
            communicating=communicating,
            down=down,
            idle=now - busy - communicating - down,
            wasted=totals.broken_off + totals.spoilt,
        )
