"""What happened in a real run?  Computations, transfers, absences, and the events of the story."""

from collections.abc import Callable, Mapping
from typing import Any

from algorithms.tickets import Ticket
from algorithms.vocabulary import Event
from simulator.realtime.messages import NEVER, Last, Order, Report
from simulator.reference import Notice, StoryEvent
from simulator.schedule import Computation, Outcome, Step, Stretch, as_of
from simulator.training.recorded import Recorded

SERVER = -1  # the server's number among the workers


class Recording:
    """Filled by the server as things happen."""

    def __init__(self, workers: int) -> None:
        self.workers, self.end = workers, 0.0
        self.steps: list[Step] = []
        self.events: list[StoryEvent] = []
        self.stretches: list[Stretch] = []
        self.late = self.deaths = self.recomputed = 0
        """Gradients that themselves took longer than their seconds; deaths of workers; gradients
        that the server computed in place of a dead worker."""
        self.difference = 0.0
        """The largest between a point and that of the replay, relative to its largest number."""
        self.computing: list[float] = []
        """Real seconds of the gradients themselves."""
        self._computations: dict[Ticket, Computation] = {}
        self._receiving: dict[int, tuple[float, float, int]] = {}
        self._down: dict[int, tuple[float, int]] = {}
        self._orders: dict[int, tuple[float, Order]] = {}
        self._left, self._free = [0.0] * workers, [0.0] * workers
        self._begun = [0] * workers  # all computations that have begun, as far as is known
        self._newest = [(-1, 0)] * workers  # the newest version, and those begun at it

    # Computations

    def ordered(self, worker: int, ready: float, order: Order) -> None:
        self._orders[worker], self._left[worker] = (ready, order), order.terms.quota

    @property
    def ordered_at(self) -> set[int]:
        """The versions of the workers' newest orders."""
        return {order.version for _, order in self._orders.values()}

    def ended(self, report: Report) -> None:
        ticket = report.ticket
        self._count(ticket)
        self._free[ticket.worker] = report.finish
        if (order := self._orders.get(ticket.worker)) and order[1].serial == report.serial:
            self._left[ticket.worker] -= 1
        self.late += report.late
        self.computing.append(report.computing)
        self._add(ticket, report.start, report.finish, "waiting")

    def gone(self, ticket: Ticket, outcome: Outcome) -> None:
        self._computations[ticket] = self._computations[ticket]._replace(outcome=outcome)

    def close_step(self, step: Step) -> None:
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            if ticket not in step.again:
                known = self._computations[ticket]
                self._computations[ticket] = known._replace(
                    finish=min(known.finish, step.time),
                    outcome="used",
                    step=step.number,
                    weight=weight,
                )
        self.steps.append(step)

    def begun_of(self, worker: int) -> tuple[int, int, int]:
        """The computations that a worker has begun, its newest version, and those before it."""
        version, count = self._newest[worker]
        return self._begun[worker], version, self._begun[worker] - count

    def _add(self, ticket: Ticket, start: float, finish: float, outcome: Outcome) -> None:
        self._computations[ticket] = Computation(ticket, start, max(start, finish), outcome)

    def _count(self, ticket: Ticket) -> None:
        worker, version = ticket.worker, ticket.version
        self._begun[worker] += 1
        newest, count = self._newest[worker]
        if version >= newest:
            self._newest[worker] = version, 1 + (count if version == newest else 0)

    # Everything else

    def tell(self, event: Event, now: float, notice: Notice = Notice.AT_ONCE) -> None:
        self.events.append(StoryEvent(event, now, notice))

    def receives(self, worker: int, begin: float, end: float, version: int) -> None:
        self._receiving[worker] = begin, end, version

    def stops_receiving(self, worker: int, now: float) -> None:
        if worker in self._receiving:
            begin, end, version = self._receiving.pop(worker)
            self._stretch("receiving", worker, begin, min(end, now), version)

    def sends(self, worker: int, begin: float, end: float, version: int) -> None:
        self._stretch("sending", worker, begin, end, version)

    def trains(self, begin: float, end: float, version: int) -> None:
        self._stretch("training", SERVER, begin, end, version)

    def shares(self, begin: float, end: float, version: int) -> None:
        self._stretch("collective", SERVER, begin, end, version)

    def leaves(self, worker: int, now: float) -> None:
        """A worker has died; a computation that it must have begun is lost."""
        self.deaths += 1
        ready, order = self._orders.pop(worker, (NEVER, None))
        if order and self._left[worker] > 0 and ready <= now:
            version, count = self._newest[worker]
            index = count if version == order.version else 0
            ticket = Ticket(worker, order.version, index)
            self._count(ticket)
            self._add(ticket, min(now, max(ready, self._free[worker])), now, "lost")
        self._down[worker] = now, order.version if order else 0

    def comes_back(self, worker: int, now: float) -> None:
        begin, version = self._down.pop(worker)
        self._stretch("down", worker, begin, now, version)

    def close(self, end: float, answers: Mapping[int, Last]) -> None:
        """The run has ended; these are the last answers of its workers."""
        self.end = end
        for last in answers.values():
            for report in last.reports:
                self.ended(report)
                if report.fate in ("recalled", "expired", "dropped"):
                    self.gone(report.ticket, "dropped" if report.fate == "dropped" else "recalled")
            if last.current:
                self._add(last.current.ticket, last.current.start, NEVER, "unfinished")
        for worker in list(self._receiving):
            self.stops_receiving(worker, end)
        for worker in list(self._down):
            self.comes_back(worker, max(end, self._down[worker][0]))

    def _stretch(self, kind: Any, worker: int, begin: float, end: float, version: int) -> None:
        if begin < end:
            self.stretches.append(Stretch(kind, worker, begin, end, version))

    # Afterwards

    def computations(self, time: float, steps: int) -> list[Computation]:
        """All computations as of this time, those of a step in its place."""
        found = (as_of(each, time, steps) for each in self._computations.values())
        return sorted(filter(None, found), key=lambda each: (each.step or NEVER, each.finish))

    def schedule(self, account_when: Callable[[int, float], bool]) -> Recorded:
        """The run as a schedule, which the training loop can follow."""
        rows = self.computations(self.end, len(self.steps))
        return Recorded(self.workers, self.end, self.steps, rows, self.stretches, account_when)
