"""When is each worker done, and with what? A heap of the ends of computations, for the reference.

Simultaneous arrivals are served by worker index; the server reacts to an arrival before its sender
begins anything else. A computation that was recalled counts as begun.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np


class Server(Protocol):
    """What workers are sent: the number of updates so far, and the point to compute at."""

    updates: int
    point: np.ndarray
    theta: np.ndarray


class Order(NamedTuple):
    version: int
    point: np.ndarray
    work: int
    limit: float


class Ticket(NamedTuple):
    """One computation; `expired` if it takes longer than its order allows."""

    worker: int
    index: int
    order: Order
    expired: bool


class Fleet:
    """Workers that follow the newest order each has been sent, and a heap of when each is done."""

    def __init__(
        self,
        workers: int,
        duration: Callable[[int, int], float],
        in_flight: str,
        server: Server,
    ) -> None:
        self.workers = range(workers)
        self.duration, self.in_flight, self.server = duration, in_flight, server
        self.now = 0.0
        self.orders: dict[int, Order] = {}
        self.left = dict.fromkeys(self.workers, 0.0)
        self.running: dict[int, Ticket] = {}
        self.begun: Counter[int] = Counter()
        self.begun_at: Counter[tuple[int, int]] = Counter()
        self.heap: list[tuple[float, int, int, Ticket]] = []
        self.serial = count()

    def broadcast(self, **terms: Any) -> None:
        for worker in self.workers:
            self.send(worker, **terms)

    def send(
        self,
        worker: int,
        *,
        quota: float = math.inf,
        work: int = 1,
        limit: float = math.inf,
        recall: bool = False,
    ) -> None:
        """The server's newest point, in place of whatever order the worker had."""
        self.orders[worker] = Order(self.server.updates, self.server.point, work, limit)
        self.left[worker] = quota
        if recall or self.in_flight == "recall":
            self.running.pop(worker, None)
        if worker not in self.running:
            self.begin(worker)

    def begin(self, worker: int) -> None:
        if self.left[worker] == 0:
            return
        self.left[worker] -= 1
        order = self.orders[worker]
        seconds = order.work * self.duration(worker, self.begun[worker])
        ticket = Ticket(
            worker, self.begun_at[worker, order.version], order, expired=seconds > order.limit
        )
        self.begun[worker] += 1
        self.begun_at[worker, order.version] += 1
        self.running[worker] = ticket
        end = self.now + min(seconds, order.limit)
        heapq.heappush(self.heap, (end, worker, next(self.serial), ticket))

    def arrival(self) -> Ticket:
        """The next computation under a present order to end; its worker begins nothing yet."""
        for worker in self.workers:
            if worker not in self.running:  # the last one to deliver, if it was sent nothing
                self.begin(worker)
        while self.heap and self.heap[0][0] < math.inf:
            end, worker, _, ticket = heapq.heappop(self.heap)
            if self.running.get(worker) is not ticket:
                continue  # recalled
            self.now = end
            del self.running[worker]
            if ticket.order is self.orders[worker]:
                return ticket
            self.begin(worker)  # obsolete when it was done
        raise RuntimeError("nobody will ever deliver")
