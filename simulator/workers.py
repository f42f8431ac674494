"""What is every worker doing?  Their plans and their accounts, in arrays.

A worker with an order has a *plan*: the start and finish of its current computation, known the
moment the order is sent (both infinite when it has none).  So an order costs one event, not
three, and ordering everybody is a few vector operations.  Under ``finish`` a worker whose order
was replaced may still be at the *old* computation; its plan then starts when that ends.

A plan that starts in the future has not begun: replaced, it leaves no trace.  One that starts
this very instant has.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.cluster import Cluster
from simulator.cluster.law import Floats, Integers
from simulator.schedule import Accounts, Computation, Outcome

UNLIMITED = 2**62
NEVER = float("inf")


class Order(NamedTuple):
    """Compute at the point of ``version``, ``quota`` times; send each gradient, or keep it."""

    version: int
    quota: int
    upload: bool


class Workers:
    """The state of all workers of one simulation.

    Whole arrays are for orders to everybody; memory views of the same arrays (``_at_...``) give
    plain Python numbers, several times faster, to the events of single workers.
    """

    def __init__(self, cluster: Cluster, *, seed: int, dimension: int, trace: bool) -> None:
        n = cluster.workers
        self._finishes = cluster.in_flight == "finish"
        self._compute = cluster.computations(seed)
        self._download = cluster.downloads(seed, dimension)
        self._one = self._compute.one
        self.never = frozenset(self._compute.never.tolist())
        self.trace: list[Computation] | None = [] if trace else None

        self.start, self.finish = _floats(n, NEVER), _floats(n, NEVER)
        self._old_start, self._old_finish = _floats(n, NEVER), _floats(n)
        self._version, self._next_index, self._left = _integers(n, -1), _integers(n), _integers(n)
        self._uploads = np.zeros(n, np.uint8)
        self._begun, self._received = _integers(n), _integers(n)

        self._recalled, self._dropped = _integers(n), _integers(n)
        self._busy, self._communicating = _floats(n), _floats(n)
        self._sending_from, self._sending_until = _floats(n), _floats(n)
        self._ordered = False  # whether anybody may have an order
        self.recalled, self.dropped, self._olds = 0, 0, 0  # over all workers
        self._view()

    def _view(self) -> None:
        self._at_start, self._at_finish = _scalars(self.start), _scalars(self.finish)
        self._at_old_finish, self._at_busy = _scalars(self._old_finish), _scalars(self._busy)
        self._at_communicating = _scalars(self._communicating)
        self._at_version, self._at_left = _counts(self._version), _counts(self._left)
        self._at_next_index, self._at_begun = _counts(self._next_index), _counts(self._begun)
        self._at_received, self._at_uploads = _counts(self._received), _counts(self._uploads)

    # Orders

    def order_all(self, now: float, order: Order) -> None:
        """Everybody gets this order, which is downloaded before it can be followed."""
        if self._ordered:
            self.release(now)
        self._ordered = True
        self._next_index *= self._version == order.version
        self._version.fill(order.version)
        self._left.fill(order.quota)
        self._uploads.fill(order.upload)
        free = np.maximum(now, self._old_finish) if self._finishes else now
        if self._download.free:
            self.start[:] = free
        else:
            np.maximum(now + self._download.all(self._received), free, out=self.start)
            self._received += 1
        np.add(self.start, self._compute.all(self._begun), out=self.finish)
        # Whoever is at an old computation without end will never start this one.
        planned = self.start < NEVER if self._finishes else 1
        self._begun += planned
        self._next_index += planned
        if not self._download.free:
            waits = self.start < NEVER
            free = np.maximum(now, self._old_finish[waits])
            self._communicating[waits] += self.start[waits] - free

    def order_one(self, now: float, worker: int, order: Order) -> float:
        """One worker gets this order; returns when it will have its first gradient."""
        if self._at_start[worker] < NEVER:
            self.release(now, slice(worker, worker + 1))
        self._ordered = True
        if self._at_version[worker] != order.version:
            self._at_version[worker] = order.version
            self._at_next_index[worker] = 0
        self._at_left[worker] = order.quota
        self._at_uploads[worker] = order.upload
        return self._plan(worker, now if self._download.free else self._receive(now, worker))

    def _receive(self, now: float, worker: int) -> float:
        received = now + self._download.one(worker, self._at_received[worker])
        self._at_received[worker] += 1
        free = max(now, self._at_old_finish[worker])
        if free < NEVER:
            self._at_communicating[worker] += max(received, free) - free
        return received

    def go_on(self, now: float, worker: int) -> float:
        """If its order still stands and asks for more, the worker starts the next gradient."""
        if self._at_left[worker] and self._at_start[worker] == NEVER:
            return self._plan(worker, now)
        return NEVER

    def _plan(self, worker: int, received: float) -> float:
        old = self._at_old_finish[worker]
        start = old if old > received else received
        if start == NEVER:
            return NEVER
        k = self._at_begun[worker]
        finish = start + self._one(worker, k)
        self._at_start[worker], self._at_finish[worker] = start, finish
        self._at_begun[worker] = k + 1
        self._at_next_index[worker] += 1
        return finish

    def release(self, now: float, whom: slice = slice(None)) -> None:
        """End orders: recall what is being computed, or let it run to its end as old."""
        start = self.start[whom]
        begun = start <= now
        if self._finishes or not self._download.free:
            self._forget_unbegun(now, whom, ~begun & (start < NEVER))
        if self.trace is not None:
            self._record_released(now, np.arange(len(self.start))[whom][begun])
        if self._finishes:
            self._settle(now)
            self._old_start[whom][begun] = start[begun]
            self._old_finish[whom][begun] = self.finish[whom][begun]
            self._olds += int(np.count_nonzero(begun))
        else:
            self._busy[whom][begun] += now - start[begun]
            self._recalled[whom] += begun
            self.recalled += int(np.count_nonzero(begun))
        self._ordered = False
        start.fill(NEVER)
        self.finish[whom].fill(NEVER)
        self._left[whom].fill(0)

    def _forget_unbegun(self, now: float, whom: slice, unbegun: NDArray[np.bool_]) -> None:
        if not unbegun.any():
            return
        self._begun[whom] -= unbegun
        self._next_index[whom] -= unbegun
        free = np.maximum(now, self._old_finish[whom][unbegun])
        self._communicating[whom][unbegun] -= self.start[whom][unbegun] - free

    def _settle(self, now: float) -> None:
        """Drop the old computations that have ended by now."""
        if not self._olds:
            return
        ended = (self._old_start < NEVER) & (self._old_finish <= now)
        self._busy[ended] += self._old_finish[ended] - self._old_start[ended]
        self._old_start[ended] = NEVER
        self._dropped += ended
        many = int(np.count_nonzero(ended))
        self.dropped += many
        self._olds -= many

    # Gradients

    def complete(self, now: float, worker: int) -> Ticket:
        """The worker's planned computation ends here and now."""
        start = self._at_start[worker]
        self._at_busy[worker] += now - start
        self._at_start[worker] = NEVER
        left = self._at_left[worker]
        if left != UNLIMITED:
            self._at_left[worker] = left - 1
        ticket = Ticket(worker, self._at_version[worker], self._at_next_index[worker] - 1)
        if self.trace is not None:
            self.trace.append(Computation(ticket, start, now, "finished"))
        return ticket

    def ticket(self, worker: int) -> Ticket:
        """The name of the worker's newest gradient."""
        return Ticket(worker, self._at_version[worker], self._at_next_index[worker] - 1)

    def uploads(self, worker: int) -> bool:
        return self._at_uploads[worker] != 0

    def versions(self) -> set[int]:
        """The versions that workers were last ordered to compute at."""
        return set(np.unique(self._version).tolist())

    def send_alone(self, worker: int, now: float, seconds: float) -> None:
        """Account for an upload; one that hides behind the next computation takes no time."""
        if not self._at_left[worker]:
            self._send(worker, now, now + seconds)

    def send_together(self, worker: int, now: float, done: float, seconds: float) -> None:
        """Account for a worker's part in a collective, before its order ends."""
        end = done + seconds
        if self._at_start[worker] == NEVER:
            self._send(worker, max(done, min(end, self._at_old_finish[worker])), end)
        elif self._finishes:  # what it computes now becomes obsolete, but goes on
            self._send(worker, max(now, min(end, self._at_finish[worker])), end)
        else:
            self._send(worker, now, end)

    def _send(self, worker: int, begin: float, end: float) -> None:
        self._at_communicating[worker] += max(0.0, end - begin)
        self._sending_from[worker], self._sending_until[worker] = begin, end

    # Accounts

    def count_dropped(self, now: float) -> int:
        """How many obsolete gradients have come to their end."""
        if self._olds:
            self._settle(now)
        return self.dropped

    def accounts(self, now: float, unused: Iterable[Ticket]) -> Accounts:
        """What everybody has done so far; promised seconds that lie ahead are taken off.

        ``unused`` are the gradients that are done, but in no step yet.
        """
        self._settle(now)
        computing = self.start <= now
        finishing = self._old_start < NEVER
        busy = self._busy.copy()
        busy[computing] += now - self.start[computing]
        busy[finishing] += now - self._old_start[finishing]
        communicating = self._communicating.copy()
        downloading = ~computing & (self.start < NEVER)
        free = np.maximum(now, self._old_finish)
        communicating[downloading] -= self.start[downloading] - free[downloading]
        ahead = self._sending_until - np.maximum(now, self._sending_from)
        communicating -= np.maximum(ahead, 0)
        waiting = _integers(len(computing))
        np.add.at(waiting, [ticket.worker for ticket in unused], 1)
        unfinished = waiting + computing + finishing
        started = self._begun - downloading
        return Accounts(
            time=now,
            started=started,
            used=started - self._recalled - self._dropped - unfinished,
            recalled=self._recalled.copy(),
            dropped=self._dropped.copy(),
            unfinished=unfinished,
            busy=busy,
            communicating=communicating,
            idle=now - busy - communicating,
        )

    def computations(self, now: float) -> list[Computation]:
        """The trace so far, with what is still going on as unfinished."""
        record = [
            c if c.finish <= now else c._replace(finish=now, outcome="unfinished")
            for c in self.trace or []
        ]
        for worker in np.flatnonzero(self.start <= now).tolist():
            start = self._at_start[worker]
            record.append(Computation(self.ticket(worker), start, now, "unfinished"))
        return record

    def _record_released(self, now: float, workers: Integers) -> None:
        assert self.trace is not None
        for worker in workers.tolist():
            start = self._at_start[worker]
            finish = self._at_finish[worker] if self._finishes else now
            outcome: Outcome = "dropped" if self._finishes else "recalled"
            self.trace.append(Computation(self.ticket(worker), start, finish, outcome))


def _floats(n: int, value: float = 0.0) -> Floats:
    return np.full(n, value)


def _integers(n: int, value: int = 0) -> Integers:
    return np.full(n, value, np.int64)


def _scalars(array: Floats) -> "memoryview[float]":
    return cast("memoryview[float]", array.data)


def _counts(array: NDArray[Any]) -> "memoryview[int]":
    return array.data
