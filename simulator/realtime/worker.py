"""What does a worker do in real time?  An actor: a thread computes, and orders come in others.

A gradient is computed first.  Then the thread waits until the scenario's duration of this
computation has passed since its start, or until it is recalled.  It waits on a condition, so an
order wakes it at once, and waiting takes no processor time.  A gradient under way cannot be
stopped: a recall takes effect when its own computation ends.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.tickets import Ticket
from simulator.campaign.processes import one_thread
from simulator.realtime.gradients import Gradient, Vector, gradient, weighted
from simulator.realtime.messages import (
    NEVER,
    Assignment,
    Current,
    Hello,
    Last,
    Order,
    Report,
    Start,
)
from simulator.remote.agent import Setup, unpack
from simulator.remote.traits import traits

if TYPE_CHECKING:
    from jax import Array

MOMENT = 0.5
"""Real seconds for which ``hear`` waits for a report before it answers that there is none."""
BOOT = Path("/proc/sys/kernel/random/boot_id")


def machine() -> str:
    """Equal for processes that read the same clock."""
    return BOOT.read_text().strip() if BOOT.exists() else traits().node


class Worker:
    """One worker of a scenario, in a process of its own."""

    def __init__(self, setup: Setup, assignment: Assignment) -> None:
        self._setup, self._assignment, self._number = setup, assignment, assignment.worker
        self._changed = threading.Condition()
        self._reports: list[Report] = []
        self._held: dict[Ticket, Gradient] = {}
        self._points: dict[int, Vector] = {}
        self._order: Order | None = None
        self._current: Current | None = None
        self._ended = True

    def hello(self) -> Hello:
        """Compile and measure a gradient."""
        self._folder = tempfile.TemporaryDirectory(prefix="straggle-worker-")
        unpack(self._setup, Path(self._folder.name))
        os.environ["STRAGGLE_CORES"] = "1"
        one_thread()
        self._scenario = _scenario(self._assignment, Path(self._folder.name))
        self._cluster = self._scenario.build_cluster()
        self._finishes = self._cluster.in_flight == "finish"
        import jax
        import numpy as np

        from simulator.training.jax_setup import prepare

        prepare()
        self._values = self._scenario.build_objective()
        root, ticket = jax.random.key(0), Ticket(self._number, 0, 0)
        point = np.asarray(self._values.initial_point(root))
        seconds = [_timed(lambda: gradient(self._values, root, point, ticket)) for _ in range(3)]
        threading.Thread(target=self._work, daemon=True).start()
        return Hello(machine(), min(seconds[1:]))

    def clock(self) -> float:
        """The reading of this worker's clock."""
        return time.monotonic()

    def begin(self, start: Start) -> None:
        """Forget the last run, and take part in another."""
        import jax

        timing = self._scenario.timing_seed(start.seed)
        with self._changed:
            self._scale, self._epoch = start.scale, start.epoch
            self._seconds = self._cluster.computations(timing).one
            self._pace = self._cluster.pace(timing)
            self._root: Array = jax.random.key(start.seed)
            self._begun, self._version, self._first = start.begun, start.version, start.first
            self._reports, self._held, self._points = [], {}, {}
            self._order, self._serial, self._ended = None, 0, False

    # Orders

    def order(self, order: Order, point: Vector) -> None:
        """Follow this order, and no earlier one."""
        with self._changed:
            if self._ended or order.serial < self._serial:
                return
            if order.version != self._version:
                self._version, self._first = order.version, self._begun
            self._points = {order.version: point}
            self._held = {t: g for t, g in self._held.items() if t in order.needed}
            self._order, self._serial, self._left = order, order.serial, order.terms.quota
            self._ready = self._now() + order.delay
            self._changed.notify_all()

    def release(self, serial: int) -> None:
        """Follow no order until the next one."""
        with self._changed:
            if serial > self._serial:
                self._order, self._serial = None, serial
                self._changed.notify_all()

    def sum(self, tickets: list[Ticket], weights: list[float], keep: Collection[Ticket]) -> Vector:
        """The weighted sum of held gradients."""
        with self._changed:
            found = [self._held[ticket].vector for ticket in tickets]
            for ticket in set(tickets).difference(keep):
                del self._held[ticket]
        return weighted(found, weights)

    # Reports

    def hear(self) -> list[Report]:
        """The reports that have come since the last call; waits a while for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._reports or self._ended, MOMENT)
            found, self._reports = self._reports, []
            return found

    def end(self) -> Last:
        """End the run: reports that were not heard, and the computation under way."""
        with self._changed:
            last = Last(self._reports, self._current)
            self._reports, self._order, self._ended = [], None, True
            self._serial += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._current is None)
            self._reports = []
            return last

    # The thread that computes

    def _now(self) -> float:
        return (time.monotonic() - self._epoch) / self._scale

    def _wait(self, seconds: float) -> None:
        self._changed.wait(None if seconds == NEVER else seconds * self._scale)

    def _work(self) -> None:
        while True:
            with self._changed:
                order, number = self._next()
                point, root = self._points[order.version], self._root
                assert self._current is not None
                current = self._current
            began = time.perf_counter()
            found = gradient(self._values, root, point, current.ticket)
            computing = time.perf_counter() - began
            with self._changed:
                self._finish(order, current, number, found, computing)
                self._current = None
                self._changed.notify_all()

    def _next(self) -> tuple[Order, int]:
        """Wait for an order and its download; then a computation begins."""
        while True:
            order = self._order
            if order is None or self._left < 1:
                self._changed.wait()
            elif (delay := self._ready - self._now()) > 0:
                self._wait(delay)
            else:
                number, self._begun = self._begun, self._begun + 1
                ticket = Ticket(self._number, order.version, number - self._first)
                self._current = Current(ticket, self._now())
                return order, number

    def _finish(
        self, order: Order, current: Current, number: int, found: Gradient, computing: float
    ) -> None:
        """Wait for the end of a computation whose gradient is there, and report it."""
        done = self._done(current.start, self._seconds(self._number, number) * order.terms.work)
        limit = current.start + order.terms.limit
        end, late = min(done, limit), self._now() > min(done, limit)
        while not self._recalled(order) and (left := end - self._now()) > 0:
            self._wait(left)
        now, obsolete = self._now(), order.serial < self._serial
        if self._recalled(order):
            fate: Any = "recalled"
        elif limit < done:
            fate = "recalled" if obsolete else "expired"
        else:
            fate = "dropped" if obsolete else "done"
        sent = found if fate == "done" and order.terms.upload else None
        if fate == "done" and not order.terms.upload:
            self._held[current.ticket] = found
        if not obsolete:
            self._left -= 1
        times = current.start, now, computing, late
        if self._ended:
            return
        self._reports.append(Report(fate, order.serial, current.ticket, *times, sent))

    def _done(self, start: float, seconds: float) -> float:
        if self._pace is None:
            return start + seconds
        return float(self._pace.finish(self._number, start, seconds))

    def _recalled(self, order: Order) -> bool:
        if order.serial == self._serial:
            return False
        newest = self._order
        return self._ended or not self._finishes or (newest is not None and newest.terms.recall)


def _scenario(assignment: Assignment, folder: Path) -> Any:
    from simulator.scenario import loading

    for name, contents in assignment.files.items():
        (folder / name).write_bytes(contents)
    return loading.of_tables(dict(assignment.tables)).found_from(folder)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
