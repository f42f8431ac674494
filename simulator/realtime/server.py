"""The server in real time: the vocabulary on actors (``algorithms/vocabulary.py``).

The story is the same generator that the engine runs.  It waits for reports of workers instead of
simulated events.  Orders, uploads and all-reduces last as long as the scenario says.

A report of an order that was replaced meanwhile comes too late.  A simulated worker would have
been recalled at that instant, so the gradient counts as recalled.  If a worker dies in an
all-reduce, the server computes its gradients once more: they depend on point and ticket only.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, NoReturn

import numpy as np

from algorithms.tickets import Ticket
from algorithms.vocabulary import (
    Aggregation,
    Event,
    Expired,
    Joined,
    Lost,
    Needs,
    Request,
    Trained,
    no_worker,
)
from simulator.cluster import Cluster
from simulator.cluster.collectives import Participant, collective_end
from simulator.cluster.server import Updates
from simulator.engine import Stop
from simulator.mistakes import Mistake
from simulator.realtime.fleet import Fleet
from simulator.realtime.gradients import Gradient, Vector, by_worker, weighted
from simulator.realtime.messages import NEVER, Order, Report
from simulator.realtime.recording import Recording
from simulator.realtime.rule import Ascent
from simulator.reference import Notice
from simulator.schedule import Step

_ARRIVAL, _COLLECTIVE, _UPDATE, _DONE = Request(), Request(), Request(), Request()
NONE: frozenset[Ticket] = frozenset()
SERVER = -1  # the server's number among the workers
Say = Callable[[str], None]
Compute = Callable[[Vector, Ticket], Gradient]
"""A gradient, computed by the server itself."""


class Update(NamedTuple):
    """A step that the server computes, and the point after it."""

    step: Step
    point: Vector
    awaited: bool


class Server:
    """One method's run in real time; ``run`` it once."""

    def __init__(
        self,
        cluster: Cluster,
        aggregation: Aggregation,
        fleet: Fleet,
        ascent: Ascent,
        compute: Compute,
        *,
        name: str,
        scale: float,
        uploads: Any,
        downloads: Any,
        updates: Updates,
        stop: Stop,
        say: Say,
    ) -> None:
        self.workers, self.version = cluster.workers, 0
        self._cluster, self._fleet, self._ascent, self._compute = cluster, fleet, ascent, compute
        self._name, self._scale, self._stop, self._say = name, scale, stop, say
        self._uploads, self._downloads = uploads, downloads
        self.recording = Recording(cluster.workers)
        n = cluster.workers
        self._present = set(range(n))
        self._serial, self._silent = [0] * n, set[int]()  # orders that ended without a message
        self._received, self._sent = [0] * n, [0] * n
        self._done = [0.0] * n
        self._arrived: dict[Ticket, Gradient | None] = {}  # None: its worker holds it
        self._kept: dict[Ticket, Gradient | None] = {}
        self._transit: list[tuple[float, Ticket, Gradient]] = []
        self._points = {0: ascent.point}
        self._inbox: deque[Event] = deque()
        self._needs: Needs = no_worker
        self._waiting, self._collective = False, NEVER
        self._updates, self._update = updates, NEVER
        self._next: Update | None = None
        self._used, self.over = 0, False
        self._story = aggregation(self)

    def run(self) -> None:
        """Tell the story until the run stops."""
        self._drive(None)
        while not self.over:
            until = min(self._collective, self._update, self._stop.seconds)
            until = min(until, self._transit[0][0]) if self._transit else until
            self._serve(until)
        self.recording.close(self._end_time(), self._fleet.end(self._present))

    @property
    def now(self) -> float:
        """Scenario seconds since time 0."""
        return (time.monotonic() - self._fleet.epoch) / self._scale

    # The server's vocabulary

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        self._order(sorted(self._present), quota, upload, work, None, False)

    def send(
        self,
        worker: int,
        *,
        quota: int | None = None,
        upload: bool = False,
        work: float = 1,
        limit: float | None = None,
        recall: bool = False,
    ) -> None:
        if worker in self._present:
            self._order([worker], quota, upload, work, limit, recall)

    def present(self) -> Sequence[int]:
        return sorted(self._present)

    def arrival(self, needs: Needs = no_worker) -> Request:
        self._needs = needs
        return _ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        del self._arrived[ticket]
        self.recording.gone(ticket, "dropped")

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        participants = dict.fromkeys(ticket.worker for ticket in tickets)
        now = end = self.now
        if participants and not self._uploads.free:
            end = self._all_send(now, list(participants))
        for worker in self._present:
            self._release(worker, now)
        if end == now:
            return _DONE
        self._collective = end
        self._tell_the_released()
        return _COLLECTIVE

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        self._begin(tickets, weights, keep, importance, awaited=True)
        if not self._updates.free:
            return _UPDATE
        self._close(self.now)
        return _DONE

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._begin(tickets, weights, keep, importance, awaited=False)

    # Steps

    def _begin(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket],
        importance: float | None,
        *,
        awaited: bool,
    ) -> None:
        """The server begins to compute a step."""
        if self.over:
            return
        begin = self.now
        again = frozenset(self._kept.keys() & set(tickets))
        kept = frozenset(keep)
        step = Step(self.version, 0.0, tickets, weights, 0, None, again, kept, importance, begin)
        self._check(step)
        gradient = self._sum(step)
        point = self._ascent.advance(step, gradient.vector)
        self._update = begin + self._updates.seconds(self.version, len(step.fresh))
        self._next = Update(step, point, awaited)

    def _close(self, now: float) -> None:
        """A step closes: the server has computed it."""
        if self.over or self._next is None:
            return
        step, point, _ = self._next
        self._update, self._next = NEVER, None
        if now > self._stop.seconds:
            self.over = True
            return
        if not self._updates.free:
            assert step.begin is not None
            self.recording.trains(step.begin, now, self.version)
        self._used += len(step.fresh)
        self.recording.close_step(step._replace(time=now, used=self._used))
        self._forget(step)
        self.version += 1
        self._points[self.version] = point
        counted = self.version >= self._stop.steps or self._used >= self._stop.gradients
        self.over = counted or not np.isfinite(point).all()

    # Orders

    def _order(
        self,
        workers: Sequence[int],
        quota: int | None,
        upload: bool,
        work: float,
        limit: float | None,
        recall: bool,
    ) -> None:
        if self.over:
            return
        now = self.now
        needed = [*self._arrived, *self._kept]
        orders = {}
        self._outdate(workers)
        for worker in workers:
            self._release(worker, now)
            self._silent.discard(worker)
            delay = 0.0
            if not self._downloads.free:
                delay = self._downloads.one(worker, self._received[worker])
                self._received[worker] += 1
                self.recording.receives(worker, now, now + delay, self.version)
            own = tuple(ticket for ticket in needed if ticket.worker == worker)
            given = quota or NEVER, upload, work, limit or NEVER, recall
            orders[worker] = Order(self._serial[worker], self.version, delay, *given, own)
            self.recording.ordered(worker, now + delay, orders[worker])
        self._fleet.order(orders, self._points[self.version])

    def _release(self, worker: int, now: float) -> None:
        """End a worker's order; it learns so with its next order, or when the story waits."""
        self._serial[worker] += 1
        self._silent.add(worker)
        self.recording.stops_receiving(worker, now)

    def _tell_the_released(self) -> None:
        for worker in self._silent & self._present:
            self._fleet.release(worker, self._serial[worker])
        self._silent.clear()

    def _outdate(self, workers: Sequence[int]) -> None:
        """Remove the outages of workers from the inbox, as these get an order now."""
        late = (
            e for e in self._inbox if not (isinstance(e, Lost | Joined) and e.worker in workers)
        )
        self._inbox = deque(late)

    def _check(self, step: Step) -> None:
        if len(step.weights) != len(step.tickets):
            sizes = f"{len(step.weights)} weights for {len(step.tickets)} gradients"
            self._refuse(f"step {self.version}: {sizes}", "give one weight for each")
        for ticket in step.fresh:
            if ticket not in self._arrived:
                unknown = f"step {self.version}: {ticket} has not arrived, or was used before"
                self._refuse(unknown, "use each gradient that arrives once, or keep it")

    def _sum(self, step: Step) -> Gradient:
        """The weighted sum of the step's gradients; each worker adds those that it holds."""
        known = self._kept | self._arrived
        parts = by_worker(step.tickets, step.weights)
        held = {worker: part for worker, part in parts.items() if known[part[0][0]] is None}
        keep = [ticket for ticket in step.keep if known.get(ticket, 0) is None]
        found = self._fleet.sums(held, keep) if held else {}
        vectors, taken = [], 0
        fresh = set(step.fresh)
        for worker, (tickets, weights) in parts.items():
            if worker in found:
                vector, steps = found[worker]
            else:
                own = {ticket: known[ticket] or self._again(ticket) for ticket in tickets}
                vector = weighted([own[ticket].vector for ticket in tickets], weights)
                steps = {ticket: own[ticket].environment_steps for ticket in tickets}
            vectors.append(vector)
            taken += sum(steps[ticket] for ticket in tickets if ticket in fresh)
        if not vectors:
            return Gradient(np.zeros_like(self._points[self.version]), 0)
        return Gradient(weighted(vectors, [1.0] * len(vectors)), taken)

    def _again(self, ticket: Ticket) -> Gradient:
        """Compute a gradient whose worker died before it could pass it on."""
        self.recording.recomputed += 1
        return self._compute(self._points[ticket.version], ticket)

    def _forget(self, step: Step) -> None:
        """Keep the gradients and points that a later step may use."""
        known = self._kept | self._arrived
        self._kept = {ticket: known[ticket] for ticket in step.keep}
        for ticket in step.fresh:
            del self._arrived[ticket]
        versions = {ticket.version for ticket in (*self._kept, *self._arrived)}
        versions |= {ticket.version for _, ticket, _ in self._transit} | self.recording.ordered_at
        self._points = {v: point for v, point in self._points.items() if v in versions}

    # The story

    def _drive(self, answer: Event | None) -> None:
        """Run the story until it waits for a future event."""
        self._waiting = False
        if answer is not None:
            self.recording.tell(answer, self.now)
        try:
            request = self._story.send(answer)
            while not self.over:
                if request is _ARRIVAL and self._inbox:
                    event = self._inbox.popleft()
                    late = isinstance(event, Lost | Joined)
                    self.recording.tell(event, self.now, Notice.LATER if late else Notice.AT_ONCE)
                    request = self._story.send(event)
                elif request is _DONE:
                    request = self._story.send(None)
                else:
                    break
        except StopIteration:
            self._refuse("its story ended", "let it go on with `while True`")
        if request not in (_ARRIVAL, _COLLECTIVE, _UPDATE, _DONE):
            unknown = f"yielded {request!r:.40}, which is no request"
            self._refuse(unknown, "yield cluster.arrival() or cluster.all_reduce(tickets)")
        self._waiting = request is _ARRIVAL
        self._tell_the_released()

    def _refuse(self, mistake: str, remedy: str) -> NoReturn:
        raise Mistake(f"{self._name}: {mistake}; {remedy}") from None

    def _deliver(self, event: Event) -> None:
        if self.over:
            return
        if self._waiting:
            self._drive(event)
        else:
            self._inbox.append(event)

    def _changed(self, event: Lost | Joined) -> None:
        """A story that waits for an all-reduce does not get ``Lost`` and ``Joined``."""
        if self._waiting and not self.over:
            self._drive(event)
            return
        self.recording.tell(event, self.now, Notice.NEVER)
        if self._next:
            self._inbox.append(event)

    def _serve(self, until: float) -> None:
        """Serve what happens up to this time."""
        left = None if math.isinf(until) else max(0.0, (until - self.now) * self._scale)
        heard = self._fleet.hear(left)
        for report in heard.reports:
            self._report(report)
        for worker in heard.died:
            self._lose(worker)
        for worker in heard.back:
            self._come_back(worker)
        while self._transit and self._transit[0][0] <= self.now and not self.over:
            _, ticket, gradient = heappop(self._transit)
            self._arrived[ticket] = gradient
            self._deliver(ticket)
        if self._collective <= self.now and not self.over:
            self._collective = NEVER
            self._drive(None)
        if self._update <= self.now and not self.over:
            self._updated()
        if self.now >= self._stop.seconds:
            self.over = True

    def _updated(self) -> None:
        """The time of an update is over."""
        assert self._next is not None
        awaited = self._next.awaited
        self._close(self.now)
        if awaited and not self.over:
            self._drive(None)
        elif not self.over:
            self._deliver(Trained(self.version))

    # Workers

    def _report(self, report: Report) -> None:
        """A computation has ended."""
        now = self.now  # clocks of two machines may differ by a hair
        report = report._replace(start=min(report.start, now), finish=min(report.finish, now))
        worker, ticket = report.ticket.worker, report.ticket
        late = report.serial < self._serial[worker]
        self.recording.ended(report)
        self._done[worker] = report.finish
        if report.fate == "done" and report.gradient is not None:
            self._send(report, report.gradient)
        elif report.fate == "done" and not late:
            self._arrived[ticket] = None
            self._deliver(ticket)
        elif report.fate == "done":
            finishes = self._cluster.in_flight == "finish"
            self.recording.gone(ticket, "dropped" if finishes else "recalled")
        else:
            self.recording.gone(ticket, "dropped" if report.fate == "dropped" else "recalled")
            if report.fate == "expired" and not late:
                self._deliver(Expired(worker))

    def _send(self, report: Report, gradient: Gradient) -> None:
        """A single gradient is on its way; it arrives when its upload ends."""
        ticket = report.ticket
        if self._uploads.free:
            self._arrived[ticket] = gradient
            self._deliver(ticket)
            return
        end = report.finish + self._parts(ticket.worker).seconds
        self.recording.sends(ticket.worker, report.finish, end, ticket.version)
        heappush(self._transit, (end, ticket, gradient))

    def _all_send(self, now: float, workers: Sequence[int]) -> float:
        """The end of an all-reduce."""
        kind = self._cluster.network.collective
        participants = [Participant(now, self._done[w], self._parts(w)) for w in workers]
        end = collective_end(kind, now, participants)
        for worker, (ready, done, parts) in zip(workers, participants, strict=True):
            begin = done if kind == "gather" else ready
            own = end if kind in ("ring", "tree") else begin + parts.seconds
            self.recording.sends(worker, begin, own, self.version)
        self.recording.shares(now, end, self.version)
        return end

    def _parts(self, worker: int) -> Any:
        number = self._sent[worker]
        self._sent[worker] += 1
        return self._uploads.parts(worker, number)

    def _lose(self, worker: int) -> None:
        """A worker has died, with its computation and the gradients that it held."""
        now = self.now
        self._present.discard(worker)
        self._release(worker, now)
        self._silent.discard(worker)
        lost = [t for t, held in self._arrived.items() if t.worker == worker and held is None]
        lost += [ticket for _, ticket, _ in self._transit if ticket.worker == worker]
        if self._next:  # what it computes is safe
            lost = [ticket for ticket in lost if ticket not in self._next.step.tickets]
        self._inbox = deque(event for event in self._inbox if event not in lost)
        if self._waiting or self._next:  # an all-reduce that is under way has all gradients
            for ticket in lost:
                self._arrived.pop(ticket, None)
                self.recording.gone(ticket, "lost")
            self._transit = [each for each in self._transit if each[1].worker != worker]
        self.recording.leaves(worker, now)
        self._changed(Lost(worker))
        what = "waits for it" if worker in self._needs({worker}) else "goes on"
        died = f"{self._name}: worker {worker} died at {now:,.4g} s and is started again"
        self._say(f"{died}; the method {what}")

    def _come_back(self, worker: int) -> None:
        self.recording.comes_back(worker, self.now)
        self._fleet.join(worker, *self.recording.begun_of(worker))
        self._present.add(worker)
        self._changed(Joined(worker))

    def _end_time(self) -> float:
        """The end of the run: at its last step, or at its last second."""
        last = self.recording.steps[-1].time if self.recording.steps else 0.0
        counted = self.version >= self._stop.steps or self._used >= self._stop.gradients
        broken = not np.isfinite(self._points.get(self.version, np.zeros(1))).all()
        return last if counted or broken else self._stop.seconds
