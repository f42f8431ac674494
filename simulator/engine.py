"""When does what happen?  The cluster in virtual time, driven by SimPy.

The engine gives an aggregation its vocabulary (``algorithms/aggregation/vocabulary.py``) and
yields the server steps lazily, as its story closes them.  Durations depend on worker, time and
random stream, never on gradient values: that is what lets the schedule run ahead of the numbers.

Events at the same instant are served by (time, worker index), the server's own first.  An
arrival is answered before its sender does anything else, so the worker that closes a batch is
never found computing at the old point.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import heappush
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

import simpy
from simpy.core import EmptySchedule
from simpy.events import Event

from algorithms.aggregation.vocabulary import Aggregation
from algorithms.tickets import Ticket
from simulator.calendar import Calendar
from simulator.cluster import Cluster
from simulator.schedule import Accounts, Computation, Step
from simulator.workers import NEVER, UNLIMITED, Order, Workers

if TYPE_CHECKING:
    from simpy.events import EventPriority

SERVER = -1
"""The server's place among the workers, when several things happen at once."""


class Stalled(Exception):
    """The run can make no further progress; the message says who is waited for."""


class Stop(NamedTuple):
    """Where a run ends: whichever comes first, simulated ``seconds`` inclusive."""

    seconds: float = NEVER
    steps: float = NEVER
    gradients: float = NEVER


class Clock(simpy.Environment):
    """SimPy's environment, which also takes the exact time of an event.

    SimPy knows delays only, and adds them to its clock: between 1.2 and 3.6 there is none that
    hits 3.6, whose neighbours would then be served in the wrong order.  So this enters the queue
    the way SimPy's own ``schedule`` does.
    """

    def schedule_at(self, time: float, worker: int, event: Event) -> None:
        priority = cast("EventPriority", worker + 1)
        heappush(self._queue, (time, priority, next(self._eid), event))


class Happening(Event):
    """A SimPy event that is sure to happen, with what it is about."""

    _ok, _value = True, None

    def __init__(self, about: Any, act: Callable[[Any], None]) -> None:
        self.callbacks = [act]
        self.about = about


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
        self._last_done = [0.0] * (0 if self._uploads.free else cluster.workers)
        self._state = Workers(cluster, seed=seed, dimension=dimension, trace=trace)
        self._calendar = Calendar(self._state.finish)
        self._armed: tuple[float, int] | None = None
        self._env = Clock()
        self._story = aggregation(self)
        self._waiting = False
        self._inbox: deque[Ticket] = deque()
        self._unused: dict[Ticket, None] = {}
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
            self._at(stop.seconds, self.workers, self._time_is_up)
        self._drive(None)
        self._arm()
        closed, advance = self._closed, self._env.step
        while True:
            while closed:
                yield closed.popleft()
            if self._final is not None:
                return
            try:
                while not closed and self._final is None:
                    advance()
            except EmptySchedule:
                self._stall()

    def accounts(self) -> Accounts:
        """Every worker's, at the end of the run (or now, if it has not ended)."""
        return self._final or self._state.accounts(self.now, self._unused)

    def computations(self) -> list[Computation]:
        """Every computation so far, where ``trace`` was asked for."""
        return self._state.computations(self.accounts().time)

    def versions_in_use(self) -> set[int]:
        """The versions whose gradients a step that has not closed yet may name."""
        return self._state.versions() | {ticket.version for ticket in self._unused}

    # The server's vocabulary

    def broadcast(self, *, quota: int | None = None, upload: bool = False) -> None:
        if self._final is not None:
            return  # the run ended with the last step, whatever the story would say next
        order = Order(self.version, quota or UNLIMITED, upload)
        self._state.order_all(self.now, order)
        self._calendar.fill()

    def send(self, worker: int, *, quota: int | None = None, upload: bool = False) -> None:
        if self._final is not None:
            return
        order = Order(self.version, quota or UNLIMITED, upload)
        finish = self._state.order_one(self.now, worker, order)
        if finish < NEVER:
            self._calendar.push(finish, worker)

    def arrival(self, needs: Collection[int] = ()) -> Any:
        if self._state.never and not self._state.never.isdisjoint(needs):
            worker = min(self._state.never.intersection(needs))
            raise Stalled(
                f"worker {worker} never finishes a gradient (its compute time is infinite), "
                "and this step cannot close without it"
            )
        return _ARRIVAL

    def all_reduce(self, tickets: Sequence[Ticket]) -> Any:
        end = self.now if self._uploads.free else self._collective(tickets)
        self._state.release(self.now)
        if end == self.now:
            return _DONE
        self._at(end, SERVER, self._collective_ends)
        return _COLLECTIVE

    def _collective(self, tickets: Sequence[Ticket]) -> float:
        """Let the participants send; returns when the last of them is through."""
        participants = dict.fromkeys(ticket.worker for ticket in tickets)
        uploads = {worker: self._upload_seconds(worker) for worker in participants}
        at_once = self._network.collective == "max"
        for worker, seconds in uploads.items():
            begin = self.now if at_once else self._last_done[worker]
            self._state.send_together(worker, self.now, begin, seconds)
        done = ((self._last_done[worker], seconds) for worker, seconds in uploads.items())
        return self._network.collective_end(self.now, done)

    def step(self, tickets: Sequence[Ticket], weights: Sequence[float]) -> None:
        for ticket in tickets:
            del self._unused[ticket]
        self._used += len(tickets)
        self.version += 1
        over = self.version >= self._stop.steps or self._used >= self._stop.gradients
        wanted = self._account_when(self.version, self.now) or over
        accounts = self.accounts() if wanted else None
        if over:
            self._final = accounts
        recalled, dropped = self._state.recalled, self._state.count_dropped(self.now)
        self._closed.append(
            Step(self.version - 1, self.now, list(tickets), list(weights), self._used,
                 recalled, dropped, accounts)
        )  # fmt: skip

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

    def _arm(self) -> None:
        """Of all the planned finishes SimPy holds one: the earliest."""
        entry = self._calendar.earliest()
        if entry is self._armed:
            return
        self._armed = entry
        if entry is not None:
            self._at(entry[0], entry[1], self._gradient_done, entry)

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

    def _deliver_or_upload(self, worker: int, ticket: Ticket) -> None:
        self._unused[ticket] = None
        if self._uploads.free:
            self._deliver(ticket)
            return
        self._last_done[worker] = self.now
        if not self._state.uploads(worker):
            self._deliver(ticket)
            return
        seconds = self._upload_seconds(worker)
        self._state.send_alone(worker, self.now, seconds)
        self._at(self.now + seconds, worker, self._upload_ends, ticket)

    def _upload_ends(self, event: Happening) -> None:
        self.now = self._env.now
        self._deliver(event.about)
        self._arm()

    def _collective_ends(self, event: Happening) -> None:
        self.now = self._env.now
        self._drive(None)
        self._arm()

    def _time_is_up(self, event: Happening) -> None:
        if self._env.peek() == NEVER:
            self._stall()
        self.now = self._stop.seconds
        self._final = self.accounts()

    def _stall(self) -> NoReturn:
        raise Stalled("no worker will ever deliver another gradient")

    def _upload_seconds(self, worker: int) -> float:
        if not self._uploads.varies:
            return self._uploads.one(worker, 0)
        k = self._uploaded[worker]
        self._uploaded[worker] = k + 1
        return self._uploads.one(worker, k)

    def _at(
        self, time: float, worker: int, act: Callable[[Happening], None], about: Any = None
    ) -> None:
        self._env.schedule_at(time, worker, Happening(about, act))


_ARRIVAL, _COLLECTIVE, _DONE = object(), object(), object()
