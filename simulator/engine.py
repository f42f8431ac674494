"""When does what happen?  The cluster in virtual time, driven by SimPy.

The engine gives an aggregation its vocabulary (``algorithms/aggregation/vocabulary.py``) and
yields the server steps lazily, as its story closes them.  Durations depend on worker, time and
random stream, never on gradient values: that is what lets the schedule run ahead of the numbers.

Events at the same instant are served by (time, worker index), the server's own first.  An
arrival is answered before its sender does anything else, so the worker that closes a batch is
never found computing at the old point.
"""

import math
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import simpy
from simpy.core import EmptySchedule
from simpy.events import Event, EventPriority

from algorithms.aggregation.vocabulary import Aggregation
from algorithms.tickets import Ticket
from simulator.calendar import Calendar
from simulator.cluster import Cluster
from simulator.outstanding import Outstanding
from simulator.schedule import Accounts, Computation, Step
from simulator.workers import NEVER, UNLIMITED, Order, Workers

SERVER = -1
"""The server's place among the workers, when several things happen at once."""


class Stalled(Exception):
    """The run can make no further progress; the message says who is waited for."""


class Stop(NamedTuple):
    """Where a run ends: whichever comes first, simulated ``seconds`` inclusive."""

    seconds: float = NEVER
    steps: float = NEVER
    gradients: float = NEVER


class Happening(Event):
    """A SimPy event that is sure to happen, and says to whom."""

    def __init__(
        self, env: simpy.Environment, time: float, worker: int, act: Callable[[Any], None]
    ) -> None:
        self.env = env
        self.callbacks = [act]
        self._ok, self._value = True, None
        self.time, self.worker = time, worker
        self.ticket: Ticket | None = None


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
        seed: int = 0,
        dimension: int = 1,
        account_when: Callable[[int, float], bool] = lambda number, time: False,
        trace: bool = False,
    ) -> None:
        self.workers = cluster.workers
        self.version = 0
        self.now = 0.0
        self._network = cluster.network
        self._uploads = cluster.uploads(seed, dimension)
        self._uploaded = [0] * (cluster.workers if self._uploads.varies else 0)
        self._state = Workers(cluster, seed=seed, dimension=dimension, trace=trace)
        self._calendar = Calendar(self._state.finish)
        self._armed: tuple[float, int] | None = None
        self._env = simpy.Environment()
        self._story = aggregation(self)
        self._waiting = False
        self._inbox: deque[Ticket] = deque()
        self._last_done: dict[int, float] = {}
        self._outstanding = Outstanding()
        self._account_when = account_when
        self._used = 0
        self._closed: deque[Step] = deque()
        self._stop = Stop()
        self._final: Accounts | None = None

    # The run

    def steps(self, stop: Stop) -> Iterator[Step]:
        """The server steps, each as it closes, until ``stop`` or for as long as one asks."""
        self._stop = stop
        self._drive(None)
        while True:
            while self._closed:
                yield self._closed.popleft()
            if self._final is not None:
                return
            if self._env.peek() > stop.seconds and stop.seconds < NEVER:
                self.now = stop.seconds
                self._final = self._state.accounts(self.now)
                return
            try:
                self._env.step()
            except EmptySchedule:
                raise Stalled("no worker will ever deliver another gradient") from None

    def accounts(self) -> Accounts:
        """Every worker's, at the end of the run (or now, if it has not ended)."""
        return self._final or self._state.accounts(self.now)

    def computations(self) -> list[Computation]:
        """Every computation so far, where ``trace`` was asked for."""
        return self._state.computations(self.accounts().time)

    # The server's vocabulary

    def broadcast(self, *, quota: int | None = None, upload: bool = False) -> None:
        order = Order(self.version, quota or UNLIMITED, upload)
        self._state.order_all(self.now, order)
        self._outstanding.order_all(self.version, self.workers)
        self._calendar.fill()
        self._arm()

    def send(self, worker: int, *, quota: int | None = None, upload: bool = False) -> None:
        before = self._state.version_of(worker)
        order = Order(self.version, quota or UNLIMITED, upload)
        self._enter(worker, self._state.order_one(self.now, worker, order))
        self._outstanding.order_one(before, self.version)

    def arrival(self, needs: Collection[int] = ()) -> Any:
        if self._state.never and not self._state.never.isdisjoint(needs):
            worker = min(self._state.never.intersection(needs))
            raise Stalled(
                f"worker {worker} never finishes a gradient (its compute time is infinite), "
                "and this step cannot close without it"
            )
        return _ARRIVAL

    def all_reduce(self, tickets: Sequence[Ticket]) -> Any:
        uploads = {w: self._upload_seconds(w) for w in dict.fromkeys(t.worker for t in tickets)}
        at_once = self._network.collective == "max"
        for worker, seconds in uploads.items():
            done = self.now if at_once else self._last_done[worker]
            self._state.send_together(worker, self.now, done, seconds)
        end = self._network.collective_end(
            self.now, ((self._last_done[worker], seconds) for worker, seconds in uploads.items())
        )
        self._state.release(self.now)
        self._outstanding.release_all()
        if end > self.now:
            self._at(end, SERVER, self._collective_ends)
            return _COLLECTIVE
        return _DONE

    def step(self, tickets: Sequence[Ticket], weights: Sequence[float]) -> None:
        used = list(tickets)
        self._state.use(used)
        self._used += len(used)
        retired = self._outstanding.close(self.version, used)
        self.version += 1
        over = self.version >= self._stop.steps or self._used >= self._stop.gradients
        wanted = over or self._account_when(self.version, self.now)
        accounts = self._state.accounts(self.now) if wanted else None
        if over and self._final is None:
            self._final = accounts
        closed = Step(
            self.version - 1, self.now, used, list(weights), self._used,
            self._state.recalled, self._state.count_dropped(self.now), retired, accounts,
        )  # fmt: skip
        self._closed.append(closed)

    # Events

    def _drive(self, answer: Ticket | None) -> None:
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

    def _deliver(self, ticket: Ticket) -> None:
        if self._waiting:
            self._drive(ticket)
        else:
            self._inbox.append(ticket)

    def _gradient_done(self, event: Happening) -> None:
        entry = (event.time, event.worker)
        if entry == self._armed:
            self._armed = None
        if entry == self._calendar.earliest():
            self._calendar.pop()
            self.now = event.time
            self._finish(event.worker)
        self._arm()

    def _finish(self, worker: int) -> None:
        ticket = self._state.complete(self.now, worker)
        self._outstanding.hold(ticket.version)
        self._last_done[worker] = self.now
        seconds = self._upload_seconds(worker) if self._state.uploads(worker) else 0.0
        if seconds > 0:
            self._state.send_alone(worker, self.now, seconds)
            self._at(self.now + seconds, worker, self._upload_ends).ticket = ticket
        else:
            self._deliver(ticket)
        self._enter(worker, self._state.go_on(self.now, worker))

    def _upload_ends(self, event: Happening) -> None:
        assert event.ticket is not None
        self.now = event.time
        self._deliver(event.ticket)
        self._arm()

    def _collective_ends(self, event: Happening) -> None:
        self.now = event.time
        self._drive(None)
        self._arm()

    def _upload_seconds(self, worker: int) -> float:
        if not self._uploads.varies:
            return self._uploads.one(worker, 0)
        k = self._uploaded[worker]
        self._uploaded[worker] = k + 1
        return self._uploads.one(worker, k)

    def _enter(self, worker: int, finish: float) -> None:
        if finish < NEVER:
            self._calendar.push(finish, worker)

    def _arm(self) -> None:
        """Of all planned finishes SimPy holds the earliest only."""
        entry = self._calendar.earliest()
        if entry is not None and entry != self._armed:
            self._armed = entry
            self._at(entry[0], entry[1], self._gradient_done)

    def _at(self, time: float, worker: int, act: Callable[[Any], None]) -> Happening:
        """Schedule at an absolute time: SimPy adds a delay to its clock, which may round."""
        happening = Happening(self._env, time, worker, act)
        clock = self._env.now
        delay = time - clock
        while clock + delay != time:
            delay = math.nextafter(delay, NEVER if clock + delay < time else 0.0)
        self._env.schedule(happening, EventPriority(worker + 1), delay)
        return happening


_ARRIVAL, _COLLECTIVE, _DONE = object(), object(), object()
