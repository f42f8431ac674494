"""The workers: how they follow orders, and what outages do to them.

A computation is planned when its order is sent; its start may lie in the future, behind a download
or an obsolete computation.  A plan whose order is replaced before its start leaves no trace.
"""

from collections.abc import Callable
from typing import TypeAlias

from algorithms.tickets import Ticket
from algorithms.vocabulary import Joined, Lost
from simulator.cluster import Cluster
from simulator.reference.calendar import (
    NEVER,
    Calendar,
    computation_rank,
    outage_rank,
    transfer_rank,
)
from simulator.reference.network import Network
from simulator.reference.objects import Computation, Order, Outage, Refresh, Span, Worker

Lengths: TypeAlias = Callable[[Ticket], float | None]
"""The environment steps of a ticket's episode; ``None`` if no end is known."""


class Workers:
    """All workers; ``ended`` and ``changed`` are called for events that concern the server."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        calendar: Calendar,
        network: Network,
        *,
        lengths: Lengths | None,
        ended: Callable[[Computation], None],
        changed: Callable[[Lost | Joined], None],
    ) -> None:
        self.all = [Worker(number) for number in range(cluster.workers)]
        self.computations: list[Computation] = []
        self.outages: list[Span] = []
        self._calendar, self._network, self._lengths = calendar, network, lengths
        self._ended, self._changed = ended, changed
        self._finishes = cluster.in_flight == "finish"
        self._pauses = cluster.outages.work == "continued"
        self._seconds = cluster.computations(seed).one
        self._pace = cluster.pace(seed)
        self._absences = cluster.absences(seed)
        for worker in self.all:
            self._foresee(worker)

    # Orders

    def order(self, worker: Worker, order: Order, *, recall: bool = False) -> None:
        self.release(worker, recall=recall)
        if worker.away:
            return
        if worker.order.version != order.version:
            worker.first = worker.begun
        worker.order, worker.left = order, order.quota
        self._plan(worker, self._network.receive(worker))

    def release(self, worker: Worker, *, recall: bool = False) -> None:
        """End a worker's order: recall its computation, or let it run to its end as obsolete."""
        now, current = self._calendar.now, worker.current
        worker.current, worker.left = None, 0
        self._network.stop_receiving(worker)
        if current and current.start > now:
            self._cancel(current)
        elif current and self._finishes and not recall:
            current.fate, current.sealed, current.due = "obsolete", self._calendar.steps, NEVER
            worker.obsolete = current
        elif current:
            self._end(current, "recalled")
        if recall and worker.obsolete:
            if worker.obsolete.finish > now:
                self._end(worker.obsolete, "recalled")
            worker.obsolete = None

    def _cancel(self, planned: Computation) -> None:
        planned.start = planned.due = NEVER
        planned.worker.begun -= 1

    def _end(self, computation: Computation, fate: str) -> None:
        """Decide a computation's fate; if it is still under way, it ends now."""
        computation.fate, computation.sealed = fate, self._calendar.steps
        computation.finish, computation.due = min(computation.finish, self._calendar.now), NEVER

    # Computations

    def _plan(self, worker: Worker, received: float) -> None:
        """Plan the next computation: it starts when the order is received and the worker free."""
        calendar, order = self._calendar, worker.order
        start = max(received, worker.free(calendar.now))
        if start == NEVER:
            return
        index = worker.begun - worker.first
        steps = calendar.steps
        computation = Computation(worker, order.version, index, start, steps, steps)
        finish = computation.ends(self._done(computation, order.work), start + order.limit)
        computation.seconds = computation.done - start
        worker.current = computation
        worker.begun += 1
        self.computations.append(computation)
        calendar.expect(computation, finish, computation_rank(worker.number), self._finished)

    def _done(self, computation: Computation, work: float) -> float:
        """The end of a computation without interruptions."""
        worker, start = computation.worker, computation.start
        if self._lengths:
            length = self._lengths(computation.ticket)
            if length is None:
                return NEVER
            work *= length
        seconds = self._seconds(worker.number, worker.begun) * work
        return self._pace.finish(worker.number, start, seconds) if self._pace else start + seconds

    def _finished(self, computation: Computation) -> None:
        """End a computation; the server reacts before the worker starts another."""
        worker, now = computation.worker, self._calendar.now
        worker.current = None
        worker.left -= 1
        worker.done = now
        if computation.expires:
            self._end(computation, "recalled")
        else:
            computation.fate = "waiting"
        self._ended(computation)
        if worker.left > 0 and not worker.current:
            self._plan(worker, now)

    # Newer points

    def refresh(self, worker: Worker, version: int) -> None:
        """Send a point to the computation under way, if there is one."""
        now, current = self._calendar.now, worker.current
        if current is None or current.start > now:
            return
        refresh = Refresh(current, version)
        received = self._network.receive_again(worker)
        if received > now:
            rank = transfer_rank(worker.number)
            self._calendar.expect(refresh, received, rank, self._refreshed)
        else:
            self._refreshed(refresh)

    def _refreshed(self, refresh: Refresh) -> None:
        computation = refresh.computation
        if computation.worker.current is computation:
            computation.mixture.append((refresh.version, self._share(computation)))

    def _share(self, computation: Computation) -> float:
        """The share of a computation that is done."""
        now, worker = self._calendar.now, computation.worker
        if self._pace:
            before, done, end = (
                self._pace.work(worker.number, time)
                for time in (computation.start, now, computation.finish)
            )
            return (done - before) / (end - before) if before < end < NEVER else 0.0
        left = computation.finish - max(now, worker.back)
        return max(0.0, 1 - left / computation.seconds)

    # Outages

    def _foresee(self, worker: Worker) -> None:
        """Plan a worker's next outage; one that begins at 0 begins before all other events."""
        if self._absences is None:
            return
        number, absences = worker.number, self._absences
        span = Span(number, float(absences.begin[number]), float(absences.end[number]))
        if span.begin <= 0:
            self._leave(Outage(worker, span))
        else:
            self._expect(Outage(worker, span), span.begin, self._leave)

    def _expect(self, outage: Outage, time: float, happen: Callable[[Outage], None]) -> None:
        rank = outage_rank(outage.worker.number, len(self.all))
        self._calendar.expect(outage, time, rank, happen)

    def _leave(self, outage: Outage) -> None:
        worker = outage.worker
        worker.back = outage.span.end
        self.outages.append(outage.span)
        self._expect(outage, worker.back, self._come_back)
        if self._pauses:
            self._pause(worker)
        else:
            worker.away = True
            self._lose(worker)
            self._changed(Lost(worker.number))

    def _come_back(self, outage: Outage) -> None:
        worker = outage.worker
        if worker.away:
            worker.away = False
            self._changed(Joined(worker.number))
        assert self._absences is not None
        self._absences.next(worker.number)
        self._foresee(worker)

    def _lose(self, worker: Worker) -> None:
        """Lose a worker's order, its computations, the gradients it holds and its uploads."""
        now, current, obsolete = self._calendar.now, worker.current, worker.obsolete
        lost = [*worker.held, *self._network.lose(worker)]
        if current and current.start > now:
            self._cancel(current)
        lost += [each for each in (current, obsolete) if each and each.start <= now < each.finish]
        for computation in lost:
            self._end(computation, "lost")
        self._network.stop_receiving(worker)
        worker.current = worker.obsolete = None
        worker.held, worker.left = {}, 0

    def _pause(self, worker: Worker) -> None:
        """Pause a worker's computations until its return."""
        now, current, obsolete = self._calendar.now, worker.current, worker.obsolete
        if obsolete and obsolete.finish > now:
            self._resume(obsolete)
        if current and current.start > now:
            start = current.start
            self._cancel(current)
            worker.current = None
            self._plan(worker, start)
        elif current:
            finish = self._resume(current)
            self._calendar.expect(current, finish, computation_rank(worker.number), self._finished)

    def _resume(self, computation: Computation) -> float:
        """Move the rest of a computation behind the outage; returns its finish."""
        now, back, done = self._calendar.now, computation.worker.back, computation.done
        if self._pace and done < NEVER and back < NEVER:
            number = computation.worker.number
            left = self._pace.work(number, done) - self._pace.work(number, now)
            done = self._pace.finish(number, back, left)
        else:
            done = back + (done - now)
        return computation.ends(done, back + (computation.limit - now))
