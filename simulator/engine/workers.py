"""What is every worker doing?  Their plans, in arrays.

A worker with an order has a *plan*: the start and finish of its current computation, known the
moment the order is sent (both infinite when it has none).  So an order costs one event, not
three, and ordering everybody is a few vector operations.  Under ``finish`` a worker whose order
was replaced may still be at the *old* computation; its plan then starts when that ends.

A plan that starts in the future has not begun: replaced, it leaves no trace.  One that starts
this very instant has.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.law import Floats, Integers
from simulator.engine.books import NEVER, Books, counts, floats, integers, scalars
from simulator.engine.trace import Trace
from simulator.schedule import Accounts

UNLIMITED = 2**62


class Order(NamedTuple):
    """Compute at the point of ``version``, ``quota`` times; send each gradient, or keep it."""

    version: int
    quota: int
    upload: bool


class Workers:
    """The state of all workers of one simulation.

    ``measured`` says that a computation's length comes from outside: plans then wait in
    ``unmeasured`` until ``measure`` is told.
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
        self._finishes = cluster.in_flight == "finish"
        self._pauses = bool(cluster.outages) and cluster.outages.work == "continued"
        self._measured, self._trace = measured, trace
        self._compute, self._pace = cluster.computations(seed), cluster.pace(seed)
        self._download = cluster.downloads(seed, vector)
        self.never = frozenset(self._compute.never.tolist())
        self._may_hang = self._pace is not None or self._finishes or self._pauses
        self._shortest, longest = self._compute.extremes()
        self._may_hang |= bool(np.isinf(longest).any())
        self.books = Books(n)

        self.start, self.finish = floats(n, NEVER), floats(n, NEVER)
        self._old_start, self._old_finish = floats(n, NEVER), floats(n)
        self._free = floats(n)  # when it can follow an order at the earliest
        self._version, self._left = integers(n, -1), integers(n)
        self._uploads = np.zeros(n, np.uint8)
        # How many it has started or planned; and when the first order of this version came.
        self._begun, self._first = integers(n), integers(n)
        self._received = integers(n)
        self._sent_at = floats(n if trace else 0, NEVER)
        self._ordered = False  # whether anybody may have an order
        self._olds = 0

        self.down_from, self._up_at = floats(n, NEVER), floats(n)
        self._paused, self._old_paused = floats(n), floats(n)
        self._absent = np.zeros(n, bool)
        self._outages_since: dict[int, list[tuple[float, float]]] = {}  # the last gradient
        self.stuck: set[int] = set()
        """Who has an order and will never be done with it, as things are."""
        self.unmeasured: set[int] = set()
        self._view()

    def _view(self) -> None:
        self._at_start, self._at_finish = scalars(self.start), scalars(self.finish)
        self._at_free = scalars(self._free)
        self._at_version, self._at_left = counts(self._version), counts(self._left)
        self._at_begun, self._at_first = counts(self._begun), counts(self._first)
        self._at_received, self._at_uploads = counts(self._received), counts(self._uploads)

    # Orders

    def order_all(self, now: float, order: Order) -> None:
        """Everybody who is there gets this order, which is downloaded before it is followed."""
        if self._ordered:
            self.release(now)
        self._ordered = True
        np.copyto(self._first, self._begun, where=self._version != order.version)
        self._version.fill(order.version)
        self._left.fill(order.quota)
        self._uploads.fill(order.upload)
        free = np.maximum(now, self._free) if self._finishes or self._pauses else now
        if self._download.free:
            self.start[:] = free
        else:
            np.maximum(now + self._download.all(self._received), free, out=self.start)
            self._received += ~self._absent
        self.start[self._absent] = NEVER
        self._plan_all()
        if not self._download.free:
            waits = self.start < NEVER
            free = np.broadcast_to(free, waits.shape)
            self.books.communicating[waits] += self.start[waits] - free[waits]
            if self._trace:
                self._sent_at[waits] = now

    def _plan_all(self) -> None:
        """What everybody starts, and when that ends, from where their starts are set."""
        planned = True if not self._may_miss() else self.start < NEVER
        if self._measured:
            self.finish.fill(NEVER)
            self.unmeasured.update(np.flatnonzero(self.start < NEVER).tolist())
        elif self._pace is None:
            np.add(self.start, self._compute.all(self._begun), out=self.finish)
        else:
            self.finish[:] = self._pace.finish_all(self.start, self._compute.all(self._begun))
        self._begun += planned
        if self._may_hang and not self._measured:
            hanging = np.isinf(self.finish) & ~self._absent
            self.stuck.update(np.flatnonzero(hanging).tolist())

    def _may_miss(self) -> bool:
        """Whether an order to everybody may leave out some."""
        return self._finishes or self._pauses or bool(self._absent.any())

    def order_one(self, now: float, worker: int, order: Order) -> float:
        """One worker gets this order; returns when it will have its first gradient."""
        if self._at_start[worker] < NEVER:
            self.release(now, slice(worker, worker + 1))
        if self._absent[worker]:
            return NEVER
        self._ordered = True
        if self._at_version[worker] != order.version:
            self._at_version[worker] = order.version
            self._at_first[worker] = self._at_begun[worker]
        self._at_left[worker] = order.quota
        self._at_uploads[worker] = order.upload
        return self._plan(worker, now if self._download.free else self._receive(now, worker))

    def _receive(self, now: float, worker: int) -> float:
        received = now + self._download.one(worker, self._at_received[worker])
        self._at_received[worker] += 1
        free = max(now, self._at_free[worker])
        if free < NEVER:
            self.books.communicates(worker, max(received, free) - free)
        if self._trace:
            self._sent_at[worker] = now
        return received

    def go_on(self, now: float, worker: int) -> float:
        """If its order still stands and asks for more, the worker starts the next gradient."""
        if self._at_left[worker] and self._at_start[worker] == NEVER:
            return self._plan(worker, now)
        return NEVER

    def _plan(self, worker: int, received: float) -> float:
        free = self._at_free[worker]
        start = free if free > received else received
        if start == NEVER:
            self.stuck.add(worker)
            return NEVER
        self._at_start[worker] = start
        self._at_begun[worker] += 1
        if self._measured:
            self.unmeasured.add(worker)
            return NEVER
        return self._set_finish(worker, start)

    def _set_finish(self, worker: int, start: float, length: int = 1) -> float:
        seconds = self._compute.one(worker, self._at_begun[worker] - 1) * length
        finish = (
            start + seconds if self._pace is None else self._pace.finish(worker, start, seconds)
        )
        self._at_finish[worker] = finish
        if finish == NEVER:
            self.stuck.add(worker)
        return finish

    def measure(self, worker: int, length: int) -> float:
        """The worker's planned computation is of this length; returns when it ends."""
        self.unmeasured.discard(worker)
        return self._set_finish(worker, self._at_start[worker], length)

    def prepare(self, workers: Integers) -> None:
        """These will soon be done, and start again."""
        self._compute.prepare(workers, self._begun[workers])

    def release(self, now: float, whom: slice = slice(None)) -> None:
        """End orders: recall what is being computed, or let it run to its end as old."""
        start = self.start[whom]
        self._settle(now)
        if self._trace:
            self._trace_released(now, np.arange(len(self.start))[whom])
        if self._finishes or not self._download.free or self._pauses:
            self._forget_unbegun(now, whom, (start > now) & (start < NEVER))
        if self._finishes:
            self._make_old(now, whom)
        else:
            self.books.busy[whom] += self._elapsed(now, whom)
        if whom == slice(None):
            self._ordered = False
            self.stuck.clear()
            self.unmeasured.clear()
        else:
            self.stuck.discard(whom.start)
            self.unmeasured.discard(whom.start)
        start.fill(NEVER)
        self.finish[whom].fill(NEVER)
        self._left[whom].fill(0)
        if self._pauses:
            self._paused[whom] = 0

    def _elapsed(self, now: float, whom: slice) -> Floats:
        """How long each has been at its present computation; 0 where it has none."""
        if self._pauses:
            until = np.minimum(now, self.down_from[whom])
            elapsed: Floats = until - self.start[whom] - self._paused[whom]
        else:
            elapsed = now - self.start[whom]
        np.maximum(elapsed, 0, out=elapsed)
        return elapsed

    def _make_old(self, now: float, whom: slice) -> None:
        start = self.start[whom]
        begun = start <= now
        self._old_start[whom][begun] = start[begun]
        self._old_finish[whom][begun] = self._free[whom][begun] = self.finish[whom][begun]
        self._old_paused[whom][begun] = self._paused[whom][begun]
        self._olds += int(np.count_nonzero(begun))

    def _forget_unbegun(self, now: float, whom: slice, unbegun: NDArray[np.bool_]) -> None:
        if not unbegun.any():
            return
        self._begun[whom] -= unbegun
        free = np.maximum(now, self._free[whom][unbegun])
        self.books.communicating[whom][unbegun] -= self.start[whom][unbegun] - free

    def _settle(self, now: float) -> None:
        """Close the accounts of old computations that have ended by now: they are obsolete."""
        if not self._olds:
            return
        ended = (self._old_start < NEVER) & (self._old_finish <= now)
        spent = self._old_finish[ended] - self._old_start[ended]
        self.books.busy[ended] += spent - self._old_paused[ended]
        self.books.obsolete += ended
        if self._trace:
            for worker in np.flatnonzero(ended).tolist():
                self._trace.old_ended(worker, float(self._old_finish[worker]), "dropped")
        self._old_start[ended] = NEVER
        self._olds -= int(np.count_nonzero(ended))

    # Gradients

    def complete(self, now: float, worker: int) -> Ticket:
        """The worker's planned computation ends here and now."""
        start = self._at_start[worker]
        seconds = now - start
        if self._pauses:
            self._outages_since.pop(worker, None)
            seconds = min(now, float(self.down_from[worker])) - start - self._paused[worker]
            self._paused[worker] = 0
        self.books.computed(worker, seconds)
        self._at_start[worker] = self._at_finish[worker] = NEVER
        left = self._at_left[worker]
        if left != UNLIMITED:
            self._at_left[worker] = left - 1
        ticket = self.ticket(worker)
        if self._trace:
            self._trace_received(worker, start)
            self._trace.done(ticket, start, now)
        return ticket

    def ticket(self, worker: int) -> Ticket:
        """The name of the worker's newest gradient."""
        index = self._at_begun[worker] - self._at_first[worker] - 1
        return Ticket(worker, self._at_version[worker], index)

    def uploads(self, worker: int) -> bool:
        return self._at_uploads[worker] != 0

    def versions(self) -> set[int]:
        """The versions that workers were last ordered to compute at."""
        return set(np.unique(self._version).tolist())

    def send_alone(self, worker: int, now: float, seconds: float) -> None:
        """Account for an upload; one that hides behind the next computation takes no time."""
        if not self._at_left[worker]:
            self.books.sends(worker, now, now + seconds)

    def send_together(self, worker: int, now: float, begin: float, end: float) -> None:
        """Account for a worker's part in a collective, before its order ends.

        What it computes meanwhile, because that goes on although it is obsolete, counts as
        computing.
        """
        if self._at_start[worker] == NEVER:
            busy_until = float(self._old_finish[worker])
        else:
            busy_until = self._at_finish[worker] if self._finishes else now
            begin = max(begin, now)
        begin = max(begin, min(end, busy_until))
        if self._pauses and begin < now:
            begin = self._sent_between_outages(worker, begin, end)
        self.books.sends(worker, begin, end)

    def _sent_between_outages(self, worker: int, begin: float, end: float) -> float:
        """Enter what it has sent up to its latest outage; returns from where on it sends since."""
        outages = list(self._outages_since.get(worker, ()))
        if self.down_from[worker] < NEVER:
            outages.append((float(self.down_from[worker]), float(self._up_at[worker])))
        for down, up in outages:
            if begin < down:
                self.books.communicates(worker, min(down, end) - begin)
            begin = min(end, max(begin, up))
        return begin

    def send_open(self, worker: int, begin: float) -> None:
        """Account for a transfer whose end is not known yet, as far as it hides behind nothing."""
        if self._at_start[worker] < NEVER and self._finishes:
            begin = max(begin, self._at_finish[worker])
        elif self._at_left[worker] and self._at_left[worker] < UNLIMITED:
            return
        self.books.opens(worker, max(begin, float(self._old_finish[worker])))

    def send_closed(self, worker: int, now: float) -> None:
        """The transfer is through; while the worker is down it counts as that."""
        self.books.closes(worker, min(now, float(self.down_from[worker])))

    def ready(self, now: float, worker: int) -> float:
        """When it can begin to send: at once, unless it is down."""
        return max(now, float(self._up_at[worker]))

    # Outages

    def pause(self, now: float, worker: int, until: float) -> float:
        """It stands still and goes on later; returns when its plan then ends."""
        self.down_from[worker], self._up_at[worker] = now, until
        self.books.goes_down(worker, now, until)
        free_before, free = max(now, self._at_free[worker]), until
        if self._old_start[worker] < NEVER and self._old_finish[worker] > now:
            free = self._resumed(worker, now, until, float(self._old_finish[worker]))
            self._old_finish[worker] = free
            self.books.computes_until(worker, free)
        self._at_free[worker] = free
        start = self._at_start[worker]
        if start == NEVER:
            return NEVER
        if start <= now:
            finish = self._resumed(worker, now, until, self._at_finish[worker])
            self._at_finish[worker] = finish
            if finish == NEVER:
                self.stuck.add(worker)
            return finish
        self._at_start[worker] = self._at_finish[worker] = NEVER
        self._at_begun[worker] -= 1
        if free < NEVER:
            self.books.communicates(worker, max(0.0, start - free) - (start - free_before))
        else:
            self.books.communicates(worker, free_before - start)
            if self._trace:
                self._trace_received(worker, now)
        return self._plan(worker, start)

    def _resumed(self, worker: int, now: float, until: float, finish: float) -> float:
        """When what would have ended at ``finish`` ends, if nothing is done until then."""
        if self._pace is None or finish == NEVER or until == NEVER:
            return until + (finish - now)
        left = self._pace.work(worker, finish) - self._pace.work(worker, now)
        return self._pace.finish(worker, until, left)

    def lose(self, now: float, worker: int, until: float) -> None:
        """It is gone, with its order, its computation and all gradients that it holds."""
        self.down_from[worker], self._up_at[worker] = now, until
        self._absent[worker] = True
        self._settle(now)
        start, books = self._at_start[worker], self.books
        if self._trace:
            self._trace_lost(now, worker)
        if start <= now:
            books.busy[worker] += now - start
            books.broken[worker] += 1
        elif start < NEVER:
            self._at_begun[worker] -= 1
            books.communicates(worker, max(now, self._at_free[worker]) - start)
        if self._old_start[worker] < NEVER:
            books.busy[worker] += now - self._old_start[worker]
            books.broken[worker] += 1
            self._old_start[worker], self._olds = NEVER, self._olds - 1
        self._at_start[worker] = self._at_finish[worker] = NEVER
        self._at_left[worker], self._at_free[worker] = 0, 0.0
        self._old_finish[worker] = 0.0
        self.stuck.discard(worker)
        self.unmeasured.discard(worker)
        books.stop_sending(worker, now)
        books.lose_held(worker)

    def come_back(self, now: float, worker: int) -> None:
        """The outage is over."""
        down_from = float(self.down_from[worker])
        gone = now - down_from
        self.books.was_down(worker, down_from, now)
        if self._pauses:
            self._outages_since.setdefault(worker, []).append((down_from, now))
            if self._at_start[worker] <= down_from:
                self._paused[worker] += gone
            if self._old_start[worker] < NEVER and self._old_finish[worker] > down_from:
                self._old_paused[worker] += gone
        self.down_from[worker] = NEVER
        self._absent[worker] = False
        if self._trace:
            self._trace.stretch("down", worker, down_from, now, self._at_version[worker])

    def can_deliver(self, now: float, worker: int) -> bool:
        """Whether a computation that it starts from now on may ever end."""
        if self._pace is None:
            return worker not in self.never
        left = self._pace.work(worker, NEVER) - self._pace.work(worker, now)
        return left > 0 and left >= self._shortest[worker]

    def why_stuck(self, now: float, worker: int) -> str:
        """Why this worker, which is stuck or gone, will never deliver, as the end of a sentence."""
        if self._up_at[worker] == NEVER:
            return f"left for ever at {self.down_from[worker]:g} s"
        if worker in self.never:
            return "never finishes a gradient (its compute time is infinite)"
        if not self.can_deliver(now, worker):
            return "will never be done (its speed stays 0)"
        return "is at a computation that never ends"

    # Accounts

    def accounts(self, now: float) -> Accounts:
        """What everybody has done so far."""
        self._settle(now)
        books = self.books
        computing, finishing = self.start <= now, self._old_start < NEVER
        planned = ~computing & (self.start < NEVER)
        down = books.down + np.maximum(now - self.down_from, 0)
        at_work = self._elapsed(now, slice(None))
        old_until = np.minimum(now, self.down_from[finishing])
        at_work[finishing] += old_until - self._old_start[finishing] - self._old_paused[finishing]
        busy = books.busy + at_work
        communicating = books.communicating_by(now, self.down_from)
        free = np.maximum(now, self._free[planned])
        communicating[planned] -= np.maximum(self.start[planned] - free, 0)
        started = self._begun - planned
        dropped, lost = books.obsolete + books.refused, books.broken + books.gone
        recalled = started - books.done - books.obsolete - books.broken - computing - finishing
        return Accounts(
            time=now,
            started=started,
            used=books.done - books.refused - books.gone - books.waiting,
            recalled=recalled,
            dropped=dropped,
            lost=lost,
            unfinished=books.waiting + computing + finishing,
            busy=busy,
            communicating=communicating,
            down=down,
            idle=now - busy - communicating - down,
            wasted=books.busy - books.spent_well,
        )

    # The trace

    def trace_unfinished(self, now: float) -> None:
        """Let the trace know what is still going on."""
        assert self._trace is not None
        self._settle(now)
        for worker in np.flatnonzero(self._old_start < NEVER).tolist():
            self._trace.old_ended(worker, now, "unfinished")
        for worker in np.flatnonzero(self.start < NEVER).tolist():
            start = self._at_start[worker]
            self._trace_received(worker, min(start, now))
            if start <= now:
                self._trace.ended(self.ticket(worker), start, now, "unfinished")
        for worker in np.flatnonzero(self.down_from < NEVER).tolist():
            begin, version = float(self.down_from[worker]), self._at_version[worker]
            self._trace.stretch("down", worker, begin, now, version)

    def _trace_released(self, now: float, workers: Sequence[int] | Integers) -> None:
        assert self._trace is not None
        for worker in np.asarray(workers)[self.start[workers] < NEVER].tolist():
            start = self._at_start[worker]
            self._trace_received(worker, min(start, now))
            if start > now:
                continue
            if self._finishes:
                self._trace.becomes_old(self.ticket(worker), start)
            else:
                self._trace.ended(self.ticket(worker), start, now, "recalled")

    def _trace_received(self, worker: int, until: float) -> None:
        """The download before a computation, as far as it got."""
        assert self._trace is not None
        begin = float(self._sent_at[worker])
        if begin < until:
            self._trace.stretch("receiving", worker, begin, until, self._at_version[worker])
        self._sent_at[worker] = NEVER

    def _trace_lost(self, now: float, worker: int) -> None:
        assert self._trace is not None
        start = self._at_start[worker]
        if start < NEVER:
            self._trace_received(worker, min(start, now))
        if start <= now:
            self._trace.ended(self.ticket(worker), start, now, "lost")
        if self._old_start[worker] < NEVER:
            self._trace.old_ended(worker, now, "lost")
