"""The simulation of a schedule: a cluster in virtual time, driven by SimPy.

The simulation gives an aggregation its vocabulary (``algorithms/vocabulary.py``) and yields the
server steps lazily, as its story closes them.  Durations depend on worker, time and random stream,
never on gradient values, so the schedule can run ahead of the numbers.  Where they depend on the
length of an episode, ``lengths`` gives it when the episode starts, after all earlier steps.

Events at the same instant are served by (time, worker index), the server's own first.  The server
answers an arrival before its sender does anything else, so the worker that closes a batch is never
computing at the old point.  Outages begin and end after all arrivals.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from simpy.core import EmptySchedule

from algorithms.tickets import Ticket
from algorithms.vocabulary import (
    Aggregation,
    Event,
    Expired,
    Joined,
    Lost,
    Needs,
    Request,
    no_worker,
)
from simulator.cluster import Cluster, Vector
from simulator.cluster.network import SCALAR
from simulator.dialogue import ARRIVAL, COLLECTIVE, DONE, UPDATE, Dialogue
from simulator.engine.calendar import Calendar
from simulator.engine.clock import SERVER_RANK, Clock, Happening, computation_rank, outage_rank
from simulator.engine.gradients import Gradients
from simulator.engine.outages import Attendance, come_back, lose, pause
from simulator.engine.refreshes import Refreshes
from simulator.engine.stalls import StallDetector, Stalled
from simulator.engine.stop import ENDLESS, Ends, Stop
from simulator.engine.totals import NEVER
from simulator.engine.trace import Sinks, Trace
from simulator.engine.transfers import SERVER, Transfers
from simulator.engine.workers import UNLIMITED, Workers
from simulator.mistakes import check_argument
from simulator.schedule import Accounts, Step

Lengths: TypeAlias = Callable[[Sequence[Ticket]], Sequence[int]]
"""The lengths of these tickets' episodes, in environment steps."""
MOST_EMPTY = 1000  # steps without a gradient, before a run that counts gradients gives up
MOST_AT_ONCE = 10_000  # steps without a request between them, before a story counts as endless


class Update(NamedTuple):
    """A step that the server computes; the story waits for it, or for its event."""

    tickets: list[Ticket]
    weights: list[float]
    keep: Collection[Ticket]
    importance: float | None
    begin: float


class Simulation:
    """One method's run on one cluster; iterate ``steps`` once.

    >>> from algorithms.methods import rennala
    >>> from simulator.cluster import Cluster, Power
    >>> simulation = Simulation(Cluster(10, Power(exponent=0.5)), rennala(batch=20))
    >>> [step.time for step in simulation.steps(Stop(steps=2))]
    [5.0, 10.0]
    """

    def __init__(
        self,
        cluster: Cluster,
        aggregation: Aggregation,
        *,
        name: str = "this method",
        seed: int = 0,
        vector: Vector = SCALAR,
        account_when: Callable[[int, float], bool] = lambda number, time: False,
        lengths: Lengths | None = None,
        trace: Sinks | None = None,
    ) -> None:
        remedy = "give Cluster(...).build() or scenario.build_cluster()"
        check_argument("Simulation: cluster", cluster, Cluster, remedy)
        remedy = "give an aggregation, such as algorithms.methods.rennala(batch=20)"
        check_argument("Simulation: aggregation", aggregation, Callable, remedy)
        self.workers, self.version, self.now = cluster.workers, 0, 0.0
        self._clock = Clock()
        self._trace = Trace(trace) if trace else None
        self._lengths = lengths
        state = Workers(
            cluster, seed=seed, vector=vector, measured=lengths is not None, trace=self._trace
        )
        self._state, self._totals, self._limited = state, state.totals, state.limits.seconds
        self._refreshes = Refreshes(self._clock, state)
        self.present = state.present
        self._calendar = Calendar(state.finish, state.prepare)
        self._armed: tuple[float, int] | None = None
        self._serving = False
        absences, attendance = cluster.absences(seed), None
        if absences:
            attendance = Attendance(self._clock, absences, self._leave, self._come_back)
        self._attendance = attendance
        self._mortal = bool(absences) and cluster.outages.work == "lost"
        self._stalls = StallDetector(name, state, attendance if self._mortal else None)
        self._transfers = Transfers(
            self._clock, cluster, state, self._stalls, seed, vector, self._arrive, self._averaged
        )
        self._updates = cluster.updates(seed, vector)
        self._slow = not self._updates.free
        self._update: Update | None = None
        # Whether no gradient is dated, and SimPy's queue does not change while finishes are served.
        steady = self._transfers.never_waits and not self._slow
        self._simple = steady and not self._mortal and lengths is None
        self._horizon = NEVER  # the time of SimPy's next event
        self._in_transit = self._transfers.in_transit
        self._needs: Needs = no_worker
        self._name, self._empty = name, 0
        self._account_when = account_when
        self._closed: deque[Step] = deque()
        self._stop = Stop()
        self._final: Accounts | None = None
        self._dialogue = Dialogue(name)
        self._gradients = Gradients(self._totals, self._refreshes, self._dialogue, dated=self._slow)
        self._sent = self._gradients.sent
        self._dialogue.begin(aggregation(self))

    # The run

    def steps(self, stop: Ends = ENDLESS) -> Iterator[Step]:
        """The server steps, each as it closes, until ``stop``."""
        check_argument("steps: stop", stop, Ends, "give Stop(steps=3)")
        self._stop = Stop.of(stop)
        if self._stop.seconds < NEVER:
            # After all other events of that instant.
            self._clock.at(
                self._stop.seconds, outage_rank(self.workers, self.workers), self._time_is_up
            )
        if self._attendance:
            self._attendance.begin()
        self._dialogue.drive()
        self._arm()
        closed, advance = self._closed, self._clock.step
        unmeasured = self._state.unmeasured
        while True:
            while closed:
                yield closed.popleft()
            if self._final is not None:
                return
            if unmeasured:
                self._measure()
            try:
                while not (closed or unmeasured) and self._final is None:
                    if self._serving:
                        self._serve()
                    else:
                        advance()
            except EmptySchedule:
                self._stalls.stall(self.now, self._needs)
            except Stalled:  # steps of that moment have closed
                yield from closed
                raise

    def accounts(self) -> Accounts:
        """All workers' accounts at the end of the run, or now."""
        return self._final or self._state.accounts(self.now)

    def close_trace(self) -> None:
        """Trace the work that is under way at the end."""
        assert self._trace is not None
        end = self.accounts().time
        self._transfers.close_trace(end, self.version)
        if self._update and self._update.begin < end:
            self._trace.stretch("training", SERVER, self._update.begin, end, self.version)
        self._trace.close(self._state, end)

    def versions_in_use(self) -> set[int]:
        """The versions whose gradients a later step may use."""
        sent = {ticket.version for ticket in self._sent}
        return self._state.versions() | sent | self._refreshes.versions(self._sent)

    # The server's vocabulary

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        if self._final is not None:
            return  # the last step has ended the run
        if self._dialogue.late:
            self._dialogue.outdate(self.present())
        self._state.order_all(self.now, self.version, quota or UNLIMITED, upload, work)
        self._calendar.fill(self.now)

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
        if self._final is not None:
            return
        if self._dialogue.late and worker in self.present():
            self._dialogue.outdate([worker])
        quota, limit = quota or UNLIMITED, limit or NEVER
        finish = self._state.order_one(
            self.now, worker, self.version, quota, upload, work, limit, recall
        )
        if finish < NEVER:
            self._calendar.push((finish, worker))

    def refresh(self, worker: int) -> None:
        self._date()
        self._refreshes.send(self.now, worker, self.version)

    def arrival(self, needs: Needs = no_worker) -> Request:
        self._needs = needs
        if needs is not no_worker and (self._state.stuck or self._stalls.gone):
            self._stalls.check(self.now, needs)
        return ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        worker, seconds = ticket.worker, self._gradients.drop(ticket)
        if seconds is None:  # its worker still holds it
            seconds = self._totals.last[worker]
            if self._mortal:
                self._totals.let_go_one(worker, seconds)
        self._totals.drop(worker, seconds)
        if self._trace:
            self._trace.gone(ticket, "dropped")

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        participants = dict.fromkeys(ticket.worker for ticket in tickets)
        if self._mortal:
            for worker in participants:
                self._totals.let_go(worker)
        # Transfers read the plans, so they begin before the orders end.
        over = self._transfers.never_waits or not participants
        over = over or self._transfers.all_reduce(self.now, self.version, list(participants))
        self._state.release(self.now)
        return DONE if over else COLLECTIVE

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
        *,
        begin: float | None = None,
    ) -> Request:
        """Close a step that takes no time, or that the server began to compute at ``begin``."""
        if self._slow and begin is None:
            return self._begin(tickets, weights, keep, importance, awaited=True)
        if len(weights) != len(tickets) or self._closed or self._in_transit:
            self._check(tickets, weights)
        if keep:
            self._date()
        total, again, kept, mixtures, arrived = self._gradients.take(self.version, tickets, keep)
        if not tickets:
            self._count_empty()
        before, self.version = self.version, self.version + 1
        if self._trace:
            try:
                self._trace.used(tickets, weights, self.version, again)
            except KeyError as unknown:
                self._dialogue.never_arrived(self.version, unknown.args[0])
        over = self.version >= self._stop.steps or total >= self._stop.gradients
        accounts = None
        if over or self._account_when(self.version, self.now):
            accounts = self.accounts()
        if over:
            self._final, self._dialogue.over = accounts, True
            self._state.left.fill(0)  # the worker that has just delivered does not go on
        whole = before, self.now, tickets, weights, total, accounts
        self._closed.append(
            closed_step((*whole, again, kept, importance, begin, mixtures, arrived))
        )
        return DONE

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
    ) -> Request:
        """The server begins to compute a step."""
        fresh = self._gradients.fresh(tickets)
        end = self.now + self._updates.seconds(self.version, fresh)
        self._dialogue.start_step(self.version + 1, awaited=awaited)
        self._date()
        if end == self.now:
            self.step(tickets, weights, keep, importance, begin=self.now)
            self._dialogue.end_step_at_once(self.version)
            return DONE
        self._update = Update(tickets, weights, keep, importance, self.now)
        self._clock.at(end, SERVER_RANK, self._computed)
        return UPDATE

    def _computed(self, event: Happening) -> None:
        """The server has computed its step."""
        update, self._update, self.now = self._update, None, self._clock.now
        assert update is not None
        if self._trace and update.begin < self.now:
            self._trace.stretch("training", SERVER, update.begin, self.now, self.version)
        self.step(*update[:4], begin=update.begin)
        if self._final is None:
            self._dialogue.end_step(self.version)
            self._arm()

    def _date(self) -> None:
        """From now on, gradients may have arrived before the last step."""
        self._gradients.date(self.version)
        self._simple = False

    def _check(self, tickets: Sequence[Ticket], weights: Sequence[float]) -> None:
        self._dialogue.check_weights(self.version, tickets, weights)
        if len(self._closed) >= MOST_AT_ONCE:
            endless = f"closed {MOST_AT_ONCE:,} steps and requested nothing"
            self._dialogue.refuse(endless, "yield cluster.arrival() between steps")
        for ticket in self._in_transit.keys() & tickets:
            self._dialogue.never_arrived(self.version, ticket)

    def _count_empty(self) -> None:
        self._empty += 1
        endless = self._stop.seconds == NEVER and self._stop.steps == NEVER
        if endless and self._empty >= MOST_EMPTY:
            empty = f"{self._name} has closed {MOST_EMPTY:,} steps without a gradient"
            raise Stalled(f"{empty}: no computation is done within its limit")

    # Gradients

    def _plan(self, worker: int, finish: float) -> None:
        if finish < NEVER:
            self._calendar.push((finish, worker))

    def _arm(self) -> None:
        """Give SimPy the earliest of all planned finishes, the only one that it holds."""
        entry = self._calendar.earliest()
        if entry is self._armed:
            return
        self._armed = entry
        if entry is not None:
            self._clock.at(entry[0], computation_rank(entry[1]), self._due, entry)

    def _due(self, event: Happening) -> None:
        entry: tuple[float, int] = event.value
        if entry is self._armed:  # else recalled, or armed again after an earlier one
            self._armed, self._horizon = None, self._clock.peek()
            self._serve(entry)

    def _serve(self, entry: tuple[float, int] | None = None) -> None:
        """Serve finishes from this one on, until a step closes or SimPy's next event is due."""
        state, calendar, closed = self._state, self._calendar, self._closed
        complete, go_on, unmeasured = state.complete, state.go_on, state.unmeasured
        earliest, take, push = calendar.earliest, calendar.take, calendar.push
        at_start = state.at_start
        self._serving = True
        while not (closed or unmeasured or self._final):
            if entry is None:
                entry = earliest()
                if not self._simple:
                    self._horizon = self._clock.peek()
                if entry is None or entry[0] >= self._horizon:
                    self._serving = False
                    self._arm()
                    return
            take(entry)
            now, worker = entry
            self.now = now
            if self._limited and state.limits.expires(worker):
                self._expire(worker)
            else:
                self._pass_on(worker, complete(now, worker))
            if at_start[worker] == NEVER:
                finish = go_on(now, worker)
                if finish < NEVER:
                    push((finish, worker))
            entry = None

    def _expire(self, worker: int) -> None:
        """A computation ends at its limit; the worker keeps the gradients that it holds."""
        self._state.complete(self.now, worker, done=False)
        if not self._transfers.never_waits:
            self._transfers.done(self.now, worker)
        self._dialogue.deliver(Expired(worker))

    def _measure(self) -> None:
        assert self._lengths is not None
        workers = sorted(self._state.unmeasured)
        lengths = self._lengths([self._state.ticket(worker) for worker in workers])
        for worker, length in zip(workers, lengths, strict=True):
            self._plan(worker, self._state.measure(worker, length))
        self._arm()

    # Transfers

    def _pass_on(self, worker: int, ticket: Ticket) -> None:
        """A gradient is done: announce or send it to the server."""
        sends = self._state.at_uploads[worker]
        if sends:
            self._sent[ticket] = self._totals.last[worker]
        if not self._simple:
            transfers = self._transfers
            if not transfers.never_waits:
                transfers.done(self.now, worker)
            if self._mortal and not (sends and transfers.free):
                self._totals.hold(worker)
            if sends and not transfers.free:
                transfers.send(self.now, ticket)
                return
            self._gradients.arrive(ticket, self.version)
        self._dialogue.deliver(ticket)

    def _arrive(self, ticket: Ticket) -> None:
        self.now = self._clock.now
        self._gradients.arrive(ticket, self.version)
        if self._mortal:
            self._totals.let_go_one(ticket.worker, self._sent[ticket])
        self._dialogue.deliver(ticket)
        self._arm()

    def _averaged(self) -> None:
        self.now = self._clock.now
        self._dialogue.drive()
        self._arm()

    # Outages

    def _leave(self, worker: int, until: float) -> None:
        """An outage begins; if work is lost, the server gets a message."""
        self.now = self._clock.now
        if until == NEVER:
            self._stalls.gone.add(worker)
        if self._mortal:
            self._lose(worker, until)
        else:
            self._plan(worker, pause(self._state, self.now, worker, until))
            if self._dialogue.waiting:
                self._stalls.check(self.now, self._needs)
        self._arm()

    def _lose(self, worker: int, until: float) -> None:
        for ticket in self._transfers.break_off(self.now, worker):
            del self._sent[ticket]
        if self._trace:
            self._trace.lost(worker, self._is_safe)
        lose(self._state, self.now, worker, until)
        # The server never hears of gradients that their worker held.
        self._dialogue.withdraw(partial(self._is_held, worker))
        self._dialogue.change(Lost(worker))

    def _is_safe(self, ticket: Ticket) -> bool:
        """Whether the server has a completed gradient: a collective under way has all."""
        if ticket in self._sent:
            return True
        return ticket in self._update.tickets if self._update else not self._dialogue.waiting

    def _is_held(self, worker: int, event: Event) -> bool:
        return isinstance(event, Ticket) and event.worker == worker and event not in self._sent

    def _come_back(self, worker: int) -> None:
        self.now = self._clock.now
        come_back(self._state, self.now, worker)
        if self._mortal:
            self._dialogue.change(Joined(worker))
        self._arm()
        at_rest = self._armed is None and self._dialogue.waiting and self._update is None
        if at_rest and not self._transfers.in_transit:
            self._stalls.no_worker_computes(self.now, self._needs)

    def _time_is_up(self, event: Happening) -> None:
        if self._clock.peek() == NEVER:
            self._stalls.stall(self.now, self._needs)
        self.now = self._stop.seconds
        self._final, self._dialogue.over = self.accounts(), True


closed_step: Callable[..., Step] = partial(tuple.__new__, Step)  # twice as fast as the class
