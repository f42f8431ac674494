"""The server and its story: the vocabulary, and a whole run.

The story is the same generator that the engine runs (``algorithms/methods``).  A `BrokenStory` ends
a run that breaks the rules of the vocabulary.
"""

import gc
from collections import deque
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass

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
from simulator.cluster import Cluster, Vector
from simulator.cluster.network import SCALAR
from simulator.reference.calendar import NEVER, SERVER, Calendar, Due
from simulator.reference.network import Network
from simulator.reference.objects import Computation, Order
from simulator.reference.record import Record, Spans, computations_of
from simulator.reference.workers import Lengths, Workers
from simulator.schedule import Step

# NOTHING takes no time.
ARRIVAL, COLLECTIVE, UPDATE, NOTHING = Request(), Request(), Request(), Request()
NONE: frozenset[Ticket] = frozenset()


class BrokenStory(Exception):
    """An aggregation broke the rules of its vocabulary."""


class LastStep(BaseException):
    """The run is over with the step that the story closed."""


def replay(
    cluster: Cluster,
    aggregation: Aggregation,
    *,
    seed: int = 0,
    vector: Vector = SCALAR,
    steps: float = NEVER,
    until: float = NEVER,
    lengths: Lengths | None = None,
) -> Record:
    """Simulate until ``steps`` have closed, or up to the second ``until`` inclusive.

    ``lengths`` gives those of the tickets' episodes, where time is charged by the environment step.
    A run without further events ends as stalled; if failures never end, only ``until`` ends it.
    Raises a `BrokenStory` if the aggregation breaks the rules.

    >>> from algorithms.methods import rennala
    >>> from simulator.cluster import Cluster, Power
    >>> record = replay(Cluster(10, Power(exponent=0.5)), rennala(batch=20), steps=2)
    >>> [step.time for step in record.steps], record.accounts().used.tolist()
    ([5.0, 10.0], [10, 6, 4, 4, 4, 4, 2, 2, 2, 2])
    """
    if steps == until == NEVER:
        raise ValueError("steps = inf, until = inf: give one of them, or the run never ends")
    server = Server(cluster, aggregation, seed, vector, steps, lengths)
    # A run makes no garbage before its end, and the search for it doubles the time.
    enabled = gc.isenabled()
    gc.disable()
    try:
        return server.run(until)
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True, eq=False)
class Update(Due):
    """A step that the server computes; the story waits for it, or for its event."""

    tickets: list[Ticket]
    weights: list[float]
    keep: Collection[Ticket]
    importance: float | None
    awaited: bool = False
    begin: float | None = None


class Server:
    def __init__(
        self,
        cluster: Cluster,
        aggregation: Aggregation,
        seed: int,
        vector: Vector,
        steps: float,
        lengths: Lengths | None,
    ) -> None:
        self.workers, self.version = cluster.workers, 0
        self._steps, self._most_steps = list[Step](), steps
        self._waiting, self._inbox = False, deque[Event]()
        self._arrived: dict[Ticket, Computation] = {}  # not used in a step yet
        self._used, self._kept = 0, NONE
        self._updates = cluster.updates(seed, vector)
        self._update: Update | None = None
        self._words, self._most_words = 0, 1000 + 100 * cluster.workers
        self._calendar = calendar = Calendar()
        self._network = Network(
            cluster, seed, vector, calendar, arrived=self._arrive, together=self._drive
        )
        self._fleet = Workers(
            cluster,
            seed,
            calendar,
            self._network,
            lengths=lengths,
            ended=self._computed,
            changed=self._changed,
        )
        self._story = aggregation(self)
        if not isinstance(self._story, Generator):
            raise BrokenStory(f"the aggregation returns {self._story!r}: it must be a generator")

    def run(self, until: float) -> Record:
        calendar, over = self._calendar, False
        try:
            self._drive()
            calendar.run(until)
        except LastStep:
            over = True
        end = calendar.now if over or until == NEVER else until
        return Record(
            self.workers,
            end,
            not over and calendar.empty,
            self._steps,
            computations_of(self._fleet.computations, end),
            Spans.of(self._network.spans),
            Spans.of(self._fleet.outages),
        )

    # The words of the story

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        self._count_words(self.workers)
        self._outdate(self.present())
        order = Order(self.version, quota or NEVER, upload, work)
        for worker in self._fleet.all:
            self._fleet.order(worker, order)

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
        self._count_words(1)
        if not 0 <= worker < self.workers:
            raise BrokenStory(f"an order to worker {worker}: there are {self.workers}")
        self._outdate([worker])
        order = Order(self.version, quota or NEVER, upload, work, limit or NEVER)
        self._fleet.order(self._fleet.all[worker], order, recall=recall)

    def refresh(self, worker: int) -> None:
        self._count_words(1)
        self._fleet.refresh(self._fleet.all[worker], self.version)

    def present(self) -> Sequence[int]:
        return [worker.number for worker in self._fleet.all if not worker.away]

    def arrival(self, needs: Needs = no_worker) -> Request:
        return ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        computation = self._take(ticket, "drops")
        computation.fate, computation.sealed = "dropped", self.version

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        participants = dict.fromkeys(ticket.worker for ticket in tickets)
        workers = [self._fleet.all[number] for number in participants]
        for worker in workers:
            worker.held.clear()
        at_once = self._network.all_reduce(workers)
        for worker in self._fleet.all:
            self._fleet.release(worker)
        return NOTHING if at_once else COLLECTIVE

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        if self._updates.free:
            self._close(Update(tickets, weights, keep, importance))
            return NOTHING
        return self._begin(Update(tickets, weights, keep, importance, awaited=True))

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._begin(Update(tickets, weights, keep, importance))

    # Steps

    def _begin(self, update: "Update") -> Request:
        """The server begins to compute a step."""
        number = self.version + 1
        if self._update:
            raise BrokenStory(f"the story starts another step while {number} is under way")
        again = self._kept.intersection(update.tickets)
        for ticket in update.tickets:
            if ticket not in again:
                self._find(ticket, f"starts step {number} with")
        update.begin = self._calendar.now
        seconds = self._updates.seconds(self.version, len(update.tickets) - len(again))
        if not seconds:
            self._close(update)
            if not update.awaited:
                self._inbox.appendleft(Trained(self.version))
            return NOTHING
        self._update = update
        self._calendar.expect(update, update.begin + seconds, SERVER, self._computed_step)
        return UPDATE

    def _computed_step(self, update: "Update") -> None:
        self._update = None
        self._close(update)
        if update.awaited:
            self._drive()
        else:
            self._deliver(Trained(self.version))

    def _close(self, update: "Update") -> None:
        tickets, weights, keep = update.tickets, update.weights, update.keep
        self._count_words(1)
        if len(tickets) != len(weights):
            sizes = f"{len(tickets)} tickets and {len(weights)} weights"
            raise BrokenStory(f"step {self.version + 1} closes with {sizes}: give each ticket one")
        again = self._kept.intersection(tickets) if self._kept else NONE
        fresh = [self._arrived[t] for t in tickets if t not in again and t in self._arrived]
        for ticket, weight in zip(tickets, weights, strict=True):
            if ticket not in again:
                computation = self._take(ticket, f"closes step {self.version + 1} with")
                computation.fate, computation.weight = "used", weight
                computation.step = self.version + 1
        self._used += len(tickets) - len(again)
        self._keep(tickets, keep)
        version, now = self.version, self._calendar.now
        self._steps.append(
            Step(
                version,
                now,
                tickets,
                weights,
                self._used,
                None,
                again,
                self._kept,
                update.importance,
                update.begin,
                {c.ticket: ((c.version, 0.0), *c.mixture) for c in fresh if c.mixture} or None,
                [computation.arrived for computation in fresh],
            )
        )
        self.version = self._calendar.steps = version + 1
        if self.version >= self._most_steps:
            raise LastStep

    def _keep(self, tickets: list[Ticket], keep: Collection[Ticket]) -> None:
        kept = frozenset(keep) if keep else NONE
        if kept and (unknown := kept - self._kept.difference(tickets).union(tickets)):
            keeps = f"step {self.version + 1} keeps {min(unknown)}"
            raise BrokenStory(f"{keeps}: neither this step nor the one before it has it")
        self._kept = kept

    def _take(self, ticket: Ticket, verb: str) -> Computation:
        computation = self._find(ticket, verb)
        del self._arrived[ticket]
        computation.worker.held.pop(computation, None)
        return computation

    def _find(self, ticket: Ticket, verb: str) -> Computation:
        computation = self._arrived.get(ticket)
        if computation is None:
            raise BrokenStory(f"the story {verb} {ticket}, which has not arrived or was used")
        if computation.fate != "waiting":
            raise BrokenStory(f"the story {verb} {ticket}, which was {computation.fate}")
        return computation

    def _count_words(self, count: int) -> None:
        self._words += count
        if self._words > self._most_words:
            endless = f"the story has used {self._words:,} words at {self._calendar.now:g} s"
            raise BrokenStory(f"{endless} and yielded nothing: it must yield a request")

    # The events of the story

    def _computed(self, computation: Computation) -> None:
        """A worker has ended a computation under its order: it is done, or broken off."""
        worker = computation.worker
        if computation.fate == "recalled":
            self._deliver(Expired(worker.number))
        elif worker.order.upload and not self._network.free:
            self._network.send(computation)
        else:
            if not worker.order.upload:
                worker.held[computation] = None
            self._arrive(computation)

    def _arrive(self, computation: Computation) -> None:
        ticket = computation.ticket
        self._arrived[ticket] = computation
        computation.arrived = self.version
        self._deliver(ticket)

    def _deliver(self, event: Event) -> None:
        if self._waiting:
            self._drive(event)
        else:
            self._inbox.append(event)

    def _changed(self, event: Lost | Joined) -> None:
        """A story that waits for an all-reduce does not get ``Lost`` and ``Joined``."""
        if isinstance(event, Lost):
            self._inbox = deque(e for e in self._inbox if not self._is_lost(e))
        if self._waiting:
            self._drive(event)
        elif self._update:
            self._inbox.append(event)

    def _is_lost(self, event: Event) -> bool:
        return isinstance(event, Ticket) and self._arrived[event].fate == "lost"

    def _outdate(self, workers: Sequence[int]) -> None:
        """Remove the outages of present workers from the inbox, as these get an order now."""
        there = set(workers).intersection(self.present())
        self._inbox = deque(
            event
            for event in self._inbox
            if not (isinstance(event, Lost | Joined) and event.worker in there)
        )

    def _drive(self, event: Event | None = None) -> None:
        self._waiting, self._words = False, 0
        request = self._answer(event)
        while request is NOTHING or (request is ARRIVAL and self._inbox):
            request = self._answer(None if request is NOTHING else self._inbox.popleft())
        self._waiting = request is ARRIVAL

    def _answer(self, event: Event | None) -> Request:
        try:
            request = self._story.send(event)
        except StopIteration:
            raise BrokenStory("the story has ended: it must go on with `while True`") from None
        if self._update and self._update.awaited and request is not UPDATE:
            raise BrokenStory("the story does not wait for its step: it must yield it")
        if request in (ARRIVAL, COLLECTIVE, UPDATE, NOTHING):
            return request
        raise BrokenStory(f"the story yields {request!r}: it must yield a request")
