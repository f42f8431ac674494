"""When does what happen?  The cluster in virtual time, driven by SimPy.

The simulation gives an aggregation its vocabulary (``algorithms/aggregation/vocabulary.py``) and
yields the server steps lazily, as its story closes them.  Durations depend on worker, time and
random stream, never on gradient values: that is what lets the schedule run ahead of the numbers.
Where they depend on the length of an episode, ``lengths`` is asked for it when the episode starts,
after all steps before it have been yielded.

Events at the same instant are served by (time, worker index), the server's own first.  An
arrival is answered before its sender does anything else, so the worker that closes a batch is
never found computing at the old point.  Outages begin and end after all arrivals.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

from simpy.core import EmptySchedule

from algorithms.aggregation.vocabulary import Aggregation, Joined, Lost
from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.collectives import Participant, collective_end
from simulator.cluster.network import SCALAR
from simulator.engine.attendance import Attendance
from simulator.engine.books import NEVER
from simulator.engine.calendar import Calendar
from simulator.engine.clock import Clock, Happening
from simulator.engine.trace import Sinks, Trace
from simulator.engine.uplink import shared_way
from simulator.engine.workers import UNLIMITED, Order, Workers
from simulator.schedule import Accounts, Step, Stretch

SERVER = -1
"""The server's place among the workers, when several things happen at once."""

News: TypeAlias = Ticket | Lost | Joined
Lengths: TypeAlias = Callable[[Sequence[Ticket]], Sequence[int]]
"""How long the episodes of these tickets are, in environment steps."""


class Stalled(Exception):
    """The run can make no further progress; the message says who is waited for."""


class Stop(NamedTuple):
    """Where a run ends: whichever comes first, simulated ``seconds`` inclusive."""

    seconds: float = NEVER
    steps: float = NEVER
    gradients: float = NEVER


class Simulation:
    """One method's run on one cluster: to be iterated once, by ``steps``.

    >>> from algorithms.aggregation import rennala
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
        self.workers = cluster.workers
        self.version = 0
        self.now = 0.0
        self._name = name
        self._env = Clock()
        self._network = cluster.network
        self._uploads = cluster.uploads(seed, vector)
        self._uploaded = [0] * (cluster.workers if self._uploads.varies else 0)
        self._free_uploads = self._uploads.free and cluster.network.uplink is None
        self._last_done = [0.0] * (0 if self._free_uploads else cluster.workers)
        self._trace = Trace(trace) if trace else None
        self._lengths = lengths
        measured = lengths is not None
        self._state = Workers(
            cluster, seed=seed, vector=vector, measured=measured, trace=self._trace
        )
        self._books = self._state.books
        self._calendar = Calendar(self._state.finish, self._state.prepare)
        self._armed: tuple[float, int] | None = None
        uplink = cluster.network.uplink
        self._way = shared_way(self._env, uplink, vector.bytes) if uplink else None
        absences = cluster.absences(seed)
        self._attendance = (
            Attendance(self._env, absences, self._leave, self._come_back) if absences else None
        )
        self._mortal = cluster.outages.work == "lost" and bool(cluster.outages)
        self._gone: set[int] = set()
        self._story = aggregation(self)
        self._waiting = False
        self._needs: Collection[int] = ()
        self._inbox: deque[News] = deque()
        # Gradients that were sent: on their way, and arrived but in no step.
        self._in_transit: dict[Ticket, None] = {}
        self._arrived: dict[Ticket, None] = {}
        self._open_sends: dict[object, Stretch] = {}
        self._used = 0
        self._account_when = account_when
        self._closed: deque[Step] = deque()
        self._stop = Stop()
        self._final: Accounts | None = None

    # The run

    def steps(self, stop: Stop) -> Iterator[Step]:
        """The server steps, each as it closes, until ``stop`` or for as long as one asks."""
        self._stop = stop
        if stop.seconds < NEVER:
            # After everybody else at that instant.
            self._env.at(stop.seconds, 2 * self.workers + 2, self._time_is_up)
        if self._attendance:
            self._attendance.begin()
        self._drive(None)
        self._arm()
        closed, advance = self._closed, self._env.step
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
                    advance()
            except EmptySchedule:
                self._stall()
            except Stalled:  # what closed at that moment has closed
                yield from closed
                raise

    def accounts(self) -> Accounts:
        """Every worker's, at the end of the run (or now, if it has not ended)."""
        return self._final or self._state.accounts(self.now)

    def close_trace(self) -> None:
        """Hand on what is still going on at the end, too."""
        assert self._trace is not None
        end = self.accounts().time
        self._state.trace_unfinished(end)
        for key in list(self._open_sends):
            self._trace_sent(key, end)
        self._trace.close()

    def versions_in_use(self) -> set[int]:
        """The versions whose gradients a step that has not closed yet may name."""
        sent = {ticket.version for ticket in (*self._in_transit, *self._arrived)}
        return self._state.versions() | sent

    # The server's vocabulary

    def broadcast(self, *, quota: int | None = None, upload: bool = False) -> None:
        if self._final is not None:
            return  # the run ended with the last step, whatever the story would say next
        order = Order(self.version, quota or UNLIMITED, upload)
        self._state.order_all(self.now, order)
        self._calendar.fill(self.now)

    def send(self, worker: int, *, quota: int | None = None, upload: bool = False) -> None:
        if self._final is not None:
            return
        order = Order(self.version, quota or UNLIMITED, upload)
        self._plan(worker, self._state.order_one(self.now, worker, order))

    def arrival(self, needs: Collection[int] = ()) -> Any:
        self._needs = needs
        if needs and (self._state.stuck or self._gone):
            self._check_hope()
        return _ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        self._arrived.pop(ticket, None)
        self._books.drop_newest(ticket.worker)
        if self._mortal:
            self._books.let_go_newest(ticket.worker)
        if self._trace:
            self._trace.gone(ticket, "dropped")

    def all_reduce(self, tickets: Sequence[Ticket]) -> Any:
        participants = dict.fromkeys(ticket.worker for ticket in tickets)
        if self._mortal:
            for worker in participants:
                self._books.let_go(worker)
        if self._free_uploads:
            self._state.release(self.now)
            return _DONE
        if self._way is None:
            end = self._collective(list(participants))
            self._state.release(self.now)
            if end == self.now:
                return _DONE
            self._env.at(end, SERVER + 1, self._collective_ends)
        else:
            self._all_through(list(participants))
            self._state.release(self.now)
        return _COLLECTIVE

    def _collective(self, workers: Sequence[int]) -> float:
        """Let the participants send; returns when the last of them is through."""
        kind = self._network.collective
        participants = [
            Participant(self._state.ready(self.now, worker), self._last_done[worker], parts)
            for worker, parts in zip(workers, map(self._parts, workers), strict=True)
        ]
        end = collective_end(kind, self.now, participants)
        if end == NEVER:
            self._give_up_on(workers)
        for worker, (ready, done, parts) in zip(workers, participants, strict=True):
            begin = done if kind == "gather" else ready
            mine = end if kind in ("ring", "tree") else begin + parts.seconds
            self._state.send_together(worker, self.now, begin, mine)
            if self._trace:
                self._trace.stretch("sending", worker, begin, mine, self.version)
        if self._trace:
            self._trace.stretch("collective", SERVER, self.now, end, self.version)
        return end

    def _give_up_on(self, participants: Sequence[int]) -> NoReturn:
        worker = min(self._gone.intersection(participants))
        raise Stalled(f"{self._waits_for(worker)} and still holds gradients of this step")

    def _all_through(self, workers: Sequence[int]) -> None:
        """Let the participants send what they hold over the way that they share."""
        left = set(workers)
        begins = self.now

        def through(worker: int) -> None:
            left.remove(worker)
            if not left:
                if self._trace:
                    self._trace.stretch("collective", SERVER, begins, self._env.now, self.version)
                self.now = self._env.now
                self._drive(None)
                self._arm()

        for worker in workers:
            ready = self._state.ready(self.now, worker)
            if ready == NEVER:
                self._give_up_on([worker])
            self._share_way(worker, ready, through)

    def step(self, tickets: list[Ticket], weights: list[float]) -> None:
        use, arrived = self._books.use, self._arrived
        for ticket in tickets:
            use(ticket.worker)
            if arrived:
                arrived.pop(ticket, None)
        self._used += len(tickets)
        self.version += 1
        if self._trace:
            self._trace.used(tickets, weights, self.version)
        over = self.version >= self._stop.steps or self._used >= self._stop.gradients
        wanted = self._account_when(self.version, self.now) or over
        accounts = self.accounts() if wanted else None
        if over:
            self._final = accounts
        self._closed.append(
            Step(self.version - 1, self.now, tickets, weights, self._used, accounts)
        )

    # Gradients

    def _drive(self, answer: News | None) -> None:
        """Let the story go on until it waits for something that has not happened yet."""
        self._waiting = False
        request = self._story.send(answer)
        while self._final is None:
            if request is _DONE:
                request = self._story.send(None)
            elif request is _ARRIVAL and self._inbox:
                request = self._story.send(self._inbox.popleft())
            else:
                break
        self._waiting = request is _ARRIVAL

    def _deliver(self, news: News) -> None:
        if self._waiting:
            self._drive(news)
        else:
            self._inbox.append(news)

    def _plan(self, worker: int, finish: float) -> None:
        if finish < NEVER:
            self._calendar.push(finish, worker)

    def _arm(self) -> None:
        """Of all the planned finishes SimPy holds one: the earliest."""
        entry = self._calendar.earliest()
        if entry is self._armed:
            return
        self._armed = entry
        if entry is not None:
            self._env.at(entry[0], entry[1] + 1, self._gradient_done, entry)

    def _gradient_done(self, event: Happening) -> None:
        entry: tuple[float, int] = event.about
        if entry is not self._armed:
            return  # recalled, or an earlier one was armed since, after which this is again
        self._armed = None
        self._calendar.take(entry)
        self.now, worker = entry
        self._deliver_or_upload(worker, self._state.complete(self.now, worker))
        finish = self._state.go_on(self.now, worker)
        if finish < NEVER:
            self._calendar.push(finish, worker)
        self._arm()

    def _measure(self) -> None:
        """Ask how long the episodes are that were started, and plan their ends."""
        assert self._lengths is not None
        workers = sorted(self._state.unmeasured)
        lengths = self._lengths([self._state.ticket(worker) for worker in workers])
        for worker, length in zip(workers, lengths, strict=True):
            self._plan(worker, self._state.measure(worker, length))
        self._arm()

    # Transfers

    def _deliver_or_upload(self, worker: int, ticket: Ticket) -> None:
        uploads = self._state.uploads(worker)
        if self._mortal:
            self._books.hold(worker)
        if self._free_uploads:
            if uploads:
                self._arrive(ticket)
            else:
                self._deliver(ticket)
            return
        self._last_done[worker] = self.now
        if not uploads:
            self._deliver(ticket)
            return
        self._in_transit[ticket] = None
        if self._way is not None:
            self._share_way(worker, self.now, lambda worker: self._upload_through(ticket))
            return
        seconds = self._parts(worker).seconds
        self._state.send_alone(worker, self.now, seconds)
        if self._trace:
            end = self.now + seconds
            self._trace.stretch("sending", worker, self.now, end, ticket.version)
        self._env.at(self.now + seconds, worker + 1, self._upload_ends, ticket)

    def _upload_ends(self, event: Happening) -> None:
        self._upload_through(event.about)

    def _upload_through(self, ticket: Ticket) -> None:
        if ticket in self._in_transit:  # else it was lost on the way, with its worker
            self.now = self._env.now
            del self._in_transit[ticket]
            self._arrive(ticket)
            self._arm()

    def _arrive(self, ticket: Ticket) -> None:
        """A gradient that was sent is with the server."""
        self._arrived[ticket] = None
        if self._mortal:
            self._books.let_go_newest(ticket.worker)
        self._deliver(ticket)

    def _share_way(self, worker: int, begin: float, then: Callable[[int], None]) -> None:
        """Send over the uplink; when it is through is known only then."""
        assert self._way is not None
        state, key = self._state, object()
        self._open_sends[key] = Stretch("sending", worker, begin, begin, self.version)
        state.send_open(worker, begin)

        def through() -> None:
            state.send_closed(worker, self._env.now)
            self._trace_sent(key, self._env.now)
            then(worker)

        self._way.send(begin, self._parts(worker), through)

    def _trace_sent(self, key: object, end: float) -> None:
        """The trace learns of a transfer over the uplink, unless it was broken off before."""
        sent = self._open_sends.pop(key, None)
        if self._trace and sent and sent.start < end:
            self._trace.stretch("sending", sent.worker, sent.start, end, sent.version)

    def _parts(self, worker: int) -> Any:
        if not self._uploads.varies:
            return self._uploads.parts(worker, 0)
        k = self._uploaded[worker]
        self._uploaded[worker] = k + 1
        return self._uploads.parts(worker, k)

    def _collective_ends(self, event: Happening) -> None:
        self.now = self._env.now
        self._drive(None)
        self._arm()

    # Outages

    def _leave(self, worker: int, until: float) -> None:
        """An outage begins; where work is lost, the server hears of it."""
        self.now = self._env.now
        if until == NEVER:
            self._gone.add(worker)
        if self._mortal:
            self._lose(worker, until)
        else:
            self._plan(worker, self._state.pause(self.now, worker, until))
            if self._waiting:
                self._check_hope()
        self._arm()

    def _lose(self, worker: int, until: float) -> None:
        for ticket in [ticket for ticket in self._in_transit if ticket.worker == worker]:
            del self._in_transit[ticket]
        if self._trace:
            # While a collective is under way, all that was done is part of it.
            self._trace.lost(worker, lambda t: t in self._arrived or not self._waiting)
        for key in [key for key, sent in self._open_sends.items() if sent.worker == worker]:
            self._trace_sent(key, self.now)
        self._state.lose(self.now, worker, until)
        if self._waiting:
            self._drive(Lost(worker))

    def _come_back(self, worker: int) -> None:
        self.now = self._env.now
        self._state.come_back(self.now, worker)
        if self._mortal and self._waiting:
            self._drive(Joined(worker))
        self._arm()
        if self._armed is None and self._waiting and not self._in_transit:
            self._check_anybody()

    # The end

    def _time_is_up(self, event: Happening) -> None:
        if self._env.peek() == NEVER:
            self._stall()
        self.now = self._stop.seconds
        self._final = self.accounts()

    def _check_hope(self) -> None:
        """End the run if one of those without whom the step cannot close will never deliver."""
        for hopeless in (self._state.stuck, self._gone):
            if hopeless and not hopeless.isdisjoint(self._needs):
                for worker in sorted(hopeless.intersection(self._needs)):
                    self._give_up_unless_freed(worker)

    def _give_up_unless_freed(self, worker: int) -> None:
        """An outage to come frees a worker of what it is stuck in, but not of its nature."""
        freed = self._mortal and self._attendance and self._attendance.returns(worker)
        if worker in self._gone or not freed or not self._state.can_deliver(self.now, worker):
            raise Stalled(f"{self._waits_for(worker)}; this step cannot close without it")

    def _waits_for(self, worker: int) -> str:
        why = self._state.why_stuck(self.now, worker)
        return f"{self._name} waits for worker {worker}, which {why}"

    def _check_anybody(self) -> None:
        """Outages go on for ever; end the run if nobody has anything to deliver between them."""
        can = self._state.can_deliver
        there = (worker for worker in range(self.workers) if worker not in self._gone)
        if not self._mortal or not any(can(self.now, worker) for worker in there):
            self._stall()

    def _stall(self) -> NoReturn:
        self._check_hope()
        raise Stalled(f"{self._name} waits for ever: no worker will deliver another gradient")


_ARRIVAL, _COLLECTIVE, _DONE = object(), object(), object()
