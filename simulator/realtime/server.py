"""The server in real time: the vocabulary on actors (``algorithms/vocabulary.py``).

The story is the same generator that the engine runs.  It waits for reports of workers instead of
simulated events.  Orders, uploads and all-reduces last as long as the scenario says.

A report of an order that was replaced meanwhile comes too late.  A simulated worker would have
been recalled at that instant, so the gradient counts as recalled.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from algorithms.tickets import Ticket
from algorithms.vocabulary import (
    Aggregation,
    Event,
    Expired,
    Joined,
    Lost,
    Needs,
    Request,
    Story,
    no_worker,
)
from simulator.cluster import Cluster, Vector
from simulator.dialogue import ARRIVAL, COLLECTIVE, DONE, UPDATE, Dialogue
from simulator.engine import Stop
from simulator.realtime.fleet import Fleet
from simulator.realtime.gradients import Gradient
from simulator.realtime.holdings import Compute, Holdings
from simulator.realtime.messages import NEVER, Report, Terms
from simulator.realtime.orders import Orders
from simulator.realtime.recording import Recording
from simulator.realtime.rule import Ascent
from simulator.realtime.steps import Steps
from simulator.realtime.transfers import Transfers
from simulator.reference import Notice


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
        seed: int,
        vector: Vector,
        stop: Stop,
        say: Callable[[str], None],
    ) -> None:
        self.workers, self._finishes = cluster.workers, cluster.in_flight == "finish"
        self._fleet, self._scale, self._stop, self._say = fleet, scale, stop, say
        self.recording = Recording(cluster.workers)
        self._transfers = Transfers(cluster, seed, vector, self.recording)
        self._holdings = Holdings(fleet, compute, self.recording, ascent.point)
        self._orders = Orders(fleet, self._transfers, self._holdings, self.recording)
        self._present, self._done = set(range(self.workers)), [0.0] * self.workers
        self._needs: Needs = no_worker
        self._dialogue = Dialogue(name)
        self._changing: Event | None = None
        parts = self._dialogue, ascent, self._holdings, self._transfers, self.recording
        self._steps = Steps(*parts, cluster.updates(seed, vector), stop)
        self._dialogue.begin(self._recorded(aggregation(self)))

    def run(self) -> None:
        """Serve the story until the run stops."""
        self._dialogue.drive()
        while not self._dialogue.over:
            self._orders.tell(self._present)
            self._serve(min(self._transfers.next_end, self._steps.next_end, self._stop.seconds))
        self.recording.close(self._steps.end(), self._fleet.end(self._present))

    @property
    def now(self) -> float:
        """Scenario seconds since time 0."""
        return (time.monotonic() - self._fleet.epoch) / self._scale

    # The words of the story

    @property
    def version(self) -> int:
        return self._steps.version

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        self._give(self.present(), Terms(quota or NEVER, upload, work))

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
            self._give([worker], Terms(quota or NEVER, upload, work, limit or NEVER, recall))

    def _give(self, workers: Sequence[int], terms: Terms) -> None:
        if not self._dialogue.over:
            self._dialogue.outdate(workers)
            self._orders.give(workers, terms, self.now, self.version)

    def present(self) -> Sequence[int]:
        return sorted(self._present)

    def arrival(self, needs: Needs = no_worker) -> Request:
        self._needs = needs
        return ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        del self._holdings.arrived[ticket]
        self.recording.gone(ticket, "dropped")

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        workers, now = list(dict.fromkeys(ticket.worker for ticket in tickets)), self.now
        done = [self._done[worker] for worker in workers]
        lasts = self._transfers.all_reduce(workers, done, now, self.version)
        for worker in self._present:
            self._orders.end(worker, now)
        return COLLECTIVE if lasts else DONE

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        self._steps.begin(tickets, weights, keep, importance, self.now, awaited=True)
        if self._steps.take_time:
            return UPDATE
        self._steps.close(self.now)
        return DONE

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._steps.begin(tickets, weights, keep, importance, self.now, awaited=False)
        if not self._steps.take_time:
            self._steps.close(self.now)
            self._dialogue.end_step_at_once(self.version)

    def refresh(self, worker: int) -> None:
        remedy = "use update = 'between'"
        self._dialogue.refuse("real workers get new points only between computations", remedy)

    # Events

    def _recorded(self, story: Story) -> Story:
        """The same story; all that it gets is recorded."""
        with suppress(StopIteration):
            request = next(story)
            while True:
                event = yield request
                if event is not None:
                    late = isinstance(event, Lost | Joined) and event is not self._changing
                    self.recording.tell(event, self.now, Notice.LATER if late else Notice.AT_ONCE)
                request = story.send(event)

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
        for ticket, gradient in self._transfers.arrived(self.now):
            self._arrive(ticket, gradient)
        if self._transfers.all_reduced(self.now) and not self._dialogue.over:
            self._dialogue.drive()
        if self._steps.next_end <= self.now and not self._dialogue.over:
            self._steps.close(self.now)
            self._dialogue.end_step(self.version)
        if self.now >= self._stop.seconds:
            self._dialogue.over = True

    def _report(self, report: Report) -> None:
        """A computation has ended."""
        worker, ticket = report.ticket.worker, report.ticket
        report = report.no_later(self.now, self._done[worker])
        late = self._orders.replaced(worker, report.serial)
        self.recording.ended(report)
        self._done[worker] = report.finish
        if report.fate == "done" and report.gradient is not None:
            if not self._transfers.upload(ticket, report.gradient, report.finish):
                self._arrive(ticket, report.gradient)
        elif report.fate == "done" and not late:
            self._arrive(ticket, None)
        elif report.fate == "done":
            self.recording.gone(ticket, "dropped" if self._finishes else "recalled")
        else:
            self.recording.gone(ticket, "dropped" if report.fate == "dropped" else "recalled")
            if report.fate == "expired" and not late:
                self._dialogue.deliver(Expired(worker))

    def _arrive(self, ticket: Ticket, gradient: Gradient | None) -> None:
        self._holdings.arrive(ticket, gradient, self.version)
        self._dialogue.deliver(ticket)

    def _lose(self, worker: int) -> None:
        """A worker has died, with its computation and the gradients that it held."""
        now = self.now
        self._present.discard(worker)
        self._orders.end(worker, now)
        lost = {*self._holdings.held_by(worker), *self._transfers.sent_by(worker)}
        lost -= {*self._steps.safe}
        self._dialogue.withdraw(lost.__contains__)
        if self._dialogue.waiting or self._dialogue.computing:  # an all-reduce has all gradients
            self._holdings.lose(lost)
            self._transfers.lose(lost)
            for ticket in lost:
                self.recording.gone(ticket, "lost")
        self.recording.leaves(worker, now)
        self._change(Lost(worker))
        what = "waits for it" if worker in self._needs({worker}) else "goes on"
        died = f"{self._dialogue.name}: worker {worker} died at {now:,.4g} s and is started again"
        self._say(f"{died}; the method {what}")

    def _come_back(self, worker: int) -> None:
        self.recording.comes_back(worker, self.now)
        self._fleet.join(worker, *self.recording.begun_of(worker))
        self._present.add(worker)
        self._change(Joined(worker))

    def _change(self, event: Lost | Joined) -> None:
        """A story that waits for an all-reduce does not get ``Lost`` and ``Joined``."""
        if not self._dialogue.waiting:
            self.recording.tell(event, self.now, Notice.NEVER)
        self._changing = event
        self._dialogue.change(event)
        self._changing = None
